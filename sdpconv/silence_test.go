package sdpconv

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"carillon/jingle"
)

// Nothing is lost in silence, and nothing is called lost that is not: one line added to an offer, and what is said of it.
func TestFromSDPIsNotSilent(t *testing.T) {
	long := strings.Repeat("m", 17)
	for _, tt := range []struct{ line, reason string }{
		{"a=candidate:1 1 udp 5 192.0.2.7 4000 typ host generation 0 ufrag ufra", ""},
		{"a=candidate:1 1 udp 5 192.0.2.7 4000 typ host ufrag old", "of another ICE generation than ufrag ufra"},
		{"a=candidate:1 1 udp 5 192.0.2.7 4000 typ host network-id 1 generation 0 network-cost 10", "no Jingle for network-id, network-cost of a candidate"},
		{"a=candidate:1 1 udp 5 192.0.2.7 4000 typ host generation 70000", "no Jingle for generation of a candidate"},
		{"a=candidate:1 1 udp 5 192.0.2.7 4000 typ host tcptype active odd", "no Jingle for tcptype, odd of a candidate"},
		{"a=mid:0", ""},
		{"a=mid:9", "the section says another"},
		{"a=setup:actpass", ""},
		{"a=fmtp:111", ""},
		{"a=ssrc:1 cname:c", ""},
		{"a=ssrc:1 cname:d", "said twice"},
		{"a=extmap:13/both urn:x", `no direction "both"`},
		{"a=extmap:13/sendrecv urn:x", ""},
		{"a=extmap:13 urn:x" + strings.Repeat(" y", maxParameters+1), "too many parameters"},
		{"a=msid:S", "its sources say another"},
		{"a=rid:x", "no restriction of a stream"},
		{"a=ice-options:ice2,trickle", ""},
		{"a=rtcp-mux-only", "no Jingle for it, but for rtcp-mux"},
	} {
		losses := lossesOf(t, browserSDP(append(audio("0", "actpass", "a=ssrc:1 cname:c", "a=ssrc:1 msid:S A"), tt.line)...))
		switch {
		case tt.reason == "" && len(losses) > 0, tt.reason != "" && len(losses) != 1:
			t.Errorf("%s: %v", tt.line, losses)
		case tt.reason != "" && (losses[0].Line != tt.line || losses[0].Reason != tt.reason):
			t.Errorf("%s: %v, want %s", tt.line, losses, tt.reason)
		}
	}
	for _, tt := range []struct{ old, new, loss string }{
		{"s=-", "s=Asterisk", "3: s=Asterisk: no Jingle for it"},
		{"s=-", "s= ", ""},
		{"t=0 0", "t=3034423619 3042462419", "4: t=3034423619 3042462419: no Jingle for it"},
		{"t=0 0", "t=0 0\r\na=group:BUNDLE 0 7", `5: a=group:BUNDLE 0 7: no m-line has the mid "7"`},
		{"t=0 0", "t=0 0" + strings.Repeat("\r\na=group:LS 0", maxGroups+1), "21: a=group:LS 0: too many groups"},
		{"a=mid:0", "a=mid:" + long, "7: a=mid:" + long + ": too long for the name of a content, or taken; this has a number"},
		{"a=sendrecv", "a=sendrecv\r\na=inactive", "14: a=sendrecv: the section says another"},
	} {
		sdp := browserSDP(audio("0", "actpass", "a=sendrecv")...)
		changed := strings.Replace(sdp, tt.old+"\r\n", tt.new+"\r\n", 1)
		losses := lossesOf(t, changed)
		if got := strings.Trim(fmt.Sprint(losses), "[]"); got != tt.loss {
			t.Errorf("%s: %s, want %s", tt.new, got, tt.loss)
		}
	}
}

// What is said of ICE in a section without it is of no use, and no secret.
func TestFromSDPReportsICEWithoutCredentials(t *testing.T) {
	losses := lossesOf(t, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=setup:actpass\r\n"+
		"a=candidate:1 1 udp 5 192.0.2.7 4000 typ host\r\na=end-of-candidates\r\na=rtcp:none\r\n")
	if got := fmt.Sprint(losses); len(losses) != 4 || strings.Count(got, "neither ICE nor DTLS") != 3 || !strings.Contains(got, "10: a=rtcp:none: no port") {
		t.Error(got)
	}
}

