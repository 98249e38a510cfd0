package stream

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"carillon/jingle/element"
)

func TestHandshakeAndStanzasInOnePacket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		p := <-r.conns
		p.handshake()
		p.write("<handshake></handshake><message id='1' from='a@example.org' to='call.example.org'/>\n" +
			"<presence id='2' from='a@example.org' to='x@call.example.org'/><message id='3' from='a@example.org/é' to='call.exam")
		p.write("ple.org'><body>&lt;</body></message>")
		r.wantState(true)
		for _, id := range []string{"1", "2", "3"} {
			st := <-r.got
			if st.ID != id {
				t.Errorf("stanza %s, want %s", st.ID, id)
			}
			if id == "3" && (st.From.Resourcepart() != "é" || st.Element.Child("", "body").Text != "<" || st.Element.Space != "") {
				t.Errorf("read as %+v", st)
			}
		}
		p.roundTrip(r)
	})
}

// refused lets the server end the handshake with s and returns the error reported.
func refused(t *testing.T, r *rig, early bool, s string) error {
	t.Helper()
	p := <-r.conns
	if early {
		p.header()
	} else {
		p.handshake()
	}
	go p.write(s + streamEnd)
	err := r.wantState(false)
	p.conn.Close()
	return err
}

func streamError(condition string) string {
	return "<stream:error><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>because</text></stream:error>"
}

func TestRefusal(t *testing.T) {
	for _, tt := range []struct {
		condition, names string
		early, wait      bool
	}{
		{condition: "not-authorized", names: "key secret", wait: true},
		{condition: "host-unknown", names: "key domain", wait: true},
		{condition: "host-unknown", names: "key domain", early: true, wait: true},
		{condition: "conflict", names: "another instance"},
		{condition: "internal-server-error", names: "internal-server-error"},
	} {
		t.Run(tt.condition, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.run()
				defer r.stop()
				err := refused(t, r, tt.early, streamError(tt.condition))
				var e *Error
				if !errors.As(err, &e) || e.Condition != tt.condition || e.Text != "because" {
					t.Errorf("error %v", err)
				}
				began := time.Now()
				p := <-r.conns
				if d := time.Since(began); tt.wait != (d >= defaultTimes.backoff[1]/2) {
					t.Errorf("next attempt after %v", d)
				}
				if !strings.Contains(r.log.String(), tt.names) {
					t.Errorf("log does not name %q:\n%s", tt.names, r.log)
				}
				p.conn.Close()
			})
		})
	}
}

func TestHandshakeBounds(t *testing.T) {
	for name, serve := range map[string]func(*peer){
		"silence":     func(p *peer) { p.readUntil(">") },
		"no XML":      func(p *peer) { p.readUntil(">"); p.write("HTTP/1.1 400 Bad Request\r\n\r\n") },
		"other tag":   func(p *peer) { p.readUntil(">"); p.write("<a/>") },
		"no answer":   func(p *peer) { p.header(); p.readUntil("</handshake>") },
		"wrong reply": func(p *peer) { p.header(); p.readUntil("</handshake>"); p.write("<message/>") },
		"endless": func(p *peer) {
			p.readUntil(">")
			for range maxHeader / 1000 * 2 {
				if _, err := p.conn.Write([]byte("<a b='" + strings.Repeat("x", 1000))); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.run()
				defer r.stop()
				began := time.Now()
				first := <-r.conns
				go serve(first)
				if err := r.wantState(false); err == nil {
					t.Error("no error")
				}
				if d := time.Since(began); d > defaultTimes.negotiate+lastWords {
					t.Errorf("given up after %v", d)
				}
				first.conn.Close()
				r.connected().roundTrip(r)
			})
		})
	}
}

func TestRedial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		dial, refusing, attempts := r.dial, false, []time.Time(nil)
		r.dial = func(ctx context.Context) (net.Conn, error) {
			if attempts = append(attempts, time.Now()); refusing && len(attempts) < 15 {
				return nil, errors.New("connection refused")
			}
			refusing = true
			return dial(ctx)
		}
		r.run()
		defer r.stop()
		first := r.connected()
		first.write(streamEnd)
		if err := r.wantState(false); err != errClosed {
			t.Errorf("link ended with %v", err)
		}
		r.connected().roundTrip(r) // no other state in between
		for i := 2; i < len(attempts); i++ {
			most := min(defaultTimes.backoff[0]<<(i-1), defaultTimes.backoff[1])
			if d := attempts[i].Sub(attempts[i-1]); d < most/2 || d > most {
				t.Errorf("attempt %d after %v, want %v to %v", i, d, most/2, most)
			}
		}
		if len(attempts) != 15 {
			t.Errorf("%d attempts", len(attempts))
		}
	})
}

