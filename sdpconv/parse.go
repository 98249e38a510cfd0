package sdpconv

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pion/sdp/v3"
)

// document is an SDP as sections of numbered lines.  Attributes, nine of ten lines, are cut here, because pion copies them and has no line
// numbers.  Grammar and m-lines of the rest are pion's, but for what is as browsers write it (see plain).
type document struct {
	session section
	media   []section
	count   counts
}

// counts is about how much there is in all sections of what an SDP has most of, to make room for it once.
type counts struct{ sections, parameters, feedback, extensions, sources, streams int }

type section struct {
	sdp        string // the whole
	head       line   // the m-line; the v-line for the session
	media      string
	said       string // the port as it is written
	port       int
	ranged     bool // several ports
	proto      string
	formats    []string
	address    string // of the c-line, the section's or the session's
	attrs      []place
	mid        int    // the place of a=mid in attrs, from 1
	bundleOnly bool   // has a=bundle-only
	other      []line // lines that are no attributes and mean something to nobody here
	bands      []band
}

type line struct {
	number int
	text   string
}

// place is an a-line of the SDP: a fraction of an attr, and nothing that the garbage collector has to follow.
type place struct {
	begin, end, number uint32
	colon              uint16
	known              known
}

// attr is an a-line.
type attr struct {
	line
	known known
	colon int // its place, or the length of the line
}

func (a *attr) key() string { return a.text[2:a.colon] }

func (a *attr) value() string {
	if a.colon == len(a.text) {
		return ""
	}
	return a.text[a.colon+1:]
}

// at returns the attribute of that index.
func (s *section) at(i int) attr {
	p := &s.attrs[i]
	return attr{line{int(p.number), s.sdp[p.begin:p.end]}, p.known, int(p.colon)}
}

type band struct {
	line
	kind, value string
}

// parse reads the text of an SDP.  Errors are *Error.
func parse(text string) (*document, error) { return parseWith(text, true) }

// parseWith does so, with pion alone unless plain lines may be read here.
func parseWith(text string, plain bool) (*document, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, &Error{Msg: "empty"}
	case len(text) > MaxSize:
		return nil, &Error{Msg: fmt.Sprintf("longer than %d bytes", MaxSize)}
	case !utf8.ValidString(text):
		return nil, &Error{Msg: "not UTF-8"}
	}
	c := cutter{doc: &document{session: section{sdp: text}}, attrs: make([]place, 0, strings.Count(text, "\n")), plain: plain}
	c.section = &c.doc.session
	for number, begin := 1, 0; begin < len(text); number++ {
		end, next, ok := lineEnd(text, begin)
		l := line{number, text[begin:end]}
		if !ok || len(l.text) == 1 || len(l.text) > 1 && l.text[1] != '=' {
			return nil, &Error{Line: number, Text: l.text, Msg: "no line of an SDP (<letter>=<value>)"}
		}
		if err := c.cut(l, begin); err != nil {
			return nil, err
		}
		if plain && !c.plain {
			return parseWith(text, false)
		}
		begin = next
	}
	c.finish()
	if plain {
		if len(c.doc.media) == 0 {
			return parseWith(text, false)
		}
		return c.doc, nil
	}
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
	doc     *document
	section *section
	first   int // of the section's attributes
	attrs   []place
	plain   bool   // all lines were plain
	last    byte   // kind of the last plain line
	lines   []line // those that are no attributes, for pion; none while all are plain
}

// lineEnd returns where the line ends that begins at begin, where the next one begins, and whether it is text.
func lineEnd(text string, begin int) (end, next int, ok bool) {
	end = plainEnd(text, begin)
	switch rest := text[end:]; {
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		return end, end + 2, true
	case rest == "":
		return end, end, true
	case rest[0] == '\n':
		return end, end + 1, true
	}
	next = len(text)
	if n := strings.IndexByte(text[end:], '\n'); n >= 0 {
		next = end + n + 1
	}
	end = len(strings.TrimSuffix(strings.TrimSuffix(text[:next], "\n"), "\r"))
	return end, next, isText(text[begin:end])
}

// cut takes a line, which begins at an offset of the SDP.
func (c *cutter) cut(l line, begin int) error {
	if l.text == "" {
		return nil
	}
	if c.doc.session.head.number == 0 {
		if l.text[0] != 'v' {
			return &Error{Line: l.number, Text: l.text, Msg: "an SDP begins with v=0"}
		}
		c.doc.session.head = l
	}
	switch l.text[0] {
	case 'a':
		c.cutAttribute(l, begin)
		return nil
	case 'm':
		return c.cutHead(l, begin)
	case 'b':
		kind, value, _ := strings.Cut(l.text[2:], ":")
		if !knownBandwidth(kind) {
			c.section.other = append(c.section.other, l) // to be ignored (RFC 8866 section 5.8)
			return nil
		}
		c.section.bands = append(c.section.bands, band{l, kind, value})
	case 'v', 'o', 'c':
		// Made anew, or an address.
	case 's', 't':
		if v := strings.TrimSpace(l.text[2:]); v != "" && v != "-" && v != "0 0" { // what RFC 9429 section 5.2.1 has
			c.section.other = append(c.section.other, l)
		}
	default:
		c.section.other = append(c.section.other, l)
	}
	c.keep(l)
	return nil
}

