package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	maxCalls   = 20
	staleAfter = time.Minute // a stored proposal of that age is nobody's call any more
	nsDelay    = "urn:xmpp:delay"
)

var (
	errItemNotFound       = &jingle.Error{Type: "cancel", Condition: "item-not-found"}
	errServiceUnavailable = &jingle.Error{Type: "cancel", Condition: "service-unavailable"}
	errOverloaded         = &jingle.Error{Type: "wait", Condition: "resource-constraint"}
)

// account is what the connections under one address answer with, one after the other: queries, subscriptions and calls.  Addresses are
// compared as the server writes them; it has normalised them.
type account struct {
	self  string // full JID
	media *media
	log   *slog.Logger

	ctx     context.Context // ends the calls
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	calls map[callKey]*session

	link sync.RWMutex // guards send
	send func(stanza []byte) error
}

// errOffline is why nothing is sent between two connections.
var errOffline = errors.New("not connected")

// via sets how stanzas leave from now on; nil: not at all.
func (a *account) via(send func(stanza []byte) error) {
	a.link.Lock()
	defer a.link.Unlock()
	a.send = send
}

// callKey names a session: only that full JID may speak for it.
type callKey struct{ peer, sid string }

func newAccount(self string, send func(stanza []byte) error, media *media, log *slog.Logger) *account {
	ctx, cancel := context.WithCancel(context.Background())
	return &account{self: self, send: send, media: media, log: log, ctx: ctx, cancel: cancel, calls: map[callKey]*session{}}
}

// close ends all calls and waits for them.
func (a *account) close() {
	a.mu.Lock()
	a.cancel()
	a.mu.Unlock()
	a.running.Wait()
}

