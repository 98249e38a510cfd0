package component

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mellium.im/xmpp/jid"
)

const keyBytes = 32

// loadKey reads the one key of this service, DIR/key, and makes it on the first start.  It authenticates what
// browsers keep for us, resume tokens and contact tickets, so that nothing about them is kept here.
func loadKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "key")
	key, err := os.ReadFile(path)
	if err == nil {
		if len(key) != keyBytes {
			return nil, fmt.Errorf("%s: not a key of %d bytes; remove it to have a new one made (browsers then lose their contacts' tickets)", path, keyBytes)
		}
		return key, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key = make([]byte, keyBytes)
	rand.Read(key)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(key); err != nil {
		f.Close()
		return nil, err
	}
	return key, errors.Join(f.Sync(), f.Close())
}

// mac authenticates the parts, which cannot run into each other: none but the last holds a NUL.
func mac(key []byte, purpose string, parts ...string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	for _, p := range parts {
		h.Write([]byte{0})
		h.Write([]byte(p))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

func equalMAC(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// contactTicket proves to this service, later, that contact and the ghost agreed to see each other's presence.
func contactTicket(key []byte, ghost, contact jid.JID) string {
	return ticketFor(key, ghost, contact.Bare().String())
}

// ticketFor is contactTicket for the bare address of the contact as text.
func ticketFor(key []byte, ghost jid.JID, contact string) string {
	return mac(key, "contact", ghost.Bare().String(), contact)
}

// resumeToken gives a tab the right to its resource: RESOURCE.MAC.
func resumeToken(key []byte, tab jid.JID) string {
	return tab.Resourcepart() + "." + mac(key, "resume", tab.String())
}

// resumedResource is the resource that the token is good for, or "".
func resumedResource(key []byte, ghost jid.JID, token string) string {
	resource, sum, ok := strings.Cut(token, ".")
	if !ok {
		return ""
	}
	tab, err := ghost.WithResource(resource)
	if err != nil || !equalMAC(sum, mac(key, "resume", tab.String())) {
		return ""
	}
	return resource
}

// randomID is 80 random bits in 16 characters.
func randomID() string {
	return strings.ToLower(rand.Text()[:16])
}
