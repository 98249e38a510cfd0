package jingle

import (
	"errors"
	"reflect"
	"strings"
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
	{`<finish xmlns='urn:xmpp:jingle-message:0' id='a1'><reason xmlns='urn:xmpp:jingle:1'><expired/></reason><migrated to='a2'/></finish>`,
		Message{Kind: Finish, ID: "a1", Reason: &Reason{Condition: Expired}, Migrated: "a2"}},
	{`<propose xmlns='urn:xmpp:jingle-message:0' id='a1'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/></propose>`,
		Message{Kind: Propose, ID: "a1", Others: []string{"urn:xmpp:jingle:apps:file-transfer:5"}}},
}

var invites = []struct {
	xml  string
	want Invite
}{
	{`<invite xmlns='urn:xmpp:call-invites:0' video='true'><jingle sid='sid1'/></invite>`,
		Invite{Kind: InviteOffer, Audio: true, Video: true, Jingle: []JingleCall{{SID: "sid1"}}}},
	{`<invite xmlns='urn:xmpp:call-invites:0' id='c1' audio='false'><jingle sid='sid2' jid='mixer@example.com/uuid'/><external uri='https://example.com/uuid'/><external uri='tel:+12345678'/></invite>`,
		Invite{Kind: InviteOffer, ID: "c1", Jingle: []JingleCall{{"sid2", "mixer@example.com/uuid"}}, External: []string{"https://example.com/uuid", "tel:+12345678"}}},
	{`<invite xmlns='urn:xmpp:call-invites:0'><muji xmlns='urn:xmpp:jingle:muji:0' room='room@conference.example.com'/></invite>`,
		Invite{Kind: InviteOffer, Audio: true, Muji: &Muji{Room: "room@conference.example.com"}}},
	{`<accept xmlns='urn:xmpp:call-invites:0' id='id1'><jingle sid='sid1' jid='mixer@example.com/uuid'/></accept>`,
		Invite{Kind: InviteAccept, ID: "id1", Jingle: []JingleCall{{"sid1", "mixer@example.com/uuid"}}}},
	{`<retract xmlns='urn:xmpp:call-invites:0' id='id1'/>`, Invite{Kind: InviteRetract, ID: "id1"}},
	{`<reject xmlns='urn:xmpp:call-invites:0' id='id1'/>`, Invite{Kind: InviteReject, ID: "id1"}},
	{`<left xmlns='urn:xmpp:call-invites:0' id='id1'/>`, Invite{Kind: InviteLeft, ID: "id1"}},
}

func TestInvite(t *testing.T) {
	for _, i := range invites {
		got, ok, err := ParseInvite(mustParse(t, i.xml))
		if !ok || err != nil || !reflect.DeepEqual(got, i.want) {
			t.Errorf("%s is read as %+v, %v, %v", i.xml, got, ok, err)
		}
		if s := string(i.want.AppendTo(nil, "")); s != i.xml {
			t.Errorf("%+v is written as %s", i.want, s)
		}
	}
	for _, s := range []string{
		`<accept xmlns='urn:xmpp:call-invites:0'/>`, `<invite xmlns='urn:xmpp:call-invites:0'><jingle/></invite>`,
		`<invite xmlns='urn:xmpp:call-invites:0'>` + strings.Repeat(`<external uri='tel:1'/>`, maxWays+1) + `</invite>`,
	} {
		if _, ok, err := ParseInvite(mustParse(t, s)); !ok || !errors.Is(err, ErrBadRequest) {
			t.Errorf("%s: %v, %v", s, ok, err)
		}
	}
	for _, s := range []string{`<dance xmlns='urn:xmpp:call-invites:0' id='1'/>`, `<invite xmlns='urn:example' id='1'/>`} {
		if _, ok, err := ParseInvite(mustParse(t, s)); ok || err != nil {
			t.Errorf("%s: %v, %v", s, ok, err)
		}
	}
}

