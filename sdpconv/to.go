package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// ToSDP writes the description of the party that author names as SDP for a browser.
//
// An offer has the lines of l, which is nil at first, in their order, and then one for each content that is new.  An answer
// has exactly the lines of the offer that it answers; contents that are missing, or cannot be taken, are rejected in it, and it
// contains nothing that the offer does not: Firefox refuses it otherwise.  What was repaired for the browser (rtcp-mux that
// was not said, a DTLS role that an answer cannot have, a direction wider than the offer's) is among the losses too.
//
// Errors are ErrNotEncrypted, ErrNoMedia, or an *Error; then nothing is to be given to the browser.
func ToSDP(d jingle.Description, author jingle.Role, t Type, l Lines, o Origin) (string, Lines, []Loss, error) {
	if t == Answer && len(l) == 0 {
		return "", nil, nil, &Error{Msg: "an answer without the lines of its offer"}
	}
	w := &writer{desc: d, author: author, typ: t, lines: slices.Clone(l)}
	if err := w.match(); err != nil {
		return "", nil, nil, err
	}
	if err := w.settle(); err != nil {
		return "", nil, nil, err
	}
	return w.write(o), w.lines, w.losses, nil
}

// writer writes a description as SDP.
type writer struct {
	desc     jingle.Description
	author   jingle.Role
	typ      Type
	lines    Lines
	sections []*mediaWriter // by line; nil for a rejected one
	losses   []Loss
}

func (w *writer) lose(what, reason string) {
	w.losses = append(w.losses, Loss{Line: what, Reason: reason})
}

// match finds the content of each line and, in an offer, makes lines for the others.
func (w *writer) match() error {
	w.sections = make([]*mediaWriter, len(w.lines))
	for i := range w.desc.Contents {
		c := &w.desc.Contents[i]
		if reason := w.unusable(c); reason != "" {
			w.lose("content "+strconv.Quote(c.Name), reason)
			continue
		}
		at := w.lines.Find(c.Creator, c.Name)
		switch {
		case at >= 0 && w.lines[at].State == Live && w.lines[at].Kind == c.RTP.Media && w.sections[at] == nil:
		case at >= 0 || w.typ == Answer:
			w.lose("content "+strconv.Quote(c.Name), "no such line, or one of another kind, or used twice")
			continue
		case len(w.lines) >= MaxLines:
			return &Error{Msg: fmt.Sprintf("more than %d contents", MaxLines)}
		default:
			at = len(w.lines)
			w.lines = append(w.lines, Line{
				Mid: w.mid(c.Name), Name: c.Name, Creator: c.Creator, Kind: c.RTP.Media, Proto: "UDP/TLS/RTP/SAVPF",
			})
			w.sections = append(w.sections, nil)
		}
		w.sections[at] = &mediaWriter{writer: w, line: &w.lines[at], content: c}
	}
	for i, s := range w.sections {
		if s != nil {
			s.line = &w.lines[i] // the slice may have grown
		}
	}
	return nil
}

// unusable tells why a content has no section of its own: it is no audio or video, or its author rejects it.
func (w *writer) unusable(c *jingle.Content) string {
	switch {
	case c.Senders == jingle.SendersRejected:
		return "rejected"
	case c.RTP == nil:
		return "no RTP"
	case c.RTP.Media != "audio" && c.RTP.Media != "video":
		return "neither audio nor video"
	case c.Senders == jingle.SendersNone && (c.ICE == nil || c.ICE.Ufrag == "" && !c.ICE.Protected && len(c.ICE.Fingerprints) == 0) && !w.bundled(c.Name):
		return repairRejected
	case c.Disposition != "" && c.Disposition != "session":
		return "not of the session but " + strconv.Quote(c.Disposition)
	}
	return ""
}

