package call

import (
	"errors"
	"slices"

	"carillon/jingle"
	"carillon/sdpconv"
)

// peerChange takes an action of the peer that is about contents.
func (s *session) peerChange(in PeerRequest) {
	a := in.Jingle
	switch a.Action {
	case jingle.TransportInfo:
		s.peerTransport(in)
	case jingle.SessionAccept, jingle.ContentAccept, jingle.ContentReject, jingle.TransportAccept, jingle.TransportReject:
		s.peerAnswers(in)
	case jingle.ContentModify:
		if s.about(a, s.pending()) {
			s.peerAnswers(in)
			return
		}
		s.peerAsks(in)
	default:
		s.peerAsks(in)
	}
}

// about tells whether an action names one of the contents.
func (s *session) about(a jingle.Stanza, contents []jingle.Content) bool {
	if n := s.neg; n != nil && n.current != nil && n.current.Action == jingle.ContentAdd {
		contents = append(contents, n.current.Contents...) // its result is still to come
	}
	return slices.ContainsFunc(contents, func(c jingle.Content) bool {
		return slices.ContainsFunc(a.Contents, func(x jingle.Content) bool { return x.Name == c.Name })
	})
}

// peerAnswers takes what the peer makes of a proposal of ours.  It may come before the result of the proposal, and is that too.
func (s *session) peerAnswers(in PeerRequest) {
	next, err := sdpconv.Apply(s.agreed, in.Jingle, s.role.Other())
	if n := s.neg; err != nil && n != nil && n.current != nil {
		if first, refusal := sdpconv.Apply(s.agreed, *n.current, s.role); refusal == nil {
			if next, err = sdpconv.Apply(first, in.Jingle, s.role.Other()); err == nil {
				n.current, n.tag = nil, 0
			}
		}
	}
	switch {
	case err != nil && slices.ContainsFunc(in.Jingle.Contents, func(c jingle.Content) bool { return slices.Contains(s.withdrawn, c.Name) }):
		s.answer(in, nil) // it crossed our taking it back
		return
	case err != nil:
		s.answer(in, refusalOf(err))
		return
	case in.Jingle.Action == jingle.ContentModify && s.widened(next):
		s.answer(in, jingle.ErrNotAcceptable)
		return
	}
	s.answer(in, nil)
	declined := len(next.Contents) < len(s.agreed.Contents)
	if s.neg == nil { // Movim repeats what it has, with changes of its own
		s.take(in.Jingle, next)
		return
	}
	s.agreed = next
	if s.local() {
		if declined {
			s.tell(s.tab, Warning{Code: WarnNotTaken})
		}
		s.sendHeld()
		s.pursue()
	}
}

// widened tells whether the peer wants to send where the tab's offer that is out receives nothing: Conversations (2.19) would send video both
// ways where a screen is shown, and takes an error for a no.
func (s *session) widened(next jingle.Session) bool {
	if !s.local() {
		return false
	}
	them := s.role.Other()
	for i, c := range next.Contents {
		j := s.neg.want.Find(c.Creator, c.Name)
		if next.Proposed(i, s.role) && c.Senders.Sends(them) && j >= 0 && !s.neg.want.Contents[j].Senders.Sends(them) {
			return true
		}
	}
	return false
}

// refusalOf is the error that the peer is answered.
func refusalOf(err error) *jingle.Error {
	var refusal *jingle.Error
	if errors.As(err, &refusal) {
		return refusal
	}
	return jingle.ErrBadRequest
}

// peerAsks takes what the peer wants to change.
func (s *session) peerAsks(in PeerRequest) {
	a, them := in.Jingle, s.role.Other()
	next, err := sdpconv.Apply(s.agreed, a, them)
	gone := a.Action == jingle.ContentRemove && err != nil
	tie := s.ties(a)
	switch {
	case s.role == jingle.Initiator && (tie || s.tiesLate(a)):
		s.answer(in, jingle.ErrTieBreak)
		return
	case gone && len(a.Contents) > 0: // of what was rejected, or removed by both
		s.answer(in, nil)
		return
	case a.Action == jingle.ContentAdd && errors.Is(err, jingle.ErrNotAcceptable):
		s.answer(in, nil)
		s.reject(a)
		return
	case err != nil && s.neg == nil:
		s.answer(in, refusalOf(err))
		return
	case len(s.queue) >= maxQueue:
		s.answer(in, jingle.ErrTooMuch)
		return
	}
	s.answer(in, nil)
	switch {
	case err == nil && !hasMedia(next): // nothing is left to be changed
		s.agreed = next
		s.giveUp(s.verdict(a.Reason))
	case tie, s.local() && s.neg.tied:
		s.enqueue(a)
		s.giveWay()
		s.presentAnyway()
	case s.neg != nil && !s.neg.ours && a.Action == jingle.ContentRemove && s.proposedBy(a, them):
		s.agreed = next // it takes back what the tab has not answered yet
	case s.neg != nil:
		s.enqueue(a)
	default:
		s.take(a, next)
	}
}