// Dino writes each invite twice; the older form does not hide the newer, and where there is message initiation it is that which counts.
func TestInviteIn(t *testing.T) {
	const draft = `<propose xmlns='urn:xmpp:call-message:1' id='old' video='false'><jingle sid='s'/></propose>`
	const invite = `<invite xmlns='urn:xmpp:call-invites:0' id='new'><jingle sid='s'/></invite>`
	for body, want := range map[string]string{
		draft + invite: "new", invite + draft: "new", draft: "old", `<body>hi</body>`: "",
		invite + `<propose xmlns='urn:xmpp:jingle-message:0' id='s'/>`: "",
	} {
		i, err := InviteIn(mustParse(t, `<message xmlns='jabber:component:accept'>`+body+`</message>`))
		switch {
		case err != nil:
			t.Errorf("%s: %v", body, err)
		case i == nil && want != "", i != nil && i.ID != want:
			t.Errorf("%s: %+v, want %q", body, i, want)
		}
	}
	if i, err := InviteIn(nil); i != nil || err != nil {
		t.Error("nil stanza")
	}
}

func TestMuji(t *testing.T) {
	const xml = `<presence xmlns='jabber:component:accept'><muji xmlns='urn:xmpp:jingle:muji:0'>` +
		`<content creator='initiator' name='voice'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type id='97' name='speex' clockrate='8000'/></description></content>` +
		`<preparing/></muji></presence>`
	m := MujiIn(mustParse(t, xml))
	want := &Muji{Preparing: true, Contents: []Content{{Name: "voice", Senders: SendersBoth,
		RTP: &RTP{Media: "audio", PayloadTypes: []PayloadType{{ID: 97, Name: "speex", ClockRate: 8000}}}}}}
	if !reflect.DeepEqual(m, want) {
		t.Fatalf("%+v", m)
	}
	if again := MujiIn(mustParse(t, `<presence>`+string(m.AppendTo(nil, ""))+`</presence>`)); !reflect.DeepEqual(again, want) {
		t.Errorf("reread %+v", again)
	}
	if m := MujiIn(mustParse(t, `<presence><muji xmlns='urn:xmpp:jingle:muji:0'>`+strings.Repeat(`<content name='a'/>`, maxContents+1)+`</muji></presence>`)); m != nil {
		t.Error("more contents than a stanza may have")
	}
	if MujiIn(nil) != nil || MujiIn(mustParse(t, `<presence/>`)) != nil {
		t.Error("no conference")
	}
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
	for _, e := range []*Error{ErrUnknownSession, ErrOutOfOrder, ErrTieBreak, ErrUnsupportedInfo, ErrNotImplemented, ErrBadRequest.because("no sid"), ErrSecurityRequired,
		ErrUnavailable,
		{Type: "modify", Condition: "not-acceptable", Jingle: InvalidCrypto}, {Type: "modify", Condition: "redirect", Address: "xmpp:voicemail@example.org"}} {
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
		read, err := ParseStanza(mustParse(t, written(s)))
		if err != nil || len(read.Info) != 1 {
			t.Fatal(err, read.Info)
		}
		if got, ok := ParseInfo(read.Info[0]); !ok || got != want {
			t.Errorf("%+v is read as %+v, %v", want, got, ok)
		}
	}
	for xml, want := range map[string]bool{
		`<bridge-session xmlns='http://jitsi.org/protocol/focus' id='b1' ice-restart='true'/>`: true,
		`<bridge-session xmlns='http://jitsi.org/protocol/focus' id='b1'/>`:                    false,
		`<ice-state xmlns='http://jitsi.org/protocol/focus'>failed</ice-state>`:                true,
		`<ice-state xmlns='http://jitsi.org/protocol/focus'>connected</ice-state>`:             false,
		`<ice-state xmlns='urn:example'>failed</ice-state>`:                                    false,
	} {
		s, err := ParseStanza(mustParse(t, `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'>`+xml+`</jingle>`))
		if err != nil || s.WantsRestart() != want {
			t.Errorf("%s: %v, want %v", xml, s.WantsRestart(), want)
		}
	}
	if _, ok := ParseInfo(element.New("urn:example", "mute")); ok {
		t.Error("unknown namespace")
	}
	if _, ok := ParseInfo(element.New(NSRTPInfo, "dance")); ok {
		t.Error("unknown payload")
	}
}
