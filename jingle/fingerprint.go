package jingle

import (
	"slices"
	"strings"

	"carillon/jingle/element"
)

func (d *decoder) isFingerprint(e element.Node) bool {
	return e.Local() == "fingerprint" && (e.Space() == NSDTLS || e.Space() == nsDTLSDraft && d.takes(DraftDTLS))
}

// strays looks for what stands in the wrong place: fingerprints outside of a transport that has none (drafts of XEP-0320 had them elsewhere),
// Borogove's ice-lite and Jicofo's rtcp-mux.
func (d *decoder) strays(c *Content, e element.Node) {
	if c.ICE == nil {
		return
	}
	if len(c.ICE.Fingerprints) == 0 && d.takes(FingerprintPlace) {
		d.fingerprintsBelow(c.ICE, e, 2)
	}
	if c.RTP != nil && d.takes(LitePlace) && takeOut(&c.RTP.Other, "ice-lite") {
		c.ICE.Lite = true
	}
	if d.takes(TransportMux) && takeOut(&c.ICE.Other, "rtcp-mux") && c.RTP != nil {
		c.RTP.RTCPMux = true
	}
}

// takeOut removes elements from a list and tells whether there were any.
func takeOut(list *[]*element.Element, local string) bool {
	before := len(*list)
	*list = slices.DeleteFunc(*list, func(e *element.Element) bool { return e.Local == local })
	found := len(*list) < before
	if len(*list) == 0 {
		*list = nil
	}
	return found
}

func (d *decoder) fingerprintsBelow(t *Transport, e element.Node, depth int) {
	for c := e.First(); c.Exists(); c = c.Next() {
		switch {
		case d.isFingerprint(c):
			d.fingerprint(t, c)
		case depth > 0 && (c.Local() == "description" || c.Local() == "encryption"):
			d.fingerprintsBelow(t, c, depth-1)
		}
	}
}

// fingerprint reads a <fingerprint/>.  One that is no hash is left out: the transport is then as good as unencrypted.
func (d *decoder) fingerprint(t *Transport, e element.Node) {
	if !d.room("fingerprints", len(t.Fingerprints), maxFingerprints) {
		return
	}
	hash, value := e.Attr("hash"), e.Text()
	if hash == "" && !d.takes(FingerprintHash) {
		d.skip(e)
		return
	}
	f, ok := NewFingerprint(hash, value, Setup(e.Attr("setup")))
	f.Cryptex = isTrue(e.Attr("cryptex"))
	if !ok || !d.takes(FingerprintSpelling) && (f.Hash != hash && hash != "" || f.Value != value) {
		d.skip(e)
		return
	}
	t.Fingerprints = append(t.Fingerprints, f)
}

// NewFingerprint returns the fingerprint in its plain form: the hash's name in lower case, told by the length where it is
// missing, the value in upper case with colons.  A setup that is neither of the three becomes "", as holdconn, which XEP-0320 lists and
// does not define.  It returns false when the value is no hash.
func NewFingerprint(hash, value string, setup Setup) (Fingerprint, bool) {
	f := Fingerprint{Hash: strings.ToLower(strings.TrimSpace(hash)), Value: value, Setup: setup}
	plain := isHash(value)
	if !plain {
		f.Value = colons(value)
	}
	switch setup {
	case SetupActpass, SetupActive, SetupPassive:
	default:
		f.Setup = ""
	}
	if f.Hash == "" {
		f.Hash = hashNames[(len(f.Value)+1)/3]
	}
	return f, isToken(f.Hash) && (plain || isHash(f.Value))
}

// hashNames is the hash functions of RFC 8122 section 5 by the number of bytes.
var hashNames = map[int]string{20: "sha-1", 28: "sha-224", 32: "sha-256", 48: "sha-384", 64: "sha-512"}

// colons writes a fingerprint as RFC 8122 has it: upper-case hexadecimal pairs with colons, without white space.
func colons(s string) string {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if strings.Contains(s, ":") || len(s)%2 != 0 || len(s) > 128 {
		return s
	}
	pairs := make([]string, 0, len(s)/2)
	for i := 0; i < len(s); i += 2 {
		pairs = append(pairs, s[i:i+2])
	}
	return strings.Join(pairs, ":")
}

// isHash tells whether s is upper-case hexadecimal pairs with colons, as many as a hash has.
func isHash(s string) bool {
	if len(s) < 16*3-1 || len(s) > 64*3-1 || len(s)%3 != 2 {
		return false
	}
	for ; len(s) > 2; s = s[3:] {
		if !isDigit(s[0]) || !isDigit(s[1]) || s[2] != ':' {
			return false
		}
	}
	return isDigit(s[0]) && isDigit(s[1])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }
