package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// FromSDP translates the SDP of the party that author names.
//
// Lines is nil for the first offer of a peer connection.  Else it is what the last call returned: after an offer of the other party the SDP
// is its answer, in all other cases a later offer.  Contents come in the order of the m-lines and are named by their mids; an m-line
// without one, as SIP stacks write it, gets one.  A section of data channels becomes a content without RTP whose transport has SCTP;
// one without ICE gets raw-udp.  Rejected sections and those of other media are left out of the description; the losses tell.  Everything
// else that Jingle can say is kept, candidates that are not Sendable and Jitsi's forms of simulcast among it.
//
// Errors are ErrNoMedia, for which the losses are the reasons, or an *Error that says which line of the SDP is wrong.
func FromSDP(sdp string, author jingle.Role, l Lines) (jingle.Description, Lines, []Loss, error) {
	r := reader{author: author, old: l}
	if err := r.doc.parse(sdp); err != nil {
		return jingle.Description{}, nil, nil, err
	}
	r.lines = append(make(Lines, 0, max(len(l), len(r.doc.media))), l...)
	r.makeRoom()
	if err := r.read(); err != nil {
		if err != ErrNoMedia {
			r.losses = nil
		}
		return jingle.Description{}, nil, r.losses, err
	}
	return r.out, r.lines, r.losses, nil
}

// reader makes a description of a document.  It is as large as all that is made of a small SDP, and stays on the stack: no pointer to it or into
// it may be kept anywhere, and none of its methods called by a value.
type reader struct {
	part // that is being read

	doc     document
	author  jingle.Role
	old     Lines
	lines   Lines
	answer  bool
	mids    []string // of the sections
	session part     // what is said once for all sections
	common  side
	media   []part
	grouped []grouped
	out     jingle.Description
	losses  []Loss

	// Of the section that is being read.
	at      [128]uint8      // payload type to its place in rtp.PayloadTypes, from 1
	said    [numOnce]uint32 // index of the attribute, from 1
	reading int             // index of the one that is being read

	print      string // a=fingerprint that was read last: sections repeat it
	printed    jingle.Fingerprint
	parameters slab[jingle.Parameter]
	feedbacks  repeated[jingle.Feedback]
	extensions repeated[jingle.HdrExt]
	prints     slab[jingle.Fingerprint]
	sources    slab[jingle.Source]
	streams    slab[jingle.Stream]
}

// grouped is an a=group line.
type grouped struct {
	line
	fields []string // semantics, and mids
	bundle []string // mids that there are, if the semantics are BUNDLE; the first is the tagged one
}

// makeRoom lets the slabs make room once for what the SDP has, or seems to have: its strange lines count too.
func (r *reader) makeRoom() {
	const most = 512 // of each in what is real
	c, sections := &r.doc.count, len(r.doc.media)
	r.parameters.size = min(c.parameters, most)
	r.feedbacks.slab.size, r.extensions.slab.size = min(1+c.feedback/4, 12), min(c.extensions, 24) // most repeat
	r.prints.size, r.sources.size, r.streams.size = 1+sections, min(c.sources, 2*sections), min(c.streams, most)
}

func (r *reader) lose(l line, reason string) {
	r.losses = append(r.losses, Loss{Number: l.number, Line: l.text, Reason: reason})
}

func (r *reader) read() error {
	n := len(r.doc.media)
	sides := make([]side, n)
	if err := r.readSession(&sides[0]); err != nil {
		return err
	}
	if err := r.checkShape(); err != nil {
		return err
	}
	r.media, r.out.Contents = make([]part, n), make([]jingle.Content, 0, n)
	for i := range r.media {
		r.part = part{section: &r.doc.media[i], mid: r.mids[i], rtp: &sides[i].rtp, ice: &sides[i].ice}
		if err := r.readMedia(i); err != nil {
			return err
		}
		r.media[i] = r.part
	}
	if err := r.finishContents(); err != nil {
		return err
	}
	if len(r.out.Contents) == 0 {
		return ErrNoMedia
	}
	r.groups()
	r.loseUnshared()
	slices.SortStableFunc(r.losses, func(a, b Loss) int { return a.Number - b.Number })
	return nil
}

// side is what a content keeps.  It is apart from its reader, which would be kept with it for the life of the call.
type side struct {
	rtp jingle.RTP
	ice jingle.Transport
}

