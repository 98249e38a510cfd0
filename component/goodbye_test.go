package component

import (
	"testing"
	"testing/synctest"
	"time"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/jingle"
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
		if len(c.goodbyes) > 0 {
			t.Errorf("%d goodbyes are left", len(c.goodbyes))
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
				if len(c.goodbyes) > 0 {
					t.Errorf("%d goodbyes are left", len(c.goodbyes))
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
