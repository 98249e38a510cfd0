package sdpconv

import (
	"strconv"
	"strings"

	"carillon/jingle"
)

// maxCandidate bounds a candidate line; real ones stay below 250 bytes.
const maxCandidate = 1024

// candidateWords is what those of browsers stay below; more are room on the heap.
const candidateWords = 32

// ParseCandidate reads a candidate attribute (RFC 8839 section 5.1), with or without "a=" and "candidate:" before it, and
// returns the candidate and the ufrag that browsers append.  Extensions it has no field for are dropped: UnknownExtensions tells which.
// The error is an *Error.
func ParseCandidate(line string) (jingle.Candidate, string, error) {
	text := strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), "a="), "candidate:")
	bad := func(msg string) (jingle.Candidate, string, error) {
		return jingle.Candidate{}, "", &Error{Text: line, Msg: msg}
	}
	if len(line) > maxCandidate {
		return bad("candidate is too long")
	}
	var room [candidateWords]string
	f := appendFields(room[:0], text)
	if len(f) < 8 || f[6] != "typ" || !isText(text) {
		return bad("no candidate")
	}
	component, ok1 := number(f[1], 16)
	priority, ok2 := number(f[3], 32)
	port, ok3 := number(f[5], 16)
	if !ok1 || !ok2 || !ok3 || component == 0 || component > 256 {
		return bad("candidate with a number out of range")
	}
	c := jingle.Candidate{
		Foundation: f[0], Component: component, Protocol: strings.ToLower(f[2]), Priority: uint32(priority),
		IP: f[4], Port: port, Type: f[7], Network: "0",
	}
	if c.Protocol != "udp" && c.Protocol != "tcp" {
		return bad("candidate that is neither udp nor tcp")
	}
	if !isCandidateType(c.Type) {
		return bad("candidate of unknown type")
	}
	ufrag := extensions(&c, f[8:])
	if c.Protocol == "tcp" && c.TCPType == "" { // RFC 6544 section 4.5; from before it
		c.TCPType = "passive"
		if c.Port == 9 || c.Port == 0 {
			c.TCPType = "active"
		}
	}
	return c, ufrag, nil
}

func isCandidateType(s string) bool {
	return s == "host" || s == "srflx" || s == "prflx" || s == "relay"
}

// extensions reads the name and value pairs behind the type, in any order, and returns the ufrag.
func extensions(c *jingle.Candidate, f []string) (ufrag string) {
	for ; len(f) >= 2; f = f[2:] {
		if !extension(c, f[0], f[1]) && f[0] == "ufrag" {
			ufrag = f[1]
		}
	}
	return ufrag
}

// extension takes over what a candidate of Jingle has a field for.
func extension(c *jingle.Candidate, name, value string) bool {
	read := func(field *int) bool {
		n, ok := number(value, 16)
		if ok {
			*field = n
		}
		return ok
	}
	switch name {
	case "raddr":
		c.RelAddr = value
		return true
	case "rport":
		return read(&c.RelPort)
	case "generation":
		return read(&c.Generation)
	case "tcptype":
		c.TCPType = value
		return c.Protocol == "tcp"
	}
	return false
}

// UnknownExtensions returns the names of the extensions of a candidate that Jingle has no attribute for, such as the network-id and
// network-cost by which Chromium prefers one of its networks, and of those whose value is none.
func UnknownExtensions(line string) (names []string) {
	var room [candidateWords]string
	f := appendFields(room[:0], line)
	if len(f) < 8 {
		return nil
	}
	c := jingle.Candidate{Protocol: strings.ToLower(f[2])}
	for f = f[8:]; len(f) > 0; f = f[min(len(f), 2):] {
		if len(f) == 1 || !extension(&c, f[0], f[1]) && f[0] != "ufrag" {
			names = append(names, f[0])
		}
	}
	return names
}

// FormatCandidate returns "candidate:..." for addIceCandidate.  A ufrag keeps candidates of different ICE generations apart;
// "" leaves it out.
func FormatCandidate(c jingle.Candidate, ufrag string) string {
	return string(appendCandidate(make([]byte, 0, 160), c, ufrag))
}

func appendCandidate(b []byte, c jingle.Candidate, ufrag string) []byte {
	b = append(b, "candidate:"...)
	b = append(b, word(c.Foundation, "1")...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(max(c.Component, 1)), 10)
	b = append(b, ' ')
	b = append(b, word(c.Protocol, "udp")...)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(c.Priority), 10)
	b = append(b, ' ')
	b = append(b, word(c.IP, "0.0.0.0")...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(c.Port), 10)
	b = append(b, " typ "...)
	kind := c.Type
	if !isCandidateType(kind) {
		kind = "host"
	}
	b = append(b, kind...)
	if kind != "host" || c.RelAddr != "" {
		// RFC 8839 asks for the pair on all but host candidates; peers leave it out.
		b = append(b, " raddr "...)
		b = append(b, word(c.RelAddr, "0.0.0.0")...)
		b = append(b, " rport "...)
		b = strconv.AppendInt(b, int64(c.RelPort), 10)
	}
	if c.Protocol == "tcp" && isWord(c.TCPType) {
		b = append(b, " tcptype "...)
		b = append(b, c.TCPType...)
	}
	b = append(b, " generation "...)
	b = strconv.AppendInt(b, int64(c.Generation), 10)
	if isWord(ufrag) {
		b = append(b, " ufrag "...)
		b = append(b, ufrag...)
	}
	return b
}

func word(s, fallback string) string {
	if isWord(s) {
		return s
	}
	return fallback
}

// Sendable tells whether the candidate may go to any XMPP client: UDP to a literal address, of component 1.  TCP, mDNS names and
// RTCP's component are refused or misread by one client or another, and gain nothing with rtcp-mux.
func Sendable(c jingle.Candidate) bool {
	return c.Protocol == "udp" && c.Component == 1 && c.Port > 0 && isIP(c.IP)
}
