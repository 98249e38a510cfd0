//go:build e2e

package main

import (
	"strings"
	"testing"
	"time"
)

// an echoPeer is jingle-echo as the peer of a page: it takes what the page changes, changes the call itself when told by chat, and logs all
// of that.
type echoPeer struct {
	*echo
	s *stack
}

// logs returns a function that waits until the echo has logged something from now on.
func (e *echoPeer) logs(t *testing.T, what string) func() {
	mark := len(e.log.String())
	return func() {
		t.Helper()
		e.s.in(t).waitFor(what+" in the echo's log", 20*time.Second, func() bool { return strings.Contains(e.log.String()[mark:], what) })
	}
}

// answer takes the call that the echo makes at the page's wish.
func (e *echoPeer) answer(page *caller, video bool) {
	page.t.Helper()
	page.waitState("idle", 10*time.Second)
	if video {
		page.chat(e.address, "call me with video")
	} else {
		page.chat(e.address, "call me")
	}
	page.waitState("incoming", 20*time.Second)
	if video {
		page.Click("#incoming-accept-video")
	} else {
		page.Click("#incoming-accept-audio")
	}
	page.getsEcho(video)
}

// hangUp ends the call on one side.
func (e *echoPeer) hangUp(page *caller, byPage bool) {
	page.t.Helper()
	if byPage {
		over := e.logs(page.t, "call ends")
		page.Click("#hang-up")
		over()
	} else {
		page.chat(e.address, "hang up")
	}
	page.back()
	e.s.waitFor("the call's end", 10*time.Second, func() bool { return e.s.component.Stats().Calls == 0 })
}

// chat sends a chat message from the page.
func (c *caller) chat(to, text string) {
	c.t.Helper()
	c.Eval("await carillon.sendText(args[0], args[1])", nil, to, text)
}

// getsEcho waits until the page has its own sound back, and its picture.
func (c *caller) getsEcho(video bool) {
	c.t.Helper()
	c.waitState("in-call", 30*time.Second)
	c.hears(pageTone)
	if video {
		c.sees("motion")
	}
}

// getsNothing waits until half a second has passed without a packet of sound.
func (c *caller) getsNothing() {
	c.t.Helper()
	c.WaitFor(`
		const count = async () => {
			let packets = 0;
			for (const [, stat] of await carillon.calls[0].getStats()) if (stat.type === 'inbound-rtp' && stat.kind === 'audio') packets += stat.packetsReceived;
			return packets;
		};
		const before = await count();
		await new Promise((resolve) => setTimeout(resolve, 500));
		return before === await count()`, 20*time.Second)
}

// restarts waits until both sides of all sections in use have ICE credentials other than before what is done, and the connection is up.
func (c *caller) restarts(do func()) {
	c.t.Helper()
	const credentials = `
		const peer = rig.peers.at(-1);
		const ufrags = (description) => description.sdp.split(/^(?=m=)/m).filter((section) => /^m=\S+ [1-9]/.test(section))
			.map((section) => /^a=ice-ufrag:(\S+)/m.exec(section)?.[1]);
		const all = () => [...ufrags(peer.currentLocalDescription), ...ufrags(peer.currentRemoteDescription)];`
	c.Eval(credentials+"globalThis.ufragsBefore = all()", nil)
	do()
	c.WaitFor(credentials+`
		const now = all();
		return now.length && !now.some((ufrag) => ufragsBefore.includes(ufrag)) && peer.signalingState === 'stable' && peer.connectionState === 'connected'`, 30*time.Second)
}

// pictures waits until the other side sends so many.
func (c *caller) pictures(n int) {
	c.t.Helper()
	c.WaitFor(`
		const call = carillon.calls[0];
		const live = (stream) => (stream?.getVideoTracks() ?? []).filter((track) => track.readyState === 'live' && !track.muted).length;
		return live(call.remoteStream) + live(call.remoteScreen) === args[0]`, 20*time.Second, n)
}

// TestEchoChanges has a call for sound become nearly everything that calls can become: the page calls and is called, by a peer that
// bundles and by one with a transport for each content.
func TestEchoChanges(t *testing.T) {
	changeWithEcho(t, "chromium")
}

func changeWithEcho(t *testing.T, browser string) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	e := &echoPeer{startEchoProcess(t, s), s}
	page := s.openPage(startBrowser(t, browser, pageTone), "anna")

	page.dial(e.address, false)
	page.getsEcho(false)
	t.Run("page calls, hold", func(t *testing.T) { holdBothWays(t, page, e) })
	t.Run("page calls, tones", func(t *testing.T) { sendTones(t, page, e) })
	t.Run("page calls, restart", func(t *testing.T) { restartBothWays(t, page, e) })
	t.Run("page calls, video", func(t *testing.T) { addAndDropVideo(t, page, e) })
	t.Run("page calls, screen", func(t *testing.T) { shareScreen(t, page, e) })
	e.hangUp(page, true)

	e.answer(page, false)
	t.Run("echo calls, hold", func(t *testing.T) { holdBothWays(t, page, e) })
	t.Run("echo calls, tones", func(t *testing.T) { sendTones(t, page, e) })
	t.Run("echo calls, restart", func(t *testing.T) { restartBothWays(t, page, e) })
	e.hangUp(page, false)

	e.answer(page, true)
	t.Run("echo calls, screen", func(t *testing.T) { shareScreen(t, page, e) })
	t.Run("echo calls, a second video", func(t *testing.T) { secondVideo(t, page, e) })
	e.hangUp(page, true)

	page.dial(e.address, true)
	page.getsEcho(true)
	t.Run("page calls, its picture is taken no longer", func(t *testing.T) { losesItsPlace(t, page, e) })
	e.hangUp(page, false)
}

