//go:build e2e

package main

import (
	"testing"
	"time"
)

// TestFirefoxAndEcho is TestEchoChanges with the other browser.
func TestFirefoxAndEcho(t *testing.T) { changeWithEcho(t, "firefox") }

// TestFirefoxChangesWithDino begins with sound, in both directions: Dino's camera comes, and the page's own joins it; the page's comes, and goes.
func TestFirefoxChangesWithDino(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "red"})
	page := s.openPage(startBrowser(t, "firefox", pageTone), "anna")
	callDino(t, page, alice, false)
	addBothCameras(t, page, alice)
	endCall(t, s, page, alice, true)

	tellDino(t, page, alice)
	answerDino(t, page, alice, false)
	page.call("addVideo", "lime")
	alice.receivesVideo()
	page.call("removeVideo", "")
	page.hears(dinoTone440)
	alice.Hear(pageTone, 20*time.Second)
	endCall(t, s, page, alice, false)
}
