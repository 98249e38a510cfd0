package stream

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"carillon/jingle/element"
)

func TestSendChecksAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		if err := r.Send(message("a@example.org", "")); err != ErrDown {
			t.Errorf("before Run: %v", err)
		}
		r.run()
		defer r.stop()
		p := r.connected()
		for _, tt := range []struct {
			from, to string
			want     error
		}{
			{testDomain, "a@example.org", nil},
			{"x@" + testDomain, "a@example.org", nil},
			{"x@" + testDomain + "/r@s/t", "a@example.org", nil},
			{testDomain + "/r", "a@example.org", nil},
			{"♥@" + testDomain, "a@example.org", nil},
			{testDomain, "", ErrAddress},
			{"", "a@example.org", ErrAddress},
			{"example.org", "a@example.org", ErrAddress},
			{"x@example.org", "a@example.org", ErrAddress},
			{"@" + testDomain, "a@example.org", ErrAddress},
			{testDomain + "/", "a@example.org", ErrAddress},
			{"x@y@" + testDomain, "a@example.org", ErrAddress},
			{"evil.org/x@" + testDomain, "a@example.org", ErrAddress},
			{testDomain + ".evil.org", "a@example.org", ErrAddress},
			{"x." + testDomain, "a@example.org", ErrAddress},
		} {
			if err := r.Send(element.New("", "presence", "from", tt.from, "to", tt.to)); err != tt.want {
				t.Errorf("from %q to %q: %v, want %v", tt.from, tt.to, err, tt.want)
			}
			if tt.want == nil && p.next().Attr("from") != tt.from {
				t.Errorf("from %q was sent otherwise", tt.from)
			}
		}
		for _, e := range []*element.Element{
			element.New("", "stream"), element.New("urn:x", "message", "from", testDomain, "to", "a@example.org"), element.New(nsStreams, "error"),
		} {
			if err := r.Send(e); err != ErrNotStanza {
				t.Errorf("%v: %v", e, err)
			}
		}
		if err := r.Send(message("a@example.org", strings.Repeat("x", maxSend))); err != ErrTooLarge {
			t.Errorf("too large: %v", err)
		}
		p.roundTrip(r)
	})
}

// gated is a connection whose writes wait for the gate, and are counted.
type gated struct {
	net.Conn
	gate   chan struct{}
	writes atomic.Int64
	open   atomic.Bool
}

func (g *gated) Write(b []byte) (int, error) {
	if !g.open.Load() {
		return g.Conn.Write(b) // handshake
	}
	<-g.gate
	g.writes.Add(1)
	return g.Conn.Write(b)
}

func TestQueue(t *testing.T) {
	for name, bound := range map[string]func(*Config){
		"count": func(c *Config) { c.QueueCount = 50 },
		"bytes": func(c *Config) { c.QueueBytes = 50 * len(message("a@example.org", "x").String()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, bound)
				g := &gated{gate: make(chan struct{}, 10)}
				dial := r.dial
				r.dial = func(ctx context.Context) (net.Conn, error) {
					c, err := dial(ctx)
					g.Conn = c
					return g, err
				}
				r.run()
				defer r.stop()
				p := r.connected()
				g.open.Store(true)
				send := func() error { return r.Send(message("a@example.org", "x")) }
				if err := send(); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the first is with the writer
				for i := range 50 {
					if err := send(); err != nil {
						t.Fatalf("%d: %v", i, err)
					}
				}
				if err := send(); err != ErrFull {
					t.Errorf("one too many: %v", err)
				}
				for range 10 {
					g.gate <- struct{}{}
				}
				for range 51 {
					p.next()
				}
				if n := g.writes.Load(); n != 2 {
					t.Errorf("%d writes, want 2: the first, then all that was waiting", n)
				}
				g.open.Store(false)
				p.roundTrip(r)
			})
		})
	}
}

// A server that stops reading must not hold anybody up, and its connection ends.
func TestServerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		p := <-r.conns
		p.header()
		p.readUntil("</handshake>")
		p.write("<handshake/>")
		r.wantState(true)
		c := ask(r, "a@example.org", never)
		began := time.Now()
		for range 1000 {
			if err := r.Send(message("a@example.org", "x")); err != nil {
				t.Fatal(err)
			}
		}
		if time.Since(began) != 0 {
			t.Error("Send blocked")
		}
		if err := r.wantState(false); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != defaultTimes.write {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if o := <-c; o.err != ErrDown {
			t.Errorf("request ended with %v", o.err)
		}
		r.connected().roundTrip(r)
	})
}
