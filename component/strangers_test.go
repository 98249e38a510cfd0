package component

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/jingle"
	"carillon/jingle/element"
)

func TestStrangersPresenceAsksNothing(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	for i := range 3 {
		w.receive(fmt.Sprintf(`<presence from='mallory@evil.example/%d' to='%s'/>`, i, p.at.Bare))
	}
	w.silent("a question to a stranger, who learns from it that the address exists", func(*element.Element) bool { return true })
	if n := len(c.ghosts[p.at.Bare].devices); n != 0 {
		t.Errorf("%d devices of a stranger are remembered", n)
	}
}

// A contact's device without XEP-0353 is called directly, by what its presence and service discovery have told.
func TestContactsDeviceIsCalledDirectly(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	p.do(gateway.Tell{To: "alice@example.org"})
	answerDisco := func(features ...string) {
		t.Helper()
		iq := w.next("disco", func(e *element.Element) bool { return e.Child(nsDiscoInfo, "query") != nil })
		query := element.New(nsDiscoInfo, "query")
		for _, f := range features {
			query.Append(element.New(nsDiscoInfo, "feature", "var", f))
		}
		w.receive(newStanza("iq", "result", mustJID(t, iq.Attr("to")), mustJID(t, iq.Attr("from")), iq.Attr("id")).Append(query).String())
	}
	presence := `<presence from='` + alice + `' to='` + p.at.Address + `'><priority>5</priority><c xmlns='http://jabber.org/protocol/caps' ver='%s'/></presence>`
	w.receive(fmt.Sprintf(presence, "1"))
	answerDisco("x")
	w.receive(fmt.Sprintf(presence, "1"))
	w.silent("a question whose answer is known", func(e *element.Element) bool { return e.Local == "iq" })
	w.receive(fmt.Sprintf(presence, "2"))
	answerDisco(jingle.NS, jingle.NSICE, jingle.NSRTP, jingle.NSRTPAudio)
	p.do(gateway.Dial{To: "alice@example.org"})
	id := expect[gateway.Admitted](p).Call
	p.do(gateway.Offer{Call: id, SDP: gateway.Description{Type: "offer", SDP: recordedSDP(t, "offer")}})
	if iq := w.next("session-initiate", isAction(jingle.SessionInitiate)); iq.Attr("to") != alice {
		t.Errorf("called %s", iq.Attr("to"))
	}
	w.receive(`<presence type='unavailable' from='` + alice + `' to='` + p.at.Address + `'/>`)
	expect[gateway.Ended](p)
	if c.Stats().Devices != 0 {
		t.Error("a device that went is remembered")
	}
}

