//go:build e2e

package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSecondDeviceStopsRinging has alice logged in twice: both devices ring, and when she takes the call on one the other falls silent.
func TestSecondDeviceStopsRinging(t *testing.T) {
	s := startStack(t)
	first := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440})
	second := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Name: "alice-2", Resource: "second"})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	page.dial(first.jid, false)
	first.Wait("ringing", 10*time.Second)
	second.Wait("ringing", 10*time.Second)
	silent := second.Awaits("idle,over", 10*time.Second)
	first.Accept()
	page.waitState("in-call", 20*time.Second)
	silent()
	checkMedia(t, page, first, false)
	endCall(t, s, page, first, true)
}

// TestBothCallAtOnce has both press the call button before either call is heard of, by freezing the server meanwhile.  Whichever wins
// the tie (XEP-0353), one call rings, and can be taken.
func TestBothCallAtOnce(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	tellDino(t, page, alice)
	mend := frozen(t, s.server)
	alice.Call(page.address(), false)
	page.dial(alice.jid, false)
	page.waitState("dialing", 5*time.Second)
	mend()
	var state string
	s.waitFor("a ringing call", 20*time.Second, func() bool {
		page.Eval("return document.body.dataset.state", &state)
		return state == "incoming" || alice.State(false).Phase == "ringing"
	})
	if state == "incoming" {
		page.Click("#incoming-accept-audio")
	} else {
		alice.Accept()
	}
	page.waitState("in-call", 20*time.Second)
	checkMedia(t, page, alice, false)
	s.waitFor("the other call's end", 5*time.Second, func() bool { return s.component.Stats().Calls == 1 })
	t.Logf("the call that went on: %s", map[bool]string{true: "Dino's", false: "the page's"}[state == "incoming"])
	endCall(t, s, page, alice, true)
}

// TestSocketIsCut cuts the page off Carillon for ten seconds in a call: the peer notices nothing, and the call is the same afterwards.
func TestSocketIsCut(t *testing.T) {
	s := startStack(t)
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	callDino(t, page, alice, false)
	mark := alice.Mark()
	s.network.Cut()
	page.WaitFor("return document.body.dataset.link !== 'attached'", 10*time.Second)
	cut := time.NewTimer(10 * time.Second)
	page.hears(dinoTone440)
	alice.Hear(pageTone, 20*time.Second)
	<-cut.C
	s.network.Mend()
	page.WaitFor("return document.body.dataset.link === 'attached'", 30*time.Second)
	page.waitState("in-call", time.Second)
	page.hears(dinoTone440)
	alice.Hear(pageTone, 20*time.Second)
	if said := alice.XML(mark); contains(said, "session-terminate", "session-info", "transport-info", "unavailable") {
		t.Errorf("Dino noticed:\n%s", said)
	}
	endCall(t, s, page, alice, true)
}

// TestPageIsLoadedAnewInACall: its keys are gone, so Dino's call ends at once; the address is the same, and the next call works.
func TestPageIsLoadedAnewInACall(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	address := page.address()
	callDino(t, page, alice, false)
	over := alice.Awaits("over,idle", 10*time.Second)
	began := time.Now()
	page.Reload()
	if took := over().Sub(began); took > 5*time.Second {
		t.Errorf("Dino knew only after %v", took)
	} else {
		t.Logf("Dino knew after %v", took)
	}
	page.WaitFor("return globalThis.carillon?.account?.address", 15*time.Second)
	if now := page.address(); now != address {
		t.Errorf("the address is %s, was %s", now, address)
	}
	page.leaveEnded()
	alice.Wait("idle", 10*time.Second)
	callDino(t, page, alice, false)
	endCall(t, s, page, alice, true)
}

func contains(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
