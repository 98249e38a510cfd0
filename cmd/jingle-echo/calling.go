package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/sdpconv"
)

// call rings who wrote, on all their devices, unless there is a call already.
func (a *account) call(from string, media ...string) {
	a.mu.Lock()
	busy := false
	for key := range a.calls {
		busy = busy || bare(key.peer) == bare(from)
	}
	a.mu.Unlock()
	if busy || a.begin(bare(from), newID(), true, media...) == nil {
		a.say(from, "Not now: there is a call already, or there are too many.")
	}
}

// ours returns the call of ours that any device of that account may speak for, or nil.
func (a *account) ours(from, sid string) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, s := range a.calls {
		if key.sid == sid && bare(key.peer) == bare(from) && s.role == jingle.Initiator {
			return s
		}
	}
	return nil
}

// moved notes that a call is one with that full JID from now on.
func (a *account) moved(s *session, to string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.calls, callKey{s.peer, s.sid})
	s.peer = to
	a.calls[callKey{to, s.sid}] = s
}

func (s *session) them() jingle.Role { return s.role.Other() }

// only is the senders of a content that only one party sends.
func only(r jingle.Role) jingle.Senders {
	return jingle.SendersOf(r == jingle.Initiator, r == jingle.Responder)
}

// propose rings (XEP-0353 section 3.1).
func (s *session) propose() {
	s.account.tellPeer(s.peer, jingle.Message{Kind: jingle.Propose, ID: s.sid, Media: s.media})
	s.patience.Reset(ringLimit)
}

// calleeSays takes message initiation in a call of ours.
func (s *session) calleeSays(m initiationMessage) *ending {
	switch {
	case m.Kind == jingle.Finish && s.state != jingle.None:
		return &ending{why: "the peer finished: " + reasonText(m.Reason)}
	case m.Kind == jingle.Proceed && s.state == jingle.None:
		s.account.moved(s, m.from)
		return s.initiate()
	case m.Kind == jingle.Proceed && m.from != s.peer: // another device, too late
		s.account.tellPeer(m.from, jingle.Message{Kind: jingle.Retract, ID: s.sid, Reason: &jingle.Reason{Condition: jingle.Cancel}})
	case m.Kind == jingle.Reject && s.state == jingle.None:
		return &ending{why: "the callee declined"}
	}
	return nil
}

// initiate offers a content for each kind of media, with a transport of its own as Dino's have: that is taken by those who bundle and
// by those who do not.  Candidates follow when the peer has accepted.
func (s *session) initiate() *ending {
	stream := newID()
	initiate := jingle.Stanza{Action: jingle.SessionInitiate, Initiator: s.account.self}
	for _, kind := range s.media {
		l, err := s.account.media.newLeg(s.role, stream, s.post)
		if err != nil {
			return &ending{jingle.GeneralError, err.Error()}
		}
		s.legs = append(s.legs, l)
		c, err := l.propose(kind)
		if err != nil {
			return &ending{jingle.GeneralError, err.Error()}
		}
		initiate.Contents = append(initiate.Contents, c)
	}
	s.mine(initiate)
	s.state = jingle.Pending
	s.ask(initiate, func(err *jingle.Error) *ending {
		if err != nil {
			return &ending{why: "the peer refused: " + err.Error()}
		}
		return nil
	})
	s.patience.Reset(acceptLimit)
	return nil
}

// propose describes the one content of a new leg, whose media comes back if the peer takes it.
func (l *leg) propose(kind string) (jingle.Content, error) {
	var none jingle.Content
	track := &echoTrack{id: newID(), stream: l.stream, kind: webrtc.NewRTPCodecType(kind), mime: webrtc.MimeTypeOpus}
	if kind == "video" {
		track.mime = webrtc.MimeTypeVP8
	}
	t, err := l.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
	if err != nil {
		return none, fmt.Errorf("add %s: %w", kind, err)
	}
	codecs := keep(t.Receiver().GetParameters().Codecs, func(c webrtc.RTPCodecParameters) bool {
		return c.MimeType == track.mime || isTelephoneEvent(c)
	})
	if err := errors.Join(t.SetMid(kind), t.SetCodecPreferences(codecs)); err != nil {
		return none, fmt.Errorf("add %s: %w", kind, err)
	}
	offer, err := l.pc.CreateOffer(nil)
	if err != nil {
		return none, fmt.Errorf("offer %s: %w", kind, err)
	}
	described, _, _, err := sdpconv.FromSDP(offer.SDP, l.role, nil)
	if err != nil {
		return none, fmt.Errorf("offer %s: %w", kind, err)
	}
	c := described.Contents[0]
	c.RTP = withoutNameless(c.RTP)
	e := &echo{creator: l.role, content: c.Name, transceiver: t, track: track}
	l.mu.Lock()
	l.echoes = append(l.echoes, e)
	l.mu.Unlock()
	l.tasks.Go(func() { l.passKeyFrameRequests(e, t.Sender()) })
	return c, nil
}

// accepted connects what the peer has taken and drops the rest.
func (s *session) accepted(a jingle.Stanza) *ending {
	next, err := sdpconv.Apply(s.agreed, a, s.them())
	if err != nil {
		return &ending{refusal(err), err.Error()}
	}
	s.agreed = next
	for _, l := range slices.Clone(s.legs) {
		i := s.agreed.Find(s.role, l.echoes[0].content)
		if i < 0 || s.agreed.Said(i, s.them()) == nil {
			s.drop(l)
			continue
		}
		said := *s.agreed.Said(i, s.them())
		if said.RTP == nil || said.ICE == nil {
			return &ending{jingle.FailedApplication, "a content was accepted without media or transport"}
		}
		if err := l.conclude([]jingle.Content{said}); err != nil {
			return &ending{refusal(err), err.Error()}
		}
	}
	if len(s.legs) == 0 {
		return &ending{jingle.Success, "nothing was accepted"}
	}
	s.letSenders()
	s.candidates(s.agreed.Of[s.them()].Contents)
	s.patience.Reset(connectLimit)
	return nil
}

// tied tells whether an action that leads to next is an ICE restart that crossed one of ours: as initiator we go first (XEP-0166 section
// 7.2.18).
func (s *session) tied(a jingle.Stanza, next jingle.Session) bool {
	if s.role != jingle.Initiator || a.Action != jingle.TransportInfo || !sdpconv.Restarts(s.agreed, next, s.them()) {
		return false
	}
	return slices.ContainsFunc(s.legs, func(l *leg) bool {
		return l.restartID != "" && slices.ContainsFunc(a.Contents, l.has)
	})
}
