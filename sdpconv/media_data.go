package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

const (
	dataProtocol = "webrtc-datachannel"
	sctpPort     = 5000 // RFC 8832 section 5.1, where a section does not say it
	maxChannels  = 64
)

// beginData reads the m-line: the protocol today, and formerly the SCTP port, which a=sctpmap explains.
func (r *reader) beginData() error {
	r.ice.SCTP = &jingle.SCTP{Port: sctpPort, Protocol: dataProtocol}
	if len(r.section.formats) == 0 {
		return r.fail("m-line without webrtc-datachannel")
	}
	format := r.section.formats[0]
	if port, err := strconv.ParseUint(format, 10, 16); err == nil && port > 0 {
		r.ice.SCTP.Port = int(port)
		return nil
	}
	if !isToken(format) {
		return r.fail("m-line without webrtc-datachannel")
	}
	r.ice.SCTP.Protocol = format
	return nil
}

func (r *reader) sctpPort(a attr) error {
	port, err := strconv.ParseUint(strings.TrimSpace(a.value()), 10, 16)
	if err != nil || port == 0 {
		return r.bad(a, "no SCTP port")
	}
	r.ice.SCTP.Port = int(port)
	return nil
}

// maxMessageSize reads a number of bytes.  0 means any size (RFC 8841 section 6), for which Jingle has no value.
func (r *reader) maxMessageSize(a attr) error {
	n, err := strconv.ParseUint(strings.TrimSpace(a.value()), 10, 48)
	if err != nil {
		return r.bad(a, "no size of messages")
	}
	if n == 0 {
		r.lose(a.line, "no Jingle for messages of any size")
	}
	r.ice.SCTP.MaxMessageSize = int(n)
	return nil
}

// sctpmap reads "5000 webrtc-datachannel 1024" of the drafts before RFC 8841.
func (r *reader) sctpmap(a attr) error {
	f := strings.Fields(a.value())
	if len(f) < 2 {
		return r.bad(a, "no sctpmap")
	}
	port, err := strconv.ParseUint(f[0], 10, 16)
	if err != nil || port == 0 || !isToken(f[1]) {
		return r.bad(a, "no sctpmap")
	}
	r.ice.SCTP.Port, r.ice.SCTP.Protocol = int(port), f[1]
	if len(f) > 2 {
		if n, err := strconv.ParseUint(f[2], 10, 16); err == nil {
			r.ice.SCTP.Streams = int(n)
		}
	}
	return nil
}

// dcmap reads a channel that needs no opening (RFC 8864 section 5.1).
func (r *reader) dcmap(a attr) error {
	id, rest, _ := strings.Cut(strings.TrimSpace(a.value()), " ")
	n, err := strconv.ParseUint(id, 10, 16)
	channels := &r.ice.SCTP.Channels
	switch {
	case err != nil || n == 65535:
		return r.bad(a, "no stream of a data channel")
	case len(*channels) >= maxChannels || slices.ContainsFunc(*channels, func(c jingle.DataChannel) bool { return c.ID == int(n) }):
		r.lose(a.line, "too many data channels, or one said twice")
		return nil
	}
	c := jingle.DataChannel{ID: int(n), MaxPacketLifeTime: -1, MaxRetransmits: -1}
	for item := range splitQuoted(rest) {
		name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		if !setChannel(&c, name, value) {
			r.lose(a.line, "no Jingle for "+strconv.Quote(name)+" of a data channel")
		}
	}
	*channels = append(*channels, c)
	return nil
}

func setChannel(c *jingle.DataChannel, name, value string) bool {
	text, quoted := unquote(value)
	n, err := strconv.ParseUint(value, 10, 16)
	switch {
	case name == "":
	case name == "label" && quoted && isText(text):
		c.Label = text
	case name == "subprotocol" && quoted && isText(text):
		c.Protocol = text
	case name == "ordered" && (value == "true" || value == "false"):
		c.Unordered = value == "false"
	case name == "max-retr" && err == nil:
		c.MaxRetransmits = int(n)
	case name == "max-time" && err == nil:
		c.MaxPacketLifeTime = int(n)
	default:
		return false
	}
	return true
}

// splitQuoted cuts at the semicolons that are not between quotation marks.
func splitQuoted(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, begin := false, 0
		for i := range len(s) {
			switch {
			case s[i] == '"':
				quoted = !quoted
			case s[i] == ';' && !quoted:
				if !yield(s[begin:i]) {
					return
				}
				begin = i + 1
			}
		}
		yield(s[begin:])
	}
}

// unquote reads a quoted string whose bytes may be written as %XX.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", false
	}
	s = s[1 : len(s)-1]
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), true
}

// appendQuoted is the inverse of unquote.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '%' {
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}
