package sdpconv

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pion/sdp/v3"
)

// document is an SDP as sections of numbered lines.  Grammar, m-lines and bandwidths are pion's; it has no line numbers, so the
// attributes are cut here.
type document struct {
	session section
	media   []section
}

type section struct {
	head  line // the m-line; the v-line for the session
	name  sdp.MediaName
	attrs []attr
	other []line // lines that are no attributes and mean something to nobody here
	bands []band
}

type line struct {
	number int
	text   string
}

type attr struct {
	line
	key, value string
}

type band struct {
	line
	kind, value string
}

// parse reads the text of an SDP.  Errors are *Error.
func parse(text string) (*document, error) {
	lines, err := split(text)
	if err != nil {
		return nil, err
	}
	desc, err := grammar(lines)
	if err != nil {
		return nil, err
	}
	switch {
	case len(desc.MediaDescriptions) == 0:
		return nil, &Error{Msg: "no m-line"}
	case len(desc.MediaDescriptions) > MaxLines:
		return nil, &Error{Msg: fmt.Sprintf("more than %d m-lines", MaxLines)}
	case desc.Origin.Username == "" || desc.Origin.UnicastAddress == "":
		return nil, &Error{Msg: "no o-line"}
	}
	return sections(lines, desc), nil
}

// split cuts the text into lines and refuses what could not be one.
func split(text string) ([]line, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, &Error{Msg: "empty"}
	case len(text) > MaxSize:
		return nil, &Error{Msg: fmt.Sprintf("longer than %d bytes", MaxSize)}
	case !utf8.ValidString(text):
		return nil, &Error{Msg: "not UTF-8"}
	}
	var lines []line
	number := 0
	for raw := range strings.SplitSeq(text, "\n") {
		number++
		raw = strings.TrimSuffix(raw, "\r")
		if raw == "" {
			continue
		}
		if len(raw) < 2 || raw[1] != '=' || !isText(raw) {
			return nil, &Error{Line: number, Text: raw, Msg: "no line of an SDP"}
		}
		lines = append(lines, line{number, raw})
	}
	if !strings.HasPrefix(lines[0].text, "v=") {
		return nil, &Error{Line: lines[0].number, Text: lines[0].text, Msg: "an SDP begins with v=0"}
	}
	return lines, nil
}

// grammar checks the lines and reads their structure.
func grammar(lines []line) (*sdp.SessionDescription, error) {
	try := func(n int) (*sdp.SessionDescription, error) {
		var b strings.Builder
		for _, l := range lines[:n] {
			b.WriteString(l.text)
			b.WriteString("\r\n")
		}
		desc := new(sdp.SessionDescription)
		return desc, desc.UnmarshalString(b.String())
	}
	desc, err := try(len(lines))
	if err == nil {
		return desc, nil
	}
	// It reads from the top and accepts an SDP that breaks off, so the first prefix that fails ends with the bad line.
	bad := sort.Search(len(lines), func(n int) bool {
		_, err := try(n)
		return err != nil
	})
	if bad == 0 {
		bad = 1
	}
	l := lines[min(bad, len(lines))-1]
	return nil, &Error{Line: l.number, Text: l.text, Msg: "not as RFC 8866 has it"}
}

func sections(lines []line, desc *sdp.SessionDescription) *document {
	doc := &document{session: section{head: lines[0]}}
	cur := &doc.session
	for _, l := range lines {
		kind, value := l.text[0], l.text[2:]
		switch kind {
		case 'm':
			n := len(doc.media)
			doc.media = append(doc.media, section{head: l, name: desc.MediaDescriptions[n].MediaName})
			cur = &doc.media[n]
		case 'a':
			key, value, _ := strings.Cut(value, ":")
			cur.attrs = append(cur.attrs, attr{l, key, value})
		case 'b':
			kind, value, _ := strings.Cut(value, ":")
			cur.bands = append(cur.bands, band{l, kind, value})
		case 'v', 'o', 's', 't', 'c':
			// Constants, or the address of a candidate, which has its own line.
		default:
			cur.other = append(cur.other, l)
		}
	}
	return doc
}

func (s *section) attr(key string) (attr, bool) {
	for _, a := range s.attrs {
		if a.key == key {
			return a, true
		}
	}
	return attr{}, false
}

// rejected tells a rejected section from one of a max-bundle offer, which has port 0 as well (RFC 9143 section 6).
func (s *section) rejected() bool {
	_, bundleOnly := s.attr("bundle-only")
	return s.name.Port.Value == 0 && !bundleOnly
}

func (s *section) proto() string { return strings.Join(s.name.Protos, "/") }

func (s *section) isRTP() bool {
	return (s.name.Media == "audio" || s.name.Media == "video") && strings.Contains(s.proto(), "RTP/")
}
