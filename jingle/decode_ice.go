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
			d.transportChild(t, c, e.Children())
		default:
			d.transportExtension(t, c)
		}
	}
	return t
}

// transportChild reads what XEP-0176 and XEP-0371 define.  So many siblings, itself among them, are at most candidates.
func (d *decoder) transportChild(t *Transport, c element.Node, siblings int) {
	switch {
	case d.is(c, t.namespace(), "candidate"):
		cand, ok := Candidate{}, false
		if len(t.Candidates) < maxCandidates {
			cand, ok = d.candidate(c)
		}
		if ok {
			if t.Candidates == nil {
				t.Candidates = make([]Candidate, 0, min(siblings, maxCandidates))
			}
			t.Candidates = append(t.Candidates, cand)
		} else {
			d.skip(c)
		}
	case d.is(c, t.namespace(), "remote-candidate"):
		d.remoteCandidate(t, c)
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
		if len(t.Options) >= maxOptions {
			d.skip(c)
			return
		}
		t.Options = append(t.Options, c.Local())
	case len(t.Other) >= maxOther:
		d.skip(c)
	default:
		t.Other = append(t.Other, c.Element())
	}
}

func (d *decoder) remoteCandidate(t *Transport, e element.Node) {
	c := RemoteCandidate{
		Component: number(e.Attr("component"), 1, 256, 1), IP: strings.TrimSpace(e.Attr("ip")), Port: number(e.Attr("port"), 0, 65535, -1),
	}
	if c.Port < 0 || !isAddress(c.IP) || len(t.RemoteCandidates) >= maxRemoteCandidates {
		d.skip(e)
		return
	}
	t.RemoteCandidates = append(t.RemoteCandidates, c)
}

// candidate reads a <candidate/>.  It returns false for one that nobody could use: without an address or port, or neither UDP nor TCP.
func (d *decoder) candidate(e element.Node) (Candidate, bool) {
	c := d.candidateAttrs(e)
	if c.Port < 0 || !isAddress(c.IP) {
		return Candidate{}, false
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

// candidateAttrs reads the attributes; what is missing is zero, but the port -1 and the component 1.
func (d *decoder) candidateAttrs(e element.Node) Candidate {
	c := Candidate{Port: -1, Component: 1}
	relPort, underscored := false, ""
	for i := range e.Attrs() {
		switch name, value := e.AttrAt(i); name {
		case "id":
			c.ID = value
		case "foundation":
			c.Foundation = value
		case "network":
			c.Network = value
		case "ip":
			c.IP = strings.TrimSpace(value)
		case "protocol":
			c.Protocol = value
		case "type":
			c.Type = value
		case "tcptype":
			c.TCPType = value
		case "port":
			c.Port = number(value, 0, 65535, -1)
		case "component":
			c.Component = number(value, 1, 256, 1)
		case "generation":
			c.Generation = number(value, 0, 1<<30, 0)
		case "priority":
			if n, err := strconv.ParseUint(value, 10, 32); err == nil {
				c.Priority = uint32(n)
			}
		case "rel-addr":
			c.RelAddr = strings.TrimSpace(value)
		case "rel-port":
			relPort, c.RelPort = true, number(value, 0, 65535, 0)
		case "rel_port":
			underscored = value
		}
	}
	if !relPort && d.takes(RelPortUnderscore) {
		c.RelPort = number(underscored, 0, 65535, 0)
	}
	return c
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
func (c *Candidate) priority() uint32 {
	preference := map[string]uint32{"host": 126, "prflx": 110, "srflx": 100}[c.Type]
	return preference<<24 + 65535<<8 + uint32(256-c.Component)
}

// derivedID identifies the candidate by what it is, so that equal candidates have equal ids and no randomness is needed.
func (c *Candidate) derivedID() string {
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
func (c *Candidate) tcpType() string {
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
	for i := range len(s) {
		if !inAddress[s[i]] {
			return false
		}
	}
	return s != "" && len(s) <= 255
}

// inAddress is the bytes of names, of IPv4 and IPv6, and of zones.
var inAddress = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(".:-_%", byte(c)) >= 0
	}
	return t
}()

// isToken tells whether s is one word of visible characters, as a field of an SDP line must be.
func isToken(s string) bool {
	for _, r := range s {
		if r <= ' ' || r == 0x7f {
			return false
		}
	}
	return s != ""
}
