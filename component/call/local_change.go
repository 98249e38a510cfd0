package call

import (
	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/sdpconv"
)

// reoffer passes on what a tab changes in the call.  One offer is out at a time: one of the other tab gives way to it, and comes again when
// that tab has answered.
func (l *local) reoffer(in BrowserOffer) {
	switch {
	case in.Tab.Equal(l.asker):
		l.refuse(in.Tab, refusedOffer)
		return
	case !l.asker.Equal(jid.JID{}):
		return // it has an offer to answer and rolls its own back
	}
	_, lines, _, err := sdpconv.FromSDP(in.SDP, l.role(in.Tab), l.lines)
	if err != nil {
		l.refuse(in.Tab, unusableSDP("offer", err))
		return
	}
	l.asker, l.offered = in.Tab, lines
	l.toCallee.renew()
	l.toCaller.renew()
	sdp := l.extensions.keep(in.SDP)
	l.extensions.learn(sdp)
	for _, p := range l.across(in.Tab) {
		l.tell(p.tab, RemoteOffer{SDP: sdp})
	}
	if l.running[TimerOutage] {
		l.start(TimerOutage) // what may mend the path has its time anew
	}
	l.watchAnswer()
}

// reanswer passes on the answer.  One that cannot be used leaves the tab the rest of its time for another.
func (l *local) reanswer(in BrowserAnswer) {
	if l.asker.Equal(jid.JID{}) || in.Tab.Equal(l.asker) {
		l.refuse(in.Tab, refusedAnswer)
		return
	}
	_, lines, _, err := sdpconv.FromSDP(in.SDP, l.role(in.Tab), l.offered)
	if err != nil {
		l.refuse(in.Tab, unusableSDP("answer", err))
		return
	}
	l.extensions.learn(in.SDP)
	l.tell(l.asker, RemoteAnswer{SDP: in.SDP})
	l.lines, l.offered, l.asker = lines, nil, jid.JID{}
	l.stop(TimerAnswer)
}

// role returns the side of a tab as one of a session: the caller offered first.
func (l *local) role(tab jid.JID) jingle.Role {
	if l.caller.find(tab) != nil {
		return jingle.Initiator
	}
	return jingle.Responder
}

// watchAnswer gives a tab time for its answer while it has a socket: the grace period is for one that has none.
func (l *local) watchAnswer() {
	if !l.state.accepted() || l.asker.Equal(jid.JID{}) {
		return
	}
	switch lost := l.across(l.asker).lost(); {
	case lost:
		l.stop(TimerAnswer)
	case !l.running[TimerAnswer]:
		l.start(TimerAnswer)
	}
}

// unanswered ends the call when a tab leaves the other's offer without an answer: that one can change nothing any more.
func (l *local) unanswered() {
	if l.caller.find(l.asker) != nil {
		l.finish(Failed, NoMedia)
		return
	}
	l.finish(NoMedia, Failed)
}
