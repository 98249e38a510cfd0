package jingle

import (
	"hash/fnv"
	"strconv"
	"strings"

	"carillon/jingle/element"
)

// isICE tells whether e is an ICE transport: of XEP-0176, or of XEP-0371, which differ in little more than the name.
func (d *decoder) isICE(e element.Node) bool {
	return e.Local() == "transport" && (e.Space() == NSICE || e.Space() == NSICETCP || e.Space() == "" && d.takes(EmptyNamespace))
}

// namespace is that of the transport and of its children.
func (t *Transport) namespace() string {
	if t.TCP {
		return NSICETCP
	}
	return NSICE
}

func (d *decoder) transport(e element.Node) *Transport {
	t := &Transport{
		TCP: e.Space() == NSICETCP, ICE2: isTrue(e.Attr("ice2")),
		Ufrag: strings.TrimSpace(e.Attr("ufrag")), Pwd: strings.TrimSpace(e.Attr("pwd")),
	}
	for c := e.First(); c.Exists(); c = c.Next() {
		switch c.Space() {
		case t.namespace(), "":
			d.transportChild(t, c)
		default:
			d.transportExtension(t, c)
		}
	}
	return t
}

// transportChild reads what XEP-0176 and XEP-0371 define.
func (d *decoder) transportChild(t *Transport, c element.Node) {
	switch {
	case d.is(c, t.namespace(), "candidate"):
		if !d.room("candidates", len(t.Candidates), maxCandidates) {
			return
		}
		if cand, ok := d.candidate(c); ok {
			t.Candidates = append(t.Candidates, cand)
		} else {
			d.skip(c)
		}
	case d.is(c, t.namespace(), "remote-candidate"):
		if d.room("remote candidates", len(t.RemoteCandidates), maxRemoteCandidates) {
			d.remoteCandidate(t, c)
		}
	case d.is(c, t.namespace(), "gathering-complete"):
		t.GatheringComplete = true
	default:
		d.transportExtension(t, c)
	}
}

// transportExtension reads what others define.
func (d *decoder) transportExtension(t *Transport, c element.Node) {
	switch {
	case d.isFingerprint(c):
		d.fingerprint(t, c)
	case c.Space() == NSOMEMODTLS && c.Local() == "fingerprint":
		t.Protected = true
	case d.is(c, NSSCTP, "sctpmap"):
		d.sctpmap(t, c)
	case d.is(c, NSChannel, "channel"):
		d.channel(t, c)
	case c.Local() == "ice-lite" && c.Space() == NSICEOption:
		t.Lite = true
	case c.Space() == NSICEOption:
		if d.room("ICE options", len(t.Options), maxOptions) {
			t.Options = append(t.Options, c.Local())
		}
	case d.room("unknown elements in a transport", len(t.Other), maxOther):
		t.Other = append(t.Other, c.Element())
	}
}

func (d *decoder) remoteCandidate(t *Transport, e element.Node) {
	c := RemoteCandidate{
		Component: number(e.Attr("component"), 1, 256, 1), IP: strings.TrimSpace(e.Attr("ip")), Port: number(e.Attr("port"), 0, 65535, -1),
	}
	if c.Port < 0 || !isAddress(c.IP) {
		d.skip(e)
		return
	}
	t.RemoteCandidates = append(t.RemoteCandidates, c)
}

// candidate reads a <candidate/>.  It returns false for one that nobody could use: without an address or port, or neither UDP nor TCP.
func (d *decoder) candidate(e element.Node) (Candidate, bool) {
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

func (d *decoder) relPort(e element.Node) string {
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