func (c *cutter) cutAttribute(l line, begin int) {
	colon := byteIn(l.text, ':')
	known := lookUp(l.text[2:colon])
	c.attrs = append(c.attrs, place{
		begin: uint32(begin), end: uint32(begin + len(l.text)), number: uint32(l.number),
		colon: uint16(min(colon, math.MaxUint16)), known: known, // a longer key is not
	})
	switch known {
	case aMid:
		if c.section.mid == 0 {
			c.section.mid = len(c.attrs) - c.first
		}
	case aBundleOnly:
		c.section.bundleOnly = true
	case aFmtp:
		c.doc.count.parameters += 1 + strings.Count(l.text, ";")
	case aSSRC:
		c.doc.count.parameters++
		c.doc.count.sources++
	case aMsid:
		c.doc.count.parameters += 2 // in sources that do not say it
		c.doc.count.streams++
	case aFeedback:
		c.doc.count.feedback++
	case aExtmap:
		c.doc.count.extensions++
	case aGroup:
		c.doc.count.sections = max(c.doc.count.sections, strings.Count(l.text, " "))
	}
}

func (c *cutter) cutHead(l line, begin int) error {
	if len(c.doc.media) >= MaxLines {
		return &Error{Msg: fmt.Sprintf("more than %d m-lines", MaxLines)}
	}
	c.finish()
	if c.doc.media == nil {
		c.doc.media = make([]section, 0, min(max(c.doc.count.sections, 1), MaxLines)) // with BUNDLE it is known
	}
	c.doc.media = append(c.doc.media, section{sdp: c.doc.session.sdp, head: l})
	c.section = &c.doc.media[len(c.doc.media)-1]
	if !c.section.name(l.text[2:]) {
		return &Error{Line: l.number, Text: l.text, Msg: "not as RFC 8866 has it" + expected('m')}
	}
	c.keep(l)
	return nil
}

// keep reads a line that is no attribute if it is plain, and else leaves it to pion.
func (c *cutter) keep(l line) {
	if c.plain {
		c.plain = c.readPlain(l.text)
		return
	}
	c.lines = append(c.lines, l)
}

// finish hands the attributes since the last m-line to their section.
func (c *cutter) finish() {
	c.section.attrs = slices.Clip(c.attrs[c.first:])
	c.first = len(c.attrs)
}

func knownBandwidth(kind string) bool {
	return kind == "CT" || kind == "AS" || kind == "TIAS" || kind == "RS" || kind == "RR" || strings.HasPrefix(kind, "X-")
}

// name cuts an m-line, whose port is checked later.  A rejected one may lack formats.
func (s *section) name(value string) bool {
	f := appendFields(make([]string, 0, min(strings.Count(value, " ")+1, 64)), value)
	if len(f) < 3 || len(f) < 4 && f[1] != "0" {
		return false
	}
	s.media, s.said, s.proto, s.formats = f[0], f[1], f[2], f[3:]
	return true
}

// skeleton is the m-line for pion, without formats, which it copies, and with a media and protocol that it knows: those of RFC 4566.
// SIP has others, such as image over udptl.
func (s *section) skeleton() string {
	media, proto := s.media, s.proto
	if known := media == "audio" || media == "video" || media == "application"; !known || proto != "UDP/TLS/RTP/SAVPF" && proto != dataProto {
		if !isToken(media) || strings.ContainsFunc(proto, func(r rune) bool { return r != '/' && !isTokenRune(r) }) {
			return s.head.text
		}
		media, proto = "application", "UDP"
	}
	return "m=" + media + " " + s.said + " " + proto
}

// grammar has pion check the lines and read their structure.
func (c *cutter) grammar() (*sdp.SessionDescription, error) {
	var skeleton strings.Builder
	for m, i := 0, 0; i < len(c.lines); i++ {
		text := c.lines[i].text
		if text[0] == 'm' {
			text = c.doc.media[m].skeleton()
			m++
		}
		skeleton.WriteString(text)
		skeleton.WriteString("\r\n")
	}
	desc := new(sdp.SessionDescription)
	text := skeleton.String()
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
	if c := desc.ConnectionInformation; c != nil && c.Address != nil {
		d.session.address, _, _ = strings.Cut(c.Address.Address, "/")
	}
	for i := range d.media {
		s, m := &d.media[i], desc.MediaDescriptions[i]
		s.port, s.ranged, s.address = m.MediaName.Port.Value, m.MediaName.Port.Range != nil, d.session.address
		if c := m.ConnectionInformation; c != nil {
			s.address = ""
			if c.Address != nil {
				s.address, _, _ = strings.Cut(c.Address.Address, "/")
			}
		}
	}
}

func (s *section) attr(key string) (attr, bool) {
	for i := range s.attrs {
		if a := s.at(i); a.key() == key {
			return a, true
		}
	}
	return attr{}, false
}

// count returns how many attributes of one name there are.
func (s *section) count(known known) int {
	n := 0
	for i := range s.attrs {
		if s.attrs[i].known == known {
			n++
		}
	}
	return n
}

// rejected tells a rejected section from one of a max-bundle offer, which has port 0 as well (RFC 9143 section 6).
func (s *section) rejected() bool { return s.port == 0 && !s.bundleOnly }

func (s *section) isRTP() bool {
	return (s.media == "audio" || s.media == "video" || s.media == "text") && strings.Contains(s.proto, "RTP/")
}

// isData tells whether data channels run here: SCTP over DTLS (RFC 8841), by any of its names.
func (s *section) isData() bool {
	return s.media == "application" && strings.HasSuffix(s.proto, "DTLS/SCTP")
}