// reject rejects what never came to be part of the session.  An error in its place would end the call at Conversations (2.19), which also
// compares name, media and senders with what it asked for, and wants a transport.
func (s *session) reject(a jingle.Stanza) {
	stubs := make([]jingle.Content, 0, len(a.Contents))
	for _, c := range a.Contents {
		stub := jingle.Content{Creator: c.Creator, Name: c.Name, Senders: c.Senders}
		if c.RTP != nil {
			stub.RTP = &jingle.RTP{Media: c.RTP.Media}
		}
		if c.ICE != nil {
			stub.ICE = &jingle.Transport{}
		}
		stubs = append(stubs, stub)
	}
	s.request(jingle.Stanza{Action: jingle.ContentReject, Contents: stubs, Reason: &jingle.Reason{Condition: jingle.FailedApplication}})
}

// ties tells whether the peer's action is the same as one of ours that it has not answered.
func (s *session) ties(a jingle.Stanza) bool {
	if !s.local() {
		return false
	}
	if c := s.neg.current; c != nil && sdpconv.Tie(s.agreed, *c, a, s.role) {
		return true
	}
	return a.Action == jingle.ContentAdd && s.about(a, s.pending())
}

// tiesLate tells the same of actions that we do not wait for any more: the peer may have taken them before it took its own.
func (s *session) tiesLate(a jingle.Stanza) bool {
	for _, ours := range s.forsaken {
		if sdpconv.Tie(s.agreed, ours, a, s.role) {
			return true
		}
	}
	return false
}

// proposedBy tells whether an action names only contents that the party has proposed and the other not accepted.
func (s *session) proposedBy(a jingle.Stanza, by jingle.Role) bool {
	return !slices.ContainsFunc(a.Contents, func(c jingle.Content) bool {
		i := s.agreed.Find(c.Creator, c.Name)
		return i < 0 || !s.agreed.Proposed(i, by)
	})
}

// enqueue keeps what was acknowledged until it can be done.
func (s *session) enqueue(a jingle.Stanza) {
	if len(s.queue) < maxQueue {
		s.queue = append(s.queue, a)
	}
}

// drain takes what the peer has asked for meanwhile, as far as it can be done at once.
func (s *session) drain() {
	for s.neg == nil && s.state.accepted() && len(s.queue) > 0 {
		a := s.known(s.queue[0])
		s.queue = s.queue[1:]
		next, err := sdpconv.Apply(s.agreed, a, s.role.Other())
		switch {
		case err == nil:
			s.take(a, next)
		case a.Action == jingle.ContentAdd:
			s.reject(a)
		}
	}
}

// take changes the session as the peer wants, and offers the tab what it has to know of that.
func (s *session) take(a jingle.Stanza, next jingle.Session) {
	before := s.agreed
	if a.Action == jingle.TransportInfo && sdpconv.Restarts(before, next, s.role.Other()) {
		next = owing(next, s.role, true)
	}
	s.agreed = next
	switch {
	case !hasMedia(next):
		s.giveUp(s.verdict(a.Reason))
	case !s.presentable():
		s.decline()
	case next.Pending(s.role.Other()), sdpconv.Renegotiates(before, next, s.role.Other()):
		s.present()
	default:
		s.tellCandidates()
	}
}

// hasMedia tells whether a session has sound or picture that is not merely proposed.
func hasMedia(s jingle.Session) bool {
	for i, c := range s.Contents {
		said := s.Said(i, c.Creator)
		if !c.Pending && (said == nil || said.RTP != nil) {
			return true
		}
	}
	return false
}

