package main

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
)

// connected is a call under way.
func connected(t *testing.T, kinds []string, bundled bool) (*caller, *account) {
	t.Helper()
	c, a := connectCaller(t, kinds, bundled)
	c.start(echoAddress)
	c.hear()
	return c, a
}

// both runs a test with one transport for all contents, as browsers have, and with one for each, as Dino has.
func both(t *testing.T, kinds []string, test func(t *testing.T, c *caller)) {
	for name, bundled := range map[string]bool{"bundled": true, "unbundled": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := connected(t, kinds, bundled)
			test(t, c)
			c.hangUp()
		})
	}
}

func (c *caller) leg(kind string) *callerLeg {
	return c.legs[slices.IndexFunc(c.legs, func(l *callerLeg) bool { return slices.Contains(l.kinds, kind) })]
}

func TestAddedVideoIsEchoed(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, []string{"audio"}, true)
	l := c.legs[0]
	for _, kind := range []string{"video", "video2"} {
		c.addTrack(l, kind)
		c.change(l, nil)
		c.wait("content-accept of " + kind)
		l.again("audio")
		c.hears(l, kind)
		c.hears(l, "audio")
	}
}

// TestAddedVideoUnbundled adds as Dino does: alone, with a transport of its own, and only to send.
func TestAddedVideoUnbundled(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, []string{"audio"}, false)
	c.turn.Lock()
	l := c.addLeg([]string{"video"})
	content := l.description.Contents[0]
	content.Senders, c.byHand = jingle.SendersInitiator, true
	add := jingle.Stanza{Action: jingle.ContentAdd, Contents: []jingle.Content{content}}
	c.apply(add, jingle.Initiator)
	c.tries[c.request(add)] = ""
	c.turn.Unlock()
	c.wait("a result")
	if s := soon(t, "content-accept", c.told); s.Action != jingle.ContentAccept || s.Contents[0].Senders != jingle.SendersInitiator {
		t.Fatalf("%s with senders %q", s.Action, s.Contents[0].Senders)
	}
	c.turn.Lock()
	c.answered(l, l.lines)
	c.byHand = false
	c.turn.Unlock()
	if s := soon(t, "content-modify", c.told); s.Action != jingle.ContentModify || s.Contents[0].Senders != jingle.SendersBoth {
		t.Fatalf("%s with senders %q", s.Action, s.Contents[0].Senders)
	}
	c.hears(l, "video")
}

func TestDroppedContent(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio", "video"}, func(t *testing.T, c *caller) {
		name := c.leg("video").description.Contents[len(c.leg("video").description.Contents)-1].Name
		c.apply(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Name: name}}}, jingle.Initiator)
		if got := c.try(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Name: name}}}); got != "result" {
			t.Fatal(got)
		}
		c.silent(c.leg("video"), "video")
		l := c.leg("audio")
		l.again("audio")
		c.hears(l, "audio")
	})
}

// TestDroppedFirstContent removes the one whose transport the others use, and adds another.
func TestDroppedFirstContent(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, []string{"audio", "video"}, true)
	l := c.legs[0]
	drop := jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Name: l.description.Contents[0].Name}}}
	c.turn.Lock()
	c.apply(drop, jingle.Initiator)
	c.turn.Unlock()
	if got := c.try(drop); got != "result" {
		t.Fatal(got)
	}
	c.silent(l, "audio")
	l.again("video")
	c.hears(l, "video")
}

func TestLastContentDropped(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, []string{"audio"}, true)
	if got := c.try(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Name: c.legs[0].description.Contents[0].Name}}}); got != "result" {
		t.Fatal(got)
	}
	if reason := soon(t, "session-terminate", c.ended); reason != "success" {
		t.Error(reason)
	}
}

func TestHeldByThePeer(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio", "video"}, func(t *testing.T, c *caller) {
		for _, l := range c.legs {
			for _, content := range l.description.Contents {
				kind := content.RTP.Media
				modify := func(senders jingle.Senders) {
					a := jingle.Stanza{Action: jingle.ContentModify, Contents: []jingle.Content{{Name: content.Name, Senders: senders}}}
					if got := c.try(a); got != "result" {
						t.Fatal(got)
					}
				}
				for _, hold := range []jingle.Senders{jingle.SendersInitiator, jingle.SendersNone} {
					modify(hold)
					c.silent(l, kind)
					modify(jingle.SendersBoth)
					l.again(kind)
					c.hears(l, kind)
				}
			}
		}
	})
}

