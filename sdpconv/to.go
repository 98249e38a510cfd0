package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"unsafe"

	"carillon/jingle"
)

// ToSDP writes the description of the party that author names as SDP for a browser.
//
// An offer has the lines of l, which is nil at first, in their order; a content that is new takes the first free line, under a mid that
// this peer connection never had, or else a line of its own.  An answer has exactly the lines of the offer that it answers; contents
// that are missing, or cannot be taken, are rejected in it, and it contains nothing that the offer does not: Firefox refuses it otherwise.
// What was repaired for the browser (rtcp-mux that was not said, a DTLS role that an answer cannot have, a direction wider than
// the offer's) is among the losses too.  Text, and header extensions numbered 15 to 255, are written, though Firefox 153 refuses an SDP
// with them: who has such a browser leaves them out.
//
// Errors are ErrNotEncrypted, ErrNoICE, ErrNoMedia, or an *Error, those about one content in a *ContentError; then nothing is to be given to
// the browser, and the losses tell what was left out before.
func ToSDP(d jingle.Description, author jingle.Role, t Type, l Lines, o Origin) (string, Lines, []Loss, error) {
	return toSDP(d, author, t, l, o, false)
}

// ToPlainSDP is ToSDP for readers that are no browsers, such as SIP stacks: it also writes contents that are not encrypted or have
// SDES keys or ZRTP hashes (RFC 4568, RFC 6189), and those with an address instead of ICE (XEP-0177), and repairs only what cannot
// be written otherwise.
func ToPlainSDP(d jingle.Description, author jingle.Role, t Type, l Lines, o Origin) (string, Lines, []Loss, error) {
	return toSDP(d, author, t, l, o, true)
}

func toSDP(d jingle.Description, author jingle.Role, t Type, l Lines, o Origin, plain bool) (string, Lines, []Loss, error) {
	if t == Answer && len(l) == 0 {
		return "", nil, nil, &Error{Msg: "an answer without the lines of its offer"}
	}
	w := &writer{desc: d, author: author, typ: t, plain: plain, old: l, lines: make(Lines, len(l), len(l)+len(d.Contents))}
	copy(w.lines, l)
	if err := w.match(); err != nil {
		return "", nil, nil, err
	}
	if err := w.settle(); err != nil {
		return "", nil, w.losses, err
	}
	w.write(o)
	return unsafe.String(unsafe.SliceData(w.out), len(w.out)), w.lines, w.losses, nil // nobody else has w.out
}

// writer writes a description as SDP.
type writer struct {
	desc     jingle.Description
	author   jingle.Role
	typ      Type
	plain    bool // for a reader that is no browser
	old      Lines
	lines    Lines
	sections []*mediaWriter // by line; nil for a rejected one
	losses   []Loss
	out      []byte
	begun    int // where the line that is being written began
}

func (w *writer) lose(what, reason string) {
	w.losses = append(w.losses, Loss{Line: what, Reason: reason})
}

func (w *writer) loseContent(c *jingle.Content, reason string) {
	w.lose("content "+strconv.Quote(c.Name), reason)
}

// add writes to the line that is being written.
func (w *writer) add(parts ...string) {
	for _, s := range parts {
		w.out = append(w.out, s...)
	}
}

func (w *writer) addInt(n int) { w.out = strconv.AppendInt(w.out, int64(n), 10) }

// end ends the line, or takes it back if it could not be read again as one.
func (w *writer) end() bool {
	text := w.out[w.begun:]
	ok := len(text) > 0 && text[len(text)-1] != ' ' && isLine(text, !w.plain) // Firefox 153 takes ASCII only
	if ok {
		w.out = append(w.out, "\r\n"...)
	} else {
		w.lose(string(text), "no line of an SDP")
		w.out = w.out[:w.begun]
	}
	w.begun = len(w.out)
	return ok
}

// back takes the line that is being written back, and reports it.
func (w *writer) back(reason string) {
	w.lose(string(w.out[w.begun:]), reason)
	w.out = w.out[:w.begun]
}

// attr writes one line.
func (w *writer) attr(parts ...string) {
	w.add("a=")
	w.add(parts...)
	w.end()
}

// kindOf is the media of a content, "" for one that SDP has none for.
func kindOf(c *jingle.Content) string {
	switch {
	case c.RTP != nil && (c.RTP.Media == "audio" || c.RTP.Media == "video" || c.RTP.Media == "text"):
		return c.RTP.Media
	case c.RTP == nil && c.ICE != nil && c.ICE.SCTP != nil:
		return "application"
	}
	return ""
}

