package sdpconv

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
)

// changingCalls is the recorded calls between a browser and Dino that change, with what we say in them.
var changingCalls = map[string][]string{
	"chromium.page-calls.dino-adds-camera": {"session-initiate 0 both", "content-accept video responder", "content-modify video both"},
	"firefox.page-calls.dino-adds-camera":  {"session-initiate 0 both", "content-accept video responder", "content-modify video both"},
	"chromium.dino-calls.dino-adds-camera": {"session-accept audio both", "content-accept video initiator", "content-modify video both"},
	"firefox.dino-calls.dino-adds-camera":  {"session-accept audio both", "content-accept video initiator", "content-modify video both"},
	"chromium.page-calls.page-adds-video":  {"session-initiate 0 both", "content-add 1 both"},
	"firefox.page-calls.page-adds-video":   {"session-initiate 0 both", "content-add 1 both"},
	"chromium.dino-calls.page-adds-video":  {"session-accept audio both", "content-add 0 both"},
}

// Recorded calls with Dino that change: the browser's own SDP and Dino's own stanzas lead to the actions that Dino understands, to SDP
// that keeps to what the browser offered, and never to a restart, which Chromium makes unasked and Dino does not have.
func TestReplayDino(t *testing.T) {
	dino, ok := jingle.ProfileNamed("Dino")
	if !ok {
		t.Fatal("no profile")
	}
	for name, want := range changingCalls {
		t.Run(name, func(t *testing.T) {
			file := "../testdata/stanzas/dino-browser/" + name
			c := &dinoReplay{T: t, peer: dinoSays(t, file+".xml"), leg: leg{us: jingle.Initiator, profile: dino}}
			if strings.Contains(name, "dino-calls") {
				c.us = jingle.Responder
			}
			for _, s := range trace(t, filepath.Clean(file+".json")) {
				if s.Type == "offer" {
					c.pageOffers(s.SDP)
				} else {
					c.dinoOffers(s.SDP)
				}
			}
			if !slices.Equal(c.said, want) {
				t.Errorf("said %q, want %q", c.said, want)
			}
			if len(c.peer) > 0 {
				t.Errorf("%d stanzas of Dino are left", len(c.peer))
			}
			if !strings.Contains(name, "adds-camera") || !strings.HasPrefix(name, "chromium") {
				return
			}
			if !slices.ContainsFunc(c.unsaid, func(l Loss) bool { return strings.Contains(l.Reason, "unasked") }) {
				t.Errorf("the restart that nobody asked for is not told: %v", c.unsaid)
			}
		})
	}
}

// dinoSays returns what Dino does to the session.
func dinoSays(t *testing.T, file string) []jingle.Stanza {
	var out []jingle.Stanza
	for _, c := range capture(t, file) {
		switch c.stanza.Action {
		case jingle.TransportInfo, jingle.SessionInfo, jingle.SessionTerminate:
		default:
			if c.from == "received" {
				out = append(out, *c.stanza)
			}
		}
	}
	return out
}

type dinoReplay struct {
	*testing.T
	leg
	peer   []jingle.Stanza
	said   []string
	unsaid []Loss
}

func (c *dinoReplay) hear() {
	c.Helper()
	if len(c.peer) == 0 {
		c.Fatal("Dino says nothing more")
	}
	var err error
	before := c.session
	if c.session, err = Apply(c.session, c.profile.Read(c.peer[0], c.us.Other()), c.us.Other()); err != nil {
		c.Fatalf("%s: %v", c.peer[0].Action, err)
	}
	if !Renegotiates(before, c.session, c.us.Other()) {
		c.Errorf("%s changes nothing", c.peer[0].Action)
	}
	c.peer = c.peer[1:]
}

func (c *dinoReplay) say(actions []jingle.Stanza) {
	c.Helper()
	for _, a := range actions {
		if len(a.Contents) != 1 {
			c.Errorf("%s of %d contents", a.Action, len(a.Contents))
		}
		if text := string(c.profile.AppendTo(nil, "", a, c.us)); strings.Contains(text, "creator='responder'") {
			c.Errorf("Dino is told of the responder as creator: %s", text)
		}
		next, err := Apply(c.session, a, c.us)
		if err != nil {
			c.Fatalf("%s: %v", a.Action, err)
		}
		c.session = next
		c.said = append(c.said, fmt.Sprint(a.Action, " ", a.Contents[0].Name, " ", a.Contents[0].Senders))
	}
}

func (c *dinoReplay) pageOffers(sdp string) {
	c.Helper()
	d, offered, _, err := FromSDP(sdp, c.us, c.lines)
	if err != nil {
		c.Fatal(err)
	}
	for i := range d.Contents { // as the call engine has it
		d.Contents[i].ICE.Candidates, d.Contents[i].ICE.GatheringComplete = nil, false
	}
	want, unasked := Propose(c.session, c.us, d)
	actions, unsaid := Diff(c.session, want, c.us, c.profile)
	c.unsaid = slices.Concat(c.unsaid, unasked, unsaid)
	c.say(actions)
	for c.session.Pending(c.us) {
		c.hear()
	}
	c.session = Settle(c.session, want, c.us)
	text, lines, _, err := ToSDP(Describe(c.session, c.us.Other(), Answer), c.us.Other(), Answer, offered, Origin{1, 1})
	if err != nil {
		c.Fatal(err)
	}
	c.lines = lines
	checkAnswer(c.T, c.Name(), sdp, text)
	if strings.Contains(text, "a=group") {
		c.Errorf("the answer bundles:\n%s", text)
	}
	c.checkRoles(text)
}

// checkRoles checks that each line has the DTLS role that Dino has there: active where it answered, the other where we did.
func (c *dinoReplay) checkRoles(text string) {
	for mid, facts := range meaningOf(text, nil) {
		i := c.lines.FindMid(mid)
		if mid == "" || i < 0 {
			continue
		}
		want := "setup active"
		if creator := c.lines[i].Creator; creator != c.us {
			want = "setup passive"
		}
		if !slices.Contains(facts, want) {
			c.Errorf("mid %q has not %s in %v", mid, want, facts)
		}
	}
}

func (c *dinoReplay) dinoOffers(answer string) {
	c.Helper()
	c.hear()
	_, offered, _, err := ToSDP(Describe(c.session, c.us.Other(), Offer), c.us.Other(), Offer, c.lines, Origin{1, 1})
	if err != nil {
		c.Fatal(err)
	}
	d, lines, _, err := FromSDP(answer, c.us, offered)
	if err != nil {
		c.Fatal(err)
	}
	for i := range d.Contents {
		d.Contents[i].ICE.Candidates, d.Contents[i].ICE.GatheringComplete = nil, false
	}
	want := Respond(c.session, c.us, d)
	actions, unsaid := Diff(c.session, want, c.us, c.profile)
	c.unsaid = append(c.unsaid, unsaid...)
	c.say(actions)
	c.session, c.lines = Settle(c.session, want, c.us), lines
}
