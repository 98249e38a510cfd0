package component

import (
	"testing"
	"time"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/jingle"
)

// Both call each other at once: the propose of the lower id goes on, the other is taken back or rejected.
func TestTie(t *testing.T) {
	for name, theirs := range map[string]string{"their id is lower": "0", "our id is lower": "zzzz"} {
		t.Run(name, func(t *testing.T) {
			c, w := newTestComponent(t, nil)
			p := attached(t, c, newKey(t), "anna", nil)
			id, sid := place(p, w, "alice@example.org")
			w.receive(`<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='` + theirs + `'>
				<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
			if theirs > sid {
				reject := w.next("reject", isMessage(jingle.Reject)).Child(jingle.NSMessage, "reject")
				if reject.Attr("id") != theirs || reject.Child(jingle.NSMessage, "tie-break") == nil {
					t.Errorf("rejected with %s", reject)
				}
				w.jmi(alice, p.at.Address, jingle.Proceed, sid)
				w.next("session-initiate", isAction(jingle.SessionInitiate))
				return
			}
			retract := w.next("retract", isMessage(jingle.Retract)).Child(jingle.NSMessage, "retract")
			if retract.Attr("id") != sid || retract.Child(jingle.NSMessage, "tie-break") == nil {
				t.Errorf("took back with %s", retract)
			}
			p.isRungInstead(id)
		})
	}
}

// isRungInstead waits until the page has lost its own call to theirs, which rings.
func (p *page) isRungInstead(own string) {
	p.t.Helper()
	end := time.After(patience)
	for ended, rings := false, false; !ended || !rings; {
		select {
		case f := <-p.frames:
			switch f := f.(type) {
			case gateway.Ended:
				ended = f.Call == own && f.Reason == string(call.TieBreak)
			case gateway.Incoming:
				rings = true
			}
		case <-end:
			p.t.Fatalf("own call ended %v, theirs rings %v", ended, rings)
		}
	}
}

// They call while our page is still making its offer: nobody has heard of ours, so theirs rings whichever id is lower.
func TestTieBeforeTheOffer(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	if f := p.do(gateway.Dial{To: "alice@example.org"}); f != gateway.Later {
		t.Fatalf("dial gave %v", f)
	}
	id := expect[gateway.Admitted](p).Call
	w.receive(`<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='zzzz'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
	p.isRungInstead(id)
	w.silent("a propose of ours", isMessage(jingle.Propose))
}