// readSession reads what is said for all sections, in a place that will be another's.
func (r *reader) readSession(in *side) error {
	r.part = part{section: r.doc.session, rtp: &in.rtp, ice: &in.ice}
	for i := r.section.begin; i < r.section.end; i++ {
		a := r.doc.at(i)
		r.reading = i
		if a.known == aGroup {
			r.grouped = append(r.grouped, grouped{line: a.line, fields: appendFields(make([]string, 0, min(strings.Count(a.text, " ")+1, MaxLines)), a.value())})
		}
		if err := r.attribute(a, atSession); err != nil {
			return err
		}
	}
	r.session, r.common = r.part, *in
	*in = side{}
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
	offerer, open := r.old.offerer()
	r.answer = open && offerer != r.author
	switch n := len(r.doc.media); {
	case n < len(r.old):
		return &Error{Msg: "has fewer m-lines than were negotiated"}
	case r.answer && n > len(r.old):
		return &Error{Line: r.doc.media[len(r.old)].head.number, Text: r.doc.media[len(r.old)].head.text, Msg: "the offer has no such m-line"}
	}
	r.mids = make([]string, len(r.doc.media))
	for i := range r.doc.media {
		if err := r.checkMid(i); err != nil {
			return err
		}
	}
	for i, mid := range r.mids {
		if mid == "" && !r.doc.media[i].rejected() {
			r.mids[i] = r.inventMid(i)
		}
	}
	for i := range r.grouped {
		if g := &r.grouped[i]; len(g.fields) > 1 && g.fields[0] == "BUNDLE" {
			g.bundle = r.existing(g.fields[1:])
		}
	}
	return nil
}

// existing returns the mids that there are, each once: of others a stranger can name a hundred thousand.
func (r *reader) existing(mids []string) []string {
	if len(mids) <= len(r.mids) {
		return mids
	}
	out := make([]string, 0, len(r.mids))
	for _, mid := range mids {
		if len(out) < len(r.mids) && slices.Contains(r.mids, mid) && !slices.Contains(out, mid) {
			out = append(out, mid)
		}
	}
	return out
}

func (r *reader) checkMid(i int) error {
	s := &r.doc.media[i]
	var a attr
	said := s.mid > 0
	if said {
		a = r.doc.at(s.mid - 1)
		if !isToken(a.value()) {
			return &Error{Line: a.number, Text: a.text, Msg: "mid is no token" + form("mid")}
		}
		if slices.Contains(r.mids[:i], a.value()) {
			return &Error{Line: a.number, Text: a.text, Msg: "mid is used twice"}
		}
		r.mids[i] = a.value()
	}
	if i >= len(r.old) || r.old[i].State != Live || s.rejected() {
		return nil
	}
	if r.old[i].Kind != s.media {
		return &Error{Line: s.head.number, Text: s.head.text, Msg: "m-line changed from " + r.old[i].Kind}
	}
	if said && r.old[i].Mid != a.value() {
		return &Error{Line: a.number, Text: a.text, Msg: "mid changed from " + strconv.Quote(r.old[i].Mid)}
	}
	return nil
}

// inventMid names a section that does not say a mid: as before, else after its media.
func (r *reader) inventMid(i int) string {
	if i < len(r.old) && r.old[i].State == Live {
		return r.old[i].Mid
	}
	mid := r.doc.media[i].media
	for n := 2; slices.Contains(r.mids, mid) || r.lines.used(mid); n++ {
		mid = r.doc.media[i].media + strconv.Itoa(n)
	}
	return mid
}

// readMedia reads one section and enters it into the lines.
func (r *reader) readMedia(i int) error {
	s := &r.doc.media[i]
	line := r.line(i)
	if s.rejected() {
		r.rejectLine(i, line)
		return nil
	}
	if !s.isRTP() && !s.isData() {
		r.lose(s.head, "neither RTP nor data channels: not translated")
		return nil
	}
	r.out.Contents = append(r.out.Contents, jingle.Content{Creator: line.Creator, Name: line.Name})
	r.content = &r.out.Contents[len(r.out.Contents)-1]
	clear(r.at[:])
	clear(r.said[:])
	return r.readPart()
}

// rejectLine takes port 0: in an offer for what was in use, in an answer for what was offered.
func (r *reader) rejectLine(i int, line *Line) {
	switch {
	case i >= len(r.old):
		r.lose(r.doc.media[i].head, "rejected; Jingle says so by leaving out what was offered, and the offer is not known")
		line.State = Rejected
	case r.old[i].State == Free:
		line.State = Free
	case r.answer && r.old[i].State == Rejected:
		line.State = Free
	default:
		line.State = Rejected
	}
}

