package jingle

import (
	"encoding/hex"
	"hash/fnv"
	"strconv"
	"strings"

	"carillon/jingle/element"
)

func (d *decoder) transport(e *element.Element) *Transport {
	t := &Transport{Ufrag: strings.TrimSpace(e.Attr("ufrag")), Pwd: strings.TrimSpace(e.Attr("pwd"))}
	for _, c := range e.Children {
		d.transportChild(t, c)
	}
	return t
}

func (d *decoder) transportChild(t *Transport, c *element.Element) {
	switch {
	case d.is(c, NSICE, "candidate"):
		if !d.room("candidates", len(t.Candidates), maxCandidates) {
			return
		}
		if cand, ok := d.candidate(c); ok {
			t.Candidates = append(t.Candidates, cand)
		}
	case d.isFingerprint(c):
		d.fingerprint(t, c)
	case c.Space == NSOMEMODTLS && c.Local == "fingerprint":
		t.Protected = true
	case d.is(c, NSICE, "gathering-complete"):
		t.GatheringComplete = true
	case c.Local == "ice-lite" && c.Space == NSICEOption:
		t.Lite = true
	case c.Space == NSICEOption:
		if d.room("ICE options", len(t.Options), maxOptions) {
			t.Options = append(t.Options, c.Local)
		}
	}
}

// candidate reads a <candidate/>.  It returns false for one that nobody could use: without an address or port, or neither UDP nor TCP.
func (d *decoder) candidate(e *element.Element) (Candidate, bool) {
	c := Candidate{
		ID: e.Attr("id"), Foundation: e.Attr("foundation"), Network: e.Attr("network"), IP: strings.TrimSpace(e.Attr("ip")),
		Protocol: e.Attr("protocol"), Type: e.Attr("type"), RelAddr: strings.TrimSpace(e.Attr("rel-addr")), TCPType: e.Attr("tcptype"),
		Port: number(e.Attr("port"), 0, 65535, -1), Component: number(e.Attr("component"), 1, 256, 1),
		Generation: number(e.Attr("generation"), 0, 1<<30, 0),
		RelPort:    number(d.relPort(e), 0, 65535, 0),
	}
	if c.Port < 0 || !isAddress(c.IP) {
		return Candidate{}, false
	}
	if n, err := strconv.ParseUint(e.Attr("priority"), 10, 32); err == nil {
		c.Priority = uint32(n)
	}
	if d.takes(ProtocolCase) {
		c.Protocol = strings.ToLower(c.Protocol)
	}
	if c.Protocol == "ssltcp" && d.takes(SSLTCP) {
		c.Protocol = "tcp"
	}
	if d.takes(CandidateDefaults) {
		c = c.complete()
	}
	if d.takes(TCPType) {
		c.TCPType = c.tcpType()
	}
	return c, c.Protocol == "udp" || c.Protocol == "tcp"
}

func (d *decoder) relPort(e *element.Element) string {
	if v, ok := e.LookupAttr("rel-port"); ok || !d.takes(RelPortUnderscore) {
		return v
	}
	return e.Attr("rel_port")
}

// complete fills in what XEP-0176 section 5.4 requires and clients leave out.
func (c Candidate) complete() Candidate {
	if c.Foundation == "" {
		c.Foundation = "1"
	}
	if c.Network == "" {
		c.Network = "0"
	}
	if c.Protocol == "" {
		c.Protocol = "udp"
	}
	if c.Type == "" {
		c.Type = "host"
	}
	if c.Component == 0 {
		c.Component = 1
	}
	if c.Priority == 0 {
		c.Priority = c.priority()
	}
	if c.ID == "" {
		c.ID = c.derivedID()
	}
	return c
}

// priority is RFC 8445 section 5.1.2 with the recommended type preferences and the highest local preference.
func (c Candidate) priority() uint32 {
	preference := map[string]uint32{"host": 126, "prflx": 110, "srflx": 100}[c.Type]
	return preference<<24 + 65535<<8 + uint32(256-c.Component)
}

