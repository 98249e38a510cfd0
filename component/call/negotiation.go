package call

import (
	"slices"

	"carillon/jingle"
	"carillon/sdpconv"
)

// maxQueue bounds what a peer may ask for while something else is under way.
const maxQueue = 32

// maxWithdrawn bounds the names that are remembered of contents that we took back: only the last of them can still be on their way.
const maxWithdrawn = 2 * sdpconv.MaxLines

// A negotiation is a change of an accepted session that is under way: an offer of the tab, which becomes actions for the peer, or an offer to
// the tab, for what the peer has changed.  There is one at a time.  What the peer asks for meanwhile is acknowledged and waits.
//
// The session itself is always what the two parties have acknowledged; Lines are what the tab's peer connection has agreed to.  So nothing
// has to be undone when a negotiation is given up, besides what was proposed and not accepted.
type negotiation struct {
	ours     bool           // the tab's offer; else an offer to the tab
	offered  sdpconv.Lines  // after the offer that is out
	want     jingle.Session // ours: what the offer asks for
	todo     []jingle.Stanza
	current  *jingle.Stanza // ours: sent and not acknowledged
	tag      int            // of current
	tied     bool           // ours: the peer, who goes first, was about to do the same
	restarts bool           // ours: the peer was told to restart ICE
	dropped  bool           // an offer of the tab has given way
	again    bool           // the tab left one such offer to it without an answer already
}

// local tells whether an offer of the tab is being dealt with.
func (s *session) local() bool { return s.neg != nil && s.neg.ours }

// reoffer takes an offer of the tab in an accepted session.  One that crosses an offer to the tab gives way: the tab rolls it back.
func (s *session) reoffer(in BrowserOffer) {
	switch {
	case s.local():
		s.refuse(in.Tab, refusedBusy)
		return
	case s.neg != nil:
		s.neg.dropped = true
		return
	}
	d, offered, err := s.describe(in.SDP, s.lines)
	if err != nil {
		s.refuse(in.Tab, unusableSDP("offer", err))
		return
	}
	gathered := s.loosen(&d, offered)
	want, unasked := sdpconv.Propose(s.agreed, s.role, d)
	if sdpconv.Rekeys(s.agreed, want, s.role) && !s.profile.NewCredential {
		s.refuse(in.Tab, refusedKeys)
		return
	}
	s.note(unasked)
	actions := s.changes(want)
	s.neg = &negotiation{ours: true, offered: offered, want: want, todo: actions}
	s.overdueOffer = nil // the tab has done away with it
	s.up.renew()
	for _, c := range gathered {
		s.up.hold(c)
	}
	s.warnOfLimits(want, actions)
	s.pursue()
}

// changes returns the actions that lead to a session, and notes what no action can say.
func (s *session) changes(want jingle.Session) []jingle.Stanza {
	actions, unsaid := sdpconv.Diff(s.agreed, want, s.role, s.profile)
	s.note(unsaid)
	return actions
}

// warnOfLimits tells the person what the peer's application cannot do, if the offer asks for that.
func (s *session) warnOfLimits(want jingle.Session, actions []jingle.Stanza) {
	added, restarts := 0, false
	for _, a := range actions {
		if a.Action == jingle.ContentAdd {
			added++
		}
		restarts = restarts || s.restarting(a, s.role)
	}
	for i := range want.Contents {
		if want.Proposed(i, s.role) && !s.agreed.Has(want.Contents[i].Creator, want.Contents[i].Name) {
			added--
		}
	}
	if added < 0 {
		s.tell(s.tab, Warning{Code: WarnNotTaken})
	}
	if sdpconv.Restarts(s.agreed, want, s.role) && !restarts {
		s.warnOfRestart()
	}
}

// warnOfRestart says once that the peer's application cannot restart ICE.
func (s *session) warnOfRestart() {
	if !s.warnedRestart {
		s.warnedRestart = true
		s.tell(s.tab, Warning{Code: WarnNoRestart})
	}
}