func TestRestartByThePeer(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]jingle.Restart{"as Conversations": jingle.RestartEmpty, "as stanza": jingle.RestartInfo} {
		t.Run(name, func(t *testing.T) {
			both(t, []string{"audio", "video"}, func(t *testing.T, c *caller) {
				c.profile.Restart = form
				for range 2 {
					for _, l := range c.legs {
						before := c.session.Of[jingle.Responder].Contents[0].ICE.Ufrag
						c.change(l, &webrtc.OfferOptions{ICERestart: true})
						c.wait("the echo's credentials")
						l.again(l.kinds...)
						for _, kind := range l.kinds {
							c.hears(l, kind)
						}
						if after := c.session.Of[jingle.Responder].Contents[0].ICE.Ufrag; l == c.legs[0] && after == before {
							t.Error("the echo kept its credentials")
						}
					}
				}
			})
		})
	}
}

func TestRestartByTheEcho(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio", "video"}, func(t *testing.T, c *caller) {
		ufrag := func() string {
			c.turn.Lock()
			defer c.turn.Unlock()
			return c.session.Of[jingle.Responder].Contents[0].ICE.Ufrag
		}
		for range 2 {
			before := ufrag()
			if reply := c.chat("Restart"); !strings.HasPrefix(reply, "restart: asked") {
				t.Fatal(reply)
			}
			for _, l := range c.legs {
				c.reconnected(l)
				l.again(l.kinds...)
				for _, kind := range l.kinds {
					c.hears(l, kind)
				}
			}
			if ufrag() == before {
				t.Error("the echo kept its credentials")
			}
		}
	})
}

// TestRestartsThatCross has both begin at once: the caller's counts, because it is the initiator.
func TestRestartsThatCross(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio"}, func(t *testing.T, c *caller) {
		l := c.legs[0]
		c.turn.Lock() // the caller does not look at what comes
		_ = c.chatOnly("restart")
		c.changeInTurn(l, &webrtc.OfferOptions{ICERestart: true})
		c.turn.Unlock()
		c.wait("the echo's credentials")
		l.again("audio")
		c.hears(l, "audio")
	})
}

// TestReplacedTransport gives the echo a transport with another certificate, as a page that was loaded anew has.
func TestReplacedTransport(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio"}, func(t *testing.T, c *caller) {
		old := c.legs[0]
		name := old.description.Contents[0].Name
		c.turn.Lock()
		c.legs = nil
		l := c.addLeg([]string{"audio"})
		l.lines[0].Name, l.description.Contents[0].Name = name, name
		c.byHand = true
		c.say(l, l.lines)
		c.turn.Unlock()
		c.must(old.pc.GracefulClose())
		c.wait("transport-accept")
		soon(t, "transport-accept", c.told)
		soon(t, "description-info", c.told)
		c.turn.Lock()
		c.answered(l, l.lines) // with the new sources: pion, unlike browsers, hears none that differs from what was announced
		c.turn.Unlock()
		c.hears(l, "audio")
	})
}

func TestOtherTransportsAreRejected(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, []string{"audio"}, true)
	name := c.legs[0].description.Contents[0].Name
	replace := jingle.Stanza{Action: jingle.TransportReplace, Contents: []jingle.Content{{Name: name, RawUDP: &jingle.RawUDP{
		Candidates: []jingle.RawCandidate{{ID: "1", Component: 1, IP: "127.0.0.1", Port: 9}},
	}}}}
	c.turn.Lock()
	c.apply(replace, jingle.Initiator)
	c.turn.Unlock()
	if got := c.try(replace); got != "result" {
		t.Fatal(got)
	}
	if s := soon(t, "transport-reject", c.told); s.Action != jingle.TransportReject {
		t.Error(s.Action)
	}
	c.legs[0].again("audio")
	c.hears(c.legs[0], "audio")
}

