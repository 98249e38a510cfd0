package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

const (
	ringLimit     = 45 * time.Second // from our propose to proceed
	initiateLimit = 30 * time.Second // from our proceed to session-initiate; Conversations asks for its TURN servers in between
	acceptLimit   = 30 * time.Second // from our session-initiate to session-accept
	connectLimit  = 30 * time.Second // from session-accept or an ICE restart to media
	callLimit     = 10 * time.Minute
	inboxSize     = 128
	maxChanges    = 200 // requests of the peer that change contents or transports, in one call
	maxAsked      = 32  // requests of ours that wait for their replies
)

// session is one call.  Its goroutine owns peer and all fields below inbox; everybody else posts events.
type session struct {
	account  *account
	log      *slog.Logger
	peer     string // full JID; bare while none of its devices has taken our call
	role     jingle.Role
	sid      string
	proposed bool // it began with XEP-0353
	ctx      context.Context
	cancel   context.CancelFunc
	inbox    chan event

	state    jingle.State
	answered bool     // proceed was sent
	media    []string // of a call of ours
	agreed   jingle.Session
	legs     []*leg
	closing  sync.WaitGroup                         // of legs that are no longer used
	patience *time.Timer                            // for what has to come next
	asked    map[string]func(*jingle.Error) *ending // our requests whose replies matter, by id
	later    []request                              // the peer's requests that wait for the end of an ICE restart of ours
	changes  int
	held     bool // by us
	muted    bool // by us
	puzzled  bool // said that there is no such word
	added    int  // contents that we added
}

// An event is something that happened to a call.
type event interface{}

type (
	request struct { // an IQ set with <jingle/>; answered exactly once
		iq     *element.Element
		stanza jingle.Stanza
	}
	initiationMessage struct {
		from string // full JID
		jingle.Message
	}
	reply struct { // to one of our IQs
		id  string
		err *jingle.Error // nil for a result
	}
	bounced  struct{ err jingle.Error }  // an error came back for one of our messages
	left     struct{}                    // the peer sent unavailable presence
	command  struct{ from, text string } // a chat message
	gathered struct {
		leg       *leg
		candidate string // "candidate:..."
	}
	connection struct { // a leg's state changed
		leg   *leg
		state webrtc.PeerConnectionState
	}
	dialled struct{ content, digit string } // DTMF
)

// ending says how a call ends: the reason the peer is told, none if it knows already, and why for the log.
type ending struct {
	tell jingle.Condition
	why  string
}

