package main

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"sort"
	"strings"
	"testing"
	"time"

	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	echoAddress   = "echo@xmpp.test/x"
	callerAddress = "alice@xmpp.test/y"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// wire is an account without a server: what it sends comes out of the channel.
func wire(t *testing.T) (*account, <-chan *element.Element) {
	t.Helper()
	m, err := newMedia(nil, true, quiet())
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan *element.Element, 1000)
	a := newAccount(echoAddress, func(text []byte) error {
		sent <- delivered(t, text, echoAddress)
		return nil
	}, m, quiet())
	t.Cleanup(a.close)
	return a, sent
}

// delivered is a stanza as it arrives: read, stamped with its sender.
func delivered(t *testing.T, text []byte, from string) *element.Element {
	read, err := element.ParseIn(text, element.Scope{"": nsClient}, element.Limits{})
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return element.New(nsClient, "broken")
	}
	return read.SetAttr("from", from)
}

func stanza(t *testing.T, text string) *element.Element {
	t.Helper()
	e, err := element.ParseIn([]byte(text), element.Scope{"": nsClient}, element.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

// next is the next stanza sent, within reason.
func next(t *testing.T, sent <-chan *element.Element) *element.Element {
	t.Helper()
	select {
	case e := <-sent:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was sent")
		return nil
	}
}

func TestAnswers(t *testing.T) {
	const iq = "<iq from='a@b/c' id='1' type='%s'>%s</iq>"
	get := func(payload string) string { return fmt.Sprintf(iq, "get", payload) }
	set := func(payload string) string { return fmt.Sprintf(iq, "set", payload) }
	for name, row := range map[string]struct{ in, want string }{
		"ping":         {get("<ping xmlns='urn:xmpp:ping'/>"), "type='result' id='1' to='a@b/c'"},
		"version":      {get("<query xmlns='jabber:iq:version'/>"), "<name>jingle-echo</name>"},
		"items":        {get("<query xmlns='http://jabber.org/protocol/disco#items'/>"), "disco#items'/></iq>"},
		"unknown node": {get("<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>"), "<item-not-found"},
		"unknown get":  {get("<query xmlns='jabber:iq:last'/>"), "<service-unavailable"},
		"unknown set":  {set("<query xmlns='jabber:iq:roster'/>"), "<service-unavailable"},
		"no payload":   {get(""), "<bad-request"},
		"two payloads": {set("<a xmlns='b'/><a xmlns='b'/>"), "<bad-request"},
		"bad jingle":   {set("<jingle xmlns='urn:xmpp:jingle:1'/>"), "<bad-request"},
		"no session":   {set("<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/>"), "<unknown-session"},
		"subscription": {"<presence type='subscribe' from='a@b'/>", "to='a@b' type='subscribed'"},
		"end of it":    {"<presence type='unsubscribe' from='a@b'/>", "to='a@b' type='unsubscribed'"},
	} {
		t.Run(name, func(t *testing.T) {
			a, sent := wire(t)
			a.handle(stanza(t, row.in))
			if got := next(t, sent).String(); !strings.Contains(got, row.want) {
				t.Errorf("answer %s lacks %s", got, row.want)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	a, sent := wire(t)
	propose := "<propose xmlns='urn:xmpp:jingle-message:0' id='s'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>"
	for _, in := range []string{
		"<iq type='result' id='1' from='a@b/c'/>",
		"<iq type='error' id='1' from='a@b/c'/>",
		"<message from='a@b/c'><body>hello</body></message>",
		"<message from='a@b/c' type='error'>" + propose + "</message>",
		"<message from='a@b/c' type='groupchat'>" + propose + "</message>",
		"<message from='" + bare(echoAddress) + "/other'>" + propose + "</message>",
		"<message from='a@b/c'>" + propose + "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/></message>",
		"<message from='a@b/c'><retract xmlns='urn:xmpp:jingle-message:0' id='s'/></message>",
		"<presence from='a@b/c'/>",
		"<presence from='a@b/c' type='error'/>",
	} {
		a.handle(stanza(t, in))
	}
	a.handle(stanza(t, "<iq type='get' id='last' from='a@b/c'><ping xmlns='urn:xmpp:ping'/></iq>"))
	if e := next(t, sent); e.Attr("id") != "last" {
		t.Errorf("answered %s", e)
	}
}

// TestCapsMatchDisco computes the verification string from what disco#info says (XEP-0115 section 5.1).
func TestCapsMatchDisco(t *testing.T) {
	c := available().Children[0]
	node := c.Attr("node") + "#" + c.Attr("ver")
	a, sent := wire(t)
	a.handle(stanza(t, "<iq type='get' id='1' from='a@b/c'><query xmlns='http://jabber.org/protocol/disco#info' node='"+node+"'/></iq>"))
	query := next(t, sent).Children[0]
	if query.Attr("node") != node {
		t.Errorf("node %q, asked for %q", query.Attr("node"), node)
	}
	var found []string
	text := ""
	for _, e := range query.Children {
		if e.Local == "identity" {
			text += e.Attr("category") + "/" + e.Attr("type") + "//" + e.Attr("name") + "<"
			continue
		}
		found = append(found, e.Attr("var"))
	}
	sort.Strings(found)
	sum := sha1.Sum([]byte(text + strings.Join(found, "<") + "<"))
	if want := base64.StdEncoding.EncodeToString(sum[:]); c.Attr("ver") != want {
		t.Errorf("ver %s, want %s", c.Attr("ver"), want)
	}
	for _, f := range []string{
		jingle.NS, jingle.NSMessage, jingle.NSRTP, jingle.NSRTPAudio, jingle.NSRTPVideo, jingle.NSICE, jingle.NSDTLS,
	} {
		if i := sort.SearchStrings(found, f); i == len(found) || found[i] != f {
			t.Errorf("%s is missing: some client shows no call button", f)
		}
	}
}

func proposal(from, sid string) string {
	return "<message type='chat' from='" + from + "'><propose xmlns='urn:xmpp:jingle-message:0' id='" + sid +
		"'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>"
}

func TestProposal(t *testing.T) {
	a, sent := wire(t)
	a.handle(stanza(t, proposal(callerAddress, "s")))
	for _, want := range []string{"ringing", "proceed"} {
		m := next(t, sent)
		if m.Attr("to") != callerAddress || m.Attr("type") != "chat" || m.Child(jingle.NSMessage, want) == nil || m.Child(jingle.NSHints, "store") == nil {
			t.Errorf("sent %s, want %s", m, want)
		}
	}
	a.handle(stanza(t, proposal(callerAddress, "s"))) // a retransmission is the same call
	a.handle(stanza(t, "<message type='chat' from='mallory@xmpp.test/z'><retract xmlns='urn:xmpp:jingle-message:0' id='s'/></message>"))
	a.handle(stanza(t, "<iq type='set' id='1' from='"+callerAddress+"'><jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/></iq>"))
	if e := next(t, sent); !strings.Contains(e.String(), "<out-of-order") {
		t.Errorf("session-info before session-initiate: %s", e)
	}
	a.mu.Lock()
	s := a.calls[callKey{callerAddress, "s"}]
	a.mu.Unlock()
	a.handle(stanza(t, "<message type='chat' from='"+callerAddress+"'><retract xmlns='urn:xmpp:jingle-message:0' id='s'/></message>"))
	select {
	case <-s.ctx.Done():
	case <-time.After(10 * time.Second):
		t.Error("the call outlives retract")
	}
}

const filesOnly = "<content creator='initiator' name='f'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>" +
	"<transport xmlns='urn:xmpp:jingle:transports:ibb:1' sid='i' block-size='4096'/></content>"

func TestTooManyCalls(t *testing.T) {
	a, sent := wire(t)
	for i := range maxCalls {
		a.handle(stanza(t, proposal(callerAddress, fmt.Sprint(i))))
		next(t, sent)
		next(t, sent)
	}
	a.handle(stanza(t, proposal(callerAddress, "more")))
	if m := next(t, sent); m.Child(jingle.NSMessage, "reject") == nil || !strings.Contains(m.String(), "<busy") {
		t.Errorf("one call too many: %s", m)
	}
	a.handle(stanza(t, "<iq type='set' id='1' from='"+callerAddress+"'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='direct'>"+
		filesOnly+"</jingle></iq>"))
	if e := next(t, sent); e.Attr("type") != "result" {
		t.Errorf("one call too many: %s", e)
	}
	if e := next(t, sent); !strings.Contains(e.String(), "session-terminate") || !strings.Contains(e.String(), "<busy") {
		t.Errorf("one call too many: %s", e)
	}
}

func TestOffersThatCannotBeAnswered(t *testing.T) {
	content := "<content creator='initiator' name='0'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" +
		"<payload-type id='111' name='%s' clockrate='48000' channels='2'/><rtcp-mux/></description>" +
		"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='ufra' pwd='passwordpasswordpassword'>%s</transport></content>"
	dtls := "<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='actpass'>" +
		strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + "</fingerprint>"
	for name, row := range map[string]struct{ contents, want string }{
		"no media":          {filesOnly, "<unsupported-applications"},
		"no encryption":     {fmt.Sprintf(content, "opus", ""), "<security-error"},
		"no codec we have":  {fmt.Sprintf(content, "nonsense", dtls), "<unsupported-applications"},
		"no such transport": {strings.Replace(fmt.Sprintf(content, "opus", dtls), "ice-udp:1", "raw-udp:1", 1), "<unsupported-applications"},
	} {
		t.Run(name, func(t *testing.T) {
			a, sent := wire(t)
			a.handle(stanza(t, "<iq type='set' id='1' from='"+callerAddress+"'><jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'>"+
				row.contents+"</jingle></iq>"))
			if e := next(t, sent); e.Attr("type") != "result" || e.Attr("id") != "1" {
				t.Errorf("answer %s", e)
			}
			if e := next(t, sent).String(); !strings.Contains(e, "session-terminate") || !strings.Contains(e, row.want) {
				t.Errorf("sent %s, want session-terminate with %s", e, row.want)
			}
		})
	}
}
