package call

import (
	"maps"
	"slices"

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
	if !t.open {
		t.hold(c)
	}
	return t.open
}

func (t *trickle[T]) hold(c T) {
	if len(t.held) < maxHeldCandidates {
		t.held = append(t.held, c)
	}
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
	restart  *jingle.Stanza // answers an ICE restart of the peer, and waits for a candidate to go with
	usable   bool           // one could be sent
	gathered bool           // the tab has no more
	warned   bool
}

// tabCandidate is a candidate of the tab.
type tabCandidate struct {
	mid       string
	line      int
	ufrag     string
	candidate jingle.Candidate
}

// shown is what the tab has of a content of the peer's.
type shown struct {
	ufrag string
	count int // candidates of that generation that it was told, or was not to be told
	ended bool
}

// key names a content in a map.
type key struct {
	creator jingle.Role
	name    string
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

// loosen takes the candidates out of a description: those of a later offer or answer go one by one, as if they had been trickled.
func (s *session) loosen(d *jingle.Description, lines sdpconv.Lines) []tabCandidate {
	var list []tabCandidate
	for i := range d.Contents {
		c := &d.Contents[i]
		at := lines.Find(c.Creator, c.Name)
		if c.ICE == nil || at < 0 {
			continue
		}
		for _, one := range c.ICE.Candidates {
			list = append(list, tabCandidate{mid: lines[at].Mid, line: at, ufrag: c.ICE.Ufrag, candidate: one})
		}
		ice := *c.ICE
		ice.Candidates, ice.GatheringComplete = nil, false
		c.ICE = &ice
	}
	return list
}

// browserCandidate takes a candidate of the tab.
func (s *session) browserCandidate(in BrowserCandidate) {
	if s.state == Ringing { // of a tab that may not be the one to take the call
		return
	}
	if in.Candidate == "" {
		s.up.gathered = true
		s.warn()
		s.restartWithout()
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
	if ufrag == "" {
		ufrag = in.Ufrag
	}
	if s.up.count >= maxCandidates {
		return
	}
	s.up.count++
	s.up.hold(tabCandidate{mid: in.Mid, line: in.Line, ufrag: ufrag, candidate: c})
	s.sendHeld()
}

// warn tells a person once that nothing the browser found can be used.
func (s *session) warn() {
	if !s.up.gathered || s.up.usable || s.up.warned || s.cfg.TURN || len(s.lines) == 0 {
		return
	}
	s.up.warned = true
	s.tell(s.tab, Warning{Code: WarnNoRoute})
}

// sendHeld lets those of the tab's candidates go whose description the peer has.
func (s *session) sendHeld() {
	if !s.up.open {
		return
	}
	held := s.up.held
	s.up.held = nil
	for _, tc := range held {
		if !s.sendCandidate(tc) && (s.neg != nil || s.up.restart != nil) {
			s.up.hold(tc)
		}
	}
}

// sendCandidate sends one candidate, with the credentials that it belongs to: Monal refuses it without, and reads only the first
// candidate of a stanza.  It reports false for one of another generation than the peer knows, or of a section that it does not have.
func (s *session) sendCandidate(tc tabCandidate) bool {
	lines := s.lines
	if s.neg != nil {
		lines = s.neg.offered
	}
	line := lineAt(lines, tc.mid, tc.line)
	if line < 0 {
		return false
	}
	tc.candidate.ID = s.cfg.NewID()
	if s.restartWith(lines[line], tc) {
		return true
	}
	i := s.agreed.Find(lines[line].Creator, lines[line].Name)
	if i < 0 {
		return false
	}
	mine := s.agreed.Said(i, s.role)
	if mine == nil || mine.ICE == nil || tc.ufrag != "" && tc.ufrag != mine.ICE.Ufrag {
		return false
	}
	if len(mine.ICE.Candidates) >= sdpconv.MaxCandidates || // more are not kept, and could not be told from new ones
		slices.ContainsFunc(mine.ICE.Candidates, func(c jingle.Candidate) bool { return same(c, tc.candidate) }) {
		return true
	}
	a := jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{{
		Creator: mine.Creator,
		Name:    mine.Name,
		ICE:     &jingle.Transport{Ufrag: mine.ICE.Ufrag, Pwd: mine.ICE.Pwd, Candidates: []jingle.Candidate{tc.candidate}},
	}}}
	s.request(a)
	if next, err := sdpconv.Apply(s.agreed, a, s.role); err == nil {
		s.agreed = next
	}
	return true
}

// same compares candidates but for the names that writers give them.
func same(a, b jingle.Candidate) bool {
	a.ID, a.Network = b.ID, b.Network
	return a == b
}

// show gives the tab a description of the peer's, and notes what it then has of it.
func (s *session) show(e Event, d jingle.Description) {
	s.tell(s.tab, e)
	if s.shown == nil {
		s.shown = map[key]shown{}
	}
	maps.DeleteFunc(s.shown, func(k key, _ shown) bool { return !s.agreed.Has(k.creator, k.name) })
	for _, c := range d.Contents {
		if c.ICE == nil {
			continue
		}
		k, now := key{c.Creator, c.Name}, shown{ufrag: c.ICE.Ufrag, count: len(c.ICE.Candidates), ended: c.ICE.GatheringComplete}
		if was, ok := s.shown[k]; ok && was.ufrag == now.ufrag {
			now.count, now.ended = max(was.count, now.count), was.ended || now.ended
		}
		s.shown[k] = now
	}
	s.tellCandidates()
}

// tellCandidates hands the tab those candidates of the peer whose description it has.  Those of component 2 it has no use for: browsers use
// rtcp-mux only, and Dino sends them all the same.
func (s *session) tellCandidates() {
	lines := s.lines
	if s.neg != nil && !s.neg.ours {
		lines = s.neg.offered
	}
	for i, c := range s.agreed.Contents {
		k := key{c.Creator, c.Name}
		has, ok := s.shown[k]
		t := s.transport(i)
		line := lines.Find(c.Creator, c.Name)
		if !ok || t == nil || t.Ufrag != has.ufrag || line < 0 || lines[line].State != sdpconv.Live {
			continue
		}
		for _, one := range t.Candidates[min(has.count, len(t.Candidates)):] {
			if one.Component == 1 {
				s.tell(s.tab, RemoteCandidate{Mid: lines[line].Mid, Line: line, Candidate: sdpconv.FormatCandidate(one, t.Ufrag)})
			}
		}
		if t.GatheringComplete && !has.ended {
			s.tell(s.tab, RemoteCandidate{Mid: lines[line].Mid, Line: line})
		}
		s.shown[k] = shown{ufrag: has.ufrag, count: len(t.Candidates), ended: has.ended || t.GatheringComplete}
	}
}

// transport returns the peer's transport for a content, as last proposed.
func (s *session) transport(i int) *jingle.Transport {
	them := s.role.Other()
	if r := s.agreed.Contents[i].Replacement; r != nil && r.By == them {
		return r.ICE
	}
	if said := s.agreed.Said(i, them); said != nil {
		return said.ICE
	}
	return nil
}

// lineAt finds the m-line that a browser means, which names it by mid or by index.  -1 says that there is none.
func lineAt(lines sdpconv.Lines, mid string, index int) int {
	if mid == "" && index >= 0 && index < len(lines) {
		return index
	}
	return lines.FindMid(mid)
}
