package component

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

// writeTo has a user write to an address and ask for a receipt.
func (w *wire) writeTo(to, from, id string) {
	w.t.Helper()
	w.receive(`<message type='chat' id='` + id + `' from='` + from + `' to='` + to + `'><body>text ` + id + `</body><request xmlns='urn:xmpp:receipts'/></message>`)
}

// answersTo tells receipts and errors, by the ids of what they answer.
func answersTo(sent []*element.Element) (received []string, returned map[string]jingle.Error) {
	returned = map[string]jingle.Error{}
	for _, e := range sent {
		if r := e.Child(nsReceipts, "received"); r != nil {
			received = append(received, r.Attr("id"))
		}
		if e.Local == "message" && e.Attr("type") == "error" {
			returned[e.Attr("id")] = jingle.ParseError(e)
		}
	}
	return received, returned
}

// A text for a page without a socket waits for it, and is confirmed only when the page has it, whether that is the same page or it was loaded anew.
func TestTextWaitsForThePage(t *testing.T) {
	for name, instance := range map[string]string{"the socket was lost": "page-1", "the page was loaded anew": "page-2"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := newTestComponent(t, nil)
				key := newKey(t)
				p := attached(t, c, key, "anna", nil)
				p.session.Closed(false)
				w.writeTo(p.at.Bare, stranger, "m1")
				if sent := w.sentSoFar(); len(sent) > 0 {
					t.Errorf("while the page was away %v was sent", sent)
				}
				back := attached(t, c, key, "anna", func(a *gateway.Attach) { a.Resume, a.Instance, a.Seen = p.at.Resume, instance, p.seen })
				if got := expect[gateway.Text](back); got.Body != "text m1" {
					t.Errorf("shown %+v", got)
				}
				time.Sleep(2 * c.cfg.Grace)
				back.session.Closed(true)
				if received, returned := answersTo(w.sentSoFar()); len(received) != 1 || received[0] != "m1" || len(returned) > 0 {
					t.Errorf("confirmed %v, returned %v", received, returned)
				}
				c.shutDown()
			})
		})
	}
}

// A text that no page is left to show goes back to who wrote it, once.
func TestTextComesBack(t *testing.T) {
	for name, end := range map[string]func(*Component){
		"the page does not come back": func(c *Component) { time.Sleep(2 * c.cfg.Grace) },
		"the service ends":            (*Component).shutDown,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, w := newTestComponent(t, nil)
				key := newKey(t)
				p, other := attached(t, c, key, "anna", nil), attached(t, c, key, "anna", nil)
				w.writeTo(p.at.Bare, stranger, "m0")
				p.session.Closed(false)
				w.writeTo(p.at.Bare, stranger, "m1") // the other page shows it
				other.session.Closed(false)
				w.writeTo(p.at.Bare, stranger, "m2")
				w.writeTo(p.at.Address, stranger, "m3")
				end(c)
				synctest.Wait()
				received, returned := answersTo(w.sentSoFar())
				if len(received) != 2 || len(returned) != 2 {
					t.Fatalf("confirmed %v, returned %v", received, returned)
				}
				for _, id := range []string{"m2", "m3"} {
					if e := returned[id]; e.Condition != "recipient-unavailable" || e.Type != "wait" || e.Text == "" {
						t.Errorf("%s came back with %+v", id, e)
					}
				}
				c.shutDown()
				if sent := w.sentSoFar(); name != "the service ends" && len(sent) > 0 {
					t.Errorf("at the end %v was sent", sent)
				}
			})
		})
	}
}

// What is more than is kept for a page goes back at once, oldest first; the rest is shown.
func TestTextBeyondWhatIsKeptComesBack(t *testing.T) {
	c, w := newTestComponent(t, nil)
	key := newKey(t)
	p := attached(t, c, key, "anna", nil)
	p.session.Closed(false)
	const beyond = 3
	kept := len(c.tabOf(mustJID(t, p.at.Address)).kept)
	for i := range maxKept - kept + beyond {
		w.writeTo(p.at.Bare, fmt.Sprintf("u%d@example.org/x", i%4), fmt.Sprint("m", i))
	}
	received, returned := answersTo(w.sentSoFar())
	if len(received) > 0 || len(returned) != beyond-kept {
		t.Fatalf("confirmed %v, returned %v", received, returned)
	}
	for i := range beyond - kept {
		if e := returned[fmt.Sprint("m", i)]; e.Condition != "resource-constraint" || e.Type != "wait" {
			t.Errorf("text %d came back with %+v", i, e)
		}
	}
	attached(t, c, key, "anna", func(a *gateway.Attach) { a.Resume, a.Seen = p.at.Resume, p.seen })
	if received, returned := answersTo(w.sentSoFar()); len(received) != maxKept || len(returned) > 0 {
		t.Errorf("when the page was back %d were confirmed, %v returned", len(received), returned)
	}
}

// A page hears which of its texts nobody will read: from another page that did not come back, from the XMPP server, and when that takes no more.
func TestPageHearsOfUndeliveredTexts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		anna, ben := attached(t, c, newKey(t), "anna", nil), attached(t, c, newKey(t), "ben", nil)
		ben.session.Closed(false)
		anna.do(gateway.Text{To: ben.at.Bare, Body: "one", Message: "1"})
		time.Sleep(2 * c.cfg.Grace)
		if got := expect[gateway.Undelivered](anna); got.To != ben.at.Bare || got.Message != "1" || got.Text == "" {
			t.Errorf("of a page: %+v", got)
		}
		anna.do(gateway.Text{To: "bob@example.org", Body: "two", Message: "2"})
		anna.do(gateway.Text{To: "bob@example.org", Body: "three", Message: "3"})
		sent := w.next("text", isText)
		w.receive(`<message type='error' id='` + sent.Attr("id") + `' from='bob@example.org' to='` + anna.at.Address +
			`'><error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
		if got := expect[gateway.Undelivered](anna); got.To != "bob@example.org" || got.Message != "2" {
			t.Errorf("of the server: %+v", got)
		}
		w.refuse(stream.ErrFull)
		anna.refused(gateway.Text{To: "bob@example.org", Body: "four", Message: "4"}, gateway.LinkDown)
		c.shutDown()
	})
}