// line returns the entry of a section, making one for a section that is new.
func (r *reader) line(i int) *Line {
	s := &r.doc.media[i]
	known := i < len(r.old) && (r.old[i].State == Live || s.rejected() || r.old[i].Mid == r.mids[i])
	if i >= len(r.lines) {
		r.lines = append(r.lines, Line{})
	}
	line := &r.lines[i]
	if !known {
		*line = Line{Mid: r.mids[i], Name: r.name(i), Creator: r.author, Kind: s.media, Past: line.past()}
	}
	if r.answer {
		line.Offered.Open = false
		return line
	}
	line.Proto, line.Formats = s.proto, s.formats
	line.State, line.Offered = Live, Offered{Open: true, By: r.author}
	return line
}

// name returns the name of a new content: the mid where every client takes that, else a number, which is a loss.
func (r *reader) name(i int) string {
	mid := r.mids[i]
	taken := func(name string) bool {
		for j := range r.lines {
			if l := &r.lines[j]; l.State != Free && l.Name == name {
				return true
			}
		}
		return name != mid && slices.Contains(r.mids[i:], name)
	}
	if isMid(mid) && !taken(mid) {
		return mid
	}
	a, _ := r.doc.attr(&r.doc.media[i], "mid")
	for n := i; ; n++ {
		if name := strconv.Itoa(n); !taken(name) {
			if a.number > 0 && !r.doc.media[i].rejected() {
				r.lose(a.line, "too long for the name of a content, or taken; this has a number")
			}
			return name
		}
	}
}

// finishContents resolves what sections share and takes over the contents.
func (r *reader) finishContents() error {
	for i := range r.media {
		if r.part = r.media[i]; r.content == nil {
			continue
		}
		r.inherit()
		bundle := r.bundle(r.mid)
		if r.ice.Ufrag == "" || len(r.ice.Fingerprints) == 0 {
			if t := r.tagged(bundle); t != nil {
				r.inheritTransport(t.ice, t.setup)
			}
		}
		if err := r.finish(&r.lines[i]); err != nil {
			return err
		}
		r.media[i] = r.part
		switch {
		case r.answer && r.content.RTP != nil:
			r.lines[i].HdrExts = r.content.RTP.HdrExts
		case !r.answer:
			r.lines[i].Offered = Offered{
				Open: true, By: r.author, RTP: r.content.RTP, Senders: r.content.Senders, Setup: r.setup, Bundled: bundle != nil,
				BundleOnly: r.section.bundleOnly,
			}
		}
	}
	return nil
}

// loseUnshared reports what is said for all RTP where there is none.
func (r *reader) loseUnshared() {
	if slices.ContainsFunc(r.out.Contents, func(c jingle.Content) bool { return c.RTP != nil }) {
		return
	}
	for i := r.doc.session.begin; i < r.doc.session.end; i++ {
		a := r.doc.at(i)
		if levels[a.known] == inRTP|atSession {
			r.lose(a.line, "no RTP that it is said for")
		}
	}
}

// bundle returns the BUNDLE group of a section, or nil.
func (r *reader) bundle(mid string) []string {
	for i := range r.grouped {
		if b := r.grouped[i].bundle; slices.Contains(b, mid) {
			return b
		}
	}
	return nil
}

// tagged returns the section whose transport the bundled ones use (RFC 9143 section 7.1).
func (r *reader) tagged(bundle []string) *part {
	for _, first := range bundle {
		for i := range r.media {
			if m := &r.media[i]; m.mid == first && !m.section.rejected() {
				return m
			}
		}
	}
	return nil
}

// groups translates a=group, naming contents.  Conversations counts m-lines by the order in the group, so none may be missing.
func (r *reader) groups() {
	for i := range r.grouped {
		said := &r.grouped[i]
		if len(said.fields) == 0 {
			r.lose(said.line, "group without semantics")
			continue
		}
		g := r.group(said)
		switch {
		case len(g.Names) == 0 && len(said.fields) > 1:
			r.lose(said.line, "no content of the group is left")
		case len(g.Names) == 0:
		case len(r.out.Groups) >= maxGroups:
			r.lose(said.line, "too many groups")
		default:
			r.out.Groups = append(r.out.Groups, g)
		}
	}
}

// group translates the semantics and mids of a group.
func (r *reader) group(said *grouped) jingle.Group {
	g := jingle.Group{Semantics: said.fields[0], Names: make([]string, 0, min(len(said.fields), len(r.mids)))}
	strange := ""
	for _, mid := range said.fields[1:] {
		i := slices.Index(r.mids, mid)
		switch {
		case i < 0 && strange == "":
			strange = mid
		case i >= 0 && r.media[i].content != nil && !slices.Contains(g.Names, r.lines[i].Name):
			g.Names = append(g.Names, r.lines[i].Name)
		}
	}
	if strange != "" && len(g.Names) > 0 {
		r.lose(said.line, "no m-line has the mid "+strconv.Quote(strange))
	}
	return g
}
