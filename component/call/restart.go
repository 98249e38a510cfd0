package call

import (
	"slices"

	"carillon/jingle"
	"carillon/sdpconv"
)

// restarting tells whether an action changes the ICE credentials of the party that takes it.
func (s *session) restarting(a jingle.Stanza, by jingle.Role) bool {
	next, err := sdpconv.Apply(s.agreed, a, by)
	return err == nil && a.Action == jingle.TransportInfo && sdpconv.Restarts(s.agreed, next, by)
}

// owing returns a session in which a party owes the answer to an ICE restart for all contents, or the restart is over when by is nobody.
// A restart is one event for the two parties, whatever contents have come and gone meanwhile: counted by content it would
// be half an answer and half a restart, which calls for another.
func owing(x jingle.Session, by jingle.Role, owes bool) jingle.Session {
	x.Contents = slices.Clone(x.Contents)
	for i := range x.Contents {
		c := &x.Contents[i]
		c.ICE[by].Owed = owes && !c.Pending
		c.ICE[by.Other()].Owed = false
	}
	return x
}

// owes tells whether a party owes the other the answer to an ICE restart.
func (s *session) owes(by jingle.Role) bool {
	return slices.ContainsFunc(s.agreed.Contents, func(c jingle.Shared) bool { return c.ICE[by].Owed })
}

// answering makes one action of all by which new credentials of ours answer an ICE restart of the peer's.
func (s *session) answering(actions []jingle.Stanza, want jingle.Session) []jingle.Stanza {
	if !s.owes(s.role) {
		return actions
	}
	var rest []jingle.Stanza
	for _, a := range actions {
		if a.Action != jingle.TransportInfo {
			rest = append(rest, a)
		}
	}
	answer := jingle.Stanza{Action: jingle.TransportInfo}
	for i, c := range s.agreed.Contents {
		j := want.Find(c.Creator, c.Name)
		if s.agreed.Said(i, s.role) == nil || j < 0 {
			continue
		}
		if mine := want.Said(j, s.role); mine != nil && mine.ICE != nil && mine.ICE.Ufrag != "" {
			ice := &jingle.Transport{TCP: mine.ICE.TCP, Ufrag: mine.ICE.Ufrag, Pwd: mine.ICE.Pwd, Options: mine.ICE.Options}
			answer.Contents = append(answer.Contents, jingle.Content{Creator: c.Creator, Name: c.Name, Senders: c.Senders, ICE: ice})
		}
	}
	if !s.restarting(answer, s.role) {
		return actions
	}
	return append(rest, answer)
}

// holdsRestart keeps the answer to an ICE restart back until there is a candidate to go with it: without one Conversations (2.19) takes
// it for a restart of ours, and XEP-0176 knows a restart by its candidates.
func (s *session) holdsRestart(a jingle.Stanza) bool {
	if s.profile.Restart == jingle.RestartInfo || !s.restarting(a, s.role) || hasCandidate(a) {
		return false
	}
	s.up.restart = &a
	return true
}

func hasCandidate(a jingle.Stanza) bool {
	return slices.ContainsFunc(a.Contents, func(c jingle.Content) bool { return c.ICE != nil && len(c.ICE.Candidates) > 0 })
}

// restartWith sends the answer to an ICE restart that waited for a candidate, if this one belongs to it.
func (s *session) restartWith(line sdpconv.Line, tc tabCandidate) bool {
	if s.up.restart == nil {
		return false
	}
	a := *s.up.restart
	a.Contents = slices.Clone(a.Contents)
	i := slices.IndexFunc(a.Contents, func(c jingle.Content) bool {
		return c.Name == line.Name && c.Creator == line.Creator && c.ICE != nil && (tc.ufrag == "" || tc.ufrag == c.ICE.Ufrag)
	})
	if i < 0 {
		return false
	}
	ice := *a.Contents[i].ICE
	ice.Candidates = []jingle.Candidate{tc.candidate}
	a.Contents[i].ICE = &ice
	s.up.restart = nil
	s.request(s.known(a))
	if next, err := sdpconv.Apply(s.agreed, s.known(a), s.role); err == nil {
		s.agreed = owing(next, s.role, false)
	}
	return true
}

