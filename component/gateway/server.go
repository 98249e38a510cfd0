package gateway

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Config is what a Server needs.  Only PublicURL is required.
type Config struct {
	PublicURL      *url.URL       // where browsers find this server; gives the Origin and the path prefix
	Origins        []string       // further Origins (see ParseOrigin); "none" admits requests without one
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Static         http.Handler   // the page; nil: 404
	Ready          func() error   // nil or what keeps the service from working, for /readyz
	QRDomain       string         // domain of the addresses that /qr.svg draws; empty: none
	Limits         Limits
	Panicked       func()       // counts a panic that was caught, from any goroutine; nil: nobody counts
	Log            *slog.Logger // nil: no log
}

// Limits bounds what a page can make the server hold or do.  Zero fields get the default.
type Limits struct {
	FrameBytes      int           // one text frame: 64 KiB
	FramesPerSecond float64       // of one socket, sustained: 50
	FrameBurst      int           // of one socket at once, and how many it may exceed the rate by before it is closed: 300
	Sockets         int           // in all: 10,000
	SocketsPerIP    int           // per IPv4 address or IPv6 /64: 32
	OpensPerIP      int           // sockets opened from one of these, a minute: 300
	QueueFrames     int           // waiting to be read by the page: 512
	QueueBytes      int           // 1 MiB
	Attach          time.Duration // from opening to a successful attach or to the first room: 15 s
	Ping            time.Duration // between WebSocket pings: 25 s
	Pong            time.Duration // until a ping must be answered: 20 s
	Write           time.Duration // one frame onto the wire: 10 s
}

