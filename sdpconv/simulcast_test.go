package sdpconv

import (
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

// Firefox before 63, and what was made for it, name the streams as a draft of RFC 8853 did.
func TestSimulcastOfTheDraft(t *testing.T) {
	offer := browserSDP(append(audio("0", "actpass"), "a=rid:h send", "a=rid:l send", "a=simulcast: send rid=h;l")...)
	d, _, _, err := FromSDP(offer, jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	if g := d.Contents[0].RTP.SourceGroups; len(g) != 1 || g[0].Semantics != "SIM" || !slices.Equal(g[0].RIDs, []string{"h", "l"}) {
		t.Errorf("%+v", g)
	}
}

// What Jitsi's clients say of simulcast is SDP again: an offer has all that is not restricted, an answer nothing that was not offered.
func TestSimulcastInJitsisForm(t *testing.T) {
	offer := browserSDP(append(audio("0", "actpass"), "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=ice-ufrag:ufra", "a=ice-pwd:0123456789abcdefABCDEFgh",
		"a=fingerprint:sha-256 "+fingerprint, "a=setup:actpass", "a=rtcp-mux", "a=rtpmap:96 VP8/90000", "a=msid:S V",
		"a=rid:h send", "a=rid:m_1 send", "a=rid:l send max-width=320", "a=simulcast:send h;m_1;~l")...)
	d, lines, _, err := FromSDP(offer, jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	jitsi, ok := jingle.ProfileNamed("Jitsi Meet")
	if !ok {
		t.Fatal("no profile")
	}
	s := jingle.Stanza{Action: jingle.SessionInitiate, SID: "s1", Contents: d.Contents, Groups: d.Groups}
	e, err := element.Parse(jitsi.AppendTo(nil, "", s, jingle.Initiator), element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	read, jerr := jingle.ParseStanza(e)
	if jerr != nil {
		t.Fatal(jerr)
	}
	d = jingle.Description{Contents: read.Contents, Groups: read.Groups}
	text, _, losses, err := ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1})
	const want = "\r\na=rid:h send\r\na=rid:m_1 send\r\na=rid:l send\r\na=msid:S V\r\na=simulcast:send h;m_1;l\r\n"
	if err != nil || !strings.Contains(text, want) || lossOf(losses, "a=rid") || lossOf(losses, "a=simulcast") {
		t.Errorf("%v, %v in\n%s", err, losses, text)
	}
	text, _, losses, err = ToSDP(d, jingle.Responder, Answer, lines, Origin{1, 1})
	if err != nil || strings.Contains(text, "a=rid") || strings.Contains(text, "a=simulcast") || !lossOf(losses, "a=rid:m_1 send: "+repairSimulcast) ||
		!lossOf(losses, "a=simulcast:send h;m_1;l: "+repairSimulcast) {
		t.Errorf("answer: %v, %v in\n%s", err, losses, text)
	}
	d.Contents[1].Senders = jingle.SendersResponder
	if text, _, losses, err = ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1}); err != nil || strings.Contains(text, "a=rid") ||
		!lossOf(losses, "a=rid:h send: source of a party that does not send") {
		t.Errorf("receiving: %v, %v in\n%s", err, losses, text)
	}
}