// pursue sends the next action of the tab's change, or answers the tab when nothing is left to come.
func (s *session) pursue() {
	n := s.neg
	switch {
	case n.current != nil:
	case len(n.todo) > 0 && !n.tied:
		a, ok := s.behind(n.todo[0])
		n.todo = n.todo[1:]
		if !ok {
			s.pursue()
			return
		}
		if s.restarting(a, s.role) {
			n.restarts = true
			s.outageGoesOn()
		}
		n.tag, n.current = s.request(a), &a
		s.start(TimerChange)
	case n.tied: // what the peer was about to do comes, or has come
		s.start(TimerChange)
	case s.agreed.Pending(s.role) && s.profile.Add == jingle.AddAsked:
		s.stop(TimerChange)
		s.start(TimerAsk)
	case s.agreed.Pending(s.role), n.restarts && s.owes(s.role.Other()):
		s.start(TimerChange)
	default:
		s.settle()
	}
}

// acknowledged takes the reply to the action that is out.
func (s *session) acknowledged(in PeerReply) {
	n := s.neg
	a := *n.current
	n.current, n.tag = nil, 0
	switch {
	case in.Err == nil:
		s.apply(a)
	case in.Err.Condition == jingle.ErrTieBreak.Condition && s.role == jingle.Responder:
		n.tied = true
	default:
		s.failed(a)
	}
	if n.tied && len(s.queue) > 0 {
		s.giveWay()
		s.presentAnyway()
		return
	}
	s.pursue()
}

// apply takes an action of ours into the session, and lets the tab's candidates go that waited for it.
func (s *session) apply(a jingle.Stanza) {
	restarts, answers := s.restarting(a, s.role), s.owes(s.role)
	if next, err := sdpconv.Apply(s.agreed, a, s.role); err == nil {
		s.agreed = next
	}
	if restarts {
		s.agreed = owing(s.agreed, s.role.Other(), !answers)
	}
	s.sendHeld()
}

// failed tells the person what the peer refused or left without an answer.
func (s *session) failed(a jingle.Stanza) {
	switch {
	case a.Action == jingle.ContentAdd:
		s.tell(s.tab, Warning{Code: WarnNotTaken})
	case s.restarting(a, s.role):
		s.warnOfRestart()
	}
}

// overdue goes on without what the peer owes.
func (s *session) overdue() {
	if !s.local() {
		return
	}
	n := s.neg
	switch {
	case n.tied:
		s.settle()
		return
	case n.current != nil:
		a := *n.current
		s.forsake()
		s.failed(a)
	default:
		if list := s.pending(); len(list) > 0 {
			s.tell(s.tab, Warning{Code: WarnNotTaken})
			s.withdraw(list)
		}
		if n.restarts && s.owes(s.role.Other()) {
			s.warnOfRestart()
		}
		n.restarts = false
	}
	s.pursue()
}

// forsake stops waiting for the reply to the action that is out.  Should it come after all, it is seen to then.
func (s *session) forsake() {
	n := s.neg
	if n.current == nil {
		return
	}
	if s.forsaken == nil {
		s.forsaken = map[int]jingle.Stanza{}
	}
	s.forsaken[n.tag] = *n.current
	if n.current.Action == jingle.ContentAdd {
		s.forget(n.current.Contents)
	}
	n.current, n.tag = nil, 0
}

// forget notes contents that we took back: what the peer still says of them crossed that.
func (s *session) forget(contents []jingle.Content) {
	for _, c := range contents {
		if !slices.Contains(s.withdrawn, c.Name) {
			s.withdrawn = append(s.withdrawn, c.Name)
		}
	}
	s.withdrawn = s.withdrawn[max(0, len(s.withdrawn)-maxWithdrawn):]
}