// secondVideo has the echo add a video of its own to the page's and drop it again, each with a transport of its own: the page's goes on, and
// can be dropped and added after that.
func secondVideo(t *testing.T, page *caller, e *echoPeer) {
	if page.b.kind != "chromium" { // see addAndDropVideo
		return
	}
	page.chat(e.address, "video")
	page.pictures(2)
	page.chat(e.address, "drop")
	page.pictures(1)
	page.sees("motion")
	page.call("removeVideo", "")
	page.call("addVideo", "red")
	page.sees("red")
	page.hears(pageTone)
}

// losesItsPlace has the echo remove the page's video: the page lets go of the camera, says so, and can add it again.
func losesItsPlace(t *testing.T, page *caller, e *echoPeer) {
	page.Eval("globalThis.camera = carillon.calls[0].localStream.getVideoTracks()[0]", nil)
	page.chat(e.address, "drop")
	page.says("#call-notice", "does not take the picture")
	page.says("#camera-text", "Start camera")
	page.WaitFor("return camera.readyState === 'ended' && document.querySelector('#local-video').hidden", 5*time.Second)
	page.pictures(0)
	page.hears(pageTone)
	page.Click("#camera")
	page.says("#camera-text", "Stop camera")
	page.pictures(1)
	page.sees("motion")
}

func holdBothWays(t *testing.T, page *caller, e *echoPeer) {
	for _, word := range []string{"hold", "unhold"} {
		said := e.logs(t, "the peer says "+word)
		page.Eval("carillon.calls[0].hold(args[0])", nil, word == "hold")
		said()
		if word == "hold" {
			page.getsNothing()
		}
	}
	page.hears(pageTone)
	page.chat(e.address, "hold")
	page.WaitFor("return carillon.calls[0].remote.held", 10*time.Second)
	page.getsNothing()
	page.chat(e.address, "unhold")
	page.WaitFor("return !carillon.calls[0].remote.held", 10*time.Second)
	page.hears(pageTone)
}

func restartBothWays(t *testing.T, page *caller, e *echoPeer) {
	took, connected := e.logs(t, "the peer restarts ICE"), e.logs(t, "media connected")
	page.restarts(func() { page.call("restart", "") })
	took()
	connected()
	page.hears(pageTone)
	answered, connected := e.logs(t, "the peer answers our ICE restart"), e.logs(t, "media connected")
	page.restarts(func() { page.chat(e.address, "restart") })
	answered()
	connected()
	page.hears(pageTone)
}

// sendTones must not follow a restart: a tone is a tenth of a second, and may be sent just while the path changes.
func sendTones(t *testing.T, page *caller, e *echoPeer) {
	five, hash := e.logs(t, "dtmf digit=5"), e.logs(t, "dtmf digit=#")
	page.Eval("carillon.calls[0].sendTones('5#')", nil)
	five()
	hash()
	page.hears(pageTone)
}

// addAndDropVideo begins in a call for sound, and ends there.
func addAndDropVideo(t *testing.T, page *caller, e *echoPeer) {
	if page.b.kind == "chromium" { // pion (4.2.20) answers with the payload type of its own offer later on too, and Firefox takes what it offered only
		page.chat(e.address, "video")
		page.pictures(1)
		page.sees("motion")
		page.chat(e.address, "drop")
		page.pictures(0)
	}
	added := e.logs(t, "action=content-add")
	page.call("addVideo", "lime") // in the section that was the echo's, if there was one
	added()
	page.sees("lime")
	removed := e.logs(t, "action=content-modify")
	page.call("removeVideo", "")
	removed()
	page.hears(pageTone)
	again := e.logs(t, "action=content-modify")
	page.call("addVideo", "red")
	again()
	page.sees("red")
}

// shareScreen is in a call with a picture of the page.
func shareScreen(t *testing.T, page *caller, e *echoPeer) {
	added := e.logs(t, "echo begins")
	page.call("shareScreen", "blue")
	added()
	page.WaitFor(`
		let sending = 0;
		for (const [, stat] of await carillon.calls[0].getStats()) if (stat.type === 'outbound-rtp' && stat.kind === 'video' && stat.framesSent > 10) sending++;
		return sending === 2`, 20*time.Second)
	removed := e.logs(t, "the peer changes the call")
	page.call("stopScreen", "")
	removed()
	page.WaitFor("return !carillon.calls[0].screen", 10*time.Second)
	page.sees("motion")
	page.hears(pageTone)
}
