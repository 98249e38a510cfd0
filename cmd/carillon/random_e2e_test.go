//go:build e2e

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/component/call"
)

// randomCalls is how many: a few, or twenty for each repetition that make soak wants.
func randomCalls(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("E2E_REPETITIONS"))
	if err != nil || n < 1 {
		return 12
	}
	return 20 * n
}

// TestRandomCalls makes calls with random changes and random endings.  Each ends with a reason that fits, and in the end nothing is left of them.
func TestRandomCalls(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`, `limits.grace = "1s"`)
	e := startEchoProcess(t, s)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	p := s.openGoPage("anna")
	p.dial(e.address)
	p.hangUp() // what is made once, for the first call, is there now
	p.goodbye()
	s.waitFor("the registry's emptiness", 10*time.Second, func() bool { return s.component.Stats().Tabs == 0 })
	goroutines := s.goroutines()
	outcomes := map[string]int{}
	for i := range randomCalls(t) {
		name := fmt.Sprintf("call %d", i)
		t.Run(name, func(t *testing.T) {
			part := s.in(t)
			p := part.openGoPage("anna")
			ending := randomEndings[r.IntN(len(randomEndings))]
			if ending.early {
				p.begin(e.address)
			} else {
				p.dial(e.address)
				for range r.IntN(4) {
					change := randomChanges[r.IntN(len(randomChanges))]
					t.Log(change.name)
					change.do(p, e)
				}
			}
			t.Log(ending.name)
			got := ending.do(p, e)
			if call.Outcome(got).Sentence() == "" || ending.outcome != "" && got != string(ending.outcome) {
				t.Errorf("the call ended %q, want %q", got, ending.outcome)
			}
			outcomes[ending.name+": "+got]++
			p.hangUpMedia()
			p.goodbye()
			part.waitFor("the registry's emptiness", 15*time.Second, func() bool {
				stats := part.component.Stats()
				return stats.Calls == 0 && stats.Tabs == 0
			})
		})
	}
	t.Log(outcomes)
	s.noCalls(goroutines)
}

// randomChanges are what may happen in a call.
var randomChanges = []struct {
	name string
	do   func(*goPage, *echo)
}{
	{"mute", func(p *goPage, _ *echo) { p.say("mute") }},
	{"hold and unhold", func(p *goPage, _ *echo) { p.say("hold"); p.say("unhold") }},
	{"the echo mutes", func(p *goPage, e *echo) { p.order(e, "mute", "session_info"); p.order(e, "unmute", "session_info") }},
	{"the echo restarts ICE", func(p *goPage, e *echo) { p.order(e, "restart", "offer"); p.flows("sound after its restart") }},
	{"the page restarts ICE", func(p *goPage, _ *echo) {
		p.reoffer(&webrtc.OfferOptions{ICERestart: true})
		p.flows("sound after the page's restart")
	}},
	{"the page adds video", func(p *goPage, _ *echo) {
		_, err := p.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo)
		p.must(err)
		p.reoffer(nil)
		p.flows("sound with video")
	}},
	{"the echo adds video", func(p *goPage, e *echo) { p.order(e, "video", "offer"); p.flows("sound with its video") }},
	{"the socket breaks", func(p *goPage, _ *echo) {
		p.ws.CloseNow()
		if attached := p.connect(); !attached.Resumed {
			p.t.Error("the page was not taken back")
		}
		p.flows("sound after the socket broke")
	}},
}

// randomEndings are how a call may end, with the outcome that the page hears, or should if it still could.
var randomEndings = []struct {
	name    string
	early   bool // before it is answered
	outcome call.Outcome
	do      func(*goPage, *echo) string
}{
	{"the page hangs up", false, call.HungUp, func(p *goPage, _ *echo) string { p.hangUp(); return p.ended }},
	{"the echo hangs up", false, call.PeerHungUp, func(p *goPage, e *echo) string { p.order(e, "hang up", "ended"); return p.ended }},
	{"the page gives up", true, "", func(p *goPage, _ *echo) string { p.hangUp(); return p.ended }},
	{"the page is closed", false, call.PageLost, func(p *goPage, _ *echo) string { p.goodbye(); return string(call.PageLost) }},
	{"the page is lost", false, call.PageLost, func(p *goPage, _ *echo) string { p.ws.CloseNow(); return string(call.PageLost) }},
	{"the page is loaded anew", false, call.PageLost, func(p *goPage, _ *echo) string {
		p.ws.CloseNow()
		p.inst = "another load"
		p.connect()
		p.await("ended", 5*time.Second)
		return p.ended
	}},
}
