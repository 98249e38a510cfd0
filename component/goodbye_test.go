package component

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

// connectedCall is a call between a page and alice with media.
func connectedCall(t *testing.T, p *page, w *wire) (id string) {
	t.Helper()
	id, sid := place(p, w, "alice@example.org")
	w.jmi(alice, p.at.Address, jingle.Proceed, sid)
	w.result(w.next("session-initiate", isAction(jingle.SessionInitiate)))
	w.next("result", isReply(w.session(alice, p.at.Address, jingle.SessionAccept, sid, contentsOf(t, "answer"))))
	p.do(gateway.Media{Call: id, State: call.MediaConnected})
	return id
}

const gone = `<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`

// A page hangs up while the server is away: its side ends at once, and the peer hears of it once, when it is there again.
func TestGoodbyeWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		p := attached(t, c, newKey(t), "anna", nil)
		id := connectedCall(t, p, w)
		w.link(false)
		p.do(gateway.HangUp{Call: id})
		expect[gateway.Ended](p)
		time.Sleep(20 * time.Second)
		w.silent("anything", isAction(jingle.SessionTerminate))
		w.link(true)
		bounced := w.next("session-terminate", isAction(jingle.SessionTerminate))
		w.receive(`<iq type='error' id='` + bounced.Attr("id") + `' from='` + alice + `' to='` + p.at.Address + `'>` + gone + `</iq>`)
		w.result(w.next("session-terminate", isAction(jingle.SessionTerminate)))
		time.Sleep(goodbyeWithin)
		w.silent("a second session-terminate", isAction(jingle.SessionTerminate))
		c.mu.Lock()
		left := len(c.goodbyes)
		c.mu.Unlock()
		if left > 0 {
			t.Errorf("%d goodbyes are left", left)
		}
		c.shutDown()
	})
}

// A peer that is gone for good costs nothing: one error with the server up all the time, and no more than two minutes after it came back.
func TestGoodbyeGivesUp(t *testing.T) {
	for name, interrupted := range map[string]bool{"the server was there": false, "the server came back": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := newTestComponent(t, nil)
				p := attached(t, c, newKey(t), "anna", nil)
				id := connectedCall(t, p, w)
				if interrupted {
					w.link(false)
					w.link(true)
				}
				p.do(gateway.HangUp{Call: id})
				said := 0
				for end := time.Now().Add(2 * goodbyeWithin); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
					for quiet := false; !quiet; {
						select {
						case e := <-w.sent:
							if isAction(jingle.SessionTerminate)(e) {
								said++
								w.receive(`<iq type='error' id='` + e.Attr("id") + `' from='` + alice + `' to='` + p.at.Address + `'>` + gone + `</iq>`)
							}
						default:
							quiet = true
						}
					}
				}
				if most := map[bool]int{false: 1, true: 40}[interrupted]; said == 0 || said > most {
					t.Errorf("said %d times, at most %d", said, most)
				}
				c.mu.Lock()
				left := len(c.goodbyes)
				c.mu.Unlock()
				if left > 0 {
					t.Errorf("%d goodbyes are left", left)
				}
				c.shutDown()
			})
		})
	}
}

// A last word that meets a full queue is said again when there is room.
func TestGoodbyeWaitsForRoom(t *testing.T) {
	for name, given := range map[string]struct {
		begin func(*testing.T, *page, *wire) string
		said  func(*element.Element) bool
	}{
		"session-terminate": {connectedCall, isAction(jingle.SessionTerminate)},
		"finish":            {connectedCall, isMessage(jingle.Finish)},
		"retract":           {func(_ *testing.T, p *page, w *wire) string { id, _ := place(p, w, "alice@example.org"); return id }, isMessage(jingle.Retract)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := newTestComponent(t, nil)
				p := attached(t, c, newKey(t), "anna", nil)
				id := given.begin(t, p, w)
				w.refuse(stream.ErrFull)
				p.do(gateway.HangUp{Call: id})
				expect[gateway.Ended](p)
				synctest.Wait()
				w.refuse(nil)
				time.Sleep(lastRetry)
				if n := len(slices.DeleteFunc(w.sentSoFar(), func(e *element.Element) bool { return !given.said(e) })); n != 1 {
					t.Errorf("said %d times once there was room", n)
				}
				c.shutDown()
			})
		})
	}
}

