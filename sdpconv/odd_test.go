package sdpconv

import (
	"strconv"
	"strings"
	"testing"

	"carillon/jingle"
)

// odd is a stanza that reads well and says something that no client is known to say.
type odd struct {
	name   string
	change func(d *jingle.Description)
	reason string // why something of it is left out, or the error; "" for nothing
}

// ordinary is a call of sound and picture in a bundle.
func ordinary(setup jingle.Setup) jingle.Description {
	a, v := opus("a"), vp8("v")
	a.RTP.PayloadTypes = append(a.RTP.PayloadTypes, jingle.PayloadType{ID: 9, Name: "G722", ClockRate: 8000})
	v.RTP.PayloadTypes = append(v.RTP.PayloadTypes, jingle.PayloadType{ID: 97, Name: "rtx", ClockRate: 90000, Parameters: []jingle.Parameter{{Name: "apt", Value: "96", HasValue: true}}})
	for _, c := range []*jingle.Content{&a, &v} {
		c.ICE = transport(setup)
		c.RTP.HdrExts = []jingle.HdrExt{{ID: 4, URI: "urn:ietf:params:rtp-hdrext:sdes:mid"}}
	}
	return jingle.Description{Contents: []jingle.Content{a, v}, Groups: []jingle.Group{{Semantics: "BUNDLE", Names: []string{"a", "v"}}}}
}

func ice(change func(t *jingle.Transport)) func(*jingle.Description) {
	return func(d *jingle.Description) {
		for i := range d.Contents {
			change(d.Contents[i].ICE)
		}
	}
}

func ufrag(s string) func(*jingle.Description) { return ice(func(t *jingle.Transport) { t.Ufrag = s }) }
func pwd(s string) func(*jingle.Description)   { return ice(func(t *jingle.Transport) { t.Pwd = s }) }

func rtp(i int, change func(r *jingle.RTP)) func(*jingle.Description) {
	return func(d *jingle.Description) { change(d.Contents[i].RTP) }
}

func codec(i int, p jingle.PayloadType) func(*jingle.Description) {
	return rtp(i, func(r *jingle.RTP) { r.PayloadTypes = append(r.PayloadTypes, p) })
}

func exts(i int, x ...jingle.HdrExt) func(*jingle.Description) {
	return rtp(i, func(r *jingle.RTP) { r.HdrExts = append(r.HdrExts, x...) })
}

func both(f ...func(*jingle.Description)) func(*jingle.Description) {
	return func(d *jingle.Description) {
		for _, f := range f {
			f(d)
		}
	}
}

func src(ssrc string, params ...string) jingle.Source {
	s := jingle.Source{SSRC: ssrc}
	for _, p := range params {
		n, v, has := strings.Cut(p, "=")
		s.Parameters = append(s.Parameters, jingle.Parameter{Name: n, Value: v, HasValue: has})
	}
	return s
}

func sources(i int, list ...jingle.Source) func(*jingle.Description) {
	return rtp(i, func(r *jingle.RTP) { r.Sources = list })
}

func ssrcGroups(i int, g ...string) func(*jingle.Description) {
	return rtp(i, func(r *jingle.RTP) {
		for _, s := range g {
			f := strings.Fields(s)
			r.SourceGroups = append(r.SourceGroups, jingle.SourceGroup{Semantics: f[0], SSRCs: f[1:]})
		}
	})
}

func streams(i int, list ...jingle.Stream) func(*jingle.Description) {
	return rtp(i, func(r *jingle.RTP) { r.Streams = list })
}

func prints(list ...jingle.Fingerprint) func(*jingle.Description) {
	return ice(func(t *jingle.Transport) {
		for i := range list {
			list[i].Setup = t.Fingerprints[0].Setup
		}
		t.Fingerprints = list
	})
}

func withData(change func(s *jingle.SCTP)) func(*jingle.Description) {
	return func(d *jingle.Description) {
		t := *d.Contents[0].ICE
		t.SCTP = &jingle.SCTP{Port: 5000}
		change(t.SCTP)
		name := "d" + strconv.Itoa(len(d.Contents))
		d.Contents = append(d.Contents, jingle.Content{Name: name, ICE: &t})
		d.Groups[0].Names = append(d.Groups[0].Names, name)
	}
}

func hex(n int) string { return strings.TrimSuffix(strings.Repeat("AB:", n), ":") }

func inGroups(g ...string) func(*jingle.Description) {
	return func(d *jingle.Description) {
		d.Groups = nil
		for _, s := range g {
			f := strings.Fields(s)
			d.Groups = append(d.Groups, jingle.Group{Semantics: f[0], Names: f[1:]})
		}
	}
}

