package component

import (
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"carillon/component/gateway"
	"carillon/jingle"
	"carillon/jingle/element"
)

func isText(e *element.Element) bool { return e.Local == "message" }

func TestTextBothWays(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	p.do(gateway.Text{To: "bob@example.org", Body: "hello <b>"})
	sent := w.next("message", isText)
	if body := sent.Child("", "body"); body == nil || body.Text != "hello <b>" || sent.Attr("type") != "chat" || sent.Attr("from") != p.at.Address {
		t.Errorf("sent %s", sent)
	}
	w.receive(`<message type='chat' id='m1' from='` + stranger + `' to='` + p.at.Address + `'><body>hi</body>` +
		`<request xmlns='urn:xmpp:receipts'/><delay xmlns='urn:xmpp:delay' stamp='2026-03-01T10:20:30.5Z'/></message>`)
	if got, want := expect[gateway.Text](p), (gateway.Text{From: "bob@example.org", Body: "hi", Stamp: "2026-03-01T10:20:30Z"}); got != want {
		t.Errorf("shown %+v, want %+v", got, want)
	}
	receipt := w.next("receipt", isText)
	if r := receipt.Child(nsReceipts, "received"); r == nil || r.Attr("id") != "m1" {
		t.Errorf("receipt is %s", receipt)
	}
	w.receive(`<message type='error' id='` + sent.Attr("id") + `' from='bob@example.org' to='` + p.at.Address +
		`'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	if got := expect[gateway.Undelivered](p); got.To != "bob@example.org" || got.Text == "" {
		t.Errorf("bounce is %+v", got)
	}
}

func TestTextIsRefused(t *testing.T) {
	c, w := newTestComponent(t, func(cfg *Config) { cfg.MayCall = []jid.JID{jid.MustParse("call.example.org")} })
	p := attached(t, c, newKey(t), "anna", nil)
	for what, test := range map[string]struct{ to, payload, want string }{
		"a stranger's":             {p.at.Bare, `<body>hello</body>`, "service-unavailable"},
		"one to no page":           {"nobody@call.example.org", `<body>hello</body>`, "service-unavailable"},
		"an encrypted one":         {p.at.Bare, `<encrypted xmlns='eu.siacs.conversations.axolotl'/><body>fallback</body>`, "not-acceptable"},
		"an encrypted one nowhere": {"nobody@call.example.org", `<encrypted xmlns='urn:xmpp:omemo:2'/>`, "not-acceptable"},
	} {
		w.receive(`<message type='chat' id='m1' from='` + stranger + `' to='` + test.to + `'>` + test.payload + `</message>`)
		e := w.next("error", isText)
		if e.Attr("type") != "error" || e.Attr("id") != "m1" || jingle.ParseError(e).Condition != test.want {
			t.Errorf("%s was answered with %s", what, e)
		}
	}
	w.receive(`<message type='chat' id='m2' from='` + stranger + `' to='` + p.at.Bare + `'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	w.silent("an answer to a chat state", isText)
	if _, err := p.session.Handle(gateway.Request{Event: gateway.Text{To: "bob@example.org", Body: "x"}}); err == nil {
		t.Error("a guest may write to whom it may not call")
	}
}

func TestTextIsBounded(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	w.receive(`<message type='chat' id='long' from='` + stranger + `' to='` + p.at.Bare + `'><body>` + strings.Repeat("x", maxText+1) + `</body></message>`)
	if e := w.next("error", isText); jingle.ParseError(e).Condition != "not-acceptable" {
		t.Errorf("a long text was answered with %s", e)
	}
	for range c.policy.limits.TextsPerMinute {
		w.receive(`<message type='chat' from='` + stranger + `' to='` + p.at.Bare + `'><body>x</body></message>`)
	}
	if e := w.next("error", isText); jingle.ParseError(e).Condition != "resource-constraint" {
		t.Errorf("a flood was answered with %s", e)
	}
}

func TestTextBetweenPages(t *testing.T) {
	c, _ := newTestComponent(t, nil)
	anna := attached(t, c, newKey(t), "anna", nil)
	ben := attached(t, c, newKey(t), "ben", nil)
	anna.do(gateway.Text{To: ben.at.Bare, Body: "hello"})
	if got := expect[gateway.Text](ben); got.From != anna.at.Bare || got.Body != "hello" {
		t.Errorf("shown %+v", got)
	}
	if _, err := anna.session.Handle(gateway.Request{Event: gateway.Text{To: "nobody@call.example.org", Body: "x"}}); err == nil {
		t.Error("a text to nobody succeeded")
	}
}

// Whoever makes bounces up is not believed, and does not flood a page with them whom it has written to.
func TestBounceFlood(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	bounce := func() {
		w.receive(`<message type='error' id='` + textID + `x' from='bob@example.org' to='` + p.at.Address +
			`'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	}
	if bounce(); len(p.frames) != 0 {
		t.Error("the page was shown what came back from somebody it has not written to")
	}
	p.do(gateway.Text{To: "bob@example.org", Body: "hello"})
	for range 3 * c.policy.limits.TextsPerMinute {
		bounce()
	}
	if n := len(p.frames); n != c.policy.limits.TextsPerMinute {
		t.Errorf("the page was shown %d", n)
	}
}

// What a client says of itself is kept while the page is open, so it is bounded, word by word.
func TestDiscoBounds(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	e, err := element.Parse([]byte(`<iq><query xmlns='`+nsDiscoInfo+`' node='`+long+`'><feature var='`+long+`'/><feature var='urn:x'/>`+
		`<identity category='client' type='pc' name='`+long+`'/><identity category='client' type='pc' name='Dino'/></query></iq>`), element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	d := discoIn(e, long)
	if len(d.Node) > maxDiscoWord || len(d.Features) != 1 || len(d.Identities) != 1 {
		t.Errorf("a node of %d bytes, %d features, %d identities", len(d.Node), len(d.Features), len(d.Identities))
	}
}
