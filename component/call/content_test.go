package call

import (
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

// active returns an outgoing audio call whose media has connected.
func active(t *testing.T) *replay {
	r := newReplay(t)
	r.play(names + outgoingPaths["active"])
	return r
}

// TestContentReject looks at the stanzas themselves: Conversations ends the call over a stub that lacks what it compares.
func TestContentReject(t *testing.T) {
	tests := []struct{ name, add, want string }{
		{
			"Conversations 2.19",
			string(newReplay(t).read("@conversations-2.19/content-add.xml")),
			`<jingle xmlns='urn:xmpp:jingle:1' action='content-reject' sid='A1'><content creator='initiator' name='1'>` +
				`<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'/><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/></content>` +
				`<reason><failed-application/></reason></jingle>`,
		},
		{
			"two contents, one of another kind",
			`<jingle xmlns='urn:xmpp:jingle:1' action='content-add' sid='A1'>` +
				`<content creator='responder' name='v' senders='responder'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'><payload-type id='96' name='VP8'/></description>` +
				`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='a' pwd='b'/></content>` +
				`<content creator='responder' name='f'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file/></description>` +
				`<transport xmlns='urn:xmpp:jingle:transports:ibb:1' sid='x' block-size='4096'/><security xmlns='x'/></content></jingle>`,
			`<jingle xmlns='urn:xmpp:jingle:1' action='content-reject' sid='A1'><content creator='responder' name='v' senders='responder'>` +
				`<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'/><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/></content>` +
				`<content creator='responder' name='f'><description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>` +
				`<transport xmlns='urn:xmpp:jingle:transports:ibb:1'/></content><reason><failed-application/></reason></jingle>`,
		},
	}
	for _, test := range tests {
		r := active(t)
		e, err := element.Parse([]byte(test.add), element.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		in := PeerRequest{From: r.jid("phone"), To: r.jid("w1"), ID: "q", Jingle: r.parse(e)}
		out := r.machine.Handle(r.clock(), in)
		if len(out) != 2 {
			t.Errorf("%s: %v", test.name, out)
			continue
		}
		if a, ok := out[0].(Answer); !ok || a.Err != nil {
			t.Errorf("%s: answered %v", test.name, out[0])
		}
		if got := out[1].(SendRequest).Jingle.Element().String(); got != test.want {
			t.Errorf("%s: got\n%s, want\n%s", test.name, got, test.want)
		}
	}
}

// TestRemovedContentsLeaveOutputsAlone removes a content after the session-initiate with it was handed out.
func TestRemovedContentsLeaveOutputsAlone(t *testing.T) {
	r := newReplay(t)
	r.play(names + outgoingPaths["proposed"])
	proceed := PeerMessage{From: r.jid("phone"), To: r.jid("w1"), Message: jingle.Message{Kind: jingle.Proceed, ID: "A1"}}
	var initiate SendRequest
	for _, o := range r.machine.Handle(r.clock(), proceed) {
		if s, ok := o.(SendRequest); ok {
			initiate = s
		}
	}
	before := initiate.Jingle.Element().String()
	r.play("X> phone w1 iq q content-remove A1 0")
	if after := initiate.Jingle.Element().String(); after != before {
		t.Errorf("it became\n%s", after)
	}
}