func bandwidth(typ, value string) func(*jingle.Description) {
	return rtp(0, func(r *jingle.RTP) { r.Bandwidths = append(r.Bandwidths, jingle.Bandwidth{Type: typ, Value: value}) })
}

func param(id int, name string, rate int, params ...string) jingle.PayloadType {
	return jingle.PayloadType{ID: id, Name: name, ClockRate: rate, Parameters: src("", params...).Parameters}
}

const audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

func odds() []odd {
	list := []odd{
		{"ufrag of 3", ufrag("abc"), "a ufrag has 4"}, {"ufrag of 257", ufrag(strings.Repeat("a", 257)), "a ufrag has 4"}, {"ufrag of words", ufrag("a!b$"), "a ufrag has 4"},
		{"ufrag of 256", ufrag(strings.Repeat("a", 256)), ""}, {"ufrag with more", ufrag("a-=#_+/z"), ""}, {"pwd of 22", pwd(strings.Repeat("a", 22)), ""},
		{"pwd of 21", pwd(strings.Repeat("a", 21)), "a pwd 22"}, {"pwd of 257", pwd(strings.Repeat("a", 257)), "a pwd 22"}, {"pwd of words", pwd(strings.Repeat("a.", 22)), "a pwd 22"},
		{"hash too short", prints(jingle.Fingerprint{Hash: "sha-256", Value: hex(20)}), "no usable DTLS fingerprint"},
		{"another hash", prints(jingle.Fingerprint{Hash: "sha-1", Value: hex(32)}, jingle.Fingerprint{Hash: "sha-256", Value: hex(32)}), "no hash that browsers take"},
		{"RTCP's number", codec(0, param(72, "speex", 8000)), "a=rtpmap:72 speex: payload type that cannot be told from RTCP"},
		{"reserved number", codec(0, param(19, "speex", 8000)), "a=rtpmap:19 speex: payload type that is reserved"},
		{"PCMU's number", codec(0, param(0, "opus", 48000)), "a=rtpmap:0 opus: payload type that is assigned to PCMU"},
		{"25 channels", codec(0, jingle.PayloadType{ID: 112, Name: "L16", ClockRate: 48000, Channels: 25}), "more than 16 channels"},
		{"other codecs", both(codec(0, param(8, "pcma", 8000)), codec(1, param(35, "AV1", 90000)), codec(1, param(0, "VP9", 90000)), codec(1, param(111, "H264", 90000))), ""},
		{"rtx of rtx", codec(1, param(112, "rtx", 90000, "apt=97")), "a=rtpmap:112 rtx: the codec that it protects is missing"},
		{"rtx of itself", codec(1, param(112, "rtx", 90000, "apt=112")), "a=rtpmap:112 rtx: the codec that it protects is missing"},
		{"rtx of two", codec(1, param(112, "rtx", 90000, "apt=96", "apt=97")), "a=rtpmap:112 rtx: the codec that it protects is missing"},
		{"parameter not in ASCII", codec(1, param(112, "VP9", 90000, "x=\u00fc")), "no parameter of a format"},
		{"feedback not in ASCII", rtp(1, func(r *jingle.RTP) { r.Feedback = []jingle.Feedback{{Type: "\u00fc"}} }), "no feedback"},
		{"extension 256", exts(0, jingle.HdrExt{ID: 256, URI: audioLevel}), "number that no header extension has"},
		{"extension 4097", exts(0, jingle.HdrExt{ID: 4097, URI: audioLevel}), "number that no header extension has"},
		{"extension twice", exts(0, jingle.HdrExt{ID: 5, URI: audioLevel}, jingle.HdrExt{ID: 6, URI: audioLevel}), "a=extmap:6 " + audioLevel + ": has a number"},
		{"extension and another", exts(0, jingle.HdrExt{ID: 4, URI: audioLevel}), "number is taken"},
		{"extension in the bundle", exts(1, jingle.HdrExt{ID: 4, URI: audioLevel}), "number is taken"},
		{"encrypts nothing", exts(0, jingle.HdrExt{ID: 5, URI: encrypted}), "encrypts no header extension"},
		{"encrypts itself", exts(0, jingle.HdrExt{ID: 5, URI: encrypted, Parameters: []jingle.Parameter{{Name: encrypted}}}), "encrypts no header extension"},
		{"extension not in ASCII", exts(0, jingle.HdrExt{ID: 5, URI: "urn:\u00fc"}), "no URI and number"},
		{"source of nothing", sources(0, src("7", "cname")), "source of which nothing is said"},
		{"source with a flag", sources(0, src("7", "cname=x", "flag")), "a=ssrc:7 flag: no parameter of a source"},
		{"two sources of a sound", sources(0, src("7", "cname=x"), src("8", "cname=y")), "a second source of one sound"},
		{"source of two", both(sources(0, src("7", "cname=x")), sources(1, src("7", "cname=x"))), "a=ssrc:7: source of another content"},
		{"msid of three words", sources(0, src("7", "cname=x", "msid=a b c")), "no parameter of a source"},
		{"msid of two", both(sources(0, src("7", "cname=x", "msid=a b")), sources(1, src("8", "cname=x", "msid=a b"))), trackElsewhere},
		{"stream of two", both(streams(0, jingle.Stream{ID: "s", Track: "t"}), streams(1, jingle.Stream{ID: "s", Track: "t"})), trackElsewhere},
		{"two tracks", streams(0, jingle.Stream{ID: "s", Track: "t"}, jingle.Stream{ID: "u", Track: "v"}), "a=msid:u v: a second track"},
		{"stream not in ASCII", streams(0, jingle.Stream{ID: "\u00fc", Track: "t"}), "no line of an SDP"},
		{"group of a sound", both(sources(0, src("7", "cname=x")), ssrcGroups(0, "SIM 7")), "group of sources of a sound"},
		{"repeated twice", both(three, ssrcGroups(1, "FID 7 8", "FID 7 9")), "a=ssrc-group:FID 7 9: source that leads two such groups"},
		{"repeated by three", both(three, ssrcGroups(1, "FID 7 8 9")), "group that is no pair of sources"},
		{"repeats itself", both(three, ssrcGroups(1, "FID 7 7")), "group that has a source twice"},
		{"simulcast of four", both(sources(1, src("7", "cname=x"), src("8", "cname=x"), src("9", "cname=x"), src("10", "cname=x")), ssrcGroups(1, "SIM 7 8 9 10")), "simulcast of more than three"},
		{"repeated in part", both(three, ssrcGroups(1, "SIM 7 8", "FID 7 9")), "retransmission of some streams"},
		{"simulcast", both(three, ssrcGroups(1, "SIM 7 8 9")), ""},
		{"two bundles", inGroups("BUNDLE a v", "BUNDLE v"), "a=group:BUNDLE v: in another bundle"},
		{"protocol", withData(func(s *jingle.SCTP) { s.Protocol = "x" }), ""},
		{"two associations", both(withData(func(*jingle.SCTP) {}), withData(func(*jingle.SCTP) {})), "a second association for data channels"},
		{"too much bandwidth", bandwidth("AS", "2147483648"), "no bandwidth that browsers take"},
		{"too little bandwidth", bandwidth("AS", "5"), "no bandwidth that browsers take"},
		{"little bandwidth", bandwidth("TIAS", "6000"), ""},
		{"candidate not in ASCII", func(d *jingle.Description) {
			d.Contents[0].ICE.Candidates = []jingle.Candidate{{ID: "x", Foundation: "\u00fc", Component: 1, Protocol: "udp", Priority: 5, IP: "192.0.2.1", Port: 5000, Type: "host", Network: "0"}}
		}, ""},
	}
	return list
}

func three(d *jingle.Description) {
	sources(1, src("7", "cname=x"), src("8", "cname=x"), src("9", "cname=x"))(d)
}

// What browsers refuse is left out or an error, and the SDP has all the rest: both contents.  TestBrowsersTakeOddStanzas shows it to them.
func TestOddStanzas(t *testing.T) {
	for _, o := range odds() {
		d := ordinary("actpass")
		o.change(&d)
		text, _, losses, err := ToSDP(throughXML(t, d, Offer), jingle.Initiator, Offer, nil, Origin{1, 1})
		said := ""
		if err != nil {
			said = err.Error()
		}
		for _, l := range losses {
			said += l.Line + ": " + l.Reason + "\n"
		}
		if o.reason == "" && said != "" || !strings.Contains(said, o.reason) {
			t.Errorf("%s: %q, want %q", o.name, said, o.reason)
		}
		if err == nil && (!has(text, "m=audio 9 UDP/TLS/RTP/SAVPF 111") && !strings.Contains(text, "m=audio 9 UDP/TLS/RTP/SAVPF 111 ") || !strings.Contains(text, "m=video 9 UDP/TLS/RTP/SAVPF 96 97")) {
			t.Errorf("%s:\n%s", o.name, text)
		}
	}
}