// An answer cannot leave the DTLS role open; that it did is reported.
func TestFromSDPReportsOpenAnswer(t *testing.T) {
	offer := browserSDP(audio("0", "actpass")...)
	_, lines, _, err := FromSDP(offer, jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, _, losses, err := FromSDP(offer, jingle.Responder, lines)
	if err != nil || len(losses) != 1 || losses[0].Line != "a=setup:actpass" || d.Contents[0].ICE.Fingerprints[0].Setup != jingle.SetupActive {
		t.Errorf("%v, %v", losses, err)
	}
}

func lossesOf(t *testing.T, sdp string) []Loss {
	t.Helper()
	_, _, losses, err := FromSDP(sdp, jingle.Initiator, nil)
	if err != nil {
		t.Fatalf("%v in %s", err, sdp)
	}
	return losses
}

// What a description says and SDP cannot is reported.
func TestToSDPIsNotSilent(t *testing.T) {
	with := func(change func(d *jingle.Description)) jingle.Description {
		d := jingle.Description{Contents: []jingle.Content{opus("0"), vp8("1")}, Groups: []jingle.Group{{Semantics: "BUNDLE", Names: []string{"0", "1"}}}}
		d.Contents[0].RTP.HdrExts = []jingle.HdrExt{{ID: 1, URI: "urn:a"}}
		change(&d)
		return d
	}
	for _, tt := range []struct {
		change func(d *jingle.Description)
		loss   string
	}{
		{func(*jingle.Description) {}, ""},
		{func(d *jingle.Description) { d.Contents[1].RTP.HdrExts = []jingle.HdrExt{{ID: 1, URI: "urn:a"}} }, ""},
		{func(d *jingle.Description) { d.Contents[1].RTP.HdrExts = []jingle.HdrExt{{ID: 1, URI: "urn:b"}} }, "0: a=extmap:1 urn:b: number is taken in the bundle"},
		{func(d *jingle.Description) {
			d.Contents[1].RTP.HdrExts = []jingle.HdrExt{{ID: 1, URI: "urn:b"}}
			d.Groups = nil
		}, ""},
		{func(d *jingle.Description) { d.Groups[0].Names[1] = "x" }, "0: a=group:BUNDLE x: no such content"},
		{func(d *jingle.Description) {
			d.Contents[0].RTP.HdrExts[0].Parameters = []jingle.Parameter{{Name: "a b"}}
		},
			"0: a=extmap:1 urn:a a b=: no word for the last parameter"},
		{func(d *jingle.Description) { d.Contents[0].RTP.TRRInt = "x" }, "0: a=rtcp-fb:* trr-int x: no feedback"},
		{func(d *jingle.Description) {
			p := d.Contents[0].RTP.PayloadTypes[0]
			p.PTime = 20
			other := p
			other.ID, other.PTime = 112, 40
			d.Contents[0].RTP.PayloadTypes = []jingle.PayloadType{p, other}
		}, "0: a=ptime:40: another payload type says another, and a section has one"},
		{func(d *jingle.Description) {
			d.Contents[0].ICE.Candidates = []jingle.Candidate{{Foundation: "1", Component: 1, Protocol: "udp", Priority: 5, IP: "192.0.2.1", Port: 9, Type: "local"}}
		}, `0: a=candidate:1 1 udp 5 192.0.2.1 9 typ host generation 0: written as a host candidate, no type "local"`},
		{func(d *jingle.Description) {
			d.Contents[1].RTP, d.Contents[1].ICE.SCTP = nil, &jingle.SCTP{Port: 5000, Protocol: "webrtc-datachannel", Streams: 1024}
		}, "0: a=sctpmap:5000 webrtc-datachannel 1024: no number of streams since RFC 8841"},
	} {
		_, _, losses, err := ToSDP(with(tt.change), jingle.Initiator, Offer, nil, Origin{1, 1})
		if got := strings.Trim(fmt.Sprint(losses), "[]"); err != nil || got != tt.loss {
			t.Errorf("%s, %v, want %s", got, err, tt.loss)
		}
	}
}

// A group may name more mids than there are, which must not be looked through for each section: this took 1.5 s.
func TestFromSDPGroupOfStrangers(t *testing.T) {
	lines := []string{"a=ice-ufrag:ufra", "a=ice-pwd:0123456789abcdefABCDEFgh", "a=setup:actpass"}
	group := "a=group:BUNDLE" + strings.Repeat(" x", 100000)
	for i := range MaxLines {
		group += fmt.Sprintf(" m%d", i)
		lines = append(lines, "m=audio 9 UDP/TLS/RTP/SAVPF 111", fmt.Sprintf("a=mid:m%d", i), "a=rtpmap:111 opus/48000/2")
		if i == 0 {
			lines = append(lines, "a=fingerprint:sha-256 "+fingerprint)
		}
	}
	begin := time.Now()
	lossesOf(t, browserSDP(append([]string{group}, lines...)...))
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
}
