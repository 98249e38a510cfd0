//go:build e2e

package main

import (
	"testing"

	"carillon/component/xmppserver"
)

// TestCallsThroughEjabberd is a call of each kind each way on the other server, with Dino and with jingle-echo.
func TestCallsThroughEjabberd(t *testing.T) {
	s := startStackOn(t, xmppserver.StartEjabberd, xmppserver.Options{}, `limits.cool_down = "1ms"`)
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "red"})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	callDino(t, page, alice, true)
	endCall(t, s, page, alice, true)

	tellDino(t, page, alice)
	answerDino(t, page, alice, true)
	endCall(t, s, page, alice, false)

	callDino(t, page, alice, false)
	endCall(t, s, page, alice, false)
	answerDino(t, page, alice, false)
	endCall(t, s, page, alice, true)

	e := &echoPeer{startEchoProcess(t, s), s}
	for _, video := range []bool{false, true} {
		page.dial(e.address, video)
		page.getsEcho(video)
		e.hangUp(page, video)
		e.answer(page, video)
		e.hangUp(page, !video)
	}
}
