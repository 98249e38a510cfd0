package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// FromSDP translates the SDP of the party that author names.
//
// Lines is nil for the first offer of a peer connection.  Else it is what the last call returned: the SDP is then the answer to that
// offer, or a later offer.  Contents come in the order of the m-lines and are named by their mids.  Rejected sections and
// those that are neither audio nor video are left out of the description; the losses tell.  Everything else that Jingle can say
// is kept, candidates that are not Sendable among it.
//
// Errors are ErrNoMedia, or an *Error that says which line of the SDP is wrong.
func FromSDP(sdp string, author jingle.Role, l Lines) (jingle.Description, Lines, []Loss, error) {
	doc, err := parse(sdp)
	if err != nil {
		return jingle.Description{}, nil, nil, err
	}
	r := &reader{doc: doc, author: author, old: l, lines: slices.Clone(l)}
	if err := r.read(); err != nil {
		return jingle.Description{}, nil, nil, err
	}
	return r.out, r.lines, r.losses, nil
}

// reader makes a description of a document.
type reader struct {
	doc     *document
	author  jingle.Role
	old     Lines
	lines   Lines
	answer  bool
	session *mediaReader // what is said once for all sections
	media   []*mediaReader
	bundle  []string // mids of the BUNDLE group, the first is the tagged one
	out     jingle.Description
	losses  []Loss
}

func (r *reader) lose(l line, reason string) {
	r.losses = append(r.losses, Loss{Number: l.number, Line: l.text, Reason: reason})
}

func (r *reader) read() error {
	if err := r.readSession(); err != nil {
		return err
	}
	if err := r.checkShape(); err != nil {
		return err
	}
	for i := range r.doc.media {
		if err := r.readMedia(i); err != nil {
			return err
		}
	}
	if err := r.finishContents(); err != nil {
		return err
	}
	if len(r.out.Contents) == 0 {
		return ErrNoMedia
	}
	r.groups()
	slices.SortStableFunc(r.losses, func(a, b Loss) int { return a.Number - b.Number })
	return nil
}

// sessionAttrs is what may stand at session level and is resolved for each section that does not say it itself.
var sessionAttrs = []string{
	"ice-ufrag", "ice-pwd", "ice-options", "ice-lite", "fingerprint", "setup", "extmap-allow-mixed", "end-of-candidates",
	"sendrecv", "sendonly", "recvonly", "inactive",
}

func (r *reader) readSession() error {
	r.session = newMediaReader(r, &r.doc.session)
	for _, a := range r.doc.session.attrs {
		switch {
		case a.key == "group":
			if f := strings.Fields(a.value); len(f) > 0 && f[0] == "BUNDLE" && r.bundle == nil {
				r.bundle = f[1:]
			}
		case a.key == "msid-semantic":
		case slices.Contains(sessionAttrs, a.key):
			if err := mediaAttrs[a.key](r.session, a); err != nil {
				return err
			}
		default:
			r.lose(a.line, "no Jingle for it at session level")
		}
	}
	for _, b := range r.doc.session.bands {
		r.lose(b.line, "no Jingle for a bandwidth of the session")
	}
	for _, l := range r.doc.session.other {
		r.lose(l, "no Jingle for it")
	}
	return nil
}

// checkShape compares the sections with the lines of the peer connection: they never go away (RFC 3264 section 8), and an answer has
// exactly those of its offer.
func (r *reader) checkShape() error {
	r.answer = len(r.old) > 0 && !r.offersRole()
	switch n := len(r.doc.media); {
	case n < len(r.old):
		return &Error{Msg: "has fewer m-lines than were negotiated"}
	case r.answer && n > len(r.old):
		return &Error{Line: r.doc.media[len(r.old)].head.number, Text: r.doc.media[len(r.old)].head.text, Msg: "the offer has no such m-line"}
	}
	seen := map[string]bool{}
	for i := range r.doc.media {
		if err := r.checkMid(i, seen); err != nil {
			return err
		}
	}
	return nil
}

// offersRole tells an offer, which leaves the DTLS role open (RFC 8842 section 5.2), from an answer, which cannot.
func (r *reader) offersRole() bool {
	is := func(s *section) bool {
		a, ok := s.attr("setup")
		return ok && a.value == "actpass"
	}
	return is(&r.doc.session) || slices.ContainsFunc(r.doc.media, func(s section) bool { return is(&s) })
}

