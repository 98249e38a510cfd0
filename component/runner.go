package component

import (
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	inboxSize      = 256         // inputs that may wait for a call
	requestTimeout = time.Minute // Monal answers a session-initiate only when its user has
	pingTimeout    = 10 * time.Second
	maxRequests    = 256 // of one call that may wait for their answers: all calls share the stream's
)

// A runner owns one call: its goroutine alone touches the machine and its timers.  Everybody else posts to its inbox.
type runner struct {
	c         *Component
	id        string  // what browsers call it
	key       callKey // where XMPP finds it; zero for a call between two tabs
	ours      jid.JID // our bare address
	peer      jid.JID // the other side's bare address
	direction string  // for the log
	name      string  // what the caller says to be called
	dialled   string  // the address as the caller's page is told it was understood
	machine   call.Machine
	started   time.Time

	parting []*tab // pages that were closed in it, which the peer may still see; guarded by c.mu

	asked  atomic.Int32 // requests that wait for their answers
	inbox  chan item
	closed chan struct{} // closed when the goroutine has ended

	mu       sync.Mutex // guards what follows, and sending to inbox against closing it
	shut     bool
	overflow bool
	attempt  call.Attempt // what it calls with while calling
	calling  bool         // and nobody has answered

	timers    map[call.Timer]*timer
	admission *admission
	renewal   *time.Timer
	admitted  []jid.JID // tabs that hold ICE servers of this call
	current   item      // what is being handled
	outcome   call.Outcome
}

// item is an entry of the inbox: an input, or the word of a timer.
type item struct {
	in    call.Input
	timer *timer
	renew bool
}

// A timer is one start of a machine's timer.  A later start makes a new one, so that the word of an old one, already in the inbox, is
// recognised.
type timer struct {
	name call.Timer
	t    *time.Timer
}

// post hands an input to the call and tells whether it will be handled.  It never blocks: a call that cannot keep up is ended.
func (r *runner) post(in call.Input) bool { return r.enqueue(item{in: in}) }

func (r *runner) enqueue(i item) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shut || r.overflow {
		return false
	}
	select {
	case r.inbox <- i:
		return true
	default:
		r.overflow = true
		return false
	}
}

func (r *runner) overflowed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overflow
}

// run is the call's goroutine.  It ends with the call.
func (r *runner) run(first []call.Output) {
	defer close(r.closed)
	defer r.finish()
	defer r.recoverPanic()
	ended := r.carryOut(first)
	for !ended {
		r.current = <-r.inbox
		i := r.current
		switch {
		case r.overflowed():
			r.c.log.Warn("call ended: its inbox overflowed", "call", r.id)
			r.c.metrics.overflow.Inc()
			r.refuseCurrent()
			ended = r.handle(call.Shutdown{Outcome: call.Failed})
		case i.renew:
			r.renewCredentials()
		case i.timer != nil:
			if r.timers[i.timer.name] == i.timer {
				delete(r.timers, i.timer.name)
				ended = r.handle(call.Timeout{Timer: i.timer.name})
			}
		default:
			ended = r.handle(i.in)
			if gone, ok := i.in.(call.BrowserGone); ok {
				r.c.part(r, gone.Tab)
			}
		}
		r.current = item{} // a peer's request has the text of its stanza
	}
}

func (r *runner) handle(in call.Input) bool {
	now := time.Now()
	r.record(now, in)
	outputs := r.machine.Handle(now, in)
	r.note()
	return r.carryOut(outputs)
}

// begin makes the machine.  It panics on an opening that lacks what its kind needs, which is a mistake of the caller's.
func (r *runner) begin(o call.Opening) []call.Output {
	cfg := r.c.callConfig()
	o.TURN, o.Durations = cfg.TURN, cfg.Durations
	r.record(r.started, o)
	m, outputs, err := o.Start(cfg)
	if err != nil {
		panic(err)
	}
	r.machine = m
	r.note()
	return outputs
}

// record logs an input, so that carillon replay can take the call through the engine again.
func (r *runner) record(now time.Time, in call.Input) {
	if r.c.log.Enabled(r.c.ctx, slog.LevelDebug) {
		r.c.log.Debug("call input", "call", r.id, "input", string(call.Record(now, in)))
	}
}

