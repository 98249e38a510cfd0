package call

import "mellium.im/xmpp/jid"

// maxMissedPings is how many pings in a row may stay unanswered while media is interrupted.
const maxMissedPings = 2

// pulse is what is known of whether the peer is still there.
type pulse struct {
	pingTag int
	waiting bool // the last ping has no reply yet
	missed  int  // pings without a reply, in a row
	alive   bool // it has answered a ping with a result: an error after that says that it is gone
	gone    bool // its server said that it is gone, and no ping has shown the contrary
}

// ping asks the peer whether it is there, and sets the time of the next.
func (s *session) ping() {
	s.tags++
	s.pingTag, s.waiting = s.tags, true
	s.emit(SendPing{Tag: s.tags, From: s.tab, To: s.peer})
	s.start(TimerPing)
}

func (s *session) pingDue() {
	if s.waiting {
		s.missed++
	}
	if s.lostPeer() {
		s.giveUp(PeerLost)
		return
	}
	s.ping()
}

// pong takes the reply of the last ping.
func (s *session) pong(in PeerReply) {
	if !s.waiting {
		return
	}
	s.waiting = false
	if in.Err == nil {
		s.alive, s.gone, s.missed = true, false, 0
		return
	}
	switch in.Err.Condition {
	case "remote-server-timeout", "remote-server-not-found":
		s.missed++
		if s.lostPeer() {
			s.giveUp(PeerLost)
		}
	case "service-unavailable", "recipient-unavailable", "item-not-found", "gone":
		s.missed = 0 // of its server, or of a client that knows no ping
		if s.alive {
			s.vanished()
		}
	default: // only a client that is there answers so
		s.missed, s.gone = 0, false
	}
}

// lostPeer tells whether the peer neither answers nor is heard.  Either alone ends no call: clients may answer no ping, and
// media outlives a break of the peer's XMPP connection.
func (s *session) lostPeer() bool {
	return (s.gone || s.missed >= maxMissedPings) && s.pages.down()
}

// vanished takes the word of the peer's server that the peer is gone.  Media that flows says otherwise: a server that restarts, a
// stream whose resumption failed and the end of a subscription look the same from here.
func (s *session) vanished() {
	s.gone = true
	if s.state != Active || s.lostPeer() {
		s.giveUp(PeerLost)
	}
}

// unavailable takes the peer's unavailable presence.  The ping that follows shows whether it is true.
func (s *session) unavailable(in PeerUnavailable) {
	if !in.From.Equal(s.peer) {
		return
	}
	switch s.state {
	case Ringing, Proceeded:
		s.giveUp(PeerCancelled)
	case Calling, Initiated, Answering, Connecting:
		s.giveUp(PeerLost)
	case Active:
		known := s.gone
		s.vanished()
		if s.state == Active && !known {
			s.ping()
		}
	}
}

// media takes what the tab reports of its peer connection.
func (s *session) media(in BrowserMedia) {
	p := s.pages.find(in.Tab)
	if p == nil || !s.state.accepted() {
		return
	}
	switch in.State {
	case MediaConnected:
		p.down = false
		s.opening = 0 // whatever it is answered, the session works
		s.move(connect)
		s.stop(TimerOutage)
	case MediaDisconnected:
		if s.state == Active && !p.down {
			p.down = true
			s.start(TimerOutage)
			s.interrupted()
		}
		if s.lostPeer() {
			s.giveUp(PeerLost)
		}
	case MediaFailed:
		p.down = true
		s.mediaFailed()
	}
}

// mediaFailed ends a call whose path is dead, unless an ICE restart may find another.
func (s *session) mediaFailed() {
	switch {
	case s.lostPeer():
		s.giveUp(PeerLost)
	case s.state != Active:
		s.giveUp(NoConnection)
	case !s.profile.Restarts():
		s.giveUp(ConnectionLost)
	default:
		if !s.running[TimerOutage] {
			s.start(TimerOutage)
		}
		s.interrupted()
	}
}

// interrupted makes way for an ICE restart of the tab, or tells it that there is none.
func (s *session) interrupted() {
	if !s.profile.Restarts() {
		s.warnOfRestart()
	} else if s.running[TimerAsk] {
		s.overdue() // while an offer of its is out, the tab can make no other
	}
}

// outageGoesOn gives a path that is being repaired its time anew.
func (s *session) outageGoesOn() {
	if s.running[TimerOutage] {
		s.start(TimerOutage)
	}
}

// pageLost waits for the page once no other has a socket.
func (s *session) pageLost(tab jid.JID) {
	if p := s.pages.find(tab); p != nil && !p.lost {
		p.lost = true
		if s.pages.lost() {
			s.start(TimerGrace)
		}
		s.awaitAnswer()
	}
}

func (s *session) pageBack(tab jid.JID) {
	if p := s.pages.find(tab); p != nil {
		p.lost = false
		s.stop(TimerGrace)
		s.awaitAnswer()
	}
}

// pageGone ends the call with its last page.
func (s *session) pageGone(tab jid.JID) {
	if rest := s.pages.others(tab); len(rest) > 0 {
		s.pages = rest
		if s.state == Ringing && rest.find(s.tab) == nil {
			s.tab = rest[0].tab // who speaks for us has to be there
		}
		if rest.lost() && !s.running[TimerGrace] {
			s.start(TimerGrace)
		}
		return
	}
	s.giveUp(PageLost)
}
