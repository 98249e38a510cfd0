package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestMalformedFramesLeaveTheSocketOpen(t *testing.T) {
	h := start(t, Config{}, nil)
	p, other := h.attach(), h.attach()
	p.request()
	for _, test := range badFrames {
		if len(test.frame) > 60<<10 || test.frame == "" {
			continue
		}
		p.send(test.frame)
		want := []string{`"event":"error"`, `"code":"` + string(test.code) + `"`}
		if test.id != "" {
			want = append(want, `"id":`+string(test.id))
		}
		p.want(want...)
	}
	if err := p.ws.Write(h.ctx, websocket.MessageBinary, []byte(`{"event":"ping"}`)); err != nil {
		t.Fatal(err)
	}
	p.want(`"code":"binary_frame"`)
	p.send(`{"event":"hang_up","call":"c","id":"still here"}`)
	p.want(`"event":"ok"`, `"id":"still here"`)
	if r := p.request(); r.Event != (HangUp{"c"}) {
		t.Errorf("a malformed frame reached the session: %#v", r)
	}
	other.send(`{"event":"ping","id":1}`)
	other.want(`"event":"pong","id":1`)
}

func TestOrigin(t *testing.T) {
	h := start(t, Config{Origins: []string{"https://Shop.example.org:443/", "not a url", "http://localhost:8000"}}, nil)
	programs := start(t, Config{Origins: []string{NoOrigin}}, nil)
	for _, test := range []struct {
		h      *harness
		origin string
		ok     bool
	}{
		{h, h.origin(), true},
		{h, strings.ToUpper(h.origin()), true},
		{h, "https://shop.example.org", true},
		{h, "http://localhost:8000", true},
		{h, "http://shop.example.org", false},
		{h, "https://shop.example.org:444", false},
		{h, "https://evil.example", false},
		{h, "https://shop.example.org.evil.example", false},
		{h, strings.Replace(h.origin(), "http", "https", 1), false},
		{h, "null", false},
		{h, "not a url", false},
		{h, "", false},
		{programs, "", true},
		{programs, programs.origin(), true},
		{programs, "null", false},
	} {
		ws, resp, err := test.h.dial(test.origin)
		if (err == nil) != test.ok {
			t.Errorf("origin %q: %v", test.origin, err)
		}
		if err == nil {
			ws.CloseNow()
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusForbidden || !strings.Contains(string(body), `"origins"`) ||
			test.origin != "" && !strings.Contains(string(body), fmt.Sprintf("%q", test.origin)) {
			t.Errorf("origin %q: %d %s", test.origin, resp.StatusCode, body)
		}
	}
	if log := h.log.String(); !strings.Contains(log, "https://evil.example") || !strings.Contains(log, "origins") {
		t.Errorf("the refusal was not logged:\n%s", log)
	}
}

func TestTwoOriginHeaders(t *testing.T) {
	h := start(t, Config{}, nil)
	if h.srv.originAllowed([]string{h.origin(), h.origin()}) {
		t.Error("two Origin headers were admitted")
	}
}

func TestUpgrade(t *testing.T) {
	h := start(t, Config{}, nil)
	ws, resp, err := h.dial(h.origin())
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if ws.Subprotocol() != "palava.1.0" || resp.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("subprotocol %q, extensions %q", ws.Subprotocol(), resp.Header.Get("Sec-WebSocket-Extensions"))
	}
	s := <-h.hub.opened
	if s.conn.Origin() != h.origin() || !s.conn.Remote().IsLoopback() {
		t.Errorf("origin %q, remote %v", s.conn.Origin(), s.conn.Remote())
	}
	ws, _, err = websocket.Dial(h.ctx, h.http.URL, &websocket.DialOptions{HTTPClient: h.http.Client(), HTTPHeader: http.Header{"Origin": {h.origin()}}})
	if err != nil || ws.Subprotocol() != "" {
		t.Fatalf("without subprotocol: %v %q", err, ws.Subprotocol())
	}
	ws.CloseNow()
}

