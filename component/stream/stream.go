// Package stream is the link of an external component (XEP-0114) to its server.
//
// It hides dialling, the handshake, framing, the matching of answers to requests, batched writing, and dialling anew.
// No stanza that a stranger can make a server forward ends the link: what is malformed is answered here.
//
// Stanzas are in the namespace jabber:component:accept on the wire.  In the trees given to and taken from this package it
// is "": a stanza and those of its descendants that share its namespace have Space "".
package stream

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

// Errors of Send and Request.
var (
	ErrDown      = errors.New("stream: not connected")
	ErrFull      = errors.New("stream: too much is waiting to be sent or answered")
	ErrAddress   = errors.New("stream: stanza without to, or with a from outside the component's domain")
	ErrNotStanza = errors.New("stream: not an iq, message or presence")
	ErrTooLarge  = errors.New("stream: stanza too large to send")
	ErrTimeout   = errors.New("stream: no answer in time")
)

// Stanza is a stanza that arrived, its addresses parsed.  An address that was missing is the zero JID.
type Stanza struct {
	ID, Type string
	From, To jid.JID
	Element  *element.Element // Local is iq, message or presence; Space is ""; an iq has no children
	Payload  element.Node     // the child of an iq, to be used only until Handle returns
}

// Config says where to connect and what to do.  Address, Domain, Secret and Handle are required.
type Config struct {
	Address string  // host:port of the server's component port; the name is resolved at every attempt
	Domain  jid.JID // the component's own domain
	Secret  string

	// Handle is called for each well-formed stanza that answers no request of ours, in the order of the stream and on its
	// reading goroutine, so it must not block.  An iq is always of type get or set with exactly one child element, and
	// must be answered once; messages and presence include those of type error.  A panic is logged and ends only
	// that stanza, an iq with internal-server-error.
	Handle func(Stanza)

	// Connected is told of each change of the link, and of the first failure to connect, before respectively after all
	// stanzas of that connection.  It must not block.
	Connected func(up bool, err error)

	// Panicked counts a panic that was caught, from any goroutine.  Nil: nobody counts.
	Panicked func()

	Log *slog.Logger

	MaxStanza   int // bytes of a stanza that is read; default 512 KiB
	MaxDepth    int // nested elements of a stanza that is read; default 128
	QueueBytes  int // waiting to be written; default 4 MiB
	QueueCount  int // stanzas waiting to be written; default 10,000
	MaxRequests int // waiting for their answer; default 10,000
}

// maxSend keeps what we send below the limits of servers, which end the stream over it (Prosody's component_stanza_size_limit
// is 512 KiB).
const maxSend = 384 << 10

// Stream is the link.  Its methods may be called from any goroutine.
type Stream struct {
	cfg    Config
	domain string
	times  times
	dial   func(ctx context.Context) (net.Conn, error)
	link   atomic.Pointer[link] // nil when down
	asked  requests
}

// times are the durations of the link.
type times struct {
	dial, negotiate time.Duration
	silence         time.Duration // without a byte, before a ping
	pong            time.Duration // for any byte after a ping
	stall           time.Duration // from a stanza's first byte to its last
	write           time.Duration
	linger          time.Duration // for what is queued when Run ends
	backoff         [2]time.Duration
}

var defaultTimes = times{
	dial: 10 * time.Second, negotiate: 15 * time.Second, silence: 30 * time.Second, pong: 15 * time.Second, stall: 30 * time.Second,
	write: 10 * time.Second, linger: 2 * time.Second, backoff: [2]time.Duration{100 * time.Millisecond, 30 * time.Second},
}

