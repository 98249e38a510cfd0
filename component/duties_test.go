package component

import (
	"fmt"
	"testing"

	"carillon/component/gateway"
	"carillon/jingle"
	"carillon/jingle/element"
)

const stranger = "bob@example.org/phone"

func TestNobodyLearnsWhetherAnAddressExists(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	for _, to := range []string{p.at.Bare, "nobody-aaaaaaaaaaaaaaaa@call.example.org"} {
		w.receive(`<presence type='probe' from='` + stranger + `' to='` + to + `'/>`)
		e := w.next("answer to the probe", func(e *element.Element) bool { return e.Local == "presence" })
		if e.Attr("type") != "unavailable" || e.Attr("from") != to {
			t.Errorf("a probe by a stranger was answered with %s", e)
		}
		w.receive(`<iq type='get' id='d' from='` + stranger + `' to='` + to + `'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
		if e := w.next("disco", isReply("d")); e.Attr("type") != "result" {
			t.Errorf("disco#info of %s was answered with %s", to, e)
		}
	}
}

func TestProposeWithoutAPageIsRejected(t *testing.T) {
	_, w := newTestComponent(t, nil)
	w.receive(`<message type='chat' id='1' from='` + stranger + `' to='anna-aaaaaaaaaaaaaaaa@call.example.org'>
		<propose xmlns='urn:xmpp:jingle-message:0' id='s1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
	e := w.next("reject", isMessage(jingle.Reject))
	if e.Attr("to") != stranger || e.Child(jingle.NSMessage, "reject").Attr("id") != "s1" {
		t.Errorf("rejected with %s", e)
	}
}

func TestQueries(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	node := c.cfg.PublicURL + "#" + capsVersion
	for i, q := range []struct{ to, kind, payload, want string }{
		{p.at.Address, "get", `<query xmlns='http://jabber.org/protocol/disco#info'/>`, "result"},
		{p.at.Address, "get", `<query xmlns='http://jabber.org/protocol/disco#info' node='` + node + `'/>`, "result"},
		{p.at.Bare, "get", `<query xmlns='http://jabber.org/protocol/disco#info' node='other'/>`, "item-not-found"},
		{p.at.Bare, "get", `<query xmlns='http://jabber.org/protocol/disco#items'/>`, "result"},
		{p.at.Bare + "/gone", "get", `<query xmlns='http://jabber.org/protocol/disco#info'/>`, "service-unavailable"},
		{"call.example.org", "get", `<query xmlns='http://jabber.org/protocol/disco#info'/>`, "result"},
		{p.at.Address, "get", `<ping xmlns='urn:xmpp:ping'/>`, "result"},
		{p.at.Address, "get", `<query xmlns='jabber:iq:version'/>`, "result"},
		{p.at.Address, "get", `<query xmlns='jabber:iq:last'/>`, "result"},
		{p.at.Bare, "get", `<vCard xmlns='vcard-temp'/>`, "result"},
		{p.at.Bare, "get", `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='eu.siacs.conversations.axolotl.devicelist'/></pubsub>`, "item-not-found"},
		{p.at.Bare, "get", `<x xmlns='urn:example:unknown'/>`, "service-unavailable"},
		{p.at.Bare, "set", `<x xmlns='urn:example:unknown'/>`, "service-unavailable"},
		{p.at.Address, "set", `<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='nobodys'/>`, "item-not-found"},
		{p.at.Address, "set", `<jingle xmlns='urn:xmpp:jingle:1' action='dance' sid='x'/>`, "bad-request"},
	} {
		id := fmt.Sprint("q", i)
		w.receive(`<iq type='` + q.kind + `' id='` + id + `' from='` + stranger + `' to='` + q.to + `'>` + q.payload + `</iq>`)
		e := w.next("answer to "+q.payload, isReply(id))
		got := e.Attr("type")
		if got == "error" {
			got = jingle.ParseError(e).Condition
		}
		if got != q.want || e.Attr("to") != stranger || e.Attr("from") != q.to {
			t.Errorf("%s to %s: got %s", q.payload, q.to, e)
		}
	}
	w.receive(`<iq type='error' id='e' from='` + stranger + `' to='` + p.at.Address + `'><error type='cancel'/></iq>`)
	w.receive(`<iq type='result' id='e' from='` + stranger + `' to='` + p.at.Address + `'/>`)
	w.receive(`<message type='error' id='e' from='` + stranger + `' to='` + p.at.Address + `'><body>x</body></message>`)
	w.receive(`<presence type='error' id='e' from='` + stranger + `' to='` + p.at.Address + `'/>`)
	w.silent("an answer to an error or result", func(*element.Element) bool { return true })
}

func TestCapsAreOfTheDiscoInfo(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	w.receive(`<iq type='get' id='d' from='` + stranger + `' to='` + p.at.Address + `'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
	query := w.next("disco", isReply("d")).Child(nsDiscoInfo, "query")
	for _, need := range []string{jingle.NS, jingle.NSMessage, jingle.NSRTPAudio, jingle.NSRTPVideo, jingle.NSICE, jingle.NSDTLS} {
		found := false
		for _, f := range query.Children {
			found = found || f.Attr("var") == need
		}
		if !found {
			t.Errorf("disco#info lacks %s", need)
		}
	}
	for _, i := range query.Children {
		if i.Local == "identity" && i.Attr("category") != "client" {
			t.Errorf("identity %s: a call from anything but a client is thrown away by Dino and Conversations", i.Attr("category"))
		}
	}
}

func TestSubscriptionsAreAnsweredOncePerMinute(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	p.do(gateway.Tell{To: "bob@example.org"})
	w.next("presence", isPresence("", "bob@example.org"))
	subscribe := `<presence type='subscribe' from='bob@example.org' to='` + p.at.Bare + `'/>`
	w.receive(subscribe)
	w.next("subscribed", isPresence("subscribed", "bob@example.org"))
	if contact := expect[gateway.Contact](p); contact.State != gateway.ContactApproved || contact.Ticket == "" {
		t.Errorf("an invited contact: %+v", contact)
	}
	for range 10 {
		w.receive(subscribe)
		w.receive(`<presence type='unsubscribe' from='bob@example.org' to='` + p.at.Bare + `'/>`)
	}
	w.silent("a second answer within the minute", isPresence("subscribed", "bob@example.org"))
	w.silent("a second answer within the minute", isPresence("unsubscribed", "bob@example.org"))
}

func TestTellIsUnderPolicy(t *testing.T) {
	c, w := newTestComponent(t, func(cfg *Config) { cfg.Limits.TellsPerMinute = 2 })
	p := attached(t, c, newKey(t), "anna", nil)
	p.refused(gateway.Tell{To: "alice@elsewhere.example"}, gateway.NotAllowed)
	p.refused(gateway.Tell{To: "example.org"}, gateway.BadAddress)
	p.refused(gateway.Tell{To: "@@"}, gateway.BadAddress)
	p.do(gateway.Tell{To: "alice@example.org"})
	presence := w.next("presence", isPresence("", "alice@example.org"))
	if presence.Attr("from") != p.at.Address {
		t.Errorf("presence came from %s", presence.Attr("from"))
	}
	p.do(gateway.Tell{To: "alice@example.org"})
	w.next("presence again", isPresence("", "alice@example.org"))
	p.refused(gateway.Tell{To: "alice@example.org"}, gateway.RateLimited)
	c.connected(false, nil)
	if link := expect[gateway.Link](p); link.Up {
		t.Error("the page was not told that the server is away")
	}
	p.refused(gateway.Dial{To: "alice@example.org"}, gateway.LinkDown)
	c.connected(true, nil)
	w.next("presence after the link's return", isPresence("", "alice@example.org"))
}
