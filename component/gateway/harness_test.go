package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// fakeHub opens sessions that greet, attach whoever asks and report what happened to them.
type fakeHub struct {
	open   func()                                     // nil: nothing happens before the greeting
	handle func(*fakeSession, Request) (Frame, error) // nil: attached for Attach, nothing else
	opened chan *fakeSession
}

type fakeSession struct {
	hub      *fakeHub
	conn     Conn
	requests chan Request
	closed   chan bool
}

func (h *fakeHub) Open(c Conn) Session {
	if h.open != nil {
		h.open()
	}
	s := &fakeSession{hub: h, conn: c, requests: make(chan Request, 1000), closed: make(chan bool, 10)}
	c.Send(Hello{Nonce: "n", Domain: "call.example.org", Protocol: Protocol, PingInterval: 20})
	h.opened <- s
	return s
}

func (s *fakeSession) Handle(r Request) (Frame, error) {
	s.requests <- r
	if _, ok := r.Event.(Attach); ok {
		return Attached{Address: "anna-aaaaaaaaaaaaaaaa@call.example.org/x", Bare: "anna-aaaaaaaaaaaaaaaa@call.example.org", Name: "anna"}, nil
	}
	if s.hub.handle != nil {
		return s.hub.handle(s, r)
	}
	return nil, nil
}

func (s *fakeSession) Closed(clean bool) { s.closed <- clean }

// logBuffer is a log that tests read.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type harness struct {
	t    *testing.T
	srv  *Server
	http *httptest.Server
	hub  *fakeHub
	log  *logBuffer
	ctx  context.Context
}

// eachWaitsAlone has the servers of the tests wait for each socket in a goroutine of its own, as where nothing better is known.
var eachWaitsAlone bool

// start serves with the configuration, whose PublicURL is that of the test server unless it is set.
func start(t *testing.T, cfg Config, hub *fakeHub) *harness {
	t.Helper()
	if hub == nil {
		hub = &fakeHub{}
	}
	hub.opened = make(chan *fakeSession, 100)
	h := &harness{t: t, hub: hub, log: &logBuffer{}}
	h.http = httptest.NewUnstartedServer(nil)
	if cfg.PublicURL == nil {
		cfg.PublicURL = &url.URL{Scheme: "http", Host: h.http.Listener.Addr().String(), Path: "/"}
	}
	cfg.Log = slog.New(slog.NewTextHandler(h.log, nil))
	h.srv = New(cfg, hub)
	if eachWaitsAlone {
		h.srv.newPoller = func(*Server) (*poller, error) { return nil, errors.ErrUnsupported }
	}
	h.http.Config.Handler = h.srv
	h.http.Start()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	h.ctx = ctx
	t.Cleanup(func() {
		now, stop := context.WithTimeout(context.Background(), time.Millisecond)
		h.srv.Shutdown(now)
		stop()
		h.http.Close()
		cancel()
		if n := h.srv.Sockets(); n != 0 {
			t.Errorf("%d sockets left after shutdown", n)
		}
		if len(h.srv.perIP) != 0 {
			t.Errorf("places left after shutdown: %v", h.srv.perIP)
		}
	})
	return h
}

// origin is the Origin of a page of the test server.
func (h *harness) origin() string { return h.http.URL }

// dial opens a socket as a page of that origin does; an empty one sends no Origin header.
func (h *harness) dial(origin string) (*websocket.Conn, *http.Response, error) {
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	return websocket.Dial(h.ctx, strings.Replace(h.http.URL, "http", "ws", 1)+"/any/path", &websocket.DialOptions{
		HTTPClient: h.http.Client(), HTTPHeader: header, Subprotocols: []string{"palava.1.0"},
	})
}

// page is a browser's end of a socket.
type page struct {
	h       *harness
	ws      *websocket.Conn
	session *fakeSession
}

// open opens a socket and takes its hello.
func (h *harness) open() *page {
	h.t.Helper()
	ws, _, err := h.dial(h.origin())
	if err != nil {
		h.t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	p := &page{h: h, ws: ws}
	h.t.Cleanup(func() { ws.CloseNow() })
	select {
	case p.session = <-h.hub.opened:
	case <-h.ctx.Done():
		h.t.Fatal("the hub was not told of the socket")
	}
	p.want(`"event":"hello"`)
	return p
}

// attach opens a socket that is attached.
func (h *harness) attach() *page {
	h.t.Helper()
	p := h.open()
	p.send(attachFrame())
	p.want(`"event":"attached"`)
	return p
}

func attachFrame() string {
	return fmt.Sprintf(`{"event":"attach","name":"anna","key":%q,"signature":%q,"instance":"i1"}`,
		base64.RawURLEncoding.EncodeToString(make([]byte, 65)), base64.RawURLEncoding.EncodeToString(make([]byte, 64)))
}

func (p *page) send(frame string) {
	p.h.t.Helper()
	if err := p.ws.Write(p.h.ctx, websocket.MessageText, []byte(frame)); err != nil {
		p.h.t.Fatal(err)
	}
}

// next returns the next frame.
func (p *page) next() string {
	p.h.t.Helper()
	_, b, err := p.ws.Read(p.h.ctx)
	if err != nil {
		p.h.t.Fatalf("reading: %v\nlog:\n%s", err, p.h.log)
	}
	if !json.Valid(b) {
		p.h.t.Fatalf("not JSON: %s", b)
	}
	return string(b)
}

// want takes the next frame, which must contain all the parts.
func (p *page) want(parts ...string) string {
	p.h.t.Helper()
	got := p.next()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			p.h.t.Fatalf("frame %s\nlacks %s", got, part)
		}
	}
	return got
}

// wantClose reads on until the socket is closed, and checks with which code and reason.
func (p *page) wantClose(code int, reason string) {
	p.h.t.Helper()
	for {
		_, _, err := p.ws.Read(p.h.ctx)
		if err == nil {
			continue
		}
		var ce websocket.CloseError
		if !errors.As(err, &ce) {
			p.h.t.Fatalf("closed without a close frame: %v\nlog:\n%s", err, p.h.log)
		}
		if int(ce.Code) != code || !strings.Contains(ce.Reason, reason) {
			p.h.t.Fatalf("closed with %d %q, not %d %q", ce.Code, ce.Reason, code, reason)
		}
		return
	}
}

// wantClosed waits for Session.Closed.
func (p *page) wantClosed(clean bool) {
	p.h.t.Helper()
	select {
	case got := <-p.session.closed:
		if got != clean {
			p.h.t.Fatalf("closed clean %v, not %v", got, clean)
		}
	case <-p.h.ctx.Done():
		p.h.t.Fatal("the session was not told that its socket closed")
	}
}

// request waits for the next request that reached the session.
func (p *page) request() Request {
	p.h.t.Helper()
	select {
	case r := <-p.session.requests:
		return r
	case <-p.h.ctx.Done():
		p.h.t.Fatal("no request reached the session")
	}
	return Request{}
}
