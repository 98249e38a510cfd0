package call

import (
	"errors"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/sdpconv"
)

// giveUp ends the call from our side: the peer is told, then our pages.
func (s *session) giveUp(o Outcome) {
	reason := o.Reason()
	if o == PageLost && s.state == Active {
		reason = jingle.Success // others read as a failure at Conversations, and the call went well
	}
	s.giveUpWith(o, jingle.Reason{Condition: reason})
}

func (s *session) giveUpWith(o Outcome, reason jingle.Reason) {
	s.takeBack(reason)
	s.conclude(o)
}

// conclude ends a call whose peer knows, or was just told.
func (s *session) conclude(o Outcome) {
	for _, p := range s.pages {
		s.tell(p.tab, Finished{Outcome: o})
	}
	s.close(o)
}

// takeBack takes back what the peer has of this call.
func (s *session) takeBack(reason jingle.Reason) {
	if s.advance(jingle.SessionTerminate, s.role) == nil {
		s.request(jingle.Stanza{Action: jingle.SessionTerminate, Reason: &reason})
		if s.proposed {
			s.send(s.peer, jingle.Finish, &reason)
		}
		return
	}
	switch s.state {
	case Proposed:
		s.send(s.peer.Bare(), jingle.Retract, &jingle.Reason{Condition: jingle.Cancel})
	case Ringing:
		s.send(s.peer, jingle.Reject, &reason)
	case Proceeded:
		// Dino and Conversations listen for reject here, Monal for finish.
		s.send(s.peer, jingle.Reject, &reason)
		s.send(s.peer, jingle.Finish, &reason)
	}
}

// send sends a XEP-0353 message.  Its id tells kind and call: Conversations expects that of propose and proceed, and bounces
// are matched by it.
func (s *session) send(to jid.JID, kind jingle.MessageKind, reason *jingle.Reason) {
	s.emit(SendMessage{From: s.tab, To: to, ID: s.messageID(kind), Message: jingle.Message{Kind: kind, ID: s.sid, Reason: reason}})
}

func (s *session) messageID(kind jingle.MessageKind) string { return messageID(kind, s.sid) }

// unusable ends a call whose peer sent a description that no browser can take.  A proper one that offers too little is
// acknowledged, because the reason of the session-terminate says more to its user than an error.
func (s *session) unusable(in PeerRequest, err error) {
	switch {
	case errors.Is(err, sdpconv.ErrNotEncrypted):
		s.answer(in, nil)
		s.giveUpWith(NotEncrypted, jingle.Reason{Condition: jingle.SecurityError, Text: "DTLS-SRTP is required and there is no usable fingerprint"})
	case errors.Is(err, sdpconv.ErrNoICE):
		s.answer(in, nil)
		s.giveUpWith(Incompatible, jingle.Reason{Condition: jingle.UnsupportedTransports, Text: "there is no ICE transport"})
	case errors.Is(err, sdpconv.ErrNoMedia):
		s.answer(in, nil)
		s.giveUpWith(Incompatible, jingle.Reason{Condition: jingle.FailedApplication, Text: "there is no audio or video with a codec in common"})
	default:
		s.answer(in, badRequest(err.Error()))
		s.giveUpWith(Incompatible, jingle.Reason{Condition: jingle.FailedApplication, Text: err.Error()})
	}
}

// badRequest is ErrBadRequest with an explanation.
func badRequest(text string) *jingle.Error {
	e := *jingle.ErrBadRequest
	e.Text = text
	return &e
}

// meaning is what a peer's reason says, by what the call was when it came.
type meaning struct {
	calling Outcome // we called and were not answered
	called  Outcome // we were called and had not answered
	talking Outcome
}

var (
	unwilling    = meaning{PeerDeclined, PeerCancelled, PeerHungUp}
	impossible   = meaning{Incompatible, Incompatible, Failed}
	disconnected = meaning{NoConnection, NoConnection, NoConnection}
)

// meanings has no entry for what reads as a failure: the conditions of XEP-0166 section 7.4 that are not here, and any other.
var meanings = map[jingle.Condition]meaning{
	"":                             unwilling,
	jingle.Success:                 unwilling,
	jingle.Decline:                 unwilling,
	jingle.Cancel:                  unwilling,
	jingle.AlternativeSession:      unwilling,
	jingle.Busy:                    {PeerBusy, PeerCancelled, PeerHungUp},
	jingle.Gone:                    {PeerUnreachable, PeerCancelled, PeerHungUp},
	jingle.TimedOut:                {NoAnswer, PeerCancelled, PeerHungUp},
	jingle.Expired:                 {NoAnswer, PeerCancelled, PeerHungUp},
	jingle.ConnectivityError:       disconnected,
	jingle.FailedTransport:         disconnected,
	jingle.SecurityError:           {NotEncrypted, NotEncrypted, NotEncrypted},
	jingle.FailedApplication:       impossible,
	jingle.IncompatibleParameters:  impossible,
	jingle.UnsupportedApplications: impossible,
	jingle.UnsupportedTransports:   impossible,
}

// verdict is the outcome of a call that the peer ended.
func (s *session) verdict(r *jingle.Reason) Outcome {
	if r == nil {
		r = &jingle.Reason{}
	}
	m, ok := meanings[r.Condition]
	switch {
	case !ok:
		return Failed
	case s.state.accepted():
		return m.talking
	case s.role == jingle.Initiator:
		return m.calling
	}
	return m.called
}

// refusal is the outcome of a call whose propose, session-initiate or session-accept came back as an error.
func (s *session) refusal(e *jingle.Error) Outcome {
	switch e.Condition {
	case "remote-server-not-found", "remote-server-timeout":
		return ServerUnreachable
	case "service-unavailable", "recipient-unavailable", "item-not-found", "gone", "forbidden", "not-allowed", "not-authorized",
		"subscription-required", "policy-violation":
		if s.state.accepted() {
			return PeerLost
		}
		return PeerUnreachable
	case "conflict": // it is calling us (XEP-0166 section 7.2.16)
		return TieBreak
	case "feature-not-implemented":
		return Incompatible
	}
	return Failed
}
