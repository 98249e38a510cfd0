//go:build e2e

package main

import (
	"testing"

	"carillon/component/xmppserver"
)

// TestCallsThroughEjabberd is a call each way on the other server.
func TestCallsThroughEjabberd(t *testing.T) {
	s := startStackOn(t, xmppserver.StartEjabberd, xmppserver.Options{})
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "red"})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	callDino(t, page, alice, true)
	endCall(t, s, page, alice, true)

	tellDino(t, page, alice)
	answerDino(t, page, alice, true)
	endCall(t, s, page, alice, false)
}
