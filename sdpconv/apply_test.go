package sdpconv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	initiator = jingle.Initiator
	responder = jingle.Responder
)

// media is the text of a content with its own or the group's transport.
func media(creator, name, senders, ufrag, setup string) string {
	transport := "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>"
	if ufrag != "" {
		transport = fmt.Sprintf("<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='%s' pwd='%s-password-password-pass'>"+
			"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='%s'>%s</fingerprint></transport>",
			ufrag, ufrag, setup, strings.TrimSuffix(strings.Repeat("AB:", 32), ":"))
	}
	kind := "video"
	if strings.HasPrefix(name, "a") {
		kind = "audio"
	}
	return fmt.Sprintf("<content creator='%s' name='%s' senders='%s'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='%s'>"+
		"<payload-type id='96' name='VP8' clockrate='90000'/><rtcp-mux/></description>%s</content>", creator, name, senders, kind, transport)
}

func group(names ...string) string {
	out := "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'>"
	for _, n := range names {
		out += "<content name='" + n + "'/>"
	}
	return out + "</group>"
}

func info(name, attrs, children string) string {
	return "<content creator='initiator' name='" + name + "'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' " + attrs + ">" + children + "</transport></content>"
}

func candidate(port int) string {
	return fmt.Sprintf("<candidate component='1' foundation='1' generation='0' id='c%d' ip='192.0.2.1' network='0' port='%d' priority='1' protocol='udp' type='host'/>", port, port)
}

// action is what a party does, as text.
type action struct {
	by   jingle.Role
	kind jingle.Action
	body string
}

