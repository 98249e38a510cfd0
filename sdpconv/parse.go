package sdpconv

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pion/sdp/v3"
)

// document is an SDP as sections of numbered lines.  Grammar and m-lines are pion's, which gets the lines that are no attributes; those,
// nine of ten lines, are cut here, because pion copies them and has no line numbers.
type document struct {
	session section
	media   []section
}

type section struct {
	head    line // the m-line; the v-line for the session
	media   string
	port    int
	ranged  bool // several ports
	proto   string
	formats []string
	address string // of the c-line, the section's or the session's
	attrs   []attr
	other   []line // lines that are no attributes and mean something to nobody here
	bands   []band
}

type line struct {
	number int
	text   string
}

// attr is an a-line.
type attr struct {
	line
	colon int // its place, or the length of the line
}

func (a *attr) key() string { return a.text[2:a.colon] }

func (a *attr) value() string {
	if a.colon == len(a.text) {
		return ""
	}
	return a.text[a.colon+1:]
}

type band struct {
	line
	kind, value string
}

// parse reads the text of an SDP.  Errors are *Error.
func parse(text string) (*document, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, &Error{Msg: "empty"}
	case len(text) > MaxSize:
		return nil, &Error{Msg: fmt.Sprintf("longer than %d bytes", MaxSize)}
	case !utf8.ValidString(text):
		return nil, &Error{Msg: "not UTF-8"}
	}
	c := cutter{doc: new(document), attrs: make([]attr, 0, strings.Count(text, "\na="))}
	c.section = &c.doc.session
	sections := strings.Count(text, "\nm=")
	c.doc.media = make([]section, 0, min(sections, MaxLines))
	c.lines = make([]line, 0, 8+2*cap(c.doc.media))
	c.skeleton.Grow(128 + 96*cap(c.doc.media))
	number := 0
	for rest := text; rest != ""; {
		raw, after, _ := strings.Cut(rest, "\n")
		rest = after
		number++
		if err := c.cut(line{number, strings.TrimSuffix(raw, "\r")}); err != nil {
			return nil, err
		}
	}
	c.finish()
	desc, err := c.grammar()
	if err != nil {
		return nil, err
	}
	switch {
	case len(desc.MediaDescriptions) == 0:
		return nil, &Error{Msg: "no m-line"}
	case desc.Origin.Username == "" || desc.Origin.UnicastAddress == "":
		return nil, &Error{Msg: "no o-line"}
	}
	c.doc.resolve(desc)
	return c.doc, nil
}

// cutter cuts lines into sections.
type cutter struct {
	doc      *document
	section  *section
	begin    int // of the section's attributes
	attrs    []attr
	skeleton strings.Builder // the lines for pion
	lines    []line          // the same
}

func (c *cutter) cut(l line) error {
	if l.text == "" {
		return nil
	}
	if len(l.text) < 2 || l.text[1] != '=' || !isText(l.text) {
		return &Error{Line: l.number, Text: l.text, Msg: "no line of an SDP"}
	}
	if len(c.lines) == 0 {
		if l.text[0] != 'v' {
			return &Error{Line: l.number, Text: l.text, Msg: "an SDP begins with v=0"}
		}
		c.section.head = l
	}
	value := l.text[2:]
	switch l.text[0] {
	case 'a':
		colon := strings.IndexByte(l.text, ':')
		if colon < 0 {
			colon = len(l.text)
		}
		c.attrs = append(c.attrs, attr{l, colon})
		return nil
	case 'm':
		if len(c.doc.media) >= MaxLines {
			return &Error{Msg: fmt.Sprintf("more than %d m-lines", MaxLines)}
		}
		c.finish()
		c.doc.media = append(c.doc.media, section{head: l})
		c.section = &c.doc.media[len(c.doc.media)-1]
		port, ok := c.section.name(value)
		if !ok {
			return &Error{Line: l.number, Text: l.text, Msg: "not as RFC 8866 has it" + expected('m')}
		}
		c.keep(l, c.section.skeleton(port))
		return nil
	case 'b':
		kind, value, _ := strings.Cut(value, ":")
		if !knownBandwidth(kind) {
			c.section.other = append(c.section.other, l) // to be ignored (RFC 8866 section 5.8)
			return nil
		}
		c.section.bands = append(c.section.bands, band{l, kind, value})
	case 'v', 'o', 's', 't', 'c':
		// Constants, or an address, which pion gives.
	default:
		c.section.other = append(c.section.other, l)
	}
	c.keep(l, l.text)
	return nil
}

