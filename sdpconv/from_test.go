package sdpconv

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"carillon/jingle"
)

func TestFromSDPRefused(t *testing.T) {
	good := audio("0", "actpass")
	without := func(prefix string) string {
		var kept []string
		for _, l := range good {
			if !strings.HasPrefix(l, prefix) {
				kept = append(kept, l)
			}
		}
		return browserSDP(kept...)
	}
	with := func(more ...string) string { return browserSDP(audio("0", "actpass", more...)...) }
	for _, row := range []struct {
		sdp, text string
		line      int
	}{
		{"", "empty", 0},
		{" \r\n", "empty", 0},
		{"v=0", "no m-line", 0},
		{"hello", "no line of an SDP", 1},
		{"{\"type\":\"offer\"}", "no line of an SDP", 1},
		{"o=- 1 2 IN IP4 127.0.0.1\r\n", "begins with v=0", 1},
		{"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", "RFC 8866", 2},
		{"v=0\r\ns=-\r\n", "RFC 8866", 2},
		{browserSDP(), "no m-line", 0},
		{browserSDP("m=audio 99999 UDP/TLS/RTP/SAVPF 0"), "RFC 8866", 5},
		{browserSDP("m=audio nine RTP/AVP 0"), "RFC 8866", 5},
		{browserSDP("m=audio"), "RFC 8866", 5},
		{browserSDP("m=magic 99999 QUIC 0"), "RFC 8866", 5},
		{with("a=x\x00y"), "no line of an SDP", 14},
		{with("a=x\ry"), "no line of an SDP", 14},
		{with("a=\xff"), "not UTF-8", 0},
		{with("b=AS:much"), "RFC 8866", 14},
		{strings.Repeat("a", MaxSize+1), "longer than", 0},
		{browserSDP(strings.Split(strings.Repeat("m=audio 0 UDP/TLS/RTP/SAVPF 0,", MaxLines)+"m=audio 0 UDP/TLS/RTP/SAVPF 0", ",")...), "more than 64 m-lines", 0},
		{without("a=ice-ufrag"), "without a=ice-ufrag", 5},
		{without("a=ice-pwd"), "without a=ice-pwd", 5},
		{without("a=fingerprint"), "without a=fingerprint", 5},
		{without("a=rtpmap"), "without a codec", 5},
		{strings.Replace(with(), "a=mid:0", "a=mid:a b", 1), "mid is no token", 7},
		{browserSDP(append(good, good...)...), "mid is used twice", 16},
		{strings.Replace(with(), "SAVPF 111", "SAVPF 111 111", 1), "stands twice", 5},
		{strings.Replace(with(), "SAVPF 111", "SAVPF 128", 1), "no number below 128", 5},
		{with("a=rtpmap:111 opus"), "no rtpmap", 14},
		{strings.Replace(with(), "opus/48000", "opus/fast", 1), "no clock rate", 13},
		{strings.Replace(with(), "48000/2", "48000/two", 1), "no number of channels", 13},
		{with("a=fingerprint:sha-256 00:11"), "no fingerprint", 14},
		{with("a=setup:maybe"), "unknown setup", 14},
		{with("a=ice-ufrag:a b"), "no ICE credential", 14},
		{with("a=extmap:0 urn:x"), "no id of a header extension", 14},
		{with("a=extmap:1"), "no extmap", 14},
		{with("a=ssrc:x cname:y"), "no source", 14},
		{with("a=ssrc-group:FID a b"), "no group of sources", 14},
		{with("a=msid:a b c"), "no msid", 14},
		{with("a=rtcp-fb:111 trr-int many"), "trr-int without a number", 14},
		{with("a=rtcp-fb:111 "), "no feedback", 14},
		{with("a=remote-candidates:1 192.0.2.1"), "no remote candidates", 14},
		{browserSDP("m=audio 9 RTP/AVP 0"), "neither ICE nor an address", 5},
		{browserSDP("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=mid:0"), "without a=ice-ufrag", 5},
		{browserSDP("m=application 9 UDP/DTLS/SCTP a/b"), "without webrtc-datachannel", 5},
		{browserSDP(data("0", "actpass", "a=sctp-port:0")...), "no SCTP port", 12},
		{browserSDP(data("0", "actpass", "a=max-message-size:big")...), "no size of messages", 12},
		{browserSDP(data("0", "actpass", "a=sctpmap:5000")...), "no sctpmap", 12},
		{browserSDP(data("0", "actpass", "a=dcmap:first label=\"x\"")...), "no stream of a data channel", 12},
	} {
		_, l, losses, err := FromSDP(row.sdp, jingle.Initiator, nil)
		if key := strings.TrimPrefix(row.text, "no "); forms[key] != "" && !strings.Contains(err.Error(), forms[key]) {
			t.Errorf("%v does not say %s", err, forms[key])
		}
		var e *Error
		if !errors.As(err, &e) || e.Line != row.line || !strings.Contains(e.Msg, row.text) || l != nil || losses != nil {
			t.Errorf("%.80q: got %v, want line %d: %s", row.sdp, err, row.line, row.text)
		}
	}
}