// note keeps what the call is calling with, for who looks for ties.
func (r *runner) note() {
	if m, ok := r.machine.(call.Caller); ok {
		attempt, calling := m.Attempt()
		r.mu.Lock()
		r.attempt, r.calling = attempt, calling
		r.mu.Unlock()
	}
}

// attempted returns what the call is calling with, while nobody has answered.
func (r *runner) attempted() (call.Attempt, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempt, r.calling
}

func (r *runner) isCalling() bool {
	_, calling := r.attempted()
	return calling
}

// carryOut does what the machine wants done and tells whether that was the end.
func (r *runner) carryOut(outputs []call.Output) (ended bool) {
	for _, out := range outputs {
		switch o := out.(type) {
		case call.ToBrowser:
			r.toBrowser(o)
		case call.SendMessage:
			r.sendMessage(o)
		case call.SendRequest:
			iq := newStanza("iq", "set", o.From, o.To, "")
			if o.Jingle.Action == jingle.SessionTerminate {
				r.c.sayGoodbye(iq, o)
			} else {
				r.request(o.Tag, o.To, iq, o, requestTimeout)
			}
		case call.SendPing:
			r.request(o.Tag, o.To, newStanza("iq", "get", o.From, o.To, ""), element.New(nsPing, "ping"), pingTimeout)
		case call.SendDisco:
			if d, known := r.c.discoOf(o.From, o.To); known {
				r.post(call.PeerReply{Tag: o.Tag, From: o.To, Disco: d})
				continue
			}
			r.request(o.Tag, o.To, newStanza("iq", "get", o.From, o.To, ""), element.New(nsDiscoInfo, "query"), pingTimeout)
		case call.Answer:
			r.answer(o)
		case call.SetTimer:
			r.setTimer(o.Timer, o.After)
		case call.Untranslated:
			for _, l := range o.Losses {
				r.c.log.Debug("not translated", "call", r.id, "line", l.Number, "reason", l.Reason)
			}
		case call.Ended:
			r.outcome, ended = o.Outcome, true
		}
	}
	return ended
}

func (r *runner) toBrowser(o call.ToBrowser) {
	switch o.Event.(type) {
	case call.Admitted:
		r.c.engage(o.Tab, r, r.admit(o.Tab))
		return
	case call.Proceeding, call.RemoteAnswer, call.RemoteOffer:
		r.admission.answered()
		r.c.answered(r)
	case call.Refused:
		r.c.refuseWaiting(o.Tab, r, gateway.FrameOf(r.id, o.Event))
		return
	}
	f := gateway.FrameOf(r.id, o.Event)
	if in, ok := f.(gateway.Incoming); ok {
		in.Name = r.name
		f = in
	}
	r.c.send(o.Tab, f)
	if _, last := o.Event.(call.Finished); last {
		r.c.leave(o.Tab, r)
	}
}

// admit mints what the tab needs for its peer connection, and takes note to renew it.
func (r *runner) admit(tab jid.JID) gateway.Frame {
	now := time.Now()
	servers, expires := r.c.iceServers(r.id, now)
	if !slices.ContainsFunc(r.admitted, tab.Equal) {
		r.admitted = append(r.admitted, tab)
	}
	if !expires.IsZero() && r.renewal == nil {
		r.scheduleRenewal()
	}
	to, called := r.dialled, tab.Bare().Equal(r.peer)
	if called { // and may have dialled as well
		to = r.ours.String()
	}
	return gateway.Admitted{
		Call: r.id, To: to, Called: called, ICEServers: servers, RelayOnly: r.c.cfg.TURN.RelayOnly, Expires: secondsUntil(expires, now),
	}
}

// scheduleRenewal renews credentials while some of their lifetime is left.
func (r *runner) scheduleRenewal() {
	r.renewal = time.AfterFunc(turnRenewal, func() { r.enqueue(item{renew: true}) })
}

func (r *runner) renewCredentials() {
	now := time.Now()
	servers, expires := r.c.iceServers(r.id, now)
	for _, tab := range r.admitted {
		r.c.send(tab, gateway.ICEServers{Call: r.id, ICEServers: servers, Expires: secondsUntil(expires, now)})
	}
	r.scheduleRenewal()
}

