package sdpconv

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/pion/sdp/v3"
)

// document is an SDP as sections of numbered lines.  Attributes, nine of ten lines, are cut here, because pion copies them and has no line
// numbers.  Grammar and m-lines of the rest are pion's, but for what is as browsers write it (see plain).
type document struct {
	sdp     string
	session *section
	media   []section
	count   counts
	places  int           // how many there are
	room    [places]place // the first of them: those of a call with audio alone
	more    []place       // and the others
	cutter
}

// cutter is what has to be known while lines are cut into sections.
type cutter struct {
	section *section
	plain   bool   // all lines were plain
	last    byte   // kind of the last plain line
	lines   []line // those that are no attributes, for pion; none while all are plain
}

const places = 64

// counts is about how much there is in all sections of what an SDP has most of, to make room for it once.
type counts struct{ sections, parameters, feedback, extensions, sources, streams int }

type section struct {
	head       line // the m-line; the v-line for the session
	media      string
	said       string // the port as it is written
	port       int
	ranged     bool // several ports
	proto      string
	formats    []string
	address    string // of the c-line, the section's or the session's
	begin, end int    // of its places
	mid        int    // the place of a=mid, from 1
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

// place returns the one with that index.
func (d *document) place(i int) *place {
	if i < places {
		return &d.room[i]
	}
	return &d.more[i-places]
}

// at returns the attribute at a place.
func (d *document) at(i int) attr {
	p := d.place(i)
	return attr{line{int(p.number), d.sdp[p.begin:p.end]}, p.known, int(p.colon)}
}

type band struct {
	line
	kind, value string
}

// parse reads the text of an SDP into a document that is empty.  Errors are *Error.
func (d *document) parse(text string) error { return d.parseWith(text, true) }

// parseWith does so, with pion alone unless plain lines may be read here.
func (d *document) parseWith(text string, plain bool) error {
	switch {
	case strings.TrimSpace(text) == "":
		return &Error{Msg: "empty"}
	case len(text) > MaxSize:
		return &Error{Msg: fmt.Sprintf("longer than %d bytes", MaxSize)}
	case !utf8.ValidString(text):
		return &Error{Msg: "not UTF-8"}
	}
	sections := make([]section, 1, 2)
	d.sdp, d.session, d.section, d.media, d.plain = text, &sections[0], &sections[0], sections[1:], plain
	for number, begin := 1, 0; begin < len(text); number++ {
		end, next, ok := lineEnd(text, begin)
		l := line{number, text[begin:end]}
		if !ok || len(l.text) == 1 || len(l.text) > 1 && l.text[1] != '=' {
			return &Error{Line: number, Text: l.text, Msg: "no line of an SDP (<letter>=<value>)"}
		}
		if err := d.cut(l, begin); err != nil {
			return err
		}
		if plain && !d.plain {
			return d.parseAgain(text)
		}
		begin = next
	}
	d.section.end = d.places
	switch {
	case plain && len(d.media) == 0:
		return d.parseAgain(text)
	case plain:
		return nil
	}
	desc, err := d.grammar()
	if err != nil {
		return err
	}
	switch {
	case len(desc.MediaDescriptions) == 0:
		return &Error{Msg: "no m-line"}
	case desc.Origin.Username == "" || desc.Origin.UnicastAddress == "":
		return &Error{Msg: "no o-line"}
	}
	d.resolve(desc)
	return nil
}

// parseAgain reads with pion what turned out not to be plain.
func (d *document) parseAgain(text string) error {
	*d = document{}
	return d.parseWith(text, false)
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
func (d *document) cut(l line, begin int) error {
	if l.text == "" {
		return nil
	}
	if d.session.head.number == 0 {
		if l.text[0] != 'v' {
			return &Error{Line: l.number, Text: l.text, Msg: "an SDP begins with v=0"}
		}
		d.session.head = l
	}
	switch l.text[0] {
	case 'a':
		d.cutAttribute(l, begin)
		return nil
	case 'm':
		return d.cutHead(l, begin)
	case 'b':
		kind, value, _ := strings.Cut(l.text[2:], ":")
		if !knownBandwidth(kind) {
			d.section.other = append(d.section.other, l) // to be ignored (RFC 8866 section 5.8)
			return nil
		}
		d.section.bands = append(d.section.bands, band{l, kind, value})
	case 'v', 'o', 'c':
		// Made anew, or an address.
	case 's', 't':
		if v := strings.TrimSpace(l.text[2:]); v != "" && v != "-" && v != "0 0" { // what RFC 9429 section 5.2.1 has
			d.section.other = append(d.section.other, l)
		}
	default:
		d.section.other = append(d.section.other, l)
	}
	d.keep(l)
	return nil
}

func (d *document) cutAttribute(l line, begin int) {
	colon := byteIn(l.text, ':')
	known := lookUp(l.text[2:colon])
	d.add(place{
		begin: uint32(begin), end: uint32(begin + len(l.text)), number: uint32(l.number),
		colon: uint16(min(colon, math.MaxUint16)), known: known, // a longer key is not
	})
	switch known {
	case aMid:
		if d.section.mid == 0 {
			d.section.mid = d.places
		}
	case aBundleOnly:
		d.section.bundleOnly = true
	case aFmtp:
		d.count.parameters += 1 + strings.Count(l.text, ";")
	case aSSRC:
		d.count.parameters++
		d.count.sources++
	case aMsid:
		d.count.parameters += 2 // in sources that do not say it
		d.count.streams++
	case aFeedback:
		d.count.feedback++
	case aExtmap:
		d.count.extensions++
	case aGroup:
		d.count.sections = max(d.count.sections, strings.Count(l.text, " "))
	}
}

func (d *document) cutHead(l line, begin int) error {
	if len(d.media) >= MaxLines {
		return &Error{Msg: fmt.Sprintf("more than %d m-lines", MaxLines)}
	}
	d.section.end = d.places
	if len(d.media) == 0 && d.count.sections > cap(d.media) { // with BUNDLE their number is known
		d.media = make([]section, 0, min(d.count.sections, MaxLines))
	}
	d.media = append(d.media, section{head: l, begin: d.places})
	d.section = &d.media[len(d.media)-1]
	if !d.section.name(l.text[2:]) {
		return &Error{Line: l.number, Text: l.text, Msg: "not as RFC 8866 has it" + expected('m')}
	}
	d.keep(l)
	return nil
}

// keep reads a line that is no attribute if it is plain, and else leaves it to pion.
func (d *document) keep(l line) {
	if d.plain {
		d.plain = d.readPlain(l.text)
		return
	}
	d.lines = append(d.lines, l)
}

// add adds the place of an attribute.
func (d *document) add(p place) {
	switch {
	case d.places < places:
		d.room[d.places] = p
	case d.more == nil:
		d.more = append(make([]place, 0, 1+strings.Count(d.sdp[p.end:], "\n")), p)
	default:
		d.more = append(d.more, p)
	}
	d.places++
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
func (d *document) grammar() (*sdp.SessionDescription, error) {
	var skeleton strings.Builder
	for m, i := 0, 0; i < len(d.lines); i++ {
		text := d.lines[i].text
		if text[0] == 'm' {
			text = d.media[m].skeleton()
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
	l := d.lines[badLine(strings.SplitAfter(text, "\n")[:len(d.lines)])]
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

// attr returns the first attribute of a section that has the name.
func (d *document) attr(s *section, key string) (attr, bool) {
	for i := s.begin; i < s.end; i++ {
		if a := d.at(i); a.key() == key {
			return a, true
		}
	}
	return attr{}, false
}

// number returns how many attributes of one name a section has.
func (d *document) number(s *section, known known) int {
	n := 0
	for i := s.begin; i < s.end; i++ {
		if d.place(i).known == known {
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
