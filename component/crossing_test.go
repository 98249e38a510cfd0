package component

import (
	"testing"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/jingle"
)

// Two pages dial each other at the same moment: the later dial takes the earlier call, before its offer or after, and nobody is rung.
func TestPagesDialEachOther(t *testing.T) {
	offer := gateway.Description{Type: "offer", SDP: recordedSDP(t, "offer")}
	for name, offered := range map[string]bool{"before the offer": false, "while it rings": true} {
		t.Run(name, func(t *testing.T) {
			c, w := newTestComponent(t, nil)
			key := newKey(t)
			p, q, tab := attached(t, c, newKey(t), "anna", nil), attached(t, c, key, "berta", nil), attached(t, c, key, "berta", nil)
			p.do(gateway.Dial{To: q.at.Bare})
			first := expect[gateway.Admitted](p)
			id := first.Call
			if first.Called || first.To != q.at.Bare {
				t.Errorf("the first dial was admitted as %+v", first)
			}
			if offered {
				p.do(gateway.Offer{Call: id, SDP: offer})
				expect[gateway.Incoming](tab)
			}
			q.do(gateway.Dial{To: p.at.Bare})
			if a := expect[gateway.Admitted](q); a.Call != id || a.To != p.at.Bare || !a.Called {
				t.Fatalf("the second dial was admitted as %+v", a)
			}
			q.do(gateway.Offer{Call: id, SDP: offer}) // of a page that has not read that it is called: it gives way
			if offered {
				if e := expect[gateway.Ended](tab); e.Reason != string(call.AnsweredElsewhere) {
					t.Errorf("the other tab ended with %+v", e)
				}
			} else {
				p.do(gateway.Offer{Call: id, SDP: offer})
			}
			expect[gateway.Offer](q)
			q.do(gateway.Answer{Call: id, SDP: gateway.Description{Type: "answer", SDP: recordedSDP(t, "answer")}})
			expect[gateway.Answer](p)
			if n := c.Stats().Calls; n != 1 {
				t.Errorf("%d calls", n)
			}
			// Another tab that calls now makes a call of its own.
			tab.do(gateway.Dial{To: p.at.Bare})
			another := expect[gateway.Admitted](tab).Call
			if another == id {
				t.Error("the other tab was given the call, too")
			}
			tab.do(gateway.HangUp{Call: another})
			p.do(gateway.HangUp{Call: id})
			if e := expect[gateway.Ended](q); e.Reason != string(call.PeerHungUp) {
				t.Errorf("ended with %+v", e)
			}
			w.silent("a stanza about a call between two pages", isMessage(jingle.Propose))
			for len(p.frames) > 0 {
				if f, rung := (<-p.frames).(gateway.Incoming); rung {
					t.Errorf("who dialled first is rung: %+v", f)
				}
			}
		})
	}
}

// A dial that meets the end of the other's call is refused, and not left without an answer.
func TestDialMeetsTheEnd(t *testing.T) {
	c, _ := newTestComponent(t, nil)
	p, q := attached(t, c, newKey(t), "anna", nil), attached(t, c, newKey(t), "berta", nil)
	p.do(gateway.Dial{To: q.at.Bare})
	id := expect[gateway.Admitted](p).Call
	c.mu.Lock() // the call cannot be forgotten before the dial has found it
	r := c.tabOf(mustJID(t, p.at.Address)).calls[id]
	r.post(call.BrowserHangUp{Tab: mustJID(t, p.at.Address)})
	f, err := c.dial(c.tabOf(mustJID(t, q.at.Address)), p.at.Bare, "")
	c.mu.Unlock()
	if f != gateway.Later || err != nil {
		t.Fatalf("dial gave %v, %v", f, err)
	}
	wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
	q.do(gateway.Dial{To: p.at.Bare})
	if a := expect[gateway.Admitted](q); a.Call == id {
		t.Error("admitted to a call that is over")
	}
}