func TestOneCallsEndLeavesTheOthersPresence(t *testing.T) {
	c, w := newTestComponent(t, nil)
	key := newKey(t)
	p, other := attached(t, c, key, "anna", nil), attached(t, c, key, "anna", nil)
	_, sid := place(p, w, "alice@example.org")
	w.jmi(alice, p.at.Address, jingle.Proceed, sid)
	w.result(w.next("session-initiate", isAction(jingle.SessionInitiate)))
	w.receive(`<message type='chat' from='alice@example.org/tablet' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='s1'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
	other.do(gateway.Decline{Call: expect[gateway.Incoming](other).Call})
	w.next("reject", isMessage(jingle.Reject))
	wait(t, "the second call's end", func() bool { return c.Stats().Calls == 1 })
	w.silent("unavailable presence of a page in a call", isPresence("unavailable", "alice@example.org"))
}

func TestBouncedProceedEndsTheCall(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	w.receive(`<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='s-1'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
	p.do(gateway.Accept{Call: expect[gateway.Incoming](p).Call})
	proceed := w.next("proceed", isMessage(jingle.Proceed))
	bounce := `<message type='error' from='%s' to='` + p.at.Address + `' id='` + proceed.Attr("id") + `'><error type='cancel'>
		<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
	w.receive(fmt.Sprintf(bounce, "mallory@evil.example/x"))
	w.receive(fmt.Sprintf(bounce, alice))
	expect[gateway.Ended](p)
	wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
}

func TestLosingAcceptIsAnswered(t *testing.T) {
	c, w := newTestComponent(t, nil)
	key := newKey(t)
	p, other := attached(t, c, key, "anna", nil), attached(t, c, key, "anna", nil)
	w.receive(`<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='s1'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
	id := expect[gateway.Incoming](p).Call
	p.do(gateway.Accept{Call: id})
	expect[gateway.Ended](other)
	wait(t, "the loser's leaving", func() bool {
		_, err := other.session.Handle(gateway.Request{ID: "9", Event: gateway.Accept{Call: id}})
		return err == errUnknownCall
	})
}

func TestUnsubscribingIsHeardAtOnce(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	p.do(gateway.Tell{To: "bob@example.org"})
	w.receive(`<presence type='subscribe' from='bob@example.org' to='` + p.at.Bare + `'/>`)
	expect[gateway.Contact](p)
	w.receive(`<presence type='unsubscribe' from='bob@example.org' to='` + p.at.Bare + `'/>`)
	if contact := expect[gateway.Contact](p); contact.State != gateway.ContactRemoved {
		t.Errorf("the page heard %+v", contact)
	}
	w.next("unavailable", isPresence("unavailable", "bob@example.org"))
	if g := c.ghosts[p.at.Bare]; len(g.contacts)+len(g.told) != 0 {
		t.Errorf("the contact is still there: %v %v", g.contacts, g.told)
	}
}

func TestContactsAreRefusedAndForgotten(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	w.receive(`<presence type='subscribe' from='bob@example.org' to='` + p.at.Bare + `'/>`)
	expect[gateway.Contact](p)
	p.do(gateway.Refuse{Address: "bob@example.org"})
	w.next("unsubscribed", isPresence("unsubscribed", "bob@example.org"))
	p.refused(gateway.Approve{Address: "bob@example.org"}, gateway.NotNow)
	p.do(gateway.Tell{To: "carol@example.org"})
	p.do(gateway.Forget{Address: "carol@example.org"})
	w.next("the withdrawal of our request", isPresence("unsubscribe", "carol@example.org"))
	w.next("unavailable", isPresence("unavailable", "carol@example.org"))
}

func TestStoredProposeIsHistory(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	propose := `<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='%s'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose><delay xmlns='urn:xmpp:delay' stamp='%s'/></message>`
	w.receive(fmt.Sprintf(propose, "old", time.Now().Add(-2*time.Minute).UTC().Format(time.RFC3339)))
	w.silent("an answer to a call of the past", func(*element.Element) bool { return true })
	w.receive(fmt.Sprintf(propose, "new", time.Now().UTC().Format(time.RFC3339)))
	w.next("ringing", isMessage(jingle.Ringing))
}

func TestRingsAreBounded(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	propose := func(user int, sid string) {
		w.receive(fmt.Sprintf(`<message type='chat' from='u%d@example.org/x' to='%s' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='%s'>
			<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`, user, p.at.Bare, sid))
	}
	propose(1, "a")
	propose(1, "b")
	if e := w.next("reject", isMessage(jingle.Reject)); e.Child(jingle.NSMessage, "reject").Attr("id") != "b" {
		t.Errorf("a caller's second call: %s", e)
	}
	propose(2, "c")
	propose(3, "d")
	propose(4, "e")
	if e := w.next("reject", isMessage(jingle.Reject)); e.Child(jingle.NSMessage, "reject").Attr("id") != "e" {
		t.Errorf("the fourth that rings: %s", e)
	}
	if c.Stats().Calls != 3 {
		t.Errorf("%d calls ring", c.Stats().Calls)
	}
}

// Dino and Movim call for ever when nothing answers.
func TestFloodOfCallsIsRejected(t *testing.T) {
	c, w := newTestComponent(t, func(cfg *Config) { cfg.Limits.ProposesPerMinute = 2 })
	p := attached(t, c, newKey(t), "anna", nil)
	for i := range 5 {
		w.propose(stranger, p.at.Bare, fmt.Sprint("s", i))
		if i == 0 {
			p.do(gateway.Decline{Call: expect[gateway.Incoming](p).Call})
			wait(t, "the first call's end", func() bool { return c.Stats().Calls == 0 })
			w.next("first reject", isMessage(jingle.Reject))
		}
		if i == 1 {
			w.next("ringing", isMessage(jingle.Ringing))
		}
		if i < 2 {
			continue
		}
		e := w.next("reject", isMessage(jingle.Reject))
		if r := e.Child(jingle.NSMessage, "reject"); r.Attr("id") != fmt.Sprint("s", i) || r.Child(jingle.NS, "reason").Child(jingle.NS, "busy") == nil {
			t.Errorf("call %d of a flood was answered with %s", i, e)
		}
	}
}

// A stranger who is not put through hears the same whether there is such an address or not.
func TestStrangerWhoIsNotPutThrough(t *testing.T) {
	c, w := newTestComponent(t, func(cfg *Config) { cfg.Limits = Limits{RingsPerGhost: 1, ProposesPerMinute: 2} })
	p := attached(t, c, newKey(t), "anna", nil)
	w.propose(alice, p.at.Bare, "first")
	w.next("ringing", isMessage(jingle.Ringing))
	answers := map[string][]string{}
	for i, to := range []string{p.at.Bare, "nobody-aaaaaaaaaaaaaaaa@call.example.org", p.at.Address} {
		for j := range 4 {
			sid := fmt.Sprint("s", i, j)
			w.propose("mallory@evil.example/x", to, sid)
			e := w.next("reject", isMessage(jingle.Reject)).String()
			e = strings.NewReplacer(to, "TO", sid, "SID").Replace(e)
			key := regexp.MustCompile(` id='[^']*'| id="[^"]*"`).ReplaceAllString(e, "")
			answers[key] = append(answers[key], to)
		}
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ: %q", answers)
	}
	for _, to := range []string{p.at.Address, "nobody-aaaaaaaaaaaaaaaa@call.example.org/x"} {
		id := w.session("mallory@evil.example/x", to, jingle.SessionInitiate, "direct", contentsOf(t, "offer"))
		if e := w.next("error", isReply(id)); jingle.ParseError(e).Condition != "service-unavailable" {
			t.Errorf("a session-initiate to %s was answered with %s", to, e)
		}
	}
	// Whom guests may call hears the truth.
	w.propose(stranger, p.at.Bare, "bob")
	if e := w.next("reject", isMessage(jingle.Reject)); e.Child(jingle.NSMessage, "reject").Child(jingle.NS, "reason").Child(jingle.NS, "busy") == nil {
		t.Errorf("bob was told %s", e)
	}
}

// One domain, whose owner makes up as many names as it likes, is bounded as a whole; nobody else is for it.
func TestStrangersAreBoundedByTheirDomain(t *testing.T) {
	c, w := newTestComponent(t, func(cfg *Config) { cfg.Limits = Limits{ProposesPerDomain: 3, RingsPerGhost: 100} })
	p := attached(t, c, newKey(t), "anna", nil)
	for i := range 10 {
		w.propose(fmt.Sprintf("u%d@evil.example/x", i), p.at.Bare, fmt.Sprint("s", i))
		w.propose(fmt.Sprintf("u%d@example.org/x", i), p.at.Bare, fmt.Sprint("t", i))
	}
	w.propose("carol@other.example/x", p.at.Bare, "carol")
	if n := c.Stats().Calls; n != 3+10+1 {
		t.Errorf("%d calls ring", n)
	}
}

// However many names strangers make up, who calls or writes to a page for the first time gets through.
func TestStrangersDoNotCrowdOut(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	drain := func() {
		for len(w.sent) > 0 {
			<-w.sent
		}
	}
	for i := range maxEvents + 1 {
		from := fmt.Sprintf("u%d@evil.example/x", i)
		w.propose(from, "nobody-aaaaaaaaaaaaaaaa@call.example.org", "s")
		w.receive(`<message type='chat' from='` + from + `' to='nobody-aaaaaaaaaaaaaaaa@call.example.org'><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>`)
		w.receive(`<message type='chat' from='` + from + `' to='` + p.at.Bare + `'><body>spam</body></message>`)
		drain()
	}
	for kind, n := range map[eventKind]int{proposeFrom: 0, proposeDomain: 0, textTo: 0} {
		if got := len(c.policy.counts[kind].young) + len(c.policy.counts[kind].old); got != n {
			t.Errorf("of kind %d %d names are kept", kind, got)
		}
	}
	w.receive(`<message type='chat' id='hi' from='` + stranger + `' to='` + p.at.Bare + `'><body>hello</body></message>`)
	if got := expect[gateway.Text](p); got.Body != "hello" {
		t.Errorf("shown %+v", got)
	}
	w.propose(stranger, p.at.Bare, "real")
	expect[gateway.Incoming](p)
}

// propose has somebody call.
func (w *wire) propose(from, to, sid string) {
	w.t.Helper()
	w.receive(`<message type='chat' from='` + from + `' to='` + to + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='` + sid + `'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
}

func TestPagesAreBounded(t *testing.T) {
	c, _ := newTestComponent(t, func(cfg *Config) { cfg.Limits = Limits{TabsPerGhost: 2, Tabs: 3, AttachesPerIP: 5} })
	key := newKey(t)
	tryAttach := func() gateway.Code {
		p := open(t, c, newKey(t), "192.0.2.7")
		_, err := p.session.Handle(gateway.Request{Event: p.sign("anna", "call.example.org", p.origin, p.nonce)})
		if err == nil {
			return ""
		}
		return err.(*gateway.Error).Code
	}
	attached(t, c, key, "anna", nil)
	attached(t, c, key, "anna", nil)
	p := open(t, c, key, "192.0.2.7")
	p.refused(p.sign("anna", "call.example.org", p.origin, p.nonce), gateway.TooMany)
	if code := tryAttach(); code != "" {
		t.Errorf("a third page: %s", code)
	}
	if code := tryAttach(); code != gateway.TooMany {
		t.Errorf("a fourth page: %s", code)
	}
	if code := tryAttach(); code != gateway.RateLimited {
		t.Errorf("a sixth attach within the minute: %s", code)
	}
}

// A machine that does what the test says.
type fakeMachine struct {
	handle func(call.Input) []call.Output
}

func (m fakeMachine) Handle(_ time.Time, in call.Input) []call.Output { return m.handle(in) }

func TestOverflowAnswersWhatItTook(t *testing.T) {
	c, w := newTestComponent(t, nil)
	block, handled := make(chan struct{}), 0
	r := c.newRunner(callKey{"a", "b", "c"}, "in", mustJID(t, "anna@call.example.org"), mustJID(t, alice))
	r.machine = fakeMachine{func(in call.Input) []call.Output {
		if _, ok := in.(call.Shutdown); ok {
			return []call.Output{call.Ended{Outcome: call.Failed}}
		}
		if handled++; handled == 1 {
			<-block
		}
		return []call.Output{call.Answer{Request: in.(call.PeerRequest)}}
	}}
	c.mu.Lock()
	c.start(r, nil, nil)
	c.mu.Unlock()
	taken := 0
	for i := range 2 * inboxSize {
		if r.post(call.PeerRequest{From: mustJID(t, alice), To: mustJID(t, "anna@call.example.org/x"), ID: fmt.Sprint("i", i)}) {
			taken++
		}
	}
	close(block)
	<-r.closed
	answered := map[string]bool{}
	for len(w.sent) > 0 {
		e := <-w.sent
		if answered[e.Attr("id")] {
			t.Errorf("%s was answered twice", e.Attr("id"))
		}
		answered[e.Attr("id")] = true
	}
	if len(answered) != taken {
		t.Errorf("%d requests were taken and %d answered", taken, len(answered))
	}
}

func TestPanicEndsOneCallOnly(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	r := c.newRunner(callKey{p.at.Bare, "alice@example.org", "s"}, "in", mustJID(t, p.at.Bare), mustJID(t, alice))
	r.machine = fakeMachine{func(call.Input) []call.Output { panic("a fault") }}
	c.mu.Lock()
	c.start(r, []*tab{c.tabOf(mustJID(t, p.at.Address))}, nil)
	c.mu.Unlock()
	if e := w.next("answer", isReply(w.session(alice, p.at.Address, jingle.SessionInfo, "s", ""))); e.Attr("type") != "error" {
		t.Errorf("the request that met the fault was answered with %s", e)
	}
	if e := expect[gateway.Ended](p); e.Reason != string(call.Failed) {
		t.Errorf("the page heard %+v", e)
	}
	<-r.closed
	if page := scrape(c); !strings.Contains(page, `carillon_panics_total{where="call"} 1`) {
		t.Errorf("the fault was not counted:\n%s", page)
	}
	w.receive(`<iq type='get' id='still' from='` + alice + `' to='` + p.at.Address + `'><ping xmlns='urn:xmpp:ping'/></iq>`)
	w.next("answer to a ping after that", isReply("still"))
}

// The verification string is computed here by the steps of XEP-0115 section 5.1.
func TestCapsHash(t *testing.T) {
	var features []string
	for _, f := range ghostInfo.Features {
		features = append(features, f.Var)
	}
	sort.Strings(features)
	sum := sha1.Sum([]byte("client/web//Carillon<" + strings.Join(features, "<") + "<"))
	if want := base64.StdEncoding.EncodeToString(sum[:]); capsVersion != want {
		t.Errorf("caps are %s, want %s", capsVersion, want)
	}
}
