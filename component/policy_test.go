package component

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/jingle"
)

func TestAdmission(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	p := newPolicy(nil, Limits{})
	ghost := func(i int) jid.JID { return jid.MustParse(fmt.Sprintf("g%d@call.example.org/x", i)) }
	user := func(i int) jid.JID { return jid.MustParse(fmt.Sprintf("u%d@example.org/phone", i)) }
	ip := netip.MustParseAddr
	must := func(a *admission, err error) *admission {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	refused := func(what string, _ *admission, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s was admitted", what)
		}
	}
	ring := func(a *admission) {
		t.Helper()
		if err := a.ring(now); err != nil {
			t.Fatal(err)
		}
	}
	first := must(p.admit(now, ghost(1), user(1), ip("2001:db8::1")))
	late := must(p.admit(now, ghost(5), user(1), ip("198.51.100.7"))) // nobody rings there yet
	ring(first)
	ring(first)
	refused("a second guest whose call was prepared before the other rang", nil, late.ring(now))
	late.release(now, call.Cancelled)
	_, err := p.admit(now, ghost(2), user(1), ip("192.0.2.1"))
	refused("a second guest at a ringing callee", nil, err)
	second := must(p.admit(now, ghost(2), user(2), ip("2001:db8::2")))
	_, err = p.admit(now, ghost(3), user(3), ip("2001:db8::ffff:1:2:3"))
	refused("a third ringing call from one /64", nil, err)
	third := must(p.admit(now, ghost(3), user(3), ip("2001:db8:0:1::1")))

	first.answered()
	fourth := must(p.admit(now, ghost(4), user(4), ip("2001:db8::4")))
	first.release(now, call.HungUp)
	first.release(now, call.HungUp) // counts once
	second.release(now, call.PeerDeclined)
	_, err = p.admit(now, ghost(2), user(2), ip("198.51.100.1"))
	refused("the guest that was declined just now", nil, err)
	_, err = p.admit(now, ghost(9), user(2), ip("2001:db8::9"))
	refused("another guest of the network address that was declined just now", nil, err)
	must(p.admit(now, ghost(9), user(2), ip("198.51.100.2"))).release(now, call.Cancelled)
	long := must(p.admit(now, ghost(8), user(8), ip("198.51.100.3")))
	ring(long)
	long.release(now.Add(longRing), call.Cancelled)
	_, err = p.admit(now.Add(longRing), ghost(8), user(8), ip("198.51.100.3"))
	refused("a guest that let the callee ring for long", nil, err)
	must(p.admit(now.Add(61*time.Second), ghost(2), user(2), ip("2001:db8::2"))).release(now, call.NoAnswer)
	third.release(now, call.Cancelled)
	fourth.release(now, call.Cancelled)
	if p.total != 0 || len(p.ringing) != 0 || len(p.calls) != 0 {
		t.Errorf("after all calls the policy still counts %d, %v, %v", p.total, p.ringing, p.calls)
	}
	p.sweep(now.Add(time.Hour))
	if len(p.cooling) != 0 {
		t.Errorf("an hour later it remembers %v", p.cooling)
	}
}

// However many names strangers make up, they are bounded in memory, and nobody else is refused for them.
func TestCountedEventsAreBounded(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	p := newPolicy(nil, Limits{})
	if !p.allow(now, probeFrom, "flooder", 1) {
		t.Error("the first event was refused")
	}
	for i := range 3 * maxEvents {
		if !p.allow(now, probeFrom, fmt.Sprint(i), 1) {
			t.Fatalf("event %d was refused for those before it", i)
		}
		if i%1000 == 0 && p.allow(now, probeFrom, "flooder", 1) {
			t.Fatalf("after %d other names one that goes on was forgotten", i)
		}
	}
	if c := p.counts[probeFrom]; len(c.young)+len(c.old) > maxEvents {
		t.Errorf("%d names are kept", len(c.young)+len(c.old))
	}
	if p.allow(now.Add(59*time.Second), probeFrom, "flooder", 1) {
		t.Error("a second event within the minute was allowed")
	}
	if !p.allow(now.Add(61*time.Second), probeFrom, "flooder", 1) {
		t.Error("the next minute did not begin")
	}
	for i := range 3 {
		p.sweep(now.Add(time.Duration(2+i) * time.Minute))
	}
	if c := p.counts[probeFrom]; len(c.young)+len(c.old) != 0 {
		t.Errorf("minutes later %d names are kept", len(c.young)+len(c.old))
	}
}

// TestRelayCredentialsAreRenewed holds a call for longer than credentials live, on the test's own clock.
func TestRelayCredentialsAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, func(cfg *Config) { cfg.TURN = TURN{URLs: []string{"turn:turn.example.org"}, Secret: "north"} })
		p := attached(t, c, newKey(t), "anna", nil)
		id, sid := place(p, w, "alice@example.org")
		w.jmi(alice, p.at.Address, jingle.Proceed, sid)
		w.result(w.next("session-initiate", isAction(jingle.SessionInitiate)))
		w.next("result", isReply(w.session(alice, p.at.Address, jingle.SessionAccept, sid, contentsOf(t, "answer"))))
		p.do(gateway.Media{Call: id, State: call.MediaConnected})
		time.Sleep(turnLifetime - time.Minute)
		if renewed := expect[gateway.ICEServers](p); renewed.Call != id || renewed.Expires != 600 {
			t.Errorf("renewed with %+v", renewed)
		}
		time.Sleep(turnLifetime)
		expect[gateway.ICEServers](p)
		p.do(gateway.HangUp{Call: id})
		expect[gateway.Ended](p)
		c.shutDown()
	})
}
