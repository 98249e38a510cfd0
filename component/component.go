// Package component is the running gateway between browsers and an XMPP server: an external component (XEP-0114) whose addresses are
// the browsers' pages.
//
// It keeps the registry of pages and calls, decides who may call whom, carries out what the call engine wants done, and does the
// duties of an XMPP entity: presence, service discovery, vCards.  Everything about an address is kept only while a page is
// open at it.
package component

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle/element"
)

// Link is how stanzas leave: an XEP-0114 stream, or what stands for one in a test.  Neither method blocks.
type Link interface {
	// Send sends a stanza whose from is in our domain.
	Send(*element.Element) error
	// Request sends an IQ get or set around the payload, under an id of its own.  Done is called once, with the result or error stanza that answered it, or with an error
	// when none came in time or the link broke.
	Request(iq *element.Element, payload stream.Payload, timeout time.Duration, done func(reply *element.Element, err error))
}

// Config is what an operator decides.
type Config struct {
	Domain         jid.JID // the component's domain
	Server         string  // host:port of the XMPP server's component port
	Secret         string  // shared with the XMPP server
	PublicURL      string  // where browsers find the page
	Origins        []string
	TrustedProxies []netip.Prefix
	StateDir       string              // holds the key; made when missing
	Echo           string              // an address among MayCall that plays back what it hears; pages test themselves with it
	MayCall        []jid.JID           // whom guests may call: bare JIDs and domains; empty: nobody
	ReservedNames  []string            // names no guest may take
	ICEServers     []gateway.ICEServer // given to browsers as they are
	TURN           TURN
	Grace          time.Duration // how long a page may be without its socket before its calls end (20 s)
	Ringing        time.Duration // how long a call rings that nobody answers (1 min)
	Shutdown       time.Duration // from telling browsers that the service ends to closing their sockets (3 s)
	Limits         Limits
	Rooms          RoomLimits
	Gateway        gateway.Limits
	Version        string
	Static         http.Handler // the page
	Log            *slog.Logger
}

// Component is one running gateway.
type Component struct {
	cfg      Config
	log      *slog.Logger
	key      []byte
	reserved map[string]bool
	policy   *policy
	link     Link
	door     *gateway.Server
	rooms    *rooms
	metrics  *metrics
	stream   *stream.Stream
	ctx      context.Context // ends with Run; for log levels only

	mu      sync.Mutex // guards everything below; held for lookups and for queueing, never while waiting
	up      bool       // the stream is authenticated
	wasUp   bool       // it has been before
	closing bool
	tabs    int                 // pages at all ghosts
	ghosts  map[string]*ghost   // by bare JID
	calls   map[callKey]*runner // those with an XMPP peer
	ringing map[*runner]*ghost  // incoming calls that nobody has answered
	runners map[*runner]bool    // all calls

	relinked time.Time         // when the stream came back after it was lost; zero if it never was
	goodbyes map[*goodbye]bool // last words that wait to be said again
	unsaid   announcements     // presence that waits to be sent
	unlogged int               // refusals since the last that was logged
}

// New makes a component from its configuration; nothing runs yet.  It reads, or makes, the key in StateDir.
func New(cfg Config) (*Component, error) {
	key, err := loadKey(cfg.StateDir)
	if err != nil {
		return nil, err
	}
	c, err := newComponent(cfg, key)
	if err != nil {
		return nil, err
	}
	c.stream = stream.New(stream.Config{
		Address: cfg.Server, Domain: cfg.Domain, Secret: cfg.Secret,
		Handle: c.handle, Connected: c.connected, Panicked: c.metrics.panicked(inStream), Log: c.log,
	})
	c.link = c.stream
	return c, nil
}