func (a action) stanza(t testing.TB) jingle.Stanza {
	t.Helper()
	e, err := element.Parse([]byte("<jingle xmlns='urn:xmpp:jingle:1' sid='s' action='"+string(a.kind)+"'>"+a.body+"</jingle>"), element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s, jerr := jingle.ParseStanza(e)
	if jerr != nil {
		t.Fatal(jerr)
	}
	return s
}

// play takes actions one after the other and returns the error of the last.
func play(t testing.TB, s jingle.Session, actions ...action) (jingle.Session, error) {
	t.Helper()
	for i, a := range actions {
		next, err := Apply(s, a.stanza(t), a.by)
		if err != nil && i < len(actions)-1 {
			t.Fatalf("%s: %v", a.kind, err)
		}
		if err != nil {
			if !equal(next, s) {
				t.Errorf("%s: refused, and the session changed", a.kind)
			}
			return s, err
		}
		s = next
	}
	return s, nil
}

// The session from which the tables go: bundled audio, accepted.
func bundledAudio(t testing.TB) jingle.Session {
	t.Helper()
	s, err := play(t, jingle.Session{},
		action{initiator, jingle.SessionInitiate, media("initiator", "a", "both", "ini0", "actpass") + group("a")},
		action{responder, jingle.SessionAccept, media("initiator", "a", "both", "res0", "active") + group("a")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// summary is a session in a line: names with senders, proposals marked by who has them, ufrags of both parties.
func summary(s jingle.Session) string {
	var out []string
	for i, x := range s.Contents {
		text := x.Name + ":" + string(x.Senders)
		for r := range s.Of {
			c := s.Said(i, jingle.Role(r))
			switch {
			case c == nil:
				text += " -"
			case c.ICE != nil:
				text += fmt.Sprintf(" %s/%s/%d", c.ICE.Ufrag, roleOf(c.ICE), len(c.ICE.Candidates))
			}
		}
		if x.Pending {
			text += " pending"
		}
		if x.Replacement != nil {
			text += " replacement"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestApply(t *testing.T) {
	offerVideo := action{initiator, jingle.ContentAdd, media("initiator", "v", "both", "ini0", "actpass") + group("a", "v")}
	const audio = "a:both ini0/passive/0 res0/active/0"
	for _, test := range []struct {
		name    string
		actions []action
		want    string
	}{
		{"content-add is pending", []action{offerVideo}, audio + ", v:both ini0/passive/0 - pending"},
		{"and accepted", []action{offerVideo, {responder, jingle.ContentAccept, media("initiator", "v", "both", "res0", "active") + group("a", "v")}}, audio + ", v:both ini0/passive/0 res0/active/0"},
		{"with a narrower direction (Dino)", []action{offerVideo, {responder, jingle.ContentAccept, media("initiator", "v", "initiator", "res0", "active")}}, audio + ", v:initiator ini0/passive/0 res0/active/0"},
		{"not with a wider one", []action{
			{initiator, jingle.ContentAdd, media("initiator", "v", "initiator", "ini0", "actpass") + group("a", "v")},
			{responder, jingle.ContentAccept, media("initiator", "v", "both", "res0", "active")},
		}, audio + ", v:initiator ini0/passive/0 res0/active/0"},
		{"narrowed while it is pending", []action{offerVideo, {responder, jingle.ContentModify, "<content creator='initiator' name='v' senders='initiator'/>"}}, audio + ", v:initiator ini0/passive/0 - pending"},
		{"rejected", []action{offerVideo, {responder, jingle.ContentReject, "<content creator='initiator' name='v'/>"}}, audio},
		{"withdrawn", []action{offerVideo, {initiator, jingle.ContentRemove, "<content creator='initiator' name='v'/>"}}, audio},
		{"named by a wrong creator (Dino)", []action{
			{responder, jingle.ContentAdd, media("responder", "v", "responder", "res0", "actpass") + group("a", "v")},
			{initiator, jingle.ContentAccept, media("initiator", "v", "responder", "ini0", "passive") + group("a", "v")},
		}, audio + ", v:responder ini0/passive/0 res0/active/0"},
		{"stubs on both sides (Conversations)", []action{
			{responder, jingle.ContentAdd, media("responder", "v", "both", "", "") + group("a", "v")},
			{initiator, jingle.ContentAccept, media("responder", "v", "both", "", "")},
		}, audio + ", v:both ini0/passive/0 res0/active/0"},
		{"answered by session-accept (Movim)", []action{offerVideo, {responder, jingle.SessionAccept, media("initiator", "a", "both", "res0", "active") + media("initiator", "v", "both", "res0", "active") + group("a", "v")}}, audio + ", v:both ini0/passive/0 res0/active/0"},
		{"and not taken by one", []action{offerVideo, {responder, jingle.SessionAccept, media("initiator", "a", "both", "res0", "active") + group("a")}}, audio},
		{"unbundled, each with a DTLS role of its own (Dino)", []action{
			{responder, jingle.ContentAdd, media("responder", "v", "responder", "res1", "actpass")},
			{initiator, jingle.ContentAccept, media("responder", "v", "responder", "ini1", "active")},
		}, audio + ", v:responder ini1/active/0 res1/passive/0"},
		{"the initiator's content counts where both add one", []action{
			{responder, jingle.ContentAdd, media("initiator", "v", "responder", "res0", "actpass")}, offerVideo,
		}, audio + ", v:both ini0/passive/0 - pending"},
		{"hold", []action{{initiator, jingle.ContentModify, "<content creator='initiator' name='a' senders='none'/>"}}, "a:none ini0/passive/0 res0/active/0"},
		{"a whole new description (Movim)", []action{{responder, jingle.ContentModify, media("initiator", "a", "responder", "res9", "actpass")}}, "a:responder ini0/passive/0 res9/active/0"},
		{"removed", []action{{responder, jingle.ContentRemove, "<content creator='initiator' name='a'/>"}}, ""},
		{"a candidate", []action{{responder, jingle.TransportInfo, info("a", "ufrag='res0' pwd='res0-password-password-pass'", candidate(1)+candidate(2)+candidate(1))}}, "a:both ini0/passive/0 res0/active/2"},
		{"a candidate with the ufrag alone (stanza)", []action{{responder, jingle.TransportInfo, info("a", "ufrag='res0'", candidate(1))}}, "a:both ini0/passive/0 res0/active/1"},
		{"a candidate of unknown credentials", []action{{responder, jingle.TransportInfo, info("a", "ufrag='what'", candidate(1))}}, audio},
		{"ICE restart", []action{
			{responder, jingle.TransportInfo, info("a", "ufrag='res0' pwd='res0-password-password-pass'", candidate(1))},
			{responder, jingle.TransportInfo, info("a", "ufrag='res1' pwd='new-password-password-pass'", candidate(2))},
			{responder, jingle.TransportInfo, info("a", "ufrag='res0' pwd='res0-password-password-pass'", candidate(3))},
		}, "a:both ini0/passive/0 res1/active/1"},
		{"ICE restart of what is bundled (Conversations)", []action{offerVideo,
			{responder, jingle.ContentAccept, media("initiator", "v", "both", "", "") + group("a", "v")},
			{initiator, jingle.TransportInfo, info("a", "ufrag='ini1' pwd='new-password-password-pass'", "")},
		}, "a:both ini1/passive/0 res0/active/0, v:both ini1/passive/0 res0/active/0"},
		{"transport-replace", []action{{initiator, jingle.TransportReplace, media("initiator", "a", "both", "ini5", "actpass")}}, audio + " replacement"},
		{"accepted", []action{
			{initiator, jingle.TransportReplace, media("initiator", "a", "both", "ini5", "actpass")},
			{responder, jingle.TransportAccept, media("initiator", "a", "both", "res5", "passive")},
		}, "a:both ini5/active/0 res5/passive/0"},
		{"rejected", []action{
			{initiator, jingle.TransportReplace, media("initiator", "a", "both", "ini5", "actpass")},
			{responder, jingle.TransportReject, "<content creator='initiator' name='a'/>"},
		}, audio},
		{"advice", []action{{responder, jingle.SessionInfo, ""}, {initiator, jingle.SecurityInfo, ""}}, audio},
		{"over", []action{{responder, jingle.SessionTerminate, ""}}, ""},
	} {
		s, err := play(t, bundledAudio(t), test.actions...)
		if got := summary(s); err != nil || got != test.want {
			t.Errorf("%s: %v\n got %s\nwant %s", test.name, err, got, test.want)
		}
		var net connection
		net.check(t, s)
	}
}

func TestApplyRefuses(t *testing.T) {
	video := media("initiator", "v", "both", "ini0", "actpass")
	add := action{initiator, jingle.ContentAdd, video + group("a", "v")}
	replace := action{initiator, jingle.TransportReplace, media("initiator", "a", "both", "ini5", "actpass")}
	many := ""
	for i := range MaxLines {
		many += media("initiator", fmt.Sprint("v", i), "both", "ini0", "actpass")
	}
	for _, test := range []struct {
		name    string
		actions []action
		want    *jingle.Error
	}{
		{"a second initiate", []action{{initiator, jingle.SessionInitiate, video}}, jingle.ErrOutOfOrder},
		{"unknown content", []action{{responder, jingle.ContentRemove, "<content creator='initiator' name='x'/>"}}, jingle.ErrNoContent},
		{"accept of nothing proposed", []action{{responder, jingle.ContentAccept, media("initiator", "a", "both", "res0", "active")}}, jingle.ErrOutOfOrder},
		{"accept of one's own", []action{add, {initiator, jingle.ContentAccept, video}}, jingle.ErrOutOfOrder},
		{"reject of one's own", []action{add, {initiator, jingle.ContentReject, "<content creator='initiator' name='v'/>"}}, jingle.ErrOutOfOrder},
		{"accept with another medium", []action{add, {responder, jingle.ContentAccept, strings.Replace(video, "'video'", "'audio'", 1)}}, jingle.ErrBadRequest},
		{"the same content again", []action{{responder, jingle.ContentAdd, media("initiator", "a", "both", "res0", "actpass")}}, jingle.ErrBadRequest},
		{"tie of content-add", []action{add, {responder, jingle.ContentAdd, strings.ReplaceAll(video, "ini0", "res0")}}, jingle.ErrTieBreak},
		{"tie of transport-replace", []action{replace, {responder, jingle.TransportReplace, media("initiator", "a", "both", "res5", "actpass")}}, jingle.ErrTieBreak},
		{"no transport for a stub", []action{
			{initiator, jingle.ContentRemove, "<content creator='initiator' name='a'/>"},
			{initiator, jingle.ContentAdd, media("initiator", "v", "both", "", "") + group("a", "v")},
		}, jingle.ErrNotAcceptable},
		{"too many contents", []action{{initiator, jingle.ContentAdd, many}}, jingle.ErrTooMuch},
		{"another fingerprint", []action{{responder, jingle.TransportInfo, info("a", "ufrag='res0'",
			"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>"+strings.TrimSuffix(strings.Repeat("CD:", 32), ":")+"</fingerprint>")}}, jingle.ErrNotAcceptable},
		{"transport-accept of nothing", []action{{responder, jingle.TransportAccept, media("initiator", "a", "both", "res5", "passive")}}, jingle.ErrOutOfOrder},
		{"transport-reject of one's own", []action{replace, {initiator, jingle.TransportReject, "<content creator='initiator' name='a'/>"}}, jingle.ErrOutOfOrder},
		{"description-info ahead of the accept", []action{add, {responder, jingle.DescriptionInfo, video}}, jingle.ErrOutOfOrder},
	} {
		_, err := play(t, bundledAudio(t), test.actions...)
		var refusal *jingle.Error
		if !errors.Is(err, test.want) || !errors.As(err, &refusal) || refusal.Type == "" {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	if _, err := Apply(jingle.Session{}, jingle.Stanza{Action: "content-explode"}, initiator); !errors.Is(err, jingle.ErrBadRequest) {
		t.Errorf("unknown action: %v", err)
	}
	if _, err := Apply(jingle.Session{}, action{responder, jingle.SessionInitiate, video}.stanza(t), responder); !errors.Is(err, jingle.ErrOutOfOrder) {
		t.Errorf("the responder initiates: %v", err)
	}
}

// A group that only one party has is not agreed on: the contents share no transport, though the credentials are the same.
func TestApplyUnbundled(t *testing.T) {
	s, err := play(t, jingle.Session{},
		action{initiator, jingle.SessionInitiate, media("initiator", "a", "both", "ini0", "actpass")},
		action{responder, jingle.SessionAccept, media("initiator", "a", "both", "res0", "active") + group("a")},
		action{responder, jingle.ContentAdd, media("responder", "v", "both", "res0", "actpass") + group("a", "v")},
		action{initiator, jingle.ContentAccept, media("responder", "v", "both", "ini1", "active")},
		action{responder, jingle.TransportInfo, info("a", "ufrag='res1' pwd='new-password-password-pass'", "")})
	if got, want := summary(s), "a:both ini0/passive/0 res1/active/0, v:both ini1/active/0 res0/passive/0"; err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

// Candidates that come ahead of an accept belong to it, and there are never more than MaxCandidates.
func TestApplyCandidates(t *testing.T) {
	s, err := play(t, jingle.Session{},
		action{initiator, jingle.SessionInitiate, media("initiator", "a", "both", "ini0", "actpass")},
		action{responder, jingle.TransportInfo, info("a", "ufrag='res0' pwd='res0-password-password-pass'", candidate(1))},
		action{responder, jingle.SessionAccept, media("initiator", "a", "both", "res0", "active")})
	if got := summary(s); err != nil || got != "a:both ini0/passive/0 res0/active/1" {
		t.Errorf("%v: %s", err, got)
	}
	for port := range 2 * MaxCandidates {
		s, err = play(t, s, action{responder, jingle.TransportInfo, info("a", "ufrag='res0'", candidate(2+port))})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.Said(0, responder).ICE.Candidates); got != MaxCandidates {
		t.Errorf("%d candidates", got)
	}
}

// Jitsi's sources become contents that the party alone sends, one for each track, and go again.
func TestApplySources(t *testing.T) {
	source := func(ssrc, track string) string {
		return "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='" + ssrc + "'><parameter name='msid' value='s " + track + "'/></source>"
	}
	body := func(sources string) string {
		return "<content creator='initiator' name='a'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" + sources + "</description></content>"
	}
	s := bundledAudio(t)
	added, err := play(t, s, action{initiator, jingle.SourceAdd, body(source("1", "x") + source("2", "y") + source("3", "y"))})
	if got, want := summary(added), "a:both ini0/passive/0 res0/active/0, a-1:initiator ini0/passive/0 -"; err != nil || got != want {
		t.Fatalf("%v\n got %s\nwant %s", err, got, want)
	}
	if !Renegotiates(s, added, initiator) || len(added.Said(1, initiator).RTP.Sources) != 2 {
		t.Errorf("%+v", added.Said(1, initiator).RTP)
	}
	offer, lines, _, err := ToSDP(Describe(added, initiator, Offer), initiator, Offer, nil, Origin{1, 1})
	if err != nil || !strings.Contains(offer, "a=group:BUNDLE a a-1") || len(lines) != 2 {
		t.Errorf("%v\n%s", err, offer)
	}
	// No action names what the sources made: neither our answer to it nor its end.
	answered := Respond(added, responder, jingle.Description{Contents: append(added.Of[responder].Contents, *added.Said(1, initiator)), Groups: added.Of[initiator].Groups})
	if actions, _ := Diff(added, answered, responder, able); len(actions) > 0 {
		t.Errorf("%v", texts(actions))
	}
	gone, err := play(t, added, action{initiator, jingle.SourceRemove, body(source("2", "y") + source("3", "y") + source("1", "x"))})
	if got, want := summary(gone), "a:responder ini0/passive/0 res0/active/0"; err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

// Ties are the same action upon the same content, and two restarts; all else may cross.
func TestTie(t *testing.T) {
	s := bundledAudio(t)
	restart := func(by jingle.Role, ufrag string) action {
		return action{by, jingle.TransportInfo, info("a", "ufrag='"+ufrag+"' pwd='new-password-password-pass'", "")}
	}
	video := action{initiator, jingle.ContentAdd, media("initiator", "v", "both", "ini0", "actpass")}
	modify := "<content creator='initiator' name='a' senders='none'/>"
	for _, test := range []struct {
		ours, theirs action
		want         bool
	}{
		{video, action{responder, jingle.ContentAdd, media("responder", "v", "both", "res0", "actpass")}, true},
		{video, action{responder, jingle.ContentAdd, media("responder", "w", "both", "res0", "actpass")}, false},
		{video, action{responder, jingle.ContentRemove, "<content creator='initiator' name='a'/>"}, false},
		{action{initiator, jingle.ContentModify, modify}, action{responder, jingle.ContentModify, modify}, true},
		{action{initiator, jingle.ContentRemove, modify}, action{responder, jingle.ContentRemove, modify}, false},
		{restart(initiator, "ini1"), restart(responder, "res1"), true},
		{restart(initiator, "ini1"), action{responder, jingle.TransportInfo, info("a", "ufrag='res0'", candidate(1))}, false},
	} {
		if got := Tie(s, test.ours.stanza(t), test.theirs.stanza(t), initiator); got != test.want {
			t.Errorf("%s and %s: %v", test.ours.kind, test.theirs.kind, got)
		}
	}
}

// hostile makes stanzas that a stranger could send.
func (g *states) hostile(s jingle.Session) (jingle.Stanza, jingle.Role) {
	var kinds []jingle.Action
	for a := range effects {
		kinds = append(kinds, a)
	}
	// In an order of their own: that of a map differs from run to run.
	for i := range kinds {
		for j := range i {
			if kinds[i] < kinds[j] {
				kinds[i], kinds[j] = kinds[j], kinds[i]
			}
		}
	}
	a := jingle.Stanza{Action: kinds[g.IntN(len(kinds))]}
	if a.Action == jingle.SessionTerminate {
		a.Action = jingle.ContentAdd
	}
	for range g.IntN(3) {
		x := jingle.Content{Creator: jingle.Role(g.IntN(2)), Name: pick(g, "0", "1", "audio", "my video", "new"), Senders: pick(g, "", jingle.SendersBoth, jingle.SendersNone, jingle.SendersRejected, jingle.SendersInitiator)}
		if g.chance(2) {
			x.RTP = g.rtp()
		}
		switch g.IntN(4) {
		case 0:
			x.ICE = &jingle.Transport{}
		case 1:
			x.ICE = g.ice(pick(g, "", jingle.SetupActpass, jingle.SetupActive))
		case 2:
			if len(s.Of[0].Contents) > 0 && s.Of[0].Contents[0].ICE != nil {
				t := *s.Of[0].Contents[0].ICE
				t.Candidates, t.Fingerprints = g.candidates(), nil
				x.ICE = &t
			}
		}
		if g.chance(8) {
			x.RawUDP = &jingle.RawUDP{}
		}
		a.Contents = append(a.Contents, x)
	}
	if g.chance(2) {
		a.Groups = []jingle.Group{{Semantics: pick(g, "BUNDLE", "LS"), Names: []string{"0", pick(g, "audio", "nobody"), "new"}}}
	}
	return a, jingle.Role(g.IntN(2))
}

// hostility takes random actions and checks what must never be: a panic, a changed argument, a state whose SDP is refused for another
// reason than that there is nothing in it, an error that is none of Jingle.
func hostility(t testing.TB, g *states) {
	s := g.session()
	for range 40 {
		before := fmt.Sprintf("%+v", everything(s))
		a, by := g.hostile(s)
		next, err := Apply(s, a, by)
		var refusal *jingle.Error
		if err != nil && !errors.As(err, &refusal) {
			t.Fatalf("%s: %v", a.Action, err)
		}
		if after := fmt.Sprintf("%+v", everything(s)); after != before {
			t.Fatalf("%s changed its argument:\n%s\n%s", a.Action, before, after)
		}
		if len(next.Contents) > MaxLines {
			t.Fatalf("%d contents", len(next.Contents))
		}
		for r := range next.Of {
			author := jingle.Role(r)
			text, lines, _, err := ToSDP(Describe(next, author, Offer), author, Offer, nil, Origin{1, 1})
			if err != nil {
				continue
			}
			if _, _, _, err := FromSDP(text, author, nil); err != nil {
				t.Fatalf("%s: %v\n%s", a.Action, err, text)
			}
			d := Describe(next, author.Other(), Answer)
			want := Respond(next, author.Other(), d)
			Diff(next, want, author.Other(), jingle.Profiles[g.IntN(len(jingle.Profiles))])
			ToSDP(d, author.Other(), Answer, lines, Origin{1, 1})
		}
		want, _ := Propose(next, by, Describe(s, by, Offer))
		Diff(next, want, by, jingle.Profiles[g.IntN(len(jingle.Profiles))])
		s = next
	}
}

// everything is a session with all that it points to.
func everything(s jingle.Session) []string {
	var out []string
	for i, x := range s.Contents {
		out = append(out, fmt.Sprintf("%v %v %v %v %v %+v", x.Creator, x.Name, x.Senders, x.Pending, x.Implied, x.ICE))
		for r := range s.Of {
			if c := s.Said(i, jingle.Role(r)); c != nil {
				out = append(out, fmt.Sprintf("%v", c.Senders))
				if c.RTP != nil {
					out = append(out, fmt.Sprintf("%+v", *c.RTP))
				}
				if c.ICE != nil {
					out = append(out, fmt.Sprintf("%+v", *c.ICE))
				}
			}
		}
	}
	return append(out, fmt.Sprintf("%v %v", s.Of[0].Groups, s.Of[1].Groups))
}

func TestApplyHostile(t *testing.T) {
	for seed := range uint64(50) {
		hostility(t, &states{Rand: rand.New(rand.NewPCG(seed, 2))})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) { hostility(t, &states{Rand: rand.New(rand.NewPCG(a, b))}) })
}