func TestFromSDPNoMedia(t *testing.T) {
	for _, lines := range [][]string{
		{"m=image 9 udptl t38", "a=mid:0"},
		{"m=application 9 TCP/BFCP *"},
		{"m=magic 9 UDP/TLS/RTP/SAVPF 0"},
		{"m=audio 9 QUIC 0"},
		{"m=message 9 TCP/TLS/MSRP *"},
		{"m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=mid:0"},
	} {
		if _, _, _, err := FromSDP(browserSDP(lines...), jingle.Initiator, nil); !errors.Is(err, ErrNoMedia) {
			t.Errorf("%q: %v", lines, err)
		}
	}
}

// Each of the attributes that JSEP allows at either level is resolved on its own.
func TestSessionLevel(t *testing.T) {
	section := audio("0", "actpass")
	movable := []string{"a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup"}
	want, _, _, err := FromSDP(browserSDP(section...), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	for mask := 0; mask < 1<<len(movable); mask++ {
		var up, down []string
		for _, l := range section {
			dest := &down
			for i, key := range movable {
				if strings.HasPrefix(l, key) && mask&(1<<i) != 0 {
					dest = &up
				}
			}
			*dest = append(*dest, l)
		}
		got, _, losses, err := FromSDP(browserSDP(append(up, down...)...), jingle.Initiator, nil)
		if err != nil || len(losses) != 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%q at session level: %v, losses %v\n%+v", up, err, losses, got.Contents[0].ICE)
		}
	}
}

// In an offer of a max-bundle page the other sections may rely on the first for their transport; port 0 rejects none of them.
func TestBundleOnly(t *testing.T) {
	sdp := browserSDP(append(append([]string{"a=group:BUNDLE 0 1"}, audio("0", "actpass")...),
		"m=video 0 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", "a=bundle-only", "a=rtcp-mux", "a=rtpmap:96 VP8/90000")...)
	d, lines, _, err := FromSDP(sdp, jingle.Initiator, nil)
	if err != nil || len(d.Contents) != 2 || lines[1].State != Live {
		t.Fatalf("%v, %+v", err, lines)
	}
	if !reflect.DeepEqual(d.Contents[0].ICE, d.Contents[1].ICE) {
		t.Errorf("%+v", d.Contents[1].ICE)
	}
}

