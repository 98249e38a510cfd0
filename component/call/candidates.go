package call

import (
	"carillon/jingle"
	"carillon/sdpconv"
)

// Bounds of the candidates of one side.  A browser gathers about twenty; the rest of such a flood is dropped.
const (
	maxHeldCandidates = 64
	maxCandidates     = 200
)

// trickle is the candidates of one direction.  They are held until the other side can take them.
type trickle[T any] struct {
	held  []T
	count int
	open  bool
}

// admit reports whether c may go on at once.  If not it is held, or dropped where there are too many.
func (t *trickle[T]) admit(c T) bool {
	if t.count >= maxCandidates {
		return false
	}
	t.count++
	if !t.open && len(t.held) < maxHeldCandidates {
		t.held = append(t.held, c)
	}
	return t.open
}

// renew allows for as many candidates again, of another negotiation.
func (t *trickle[T]) renew() { t.count = 0 }

// release lets candidates through from now on and returns those that were held.
func (t *trickle[T]) release() []T {
	held := t.held
	t.held, t.open = nil, true
	return held
}

// uplink is what the tab's candidates go through.
type uplink struct {
	trickle[tabCandidate]
	usable   bool // one could be sent
	gathered bool // the tab has no more
	warned   bool
}

// tabCandidate is a candidate of the tab.
type tabCandidate struct {
	mid       string
	line      int
	ufrag     string
	candidate jingle.Candidate
}

// peerCandidate is a candidate of the peer, or the end of them for an m-line.
type peerCandidate struct {
	line      int
	ufrag     string
	candidate jingle.Candidate
	end       bool
}

// forPeer returns a content of ours with only those candidates that may be sent.
func (s *session) forPeer(c jingle.Content) jingle.Content {
	ice := *c.ICE
	ice.Candidates = nil
	for _, one := range c.ICE.Candidates {
		if sdpconv.Sendable(one) && len(ice.Candidates) < maxHeldCandidates {
			one.ID = s.cfg.NewID()
			ice.Candidates = append(ice.Candidates, one)
			s.up.usable = true
		}
	}
	c.ICE = &ice
	return c
}

// forBrowser returns a content of the peer without the candidates that browsers have no use for: they use rtcp-mux only, and
// Dino sends component 2 all the same.
func forBrowser(c jingle.Content) jingle.Content {
	if c.ICE == nil {
		return c
	}
	ice := *c.ICE
	ice.Candidates = nil
	for _, one := range c.ICE.Candidates {
		if one.Component == 1 && len(ice.Candidates) < maxHeldCandidates {
			ice.Candidates = append(ice.Candidates, one)
		}
	}
	c.ICE = &ice
	return c
}

// browserCandidate takes a candidate of the tab.
func (s *session) browserCandidate(in BrowserCandidate) {
	if s.state == Ringing { // of a tab that may not be the one to take the call
		return
	}
	if in.Candidate == "" {
		s.up.gathered = true
		s.warn()
		return
	}
	c, ufrag, err := sdpconv.ParseCandidate(in.Candidate)
	if err != nil {
		s.refuse(in.Tab, "Your browser's ICE candidate cannot be read: "+err.Error())
		return
	}
	if !sdpconv.Sendable(c) {
		return
	}
	s.up.usable = true
	tc := tabCandidate{mid: in.Mid, line: in.Line, ufrag: ufrag, candidate: c}
	if s.up.admit(tc) {
		s.sendCandidate(tc)
	}
}

// warn tells a person once that nothing the browser found can be used.
func (s *session) warn() {
	if !s.up.gathered || s.up.usable || s.up.warned || s.cfg.TURN || len(s.lines) == 0 {
		return
	}
	s.up.warned = true
	s.tell(s.tab, Warning{Code: WarnNoRoute})
}

// sendHeld lets the tab's candidates go, once our description has left.
func (s *session) sendHeld() {
	for _, tc := range s.up.release() {
		s.sendCandidate(tc)
	}
}

// sendCandidate sends one candidate, with the credentials that it belongs to: Monal refuses it without, and reads only the first
// candidate of a stanza.  One of another generation, or of a section that we did not offer, is dropped.
func (s *session) sendCandidate(tc tabCandidate) {
	line := s.lineAt(tc.mid, tc.line)
	if line < 0 {
		return
	}
	content := contentOf(s.ours, s.lines[line])
	if content == nil || content.ICE == nil || (tc.ufrag != "" && tc.ufrag != content.ICE.Ufrag) {
		return
	}
	tc.candidate.ID = s.cfg.NewID()
	s.request(jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{{
		Creator: content.Creator,
		Name:    content.Name,
		ICE: &jingle.Transport{
			Ufrag:      content.ICE.Ufrag,
			Pwd:        content.ICE.Pwd,
			Candidates: []jingle.Candidate{tc.candidate},
		},
	}}})
}

// peerCandidates takes the candidates of a transport-info.
func (s *session) peerCandidates(contents []jingle.Content) {
	for _, c := range contents {
		line := s.lines.Find(c.Creator, c.Name)
		if line < 0 || c.ICE == nil {
			continue
		}
		for _, one := range forBrowser(c).ICE.Candidates {
			s.peerCandidate(peerCandidate{line: line, ufrag: c.ICE.Ufrag, candidate: one})
		}
		if c.ICE.GatheringComplete {
			s.peerCandidate(peerCandidate{line: line, ufrag: c.ICE.Ufrag, end: true})
		}
	}
}

func (s *session) peerCandidate(pc peerCandidate) {
	if s.down.admit(pc) {
		s.tellCandidate(pc)
	}
}

// tellHeld lets the peer's candidates through, once the tab has the peer's description.
func (s *session) tellHeld() {
	for _, pc := range s.down.release() {
		s.tellCandidate(pc)
	}
}

// tellCandidate hands a candidate to the tab.  One without a ufrag belongs to the description (stanza.js in Firefox writes none);
// one of another is dropped, because a browser refuses it and an ICE restart is not followed: see the package's limits.
func (s *session) tellCandidate(pc peerCandidate) {
	line := s.lines[pc.line]
	content := contentOf(s.theirs, line)
	if content == nil || content.ICE == nil || (pc.ufrag != "" && pc.ufrag != content.ICE.Ufrag) {
		return
	}
	event := RemoteCandidate{Mid: line.Mid, Line: pc.line}
	if !pc.end {
		event.Candidate = sdpconv.FormatCandidate(pc.candidate, content.ICE.Ufrag)
	}
	s.tell(s.tab, event)
}

// lineAt finds the m-line that a browser means, which names it by mid or by index.  -1 says that there is none.
func (s *session) lineAt(mid string, index int) int {
	if mid == "" && index >= 0 && index < len(s.lines) {
		return index
	}
	return s.lines.FindMid(mid)
}

// contentOf finds the content of an m-line in a description, or nil.
func contentOf(d jingle.Description, l sdpconv.Line) *jingle.Content {
	return find(d, l.Creator, l.Name)
}

// find returns the content of that creator and name, or one of that name alone: clients err in the creator.  It returns nil when
// there is none.
func find(d jingle.Description, creator jingle.Role, name string) *jingle.Content {
	var found *jingle.Content
	for i := range d.Contents {
		c := &d.Contents[i]
		if c.Name != name {
			continue
		}
		if c.Creator == creator {
			return c
		}
		found = c
	}
	return found
}