func TestRequestsAndResults(t *testing.T) {
	hub := &fakeHub{handle: func(s *fakeSession, r Request) (Frame, error) {
		switch e := r.Event.(type) {
		case Dial:
			s.conn.Send(Reply(r.ID, Admitted{Call: "c1", To: e.To}))
			return Later, nil
		case Tell:
			return nil, fmt.Errorf("wrapped: %w", Errorf(NotAllowed, "not %s", e.To))
		case Approve:
			return nil, errors.New("disk on fire")
		case Refuse:
			var none *Error
			return nil, none // a mistake that must not reach the page as garbage
		case Forget:
			panic("broken")
		case Media:
			return Told{To: string(e.State)}, nil
		}
		return nil, nil
	}}
	h := start(t, Config{}, hub)
	p := h.attach()
	for _, test := range []struct {
		frame string
		want  []string
	}{
		{`{"event":"dial","to":"a@b","id":1}`, []string{`"admitted","id":1`, `"to":"a@b"`}},
		{`{"event":"dial","to":"a@b"}`, []string{`{"event":"admitted","call"`}},
		{`{"event":"tell","to":"a@b","id":"x"}`, []string{`"error","id":"x"`, `"not_allowed"`, `"not a@b"`}},
		{`{"event":"approve","address":"a@b","id":2}`, []string{`"error","id":2`, `"internal"`}},
		{`{"event":"refuse","address":"a@b","id":2}`, []string{`"error","id":2`, `"internal"`}},
		{`{"event":"forget","address":"a@b","id":3}`, []string{`"error","id":3`, `"internal"`}},
		{`{"event":"media","call":"c","state":"failed","id":4}`, []string{`"told","id":4`}},
		{`{"event":"hang_up","call":"c","id":5}`, []string{`{"event":"ok","id":5}`}},
		{`{"event":"hang_up","call":"c"}{`, []string{`"bad_json"`}},
		{`{"event":"hang_up","call":"c"}`, nil},
		{`{"event":"ping"}`, []string{`{"event":"pong"}`}}, // nothing came for the one before
		{attachFrame(), []string{`"already_attached"`}},
	} {
		p.send(test.frame)
		if test.want != nil {
			p.want(test.want...)
		}
	}
	log := h.log.String()
	for _, want := range []string{"disk on fire", "panic=broken", "socket.go"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, "not a@b") {
		t.Error("an error of the page was logged")
	}
}

func TestOrder(t *testing.T) {
	hub := &fakeHub{handle: func(s *fakeSession, r Request) (Frame, error) {
		s.conn.Send(Ringing{Call: string(r.ID)})
		return nil, nil
	}}
	h := start(t, Config{Limits: Limits{FrameBurst: 200}}, hub)
	p := h.attach()
	const n = 100
	for i := range n {
		p.send(fmt.Sprintf(`{"event":"hang_up","call":"c","id":%d}`, i))
	}
	for i := range n {
		p.want(fmt.Sprintf(`{"event":"ringing","call":"%d"}`, i))
		p.want(fmt.Sprintf(`{"event":"ok","id":%d}`, i))
	}
}

func TestNothingBeforeAttach(t *testing.T) {
	h := start(t, Config{}, nil)
	p := h.open()
	p.send(`{"event":"dial","to":"a@b","id":1}`)
	p.want(`"error","id":1`, `"not_attached"`)
	p.send(`{"event":"ping","id":2}`)
	p.want(`"pong","id":2`)
	p.send(`{"event":"info","id":3}`)
	p.want(`"info","id":3,"protocol_version":"1.0.0"`)
	p.send(attachFrame())
	p.want(`"attached"`)
	if _, ok := p.request().Event.(Attach); !ok {
		t.Error("something came before attach")
	}
}