// A ring is taken back even if that was asked while the server was away: Dino would ring for ever.
func TestRetractWaitsForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		p := attached(t, c, newKey(t), "anna", nil)
		id, _ := place(p, w, "alice@example.org")
		w.link(false)
		p.do(gateway.HangUp{Call: id})
		expect[gateway.Ended](p)
		time.Sleep(5 * time.Second)
		w.link(true)
		w.next("retract", isMessage(jingle.Retract))
		time.Sleep(goodbyeWithin)
		w.silent("a second retract", isMessage(jingle.Retract))
		c.shutDown()
	})
}

// sentSoFar returns what was sent and not looked at yet.
func (w *wire) sentSoFar() []*element.Element {
	var list []*element.Element
	for len(w.sent) > 0 {
		list = append(list, <-w.sent)
	}
	return list
}

// The peer of a page that is closed hears why the call ended before it sees the page go: its client would say that the page is offline.
func TestPageClosedInACall(t *testing.T) {
	unavailable := isPresence("unavailable", "alice@example.org")
	for name, given := range map[string]struct {
		begin func(*testing.T, *page, *wire)
		last  []func(*element.Element) bool
	}{
		"connected": {
			func(t *testing.T, p *page, w *wire) { connectedCall(t, p, w) },
			[]func(*element.Element) bool{isAction(jingle.SessionTerminate), isMessage(jingle.Finish), unavailable},
		},
		"proposed": {
			func(_ *testing.T, p *page, w *wire) { place(p, w, "alice@example.org") },
			[]func(*element.Element) bool{isMessage(jingle.Retract), unavailable},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := newTestComponent(t, nil)
				p := attached(t, c, newKey(t), "anna", nil)
				p.do(gateway.Tell{To: "carol@example.org"})
				p.do(gateway.Tell{To: "alice@example.org"})
				given.begin(t, p, w)
				w.sentSoFar()
				p.session.Closed(true)
				synctest.Wait()
				sent := w.sentSoFar()
				if !slices.ContainsFunc(sent, isPresence("unavailable", "carol@example.org")) {
					t.Error("who has no call does not see the page go")
				}
				at := -1
				for _, said := range given.last {
					i := slices.IndexFunc(sent, said)
					if i <= at {
						t.Errorf("not said, or too early: number %d, after number %d, of %v", i, at, sent)
					}
					at = i
				}
				c.shutDown()
			})
		})
	}
}

// One of several pages that ring is closed: its presence goes at once, whatever becomes of the call.
func TestPageClosedWhileOthersRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		key := newKey(t)
		p, other := attached(t, c, key, "anna", nil), attached(t, c, key, "anna", nil)
		for _, each := range []*page{p, other} {
			each.do(gateway.Tell{To: "alice@example.org"})
		}
		w.receive(`<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='s1'>
			<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
		synctest.Wait()
		w.sentSoFar()
		p.session.Closed(true)
		synctest.Wait()
		sent := w.sentSoFar()
		if len(sent) != 1 || !isPresence("unavailable", "alice@example.org")(sent[0]) || sent[0].Attr("from") != p.at.Address {
			t.Errorf("sent %v", sent)
		}
		c.shutDown()
	})
}

// A page that is loaded anew in a call shows itself to its contacts under the address that it had.  The end of the old call says nothing against
// that.
func TestPageLoadedAnewStaysAvailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		key := newKey(t)
		p := attached(t, c, key, "anna", nil)
		ticket := gateway.Ticket{Address: "alice@example.org", Ticket: contactTicket(c.key, mustJID(t, p.at.Bare), mustJID(t, "alice@example.org"))}
		connectedCall(t, p, w)
		p.session.Closed(false)
		w.sentSoFar()
		attached(t, c, key, "anna", func(a *gateway.Attach) {
			a.Resume, a.Instance, a.Contacts = p.at.Resume, "page-2", []gateway.Ticket{ticket}
		})
		synctest.Wait()
		var last *element.Element
		for _, e := range w.sentSoFar() {
			if e.Local == "presence" && e.Attr("from") == p.at.Address {
				last = e
			}
		}
		if last == nil || last.Attr("type") != "" {
			t.Errorf("the last presence of the page that is open is %v", last)
		}
		c.shutDown()
	})
}