func TestNames(t *testing.T) {
	for _, row := range []struct{ mids, names []string }{
		{[]string{"0", "1"}, []string{"0", "1"}},
		{[]string{"audio", "sdparta_0"}, []string{"audio", "sdparta_0"}},
		{[]string{"a-mid-of-seventeen", "x"}, []string{"0", "x"}},
		{[]string{"a-mid-of-seventeen", "0"}, []string{"1", "0"}},
	} {
		var lines []string
		for _, mid := range row.mids {
			lines = append(lines, audio(mid, "actpass")...)
		}
		d, l, _, err := FromSDP(browserSDP(append([]string{"a=group:BUNDLE " + strings.Join(row.mids, " ")}, lines...)...), jingle.Responder, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range row.names {
			if d.Contents[i].Name != want || l[i].Name != want || l[i].Mid != row.mids[i] || d.Contents[i].Creator != jingle.Responder {
				t.Errorf("mid %q has the name %q, line %+v", row.mids[i], d.Contents[i].Name, l[i])
			}
		}
		if !reflect.DeepEqual(d.Groups, []jingle.Group{{Semantics: "BUNDLE", Names: row.names}}) {
			t.Errorf("groups %v", d.Groups)
		}
	}
}

func TestFromSDPCodecs(t *testing.T) {
	section := strings.Join(audio("0", "actpass", "a=ptime:20", "a=maxptime:60", "a=rtpmap:110 telephone-event/48000/1", "a=rtcp-fb:* nack",
		"a=rtcp-fb:111 ccm tmmbr smaxpr=120", "a=rtcp-fb:111 trr-int 100", "b=nothing"), "\r\n")
	section = strings.Replace(section, "SAVPF 111", "SAVPF 111 0 110 96", 1)
	section = strings.Replace(section, "b=nothing", "a=fmtp:111 minptime=10; useinbandfec=1;sprop=a=b==;\r\na=fmtp:110 0-15", 1)
	d, _, losses, err := FromSDP(browserSDP(section), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	param := func(name, value string) jingle.Parameter {
		return jingle.Parameter{Name: name, Value: value, HasValue: true}
	}
	want := []jingle.PayloadType{
		{ID: 111, Name: "opus", ClockRate: 48000, Channels: 2, PTime: 20, MaxPTime: 60, TRRInt: "100",
			Parameters: []jingle.Parameter{param("minptime", "10"), param("useinbandfec", "1"), param("sprop", "a=b==")},
			Feedback:   []jingle.Feedback{{Type: "ccm", Subtype: "tmmbr", Parameters: []jingle.Parameter{param("smaxpr", "120")}}}},
		{ID: 0, Name: "PCMU", ClockRate: 8000, PTime: 20, MaxPTime: 60},
		{ID: 110, Name: "telephone-event", ClockRate: 48000, PTime: 20, MaxPTime: 60, Parameters: []jingle.Parameter{param("", "0-15")}},
	}
	if got := d.Contents[0].RTP.PayloadTypes; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := d.Contents[0].RTP.Feedback; !reflect.DeepEqual(got, []jingle.Feedback{{Type: "nack"}}) {
		t.Errorf("for all: %+v", got)
	}
	if s := fmt.Sprint(losses); len(losses) != 1 || !strings.Contains(s, "payload type 96 without a=rtpmap") {
		t.Errorf("losses %v", s)
	}
}

func TestFromSDPLosses(t *testing.T) {
	d, _, losses, err := FromSDP(browserSDP(audio("0", "actpass",
		"a=fmtp:111 useinbandfec=1;0-15", "a=fmtp:111 x=a b", "a=rtpmap:99 x/1", "a=ssrc:1 flag", "a=ssrc:1 cname:c", "a=ssrc:1 cname:d",
		"a=candidate:nonsense", "a=rid:hi send", "a=label:x", "a=ice-options:trickle 1st google-ice", "a=setup:holdconn", "a=crypto:1 x y",
		"a=ptime:2.5")...), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []int{14, 15, 16, 17, 19, 20, 21, 22, 23, 23, 24, 25, 26}
	var got []int
	for _, l := range losses {
		got = append(got, l.Number)
		if l.Line == "" || l.Reason == "" {
			t.Errorf("%+v", l)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("losses at %v, want %v:\n%v", got, want, losses)
	}
	if o := d.Contents[0].ICE.Options; !reflect.DeepEqual(o, []string{"trickle"}) {
		t.Errorf("options %q", o)
	}
}

// An answer, and a later offer, keep to the lines there are.
func TestFromSDPShape(t *testing.T) {
	offer := browserSDP(append(audio("0", "actpass"), audio("1", "actpass")...)...)
	_, lines, _, err := FromSDP(offer, jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, sdp := range map[string]string{
		"fewer m-lines":           browserSDP(audio("0", "active")...),
		"the offer has no such":   browserSDP(append(append(audio("0", "active"), audio("1", "active")...), audio("2", "active")...)...),
		"mid changed from":        browserSDP(append(audio("0", "active"), audio("x", "active")...)...),
		"m-line changed from":     strings.Replace(browserSDP(append(audio("0", "active"), audio("1", "active")...)...), "m=audio", "m=video", 1),
		"sdp: has fewer m-lines ": browserSDP(audio("0", "actpass")...),
	} {
		if _, _, _, err := FromSDP(sdp, jingle.Responder, lines); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %s", err, text)
		}
	}
	answer := strings.Replace(browserSDP(append(audio("0", "active"), audio("1", "active")...)...), "m=audio 9", "m=audio 0", 1)
	d, after, _, err := FromSDP(answer, jingle.Responder, lines)
	if err != nil || len(d.Contents) != 1 || d.Contents[0].Name != "1" || d.Contents[0].Creator != jingle.Initiator {
		t.Fatalf("%v, %+v", err, d.Contents)
	}
	if after[0].State != Rejected || after[1].State != Live || lines[0].State != Live {
		t.Errorf("after %v, before %v", after, lines)
	}
}

// An m-line may be used again, with another mid, once both sides wrote port 0.
func TestRecycledLine(t *testing.T) {
	var lines Lines
	for i, step := range []struct {
		author       jingle.Role
		setup, mid   string
		port         string
		state        LineState
		contentNamed string
	}{
		{jingle.Initiator, "actpass", "1", "9", Live, "1"},
		{jingle.Responder, "active", "1", "9", Live, "1"},
		{jingle.Initiator, "actpass", "1", "0", Rejected, ""},
		{jingle.Responder, "active", "1", "0", Free, ""},
		{jingle.Responder, "actpass", "2", "9", Live, "2"},
	} {
		second := audio(step.mid, step.setup)
		second[0] = "m=audio " + step.port + " UDP/TLS/RTP/SAVPF 111"
		d, after, _, err := FromSDP(browserSDP(append(audio("0", step.setup), second...)...), step.author, lines)
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		name := ""
		if len(d.Contents) == 2 {
			name = d.Contents[1].Name
		}
		if after[1].State != step.state || name != step.contentNamed {
			t.Errorf("step %d: line %+v, content %q", i, after[1], name)
		}
		lines = after
	}
	if lines[1].Creator != jingle.Responder || lines[1].Mid != "2" || len(lines) != 2 {
		t.Errorf("%+v", lines)
	}
}