// The events of rooms need no address.
func TestRoomsBeforeAttach(t *testing.T) {
	h := start(t, Config{}, nil)
	p := h.open()
	for i, frame := range []string{
		`{"event":"join_room","room_id":"r","id":0}`, `{"event":"update_status","status":{},"id":1}`,
		`{"event":"send_to_peer","peer_id":"p","data":{"event":"message"},"id":2}`, `{"event":"leave_room","id":3}`,
	} {
		p.send(frame)
		p.want(fmt.Sprintf(`{"event":"ok","id":%d}`, i))
		p.request()
	}
	p.send(`{"event":"hang_up","call":"c"}`)
	p.want(`"not_attached"`)
	p.send(attachFrame())
	p.want(`"attached"`)
	p.send(`{"event":"leave_room","id":4}`)
	p.want(`"ok","id":4`)
}

func TestShutdown(t *testing.T) {
	h := start(t, Config{}, nil)
	pages := []*page{h.attach(), h.attach(), h.open()}
	for _, p := range pages {
		go p.ws.Read(h.ctx) // answers the close frame
	}
	if err := h.srv.Shutdown(h.ctx); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		if len(p.session.closed) != 1 || <-p.session.closed {
			t.Error("shutdown returned before the session was told, or told it was the page's wish")
		}
	}
	_, resp, err := h.dial(h.origin())
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a socket was opened after shutdown: %v", err)
	}
	if status, body := h.get("/readyz"); status != 503 || !strings.Contains(body, "shutting down") {
		t.Errorf("readyz: %d %s", status, body)
	}
}

func TestShutdownCode(t *testing.T) {
	h := start(t, Config{}, nil)
	p := h.attach()
	h.srv.Announce(1500 * time.Millisecond)
	p.want(`{"event":"shutdown","seconds":2}`)
	h.srv.Announce(0) // the notice can be taken back
	p.want(`{"event":"shutdown","seconds":0}`)
	done := make(chan error)
	go func() { done <- h.srv.Shutdown(h.ctx) }()
	p.wantClose(CloseShutdown, "restarted")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsTheUnwilling(t *testing.T) {
	h := start(t, Config{}, nil)
	p := h.attach() // does not read, so it never answers the close
	ctx, cancel := context.WithTimeout(h.ctx, 50*time.Millisecond)
	defer cancel()
	if err := h.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	p.wantClosed(false)
}

func TestPanicInOpenAndClosed(t *testing.T) {
	hub := &panicHub{}
	h := start(t, Config{}, nil)
	h.srv.hub = hub
	ws, _, err := h.dial(h.origin())
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, _, err := ws.Read(h.ctx); websocket.CloseStatus(err) != CloseInternal {
		t.Errorf("a socket whose Open panicked: %v", err)
	}
}

type panicHub struct{}

func (panicHub) Open(Conn) Session { panic("no") }

func TestPlaces(t *testing.T) {
	cfg := Config{Limits: Limits{Sockets: 4, SocketsPerIP: 3}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	h := start(t, cfg, nil)
	from := func(ip string) (*websocket.Conn, int) {
		ws, resp, err := websocket.Dial(h.ctx, h.http.URL, &websocket.DialOptions{
			HTTPClient: h.http.Client(), HTTPHeader: http.Header{"Origin": {h.origin()}, "X-Forwarded-For": {ip}},
		})
		if err != nil {
			return nil, resp.StatusCode
		}
		t.Cleanup(func() { ws.CloseNow() })
		go func() {
			for err == nil {
				_, _, err = ws.Read(h.ctx)
			}
		}()
		return ws, resp.StatusCode
	}
	for _, test := range []struct {
		ip     string
		status int
	}{
		{"2001:db8:0:1::1", 101}, {"2001:db8:0:1::2", 101}, {"2001:db8:0:1:ffff::3", 101},
		{"2001:db8:0:1::4", 503}, // the same /64
		{"2001:db8:0:2::1", 101},
		{"192.0.2.1", 503}, // four in all
	} {
		if _, status := from(test.ip); status != test.status {
			t.Errorf("%s: status %d, not %d", test.ip, status, test.status)
		}
	}
	s := <-h.hub.opened
	for netip.MustParsePrefix("2001:db8:0:2::/64").Contains(s.conn.Remote()) { // they need not open in the order in which they were let in
		s = <-h.hub.opened
	}
	s.conn.Close(CloseNormal, "")
	<-s.closed
	// The place is free once the socket is done with, which may be a moment after Closed.
	for h.srv.Sockets() > 3 && h.ctx.Err() == nil {
		runtime.Gosched()
	}
	if _, status := from("2001:db8:0:1::4"); status != 101 {
		t.Errorf("a place that became free was not given: status %d", status)
	}
}

// Who opens one socket after the other cannot go on with a fresh burst of frames each time.
func TestSocketsOpenedAreBounded(t *testing.T) {
	h := start(t, Config{Limits: Limits{OpensPerIP: 3}}, nil)
	for range 3 {
		p := h.open()
		p.ws.Close(websocket.StatusNormalClosure, "")
		p.wantClosed(true)
	}
	if _, resp, err := h.dial(h.origin()); err == nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Fatalf("a fourth socket within the minute: %v, %v", resp, err)
	}
	h.srv.mu.Lock()
	defer h.srv.mu.Unlock()
	now := h.srv.freshBy.Add(1)
	one, other := netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("192.0.2.1/32")
	if !h.srv.mayOpen(one, now) || !h.srv.mayOpen(other, now) {
		t.Error("the next minute did not begin")
	}
	for i := range maxOpened + 10 {
		from := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
		if !h.srv.mayOpen(from, now) {
			t.Fatalf("address %d was refused for those before it", i)
		}
	}
	if n := len(h.srv.opened); n != maxOpened {
		t.Errorf("%d addresses are counted", n)
	}
}

func TestFailedUpgradeGivesItsPlaceBack(t *testing.T) {
	h := start(t, Config{}, nil)
	req, _ := http.NewRequestWithContext(h.ctx, http.MethodGet, h.http.URL, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "websocket")
	req.Header.Set("Origin", h.origin())
	resp, err := h.http.Client().Do(req) // without a key
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", resp.StatusCode)
	}
	given := func() bool {
		h.srv.mu.Lock()
		defer h.srv.mu.Unlock()
		return h.srv.opening == 0 && len(h.srv.perIP) == 0
	}
	// The refusal may be read before its handler has ended.
	for !given() && h.ctx.Err() == nil {
		runtime.Gosched()
	}
	if !given() {
		t.Errorf("opening %d, places %v", h.srv.opening, h.srv.perIP)
	}
}