// presentable tells whether a browser could take what the peer has proposed: sound or picture over ICE.
func (s *session) presentable() bool {
	them := s.role.Other()
	for i, c := range s.agreed.Contents {
		if r := c.Replacement; r != nil && r.By == them && r.ICE == nil {
			return false
		}
		if said := s.agreed.Said(i, them); s.agreed.Proposed(i, them) && (!audible(*said) || said.ICE == nil) {
			return false
		}
	}
	return true
}

// present offers the tab the session as the peer wants it.  What no browser can take is rejected.
func (s *session) present() {
	if !s.tryPresent() {
		s.decline()
	}
}

// presentAnyway offers the tab something, because an offer of its own was dropped.
func (s *session) presentAnyway() {
	s.drain()
	if s.neg != nil || !s.state.accepted() || s.tryPresent() {
		return
	}
	s.giveUp(Failed)
}

func (s *session) tryPresent() bool {
	d := s.forTab(sdpconv.Offer, s.lines)
	sdp, offered, losses, err := sdpconv.ToSDP(d, s.role.Other(), sdpconv.Offer, s.lines, s.origin())
	if err != nil {
		return false
	}
	s.note(losses)
	s.neg = &negotiation{offered: offered}
	s.show(RemoteOffer{SDP: sdp}, d)
	s.awaitAnswer()
	return true
}

// decline rejects what the peer has proposed, without asking the tab.
func (s *session) decline() {
	kept := s.agreed
	kept.Contents = slices.Clone(kept.Contents)
	for i := range kept.Contents {
		if r := kept.Contents[i].Replacement; r != nil && r.By != s.role {
			kept.Contents[i].Replacement = nil
		}
	}
	want := sdpconv.Respond(kept, s.role, sdpconv.Describe(kept, s.role, sdpconv.Answer))
	s.carry(s.changes(want))
	s.agreed = sdpconv.Settle(s.agreed, want, s.role)
}

// awaitAnswer gives the tab time for its answer while it has a socket: for one that has none there is the grace period.
func (s *session) awaitAnswer() {
	switch {
	case s.neg == nil || s.neg.ours:
	case s.pages.lost():
		s.stop(TimerAnswer)
	default:
		s.start(TimerAnswer)
	}
}

// reanswer takes the tab's answer to what the peer has changed.  One that cannot be used leaves the tab the rest of its time for another.
func (s *session) reanswer(in BrowserAnswer) {
	offered := s.overdueOffer
	if s.neg != nil {
		offered = s.neg.offered
	}
	if s.local() || offered == nil {
		s.refuse(in.Tab, refusedAnswer)
		return
	}
	d, lines, err := s.describe(in.SDP, offered)
	if err != nil {
		s.refuse(in.Tab, unusableSDP("answer", err))
		return
	}
	s.overdueOffer = nil
	s.up.renew()
	gathered := s.loosen(&d, lines)
	s.endNegotiation()
	s.lines = lines
	want := sdpconv.Respond(s.agreed, s.role, d)
	s.carry(s.answering(s.changes(want), want))
	s.agreed = sdpconv.Settle(s.agreed, want, s.role)
	for _, c := range gathered {
		s.up.hold(c)
	}
	s.sendHeld()
	s.tellCandidates()
	s.tidy()
	s.drain()
}

// unanswered goes on without the tab's answer: what the peer has proposed is rejected, and the tab's connection stays as it was, unless the
// answer still comes.
func (s *session) unanswered() {
	n := s.neg
	s.overdueOffer = n.offered
	s.endNegotiation()
	s.decline()
	switch {
	case n.again:
		s.giveUp(NoMedia)
	case n.dropped:
		s.presentAnyway()
		if s.neg != nil {
			s.neg.again = true
		}
	default:
		s.drain()
	}
}

// tidy has the tab close what only it still has.
func (s *session) tidy() {
	if s.neg == nil && s.state.accepted() && s.stray() {
		s.present()
	}
}

// stray tells whether the tab has a section open for what the peer has taken back.
func (s *session) stray() bool {
	return slices.ContainsFunc(s.lines, func(l sdpconv.Line) bool {
		return l.State == sdpconv.Live && l.Kind != "application" && s.agreed.Find(l.Creator, l.Name) < 0
	})
}
