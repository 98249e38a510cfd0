package sdpconv

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
)

func lineStates(l Lines) string {
	var out []string
	for _, x := range l {
		out = append(out, x.Mid+" "+x.Kind+" "+x.State.String())
	}
	return strings.Join(out, ", ")
}

// to writes and fails the test when it cannot.
func to(t *testing.T, contents []jingle.Content, author jingle.Role, typ Type, l Lines) (string, Lines) {
	t.Helper()
	text, after, _, err := ToSDP(jingle.Description{Contents: contents}, author, typ, l, Origin{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	return text, after
}

// A line is used again once both sides had port 0 in it, by any kind, under a mid that was never there.
func TestOfferRecycles(t *testing.T) {
	_, lines := offerAV(t)
	a, v := opus("0"), vp8("1")
	_, lines = to(t, []jingle.Content{a, v}, jingle.Responder, Answer, lines)
	_, lines = to(t, []jingle.Content{a}, jingle.Initiator, Offer, lines)
	if got := lineStates(lines); got != "0 audio live, 1 video rejected" {
		t.Error(got)
	}
	// Not while only one side has port 0.
	if _, early := to(t, []jingle.Content{a, vp8("new")}, jingle.Responder, Offer, lines); lineStates(early) != "0 audio live, 1 video rejected, new video live" {
		t.Error(lineStates(early))
	}
	_, lines = to(t, []jingle.Content{a}, jingle.Responder, Answer, lines)
	if got := lineStates(lines); got != "0 audio live, 1 video free" {
		t.Error(got)
	}
	again := opus("1") // the name of before, another kind
	text, lines := to(t, []jingle.Content{a, again}, jingle.Initiator, Offer, lines)
	if got := lineStates(lines); got != "0 audio live, 2 audio live" || !strings.Contains(text, "a=mid:2") {
		t.Errorf("%s\n%s", got, text)
	}
	if lines.Find(jingle.Initiator, "1") != 1 || !slices.Equal(lines[1].Past, []string{"1"}) {
		t.Errorf("%+v", lines[1])
	}
	_, lines = to(t, []jingle.Content{a, again}, jingle.Responder, Answer, lines)
	if _, open := lines.offerer(); open {
		t.Error("an answered offer is open")
	}
}

// Offers repeat port 0 for a line that is free, and it stays free.
func TestFreeStaysFree(t *testing.T) {
	lines := Lines{{Mid: "0", Name: "0", Kind: "audio"}, {Mid: "1", Name: "1", Kind: "video", State: Free, Proto: "UDP/TLS/RTP/SAVPF", Formats: []string{"96"}}}
	sdp := browserSDP(append(audio("0", "actpass"), "m=video 0 UDP/TLS/RTP/SAVPF 96", "a=mid:1")...)
	_, after, losses, err := FromSDP(sdp, jingle.Initiator, lines)
	if err != nil || after[1].State != Free || len(losses) != 0 {
		t.Errorf("%v, %s, %v", err, lineStates(after), losses)
	}
	text, after := to(t, []jingle.Content{opus("0")}, jingle.Initiator, Offer, lines)
	if after[1].State != Free || !strings.Contains(text, "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n") {
		t.Errorf("%s\n%s", lineStates(after), text)
	}
}

// Whether an SDP is an answer is known from whose offer is open, whatever it says of DTLS.
func TestOfferOrAnswer(t *testing.T) {
	_, lines, _, err := FromSDP(browserSDP(audio("0", "actpass")...), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, after, _, err := FromSDP(browserSDP(audio("0", "actpass")...), jingle.Responder, lines) // a bridge to telephones says actpass
	if err != nil || d.Contents[0].ICE.Fingerprints[0].Setup != jingle.SetupActive || after[0].Offered.Open {
		t.Errorf("%v, %+v, %+v", err, d.Contents, after)
	}
	later := browserSDP(append(audio("0", "active"), audio("1", "active")...)...)
	for _, author := range []jingle.Role{jingle.Initiator, jingle.Responder} {
		d, again, _, err := FromSDP(later, author, after)
		if err != nil || len(d.Contents) != 2 || !again[0].Offered.Open || again[0].Offered.By != author {
			t.Errorf("a later offer of the %s: %v, %+v", author, err, again)
		}
	}
}

// The DTLS role that the first answer gave stays, until a certificate changes.
func TestRoleInForce(t *testing.T) {
	step := func(l Lines, author jingle.Role, setup, print string) (jingle.Setup, Lines) {
		sdp := strings.Replace(browserSDP(audio("0", setup)...), fingerprint, print, 1)
		d, after, _, err := FromSDP(sdp, author, l)
		if err != nil {
			t.Fatal(err)
		}
		return d.Contents[0].ICE.Fingerprints[0].Setup, after
	}
	other := strings.Replace(fingerprint, "0A", "FF", 1)
	_, l := step(nil, jingle.Initiator, "actpass", fingerprint)
	got, l := step(l, jingle.Responder, "active", other)
	if got != jingle.SetupActive {
		t.Error(got)
	}
	_, l = step(l, jingle.Responder, "actpass", other)
	if got, _ = step(l, jingle.Initiator, "active", fingerprint); got != jingle.SetupPassive {
		t.Errorf("the server answers %s", got)
	}
	if got, _ = step(l, jingle.Initiator, "active", other); got != jingle.SetupActive {
		t.Errorf("a new certificate answers %s", got)
	}
	text, _ := to(t, []jingle.Content{opus("0")}, jingle.Initiator, Answer, func() Lines {
		l := slices.Clone(l)
		l[0].DTLS.Print[jingle.Initiator] = fingerprint
		return l
	}())
	if !has(text, "a=setup:passive") {
		t.Error(text)
	}
	text, _ = to(t, []jingle.Content{opus("0")}, jingle.Initiator, Offer, l)
	if !has(text, "a=setup:actpass") {
		t.Errorf("a later offer:\n%s", text)
	}
}

// What is in the bundle only is rejected by an answer that does not bundle.
func TestAnswerToBundleOnly(t *testing.T) {
	sdp := browserSDP(append(append([]string{"a=group:BUNDLE 0 1"}, audio("0", "actpass")...),
		"m=video 0 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:1", "a=bundle-only", "a=rtcp-mux", "a=rtpmap:96 VP8/90000")...)
	_, lines, _, err := FromSDP(sdp, jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := jingle.Description{Contents: []jingle.Content{opus("0"), vp8("1")}}
	text, after, losses, err := ToSDP(d, jingle.Responder, Answer, lines, Origin{1, 1})
	if err != nil || after[1].State != Rejected || !lossOf(losses, repairBundleOnly) {
		t.Errorf("%v, %v\n%s", err, losses, text)
	}
	d.Groups = []jingle.Group{{Semantics: "BUNDLE", Names: []string{"0", "1"}}}
	if text, after, _, err = ToSDP(d, jingle.Responder, Answer, lines, Origin{1, 1}); err != nil || after[1].State != Live || !has(text, "a=group:BUNDLE 0 1") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestInventedMids(t *testing.T) {
	var sections []string
	for _, mid := range []string{"", "audio2", ""} {
		for _, l := range audio(mid, "actpass") {
			if l != "a=mid:" {
				sections = append(sections, l)
			}
		}
	}
	d, lines, _, err := FromSDP(browserSDP(sections...), jingle.Initiator, nil)
	if err != nil || lineStates(lines) != "audio audio live, audio2 audio live, audio3 audio live" || d.Contents[2].Name != "audio3" {
		t.Fatalf("%v, %s", err, lineStates(lines))
	}
	answer := strings.ReplaceAll(browserSDP(sections...), "actpass", "active")
	if d, _, _, err = FromSDP(answer, jingle.Responder, lines); err != nil || fmt.Sprint(d.Contents[0].Name, d.Contents[2].Name) != "audioaudio3" {
		t.Errorf("%v, %+v", err, d.Contents)
	}
}

// Two contents of one name are two if their creators differ, else alternatives, of which SDP has one.
func TestSameName(t *testing.T) {
	theirs := vp8("x")
	theirs.Creator = jingle.Responder
	_, lines := to(t, []jingle.Content{opus("x"), theirs}, jingle.Initiator, Offer, nil)
	if lineStates(lines) != "x audio live, 1 video live" {
		t.Error(lineStates(lines))
	}
	_, _, losses, err := ToSDP(jingle.Description{Contents: []jingle.Content{opus("x"), opus("x")}}, jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil || !lossOf(losses, "an alternative") {
		t.Errorf("%v, %v", err, losses)
	}
	one := opus("x")
	_, lines = to(t, []jingle.Content{one}, jingle.Initiator, Offer, nil)
	if _, lines = to(t, []jingle.Content{one, theirs}, jingle.Responder, Offer, lines); lineStates(lines) != "x audio live, 1 video live" {
		t.Error(lineStates(lines))
	}
}

func TestSeveralBundles(t *testing.T) {
	d := jingle.Description{Contents: []jingle.Content{opus("a"), vp8("b"), opus("c"), vp8("d")}, Groups: []jingle.Group{
		{Semantics: "BUNDLE", Names: []string{"a", "b"}}, {Semantics: "BUNDLE", Names: []string{"c", "d"}}, {Semantics: "LS", Names: []string{"a", "b", "gone"}},
	}}
	d.Contents[1].ICE, d.Contents[3].ICE = &jingle.Transport{}, nil
	d.Contents[2].ICE.Ufrag = "other"
	text, _, losses, err := ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil || strings.Count(text, "a=ice-ufrag:other") != 2 || strings.Count(text, "a=ice-ufrag:peer") != 2 || !has(text, "a=group:LS a b") {
		t.Errorf("%v, %v\n%s", err, losses, text)
	}
}