// match finds the content of each line and, in an offer, makes lines for the others.
func (w *writer) match() error {
	w.sections = make([]*mediaWriter, len(w.lines), len(w.lines)+len(w.desc.Contents))
	writers := make([]mediaWriter, len(w.desc.Contents))
	at := make([]int, len(w.desc.Contents))
	for i := range writers {
		at[i] = w.place(&w.desc.Contents[i], &writers[i])
	}
	for i := range w.desc.Contents {
		if at[i] != newLine {
			continue
		}
		n, err := w.open(&w.desc.Contents[i])
		if err != nil {
			return err
		}
		if n == noLine {
			continue
		}
		w.sections[n] = &writers[i]
		writers[i] = mediaWriter{writer: w, content: &w.desc.Contents[i], fresh: true}
	}
	for i, s := range w.sections {
		if s != nil {
			s.line = &w.lines[i] // the slice does not grow any more
		}
	}
	return nil
}

const newLine, noLine = -1, -2

// place puts a content into the section of its line.
func (w *writer) place(c *jingle.Content, s *mediaWriter) int {
	if reason := w.unusable(c); reason != "" {
		w.loseContent(c, reason)
		return noLine
	}
	at := w.lines.Find(c.Creator, c.Name)
	switch {
	case at >= 0 && w.lines[at].State == Live && w.lines[at].Kind == kindOf(c) && w.sections[at] == nil:
		w.sections[at] = s
		*s = mediaWriter{writer: w, content: c}
		return at
	case w.typ == Offer && at >= 0 && w.lines[at].Creator != c.Creator && w.sections[at] != nil:
		return newLine // the same name by the other party is another content (XEP-0166 section 7.3)
	case w.typ == Answer, at >= 0 && w.lines[at].State == Live:
		w.loseContent(c, "no such line, or one of another kind, or used twice")
		return noLine
	}
	return newLine
}

// open makes a line for a new content: a free one, or one at the end.
func (w *writer) open(c *jingle.Content) (int, error) {
	if !w.plain && kindOf(c) == "application" && slices.ContainsFunc(w.lines, func(l Line) bool { return l.State == Live && l.Kind == "application" }) {
		w.loseContent(c, "a second association for data channels") // Firefox 153 refuses it
		return noLine, nil
	}
	same := func(l Line) bool { return l.State == Live && l.Name == c.Name && l.Creator == c.Creator }
	if slices.ContainsFunc(w.lines, same) {
		w.loseContent(c, "an alternative, of which there is one in SDP")
		return noLine, nil
	}
	at := slices.IndexFunc(w.lines, func(l Line) bool { return l.State == Free })
	line := Line{Mid: w.mid(c.Name), Name: c.Name, Creator: c.Creator, Kind: kindOf(c)}
	if line.Mid != c.Name {
		w.lose("a=mid:"+c.Name, "no token of at most 16 bytes, or taken; the m-line has a number")
	}
	if at >= 0 {
		line.Past = w.lines[at].past()
		w.lines[at] = line
		return at, nil
	}
	if len(w.lines) >= MaxLines {
		return 0, &Error{Msg: fmt.Sprintf("more than %d contents", MaxLines)}
	}
	w.lines = append(w.lines, line)
	w.sections = append(w.sections, nil)
	return len(w.lines) - 1, nil
}

// unusable tells why a content has no section of its own: it is neither RTP nor data channels, or its author rejects it.
func (w *writer) unusable(c *jingle.Content) string {
	bare := c.ICE == nil || c.ICE.Ufrag == "" && !c.ICE.Protected && len(c.ICE.Fingerprints) == 0
	switch {
	case c.Senders == jingle.SendersRejected:
		return "rejected"
	case kindOf(c) == "" && c.RTP != nil:
		return "no media of SDP: " + strconv.Quote(c.RTP.Media)
	case kindOf(c) == "":
		return "neither RTP nor data channels"
	case c.Senders == jingle.SendersNone && bare && c.RawUDP == nil && !w.bundled(c.Name):
		return repairRejected
	case c.Disposition != "" && c.Disposition != "session":
		return "not of the session but " + strconv.Quote(c.Disposition)
	}
	return ""
}

// mid returns the mid of a new content: its name if that can be one and was never used, else the first number like that.
func (w *writer) mid(name string) string {
	if isMid(name) && !w.lines.used(name) {
		return name
	}
	for n := len(w.lines); ; n++ {
		mid := strconv.Itoa(n)
		named := slices.ContainsFunc(w.desc.Contents, func(c jingle.Content) bool { return c.Name == mid })
		if !named && !w.lines.used(mid) {
			return mid
		}
	}
}

// bundle returns the names in the BUNDLE group that has the content.
func (w *writer) bundle(name string) []string {
	for _, g := range w.desc.Groups {
		if g.Semantics == "BUNDLE" && slices.Contains(g.Names, name) {
			return g.Names
		}
	}
	return nil
}

func (w *writer) bundled(name string) bool { return w.bundle(name) != nil }