func newSession(a *account, peer, sid string, proposed bool, media []string) *session {
	ctx, cancel := context.WithCancel(a.ctx)
	role := jingle.Responder
	if len(media) > 0 {
		role = jingle.Initiator
	}
	return &session{
		account: a, log: a.log.With("peer", peer, "sid", sid), peer: peer, sid: sid, role: role, media: media, proposed: proposed,
		ctx: ctx, cancel: cancel, inbox: make(chan event, inboxSize), patience: time.NewTimer(initiateLimit),
		asked: map[string]func(*jingle.Error) *ending{},
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
	s.log.Info("call begins", "proposed", s.proposed, "role", s.role)
	if s.role == jingle.Initiator {
		s.propose()
	}
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
	s.closing.Wait()
	for _, r := range s.later {
		s.account.refuse(r.iq, jingle.ErrUnknownSession)
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
		s.send(jingle.Stanza{Action: jingle.SessionTerminate, Reason: reason})
	}
	if s.role == jingle.Initiator && s.state == jingle.None {
		s.account.tellPeer(s.peer, jingle.Message{Kind: jingle.Retract, ID: s.sid, Reason: &jingle.Reason{Condition: jingle.Cancel}})
		return
	}
	if s.proposed {
		s.account.tellPeer(s.peer, jingle.Message{Kind: jingle.Finish, ID: s.sid, Reason: reason})
	}
}

func (s *session) handle(e event) *ending {
	switch e := e.(type) {
	case initiationMessage:
		if s.role == jingle.Initiator {
			return s.calleeSays(e)
		}
		return s.message(e.Message)
	case request:
		return s.request(e)
	case gathered:
		s.trickle(e.leg, e.candidate)
	case connection:
		return s.connection(e)
	case dialled:
		s.log.Info("dtmf digit="+e.digit, "content", e.content)
	case command:
		return s.command(e)
	case left:
		return &ending{why: "the peer went offline"}
	case bounced:
		if s.state == jingle.None {
			return &ending{why: "our answer came back: " + e.err.Error()}
		}
	case reply:
		return s.reply(e)
	}
	return nil
}

// reply carries on with what waited for it.  An error may also say that there is no session any more (XEP-0166 section 10).
func (s *session) reply(r reply) *ending {
	if r.err != nil && r.err.Jingle == jingle.ErrUnknownSession.Jingle {
		return &ending{why: "the peer refused: " + r.err.Error()}
	}
	carryOn := s.asked[r.id]
	delete(s.asked, r.id)
	if carryOn == nil {
		return nil
	}
	return carryOn(r.err)
}

// send sends a request whose reply does not matter.
func (s *session) send(stanza jingle.Stanza) string {
	stanza.SID = s.sid
	return s.account.request(s.peer, stanza)
}

// ask sends a request and carries on when it was answered.  The error is nil for a result.
func (s *session) ask(stanza jingle.Stanza, carryOn func(*jingle.Error) *ending) string {
	if len(s.asked) >= maxAsked {
		s.log.Warn("the peer answers no requests")
		clear(s.asked)
	}
	id := s.send(stanza)
	s.asked[id] = carryOn
	return id
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
	case jingle.Finish:
		return &ending{why: "the peer finished: " + reasonText(m.Reason)}
	case jingle.Retract, jingle.Reject: // Siskin withdraws its own call with reject
		if s.state == jingle.None {
			return &ending{why: "the caller withdrew"}
		}
	}
	return nil
}

// request answers a Jingle request and carries it out.
func (s *session) request(r request) *ending {
	action := r.stanza.Action
	state, err := s.state.Next(action, s.them())
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
	case jingle.SessionInfo:
		s.info(r)
		return nil
	case jingle.SessionAccept:
		s.account.result(r.iq, nil)
		s.state = state
		return s.accepted(r.stanza)
	}
	if s.state != jingle.Active && s.role == jingle.Initiator && action != jingle.TransportInfo {
		s.account.refuse(r.iq, jingle.ErrOutOfOrder) // there is nothing to be changed yet
		return nil
	}
	return s.change(r)
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
	var heard []jingle.Info
	for _, payload := range r.stanza.Info {
		info, known := jingle.ParseInfo(payload)
		if !known {
			s.account.refuse(r.iq, jingle.ErrUnsupportedInfo)
			return
		}
		heard = append(heard, info)
	}
	s.account.result(r.iq, nil)
	for _, info := range heard {
		s.log.Info("the peer says "+string(info.Kind), "content", info.Name)
	}
}

// accept answers the offer with all contents that can be echoed.
func (s *session) accept(initiate jingle.Stanza) *ending {
	agreed, err := sdpconv.Apply(jingle.Session{}, initiate, jingle.Initiator)
	if err != nil {
		return &ending{refusal(err), err.Error()}
	}
	offer := agreed.Of[jingle.Initiator]
	legs, answer, err := s.account.media.answer(offer, s.post)
	s.legs = legs
	if err != nil {
		return &ending{refusal(err), err.Error()}
	}
	accept := jingle.Stanza{
		Action: jingle.SessionAccept, Responder: s.account.self, Contents: answer.Contents, Groups: answer.Groups,
	}
	if s.agreed, err = sdpconv.Apply(agreed, accept, jingle.Responder); err == nil {
		s.state, err = s.state.Next(jingle.SessionAccept, jingle.Responder)
	}
	if err != nil {
		return &ending{jingle.GeneralError, err.Error()}
	}
	s.ask(accept, func(err *jingle.Error) *ending {
		if err != nil {
			return &ending{why: "the peer refused: " + err.Error()}
		}
		return nil
	})
	s.letSenders()
	s.candidates(offer.Contents)
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

func reasonText(r *jingle.Reason) string {
	if r == nil {
		return "no reason"
	}
	return string(r.Condition)
}