// New makes a stream; Run connects it.
func New(cfg Config) *Stream {
	for _, f := range []struct {
		field *int
		value int
	}{{&cfg.MaxStanza, 512 << 10}, {&cfg.MaxDepth, 128}, {&cfg.QueueBytes, 4 << 20}, {&cfg.QueueCount, 10000}, {&cfg.MaxRequests, 10000}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Connected == nil {
		cfg.Connected = func(bool, error) {}
	}
	if cfg.Panicked == nil {
		cfg.Panicked = func() {}
	}
	s := &Stream{cfg: cfg, domain: cfg.Domain.Domainpart(), times: defaultTimes}
	s.asked.most = cfg.MaxRequests
	s.dial = func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{Timeout: s.times.dial}).DialContext(ctx, "tcp", cfg.Address)
	}
	return s
}

// Run connects, and connects anew whenever the link ends, until ctx ends.  What is queued then is still sent, within
// seconds.  It returns the error of ctx; no goroutine and no request outlives it.
func (s *Stream) Run(ctx context.Context) error {
	defer s.asked.wait()
	wait, told := s.times.backoff[0], false
	for ctx.Err() == nil {
		began := time.Now()
		up, err := s.connect(ctx)
		if ctx.Err() != nil {
			break
		}
		if up && time.Since(began) > steady && !isConflict(err) {
			wait = s.times.backoff[0]
		}
		if !up && !told {
			s.tell(false, err)
		}
		told = true
		if isConfiguration(err) {
			wait = s.times.backoff[1]
		}
		pause := wait/2 + rand.N(wait/2+1)
		s.report(err, pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		wait = min(2*wait, s.times.backoff[1])
	}
	return ctx.Err()
}

// steady is how long a connection must have lasted for the next one to be tried at once.  Of two instances that push each
// other out neither is ever steady.
const steady = 5 * time.Second

// connect runs one connection to its end and tells whether the server let us in.
func (s *Stream) connect(ctx context.Context) (up bool, err error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return false, err
	}
	in, scope, err := s.negotiate(ctx, conn)
	if err != nil {
		conn.Close()
		return false, err
	}
	l := newLink(conn, s.cfg.QueueBytes, s.cfg.QueueCount)
	written := make(chan struct{})
	go func() {
		defer close(written)
		l.write(s.times.write)
	}()
	leave := context.AfterFunc(ctx, func() { l.leave(time.Now().Add(s.times.linger)) })
	s.link.Store(l)
	s.cfg.Log.Info("connected to the XMPP server", "address", s.cfg.Address, "domain", s.domain)
	s.tell(true, nil)

	if err = l.fail(s.read(ctx, l, in, scope)); ctx.Err() != nil {
		err = ctx.Err()
	}
	s.link.Store(nil)
	leave()
	<-written
	s.failAll(ErrDown)
	s.tell(false, err)
	return true, err
}

// tell calls Connected.
func (s *Stream) tell(up bool, err error) {
	s.guard("connected", func() { s.cfg.Connected(up, err) })
}

// report logs the end of a connection, or of the attempt to make one.
func (s *Stream) report(err error, pause time.Duration) {
	again := slog.Duration("again_in", pause.Round(time.Millisecond))
	if hint := remedy(err); hint != "" {
		s.cfg.Log.Error("the XMPP server refuses the component: "+hint, "error", err, "domain", s.domain, again)
		return
	}
	s.cfg.Log.Warn("no connection to the XMPP server", "address", s.cfg.Address, "error", err, again)
}

// Send queues a stanza and never blocks.  Errors are ErrDown, ErrFull, ErrAddress, ErrNotStanza and ErrTooLarge; nil does not mean
// that it arrives.  The element can be changed after Send returned.
func (s *Stream) Send(e *element.Element) error {
	l := s.link.Load()
	if l == nil {
		return ErrDown
	}
	return s.sendOn(l, e, nil)
}

// sendOn is where every outgoing stanza passes: e as it is, or around the payload.
func (s *Stream) sendOn(l *link, e *element.Element, payload Payload) error {
	if !isStanza(e) {
		return ErrNotStanza
	}
	if e.Attr("to") == "" || !within(e.Attr("from"), s.domain) {
		return ErrAddress
	}
	return l.send(e, payload)
}
