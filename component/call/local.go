package call

import (
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/sdpconv"
)

// local is a call from a tab to the tabs of another address of our own domain.  Offer, answer and candidates are passed on as
// the browsers wrote them, but for what one of them would refuse (see extensions); they are read only to refuse what is none.
type local struct {
	core
	address    jid.JID // called, bare
	caller     pages   // one
	callee     pages   // those that ring, then the one that answered
	crossing   jid.JID // the called tab that dials the caller; zero for none
	offer      string
	lines      sdpconv.Lines
	toCallee   trickle[RemoteCandidate]
	toCaller   trickle[RemoteCandidate]
	unsaid     infos         // before the call was answered
	asker      jid.JID       // the tab whose offer waits for an answer in the call; zero for none
	offered    sdpconv.Lines // after that offer
	extensions extensions
}

// NewLocal makes the call of a tab (full JID) to an address (bare) whose tabs are given.
func NewLocal(cfg Config, caller, callee jid.JID, tabs []jid.JID) (Machine, []Output) {
	l := &local{
		core:    core{cfg: cfg},
		address: callee,
		caller:  newPages(caller),
		callee:  newPages(tabs...).others(caller), // who calls its own address does not ring itself
	}
	if len(l.callee) == 0 {
		l.finish(PeerUnreachable, PeerCancelled)
		return l, l.flush()
	}
	l.tell(caller, Admitted{})
	l.begin(Offering)
	return l, l.flush()
}

// Handle is described at Machine.
func (l *local) Handle(_ time.Time, in Input) []Output {
	tab, isTab := tabOf(in)
	switch {
	case isTab && l.caller.find(tab) == nil && l.callee.find(tab) == nil:
		l.turnAway(in, refusedOver)
	case isTab && l.state < Ringing && l.caller.find(tab) == nil: // it does not know of the call yet
		l.early(in)
	case l.state == Over:
		l.afterwards(in)
	default:
		l.handle(in)
	}
	return l.flush()
}

// early takes what happens to the called tabs while the caller has made no offer.
func (l *local) early(in Input) {
	switch in := in.(type) {
	case BrowserLost:
		l.callee.find(in.Tab).lost = true
	case BrowserBack:
		l.callee.find(in.Tab).lost = false
	case BrowserGone:
		l.gone(in.Tab)
	case BrowserCross:
		l.cross(in.Tab)
	case BrowserHangUp:
		if l.crossing.Equal(in.Tab) {
			l.finish(PeerHungUp, HungUp)
			return
		}
		l.turnAway(in, refusedAccept)
	case BrowserOffer:
		if !l.crossing.Equal(in.Tab) {
			l.turnAway(in, refusedAccept)
		}
	default:
		l.turnAway(in, refusedAccept)
	}
}

func (l *local) handle(in Input) {
	switch in := in.(type) {
	case BrowserOffer:
		l.browserOffer(in)
	case BrowserAnswer:
		l.browserAnswer(in)
	case BrowserCandidate:
		l.candidate(in)
	case BrowserAccept:
		l.take(in.Tab)
	case BrowserCross:
		l.cross(in.Tab)
	case BrowserDecline:
		l.decline(in.Tab)
	case BrowserHangUp:
		l.hangUp(in.Tab)
	case BrowserMedia:
		l.media(in)
	case BrowserInfo:
		l.info(in)
	case BrowserLost:
		l.side(in.Tab).find(in.Tab).lost = true
		l.watch()
	case BrowserBack:
		l.side(in.Tab).find(in.Tab).lost = false
		l.watch()
	case BrowserGone:
		l.gone(in.Tab)
	case PeerRequest:
		l.answer(in, jingle.ErrUnknownSession) // a call between browsers has no session
	case Timeout:
		l.timeout(in.Timer)
	case Shutdown:
		l.finish(in.outcome(), in.outcome())
	}
}

func (l *local) side(tab jid.JID) pages {
	if p := l.caller.find(tab); p != nil {
		return l.caller
	}
	return l.callee
}

// finish ends the call, which each side sees its own way.  The call's outcome is the caller's.
func (l *local) finish(caller, callee Outcome) {
	for _, p := range l.caller {
		l.tell(p.tab, Finished{Outcome: caller})
	}
	if l.state >= Ringing || l.crossed() {
		for _, p := range l.callee {
			l.tell(p.tab, Finished{Outcome: callee})
		}
	}
	l.close(caller)
}

