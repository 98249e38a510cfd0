//go:build e2e

package main

import (
	"strings"
	"testing"
	"time"
)

// TestEndings holds each way in which a call ends against the time in which the other side has to know.
func TestEndings(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`, `limits.grace = "3s"`)
	const grace = 3 * time.Second
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440})
	b := startBrowser(t, "chromium", pageTone)
	page := s.openPage(b, "anna")
	tellDino(t, page, alice)
	goroutines := s.goroutines()

	inCall := func() {
		t.Helper()
		page.dial(alice.jid, false)
		alice.Wait("ringing", 10*time.Second)
		alice.Accept()
		page.waitState("in-call", 20*time.Second)
		alice.Wait("connected", 20*time.Second)
	}
	within := func(what string, limit, took time.Duration) {
		t.Helper()
		t.Logf("%s: known after %v", what, took)
		if took > limit {
			t.Errorf("%s: known only after %v", what, took)
		}
	}
	t.Run("the one called declines", func(t *testing.T) {
		page.dial(alice.jid, false)
		alice.Wait("ringing", 10*time.Second)
		ended := page.notes("ended")
		at := alice.Reject()
		within("decline", 2*time.Second, ended().Sub(at))
		if r := page.reason(); !strings.Contains(r, "declined") {
			t.Errorf("the page says %q", r)
		}
		page.back()
	})
	t.Run("the caller cancels", func(t *testing.T) {
		page.dial(alice.jid, false)
		alice.Wait("ringing", 10*time.Second)
		idle := alice.Awaits("idle", 10*time.Second)
		at := page.clickAt("#hang-up")
		if took := idle().Sub(at); took > 2*time.Second {
			t.Errorf("Dino knew only after %v", took)
		}
		page.back()
	})
	t.Run("the page declines", func(t *testing.T) {
		alice.Call(page.address(), false)
		page.waitState("incoming", 10*time.Second)
		over := alice.Awaits("over,idle", 10*time.Second)
		at := page.clickAt("#incoming-decline")
		if took := over().Sub(at); took > 2*time.Second {
			t.Errorf("Dino knew only after %v", took)
		}
		alice.Wait("idle", 10*time.Second)
		page.waitState("idle,ended", 5*time.Second)
	})
	t.Run("Dino cancels", func(t *testing.T) {
		alice.Call(page.address(), false)
		page.waitState("incoming", 10*time.Second)
		ended := page.notes("idle,ended")
		at := alice.Hangup()
		within("cancel", 2*time.Second, ended().Sub(at))
	})
	t.Run("the page is closed", func(t *testing.T) {
		page.leaveEnded()
		inCall()
		over := alice.Awaits("over,idle", 20*time.Second)
		began := time.Now()
		page.Close()
		if took := over().Sub(began); took > grace+2*time.Second {
			t.Errorf("Dino knew only after %v", took)
		} else {
			t.Logf("page closed: Dino knew after %v", took)
		}
		alice.Wait("idle", 10*time.Second)
		page = s.openPage(b, "anna")
	})
	t.Run("the client is killed", func(t *testing.T) {
		inCall()
		alice.Kill()
		began := time.Now()
		page.waitState("ended", 45*time.Second)
		within("client killed", 40*time.Second, time.Since(began))
		t.Logf("the page says %q", page.reason())
	})
	s.noCalls(goroutines)
}

// leaveEnded goes back to the first screen when the page shows how a call ended.
func (c *caller) leaveEnded() {
	c.t.Helper()
	var state string
	c.Eval("return document.body.dataset.state", &state)
	if state == "ended" {
		c.back()
	}
}
