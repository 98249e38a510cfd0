//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestScreenshots shows the page in a call with Dino, as the README does.  With E2E_SCREENSHOTS the pictures are kept in that directory.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("E2E_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	shot := func(p *caller, name string) {
		t.Helper()
		p.Screenshot(filepath.Join(dir, name+".png"))
		if stat, err := os.Stat(filepath.Join(dir, name+".png")); err != nil || stat.Size() < 4000 {
			t.Errorf("%s shows nothing: %v", name, err)
		}
	}
	s := startStack(t, "limits.cool_down = \"1ms\"")
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "smpte"})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	page.Viewport(1180, 800, false)
	page.Eval("document.querySelector('#address').value = args[0]", nil, alice.jid)
	shot(page, "lobby")
	page.dial(alice.jid, true)
	alice.Wait("ringing", 10*time.Second)
	page.waitState("ringing,dialing", 5*time.Second)
	shot(page, "ringing")
	alice.Accept()
	page.waitState("in-call", 20*time.Second)
	page.sees("motion")
	shot(page, "call")
	page.Viewport(390, 844, false)
	shot(page, "call-phone")
	alice.Hangup()
	page.waitState("ended", 5*time.Second)
	shot(page, "ended-phone")
	page.back()
	shot(page, "lobby-phone")
	tellDino(t, page, alice)
	alice.Call(page.address(), true)
	page.waitState("incoming", 10*time.Second)
	shot(page, "incoming-phone")
	page.Click("#incoming-decline")
}