func (c *cutter) keep(l line, text string) {
	c.lines = append(c.lines, l)
	c.skeleton.WriteString(text)
	c.skeleton.WriteString("\r\n")
}

// finish hands the attributes since the last m-line to their section.
func (c *cutter) finish() {
	c.section.attrs = slices.Clip(c.attrs[c.begin:])
	c.begin = len(c.attrs)
}

func knownBandwidth(kind string) bool {
	return kind == "CT" || kind == "AS" || kind == "TIAS" || kind == "RS" || kind == "RR" || strings.HasPrefix(kind, "X-")
}

// name cuts an m-line and returns its port, which pion checks.  A rejected one may lack formats.
func (s *section) name(value string) (string, bool) {
	f := strings.Fields(value)
	if len(f) < 3 || len(f) < 4 && f[1] != "0" {
		return "", false
	}
	s.media, s.proto, s.formats = f[0], f[2], f[3:]
	return f[1], true
}

// skeleton is the m-line for pion, without formats, which it copies, and with a media and protocol that it knows: those of RFC 4566.
// SIP has others, such as image over udptl.
func (s *section) skeleton(port string) string {
	media, proto := s.media, s.proto
	if known := media == "audio" || media == "video" || media == "application"; !known || proto != "UDP/TLS/RTP/SAVPF" && proto != dataProto {
		if !isToken(media) || strings.ContainsFunc(proto, func(r rune) bool { return r != '/' && !isTokenRune(r) }) {
			return s.head.text
		}
		media, proto = "application", "UDP"
	}
	return "m=" + media + " " + port + " " + proto
}

// grammar has pion check the lines and read their structure.
func (c *cutter) grammar() (*sdp.SessionDescription, error) {
	desc := new(sdp.SessionDescription)
	text := c.skeleton.String()
	if desc.UnmarshalString(text) == nil {
		return desc, nil
	}
	// It reads from the top and accepts an SDP that breaks off, so the first prefix that fails ends with the bad line.
	all := strings.SplitAfter(text, "\n")
	bad := sort.Search(len(c.lines), func(n int) bool {
		return new(sdp.SessionDescription).UnmarshalString(strings.Join(all[:n], "")) != nil
	})
	l := c.lines[min(max(bad, 1), len(c.lines))-1]
	return nil, &Error{Line: l.number, Text: l.text, Msg: "not as RFC 8866 has it, or not in its place" + expected(l.text[0])}
}

func expected(kind byte) string {
	form := map[byte]string{
		'v': "v=0", 'o': "o=<user> <id> <version> IN IP4 <address>", 't': "t=<start> <stop>", 'c': "c=IN IP4 <address>", 'b': "b=<type>:<number>",
		'm': "m=<media> <port> <protocol> <format>... after v=, o=, s= and t=",
	}[kind]
	if form == "" {
		return ""
	}
	return " (" + form + ")"
}

// resolve takes ports and addresses from pion.
func (d *document) resolve(desc *sdp.SessionDescription) {
	for i := range d.media {
		s, m := &d.media[i], desc.MediaDescriptions[i]
		s.port, s.ranged = m.MediaName.Port.Value, m.MediaName.Port.Range != nil
		c := m.ConnectionInformation
		if c == nil {
			c = desc.ConnectionInformation
		}
		if c != nil && c.Address != nil {
			s.address, _, _ = strings.Cut(c.Address.Address, "/")
		}
	}
}

func (s *section) attr(key string) (attr, bool) {
	for i := range s.attrs {
		if s.attrs[i].key() == key {
			return s.attrs[i], true
		}
	}
	return attr{}, false
}

// rejected tells a rejected section from one of a max-bundle offer, which has port 0 as well (RFC 9143 section 6).
func (s *section) rejected() bool {
	if s.port != 0 {
		return false
	}
	_, bundleOnly := s.attr("bundle-only")
	return !bundleOnly
}

func (s *section) isRTP() bool {
	return (s.media == "audio" || s.media == "video" || s.media == "text") && strings.Contains(s.proto, "RTP/")
}

// isData tells whether data channels run here: SCTP over DTLS (RFC 8841), by any of its names.
func (s *section) isData() bool {
	return s.media == "application" && strings.HasSuffix(s.proto, "DTLS/SCTP")
}
