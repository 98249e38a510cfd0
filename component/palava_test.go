package component

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carillon/component/gateway"
)

// rendezvous is a component behind a real HTTP server, for clients on real sockets.
type rendezvous struct {
	t    testing.TB
	c    *Component
	http *httptest.Server
}

func newRendezvous(t testing.TB, change func(*Config)) *rendezvous {
	t.Helper()
	r := &rendezvous{t: t}
	r.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.c.ServeHTTP(w, req) }))
	r.c, _ = newTestComponent(t, func(cfg *Config) {
		cfg.PublicURL, cfg.Shutdown = r.http.URL, time.Millisecond
		cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		if change != nil {
			change(cfg)
		}
	})
	t.Cleanup(r.http.Close)
	return r
}

// A client is a browser with palava's client in it: it sends and reads JSON, and knows its own id once it has joined.
type client struct {
	t   testing.TB
	ctx context.Context
	ws  *websocket.Conn
	own string
}

// frame is any frame as a browser parses it.
type frame map[string]any

// dial opens a socket from that IP address.
func (r *rendezvous) dial(ip string) *client {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	ws, _, err := websocket.Dial(ctx, strings.Replace(r.http.URL, "http", "ws", 1)+"/any/path", &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {r.http.URL}, "X-Forwarded-For": {ip}},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	p := &client{t: r.t, ctx: ctx, ws: ws}
	r.t.Cleanup(func() { ws.CloseNow(); cancel() })
	p.want("hello")
	return p
}

func (p *client) send(text string) {
	p.t.Helper()
	if err := p.ws.Write(p.ctx, websocket.MessageText, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

// next returns the next frame, and nil when the socket is closed.
func (p *client) next() frame {
	_, b, err := p.ws.Read(p.ctx)
	if err != nil {
		return nil
	}
	var f frame
	if err := json.Unmarshal(b, &f); err != nil {
		p.t.Errorf("%v: %s", err, b)
	}
	return f
}

// want returns the next frame, which must be that event.
func (p *client) want(event string) frame {
	p.t.Helper()
	f := p.next()
	if f == nil || f["event"] != event {
		p.t.Fatalf("got %v, want %s", f, event)
	}
	return f
}

// refused takes the next frame, which must be an error with that code and text.
func (p *client) refused(code gateway.Code, message string) {
	p.t.Helper()
	f := p.want("error")
	if f["code"] != string(code) || f["message"] != message || f["description"] == "" || f["sender_id"] != nil {
		p.t.Fatalf("got %v, want %s: %s", f, code, message)
	}
}

func (p *client) join(room, name string) frame {
	p.t.Helper()
	p.send(`{"event":"join_room","room_id":` + quote(room) + `,"status":{"name":` + quote(name) + `,"user_agent":"chrome"}}`)
	f := p.want("joined_room")
	p.own = f["own_id"].(string)
	return f
}

func (p *client) leave() {
	p.t.Helper()
	p.send(`{"event":"leave_room","id":0}`)
	p.want("ok")
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// closedWith reads on until the socket is closed and returns the code.
func (p *client) closedWith() int {
	for {
		if _, _, err := p.ws.Read(p.ctx); err != nil {
			return int(websocket.CloseStatus(err))
		}
	}
}