// record keeps what is logged.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func TestDTMF(t *testing.T) {
	t.Parallel()
	c, a := connectCaller(t, []string{"audio"}, true)
	log := &record{}
	a.log = slog.New(slog.NewTextHandler(log, nil))
	c.start(echoAddress)
	c.hear()
	l := c.legs[0]
	for _, event := range []byte{5, 5, 11, 0} {
		c.press(l, event)
		c.sends(l.tracks["audio"], 2) // time goes on
	}
	l.until(t, "other event 0", 1)
	for event, want := range map[string]int{"other event 5": 12, "other event 11": 6} {
		if got := l.count(event); got != want {
			t.Errorf("%s came back %d times, want %d", event, got, want)
		}
	}
	c.hangUp()
	a.running.Wait()
	var heard []string
	for line := range strings.Lines(log.String()) {
		if _, rest, found := strings.Cut(line, "dtmf digit="); found {
			heard = append(heard, rest[:1])
		}
	}
	if got := strings.Join(heard, ""); got != "55#0" {
		t.Errorf("heard %q\n%s", got, log.String())
	}
}

func TestFinishEndsTheCall(t *testing.T) {
	t.Parallel()
	c, a := connected(t, []string{"audio"}, true)
	c.tell(echoAddress, jingle.Message{Kind: jingle.Finish, Reason: &jingle.Reason{Condition: jingle.Success}})
	a.running.Wait()
}

func TestHangUpByTheEcho(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, []string{"audio"}, true)
	if reply := c.chat("hang up"); reply != "hang up: bye" {
		t.Error(reply)
	}
	if reason := soon(t, "session-terminate", c.ended); reason != "success" {
		t.Error(reason)
	}
}

// TestChangesThatAreRefused expects an error, and that the call goes on.
func TestChangesThatAreRefused(t *testing.T) {
	t.Parallel()
	c, _ := connected(t, []string{"audio"}, true)
	content := c.legs[0].description.Contents[0]
	for name, a := range map[string]jingle.Stanza{
		"unknown content":      {Action: jingle.ContentModify, Contents: []jingle.Content{{Name: "nonsense", Senders: jingle.SendersBoth}}},
		"content that exists":  {Action: jingle.ContentAdd, Contents: []jingle.Content{content}},
		"accept of nothing":    {Action: jingle.ContentAccept, Contents: []jingle.Content{content}},
		"second initiate":      {Action: jingle.SessionInitiate, Contents: []jingle.Content{content}},
		"accept by the caller": {Action: jingle.SessionAccept, Contents: []jingle.Content{content}},
	} {
		if got := c.try(a); got != "error" {
			t.Errorf("%s: %s", name, got)
		}
	}
	late := jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{{Name: "nonsense", ICE: &jingle.Transport{Ufrag: "abcd", Pwd: "passwordpasswordpassword"}}}}
	if got := c.try(late); got != "result" {
		t.Errorf("late transport-info: %s", got)
	}
	c.legs[0].again("audio")
	c.hears(c.legs[0], "audio")
}

// TestContentsThatCannotBeEchoed expects content-reject, and that the call goes on.
func TestContentsThatCannotBeEchoed(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio"}, func(t *testing.T, c *caller) {
		first := c.legs[0].description.Contents[0]
		rtp := *first.RTP
		rtp.Media, rtp.Sources = "video", nil
		rtp.PayloadTypes = []jingle.PayloadType{{ID: 120, Name: "nonsense", ClockRate: 90000}}
		for name, content := range map[string]jingle.Content{
			"no codec":     {Name: "n1", Senders: jingle.SendersBoth, RTP: &rtp, ICE: first.ICE},
			"no transport": {Name: "n2", Senders: jingle.SendersBoth, RTP: &rtp, RawUDP: &jingle.RawUDP{}},
		} {
			add := jingle.Stanza{Action: jingle.ContentAdd, Contents: []jingle.Content{content}}
			if c.bundled {
				add.Groups = []jingle.Group{{Semantics: "BUNDLE", Names: []string{first.Name, content.Name}}}
			}
			c.turn.Lock()
			c.apply(add, jingle.Initiator)
			c.turn.Unlock()
			if got := c.try(add); got != "result" {
				t.Errorf("%s: %s", name, got)
			}
			if s := soon(t, "content-reject", c.told); s.Action != jingle.ContentReject || s.Reason == nil {
				t.Errorf("%s: %s", name, s.Action)
			}
		}
		c.legs[0].again("audio")
		c.hears(c.legs[0], "audio")
	})
}

func TestPictureBeginsWithAKeyFrame(t *testing.T) {
	t.Parallel()
	frames, err := readPicture()
	if err != nil || len(frames) != 45 {
		t.Fatalf("%d frames: %v", len(frames), err)
	}
	for i, f := range frames {
		if key := f[0]&1 == 0; key != (i == 0) { // RFC 6386 section 9.1
			t.Errorf("frame %d: key %v", i, key)
		}
	}
}