// browserOffer rings the other address.
func (l *local) browserOffer(in BrowserOffer) {
	if l.state.accepted() {
		l.reoffer(in)
		return
	}
	if l.state == Answering && l.crossing.Equal(in.Tab) {
		return // it has an offer to answer and rolls its own back
	}
	if l.state != Offering || l.caller.find(in.Tab) == nil {
		l.refuse(in.Tab, refusedOffer)
		return
	}
	d, lines, _, err := sdpconv.FromSDP(in.SDP, jingle.Initiator, nil)
	if err != nil {
		l.refuse(in.Tab, unusableSDP("offer", err))
		return
	}
	l.offer, l.lines, l.extensions = in.SDP, lines, extensions{}
	l.extensions.learn(in.SDP)
	l.move(ring)
	if l.crossed() {
		l.proceed()
		l.present(l.crossing)
		return
	}
	for _, p := range l.callee {
		l.tell(p.tab, Incoming{From: in.Tab.Bare(), Media: mediaOf(d.Contents)})
	}
	l.tell(in.Tab, RemoteRinging{})
	l.watch()
}

// take gives the call to the first tab that accepts.  That tab may say so again, not knowing whether it was heard before its socket
// broke.
func (l *local) take(tab jid.JID) {
	called := l.callee.find(tab) != nil
	switch {
	case called && l.state == Ringing:
	case called && l.state == Answering:
		l.tell(tab, Admitted{})
		return
	default:
		l.refuse(tab, refusedAccept)
		return
	}
	l.keep(tab)
	l.proceed()
	l.tell(tab, Admitted{})
	l.present(tab)
}

// proceed tells the caller that a tab has the call.
func (l *local) proceed() {
	l.move(present)
	for _, p := range l.caller {
		l.tell(p.tab, Proceeding{Peer: l.address})
	}
}

// crossed tells whether a called tab dials the caller, too.
func (l *local) crossed() bool { return !l.crossing.Equal(jid.JID{}) }

// cross gives the call to a called tab that dials its caller at the same moment: both have what they want, and nobody rings.  The caller's offer
// goes before that tab's own, which gives way as in any negotiation of browsers.
func (l *local) cross(tab jid.JID) {
	switch {
	case l.callee.find(tab) == nil || l.crossed():
		l.refuse(tab, refusedAccept)
	case l.state == Ringing:
		l.crossing = tab
		l.take(tab)
	case l.state == Offering: // the other tabs know nothing of it yet
		l.crossing, l.callee = tab, newPages(tab)
		l.tell(tab, Admitted{})
	default:
		l.refuse(tab, refusedAccept)
	}
}

// present hands the offer to the tab that has the call.
func (l *local) present(tab jid.JID) {
	l.tell(tab, RemoteOffer{SDP: l.offer})
	l.offer = ""
	for _, c := range l.toCallee.release() {
		l.tell(tab, c)
	}
	l.watch()
}

// keep leaves the call to one of the called tabs.
func (l *local) keep(tab jid.JID) {
	for _, p := range l.callee.others(tab) {
		l.tell(p.tab, Finished{Outcome: AnsweredElsewhere})
	}
	l.callee = newPages(tab)
}

func (l *local) decline(tab jid.JID) {
	if l.state != Ringing || l.callee.find(tab) == nil {
		l.refuse(tab, refusedAccept)
		return
	}
	l.keep(tab)
	l.finish(PeerDeclined, Declined)
}

func (l *local) browserAnswer(in BrowserAnswer) {
	if l.state.accepted() {
		l.reanswer(in)
		return
	}
	if l.state != Answering || l.callee.find(in.Tab) == nil {
		l.refuse(in.Tab, refusedAnswer)
		return
	}
	_, lines, _, err := sdpconv.FromSDP(in.SDP, jingle.Responder, l.lines)
	if err != nil {
		l.refuse(in.Tab, unusableSDP("answer", err))
		return
	}
	l.lines = lines
	l.extensions.learn(in.SDP)
	l.move(accept)
	for _, p := range l.caller {
		l.tell(p.tab, RemoteAnswer{SDP: in.SDP})
		for _, c := range l.toCaller.release() {
			l.tell(p.tab, c)
		}
	}
	for _, in := range l.unsaid {
		l.info(in)
	}
	l.unsaid = nil
}