func (r *runner) sendMessage(o call.SendMessage) {
	m := initiation(o.From, o.To, o.ID, o.Message)
	switch o.Message.Kind {
	case jingle.Retract, jingle.Reject, jingle.Finish:
		r.c.sayGoodbye(m, nil)
		return
	}
	if o.Message.Kind == jingle.Propose {
		m.Append(nickElement(r.c.nickOf(o.From)))
	}
	if err := r.c.link.Send(m); err != nil {
		r.c.log.Debug("message not sent", "call", r.id, "error", err)
		r.post(call.PeerBounce{From: o.To, ID: o.ID, Err: jingle.Error{Type: "wait", Condition: "remote-server-timeout"}})
	}
}

func (r *runner) request(tag int, to jid.JID, iq *element.Element, payload stream.Payload, timeout time.Duration) {
	if r.asked.Add(1) > maxRequests {
		r.asked.Add(-1)
		r.post(call.PeerReply{Tag: tag, From: to, Err: &jingle.Error{Type: "wait", Condition: "resource-constraint"}})
		return
	}
	r.c.link.Request(iq, payload, timeout, func(reply *element.Element, err error) {
		r.asked.Add(-1)
		in := call.PeerReply{Tag: tag, From: to}
		switch {
		case err != nil:
			in.Err = &jingle.Error{Type: "wait", Condition: "remote-server-timeout"}
		case reply.Attr("type") == "error":
			e := jingle.ParseError(reply)
			in.Err = &e
		default:
			in.Disco = discoIn(reply, "")
		}
		r.post(in)
	})
}

func (r *runner) answer(o call.Answer) {
	iq := newStanza("iq", "result", o.Request.To, o.Request.From, o.Request.ID)
	if o.Err != nil {
		iq = newStanza("iq", "error", o.Request.To, o.Request.From, o.Request.ID).Append(o.Err.Element())
	}
	if err := r.c.link.Send(iq); err != nil {
		r.c.log.Debug("answer not sent", "call", r.id, "error", err)
	}
}

func (r *runner) setTimer(name call.Timer, after time.Duration) {
	if old := r.timers[name]; old != nil {
		old.t.Stop()
		delete(r.timers, name)
	}
	if after > 0 {
		t := &timer{name: name}
		t.t = time.AfterFunc(after, func() { r.enqueue(item{timer: t}) })
		r.timers[name] = t
	}
}

// finish takes the call out of the registry and gives what still waits in the inbox its answers.
func (r *runner) finish() {
	r.c.forget(r)
	r.mu.Lock()
	r.shut = true
	close(r.inbox)
	r.mu.Unlock()
	for _, t := range r.timers {
		t.t.Stop()
	}
	if r.renewal != nil {
		r.renewal.Stop()
	}
	for i := range r.inbox {
		if req, ok := i.in.(call.PeerRequest); ok {
			r.answer(call.Answer{Request: req, Err: jingle.ErrUnknownSession})
		}
	}
	r.admission.release(time.Now(), r.outcome)
	lasted := time.Since(r.started)
	r.c.metrics.ended(r.direction, r.outcome, lasted)
	r.c.log.Info("call ended", "call", r.id, "direction", r.direction, "outcome", string(r.outcome), "seconds", int(lasted.Seconds()))
}

// refuseCurrent answers the request at hand, if it is one, when the machine cannot.
func (r *runner) refuseCurrent() {
	if req, ok := r.current.in.(call.PeerRequest); ok {
		r.answer(call.Answer{Request: req, Err: errBusy})
	}
}

// recoverPanic keeps one broken call from ending the process.  Its tabs are told, and so is an XMPP peer by the errors that its next requests get.
func (r *runner) recoverPanic() {
	v := recover()
	if v == nil {
		return
	}
	r.c.log.Error("call ended by a panic", "call", r.id, "panic", v, "stack", string(debug.Stack()))
	r.c.metrics.panicked(inCall)()
	r.outcome = call.Failed
	r.refuseCurrent()
	for _, tab := range r.c.tabsOf(r) {
		r.c.send(tab, gateway.FrameOf(r.id, call.Finished{Outcome: call.Failed}))
	}
}

func secondsUntil(t, now time.Time) int {
	if t.IsZero() {
		return 0
	}
	return int(t.Sub(now).Seconds())
}
