package component

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"mellium.im/xmpp/jid"

	"carillon/component/gateway"
)

// maxNameRunes bounds the name that a person chooses, in characters.
const maxNameRunes = 32

// normalName is the name as it stands in an address: PRECIS UsernameCaseMapped (RFC 8265 section 3.3), and nothing that a local part may not
// hold (RFC 7622 section 3.3.1).
func normalName(name string) (string, error) {
	if utf8.RuneCountInString(name) > maxNameRunes {
		return "", fmt.Errorf("a name has at most %d characters", maxNameRunes)
	}
	n, err := precis.UsernameCaseMapped.String(name)
	if err != nil || n == "" || strings.ContainsAny(n, "\"&'/:<>@ ") {
		return "", errors.New("a name is made of letters and digits, dots, dashes and underscores, without blanks")
	}
	return n, nil
}

// CheckName says why a name can be no guest's.
func CheckName(name string) error {
	_, err := normalName(name)
	return err
}

// ghostAddress is the self-certifying address of a normalised name and a key: NAME-SUFFIX@DOMAIN.  Whoever can sign with the key
// owns the address; nothing needs to be registered.
func ghostAddress(name string, key []byte, domain jid.JID) (jid.JID, error) {
	return jid.New(name+"-"+gateway.AddressSuffix(name, key), domain.Domainpart(), "")
}

// verifyAttach checks the signature of an attach: ECDSA on P-256 with SHA-256, r and s side by side as WebCrypto writes them, by the
// uncompressed public point key.
func verifyAttach(key, signature, input []byte) error {
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
	if err != nil {
		return errors.New("the key is not an uncompressed P-256 point of 65 bytes")
	}
	if len(signature) != 64 {
		return errors.New("the signature is not the 64 bytes of ECDSA on P-256")
	}
	sum := sha256.Sum256(input)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(pub, sum[:], r, s) {
		return errors.New("the signature does not belong to this key, name, server and connection")
	}
	return nil
}

// authenticate turns an attach into the address it proves and the normalised name.
func (c *Component) authenticate(a gateway.Attach, nonce, origin string) (jid.JID, string, error) {
	name, err := normalName(a.Name)
	if err != nil {
		return jid.JID{}, "", gateway.Errorf(gateway.BadName, "%s", err)
	}
	if c.reserved[name] {
		return jid.JID{}, "", gateway.Errorf(gateway.ReservedName, "the operator of this service has reserved the name %q; choose another", name)
	}
	input := gateway.SigningInput(c.cfg.Domain.String(), origin, nonce, a.Name)
	if err := verifyAttach(a.Key, a.Signature, input); err != nil {
		return jid.JID{}, "", gateway.Errorf(gateway.BadSignature, "%s", err)
	}
	address, err := ghostAddress(name, a.Key, c.cfg.Domain)
	if err != nil {
		return jid.JID{}, "", gateway.Errorf(gateway.BadName, "this name cannot stand in an XMPP address: the address goes on with Latin letters, which right-to-left names do not allow")
	}
	return address, name, nil
}
