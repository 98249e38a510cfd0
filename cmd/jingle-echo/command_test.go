package main

import (
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
)

func TestHoldAndMuteByTheEcho(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio", "video"}, func(t *testing.T, c *caller) {
		audio, video := c.leg("audio"), c.leg("video")
		for _, row := range []struct {
			word  string
			info  jingle.InfoKind
			quiet []string
		}{
			{"hold", jingle.InfoHold, []string{"audio", "video"}},
			{"unhold", jingle.InfoUnhold, nil},
			{"mute", jingle.InfoMute, []string{"audio"}},
			{"unmute", jingle.InfoUnmute, nil},
		} {
			if reply := c.chat(row.word); reply != row.word+": done" {
				t.Fatal(reply)
			}
			info, known := jingle.ParseInfo(soon(t, "session-info", c.told).Info[0])
			if !known || info.Kind != row.info {
				t.Errorf("%s: %v", row.word, info)
			}
			if row.info == jingle.InfoMute && info.Name != audio.description.Contents[0].Name {
				t.Errorf("muted %q", info.Name)
			}
			for kind, l := range map[string]*callerLeg{"audio": audio, "video": video} {
				if slices.Contains(row.quiet, kind) {
					c.silent(l, kind)
				} else {
					l.again(kind)
					c.hears(l, kind)
				}
			}
		}
	})
}

func TestVideoOffAndOnByTheEcho(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio", "video"}, func(t *testing.T, c *caller) {
		l := c.leg("video")
		for _, row := range []struct {
			word    string
			senders jingle.Senders
		}{{"video off", jingle.SendersInitiator}, {"video on", jingle.SendersBoth}} {
			if reply := c.chat(row.word); !strings.Contains(reply, "asked") {
				t.Fatal(reply)
			}
			if s := soon(t, "content-modify", c.told); s.Action != jingle.ContentModify || s.Contents[0].Senders != row.senders {
				t.Fatalf("%s %q", s.Action, s.Contents[0].Senders)
			}
			if row.senders == jingle.SendersInitiator {
				c.silent(l, "video")
				continue
			}
			l.again("video")
			c.hears(l, "video")
		}
	})
}

// TestVideoOfTheEcho has the echo add its picture, drop it, and add it again.
func TestVideoOfTheEcho(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio"}, func(t *testing.T, c *caller) {
		for range 2 {
			if reply := c.chat("video"); !strings.Contains(reply, "asked") {
				t.Fatal(reply)
			}
			if s := soon(t, "content-add", c.told); s.Action != jingle.ContentAdd || s.Contents[0].Senders != jingle.SendersResponder {
				t.Fatalf("%s %q", s.Action, s.Contents[0].Senders)
			}
			l := c.legs[len(c.legs)-1]
			l.again("other picture")
			c.hears(l, "other picture")
			if reply := c.chat("drop"); reply != "drop: done" {
				t.Fatal(reply)
			}
			if s := soon(t, "content-remove", c.told); s.Action != jingle.ContentRemove {
				t.Fatal(s.Action)
			}
			c.legs[0].again("audio")
			c.hears(c.legs[0], "audio")
		}
	})
}

func TestVideoOfTheEchoRejected(t *testing.T) {
	t.Parallel()
	both(t, []string{"audio"}, func(t *testing.T, c *caller) {
		c.turn.Lock()
		c.rejects = true
		c.turn.Unlock()
		for range 2 { // and the second is not the first still waiting
			if reply := c.chat("video"); !strings.Contains(reply, "asked") {
				t.Fatal(reply)
			}
			soon(t, "content-add", c.told)
			c.legs[0].again("audio")
			c.hears(c.legs[0], "audio")
		}
	})
}