// orDefault returns v, or d when v is zero or less.
func orDefault[T int | float64 | time.Duration](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

func (l Limits) withDefaults() Limits {
	l.FrameBytes = orDefault(l.FrameBytes, 64<<10)
	l.FramesPerSecond = orDefault(l.FramesPerSecond, 50)
	l.FrameBurst = orDefault(l.FrameBurst, 300)
	l.Sockets = orDefault(l.Sockets, 10_000)
	l.SocketsPerIP = orDefault(l.SocketsPerIP, 32)
	l.OpensPerIP = orDefault(l.OpensPerIP, 300)
	l.QueueFrames = orDefault(l.QueueFrames, 512)
	l.QueueBytes = orDefault(l.QueueBytes, 1<<20)
	l.Attach = orDefault(l.Attach, 15*time.Second)
	l.Ping = orDefault(l.Ping, 25*time.Second)
	l.Pong = orDefault(l.Pong, 20*time.Second)
	l.Write = orDefault(l.Write, 10*time.Second)
	return l
}

// Server is the HTTP handler of everything a browser asks for.  The http.Server in front of it should set
// ReadHeaderTimeout, IdleTimeout and MaxHeaderBytes.
type Server struct {
	hub     Hub
	cfg     Config
	lim     Limits
	log     *slog.Logger
	refused *rate.Limiter // of log lines about refused upgrades, which strangers cause
	base    string        // path of PublicURL without the last slash
	csp     string
	origins map[string]bool

	epoch  time.Time // of now
	outbox outbox

	newPoller func(*Server) (*poller, error)
	quit      chan struct{}  // closed when the last socket is gone after Shutdown
	ticking   sync.WaitGroup // the goroutine that looks at what is due

	mu       sync.Mutex
	sockets  map[*socket]struct{}
	perIP    map[netip.Prefix]int
	opened   map[netip.Prefix]int // in the minute that ends at freshBy
	freshBy  time.Time
	opening  int     // sockets admitted whose upgrade is under way
	started  bool    // what runs while there are sockets
	poller   *poller // nil when each socket is waited for by itself
	stopping bool
	stopped  bool           // and nothing runs any more
	until    time.Time      // when the notice of Announce runs out
	running  sync.WaitGroup // one for each admitted socket
}

// New makes a server that hands its sockets to the hub.  It starts nothing.
func New(cfg Config, hub Hub) *Server {
	s := &Server{
		hub:     hub,
		cfg:     cfg,
		lim:     cfg.Limits.withDefaults(),
		log:     cfg.Log,
		refused: rate.NewLimiter(1, 10),
		base:    strings.TrimRight(cfg.PublicURL.Path, "/"),
		csp:     contentSecurityPolicy(cfg.PublicURL),
		origins: allowedOrigins(cfg.PublicURL, cfg.Origins),
		sockets: map[*socket]struct{}{},
		perIP:   map[netip.Prefix]int{},
		epoch:   time.Now(),

		newPoller: newPoller,
		quit:      make(chan struct{}),
	}
	if s.cfg.Panicked == nil {
		s.cfg.Panicked = func() {}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Sockets is the number of sockets open now.
func (s *Server) Sockets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Announce tells every socket that the service will end after that notice, and refuses new ones.
func (s *Server) Announce(notice time.Duration) {
	s.mu.Lock()
	s.stopping, s.until = true, time.Now().Add(notice)
	s.mu.Unlock()
	s.each(func(c *socket) { c.Send(Shutdown{Seconds: int(math.Ceil(notice.Seconds()))}) })
}

// Shutdown refuses new sockets, waits until the notice that Announce gave is over or everybody has gone, closes every socket with CloseShutdown
// and waits until all of them, their sessions' Closed included, are done.  When ctx ends first the rest is cut off without ceremony and its
// error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	notice := time.NewTimer(time.Until(s.until))
	s.mu.Unlock()
	defer notice.Stop()

	done := make(chan struct{})
	go func() {
		s.running.Wait()
		s.stop()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-notice.C:
	case <-ctx.Done():
	}
	s.each(func(c *socket) { c.Close(CloseShutdown, "the service is being restarted") })
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.each((*socket).cut)
	<-done
	return ctx.Err()
}

// each calls the function for the sockets there are, and has what it sends written together.
func (s *Server) each(do func(*socket)) {
	s.mu.Lock()
	list := slices.Collect(maps.Keys(s.sockets))
	s.mu.Unlock()
	s.outbox.wake()
	defer s.outbox.flush()
	for _, c := range list {
		do(c)
	}
}

// now is the time on the clock of the sockets, never 0.
func (s *Server) now() time.Duration { return time.Since(s.epoch) + 1 }

// linkTo makes the link of a socket, and starts what runs while there are sockets when it is the first.
func (s *Server) linkTo(c *socket, conn net.Conn) link {
	s.mu.Lock()
	if !s.started {
		s.started = true
		s.ticking.Go(s.tick)
		var err error
		if s.poller, err = s.newPoller(s); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			s.log.Warn("each socket takes a goroutine", "err", err)
		}
	}
	p := s.poller
	s.mu.Unlock()
	if p != nil {
		if l := p.adopt(c, conn); l != nil {
			return l
		}
	}
	return &waiting{c: c, conn: conn}
}

// stop ends what linkTo started.
func (s *Server) stop() {
	s.mu.Lock()
	p, first := s.poller, !s.stopped
	s.poller, s.stopped = nil, true
	s.mu.Unlock()
	if first {
		close(s.quit)
	}
	s.ticking.Wait()
	if p != nil {
		p.close()
	}
}

// tick looks at what is due, of all sockets: one timer costs less than several of each.
func (s *Server) tick() {
	l := s.lim
	often := min(l.Attach, l.Ping, l.Pong, l.Write, closeTime) / 8
	ticker := time.NewTicker(min(max(often, 5*time.Millisecond), time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			now := s.now()
			s.each(func(c *socket) { c.due(now) })
		case <-s.quit:
			return
		}
	}
}

// admit takes a place for a socket of that address, or says why there is none.
func (s *Server) admit(ip netip.Addr) (refusal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := Network(ip)
	switch {
	case s.stopping:
		return "the service is being restarted"
	case len(s.sockets)+s.opening >= s.lim.Sockets:
		return "the service has no place for another connection"
	case s.perIP[key] >= s.lim.SocketsPerIP:
		return "too many connections from your address"
	case !s.mayOpen(key, time.Now()):
		return "your address opened too many connections just now; wait a minute"
	}
	s.opening++
	s.perIP[key]++
	s.running.Add(1)
	return ""
}

// maxOpened bounds the addresses whose opened sockets are counted.
const maxOpened = 100_000

// mayOpen counts a socket that is opened: each may send a burst of frames at once, and who opens one after the other has no other bound.  Of more addresses
// than are counted the others are let in.  mu is held.
func (s *Server) mayOpen(from netip.Prefix, now time.Time) bool {
	if now.After(s.freshBy) {
		s.opened, s.freshBy = map[netip.Prefix]int{}, now.Add(time.Minute)
	}
	n, counted := s.opened[from]
	if n >= s.lim.OpensPerIP {
		return false
	}
	if counted || len(s.opened) < maxOpened {
		s.opened[from] = n + 1
	}
	return true
}

// register makes an admitted socket one that Shutdown closes.  It is true when that was called already.
func (s *Server) register(c *socket) (stopping bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opening--
	s.sockets[c] = struct{}{}
	return s.stopping
}

// release gives the place back.  c is nil when the upgrade failed.
func (s *Server) release(c *socket, ip netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c == nil {
		s.opening--
	}
	delete(s.sockets, c)
	key := Network(ip)
	if s.perIP[key]--; s.perIP[key] <= 0 {
		delete(s.perIP, key)
	}
	s.running.Done()
}
