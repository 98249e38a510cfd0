package gateway

import (
	"crypto/sha256"
	"encoding/base32"
)

// SigningInput is what the signature of Attach is made over: ECDSA with P-256 and SHA-256, r||s as WebCrypto gives it.
// Domain and nonce are those of Hello, origin is the Origin header (empty when there is none), name is as in the frame.  The
// name stands last, so that nothing in it can pass for another field.
func SigningInput(domain, origin, nonce, name string) []byte {
	return []byte("carillon attach 1\n" + domain + "\n" + origin + "\n" + nonce + "\n" + name)
}

var suffixEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// AddressSuffix is the self-certifying part of an address: 16 base32 characters (RFC 4648 section 6, lower case), the first 80
// bits of SHA-256 over the normalised name, a NUL and the key as a raw uncompressed point.
func AddressSuffix(name string, key []byte) string {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write(key)
	return suffixEncoding.EncodeToString(h.Sum(nil)[:10])
}