// newComponent makes a component that has no link yet.
func newComponent(cfg Config, key []byte) (*Component, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Grace == 0 {
		cfg.Grace = 20 * time.Second
	}
	if cfg.Shutdown == 0 {
		cfg.Shutdown = 3 * time.Second
	}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, err
	}
	c := &Component{
		cfg: cfg, log: cfg.Log, key: key, reserved: map[string]bool{}, policy: newPolicy(cfg.MayCall, cfg.Limits), ctx: context.Background(),
		ghosts: map[string]*ghost{}, calls: map[callKey]*runner{},
		ringing: map[*runner]*ghost{}, runners: map[*runner]bool{}, goodbyes: map[*goodbye]bool{}, unsaid: announcements{latest: map[[2]string]*announcement{}}, rooms: newRooms(cfg.Rooms),
	}
	c.metrics = newMetrics(c)
	for _, name := range cfg.ReservedNames {
		if n, err := normalName(name); err == nil {
			c.reserved[n] = true
		}
	}
	c.door = gateway.New(gateway.Config{
		PublicURL: public, Origins: cfg.Origins, TrustedProxies: cfg.TrustedProxies, Static: cfg.Static,
		Ready: c.ready, QRDomain: cfg.Domain.String(), Limits: cfg.Gateway,
		Panicked: c.metrics.panicked(inGateway), Log: c.log,
	}, c)
	return c, nil
}

// ServeHTTP is the browsers' door.
func (c *Component) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.door.ServeHTTP(w, r) }

// Run keeps the stream to the XMPP server until ctx ends, then ends every call and socket in good order.
func (c *Component) Run(ctx context.Context) error {
	// The stream outlives ctx for as long as the last words of the calls need.
	streamCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- c.stream.Run(streamCtx) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-done:
		done <- err
	}
	c.shutDown()
	stop()
	if err = errors.Join(err, <-done); errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// shutDownTime bounds how long ending takes, beyond the notice that browsers are given.
const shutDownTime = 5 * time.Second

// shutDown announces the end, ends calls, so that peers and pages hear of it, and at last the sockets.
func (c *Component) shutDown() {
	c.mu.Lock()
	c.closing = true
	running := make([]*runner, 0, len(c.runners))
	for r := range c.runners {
		running = append(running, r)
	}
	c.forgetGoodbyes()
	c.stopAnnouncing()
	c.mu.Unlock()
	c.door.Announce(c.cfg.Shutdown)
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Shutdown+shutDownTime)
	defer cancel()
	for _, r := range running {
		r.post(call.Shutdown{Outcome: call.ShuttingDown})
	}
	for _, r := range running {
		select {
		case <-r.closed:
		case <-ctx.Done():
		}
	}
	if err := c.door.Shutdown(ctx); err != nil {
		c.log.Warn("sockets still open at the end", "error", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropAllLetters()
	c.announceAgain()
}

// connected takes note of the link's coming and going.
func (c *Component) connected(up bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up = up
	for _, g := range c.ghosts {
		g.broadcast(gateway.Link{Up: up})
	}
	if up {
		if c.wasUp {
			c.relinked = time.Now()
		}
		c.wasUp = true
		c.announceAll()
		return
	}
	for _, g := range c.ghosts {
		clear(g.devices) // what happens to them now is not heard
	}
}

// ready is nil when calls can be made.
func (c *Component) ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closing:
		return errors.New("shutting down")
	case !c.up:
		return errors.New("the XMPP server is not connected")
	}
	return nil
}

// post sends a stanza that nobody waits for.
func (c *Component) post(e *element.Element) {
	if err := c.link.Send(e); err != nil {
		c.log.Debug("stanza not sent", "kind", e.Local, "error", err)
	}
}

// Stats counts what is kept, for tests and operators.
type Stats struct {
	Linked              bool // the stream is authenticated
	Ghosts, Tabs, Calls int
	Devices             int // of contacts, with what they can do known
	Rooms, Members      int
}

// Stats returns the present counts.
func (c *Component) Stats() Stats {
	rooms, members := c.rooms.count()
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{Linked: c.up, Ghosts: len(c.ghosts), Calls: len(c.runners), Rooms: rooms, Members: members}
	for _, g := range c.ghosts {
		s.Tabs += len(g.tabs)
		for _, d := range g.devices {
			if d.Disco.Features != nil {
				s.Devices++
			}
		}
	}
	return s
}