// derivedID identifies the candidate by what it is, so that equal candidates have equal ids and no randomness is needed.
func (c Candidate) derivedID() string {
	h := fnv.New64a()
	for _, s := range []string{
		c.Foundation, strconv.Itoa(c.Component), c.Protocol, c.IP, strconv.Itoa(c.Port), c.Type, c.RelAddr,
		strconv.Itoa(c.RelPort), strconv.Itoa(c.Generation),
	} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return "c" + strconv.FormatUint(h.Sum64(), 36)
}

// tcpType infers the missing type of a TCP candidate (RFC 6544): an active one has the discard port.
func (c Candidate) tcpType() string {
	switch {
	case c.Protocol != "tcp":
		return ""
	case c.TCPType == "active" || c.TCPType == "passive" || c.TCPType == "so":
		return c.TCPType
	case c.Port == 9 || c.Port == 0:
		return "active"
	}
	return "passive"
}

func (d *decoder) isFingerprint(e *element.Element) bool {
	return e.Local == "fingerprint" && (e.Space == NSDTLS || e.Space == nsDTLSDraft && d.takes(DraftDTLS))
}

// strayFingerprints looks for fingerprints outside the transport when it has none (drafts of XEP-0320 had them elsewhere).
func (d *decoder) strayFingerprints(c *Content, e *element.Element) {
	if c.ICE == nil || len(c.ICE.Fingerprints) > 0 || !d.takes(FingerprintPlace) {
		return
	}
	d.fingerprintsBelow(c.ICE, e, 2)
}

func (d *decoder) fingerprintsBelow(t *Transport, e *element.Element, depth int) {
	for _, c := range e.Children {
		switch {
		case d.isFingerprint(c):
			d.fingerprint(t, c)
		case depth > 0 && (c.Local == "description" || c.Local == "encryption"):
			d.fingerprintsBelow(t, c, depth-1)
		}
	}
}

// fingerprint reads a <fingerprint/>.  One that is no hash is left out: the transport is then as good as unencrypted.
func (d *decoder) fingerprint(t *Transport, e *element.Element) {
	if !d.room("fingerprints", len(t.Fingerprints), maxFingerprints) {
		return
	}
	hash, value := e.Attr("hash"), e.Text
	if hash == "" && !d.takes(FingerprintHash) {
		return
	}
	f, ok := NewFingerprint(hash, value, Setup(e.Attr("setup")))
	if !ok || !d.takes(FingerprintSpelling) && (f.Hash != hash && hash != "" || f.Value != value) {
		return
	}
	t.Fingerprints = append(t.Fingerprints, f)
}

// NewFingerprint returns the fingerprint in its plain form: the hash's name in lower case, told by the length where it is
// missing, the value in upper case with colons.  A setup that is neither of the three becomes "", as holdconn, which XEP-0320 lists and
// does not define.  It returns false when the value is no hash.
func NewFingerprint(hash, value string, setup Setup) (Fingerprint, bool) {
	f := Fingerprint{Hash: strings.ToLower(strings.TrimSpace(hash)), Value: colons(value), Setup: setup}
	switch setup {
	case SetupActpass, SetupActive, SetupPassive:
	default:
		f.Setup = ""
	}
	if f.Hash == "" {
		f.Hash = hashNames[(len(f.Value)+1)/3]
	}
	return f, isToken(f.Hash) && isHash(f.Value)
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

func isHash(s string) bool {
	if len(s) < 16*3-1 || len(s) > 64*3-1 || strings.ToUpper(s) != s {
		return false
	}
	for pair := range strings.SplitSeq(s, ":") {
		if len(pair) != 2 {
			return false
		}
		if _, err := hex.DecodeString(pair); err != nil {
			return false
		}
	}
	return true
}

// isAddress tells whether s can be the address of a candidate: an IP literal or a host name.  Whether it is one is not looked into.
func isAddress(s string) bool {
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune(".:-_%", r) {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

// isToken tells whether s is one word of visible characters, as a field of an SDP line must be.
func isToken(s string) bool {
	for _, r := range s {
		if r <= ' ' || r == 0x7f {
			return false
		}
	}
	return s != ""
}
