package component

import (
	"strings"
	"testing"
	"time"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/jingle"
)

func TestPageGoneEndsItsCalls(t *testing.T) {
	c, w := newTestComponent(t, func(cfg *Config) { cfg.Grace = 30 * time.Millisecond })
	p := attached(t, c, newKey(t), "anna", nil)
	place(p, w, "alice@example.org")
	p.session.Closed(false)
	w.next("retract", isMessage(jingle.Retract))
	wait(t, "the page's end", func() bool { return c.Stats() == Stats{Linked: true} })
}

// A page that was loaded anew has lost its keys: its call ends at once, and it hears whom to call again.
func TestPageLoadedAnewHearsOfItsCall(t *testing.T) {
	c, w := newTestComponent(t, nil)
	key := newKey(t)
	p := attached(t, c, key, "anna", nil)
	id, _ := place(p, w, "alice@example.org")
	p.session.Closed(false)
	again := attached(t, c, key, "anna", func(a *gateway.Attach) { a.Resume, a.Instance = p.at.Resume, "page-2" })
	if again.at.Resumed || again.at.Address != p.at.Address {
		t.Errorf("attached %+v", again.at)
	}
	if ended := expect[gateway.Ended](again); ended.Call != id || ended.To != "alice@example.org" || ended.Reason != string(call.PageLost) {
		t.Errorf("the new page hears %+v", ended)
	}
	w.next("retract", isMessage(jingle.Retract))
	wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
}

// The page notices that its socket is dead before the server does: what was sent on it meanwhile comes again.
func TestPageThatComesBackMissesNothing(t *testing.T) {
	for name, noticed := range map[string]bool{"the server noticed": true, "the server did not notice": false} {
		t.Run(name, func(t *testing.T) {
			c, w := newTestComponent(t, nil)
			key := newKey(t)
			p := attached(t, c, key, "anna", nil)
			id, sid := place(p, w, "alice@example.org")
			seen := p.seen
			if noticed {
				p.session.Closed(false)
			}
			w.jmi(alice, p.at.Address, jingle.Proceed, sid)
			w.result(w.next("session-initiate", isAction(jingle.SessionInitiate)))
			w.next("result", isReply(w.session(alice, p.at.Address, jingle.SessionAccept, sid, contentsOf(t, "answer"))))
			wait(t, "the frames' sending", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.tabOf(mustJID(t, p.at.Address)).seq > seen+1 })
			back := attached(t, c, key, "anna", func(a *gateway.Attach) { a.Resume, a.Seen = p.at.Resume, seen })
			if !back.at.Resumed || back.at.Address != p.at.Address {
				t.Fatalf("came back as %+v", back.at)
			}
			expect[gateway.Proceeding](back)
			if a := expect[gateway.Answer](back); a.Call != id {
				t.Errorf("got the answer %+v", a)
			}
			again := attached(t, c, key, "anna", func(a *gateway.Attach) { a.Resume, a.Seen = p.at.Resume, back.seen })
			if len(again.frames) > 0 {
				t.Errorf("a page that has seen everything got %v", <-again.frames)
			}
		})
	}
}

// A page that was away for longer than its frames were kept has lost some of its call, which ends rather than stay half of one.  Others go on: what
// was lost is not theirs.
func TestPageThatMissesFramesLosesTheirCall(t *testing.T) {
	for name, lost := range map[string]bool{"frames of the call": true, "texts": false, "frames of the call, which the page has seen": false} {
		t.Run(name, func(t *testing.T) {
			c, w := newTestComponent(t, nil)
			key := newKey(t)
			p := attached(t, c, key, "anna", nil)
			id := connectedCall(t, p, w)
			seen := p.seen
			if name == "frames of the call" {
				seen -= 2
			}
			p.session.Closed(false)
			c.mu.Lock()
			tab := c.tabOf(mustJID(t, p.at.Address))
			for range maxKept {
				tab.send(gateway.Text{From: "bob@example.org", Body: "?"})
			}
			c.mu.Unlock()
			back := attached(t, c, key, "anna", func(a *gateway.Attach) { a.Resume, a.Seen = p.at.Resume, seen })
			if !back.at.Resumed {
				t.Fatalf("came back as %+v", back.at)
			}
			if !lost {
				back.do(gateway.SessionInfo{Call: id, Info: jingle.InfoHold})
				w.next("session-info", isAction(jingle.SessionInfo))
				return
			}
			if ended := expect[gateway.Ended](back); ended.Call != id || ended.Reason != string(call.PageLost) {
				t.Errorf("the page hears %+v", ended)
			}
			w.next("session-terminate", isAction(jingle.SessionTerminate))
			wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
		})
	}
}

// What is kept for a page to ask for again is bounded in bytes as well, below what its socket takes at once.
func TestKeptBytes(t *testing.T) {
	x := &tab{}
	for range 3 * maxKept {
		x.send(gateway.Offer{SDP: gateway.Description{SDP: strings.Repeat("x", 60<<10)}})
	}
	x.send(gateway.Ringing{})
	size := 0
	for _, f := range x.kept {
		size += sizeOf(f)
	}
	if size > maxKeptBytes || len(x.kept) < 2 || x.keptBytes != size {
		t.Errorf("%d frames of %d bytes are kept, counted as %d", len(x.kept), size, x.keptBytes)
	}
	x.send(gateway.Offer{SDP: gateway.Description{SDP: strings.Repeat("x", 2*maxKeptBytes)}})
	if len(x.kept) != 1 { // the last one is the one that matters
		t.Errorf("%d frames are kept after a large one", len(x.kept))
	}
}
