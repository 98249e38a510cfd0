package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

const (
	initiateLimit = 30 * time.Second // from our proceed to session-initiate; Conversations asks for its TURN servers in between
	connectLimit  = 30 * time.Second // from session-accept to media
	callLimit     = 10 * time.Minute
	inboxSize     = 128
)

// session is one call.  Its goroutine owns all fields below inbox; everybody else posts events.
type session struct {
	account  *account
	log      *slog.Logger
	peer     string // full JID
	sid      string
	proposed bool // it began with XEP-0353
	ctx      context.Context
	cancel   context.CancelFunc
	inbox    chan event

	state    jingle.State
	answered bool   // proceed was sent
	acceptID string // id of our session-accept
	legs     []*leg
	patience *time.Timer // for what has to come next
}

// An event is something that happened to a call.
type event interface{}

type (
	request struct { // an IQ set with <jingle/>; answered exactly once
		iq     *element.Element
		stanza jingle.Stanza
	}
	initiationMessage struct{ jingle.Message }
	requestFailed     struct { // an error came back for one of our IQs
		id  string
		err jingle.Error
	}
	bounced  struct{ err jingle.Error } // an error came back for one of our messages
	left     struct{}                   // the peer sent unavailable presence
	gathered struct {
		leg       *leg
		candidate string // "candidate:..."
	}
	connection struct { // a leg's state changed
		leg   *leg
		state webrtc.PeerConnectionState
	}
)

// ending says how a call ends: the reason the peer is told, none if it knows already, and why for the log.
type ending struct {
	tell jingle.Condition
	why  string
}

func newSession(a *account, peer, sid string, proposed bool) *session {
	ctx, cancel := context.WithCancel(a.ctx)
	return &session{
		account: a, log: a.log.With("peer", peer, "sid", sid), peer: peer, sid: sid, proposed: proposed,
		ctx: ctx, cancel: cancel, inbox: make(chan event, inboxSize), patience: time.NewTimer(initiateLimit),
	}
}

// offer posts an event unless the inbox is full.
func (s *session) offer(e event) bool {
	select {
	case s.inbox <- e:
		return true
	default:
		return false
	}
}

// post posts an event and waits for room, for as long as the call lasts.
func (s *session) post(e event) {
	select {
	case s.inbox <- e:
	case <-s.ctx.Done():
	}
}

// run is the call from beginning to end.
func (s *session) run() {
	defer s.close()
	s.log.Info("call begins", "proposed", s.proposed)
	limit := time.NewTimer(callLimit)
	defer limit.Stop()
	for {
		var end *ending
		select {
		case e := <-s.inbox:
			end = s.handle(e)
		case <-s.patience.C:
			end = &ending{jingle.ConnectivityError, "nothing came in time"}
		case <-limit.C:
			end = &ending{jingle.Success, "long enough"}
		case <-s.ctx.Done():
			end = &ending{jingle.Success, "going offline"}
		}
		if end != nil {
			s.end(*end)
			return
		}
	}
}

// close releases everything; requests that nobody looked at are answered.
func (s *session) close() {
	if r := recover(); r != nil {
		s.log.Error("call dropped", "panic", r, "stack", string(debug.Stack()))
		s.end(ending{jingle.GeneralError, "internal error"})
	}
	s.account.forget(s)
	s.cancel()
	s.patience.Stop()
	for _, l := range s.legs {
		l.close()
	}
	for {
		select {
		case e := <-s.inbox:
			if r, ok := e.(request); ok {
				s.account.refuse(r.iq, jingle.ErrUnknownSession)
			}
		default:
			return
		}
	}
}

// end tells the peer, once and in the form that fits how far the call came.
func (s *session) end(e ending) {
	s.log.Info("call ends", "why", e.why, "told", e.tell)
	if e.tell == "" {
		return
	}
	reason := &jingle.Reason{Condition: e.tell}
	if s.state != jingle.None {
		s.account.request(s.peer, jingle.Stanza{Action: jingle.SessionTerminate, SID: s.sid, Reason: reason})
	}
	if s.proposed {
		s.account.tellPeer(s.peer, jingle.Message{Kind: jingle.Finish, ID: s.sid, Reason: reason})
	}
}

func (s *session) handle(e event) *ending {
	switch e := e.(type) {
	case initiationMessage:
		return s.message(e.Message)
	case request:
		return s.request(e)
	case gathered:
		s.trickle(e.leg, e.candidate)
	case connection:
		return s.connection(e)
	case left:
		return &ending{why: "the peer went offline"}
	case bounced:
		if s.state == jingle.None {
			return &ending{why: "our answer came back: " + e.err.Error()}
		}
	case requestFailed:
		// Only session-accept matters, and whether there still is a session (XEP-0166 section 10).
		if e.id == s.acceptID || e.err.Jingle == jingle.ErrUnknownSession.Jingle {
			return &ending{why: "the peer refused: " + e.err.Error()}
		}
	}
	return nil
}

