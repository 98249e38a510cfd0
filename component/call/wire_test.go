package call

import (
	"strings"
	"testing"

	"carillon/jingle"
)

// requestsOf plays a path and returns the XML of the requests that a last line leads to, by action.
func requestsOf(t *testing.T, path, last string) map[jingle.Action]string {
	t.Helper()
	r := newReplay(t)
	r.play(names + path)
	seen := len(r.waiting)
	r.step(last)
	out := map[jingle.Action]string{}
	for _, o := range r.waiting[min(seen, len(r.waiting)):] {
		if s, ok := o.(SendRequest); ok {
			out[s.Jingle.Action] = string(s.AppendTo(nil, ""))
		}
	}
	return out
}

// TestWire looks at what the peer's client gets: what a profile changes is not in the transcripts.
func TestWire(t *testing.T) {
	called := func(client, initiate, media string) string {
		return "call incoming w1\nX> phone anna propose C1 " + media + "\nB> w1 accept\nX> reply #1 client " + client +
			"\nX> phone w1 iq i @" + initiate + "\nB> w1 answer @page/answer." + strings.ReplaceAll(media, " ", "-") + ".sdp\nX> results\nB> w1 media connected\n"
	}
	calling := func(client, media, accept string) string {
		return "call outgoing A1 w1 bob\nB> w1 offer @page/offer." + media + ".sdp\nX> phone w1 proceed A1\nX> reply #2 client " + client +
			"\nX> phone w1 iq a @" + accept + "\nX> results\nB> w1 media connected\n"
	}
	tests := []struct {
		name, path, last string
		action           jingle.Action
		has, lacks       []string
	}{
		{
			"Dino knows the initiator as the only creator", called("Dino", "siskin-7.4/session-initiate.xml", "audio"), "B> w1 offer @page/called/offer.video.sdp",
			jingle.ContentAdd, []string{"creator='initiator' name='1'", "pgA1", "fingerprint"}, []string{"creator='responder'", "<group"},
		},
		{
			"others know ours", called("Siskin", "siskin-7.4/session-initiate.xml", "audio"), "B> w1 offer @page/called/offer.video.sdp",
			jingle.ContentAdd, []string{"creator='responder' name='1'", "<group"}, nil,
		},
		{
			"a screen is told from a face", calling("Siskin", "audio-video", "siskin-7.4/session-accept.video.xml"), "B> w1 offer @page/calling/offer.screen.sdp",
			jingle.ContentAdd, []string{"name='2'", "senders='initiator'", "xmlns='urn:xmpp:jingle:apps:category:0'", "slides"}, nil,
		},
		{
			"Conversations restarts without candidates", calling("Conversations data", "audio", "conversations-2.19/session-accept.xml"), "B> w1 offer @page/calling/offer.restart-candidates.sdp",
			jingle.TransportInfo, []string{"ufrag='pgO2'", "name='0'"}, []string{"<candidate"},
		},
		{
			"Conversations accepts all media of its offer", "call incoming w1\nX> phone anna propose C1 audio video\nB> w1 accept\nX> reply #1 client Conversations data\n" +
				"X> phone w1 iq i @conversations-2.19/session-initiate.xml", "B> w1 answer @page/called/answer.video-rejected.sdp",
			jingle.SessionAccept, []string{"name='0'", "name='1'", "media='video'"}, []string{"senders='both' name='1'"},
		},
		{
			"mute names each content", calling("Dino", "audio-video", "conversations-2.19/session-accept.video.xml"), "B> w1 info mute 1",
			jingle.SessionInfo, []string{"<mute", "name='1'", "creator='initiator'"}, []string{"name='0'"},
		},
	}
	for _, test := range tests {
		xml, ok := requestsOf(t, test.path, test.last)[test.action]
		if !ok {
			t.Errorf("%s: no %s", test.name, test.action)
		}
		for _, s := range test.has {
			if !strings.Contains(xml, s) {
				t.Errorf("%s: no %s in\n%s", test.name, s, xml)
			}
		}
		for _, s := range test.lacks {
			if strings.Contains(xml, s) {
				t.Errorf("%s: %s in\n%s", test.name, s, xml)
			}
		}
	}
}