// handle answers one stanza.  It is called in stream order and never blocks on a call.
func (a *account) handle(e *element.Element) {
	defer func() {
		if r := recover(); r != nil {
			a.log.Error("stanza dropped", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	if e.Space != nsClient {
		return
	}
	switch e.Local {
	case "iq":
		a.iq(e)
	case "message":
		a.message(e)
	case "presence":
		a.presence(e)
	}
}

func (a *account) iq(iq *element.Element) {
	switch iq.Attr("type") {
	case "get", "set":
		if len(iq.Children) != 1 {
			a.refuse(iq, jingle.ErrBadRequest)
			return
		}
		payload := iq.Children[0]
		switch {
		case iq.Attr("type") == "get":
			a.get(iq, payload)
		case payload.Space == jingle.NS && payload.Local == "jingle":
			a.jingle(iq, payload)
		default:
			a.refuse(iq, errServiceUnavailable)
		}
	case "result":
		a.tell(iq.Attr("from"), reply{id: iq.Attr("id")})
	case "error":
		err := jingle.ParseError(iq)
		a.tell(iq.Attr("from"), reply{id: iq.Attr("id"), err: &err})
	}
}

func (a *account) get(iq, payload *element.Element) {
	answer, err := query(payload)
	if err != nil {
		a.refuse(iq, err)
		return
	}
	a.result(iq, answer)
}

// jingle hands the request to its session, which answers it, or begins one.
func (a *account) jingle(iq, payload *element.Element) {
	stanza, bad := jingle.ParseStanza(payload)
	if bad != nil {
		a.refuse(iq, bad)
		return
	}
	peer := iq.Attr("from")
	s := a.find(peer, stanza.SID)
	if s == nil && stanza.Action == jingle.SessionInitiate {
		if s = a.begin(peer, stanza.SID, false); s == nil {
			a.result(iq, nil)
			a.request(peer, jingle.Stanza{Action: jingle.SessionTerminate, SID: stanza.SID, Reason: &jingle.Reason{Condition: jingle.Busy}})
			return
		}
	}
	if s == nil {
		a.refuse(iq, jingle.ErrUnknownSession)
		return
	}
	if !s.offer(request{iq: iq, stanza: stanza}) {
		a.refuse(iq, errOverloaded)
	}
}

func (a *account) message(m *element.Element) {
	from := m.Attr("from")
	switch {
	case m.Attr("type") == "error":
		a.tell(from, bounced{err: jingle.ParseError(m)})
		return
	case m.Attr("type") == "groupchat" || stale(m, time.Now()) || bare(from) == bare(a.self) || !strings.Contains(from, "/"):
		return
	}
	msg, err := jingle.MessageIn(m)
	if err != nil {
		return
	}
	if msg == nil {
		a.chat(m)
		return
	}
	s := a.find(from, msg.ID)
	if s == nil {
		s = a.ours(from, msg.ID)
	}
	if s == nil && msg.Kind == jingle.Propose {
		if s = a.begin(from, msg.ID, true); s == nil {
			a.tellPeer(from, jingle.Message{Kind: jingle.Reject, ID: msg.ID, Reason: &jingle.Reason{Condition: jingle.Busy}})
		}
	}
	if s != nil {
		s.offer(initiationMessage{from, *msg})
	}
}

// stale tells a message that the server kept for us (XEP-0203) for too long.
func stale(m *element.Element, now time.Time) bool {
	delay := m.Child(nsDelay, "delay")
	if delay == nil {
		return false
	}
	sent, err := time.Parse(time.RFC3339, delay.Attr("stamp"))
	return err != nil || now.Sub(sent) > staleAfter
}

// presence lets everybody see us, so that their clients know that we take calls, and ends the calls of who leaves.
func (a *account) presence(p *element.Element) {
	from := p.Attr("from")
	switch p.Attr("type") {
	case "subscribe":
		a.log.Info("contact", "address", bare(from))
		a.write(element.New("", "presence", "to", bare(from), "type", "subscribed"))
		a.write(element.New("", "presence", "to", bare(from), "type", "subscribe"))
	case "unsubscribe":
		a.write(element.New("", "presence", "to", bare(from), "type", "unsubscribed"))
	case "unavailable":
		a.tell(from, left{})
	}
}

// chat carries out what a message asks for, in all calls of its sender.  Of who has no call only "help" and the wish for one are answered, so
// that two programs never talk to each other for long.
func (a *account) chat(m *element.Element) {
	body := m.Child(nsClient, "body")
	if body == nil {
		return
	}
	from, text := m.Attr("from"), strings.ToLower(strings.Trim(body.Text, " \t\r\n.!"))
	switch text {
	case "help":
		a.say(from, help())
		return
	case "call me":
		a.call(from, "audio")
		return
	case "call me with video":
		a.call(from, "audio", "video")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, s := range a.calls {
		if bare(key.peer) == bare(from) {
			s.offer(command{from, text})
		}
	}
}

// say writes a chat message.
func (a *account) say(to, text string) {
	a.write(element.New("", "message", "type", "chat", "id", newID(), "to", to).Append(element.New("", "body").WithText(text)))
}

func (a *account) find(peer, sid string) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[callKey{peer, sid}]
}

// begin starts a session, or returns nil when there are too many or the account is closing.  With media it is a call of ours.
func (a *account) begin(peer, sid string, proposed bool, media ...string) *session {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) >= maxCalls || a.ctx.Err() != nil {
		return nil
	}
	s := newSession(a, peer, sid, proposed, media)
	a.calls[callKey{peer, sid}] = s
	a.running.Go(s.run)
	return s
}

func (a *account) forget(s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.calls, callKey{s.peer, s.sid})
}

// tell posts an event to all sessions with that full JID.
func (a *account) tell(peer string, e event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, s := range a.calls {
		if key.peer == peer {
			s.offer(e)
		}
	}
}

// write sends a stanza.  When the stream is gone its reader notices as well, and every call has limits of its own, so no caller needs the error.
func (a *account) write(e *element.Element) { a.writeText(e.AppendTo(nil, "")) }

func (a *account) writeText(stanza []byte) {
	a.link.RLock()
	send, err := a.send, errOffline
	a.link.RUnlock()
	if send != nil {
		err = send(stanza)
	}
	if err != nil {
		a.log.Debug("stanza not sent", "err", err)
	}
}

func (a *account) result(iq, payload *element.Element) {
	a.write(element.New("", "iq", "type", "result", "id", iq.Attr("id"), "to", iq.Attr("from")).Append(payload))
}

func (a *account) refuse(iq *element.Element, err *jingle.Error) {
	a.log.Debug("request refused", "from", iq.Attr("from"), "err", err)
	a.write(element.New("", "iq", "type", "error", "id", iq.Attr("id"), "to", iq.Attr("from")).Append(err.Element()))
}

// request sends a Jingle request and returns its id.
func (a *account) request(peer string, s jingle.Stanza) string {
	id := newID()
	a.writeText(element.New("", "iq", "type", "set", "id", id, "to", peer).AppendAround(nil, "", s.AppendTo))
	return id
}

// tellPeer sends a message initiation.  The hint lets the peer's server keep it for a device that is asleep (XEP-0353 section 3).
func (a *account) tellPeer(peer string, m jingle.Message) {
	a.write(element.New("", "message", "type", "chat", "id", newID(), "to", peer).
		Append(m.Element(), element.New(jingle.NSHints, "store")))
}
