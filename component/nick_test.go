package component

import (
	"strings"
	"testing"
	"unicode/utf8"

	"carillon/component/gateway"
	"carillon/jingle"
	"carillon/jingle/element"
)

func TestCleanName(t *testing.T) {
	for given, want := range map[string]string{
		"Anna":                             "Anna",
		"  Anna \t\r\n  Berg\n":            "Anna Berg",
		"\u202eannA\u202c":                 "annA",
		"a\u2066b\u2069\u200fc":            "abc",
		"a\x00\x1b[31mb\u0085":             "a[31mb",
		"\u00a0\u3000":                     "",
		"\u200d\u200c\u3164":               "",
		"me\u0301re":                       "me\u0301re",
		"a\u0300\u0301\u0302\u0303\u0304b": "a\u0300\u0301\u0302b",
		"\u0301":                           "",
		"👩‍💻 Ada":                          "👩‍💻 Ada",
		"نمی\u200cدانم":                    "نمی\u200cدانم",
		"Ægir Þórsson":                     "Ægir Þórsson",
		"\ue000\ufeffX\U000e0041":          "X",
		"broken \xff\xfe":                  "broken",
		strings.Repeat("é", 200):           strings.Repeat("é", maxNick),
	} {
		if got := cleanName(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
	if got := nickIn(element.New("", "message").Append(nickElement("boss@example.org"))); got != "" {
		t.Errorf("an address passes for the name %q", got)
	}
}

func FuzzCleanName(f *testing.F) {
	f.Add("Anna\u202e B\u0301")
	f.Fuzz(func(t *testing.T, s string) {
		name := cleanName(s)
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxNick || strings.ContainsAny(name, "\n\r\t\u202e\u2066\u200f") || cleanName(name) != name {
			t.Errorf("%q becomes %q, then %q", s, name, cleanName(name))
		}
	})
}

// A guest is called what it has typed, wherever others are told: the address has it in lower case.
func TestGuestIsCalledWhatItTyped(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "AnnA", nil)
	named := func(e *element.Element) string {
		if nick := e.Child(nsNick, "nick"); nick != nil {
			return nick.Text
		}
		return ""
	}
	const want = "AnnA (guest)"
	p.do(gateway.Tell{To: "alice@example.org"})
	for _, kind := range []string{"subscribe", ""} {
		if e := w.next("presence", isPresence(kind, "alice@example.org")); named(e) != want {
			t.Errorf("presence of type %q says %q", kind, named(e))
		}
	}
	p.do(gateway.Text{To: "bob@example.org", Body: "first"})
	p.do(gateway.Text{To: "bob@example.org", Body: "second"})
	if first, second := w.next("text", isText), w.next("text", isText); named(first) != want || named(second) != "" {
		t.Errorf("the first text says %q, the second %q", named(first), named(second))
	}
	id, _ := place(p, w, "alice@example.org")
	p.do(gateway.HangUp{Call: id})
	if e := w.next("retract", isMessage(jingle.Retract)); named(e) != "" {
		t.Errorf("a retract says %q", named(e))
	}
	w.receive(`<iq type='get' id='v' from='` + stranger + `' to='` + p.at.Bare + `'><vCard xmlns='vcard-temp'/></iq>`)
	if card := w.next("vCard", isReply("v")).String(); !strings.Contains(card, "<FN>"+want) || !strings.Contains(card, "<NICKNAME>"+want) {
		t.Errorf("the card is %s", card)
	}
}

func TestProposeSaysWhoCalls(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "AnnA", nil)
	p.do(gateway.Dial{To: "alice@example.org"})
	p.do(gateway.Offer{Call: expect[gateway.Admitted](p).Call, SDP: gateway.Description{Type: "offer", SDP: recordedSDP(t, "offer")}})
	propose := w.next("propose", isMessage(jingle.Propose))
	if nick := propose.Child(nsNick, "nick"); nick == nil || nick.Text != "AnnA (guest)" {
		t.Errorf("proposed by %s", propose)
	}
}

// The page is handed what callers and writers say to be called, cleaned, beside their address and never in its place.
func TestPageIsToldNames(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p, q := attached(t, c, newKey(t), "anna", nil), attached(t, c, newKey(t), "Berta", nil)
	const nick = "<nick xmlns='http://jabber.org/protocol/nick'>\u202eAlice &lt;b&gt;</nick>"
	w.receive(`<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='s1'>
		<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>` + nick + `</message>`)
	if in := expect[gateway.Incoming](p); in.Name != "Alice <b>" || in.From != "alice@example.org" {
		t.Errorf("rung by %+v", in)
	}
	w.receive(`<message type='chat' id='t' from='` + stranger + `' to='` + p.at.Bare + `'><body>hi</body>` + nick + `</message>`)
	if text := expect[gateway.Text](p); text.Name != "Alice <b>" || text.From != mustJID(t, stranger).Bare().String() {
		t.Errorf("written to by %+v", text)
	}
	w.receive(`<presence type='subscribe' from='carol@example.org' to='` + p.at.Bare + `'>` + nick + `</presence>`)
	if asks := expect[gateway.Contact](p); asks.Name != "Alice <b>" || asks.Address != "carol@example.org" {
		t.Errorf("asked by %+v", asks)
	}
	if approved := p.do(gateway.Approve{Address: "carol@example.org"}).(gateway.Contact); approved.Name != "Alice <b>" {
		t.Errorf("approved %+v", approved)
	}
	q.do(gateway.Text{To: p.at.Bare, Body: "hello"})
	if text := expect[gateway.Text](p); text.Name != "Berta (guest)" || text.From != q.at.Bare {
		t.Errorf("written to by the page %+v", text)
	}
	q.do(gateway.Dial{To: p.at.Bare})
	q.do(gateway.Offer{Call: expect[gateway.Admitted](q).Call, SDP: gateway.Description{Type: "offer", SDP: recordedSDP(t, "offer")}})
	if in := expect[gateway.Incoming](p); in.Name != "Berta (guest)" || in.From != q.at.Bare {
		t.Errorf("rung by the page %+v", in)
	}
}