func (s *session) message(m jingle.Message) *ending {
	switch m.Kind {
	case jingle.Propose:
		if s.answered {
			return nil // a retransmission
		}
		s.answered = true
		s.account.tellPeer(s.peer, jingle.Message{Kind: jingle.Ringing, ID: s.sid})
		s.account.tellPeer(s.peer, jingle.Message{Kind: jingle.Proceed, ID: s.sid})
	case jingle.Retract, jingle.Finish, jingle.Reject: // Siskin withdraws its own call with reject
		if s.state == jingle.None {
			return &ending{why: "the caller withdrew"}
		}
	}
	return nil
}

// request answers a Jingle request and carries it out.
func (s *session) request(r request) *ending {
	action := r.stanza.Action
	state, err := s.state.Next(action, jingle.Initiator)
	if err != nil {
		s.account.refuse(r.iq, stanzaError(err))
		return nil
	}
	switch action {
	case jingle.SessionInitiate:
		s.account.result(r.iq, nil)
		s.state = state
		return s.accept(r.stanza)
	case jingle.SessionTerminate:
		s.account.result(r.iq, nil)
		return &ending{why: "the peer hung up: " + reasonText(r.stanza.Reason)}
	case jingle.TransportInfo:
		s.account.result(r.iq, nil)
		s.candidates(r.stanza.Contents)
	case jingle.SessionInfo:
		s.info(r)
	case jingle.ContentModify, jingle.DescriptionInfo, jingle.SecurityInfo:
		s.account.result(r.iq, nil)
	default:
		s.account.refuse(r.iq, jingle.ErrNotImplemented)
	}
	return nil
}

func stanzaError(err error) *jingle.Error {
	var e *jingle.Error
	if errors.As(err, &e) {
		return e
	}
	return jingle.ErrBadRequest
}

// info answers session-info (XEP-0166 section 6.8, XEP-0167 section 8): what an echo hears of mute or hold changes nothing.
func (s *session) info(r request) {
	for _, payload := range r.stanza.Info {
		if _, known := jingle.ParseInfo(payload); !known {
			s.account.refuse(r.iq, jingle.ErrUnsupportedInfo)
			return
		}
	}
	s.account.result(r.iq, nil)
}

// accept answers the offer with all contents that can be echoed.
func (s *session) accept(initiate jingle.Stanza) *ending {
	legs, answer, err := s.account.media.answer(jingle.Description{Contents: initiate.Contents, Groups: initiate.Groups}, s.post)
	s.legs = legs
	if err != nil {
		return &ending{refusal(err), err.Error()}
	}
	s.state, err = s.state.Next(jingle.SessionAccept, jingle.Responder)
	if err != nil {
		return &ending{jingle.GeneralError, err.Error()}
	}
	s.acceptID = s.account.request(s.peer, jingle.Stanza{
		Action: jingle.SessionAccept, SID: s.sid, Responder: s.account.self, Contents: answer.Contents, Groups: answer.Groups,
	})
	s.candidates(initiate.Contents)
	s.patience.Reset(connectLimit)
	return nil
}

// refusal maps why an offer cannot be answered to what its sender is told.
func refusal(err error) jingle.Condition {
	switch {
	case errors.Is(err, sdpconv.ErrNotEncrypted):
		return jingle.SecurityError
	case errors.Is(err, sdpconv.ErrNoMedia):
		return jingle.UnsupportedApplications
	}
	return jingle.FailedApplication
}

// candidates gives the peer's candidates to the legs they belong to.
func (s *session) candidates(contents []jingle.Content) {
	for _, c := range contents {
		for _, l := range s.legs {
			if c.ICE == nil || l.content != c.Name {
				continue
			}
			if err := l.add(c.ICE); err != nil {
				s.log.Debug("candidate dropped", "err", err)
			}
		}
	}
}

// trickle sends one of our candidates: one content, one candidate, with the credentials, as the strictest clients want it.
func (s *session) trickle(l *leg, line string) {
	candidate, _, err := sdpconv.ParseCandidate(line)
	if err != nil || !sdpconv.Sendable(candidate) {
		return
	}
	candidate.ID = newID()
	s.account.request(s.peer, jingle.Stanza{Action: jingle.TransportInfo, SID: s.sid, Contents: []jingle.Content{{
		Creator: jingle.Initiator, Name: l.content,
		ICE: &jingle.Transport{Ufrag: l.ufrag, Pwd: l.pwd, Candidates: []jingle.Candidate{candidate}},
	}}})
}

func (s *session) connection(e connection) *ending {
	e.leg.connected = e.state == webrtc.PeerConnectionStateConnected
	switch e.state {
	case webrtc.PeerConnectionStateFailed:
		return &ending{jingle.ConnectivityError, "media failed"}
	case webrtc.PeerConnectionStateConnected:
		for _, l := range s.legs {
			if !l.connected {
				return nil
			}
		}
		s.patience.Stop()
		s.log.Info("media connected", "transports", len(s.legs))
	}
	return nil
}

func reasonText(r *jingle.Reason) string {
	if r == nil {
		return "no reason"
	}
	return string(r.Condition)
}
