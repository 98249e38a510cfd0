package sdpconv

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"carillon/jingle"
)

// offerAV is a browser's offer of audio and video, bundled, and its lines.
func offerAV(t testing.TB) (string, Lines) {
	t.Helper()
	sdp := browserSDP(append(append([]string{"a=group:BUNDLE 0 1"}, audio("0", "actpass", "a=extmap:2 urn:example:ext")...),
		"m=video 9 UDP/TLS/RTP/SAVPF 96 97 98", "c=IN IP4 0.0.0.0", "a=mid:1", "a=ice-ufrag:ufra", "a=ice-pwd:0123456789abcdefABCDEFgh",
		"a=fingerprint:sha-256 "+fingerprint, "a=setup:actpass", "a=rtcp-mux",
		"a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtpmap:98 H264/90000")...)
	_, lines, _, err := FromSDP(sdp, jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sdp, lines
}

func transport(setup jingle.Setup) *jingle.Transport {
	return &jingle.Transport{Ufrag: "peer", Pwd: "0123456789abcdefABCDEFgh", Fingerprints: []jingle.Fingerprint{{Hash: "sha-256", Setup: setup, Value: fingerprint}}}
}

func opus(name string) jingle.Content {
	return jingle.Content{Name: name, ICE: transport("active"), RTP: &jingle.RTP{Media: "audio", RTCPMux: true,
		PayloadTypes: []jingle.PayloadType{{ID: 111, Name: "opus", ClockRate: 48000, Channels: 2}}}}
}

func vp8(name string) jingle.Content {
	return jingle.Content{Name: name, ICE: transport("active"), RTP: &jingle.RTP{Media: "video", RTCPMux: true,
		PayloadTypes: []jingle.PayloadType{{ID: 96, Name: "VP8", ClockRate: 90000}}}}
}

func lossOf(losses []Loss, reason string) bool {
	for _, l := range losses {
		if strings.Contains(l.Line+": "+l.Reason, reason) {
			return true
		}
	}
	return false
}

// An answer has the offer's lines in the offer's order whatever the stanza's, and what is missing is rejected as it was offered.
func TestAnswerWalksOffer(t *testing.T) {
	offer, lines := offerAV(t)
	text, after, losses, err := ToSDP(jingle.Description{Contents: []jingle.Content{vp8("1"), opus("0"), opus("stray")}}, jingle.Responder, Answer, lines, Origin{7, 3})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, "permuted", offer, text)
	if !has(text, "m=audio 9 UDP/TLS/RTP/SAVPF 111") || !has(text, "m=video 9 UDP/TLS/RTP/SAVPF 96") || !has(text, "o=- 7 3 IN IP4 127.0.0.1") {
		t.Error(text)
	}
	if strings.Contains(text, "a=group") {
		t.Errorf("a group that the peer has not:\n%s", text)
	}
	if !lossOf(losses, `content "stray": no such line`) || after[0].State != Live || after[1].State != Live {
		t.Errorf("losses %v, lines %v", losses, after)
	}
	text, after, _, err = ToSDP(jingle.Description{
		Contents: []jingle.Content{opus("0")}, Groups: []jingle.Group{{Semantics: "BUNDLE", Names: []string{"0", "1"}}},
	}, jingle.Responder, Answer, lines, Origin{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	rejected := "m=video 0 UDP/TLS/RTP/SAVPF 96 97 98\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:1\r\n"
	if !strings.HasSuffix(text, rejected) || !has(text, "a=group:BUNDLE 0") || after[1].State != Rejected || lines[1].State != Live {
		t.Errorf("%s\n%v", text, after)
	}
}

// The creator that a client writes need not be right; a name that only one content has is enough.
func TestAnswerCreator(t *testing.T) {
	_, lines := offerAV(t)
	wrong := opus("0")
	wrong.Creator = jingle.Responder
	if _, _, losses, err := ToSDP(jingle.Description{Contents: []jingle.Content{wrong}}, jingle.Responder, Answer, lines, Origin{1, 1}); err != nil || len(losses) > 0 {
		t.Error(err, losses)
	}
	two := Lines{{Name: "a", Creator: jingle.Initiator}, {Name: "a", Creator: jingle.Responder}, {Name: "a", State: Free}}
	if two.Find(jingle.Responder, "a") != 1 || two.Find(jingle.Initiator, "a") != 0 || two.Find(jingle.Initiator, "b") != -1 || two.FindMid("x") != -1 {
		t.Error("creator and name together identify a content")
	}
	if (Lines{{Name: "a"}, {Name: "a"}}).Find(jingle.Responder, "a") != -1 {
		t.Error("an ambiguous name is no match")
	}
}

// Ways to refuse one content in a session-accept; the other goes on.
func TestAnswerRejects(t *testing.T) {
	_, lines := offerAV(t)
	stanza := vp8("1")
	stanza.Senders, stanza.ICE = jingle.SendersNone, &jingle.Transport{}
	jitsi := vp8("1")
	jitsi.Senders = jingle.SendersRejected
	audioForVideo := opus("1")
	noCodec := vp8("1")
	noCodec.RTP.PayloadTypes = []jingle.PayloadType{{ID: 45, Name: "AV1"}}
	noRTP := jingle.Content{Name: "1", ICE: transport("active")}
	for name, c := range map[string]jingle.Content{"stanza": stanza, "jitsi": jitsi, "kind": audioForVideo, "codec": noCodec, "rtp": noRTP} {
		text, after, losses, err := ToSDP(jingle.Description{Contents: []jingle.Content{opus("0"), c}}, jingle.Responder, Answer, lines, Origin{1, 1})
		if err != nil || after[1].State != Rejected || !strings.Contains(text, "m=video 0 ") || len(losses) == 0 {
			t.Errorf("%s: %v, %v\n%s", name, err, losses, text)
		}
	}
}

func TestAnswerKeepsToOffer(t *testing.T) {
	offer, lines := offerAV(t)
	a, v := opus("0"), vp8("1")
	a.RTP.PayloadTypes = append(a.RTP.PayloadTypes, jingle.PayloadType{ID: 9, Name: "G722"}, jingle.PayloadType{ID: 111, Name: "speex"})
	a.RTP.HdrExts = []jingle.HdrExt{{ID: 2, URI: "urn:example:ext"}, {ID: 1, URI: "urn:3gpp:video-orientation"}, {ID: 5, URI: "urn:example:ext"}}
	a.RTP.AllowMixed = true
	v.RTP.PayloadTypes = append(v.RTP.PayloadTypes,
		jingle.PayloadType{ID: 97, Name: "rtx", Parameters: []jingle.Parameter{{Name: "apt", Value: "98"}}}, jingle.PayloadType{ID: 98, Name: "VP9"})
	text, _, losses, err := ToSDP(jingle.Description{Contents: []jingle.Content{a, v}, Groups: []jingle.Group{{Semantics: "BUNDLE", Names: []string{"0", "1"}}, {Semantics: "LS", Names: []string{"1"}}}},
		jingle.Responder, Answer, lines, Origin{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, "subset", offer, text)
	if !has(text, "m=audio 9 UDP/TLS/RTP/SAVPF 111") || !has(text, "m=video 9 UDP/TLS/RTP/SAVPF 96") || !has(text, "a=group:BUNDLE 0 1\r\na=group:LS 1") {
		t.Error(text)
	}
	for _, reason := range []string{
		"a=rtpmap:9 G722: not in the offer", "a=rtpmap:111 speex: payload type is taken", "a=extmap:1 urn:3gpp:video-orientation: not in the offer",
		"a=extmap:5 urn:example:ext: not in the offer", "a=extmap-allow-mixed: not in the offer", "a=rtpmap:98 VP9: not in the offer",
		"a=rtpmap:97 rtx: the codec that it protects is missing",
	} {
		if !lossOf(losses, reason) {
			t.Errorf("no loss %q in %v", reason, losses)
		}
	}
	for i := range lines {
		lines[i].Offered.Bundled = false
	}
	text, _, losses, err = ToSDP(jingle.Description{Contents: []jingle.Content{opus("0"), vp8("1")}, Groups: []jingle.Group{{Semantics: "BUNDLE", Names: []string{"0", "1"}}}},
		jingle.Responder, Answer, lines, Origin{1, 1})
	if err != nil || strings.Contains(text, "a=group") || !lossOf(losses, "not in the offer's group") {
		t.Errorf("%v, %v\n%s", err, losses, text)
	}
}

func TestToSDPErrors(t *testing.T) {
	_, lines := offerAV(t)
	change := func(f func(c *jingle.Content)) jingle.Description {
		c := opus("0")
		f(&c)
		return jingle.Description{Contents: []jingle.Content{c}}
	}
	var syntax *Error
	for _, row := range []struct {
		name string
		d    jingle.Description
		want any
	}{
		{"no contents", jingle.Description{}, ErrNoMedia},
		{"no RTP", change(func(c *jingle.Content) { c.RTP = nil }), ErrNoMedia},
		{"file", change(func(c *jingle.Content) { c.RTP.Media = "application" }), ErrNoMedia},
		{"no payload types", change(func(c *jingle.Content) { c.RTP.PayloadTypes = nil }), ErrNoMedia},
		{"nameless payload type", change(func(c *jingle.Content) { c.RTP.PayloadTypes[0].Name = "" }), ErrNoMedia},
		{"early session", change(func(c *jingle.Content) { c.Disposition = "early-session" }), ErrNoMedia},
		{"no transport", change(func(c *jingle.Content) { c.ICE = nil }), ErrNoICE},
		{"no fingerprint", change(func(c *jingle.Content) { c.ICE.Fingerprints = nil }), ErrNotEncrypted},
		{"protected fingerprint", change(func(c *jingle.Content) { c.ICE.Fingerprints, c.ICE.Protected = nil, true }), ErrNotEncrypted},
		{"SDES only", change(func(c *jingle.Content) { c.ICE.Fingerprints, c.RTP.Encryption = nil, &jingle.Encryption{} }), ErrNotEncrypted},
		{"md5 only", change(func(c *jingle.Content) { c.ICE.Fingerprints[0].Hash = "md5" }), ErrNotEncrypted},
		{"no ufrag", change(func(c *jingle.Content) { c.ICE.Ufrag = "" }), &syntax},
		{"evil pwd", change(func(c *jingle.Content) { c.ICE.Pwd = "a\r\na=evil" }), &syntax},
	} {
		for _, typ := range []Type{Offer, Answer} {
			l := lines
			if typ == Offer {
				l = nil
			}
			text, after, _, err := ToSDP(row.d, jingle.Initiator, typ, l, Origin{1, 1})
			ok := false
			if sentinel, is := row.want.(error); is && sentinel != nil {
				ok = errors.Is(err, sentinel)
			} else {
				ok = errors.As(err, row.want)
			}
			if !ok || text != "" || after != nil {
				t.Errorf("%s, %s: %v", row.name, typ, err)
			}
		}
	}
	if _, _, _, err := ToSDP(change(func(*jingle.Content) {}), jingle.Responder, Answer, nil, Origin{}); !errors.As(err, &syntax) {
		t.Errorf("an answer to nothing: %v", err)
	}
	var many jingle.Description
	for i := range MaxLines + 1 {
		many.Contents = append(many.Contents, opus(fmt.Sprint(i)))
	}
	if _, _, _, err := ToSDP(many, jingle.Initiator, Offer, nil, Origin{}); !errors.As(err, &syntax) {
		t.Errorf("too many contents: %v", err)
	}
}

// What a native client says, completed for a browser.
func TestOfferRepairs(t *testing.T) {
	c := jingle.Content{Name: "Media call", Creator: jingle.Initiator, Senders: jingle.SendersInitiator, ICE: transport("")}
	c.ICE.Fingerprints = append(c.ICE.Fingerprints, jingle.Fingerprint{Hash: "sha-512", Value: strings.Repeat("00:", 63) + "00"}, jingle.Fingerprint{Hash: "md5", Value: "00"})
	c.ICE.Lite, c.ICE.GatheringComplete = true, true
	c.ICE.Candidates = []jingle.Candidate{
		{Foundation: "1", Component: 1, Protocol: "udp", Priority: 5, IP: "192.0.2.1", Port: 1, Type: "srflx"},
		{Foundation: "1", Component: 2, Protocol: "udp", Priority: 5, IP: "192.0.2.2", Port: 1, Type: "host"},
		{Foundation: "1", Component: 1, Protocol: "udp", Priority: 5, IP: "fe80::1%eth0", Port: 1, Type: "host"},
	}
	c.RTP = &jingle.RTP{Media: "audio", Encryption: &jingle.Encryption{Crypto: []jingle.Crypto{{Tag: "1", Suite: "S", KeyParams: "secret"}}, ZRTP: []jingle.ZRTPHash{{Version: "1.10", Value: "fe"}}},
		PayloadTypes: []jingle.PayloadType{
			{ID: 111, Name: "opus", PTime: 20, Channels: 1}, {ID: 0}, {ID: 18, Name: "G729"}, {ID: 99, Name: "speex"}, {ID: 96, Name: "evil\r\na=x"},
			{ID: 63, Name: "red", ClockRate: 48000, Channels: 2, Parameters: []jingle.Parameter{{Value: "111/112"}}},
		},
		Bandwidths: []jingle.Bandwidth{{Type: "AS", Value: "64"}, {Type: "X", Value: "1"}, {Type: "TIAS", Value: "1\r\na=x"}},
		Feedback:   []jingle.Feedback{{Type: "nack"}, {Type: "a b"}}, TRRInt: "100",
		HdrExts: []jingle.HdrExt{{ID: 3, URI: "urn:a", Parameters: []jingle.Parameter{{Name: "x", Value: "1", HasValue: true}, {Name: "y"}}}, {ID: 4, URI: "a b"}},
		Sources: []jingle.Source{
			{SSRC: "7", Parameters: []jingle.Parameter{{Name: "cname", Value: "c", HasValue: true}, {Name: "msid", Value: " S  A ", HasValue: true}, {Name: "flag"}}},
			{SSRC: "8", Parameters: []jingle.Parameter{{Name: "msid", Value: "S B", HasValue: true}}}, {RID: "hi"}, {SSRC: "7"},
		},
		SourceGroups: []jingle.SourceGroup{{Semantics: "FID", SSRCs: []string{"7", "9"}}, {Semantics: "FID", SSRCs: []string{"8", "7"}}},
	}
	text, lines, losses, err := ToSDP(jingle.Description{Contents: []jingle.Content{c}}, jingle.Initiator, Offer, nil, Origin{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	want := `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=ice-lite
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 18 99
c=IN IP4 0.0.0.0
b=AS:64
a=mid:0
a=sendonly
a=ice-ufrag:peer
a=ice-pwd:0123456789abcdefABCDEFgh
a=ice-options:trickle
a=fingerprint:sha-512 ` + strings.Repeat("00:", 63) + `00
a=fingerprint:sha-256 ` + fingerprint + `
a=setup:actpass
a=rtcp-mux
a=extmap:3 urn:a x=1 y
a=ptime:20
a=rtcp-fb:* nack
a=rtcp-fb:* trr-int 100
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
a=rtpmap:18 G729/8000
a=rtpmap:99 speex/8000
a=rid:hi send
a=msid:S A
a=ssrc:7 cname:c
a=ssrc:7 msid:S A
a=candidate:1 1 udp 5 192.0.2.1 1 typ srflx raddr 0.0.0.0 rport 0 generation 0
a=end-of-candidates
`
	if got := strings.ReplaceAll(text, "\r\n", "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	if l := lines[0]; l.Mid != "0" || l.Name != "Media call" || l.Kind != "audio" || l.Proto != "UDP/TLS/RTP/SAVPF" || len(l.Formats) != 4 {
		t.Errorf("%+v", l)
	}
	for _, reason := range []string{
		"a=fingerprint:md5 00: no hash", "a=setup:actpass: not said", "a=crypto:1 S: browsers", "a=zrtp-hash:1.10 fe: browsers", "a=rtpmap:96", "a=rtpmap:63 red: the codec",
		"b=X:1", "b=TIAS", "a=rtcp-fb:* a b", "a=extmap:4", "a=ssrc:8 msid:S B: source of a second track", "a=ssrc:7: no source",
		"a=ssrc-group:FID 8 7", "a=ssrc-group:FID 7 9", "a=ssrc:7 flag: no parameter", "a=rtcp-mux: not said", "192.0.2.2 1 typ host generation 0: component", "%eth0",
		"a=mid:Media call: no token",
	} {
		if !lossOf(losses, reason) {
			t.Errorf("no loss %q", reason)
		}
	}
	if len(losses) != 19 {
		t.Errorf("%d losses:\n%v", len(losses), losses)
	}
}

// Conversations bundles a content that it adds by an empty transport.
func TestStubTransport(t *testing.T) {
	stub := vp8("1")
	stub.ICE = &jingle.Transport{}
	d := jingle.Description{Contents: []jingle.Content{opus("0"), stub}}
	if _, _, _, err := ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1}); !errors.Is(err, ErrNotEncrypted) {
		t.Errorf("unbundled: %v", err)
	}
	d.Groups = []jingle.Group{{Semantics: "BUNDLE", Names: []string{"0", "1"}}}
	text, _, _, err := ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil || strings.Count(text, "a=ice-ufrag:peer\r\n") != 2 || strings.Count(text, "a=fingerprint:") != 2 {
		t.Errorf("%v\n%s", err, text)
	}
}

// A later offer keeps the lines that are gone, and gives new contents a line of their own with a mid that was never used.
func TestOfferKeepsLines(t *testing.T) {
	_, lines := offerAV(t)
	text, after, _, err := ToSDP(jingle.Description{Contents: []jingle.Content{opus("0"), vp8("screen"), opus("a name"), vp8("0 ")}}, jingle.Initiator, Offer, lines, Origin{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	var mids []string
	for _, l := range after {
		mids = append(mids, l.Mid+" "+l.State.String())
	}
	if got := strings.Join(mids, ", "); got != "0 live, 1 rejected, screen live, 3 live, 4 live" {
		t.Errorf("%s\n%s", got, text)
	}
	if !strings.Contains(text, "m=video 0 UDP/TLS/RTP/SAVPF 96 97 98\r\n") || len(lines) != 2 {
		t.Error(text)
	}
	// The answer to that offer frees the rejected line.
	_, after, _, err = ToSDP(jingle.Description{Contents: []jingle.Content{opus("0")}}, jingle.Responder, Answer, after, Origin{1, 2})
	if err != nil || after[1].State != Free || after[2].State != Rejected {
		t.Errorf("%v, %v", err, after)
	}
}
