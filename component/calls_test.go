package component

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

// recordedSDP is a real browser's audio offer, or the answer to it.
func recordedSDP(t *testing.T, kind string) string {
	t.Helper()
	b, err := os.ReadFile("../testdata/sdp/audio-firefox-chromium.json")
	if err != nil {
		t.Fatal(err)
	}
	var recording struct{ Steps []struct{ Type, SDP string } }
	if err := json.Unmarshal(b, &recording); err != nil {
		t.Fatal(err)
	}
	for _, s := range recording.Steps {
		if s.Type == kind {
			return s.SDP
		}
	}
	t.Fatalf("no %s was recorded", kind)
	return ""
}

// contentsOf is a recorded SDP as a peer's Jingle contents.
func contentsOf(t *testing.T, kind string) string {
	t.Helper()
	_, lines, _, err := sdpconv.FromSDP(recordedSDP(t, "offer"), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	author := jingle.Responder
	if kind == "offer" {
		lines, author = nil, jingle.Initiator
	}
	d, _, _, err := sdpconv.FromSDP(recordedSDP(t, kind), author, lines)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	e, err := element.Parse(jingle.Stanza{Action: jingle.SessionInitiate, Contents: d.Contents}.AppendTo(nil, ""), element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range e.Children {
		b.WriteString(c.String())
	}
	return b.String()
}

// place dials and returns the call's id with the stanza that proposes it.
func place(p *page, w *wire, to string) (id, sid string) {
	p.t.Helper()
	if f := p.do(gateway.Dial{To: to}); f != gateway.Later {
		p.t.Fatalf("dial gave %v", f)
	}
	id = expect[gateway.Admitted](p).Call
	p.do(gateway.Offer{Call: id, SDP: gateway.Description{Type: "offer", SDP: recordedSDP(p.t, "offer")}})
	propose := w.next("propose", isMessage(jingle.Propose))
	if propose.Attr("to") != "alice@example.org" || propose.Attr("from") != p.at.Address {
		p.t.Errorf("proposed from %s to %s", propose.Attr("from"), propose.Attr("to"))
	}
	return id, propose.Child(jingle.NSMessage, "propose").Attr("id")
}

func (w *wire) jmi(from, to string, kind jingle.MessageKind, sid string) {
	w.t.Helper()
	w.receive(`<message type='chat' from='` + from + `' to='` + to + `' id='x'><` + string(kind) + ` xmlns='urn:xmpp:jingle-message:0' id='` + sid + `'/></message>`)
}

func (w *wire) session(from, to string, action jingle.Action, sid, children string) string {
	w.t.Helper()
	id := randomID()
	w.receive(`<iq type='set' id='` + id + `' from='` + from + `' to='` + to + `'><jingle xmlns='urn:xmpp:jingle:1' action='` + string(action) +
		`' sid='` + sid + `'>` + children + `</jingle></iq>`)
	return id
}

func (w *wire) result(iq *element.Element) {
	w.receive(`<iq type='result' id='` + iq.Attr("id") + `' from='` + iq.Attr("to") + `' to='` + iq.Attr("from") + `'/>`)
}

const alice = "alice@example.org/phone"

func TestPageCallsUser(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	id, sid := place(p, w, "alice@example.org")
	w.jmi("mallory@example.net/x", p.at.Address, jingle.Proceed, sid) // counts for nothing
	w.jmi(alice, p.at.Address, jingle.Ringing, sid)
	expect[gateway.Ringing](p)
	w.jmi(alice, p.at.Address, jingle.Proceed, sid)
	initiate := w.next("session-initiate", isAction(jingle.SessionInitiate))
	if initiate.Attr("to") != alice {
		t.Errorf("initiated with %s", initiate.Attr("to"))
	}
	w.result(initiate)
	accept := w.session(alice, p.at.Address, jingle.SessionAccept, sid, contentsOf(t, "answer"))
	if e := w.next("result", isReply(accept)); e.Attr("type") != "result" {
		t.Fatalf("session-accept was answered with %s", e)
	}
	if a := expect[gateway.Answer](p); a.Call != id || !strings.HasPrefix(a.SDP.SDP, "v=0") {
		t.Errorf("the page got %+v", a)
	}
	for _, forger := range []string{"mallory@example.net/x", "alice@example.org/tablet"} {
		if e := w.next("refusal", isReply(w.session(forger, p.at.Address, jingle.SessionTerminate, sid, ""))); jingle.ParseError(e).Jingle != "unknown-session" {
			t.Errorf("a terminate by %s was answered with %s", forger, e)
		}
	}
	p.do(gateway.Media{Call: id, State: call.MediaConnected})
	p.do(gateway.HangUp{Call: id})
	terminate := w.next("session-terminate", isAction(jingle.SessionTerminate))
	if terminate.Child(jingle.NS, "jingle").Child(jingle.NS, "reason").Child(jingle.NS, "success") == nil {
		t.Errorf("terminated with %s", terminate)
	}
	if e := expect[gateway.Ended](p); e.Reason != string(call.HungUp) || e.Text == "" {
		t.Errorf("ended with %+v", e)
	}
	w.next("presence after the call", isPresence("unavailable", "alice@example.org"))
	wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
	p.refused(gateway.HangUp{Call: id}, gateway.UnknownCall)
}

func TestUserCallsPages(t *testing.T) {
	c, w := newTestComponent(t, nil)
	key := newKey(t)
	p, other := attached(t, c, key, "anna", nil), attached(t, c, key, "anna", nil)
	propose := `<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='s1'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`
	w.receive(propose)
	w.receive(propose) // retransmitted: one call
	w.next("ringing", isMessage(jingle.Ringing))
	id := expect[gateway.Incoming](p).Call
	if in := expect[gateway.Incoming](other); in.From != "alice@example.org" || in.Media[0] != "audio" {
		t.Errorf("the other page rings with %+v", in)
	}
	if c.Stats().Calls != 1 {
		t.Errorf("%d calls", c.Stats().Calls)
	}
	if f, err := p.session.Handle(gateway.Request{ID: "7", Event: gateway.Accept{Call: id}}); f != gateway.Later || err != nil {
		t.Fatalf("accept gave %v, %v", f, err)
	}
	answered := <-p.frames
	if b, _ := gateway.Encode(answered); !strings.HasPrefix(string(b), `{"event":"admitted","id":7,`) {
		t.Errorf("accept was answered with %s", b)
	}
	if e := expect[gateway.Ended](other); e.Reason != string(call.AnsweredElsewhere) {
		t.Errorf("the other page ended with %+v", e)
	}
	proceed := w.next("proceed", isMessage(jingle.Proceed))
	if proceed.Attr("from") != p.at.Address || proceed.Attr("to") != alice {
		t.Errorf("proceed from %s to %s", proceed.Attr("from"), proceed.Attr("to"))
	}
	w.next("result", isReply(w.session(alice, p.at.Address, jingle.SessionInitiate, "s1", contentsOf(t, "offer"))))
	offer := expect[gateway.Offer](p)
	if !strings.Contains(offer.SDP.SDP, "m=audio") {
		t.Errorf("the page was offered %q", offer.SDP.SDP)
	}
	p.do(gateway.Answer{Call: id, SDP: gateway.Description{Type: "answer", SDP: recordedSDP(t, "answer")}})
	w.result(w.next("session-accept", isAction(jingle.SessionAccept)))
	w.next("result", isReply(w.session(alice, p.at.Address, jingle.SessionTerminate, "s1", `<reason><success/></reason>`)))
	if e := expect[gateway.Ended](p); e.Reason != string(call.PeerHungUp) {
		t.Errorf("ended with %+v", e)
	}
}

// A page in a call is rung, too, when no other page of its address is free; one in two calls is busy.
func TestCallWaiting(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	ring := func(from, sid string) {
		w.receive(`<message type='chat' from='` + from + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='` + sid + `'>
			<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
	}
	first, _ := place(p, w, "alice@example.org")
	ring("bob@example.org/phone", "s2")
	second := expect[gateway.Incoming](p)
	if second.From != "bob@example.org" || second.Call == first {
		t.Fatalf("the page is rung by %+v", second)
	}
	p.do(gateway.Accept{Call: second.Call})
	w.next("proceed", isMessage(jingle.Proceed))
	if a := expect[gateway.Admitted](p); a.Call != second.Call {
		t.Errorf("admitted to %s", a.Call)
	}
	ring("carla@example.org/phone", "s3")
	if e := w.next("reject", isMessage(jingle.Reject)); !strings.Contains(e.String(), "busy") {
		t.Errorf("a page in two calls said %s", e)
	}
	p.do(gateway.HangUp{Call: first})
	if e := expect[gateway.Ended](p); e.Call != first {
		t.Errorf("%s ended in place of %s", e.Call, first)
	}
}

func TestDirectSession(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	for to, want := range map[string]string{p.at.Bare: "service-unavailable", p.at.Bare + "/gone": "service-unavailable"} {
		if e := w.next("refusal", isReply(w.session(alice, to, jingle.SessionInitiate, "s0", contentsOf(t, "offer")))); jingle.ParseError(e).Condition != want {
			t.Errorf("session-initiate to %s was answered with %s", to, e)
		}
	}
	w.next("result", isReply(w.session(alice, p.at.Address, jingle.SessionInitiate, "s1", contentsOf(t, "offer"))))
	in := expect[gateway.Incoming](p)
	p.do(gateway.Decline{Call: in.Call})
	terminate := w.next("session-terminate", isAction(jingle.SessionTerminate))
	if terminate.Child(jingle.NS, "jingle").Child(jingle.NS, "reason").Child(jingle.NS, "decline") == nil {
		t.Errorf("declined with %s", terminate)
	}
}

func TestPolicyOfCalls(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	if e := p.refused(gateway.Dial{To: "alice@elsewhere.example"}, gateway.NotAllowed); !strings.Contains(e.Description, "guests.may_call") {
		t.Errorf("the key is not named: %s", e.Description)
	}
	for _, bad := range []string{"", "example.org", "a b@example.org", "@example.org", p.at.Bare} {
		p.refused(gateway.Dial{To: bad}, gateway.BadAddress)
	}
	id, sid := place(p, w, "alice@example.org")
	second := attached(t, c, newKey(t), "berta", nil)
	second.refused(gateway.Dial{To: "alice@example.org/tablet"}, gateway.TooMany) // one guest rings a callee at a time
	second.do(gateway.Dial{To: "carol@example.org"})
	second.refused(gateway.Dial{To: "dora@example.org"}, gateway.TooMany) // two from one network address
	w.jmi(alice, p.at.Address, jingle.Reject, sid)
	if e := expect[gateway.Ended](p); e.Call != id || e.Reason != string(call.PeerDeclined) {
		t.Errorf("ended with %+v", e)
	}
	wait(t, "the call's end", func() bool { return c.Stats().Calls == 1 })
	p.refused(gateway.Dial{To: "alice@example.org"}, gateway.CoolDown)
	second.refused(gateway.Dial{To: "alice@example.org"}, gateway.CoolDown)

	closed, _ := newTestComponent(t, func(cfg *Config) { cfg.MayCall = nil })
	q := attached(t, closed, newKey(t), "anna", nil)
	if e := q.refused(gateway.Dial{To: "alice@example.org"}, gateway.NotAllowed); q.at.MayCall || !strings.Contains(e.Description, "anybody") {
		t.Errorf("with no policy: %+v, %s", q.at, e.Description)
	}
}

func TestRelayCredentialsComeWithAdmissionOnly(t *testing.T) {
	c, w := newTestComponent(t, func(cfg *Config) {
		cfg.TURN = TURN{URLs: []string{"turn:turn.example.org"}, Secret: "north", RelayOnly: true}
	})
	p := attached(t, c, newKey(t), "anna", nil)
	p.refused(gateway.Dial{To: "alice@elsewhere.example"}, gateway.NotAllowed)
	p.do(gateway.Dial{To: "alice@example.org"})
	a := expect[gateway.Admitted](p)
	if len(a.ICEServers) != 1 || !a.RelayOnly || a.Expires < 590 || a.Expires > 600 {
		t.Fatalf("admitted with %+v", a)
	}
	if s := a.ICEServers[0]; !strings.HasSuffix(s.Username, ":"+a.Call) || s.Credential == "" {
		t.Errorf("credentials %+v are not of call %s", s, a.Call)
	}
	// A page that rings gets none before it has accepted.
	q := attached(t, c, newKey(t), "berta", nil)
	w.receive(`<message type='chat' from='bob@example.org/x' to='` + q.at.Bare + `' id='m'>
		<propose xmlns='urn:xmpp:jingle-message:0' id='s9'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
	w.next("ringing", isMessage(jingle.Ringing))
	in, ok := (<-q.frames).(gateway.Incoming)
	if !ok || len(q.frames) > 0 {
		t.Fatalf("a ringing page got %+v and %d more frames", in, len(q.frames))
	}
	q.do(gateway.Accept{Call: in.Call})
	if a := expect[gateway.Admitted](q); len(a.ICEServers) != 1 || !strings.HasSuffix(a.ICEServers[0].Username, ":"+in.Call) {
		t.Errorf("accepting gave %+v", a)
	}
}

// The vector was made with OpenSSL: printf 1893456600:abc | openssl dgst -sha1 -hmac north -binary | base64
func TestRelayCredentials(t *testing.T) {
	server, expires := TURN{URLs: []string{"turn:x"}, Secret: "north"}.credentials("abc", time.Unix(1893456000, 0))
	if server.Username != "1893456600:abc" || server.Credential != "frFUjHEwc/ZtwFoiZT0885r5sOU=" || expires.Unix() != 1893456600 {
		t.Errorf("got %+v until %d", server, expires.Unix())
	}
}

func TestPageCallsPage(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p, q := attached(t, c, newKey(t), "anna", nil), attached(t, c, newKey(t), "berta", nil)
	p.refused(gateway.Dial{To: "nobody-aaaaaaaaaaaaaaaa@call.example.org"}, gateway.NotNow)
	p.do(gateway.Dial{To: q.at.Bare})
	id := expect[gateway.Admitted](p).Call
	p.do(gateway.Offer{Call: id, SDP: gateway.Description{Type: "offer", SDP: recordedSDP(t, "offer") + "a=private:kept\r\n"}})
	in := expect[gateway.Incoming](q)
	q.do(gateway.Accept{Call: in.Call})
	if o := expect[gateway.Offer](q); !strings.HasSuffix(o.SDP.SDP, "a=private:kept\r\n") {
		t.Errorf("the offer was changed on its way: %q", o.SDP.SDP)
	}
	q.do(gateway.Answer{Call: in.Call, SDP: gateway.Description{Type: "answer", SDP: recordedSDP(t, "answer")}})
	expect[gateway.Answer](p)
	q.do(gateway.HangUp{Call: in.Call})
	if e := expect[gateway.Ended](p); e.Reason != string(call.PeerHungUp) {
		t.Errorf("ended with %+v", e)
	}
	wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
	w.silent("a stanza about a call between two pages", isMessage(jingle.Propose))
}

// A device that has said what it is, is not asked again for each call.
func TestDeviceIsAskedOnce(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	_, sid := place(p, w, "alice@example.org")
	isDisco := func(e *element.Element) bool { return e.Child(nsDiscoInfo, "query") != nil && e.Attr("to") == alice }
	w.receive(`<presence from='` + alice + `' to='` + p.at.Bare + `'><c xmlns='http://jabber.org/protocol/caps' node='https://dino.im' hash='sha-1' ver='x'/></presence>`)
	asked := w.next("disco", isDisco)
	w.receive(`<iq type='result' id='` + asked.Attr("id") + `' from='` + alice + `' to='` + p.at.Address + `'><query xmlns='` + nsDiscoInfo +
		`'><identity category='client' type='pc' name='Dino'/><feature var='urn:xmpp:jingle:1'/></query></iq>`)
	wait(t, "the answer", func() bool { return c.Stats().Devices == 1 })
	w.jmi(alice, p.at.Address, jingle.Proceed, sid)
	w.result(w.next("session-initiate", func(e *element.Element) bool {
		if isDisco(e) {
			t.Error("the device was asked again")
		}
		return isAction(jingle.SessionInitiate)(e)
	}))
	w.silent("a second disco", isDisco)
}

func TestShutdownEndsCallsInGoodOrder(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	place(p, w, "alice@example.org")
	c.shutDown()
	w.next("retract", isMessage(jingle.Retract))
	if e := expect[gateway.Ended](p); e.Reason != string(call.ShuttingDown) {
		t.Errorf("ended with %+v", e)
	}
	p.refused(gateway.Dial{To: "bob@example.org"}, gateway.LinkDown)
}

// A candidate belongs to the credentials that the page names beside it, as it has to for Firefox: one of a restart that the peer does not know
// yet waits.
func TestCandidateOfAnotherGeneration(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	id := connectedCall(t, p, w)
	p.do(gateway.ICECandidate{Call: id, Candidate: "candidate:1 1 udp 1 192.0.2.1 1111 typ host", Line: 0, Ufrag: "later"})
	p.do(gateway.ICECandidate{Call: id, Candidate: "candidate:1 1 udp 1 192.0.2.1 2222 typ host", Line: 0})
	for {
		info := w.next("transport-info", isAction(jingle.TransportInfo)).String()
		if strings.Contains(info, "1111") {
			t.Fatalf("a candidate went with credentials that are not its own: %s", info)
		}
		if strings.Contains(info, "2222") {
			return
		}
	}
}

// A page that talks without end about a call whose peer answers nothing takes only so many of the requests that all calls share.
func TestRequestFlood(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	id := connectedCall(t, p, w)
	var r *runner
	c.mu.Lock()
	for r = range c.runners {
	}
	c.mu.Unlock()
	handled := func() bool {
		for len(w.sent) > 0 {
			<-w.sent
		}
		return len(r.inbox) == 0
	}
	for range 4 * maxRequests {
		p.do(gateway.SessionInfo{Call: id, Info: jingle.InfoHold})
		wait(t, "the handling of a frame", handled)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.pending); n < 10 || n > maxRequests {
		t.Errorf("%d requests wait for their answers", n)
	}
}