// taggedSection returns the section whose transport the bundled ones use (RFC 9143 section 7.1).
func (w *writer) taggedSection(bundle []string) *mediaWriter {
	for _, name := range bundle {
		for _, s := range w.sections {
			if s != nil && s.content.Name == name && s.content.ICE != nil && s.content.ICE.Ufrag != "" {
				return s
			}
		}
	}
	return nil
}

// settle decides what each section will say, rejects those with nothing to say, and checks that the rest is encrypted.
func (w *writer) settle() error {
	problem := ErrNoMedia
	live := false
	for i, s := range w.sections {
		if s == nil {
			continue
		}
		switch reason := s.choose(); {
		case reason == "":
			live = true
			continue
		case reason == noTransport && problem == ErrNoMedia:
			problem = s.wrong(ErrNoICE)
			fallthrough
		default:
			w.loseContent(s.content, reason)
			w.drop(i)
		}
	}
	if !live {
		return problem
	}
	for i, s := range w.sections {
		if s == nil {
			w.reject(i)
			continue
		}
		if err := s.secure(); err != nil {
			return s.wrong(err)
		}
	}
	return nil
}

// drop leaves a content out after all.  A free line that it would have used stays free.
func (w *writer) drop(i int) {
	if w.sections[i].fresh && i < len(w.old) {
		w.lines[i] = w.old[i]
	}
	w.sections[i] = nil
}

// reject enters port 0 into a line that no content has.
func (w *writer) reject(i int) {
	line := &w.lines[i]
	switch {
	case line.State == Rejected && w.typ == Answer:
		line.State = Free
	case line.State == Live:
		line.State = Rejected
	}
	w.note(i, Offered{})
	if line.Proto == "" {
		line.Proto = "UDP/TLS/RTP/SAVPF"
		if line.Kind == "application" {
			line.Proto, line.Formats = dataProto, []string{dataProtocol}
		}
	}
	if len(line.Formats) == 0 {
		line.Formats = []string{"0"}
	}
}

// note enters an offer into a line, or that it is answered.
func (w *writer) note(i int, o Offered) {
	line := &w.lines[i]
	if w.typ == Answer {
		line.Offered.Open = false
		return
	}
	o.Open, o.By = true, w.author
	line.Offered = o
}

func (w *writer) write(o Origin) {
	w.out = make([]byte, 0, w.size())
	w.add("v=0\r\no=- ")
	w.out = strconv.AppendUint(w.out, max(o.ID, 1), 10)
	w.add(" ")
	w.addInt(o.Version)
	w.add(" IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")
	w.begun = len(w.out)
	for i := range w.desc.Groups {
		w.group(&w.desc.Groups[i])
	}
	if slices.ContainsFunc(w.sections, func(s *mediaWriter) bool { return s != nil && s.ice.Lite }) {
		w.attr("ice-lite") // RFC 8839 section 5.3: at session level only
	}
	w.attr("msid-semantic: WMS *")
	for i, s := range w.sections {
		if s == nil {
			w.writeRejected(&w.lines[i])
			continue
		}
		s.write()
	}
}

// group translates a group of contents.  An answer's BUNDLE is a subset of the offer's (RFC 9143 section 7.3).
func (w *writer) group(g *jingle.Group) {
	w.add("a=group:", g.Semantics)
	if !isToken(g.Semantics) {
		w.back("no token")
		return
	}
	begun := len(w.out)
	var taken [MaxLines]bool
	for _, name := range g.Names {
		i := slices.IndexFunc(w.sections, func(s *mediaWriter) bool { return s != nil && s.content.Name == name })
		switch {
		case i < 0 && !slices.ContainsFunc(w.desc.Contents, func(c jingle.Content) bool { return c.Name == name }):
			w.lose("a=group:"+g.Semantics+" "+name, "no such content")
		case i < 0 || taken[i]:
		case g.Semantics == "BUNDLE" && &w.bundle(name)[0] != &g.Names[0]:
			w.lose("a=group:BUNDLE "+w.lines[i].Mid, "in another bundle")
		case w.typ == Answer && g.Semantics == "BUNDLE" && !w.lines[i].Offered.Bundled:
			w.lose("a=group:"+g.Semantics+" "+w.lines[i].Mid, "not in the offer's group")
		default:
			taken[i] = true
			w.add(" ", w.lines[i].Mid)
		}
	}
	if len(w.out) == begun {
		w.out = w.out[:w.begun]
		return
	}
	w.end()
}

func (w *writer) writeRejected(l *Line) {
	w.add("m=", l.Kind, " 0 ", l.Proto)
	for _, f := range l.Formats {
		w.add(" ", f)
	}
	w.end()
	w.add("c=IN IP4 0.0.0.0")
	w.end()
	w.attr("inactive")
	if l.Mid != "" {
		w.attr("mid:", l.Mid)
	}
}
