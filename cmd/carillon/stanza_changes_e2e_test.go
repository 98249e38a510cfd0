//go:build e2e

package main

import (
	"testing"
	"time"
)

// TestStanzaChanges has each side put the other on hold and restart ICE, as far as stanza (12.22) can: only who called restarts, and what it is
// asked to add it rejects, so that a screen goes where the camera was.
func TestStanzaChanges(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	b := startBrowser(t, "chromium", pageTone)
	bob, address := startStanza(t, s, b)
	bob.Eval(`
		client.heard = [];
		for (const event of ['hold', 'resumed', 'mute', 'unmute']) client.xmpp.on('jingle:' + event, () => client.heard.push(event));`, nil)
	page := s.openPage(b, "anna")
	media := func(t *testing.T) {
		t.Helper()
		stanzaMedia(page, bob)
	}

	page.dial(address, true)
	bob.WaitFor("return Boolean(client.incoming)", 15*time.Second)
	bob.Eval("await client.answer()", nil)
	media(t)
	t.Run("hold", func(t *testing.T) {
		stanzaHolds(t, page, bob)
		media(t)
	})
	t.Run("restart by the page", func(t *testing.T) {
		page.restarts(func() { page.call("restart", "") })
		media(t)
	})
	t.Run("screen", func(t *testing.T) {
		page.call("shareScreen", "lime")
		bob.WaitFor("const s = rig.see('video'); return s && s.g > 200 && s.r < 60", 5*time.Second) // stanza is known to add nothing: no timer runs out
		page.call("stopScreen", "")
		bob.WaitFor("const s = rig.see('video'); return s && !(s.g > 200 && s.r < 60)", 20*time.Second)
		media(t)
	})
	t.Run("video off", func(t *testing.T) {
		page.Eval("carillon.calls[0].turnCameraOff(true)", nil)
		bob.WaitFor("return client.heard.includes('mute')", 10*time.Second)
		page.Eval("carillon.calls[0].turnCameraOff(false)", nil)
		bob.WaitFor("return client.heard.includes('unmute')", 10*time.Second)
		media(t)
	})
	page.Click("#hang-up")
	page.back()

	var ghost string
	page.Eval("return carillon.account.address", &ghost)
	bob.Eval("await client.call(args[0])", nil, ghost)
	page.waitState("incoming", 10*time.Second)
	page.Click("#incoming-accept-video")
	media(t)
	t.Run("stanza calls, hold", func(t *testing.T) {
		stanzaHolds(t, page, bob)
		media(t)
	})
	t.Run("restart by stanza", func(t *testing.T) {
		page.restarts(func() { bob.Eval("await client.session.restartIce()", nil) })
		media(t)
	})
	bob.Eval("client.session.end('success')", nil)
	page.waitState("ended", 5*time.Second)
	s.waitFor("the calls' end", 5*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}

// stanzaHolds has each tell the other.
func stanzaHolds(t *testing.T, page *caller, bob *page) {
	t.Helper()
	bob.Eval("client.heard = []", nil)
	page.Eval("carillon.calls[0].hold(true)", nil)
	bob.WaitFor("return client.heard.includes('hold')", 10*time.Second)
	page.Eval("carillon.calls[0].hold(false)", nil)
	bob.WaitFor("return client.heard.includes('resumed')", 10*time.Second)
	bob.Eval("client.session.hold()", nil)
	page.WaitFor("return carillon.calls[0].remote.held", 10*time.Second)
	bob.Eval("client.session.resume()", nil)
	page.WaitFor("return !carillon.calls[0].remote.held", 10*time.Second)
}
