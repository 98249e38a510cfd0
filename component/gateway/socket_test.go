package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"carillon/component/call"
)

func TestAttachDeadline(t *testing.T) {
	h := start(t, Config{Limits: Limits{Attach: 50 * time.Millisecond}}, nil)
	p := h.open()
	p.ws.Write(h.ctx, websocket.MessageText, []byte(`{"event":"ping"}`)) // does not count
	p.wantClose(ClosePolicy, "no attach and no room within 50ms")
	p.wantClosed(false)
}

func TestAttachStopsTheDeadline(t *testing.T) {
	h := start(t, Config{Limits: Limits{Attach: time.Second}}, nil)
	late, p := h.open(), h.attach()
	late.wantClose(ClosePolicy, "no attach") // opened before p
	p.send(`{"event":"ping"}`)
	p.want("pong")
	c := p.session.conn.(*socket)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.attachBy != 0 {
		t.Error("the deadline of an attached socket still runs")
	}
}

func TestRate(t *testing.T) {
	h := start(t, Config{Limits: Limits{FramesPerSecond: 0.001, FrameBurst: 5}}, nil)
	p := h.attach() // 1 of 5
	for i := range 4 {
		p.send(fmt.Sprintf(`{"event":"ping","id":%d}`, i))
		p.want(fmt.Sprintf(`"pong","id":%d`, i))
	}
	for i := range 5 {
		p.send(fmt.Sprintf(`{"event":"hang_up","call":"c","id":"late%d"}`, i))
		p.want(`"error"`, fmt.Sprintf(`"id":"late%d"`, i), `"rate_limited"`)
	}
	p.send(`{"event":"hang_up","call":"c"}`)
	p.wantClose(ClosePolicy, "too many frames")
	p.wantClosed(false)
	if n := len(p.session.requests); n != 1 {
		t.Errorf("%d requests reached the session, want the attach only", n)
	}
}

func TestSlowReader(t *testing.T) {
	h := start(t, Config{Limits: Limits{QueueFrames: 100, QueueBytes: 1 << 30, Write: 100 * time.Millisecond}}, nil)
	p, other := h.attach(), h.attach()
	big := FrameOf("c", call.RemoteOffer{SDP: strings.Repeat("x", 200_000)})
	for range 200 { // more than the queue takes, and that is more than any socket buffer; never blocks
		p.session.conn.Send(big)
	}
	p.wantClosed(false)
	other.send(`{"event":"ping"}`)
	other.want("pong")
}

func TestSlowReaderIsTold(t *testing.T) {
	h := start(t, Config{Limits: Limits{QueueFrames: 8}}, nil)
	p := h.attach()
	big := FrameOf("c", call.RemoteOffer{SDP: strings.Repeat("x", 900_000)})
	for range 30 {
		p.session.conn.Send(big)
	}
	p.wantClose(ClosePolicy, "too slow") // it reads again within the write deadline
	p.wantClosed(false)
}