// restartWithout sends the answer to an ICE restart although the tab has found no candidate that may be sent (Firefox has only names of mDNS
// as long as nobody allowed it a microphone): the peer's checks need none of ours.  The one that goes with it leads nowhere, as the
// default destination of a section without candidates (RFC 8840 section 4.3.1).
func (s *session) restartWithout() {
	if s.up.restart == nil || len(s.up.restart.Contents) == 0 {
		return
	}
	first := s.up.restart.Contents[0]
	nowhere := jingle.Candidate{ID: s.cfg.NewID(), Component: 1, Foundation: "1", IP: "0.0.0.0", Port: 9, Priority: 1, Protocol: "udp", Type: "host"}
	if i := s.agreed.Find(first.Creator, first.Name); i >= 0 {
		nowhere.Generation = s.agreed.Contents[i].ICE[s.role].Number + 1
	}
	s.restartWith(sdpconv.Line{Creator: first.Creator, Name: first.Name}, tabCandidate{candidate: nowhere})
	s.sendHeld()
}

// peerTransport takes candidates and ICE restarts.  It is never answered with an error, at which Conversations would end the call, but for
// a tie.
func (s *session) peerTransport(in PeerRequest) {
	them := s.role.Other()
	a := s.known(in.Jingle)
	answers := s.answersRestart(a)
	next, err := sdpconv.Apply(s.agreed, a, them)
	switch {
	case err != nil:
		s.answer(in, nil)
	case !sdpconv.Restarts(s.agreed, next, them):
		s.answer(in, nil)
		s.agreed = next
		s.tellCandidates()
	case answers:
		s.answer(in, nil)
		before := s.agreed
		if s.agreed = next; !owesApart(before, next, a, them) {
			s.agreed = owing(next, them, false)
		}
		s.pursue()
	case s.local() && s.neg.restarts && s.role == jingle.Initiator:
		s.answer(in, jingle.ErrTieBreak)
	default:
		s.answer(in, nil)
		s.peerRestarts(a, next)
	}
}

// owesApart tells whether a party that answered an ICE restart for some contents owes it still for others, which have a transport of their
// own: without BUNDLE each content is answered by itself.
func owesApart(before, after jingle.Session, answer jingle.Stanza, by jingle.Role) bool {
	answered := map[string]bool{}
	for _, c := range answer.Contents {
		if i := before.Find(c.Creator, c.Name); i >= 0 {
			if said := before.Said(i, by); said != nil && said.ICE != nil {
				answered[said.ICE.Ufrag] = true
			}
		}
	}
	for i, c := range after.Contents {
		if said := after.Said(i, by); c.ICE[by].Owed && said != nil && said.ICE != nil && !answered[said.ICE.Ufrag] {
			return true
		}
	}
	return false
}

// known leaves out of a transport-info the contents that the session does not have: it may have crossed their end, and says something of
// the others all the same.
func (s *session) known(a jingle.Stanza) jingle.Stanza {
	if a.Action == jingle.TransportInfo {
		a.Contents = slices.DeleteFunc(slices.Clone(a.Contents), func(c jingle.Content) bool { return s.agreed.Find(c.Creator, c.Name) < 0 })
	}
	return a
}

// answersRestart tells whether a transport-info with new credentials is the answer to an ICE restart of ours.  It may come before the result
// of that (stanza 12.22) and is that too.  Without a candidate it would be a restart of its own at Conversations (2.19).
func (s *session) answersRestart(a jingle.Stanza) bool {
	them := s.role.Other()
	if !s.local() || !s.restarting(a, them) || s.profile.Restart == jingle.RestartEmpty && !hasCandidate(a) {
		return false
	}
	if n := s.neg; n.current != nil && s.restarting(*n.current, s.role) {
		first := *n.current
		n.current, n.tag = nil, 0
		s.apply(first)
	}
	return s.neg.restarts && s.owes(them)
}

// peerRestarts takes an ICE restart of the peer.  It goes before a change of ours, because without it the call may end.
func (s *session) peerRestarts(a jingle.Stanza, next jingle.Session) {
	switch {
	case s.local():
		s.enqueue(a)
		s.giveWay()
		s.presentAnyway()
	case s.neg != nil:
		s.enqueue(a)
	default:
		s.outageGoesOn()
		s.take(a, next)
	}
}