// Two instances that a server lets push each other out must not do so ever faster.
func TestConflictOfTwoInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		var last time.Duration
		for range 12 {
			r.connected().write(streamError("conflict"))
			r.wantState(false)
			began := time.Now()
			p := <-r.conns
			last = time.Since(began)
			p.handshake()
			p.write("<handshake/>")
			r.wantState(true)
			<-time.After(3 * steady)
			p.write(streamError("conflict"))
			r.wantState(false)
		}
		if last < defaultTimes.backoff[1]/2 {
			t.Errorf("still tries anew after %v", last)
		}
	})
}

func TestStreamErrorEndsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		p := r.connected()
		p.write(streamError("system-shutdown"))
		var e *Error
		if err := r.wantState(false); !errors.As(err, &e) || e.Condition != "system-shutdown" {
			t.Errorf("link ended with %v", err)
		}
		r.connected().roundTrip(r)
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		p := r.connected()
		began := time.Now()
		ping := p.next()
		if d := time.Since(began); d != defaultTimes.silence || ping.Child(nsPing, "ping") == nil || ping.Attr("to") != testDomain || ping.Attr("from") != testDomain {
			t.Errorf("after %v: %v", d, ping)
		}
		p.write(ping.String()) // as servers do: our own domain leads back here
		if ping = p.next(); time.Since(began) != 2*defaultTimes.silence || ping.Child(nsPing, "ping") == nil {
			t.Errorf("next ping after %v", time.Since(began))
		}
		p.write(" ") // keepalive
		p.next()
		if d := time.Since(began); d != 3*defaultTimes.silence {
			t.Errorf("third ping after %v", d)
		}
		if err := r.wantState(false); err != errSilent || time.Since(began) != 3*defaultTimes.silence+defaultTimes.pong {
			t.Errorf("given up after %v: %v", time.Since(began), err)
		}
		r.connected().roundTrip(r)
	})
}

func TestHalfStanza(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		p := r.connected()
		p.roundTrip(r)
		began := time.Now()
		p.write("<message from='a@example.org' to='call.exam")
		if err := r.wantState(false); err != errStalled || time.Since(began) != defaultTimes.stall {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		p = r.connected()
		p.roundTrip(r)
		p.write("hello")
		if err := r.wantState(false); err != errJunk {
			t.Errorf("link ended with %v", err)
		}
		r.connected().roundTrip(r)
	})
}

func TestStop(t *testing.T) {
	t.Run("queue is sent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.run()
			p := r.connected()
			for range 10 {
				if err := r.Send(message("a@example.org", "bye")); err != nil {
					t.Fatal(err)
				}
			}
			go func() {
				for range p.in {
				}
				p.conn.Close()
			}()
			r.stop()
			if err := r.wantState(false); err != context.Canceled {
				t.Errorf("link ended with %v", err)
			}
			if p.err != nil {
				t.Errorf("stream not closed in order: %v", p.err)
			}
			if err := r.Send(message("a@example.org", "late")); err != ErrDown {
				t.Errorf("Send after Run ended: %v", err)
			}
			called := false
			r.Request(ping("a@example.org"), pingPayload, time.Second, func(_ *element.Element, err error) { called = err == ErrDown })
			if !called {
				t.Error("Request after Run ended did not fail at once")
			}
		})
	})
	t.Run("server is gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.run()
			r.connected()
			began := time.Now()
			r.stop()
			if d := time.Since(began); d > defaultTimes.linger {
				t.Errorf("Run took %v to end", d)
			}
		})
	})
	t.Run("in the handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.run()
			(<-r.conns).readUntil(">")
			began := time.Now()
			r.stop()
			if d := time.Since(began); d > 0 {
				t.Errorf("Run took %v to end", d)
			}
		})
	})
}

func TestPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		handle := r.cfg.Handle
		var panics atomic.Int64
		r.cfg.Panicked = func() { panics.Add(1) }
		r.cfg.Handle = func(st Stanza) {
			if st.ID == "bad" {
				panic("handler broke")
			}
			handle(st)
		}
		r.run()
		defer r.stop()
		p := r.connected()
		p.write("<message id='bad' from='a@example.org' to='call.example.org'/>" +
			"<iq type='set' id='bad' from='a@example.org' to='call.example.org'><x xmlns='urn:x'/></iq>")
		if e := p.next(); errorCondition(e) != "internal-server-error" || e.Attr("id") != "bad" {
			t.Errorf("answer %v", e)
		}
		r.Request(ping("a@example.org"), pingPayload, time.Minute, func(*element.Element, error) { panic("answer broke") })
		p.write("<iq type='result' id='" + p.next().Attr("id") + "' from='a@example.org' to='call.example.org'/>")
		p.roundTrip(r)
		if n := panics.Load(); n != 3 || strings.Count(r.log.String(), "panic in") != 3 {
			t.Errorf("%d panics counted, log:\n%s", n, r.log)
		}
	})
}