func (r *reader) checkMid(i int, seen map[string]bool) error {
	s := &r.doc.media[i]
	a, ok := s.attr("mid")
	fail := func(msg string) error { return &Error{Line: s.head.number, Text: s.head.text, Msg: msg} }
	switch {
	case !ok && s.rejected():
		return nil
	case !ok:
		return fail("m-line without a=mid")
	case !isToken(a.value):
		return &Error{Line: a.number, Text: a.text, Msg: "mid is no token"}
	case seen[a.value]:
		return &Error{Line: a.number, Text: a.text, Msg: "mid is used twice"}
	}
	seen[a.value] = true
	if i >= len(r.old) || r.old[i].State != Live {
		return nil
	}
	if r.old[i].Kind != s.name.Media {
		return fail("m-line changed from " + r.old[i].Kind)
	}
	if r.old[i].Mid != a.value {
		return &Error{Line: a.number, Text: a.text, Msg: "mid changed from " + strconv.Quote(r.old[i].Mid)}
	}
	return nil
}

// readMedia reads one section and enters it into the lines.
func (r *reader) readMedia(i int) error {
	s := &r.doc.media[i]
	line := r.line(i)
	m := newMediaReader(r, s)
	r.media = append(r.media, m)
	if s.rejected() {
		if r.answer && line.State == Rejected {
			line.State = Free
		} else {
			line.State = Rejected
		}
		r.lines[i] = line
		return nil
	}
	r.lines[i] = line
	if !s.isRTP() {
		r.lose(s.head, "only audio and video are translated")
		return nil
	}
	m.content = &jingle.Content{Creator: line.Creator, Name: line.Name, RTP: &m.rtp, ICE: &m.ice}
	return m.read()
}

// line returns the entry of a section, making one for a section that is new.
func (r *reader) line(i int) Line {
	s := &r.doc.media[i]
	mid, _ := s.attr("mid")
	known := i < len(r.old) && (r.old[i].State == Live || r.old[i].Mid == mid.value)
	if i >= len(r.lines) {
		r.lines = append(r.lines, Line{})
	}
	line := r.lines[i]
	if !known {
		line = Line{Mid: mid.value, Name: r.name(i, mid.value), Creator: r.author, Kind: s.name.Media}
	}
	if !known || !r.answer {
		line.Proto, line.Formats = s.proto(), s.name.Formats
		line.State, line.Offered = Live, Offered{}
	}
	return line
}

// name returns the name of a new content: the mid where every client takes that, else a number.
func (r *reader) name(i int, mid string) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(r.lines, func(l Line) bool { return l.State != Free && l.Name == name }) ||
			slices.ContainsFunc(r.doc.media[i:], func(s section) bool {
				a, ok := s.attr("mid")
				return ok && a.value == name && a.value != mid
			})
	}
	if isMid(mid) && !taken(mid) {
		return mid
	}
	for n := i; ; n++ {
		if name := strconv.Itoa(n); !taken(name) {
			return name
		}
	}
}

// finishContents resolves what sections share and takes over the contents.
func (r *reader) finishContents() error {
	for i, m := range r.media {
		if m.content == nil {
			continue
		}
		m.inherit(r.session)
		if m.ice.Ufrag == "" || len(m.ice.Fingerprints) == 0 {
			m.inheritTransport(r.tagged(m.mid))
		}
		if err := m.finish(r.lines[i].Offered, r.answer); err != nil {
			return err
		}
		if !r.answer {
			r.lines[i].Offered = Offered{
				RTP: m.content.RTP, Senders: m.content.Senders, Setup: m.setup, Bundled: slices.Contains(r.bundle, m.mid),
			}
		}
		r.out.Contents = append(r.out.Contents, *m.content)
	}
	return nil
}

// tagged returns the section whose transport a bundled one uses (RFC 9143 section 7.1).
func (r *reader) tagged(mid string) *mediaReader {
	if !slices.Contains(r.bundle, mid) {
		return nil
	}
	for _, first := range r.bundle {
		for _, m := range r.media {
			if m.mid == first && !m.section.rejected() {
				return m
			}
		}
	}
	return nil
}

// groups translates a=group, naming contents.  Conversations counts m-lines by the order in the group, so none may be missing.
func (r *reader) groups() {
	for _, a := range r.doc.session.attrs {
		if a.key != "group" {
			continue
		}
		f := strings.Fields(a.value)
		if len(f) == 0 {
			r.lose(a.line, "group without semantics")
			continue
		}
		g := jingle.Group{Semantics: f[0]}
		for _, mid := range f[1:] {
			if i := r.lines.FindMid(mid); i >= 0 && slices.ContainsFunc(r.out.Contents, func(c jingle.Content) bool { return c.Name == r.lines[i].Name }) {
				g.Names = append(g.Names, r.lines[i].Name)
			}
		}
		if len(g.Names) > 0 {
			r.out.Groups = append(r.out.Groups, g)
		} else if len(f) > 1 {
			r.lose(a.line, "no content of the group is left")
		}
	}
}
