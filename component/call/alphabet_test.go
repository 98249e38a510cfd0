package call

import (
	"path/filepath"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
)

// alphabet is what inputs are made of.
type alphabet struct {
	tabs, peers []jid.JID
	sdp         []string
	stanzas     []jingle.Stanza
	candidates  []string
}

func newAlphabet(t *testing.T) *alphabet {
	r := newReplay(t)
	a := &alphabet{
		tabs:  r.jids([]string{"anna@call.example.org/w1", "anna@call.example.org/w2", "anna@call.example.org", "ben@call.example.org/w1", "ben@call.example.org/w2"}),
		peers: r.jids([]string{"bob@example.org/phone", "bob@example.org/phone", "bob@example.org/desk", "bob@example.org", "eve@example.net/x"}),
	}
	for _, f := range []string{"@page/offer.audio.sdp", "@page/offer.audio-video.sdp", "@page/answer.audio.sdp", "@page/answer.audio-video.sdp", "@page/offer.data.sdp"} {
		a.sdp = append(a.sdp, string(r.read(f)))
	}
	for _, side := range []string{"calling", "called"} {
		files, _ := filepath.Glob(filepath.Join(transcripts, "page", side, "*.sdp"))
		for _, f := range files {
			a.sdp = append(a.sdp, string(r.read("@page/"+side+"/"+filepath.Base(f))))
		}
	}
	a.sdp = append(a.sdp, "", "rubbish")
	for _, f := range []string{"@conversations-2.19/session-initiate.xml", "@conversations-2.19/session-accept.xml", "@conversations-2.19/session-accept.video.xml", "@faulty/accept.unencrypted.xml", "@faulty/initiate.no-rtp.xml"} {
		a.stanzas = append(a.stanzas, r.jingle([]string{f}))
	}
	for _, f := range []string{"session-initiate", "session-accept", "session-terminate", "session-info", "content-add", "content-modify", "content-accept", "transport-replace", "rubbish", "session-terminate A1 busy", "session-info A1 ringing", "session-info A1 mute 0", "session-info A1 hold", "transport-info A1 0 cV3r candidate:1 1 udp 1 192.0.2.1 9 typ host", "transport-info A1 1 x candidate:1 2 udp 1 192.0.2.1 9 typ host"} {
		a.stanzas = append(a.stanzas, r.jingle(strings.Fields(f + " A1")[:max(2, len(strings.Fields(f)))]))
	}
	for _, f := range []string{
		"content-add A1 9 video", "content-remove A1 9", "content-remove A1 0", "content-remove A1 1", "transport-replace A1 0", "content-modify A1 0 both",
		"content-modify A1 0 none", "content-modify A1 1 initiator", "content-modify A1 1 both", "content-modify A1 9 both",
	} {
		a.stanzas = append(a.stanzas, r.jingle(strings.Fields(f)))
	}
	a.stanzas = append(a.stanzas, changingStanzas(r)...)
	a.candidates = []string{"", "rubbish", "candidate:1 1 udp 1 192.0.2.1 9 typ host", "candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag pgO1",
		"candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag old", "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active", "candidate:1 1 udp 1 a.local 9 typ host"}
	return a
}

// changingStanzas returns the actions of the transcripts that change a call.
func changingStanzas(r *replay) []jingle.Stanza {
	var list []jingle.Stanza
	for _, pattern := range []string{"conversations-2.19/content-*.xml", "conversations-2.19/transport-info*.xml", "movim-0.34/*.xml", "siskin-7.4/content-*.xml", "faulty/*.xml", "mystery/*.xml"} {
		files, _ := filepath.Glob(filepath.Join(transcripts, filepath.FromSlash(pattern)))
		for _, f := range files {
			name, _ := filepath.Rel(transcripts, f)
			list = append(list, r.jingle([]string{"@" + filepath.ToSlash(name)}))
		}
	}
	for _, action := range []jingle.Action{jingle.DescriptionInfo, jingle.SourceAdd, jingle.SourceRemove, jingle.TransportAccept, jingle.TransportReject, jingle.ContentAccept, jingle.SecurityInfo} {
		j := r.jingle([]string{"@siskin-7.4/content-accept.xml"})
		j.Action = action
		list = append(list, j)
	}
	return list
}