// late takes the reply to an action that was forsaken.
func (s *session) late(in PeerReply) {
	a := s.forsaken[in.Tag]
	delete(s.forsaken, in.Tag)
	if in.Err != nil {
		return
	}
	if next, err := sdpconv.Apply(s.agreed, a, s.role); err == nil {
		s.agreed = next
	}
	if a.Action == jingle.ContentAdd {
		s.withdraw(a.Contents)
	}
	s.tidy()
}

// pending returns what we have proposed and the peer has not accepted.
func (s *session) pending() []jingle.Content {
	var list []jingle.Content
	for i, c := range s.agreed.Contents {
		if s.agreed.Proposed(i, s.role) {
			list = append(list, jingle.Content{Creator: c.Creator, Name: c.Name})
		}
	}
	return list
}

// withdraw takes contents back that the peer may not have accepted.
func (s *session) withdraw(contents []jingle.Content) {
	if len(contents) == 0 {
		return
	}
	s.forget(contents)
	without := s.agreed
	for _, c := range contents {
		named := jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Creator: c.Creator, Name: c.Name}}}
		if next, err := sdpconv.Apply(without, named, s.role); err == nil {
			without = next
		}
	}
	s.carry(s.changes(without))
}

// carry sends actions that nothing waits for.
func (s *session) carry(actions []jingle.Stanza) {
	for _, a := range actions {
		a, ok := s.behind(a)
		if !ok || s.holdsRestart(a) {
			continue
		}
		s.request(a)
		s.apply(a)
		if a.Action == jingle.SessionAccept { // it rejects what it does not name
			s.queue = slices.DeleteFunc(s.queue, func(q jingle.Stanza) bool { return q.Action == jingle.ContentAdd })
		}
	}
}

// behind returns an action without what the peer has changed since, which is acknowledged and still queued: of a direction the peer would
// take ours for the later word, and what it has removed it does not know any more.  What the tab makes of the peer's change
// follows when that is presented to it.  It reports false when nothing is left of the action.
func (s *session) behind(a jingle.Stanza) (jingle.Stanza, bool) {
	if a.Action != jingle.ContentModify && a.Action != jingle.SessionAccept {
		return a, true
	}
	var left []jingle.Content
	for _, c := range a.Contents {
		senders, said := c.Senders, false
		removed := false
		for _, q := range s.queue {
			at := slices.IndexFunc(q.Contents, func(x jingle.Content) bool { return x.Name == c.Name })
			if at >= 0 && q.Action == jingle.ContentModify {
				senders, said = q.Contents[at].Senders, true
			}
			removed = removed || at >= 0 && q.Action == jingle.ContentRemove
		}
		c.Senders = senders
		if !removed && (!said || a.Action == jingle.SessionAccept) {
			left = append(left, c)
		}
	}
	a.Contents = left
	return a, len(left) > 0
}

// settle answers the tab's offer.
func (s *session) settle() {
	n := s.neg
	s.endNegotiation()
	s.agreed = sdpconv.Settle(s.agreed, n.want, s.role)
	d := s.forTab(sdpconv.Answer, n.offered)
	sdp, lines, losses, err := sdpconv.ToSDP(d, s.role.Other(), sdpconv.Answer, n.offered, s.origin())
	if err != nil {
		s.giveUpWith(Failed, jingle.Reason{Condition: jingle.FailedApplication, Text: err.Error()})
		return
	}
	s.lines = lines
	s.note(losses)
	s.show(RemoteAnswer{SDP: sdp}, d)
	s.sendHeld()
	s.tidy()
	s.drain()
}

// giveWay gives the tab's offer up in favour of one to the tab, which has to follow.
func (s *session) giveWay() {
	s.forsake()
	s.withdraw(s.pending())
	s.endNegotiation()
}

func (s *session) endNegotiation() {
	s.neg = nil
	s.stop(TimerChange)
	s.stop(TimerAsk)
	s.stop(TimerAnswer)
}