func TestClientIP(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, test := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"198.51.100.7"}, "192.0.2.1"}, // a stranger's claim
		{"10.0.0.1:5", nil, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"}, // the first is the client's own claim
		{"10.0.0.1:5", []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"198.51.100.7, 10.1.1.1"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"10.2.2.2, 10.1.1.1"}, "10.2.2.2"},
		{"10.0.0.1:5", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"[2a00::7]:4711"}, "2a00::7"},
		{"[2001:db8::1]:5", []string{"2a00::7"}, "2a00::7"},
		{"[::ffff:10.0.0.1]:5", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"10.0.0.1:5", []string{"198.51.100.7, rubbish"}, "10.0.0.1"},
		{"10.0.0.1:5", []string{""}, "10.0.0.1"},
		{"10.0.0.1:5", []string{strings.Repeat("198.51.100.7,", 10) + strings.Repeat("10.0.0.2,", 100) + "10.0.0.3"}, "10.0.0.2"},
		{"@", nil, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := clientIP(r, trusted).String(); got != test.want {
			t.Errorf("%s %q: %s, want %s", test.remote, test.forwarded, got, test.want)
		}
	}
}

// TestHelloComesFirst: a socket that opens while the service begins to end is greeted before it hears of that.
func TestHelloComesFirst(t *testing.T) {
	hub := &fakeHub{}
	h := start(t, Config{}, hub)
	hub.open = func() { h.srv.Announce(time.Minute) }
	ws, _, err := h.dial(h.origin())
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	p := &page{h: h, ws: ws}
	p.want(`"event":"hello"`)
	p.wantClose(CloseShutdown, "restarted")
}
