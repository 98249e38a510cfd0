package jingle

import (
	"errors"
	"reflect"
	"testing"

	"carillon/jingle/element"
)

func mustParse(t testing.TB, s string) *element.Element {
	t.Helper()
	e, err := element.Parse([]byte(s), element.Limits{})
	if err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return e
}

var messages = []struct {
	xml  string
	want Message
}{
	{`<propose xmlns='urn:xmpp:jingle-message:0' id='a1'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'/></propose>`,
		Message{Kind: Propose, ID: "a1", Media: []string{"audio", "video"}}},
	{`<ringing xmlns='urn:xmpp:jingle-message:0' id='a1'/>`, Message{Kind: Ringing, ID: "a1"}},
	{`<proceed xmlns='urn:xmpp:jingle-message:0' id='a1'/>`, Message{Kind: Proceed, ID: "a1"}},
	{`<accept xmlns='urn:xmpp:jingle-message:0' id='a1'/>`, Message{Kind: Accept, ID: "a1"}},
	{`<retract xmlns='urn:xmpp:jingle-message:0' id='a1'><reason xmlns='urn:xmpp:jingle:1'><cancel/><text>Retracted</text></reason></retract>`,
		Message{Kind: Retract, ID: "a1", Reason: &Reason{Condition: Cancel, Text: "Retracted"}}},
	{`<reject xmlns='urn:xmpp:jingle-message:0' id='a1'><reason xmlns='urn:xmpp:jingle:1'><expired/></reason><tie-break/></reject>`,
		Message{Kind: Reject, ID: "a1", Reason: &Reason{Condition: Expired}, TieBreak: true}},
	{`<finish xmlns='urn:xmpp:jingle-message:0' id='a1'><reason xmlns='urn:xmpp:jingle:1'><success/></reason></finish>`,
		Message{Kind: Finish, ID: "a1", Reason: &Reason{Condition: Success}}},
}

func TestMessage(t *testing.T) {
	for _, m := range messages {
		got, ok, err := ParseMessage(mustParse(t, m.xml))
		if !ok || err != nil || !reflect.DeepEqual(got, m.want) {
			t.Errorf("%s is read as %+v, %v, %v", m.xml, got, ok, err)
		}
		if s := m.want.Element().String(); s != m.xml {
			t.Errorf("%+v is written as %s", m.want, s)
		}
	}
}

func TestMessageIn(t *testing.T) {
	const forwarded = `<message xmlns='jabber:component:accept'><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
		`<message xmlns='jabber:client'><propose xmlns='urn:xmpp:jingle-message:0' id='a1'/></message></forwarded></sent></message>`
	for _, s := range []string{
		`<message xmlns='jabber:component:accept'><body>hi</body></message>`, forwarded,
		`<message xmlns='jabber:component:accept'><propose xmlns='urn:example' id='a1'/><other xmlns='urn:xmpp:jingle-message:0' id='a1'/></message>`,
	} {
		if m, err := MessageIn(mustParse(t, s)); m != nil || err != nil {
			t.Errorf("%s: %+v, %v", s, m, err)
		}
	}
	m, err := MessageIn(mustParse(t, `<message xmlns='jabber:component:accept'><store xmlns='urn:xmpp:hints'/><proceed xmlns='urn:xmpp:jingle-message:0' id='a1'/></message>`))
	if err != nil || m == nil || m.Kind != Proceed {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = MessageIn(mustParse(t, `<message xmlns='jabber:component:accept'><proceed xmlns='urn:xmpp:jingle-message:0'/></message>`))
	if m != nil || !errors.Is(err, ErrBadRequest) {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := MessageIn(nil); m != nil || err != nil {
		t.Error("nil stanza")
	}
}

func TestError(t *testing.T) {
	for _, e := range []*Error{ErrUnknownSession, ErrOutOfOrder, ErrTieBreak, ErrUnsupportedInfo, ErrNotImplemented, ErrBadRequest.because("no sid")} {
		iq := element.New("", "iq", "type", "error").Append(e.Element())
		got := ParseError(mustParse(t, iq.String()))
		if got != *e {
			t.Errorf("%v is read as %v", e, got)
		}
		if !errors.Is(&got, e) || errors.Is(&got, ErrBadRequest) != (e.Condition == "bad-request") {
			t.Errorf("%v: errors.Is", e)
		}
	}
	got := ParseError(mustParse(t, `<iq xmlns='jabber:component:accept' type='error'><jingle xmlns='urn:xmpp:jingle:1'/><error type='cancel'>`+
		`<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><unknown-session xmlns='urn:xmpp:jingle:errors:1'/></error></iq>`))
	if got != *ErrUnknownSession {
		t.Errorf("got %+v", got)
	}
	for _, s := range []string{`<iq/>`, `<iq><error/></iq>`} {
		if got := ParseError(mustParse(t, s)); got.Condition != "undefined-condition" || got.Type != "cancel" {
			t.Errorf("%s: %+v", s, got)
		}
	}
}

func TestInfo(t *testing.T) {
	for _, want := range []Info{
		{Kind: InfoActive}, {Kind: InfoHold}, {Kind: InfoUnhold}, {Kind: InfoRinging}, {Kind: InfoMute},
		{Kind: InfoMute, Name: "0"}, {Kind: InfoUnmute, Name: "video", Creator: Responder},
	} {
		s := Stanza{Action: SessionInfo, SID: "s", Info: []*element.Element{want.Element()}}
		read, err := ParseStanza(mustParse(t, s.Element().String()))
		if err != nil || len(read.Info) != 1 {
			t.Fatal(err, read.Info)
		}
		if got, ok := ParseInfo(read.Info[0]); !ok || got != want {
			t.Errorf("%+v is read as %+v, %v", want, got, ok)
		}
	}
	if _, ok := ParseInfo(element.New("urn:example", "mute")); ok {
		t.Error("unknown namespace")
	}
	if _, ok := ParseInfo(element.New(NSRTPInfo, "dance")); ok {
		t.Error("unknown payload")
	}
}
