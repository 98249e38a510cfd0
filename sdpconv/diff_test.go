package sdpconv

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
)

// brief is a stanza in a line: the action, then each content with senders, media where it is described, and what its transport has.
func brief(a jingle.Stanza) string {
	out := string(a.Action)
	for _, c := range a.Contents {
		out += " " + c.Name + ":" + string(c.Senders)
		if c.RTP != nil {
			out += fmt.Sprintf(" %s(%d)", c.RTP.Media, len(c.RTP.PayloadTypes))
		}
		if c.ICE != nil {
			out += fmt.Sprintf(" ice(%s %d)", c.ICE.Ufrag, len(c.ICE.Candidates))
		}
	}
	if names := bundle(a.Groups); names != nil {
		out += " bundle " + strings.Join(names, " ")
	}
	return out
}

// bundledVideo is bundled audio and video, accepted.
func bundledVideo(t testing.TB) jingle.Session {
	t.Helper()
	s, err := play(t, bundledAudio(t),
		action{initiator, jingle.ContentAdd, media("initiator", "v", "both", "ini0", "actpass") + group("a", "v")},
		action{responder, jingle.ContentAccept, media("initiator", "v", "both", "res0", "active") + group("a", "v")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func profile(t testing.TB, name string) jingle.Profile {
	t.Helper()
	p, ok := jingle.ProfileNamed(name)
	if !ok {
		t.Fatalf("no profile %s", name)
	}
	return p
}

// wishes is what a party may wish of bundledVideo.
var wishes = map[string]func(c *change){
	"no video": func(c *change) { c.remove(1) },
	"camera off": func(c *change) {
		c.Contents[1].Senders = jingle.SendersOf(c.by != jingle.Initiator, c.by != jingle.Responder)
	},
	"hold": func(c *change) {
		for i := range c.Contents {
			c.Contents[i].Senders = jingle.SendersOf(c.by == jingle.Initiator, c.by == jingle.Responder)
		}
	},
	"screen": func(c *change) {
		x := *c.said(1, c.by)
		x.Creator, x.Name = c.by, "w"
		c.add(x, true)
		c.Of[c.by].Groups = []jingle.Group{{Semantics: "BUNDLE", Names: []string{"a", "v", "w"}}}
	},
	"restart": func(c *change) {
		for i := range c.Contents {
			ice := *c.said(i, c.by).ICE
			ice.Ufrag, ice.Pwd = "new0", "new-password-password-pass"
			ice.Candidates = []jingle.Candidate{{Component: 1, Foundation: "1", IP: "192.0.2.1", Port: 9, Protocol: "udp", Type: "host", Generation: 1}}
			c.said(i, c.by).ICE = &ice
		}
	},
	"certificate": func(c *change) {
		for i := range c.Contents {
			ice := withSetup(*c.said(i, c.by).ICE, jingle.SetupActpass)
			ice.Fingerprints[0].Value = "CD:CD"
			c.said(i, c.by).ICE = &ice
		}
	},
	"codec": func(c *change) {
		rtp := *c.said(1, c.by).RTP
		rtp.PayloadTypes = append(slices.Clone(rtp.PayloadTypes), jingle.PayloadType{ID: 97, Name: "VP9", ClockRate: 90000})
		c.said(1, c.by).RTP = &rtp
	},
}

// What each client is told of a wish, and what it cannot be told.
func TestDiffByProfile(t *testing.T) {
	for _, test := range []struct {
		client, wish string
		by           jingle.Role
		want         []string
		lost         string
	}{
		{"Unknown", "no video", initiator, []string{"content-remove v:both video(0) ice( 0)"}, ""},
		{"Unknown", "screen", initiator, []string{"content-add w:both video(1) ice(ini0 0) bundle a v w"}, ""},
		{"Unknown", "hold", initiator, []string{"content-modify a:initiator", "content-modify v:initiator"}, ""},
		{"Unknown", "restart", responder, []string{"transport-info a:both ice(new0 1) v:both ice(new0 1)"}, ""},
		{"Unknown", "codec", initiator, []string{"description-info v:both video(1)"}, ""},
		{"Unknown", "certificate", initiator, nil, "no new fingerprint inside"},
		{"Dino", "no video", initiator, []string{"content-modify v:responder"}, "no content-remove"},
		{"Dino", "camera off", responder, []string{"content-modify v:initiator"}, ""},
		{"Dino", "hold", initiator, nil, "no content-modify of its own sending"},
		{"Dino", "screen", initiator, []string{"content-add w:both video(1) ice(ini0 0)"}, ""},
		{"Dino", "restart", initiator, nil, "takes no ICE restart"},
		{"Dino", "codec", initiator, nil, "nothing with description-info"},
		{"Conversations", "no video", initiator, []string{"content-modify v:responder"}, "no content-remove"},
		{"Conversations", "screen", initiator, []string{"content-add w:both video(1) ice( 0) bundle a v w"}, ""},
		{"Conversations", "restart", initiator, []string{
			"transport-info a:both ice(new0 0) v:both ice(new0 0)", "transport-info a:both ice(new0 1)", "transport-info v:both ice(new0 1)",
		}, ""},
		{"Conversations 2.12", "camera off", initiator, nil, "takes no content-modify"},
		{"Movim", "camera off", initiator, []string{"content-modify a:both audio(1) ice(ini0 0) v:responder video(1) ice(ini0 0)"}, ""},
		{"Monal", "screen", initiator, nil, "takes no content-add"},
		{"stanza", "screen", initiator, nil, "takes no content-add"},
		{"stanza", "restart", initiator, []string{"transport-info a:both ice(new0 1) v:both ice(new0 1)"}, ""},
		{"stanza", "restart", responder, nil, "takes no ICE restart"},
		{"Siskin", "no video", initiator, []string{"content-remove v:both video(0) ice( 0)"}, ""},
	} {
		from := bundledVideo(t)
		c := begin(from, test.by)
		wishes[test.wish](c)
		actions, losses := Diff(from, c.Session, test.by, profile(t, test.client))
		var got []string
		for _, a := range actions {
			got = append(got, brief(a))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s, %s by the %s:\n got %q\nwant %q", test.client, test.wish, test.by, got, test.want)
		}
		told := slices.ContainsFunc(losses, func(l Loss) bool { return test.lost != "" && strings.Contains(l.Reason, test.lost) })
		if told != (test.lost != "") || !told && len(losses) > 0 {
			t.Errorf("%s, %s: lost %v", test.client, test.wish, losses)
		}
	}
}

// What each client is answered when it adds a content, and the browser takes it, takes less, or does not take it.
func TestDiffAnswers(t *testing.T) {
	add := action{responder, jingle.ContentAdd, media("responder", "w", "both", "res0", "actpass") + group("a", "v", "w")}
	for _, test := range []struct {
		client, senders string
		want            []string
	}{
		{"Unknown", "both", []string{"content-accept w:both video(1) ice(ini0 0) bundle a v w"}},
		{"Unknown", "", []string{"content-reject w:both video(0) ice( 0)"}},
		{"Conversations", "responder", []string{"content-modify w:responder", "content-accept w:responder video(1) ice( 0) bundle a v w"}},
		{"Conversations 2.12", "responder", []string{"content-accept w:responder video(1) ice( 0) bundle a v w"}},
		{"Dino", "none", []string{"content-modify w:responder", "content-accept w:responder video(1) ice(ini0 0)"}},
		{"Movim", "both", []string{"session-accept a:both audio(1) ice(ini0 0) v:both video(1) ice(ini0 0) w:both video(1) ice(ini0 0) bundle a v w"}},
	} {
		from, err := play(t, bundledVideo(t), add)
		if err != nil {
			t.Fatal(err)
		}
		d := Describe(from, initiator, Answer)
		if test.senders != "" {
			c := *from.Said(2, responder)
			c.ICE, c.Senders = from.Said(0, initiator).ICE, jingle.Senders(test.senders)
			d.Contents = append(d.Contents, c)
			d.Groups = []jingle.Group{{Semantics: "BUNDLE", Names: []string{"a", "v", "w"}}}
		}
		actions, _ := Diff(from, Respond(from, initiator, d), initiator, profile(t, test.client))
		var got []string
		at := from
		for _, a := range actions {
			got = append(got, brief(a))
			if at, err = Apply(at, a, initiator); err != nil {
				t.Errorf("%s: %v", brief(a), err)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s, %q:\n got %q\nwant %q", test.client, test.senders, got, test.want)
		}
		if at.Pending(responder) {
			t.Errorf("%s: still pending", test.client)
		}
	}
}

// Conversations ends the call over a session-accept without a medium that it offered: what the browser rejects stands there all the same.
func TestDiffWholeAccept(t *testing.T) {
	s, err := play(t, jingle.Session{}, action{initiator, jingle.SessionInitiate,
		media("initiator", "a", "both", "ini0", "actpass") + media("initiator", "v", "both", "ini0", "actpass") + group("a", "v")})
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Said(0, initiator)
	ice := withSetup(*c.ICE, jingle.SetupActive)
	ice.Ufrag = "res0"
	c.ICE = &ice
	d := jingle.Description{Contents: []jingle.Content{c}, Groups: []jingle.Group{{Semantics: "BUNDLE", Names: []string{"a"}}}}
	for client, want := range map[string]string{
		"Conversations": "session-accept a:both audio(1) ice(res0 0) v:initiator video(1) ice(res0 0) bundle a",
		"Dino":          "session-accept a:both audio(1) ice(res0 0)",
	} {
		actions, losses := Diff(s, Respond(s, responder, d), responder, profile(t, client))
		if len(actions) != 1 || brief(actions[0]) != want {
			t.Errorf("%s: %v", client, texts(actions))
		}
		if client == "Conversations" && len(losses) == 0 {
			t.Errorf("%s: nothing is told of the video that is not rejected", client)
		}
	}
}

// An ICE restart of the peer is answered with credentials and candidates in one stanza, whatever the client takes itself.
func TestDiffAnswersRestart(t *testing.T) {
	s, err := play(t, bundledVideo(t), action{responder, jingle.TransportInfo,
		info("a", "ufrag='res1' pwd='new-password-password-pass'", "") + info("v", "ufrag='res1' pwd='new-password-password-pass'", "")})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Contents[0].ICE[initiator].Owed || s.Contents[0].ICE[responder].Owed || !Renegotiates(bundledVideo(t), s, responder) {
		t.Fatalf("no restart: %+v", s.Contents)
	}
	c := begin(Respond(s, initiator, Describe(s, initiator, Answer)), initiator)
	wishes["restart"](c)
	for _, client := range []string{"Conversations", "stanza", "Dino"} {
		actions, losses := Diff(s, c.Session, initiator, profile(t, client))
		if len(actions) != 1 || len(losses) > 0 || brief(actions[0]) != "transport-info a:both ice(new0 1) v:both ice(new0 1)" {
			t.Errorf("%s: %v %v", client, texts(actions), losses)
			continue
		}
		after, err := Apply(s, actions[0], initiator)
		if err != nil || after.Contents[0].ICE[initiator].Owed || after.Contents[0].ICE[responder].Owed {
			t.Errorf("%s: %v %+v", client, err, after.Contents)
		}
	}
}

// A browser's offer repeats the wish that was not granted: it is asked once.
func TestProposeRepeatedWish(t *testing.T) {
	s, err := play(t, bundledVideo(t), action{responder, jingle.ContentModify, "<content creator='initiator' name='v' senders='initiator'/>"})
	if err != nil {
		t.Fatal(err)
	}
	offer := Describe(bundledVideo(t), initiator, Offer)
	want, _ := Propose(s, initiator, offer)
	if actions, losses := Diff(s, want, initiator, able); len(actions)+len(losses) > 0 {
		t.Errorf("a wish is repeated: %v %v", texts(actions), losses)
	}
	// Held: we want nothing; resumed: all that may be.
	offer.Contents[1].Senders = jingle.SendersNone
	held, _ := Propose(s, initiator, offer)
	actions, _ := Diff(s, held, initiator, able)
	if len(actions) != 1 || brief(actions[0]) != "content-modify v:none" {
		t.Fatalf("hold: %v", texts(actions))
	}
	if s, err = Apply(s, actions[0], initiator); err != nil {
		t.Fatal(err)
	}
	s = Settle(s, held, initiator)
	offer.Contents[1].Senders = jingle.SendersBoth
	resumed, _ := Propose(s, initiator, offer)
	if actions, _ = Diff(s, resumed, initiator, able); len(actions) != 1 || brief(actions[0]) != "content-modify v:both" {
		t.Errorf("resume: %v", texts(actions))
	}
}

// A restart that the peer never answers is no longer owed when the exchange is closed, and its next credentials are a restart of its own.
func TestSettleUnansweredRestart(t *testing.T) {
	from := bundledVideo(t)
	c := begin(from, initiator)
	wishes["restart"](c)
	actions, _ := Diff(from, c.Session, initiator, able)
	s, err := Apply(from, actions[0], initiator)
	if err != nil || !s.Contents[0].ICE[responder].Owed {
		t.Fatalf("%v %+v", err, s.Contents)
	}
	s = Settle(s, c.Session, initiator)
	s, err = play(t, s, action{responder, jingle.TransportInfo, info("a", "ufrag='res1' pwd='new-password-password-pass'", "")})
	if err != nil || !s.Contents[0].ICE[initiator].Owed || s.Contents[0].ICE[responder].Owed {
		t.Errorf("%v %+v", err, s.Contents)
	}
}

// A browser that answered offers all that it can do again, with its DTLS role open.  What the peer has not is no change, and the role
// stays.
func TestProposeOffersAgain(t *testing.T) {
	s := bundledVideo(t)
	offer := Describe(s, responder, Offer)
	rtp := *offer.Contents[1].RTP
	rtp.PayloadTypes = append(slices.Clone(rtp.PayloadTypes), jingle.PayloadType{ID: 98, Name: "H265", ClockRate: 90000})
	rtp.PayloadTypes[0].Feedback = []jingle.Feedback{{Type: "goog-remb"}}
	rtp.HdrExts = []jingle.HdrExt{{ID: 5, URI: "urn:example:new"}}
	rtp.AllowMixed, rtp.RTCPReducedSize = true, true
	offer.Contents[1].RTP = &rtp
	want, _ := Propose(s, responder, offer)
	if actions, losses := Diff(s, want, responder, able); len(actions)+len(losses) > 0 {
		t.Errorf("%v %v", texts(actions), losses)
	}
	if got := roleOf(want.Said(0, responder).ICE); got != jingle.SetupActive {
		t.Errorf("the role is %q", got)
	}
}

// An answer that could not be wider than its offer refuses nothing: the browser's next offer says what it said before.
func TestRespondKeepsWish(t *testing.T) {
	s, err := play(t, bundledVideo(t), action{responder, jingle.ContentModify, "<content creator='initiator' name='v' senders='initiator'/>"})
	if err != nil {
		t.Fatal(err)
	}
	wished := Describe(bundledVideo(t), initiator, Offer)
	answered := Respond(s, initiator, Describe(s, initiator, Answer))
	s = Settle(s, answered, initiator)
	want, _ := Propose(s, initiator, wished)
	if actions, _ := Diff(s, want, initiator, able); len(actions) > 0 {
		t.Errorf("%v", texts(actions))
	}
}

// Candidates of a restart come after the description that restarts: libwebrtc drops the working pair if they are in it.
func TestDescribeRestart(t *testing.T) {
	restarted := info("a", "ufrag='res1' pwd='new-password-password-pass'", candidate(1))
	s, err := play(t, bundledAudio(t), action{responder, jingle.TransportInfo, restarted})
	if err != nil {
		t.Fatal(err)
	}
	if c := Describe(s, responder, Offer).Contents[0].ICE; len(c.Candidates) > 0 || c.Ufrag != "res1" || c.Fingerprints[0].Setup != jingle.SetupActpass {
		t.Errorf("%+v", c)
	}
	if c := Describe(s, responder, Answer).Contents[0].ICE; len(c.Candidates) != 1 || c.Fingerprints[0].Setup != jingle.SetupActive {
		t.Errorf("%+v", c)
	}
}
