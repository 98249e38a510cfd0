//go:build e2e

package main

import (
	"testing"
	"time"

	"carillon/component/xmppserver"
)

// TestCallsThroughEjabberd is a call each way on the other server.
func TestCallsThroughEjabberd(t *testing.T) {
	s := startStackOn(t, xmppserver.StartEjabberd, xmppserver.Options{})
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "red"})
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	page.dial(alice.jid, true)
	alice.Wait("ringing", 10*time.Second)
	alice.Accept()
	page.waitState("in-call", 20*time.Second)
	checkMedia(t, page, alice, true)
	endCall(t, s, page, alice, true)

	page.Type("#tell-address", alice.jid)
	page.Click("#tell")
	alice.CanCall(page.address(), 15*time.Second)
	alice.Call(page.address(), true)
	page.waitState("incoming", 10*time.Second)
	page.Click("#incoming-accept-video")
	page.waitState("in-call", 20*time.Second)
	checkMedia(t, page, alice, true)
	endCall(t, s, page, alice, false)
}
