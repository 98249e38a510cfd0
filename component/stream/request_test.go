package stream

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"carillon/jingle/element"
)

var pingPayload = element.New(nsPing, "ping")

func ping(to string) *element.Element {
	return element.New("", "iq", "type", "get", "from", testDomain, "to", to)
}

// outcome is how a request ended.
type outcome struct {
	reply *element.Element
	err   error
}

func ask(r *rig, to string, timeout time.Duration) chan outcome {
	c := make(chan outcome, 2)
	r.Request(ping(to), pingPayload, timeout, func(reply *element.Element, err error) { c <- outcome{reply, err} })
	return c
}

func TestRequestIsAnsweredByWhomItWasSentTo(t *testing.T) {
	const full, bare, host = "alice@example.org/desk", "alice@example.org", "example.org"
	for _, tt := range []struct {
		to, from string
		counts   bool
	}{
		{full, full, true}, {bare, bare, true}, {host, host, true},
		{full, bare, false}, {full, host, false}, {bare, full, false}, {bare, host, false}, {host, bare, false},
		{full, "mallory@example.org/desk", false}, {full, "alice@example.org/Desk", false},
		{"Alice@Example.org/desk", full, true}, // servers answer with the normal form
		{full, "", true},                       // only the server itself sends without from
		{full, "♥", false},
	} {
		t.Run(tt.to+" by "+tt.from, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.run()
				defer r.stop()
				p := r.connected()
				c := ask(r, tt.to, 20*time.Second)
				id := p.next().Attr("id")
				from := ""
				if tt.from != "" {
					from = " from='" + tt.from + "'"
				}
				p.write(fmt.Sprintf("<iq type='result' id='%s'%s to='call.example.org'/>", id, from))
				began := time.Now()
				switch o := <-c; {
				case tt.counts && (o.err != nil || o.reply.Attr("id") != id):
					t.Errorf("ended with %v, %v", o.reply, o.err)
				case !tt.counts && (o.err != ErrTimeout || time.Since(began) != 20*time.Second):
					t.Errorf("ended with %v, %v after %v", o.reply, o.err, time.Since(began))
				}
				p.write(fmt.Sprintf("<iq type='result' id='%s' from='%s' to='call.example.org'/>", id, tt.to))
				p.roundTrip(r)
				if len(c) != 0 {
					t.Error("ended twice")
				}
			})
		})
	}
}

func TestErrorAnswersARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		p := r.connected()
		c := ask(r, "a@example.org", time.Minute)
		p.write("<iq type='error' id='" + p.next().Attr("id") + "' from='a@example.org' to='call.example.org'><error type='cancel'>" +
			"<item-not-found xmlns='" + nsStanzaErrors + "'/></error></iq>")
		if o := <-c; o.err != nil || errorCondition(o.reply) != "item-not-found" {
			t.Errorf("ended with %v, %v", o.reply, o.err)
		}
	})
}

func TestRequestsFailAtOnceWithTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.MaxRequests = 100 })
		r.run()
		p := r.connected()
		began := time.Now()
		var all []chan outcome
		for range 101 {
			all = append(all, ask(r, "a@example.org", never))
		}
		if o := <-all[100]; o.err != ErrFull {
			t.Errorf("one too many ended with %v", o.err)
		}
		for range 100 {
			p.next()
		}
		p.conn.Close()
		for _, c := range all[:100] {
			if o := <-c; o.err != ErrDown {
				t.Errorf("ended with %v", o.err)
			}
		}
		if time.Since(began) > 0 {
			t.Errorf("after %v", time.Since(began))
		}
		r.wantState(false)
		r.connected()
		c := ask(r, "a@example.org", never)
		r.stop()
		if o := <-c; o.err != ErrDown {
			t.Errorf("ended with %v when Run ended", o.err)
		}
	})
}

func TestRequestThatCannotBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		if o := <-ask(r, "a@example.org", never); o.err != ErrDown {
			t.Errorf("before Run: %v", o.err)
		}
		r.run()
		defer r.stop()
		r.connected()
		for _, tt := range []struct {
			want error
			e    *element.Element
		}{
			{ErrAddress, ping("")},
			{ErrAddress, ping("a@example.org").SetAttr("from", "b@example.org")},
			{ErrNotStanza, message("a@example.org", "")},
			{ErrNotStanza, ping("a@example.org").SetAttr("type", "result")},
		} {
			var got error
			r.Request(tt.e, pingPayload, never, func(_ *element.Element, err error) { got = err })
			if got != tt.want {
				t.Errorf("%v ended with %v, want %v", tt.e, got, tt.want)
			}
		}
		if len(r.asked.pending) != 0 {
			t.Error("request kept")
		}
	})
}