func TestPings(t *testing.T) {
	h := start(t, Config{Limits: Limits{Ping: 20 * time.Millisecond, Pong: 500 * time.Millisecond}}, nil)
	pinged := make(chan struct{}, 100)
	ws, _, err := websocket.Dial(h.ctx, h.http.URL, &websocket.DialOptions{
		HTTPClient: h.http.Client(), HTTPHeader: http.Header{"Origin": {h.origin()}},
		OnPingReceived: func(context.Context, []byte) bool { pinged <- struct{}{}; return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	gone := make(chan error)
	go func() {
		for {
			if _, _, err := ws.Read(h.ctx); err != nil {
				gone <- err
				return
			}
		}
	}()
	for range 5 {
		select {
		case <-pinged:
		case err := <-gone:
			t.Fatalf("a page that answers pings was closed: %v", err)
		}
	}
	ws.CloseNow()
	<-gone
	<-h.hub.opened
	// One that does not read answers no ping.
	dead := h.open()
	dead.wantClosed(false)
}

func TestClosed(t *testing.T) {
	h := start(t, Config{}, nil)
	for _, test := range []struct {
		end   func(*page)
		clean bool
	}{
		{func(p *page) { p.ws.Close(websocket.StatusNormalClosure, "") }, true},
		{func(p *page) { p.ws.Close(websocket.StatusGoingAway, "") }, true},
		{func(p *page) { p.ws.Close(4000, "given up") }, false},
		{func(p *page) { p.ws.CloseNow() }, false},
		{func(p *page) {
			p.session.conn.Close(CloseReplaced, "this page connected anew")
			p.wantClose(4001, "anew")
		}, false},
		{func(p *page) { p.session.conn.Close(CloseNormal, "bye"); p.wantClose(1000, "bye") }, false},
		{func(p *page) {
			p.session.conn.Send(Ringing{"c"})
			p.session.conn.Close(4002, strings.Repeat("ä", 100))
			p.session.conn.Close(4003, "too late")
			p.session.conn.Send(Ringing{"too late"})
			p.want(`{"event":"ringing","call":"c"}`)
			p.wantClose(4002, strings.Repeat("ä", 61))
		}, false},
	} {
		p := h.attach()
		test.end(p)
		p.wantClosed(test.clean)
		p.session.conn.Send(Pong{}) // of no effect, and no panic
		p.session.conn.Close(4004, "")
		if len(p.session.closed) != 0 {
			t.Error("closed was called twice")
		}
	}
}

// TestHalfFrame: a page that stops in the middle of a frame answers no pings, and is dropped.
func TestHalfFrame(t *testing.T) {
	h := start(t, Config{Limits: Limits{Ping: 20 * time.Millisecond, Pong: 50 * time.Millisecond}}, nil)
	s, conn := h.dialRaw("\x81\xfe\x01\x00abcd{\"event")
	defer conn.Close()
	select {
	case <-s.closed:
	case <-h.ctx.Done():
		t.Fatal("a page stuck in a frame was kept")
	}
}

// dialRaw opens a socket and sends what follows its handshake together with that.
func (h *harness) dialRaw(frames string) (*fakeSession, *net.TCPConn) {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.http.Listener.Addr().String())
	if err != nil {
		h.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: %s\r\n\r\n%s", h.origin(), frames)
	return <-h.hub.opened, conn.(*net.TCPConn)
}

// TestMuchAtOnceAndTheEnd: nothing is forgotten of a page that sends more than is read at once, and says nothing more.
func TestMuchAtOnceAndTheEnd(t *testing.T) {
	const frames = 900
	h := start(t, Config{Limits: Limits{FramesPerSecond: 1e9, FrameBurst: 1e9}}, nil)
	s, conn := h.dialRaw("")
	defer conn.Close()
	frame := clientFrame(ws.OpText, true, `{"event":"leave_room","room":"`+strings.Repeat("x", 300)+`"}`)
	conn.Write(bytes.Repeat(frame, frames))
	conn.CloseWrite()
	select {
	case <-s.closed:
	case <-h.ctx.Done():
		t.Fatal("the end was not seen")
	}
	if n := len(s.requests); n != frames {
		t.Errorf("%d of %d frames arrived", n, frames)
	}
}

func TestHugeFrame(t *testing.T) {
	h := start(t, Config{}, nil)
	p, other := h.attach(), h.attach()
	frame := []byte(`{"event":"dial","to":"` + strings.Repeat("x", 10<<20) + `"}`)
	if err := p.ws.Write(h.ctx, websocket.MessageText, frame); err != nil {
		t.Logf("writing: %v", err) // the server may have closed already
	}
	p.wantClose(CloseTooBig, "frame larger than 65536 bytes")
	p.wantClosed(false)
	other.send(`{"event":"ping"}`)
	other.want("pong")
}

func TestLargestFrame(t *testing.T) {
	h := start(t, Config{Limits: Limits{FrameBytes: 4000}}, nil)
	p := h.attach()
	p.request()
	frame := `{"event":"offer","call":"c","sdp":{"type":"offer","sdp":""}}`
	p.send(strings.Replace(frame, `"sdp":""`, `"sdp":"`+strings.Repeat("x", 4000-len(frame))+`"`, 1))
	if o, ok := p.request().Event.(Offer); !ok || len(o.SDP.SDP) != 4000-len(frame) {
		t.Error("the largest frame did not arrive")
	}
	p.send(strings.Replace(frame, `"sdp":""`, `"sdp":"`+strings.Repeat("x", 4001-len(frame))+`"`, 1))
	p.wantClose(CloseTooBig, "frame larger than 4000 bytes")
}

// TestControlFlood: frames that ask for nothing count like the others, and so do the parts of a message.
func TestControlFlood(t *testing.T) {
	for name, frame := range map[string][]byte{
		"pings": clientFrame(ws.OpPing, true, ""), "pongs": clientFrame(ws.OpPong, true, ""), "parts": clientFrame(ws.OpContinuation, false, ""),
	} {
		c, w := wired(t, Limits{FramesPerSecond: 0.001, FrameBurst: 5})
		w.written = nil
		c.arrived(clientFrame(ws.OpText, false, "")) // a message that never ends
		for range 50 {
			c.arrived(bytes.Clone(frame))
		}
		c.flush()
		frames := heard(t, w.written)
		if len(frames) == 0 || len(frames) > 12 || !strings.HasPrefix(frames[len(frames)-1], "8 1008 too many frames") {
			t.Errorf("%s: the page heard %q", name, frames)
		}
	}
}