// info shows the other side what a person did, once there is one.
func (l *local) info(in BrowserInfo) {
	switch {
	case aspect(in.Info) == "":
		l.refuse(in.Tab, refusedInfo)
	case l.state == Ringing && l.caller.find(in.Tab) == nil: // a tab that has not taken the call
	case !l.state.accepted():
		l.unsaid = l.unsaid.keep(in)
	default:
		for _, p := range l.across(in.Tab) {
			l.tell(p.tab, RemoteInfo{Info: in.Info, Mid: in.Mid})
		}
	}
}

// across returns the pages of the side that a tab is not on.
func (l *local) across(tab jid.JID) pages {
	if l.caller.find(tab) != nil {
		return l.callee
	}
	return l.caller
}

// candidate passes a candidate on, once the other side has the description that it belongs to.
func (l *local) candidate(in BrowserCandidate) {
	c := RemoteCandidate{Candidate: in.Candidate, Mid: in.Mid, Line: in.Line, Ufrag: in.Ufrag}
	if in.Candidate != "" {
		if _, _, err := sdpconv.ParseCandidate(in.Candidate); err != nil {
			l.refuse(in.Tab, "Your browser's ICE candidate cannot be read: "+err.Error())
			return
		}
	}
	to, way := l.across(in.Tab), &l.toCaller
	if l.caller.find(in.Tab) != nil {
		way = &l.toCallee
	} else if l.state == Ringing { // a tab that has not taken the call
		return
	}
	if way.admit(c) {
		for _, p := range to {
			l.tell(p.tab, c)
		}
	}
}

func (l *local) hangUp(tab jid.JID) {
	byCaller := l.caller.find(tab) != nil
	switch {
	case byCaller && l.state.accepted():
		l.finish(HungUp, PeerHungUp)
	case byCaller:
		l.finish(Cancelled, PeerCancelled)
	case l.state == Ringing:
		l.decline(tab)
	default:
		l.finish(PeerHungUp, HungUp)
	}
}

// media takes what a tab reports of its peer connection.  One that has connected proves the path for both.
func (l *local) media(in BrowserMedia) {
	if !l.state.accepted() {
		return
	}
	p := l.side(in.Tab).find(in.Tab)
	switch in.State {
	case MediaConnected:
		p.down = false
		l.move(connect)
		if !l.caller.down() && !l.callee.down() {
			l.stop(TimerOutage)
		}
	case MediaDisconnected, MediaFailed:
		switch {
		case l.state == Active: // a path that broke, for good or not, is for an ICE restart to mend: both sides are browsers
			p.down = true
			if !l.running[TimerOutage] {
				l.start(TimerOutage)
			}
		case in.State == MediaFailed:
			l.finish(NoConnection, NoConnection)
		}
	}
}

// watch runs the grace period while a side has no page with a socket.
func (l *local) watch() {
	l.watchAnswer()
	waiting := l.caller.lost() || (l.state >= Ringing && l.callee.lost())
	switch {
	case !waiting:
		l.stop(TimerGrace)
	case !l.running[TimerGrace]:
		l.start(TimerGrace)
	}
}

// gone ends the call with the last page of a side.
func (l *local) gone(tab jid.JID) {
	if l.caller.find(tab) != nil {
		l.lostSide(true)
		return
	}
	l.callee = l.callee.others(tab)
	if len(l.callee) == 0 {
		l.lostSide(false)
		return
	}
	l.watch()
}

// lostSide ends the call when the caller, or the callee, has no page any more.
func (l *local) lostSide(caller bool) {
	switch {
	case caller && l.state.accepted():
		l.finish(PageLost, PeerLost)
	case caller:
		l.finish(PageLost, PeerCancelled)
	case l.state.accepted() || l.state == Answering:
		l.finish(PeerLost, PageLost)
	default:
		l.finish(PeerUnreachable, PageLost)
	}
}

func (l *local) timeout(t Timer) {
	if !l.fired(t) {
		return
	}
	switch {
	case t == TimerOutage:
		l.finish(ConnectionLost, ConnectionLost)
	case t == TimerGrace:
		l.lostSide(l.caller.lost())
	case t == TimerAnswer && l.state.accepted():
		l.unanswered()
	case l.state == Offering:
		l.finish(NoMedia, PeerCancelled)
	case l.state == Ringing:
		l.finish(NoAnswer, Missed)
	case l.state == Answering:
		l.finish(Failed, NoMedia)
	case l.state == Connecting:
		l.finish(NoConnection, NoConnection)
	}
}