// mid returns the mid of a new content: its name if that can be one and is free, else the first free number.
func (w *writer) mid(name string) string {
	if isMid(name) && w.lines.FindMid(name) < 0 {
		return name
	}
	for n := len(w.lines); ; n++ {
		mid := strconv.Itoa(n)
		named := slices.ContainsFunc(w.desc.Contents, func(c jingle.Content) bool { return c.Name == mid })
		if !named && w.lines.FindMid(mid) < 0 {
			return mid
		}
	}
}

// bundle returns the names in the BUNDLE group.
func (w *writer) bundle() []string {
	for _, g := range w.desc.Groups {
		if g.Semantics == "BUNDLE" {
			return g.Names
		}
	}
	return nil
}

func (w *writer) bundled(name string) bool { return slices.Contains(w.bundle(), name) }

// tagged returns the content whose transport the bundled ones use (RFC 9143 section 7.1).
func (w *writer) tagged() *jingle.Content {
	for _, name := range w.bundle() {
		for _, s := range w.sections {
			if s != nil && s.content.Name == name && s.content.ICE != nil && s.content.ICE.Ufrag != "" {
				return s.content
			}
		}
	}
	return nil
}

// settle decides what each section will say, rejects those with nothing to say, and checks that the rest is encrypted.
func (w *writer) settle() error {
	live := false
	for i, s := range w.sections {
		if s == nil {
			continue
		}
		s.choose()
		if len(s.codecs) == 0 {
			w.lose("content "+strconv.Quote(s.content.Name), "no codec in common")
			w.sections[i] = nil
			continue
		}
		live = true
	}
	if !live {
		return ErrNoMedia
	}
	for i, s := range w.sections {
		if s == nil {
			w.reject(i)
			continue
		}
		if err := s.secure(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) reject(i int) {
	line := &w.lines[i]
	switch {
	case line.State == Rejected && w.typ == Answer:
		line.State = Free
	case line.State == Live:
		line.State = Rejected
	}
	if len(line.Formats) == 0 {
		line.Formats = []string{"0"}
	}
	if line.Proto == "" {
		line.Proto = "UDP/TLS/RTP/SAVPF"
	}
}

func (w *writer) write(o Origin) string {
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", max(o.ID, 1), o.Version)
	for _, g := range w.desc.Groups {
		if text := w.group(g); text != "" {
			b.WriteString(text + "\r\n")
		}
	}
	if slices.ContainsFunc(w.sections, func(s *mediaWriter) bool { return s != nil && s.ice.Lite }) {
		b.WriteString("a=ice-lite\r\n") // RFC 8839 section 5.3: at session level only
	}
	b.WriteString("a=msid-semantic: WMS *\r\n")
	for i, s := range w.sections {
		if s == nil {
			w.writeRejected(&b, w.lines[i])
			continue
		}
		b.WriteString(s.write())
	}
	return b.String()
}

// group translates a group of contents.  An answer's BUNDLE is a subset of the offer's (RFC 9143 section 7.3).
func (w *writer) group(g jingle.Group) string {
	text := "a=group:" + g.Semantics
	if !isToken(g.Semantics) {
		w.lose(text, "no token")
		return ""
	}
	var mids []string
	for _, name := range g.Names {
		i := slices.IndexFunc(w.sections, func(s *mediaWriter) bool { return s != nil && s.content.Name == name })
		switch {
		case i < 0 || slices.Contains(mids, w.lines[i].Mid):
		case w.typ == Answer && g.Semantics == "BUNDLE" && !w.lines[i].Offered.Bundled:
			w.lose(text+" "+w.lines[i].Mid, "not in the offer's group")
		default:
			mids = append(mids, w.lines[i].Mid)
		}
	}
	if len(mids) == 0 {
		return ""
	}
	return text + " " + strings.Join(mids, " ")
}

func (w *writer) writeRejected(b *strings.Builder, l Line) {
	fmt.Fprintf(b, "m=%s 0 %s %s\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n", l.Kind, l.Proto, strings.Join(l.Formats, " "))
	if l.Mid != "" {
		b.WriteString("a=mid:" + l.Mid + "\r\n")
	}
}
