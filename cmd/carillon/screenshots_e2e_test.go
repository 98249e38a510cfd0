//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A gallery looks at the screens of the pages: in both themes, on a phone and on a desktop.
type gallery struct {
	t   *testing.T
	dir string // where the pictures are kept; empty: nowhere
	axe string
}

var sizes = []struct {
	name          string
	width, height int
}{{"desktop", 1280, 800}, {"phone", 390, 844}}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join(browserFiles, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v (testdata/install all)", err)
	}
	return &gallery{t, os.Getenv("E2E_SCREENSHOTS"), string(axe)}
}

// show looks at the screen as it is now: axe-core finds nothing, everything to press is large enough, nothing is cut off at the sides.
func (g *gallery) show(p *page, screen string) {
	g.t.Helper()
	p.Eval("if (!globalThis.axe) { const module = undefined; "+g.axe+"; globalThis.axe ??= axe; }", nil)
	for _, size := range sizes {
		p.Viewport(size.width, size.height, false)
		p.Eval("scrollTo(0, 0)", nil)
		for _, theme := range []string{"light", "dark"} {
			p.Emulate("prefers-color-scheme", theme)
			name := strings.Join([]string{screen, size.name, theme}, "-")
			if g.dir != "" {
				p.Screenshot(filepath.Join(g.dir, name+".png"))
			}
			g.checkAccess(p, name)
		}
		g.checkSizes(p, screen+"-"+size.name)
	}
	p.Emulate("prefers-color-scheme", "light")
	p.Viewport(1280, 800, false)
}

// mirror looks at the screen as it is for those who write from right to left.
func (g *gallery) mirror(p *page, screen string) {
	g.t.Helper()
	p.Eval("document.documentElement.dir = 'rtl'", nil)
	for _, size := range sizes {
		p.Viewport(size.width, size.height, false)
		p.Eval("scrollTo(0, 0)", nil)
		if g.dir != "" {
			p.Screenshot(filepath.Join(g.dir, screen+"-"+size.name+"-rtl.png"))
		}
		g.checkSizes(p, screen+"-"+size.name+"-rtl")
	}
	p.Eval("document.documentElement.dir = 'ltr'", nil)
	p.Viewport(1280, 800, false)
}

func (g *gallery) checkAccess(p *page, name string) {
	g.t.Helper()
	var found []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	p.Eval(`
		await Promise.all(document.getAnimations().filter((each) => each.effect.getTiming().iterations !== Infinity).map((each) => each.finished.catch(() => {})));
		const {violations} = await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']});
		return violations.map(({id, help, nodes}) => ({ID: id, Help: help, Nodes: nodes.map(({html, failureSummary}) => ({HTML: html, FailureSummary: failureSummary}))}))`, &found)
	for _, violation := range found {
		for _, node := range violation.Nodes {
			g.t.Errorf("%s: %s: %s\n%s\n%s", name, violation.ID, violation.Help, node.HTML, node.FailureSummary)
		}
	}
}

// checkSizes wants 44 px of everything that is pressed, words within their buttons, and no scrolling sideways.
func (g *gallery) checkSizes(p *page, name string) {
	g.t.Helper()
	var bad []string
	p.Eval(`
		const bad = [];
		// Links in running text are as high as that (WCAG 2.2, 2.5.8).
		for (const target of document.querySelectorAll('button, a:not(.body a), input, select, summary')) {
			const {width, height, left, right} = target.getBoundingClientRect();
			if (!width || !target.checkVisibility({visibilityProperty: true})) continue;
			const called = target.id || target.outerHTML.slice(0, 80);
			if (width < 43.9 || height < 43.9) bad.push(called + ' is ' + width + ' x ' + height);
			if (left < -1 || right > innerWidth + 1) bad.push(called + ' is cut off');
			if (target.matches('button:not([data-unread]), a, summary') && target.scrollWidth > target.clientWidth + 1) bad.push(called + ' is too narrow for its words');
		}
		if (document.documentElement.scrollWidth > innerWidth) bad.push('the page is ' + document.documentElement.scrollWidth + ' wide in ' + innerWidth);
		return bad`, &bad)
	for _, each := range bad {
		g.t.Errorf("%s: %s", name, each)
	}
}

// TestScreens goes through the screens of the pages.  With E2E_SCREENSHOTS the pictures are kept in that directory.
func TestScreens(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`, `limits.ringing_per_ip = 10`, `guests.echo = "alice@`+testDomain+`"`)
	g := newGallery(t)
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "smpte"})
	b := startBrowser(t, "chromium", pageTone)
	first := b.NewPage(s.url)
	g.show(first, "first")
	anna := &caller{page: first, t: t}
	anna.attach("anna")
	g.lobby(anna, alice)
	g.dino(anna, alice)
	berta := &caller{page: b.NewPrivatePage(s.url), t: t}
	berta.attach("berta")
	g.pages(anna, berta, alice)
	g.rooms(s, anna, berta)
	g.ways(s, b.NewPage(""))
	for _, p := range []*caller{anna, berta} {
		if errs := p.Errors(); len(errs) > 0 {
			t.Errorf("the page has errors: %q", errs)
		}
	}
}

func (g *gallery) lobby(anna *caller, alice *dino) {
	g.t.Helper()
	anna.Click("#preview")
	anna.WaitFor("return document.querySelector('#preview-video').videoWidth && document.querySelector('#level').getAttribute('aria-valuenow') > 0", 10*time.Second)
	anna.Type("#address", alice.jid)
	tellDino(g.t, anna, alice)
	// How two of them look; that they come about is tested elsewhere.
	anna.Eval(`
		localStorage.setItem('carillon blocked', 'dora@example.org');
		carillon.contacts = [{address: 'bo@example.org', state: 'asks'}, {address: 'carla@example.org', state: 'approved'}];
		carillon.dispatchEvent(new CustomEvent('contacts', {detail: carillon.contacts}))`, nil)
	g.show(anna.page, "lobby")
	g.mirror(anna.page, "lobby")
	anna.Click("#preview")
	anna.Type("#address", "nobody")
	anna.Click("#call-audio")
	anna.WaitFor("return !document.querySelector('#call-error').hidden", 5*time.Second)
	g.show(anna.page, "lobby-error")
	anna.Click("#test-open")
	anna.WaitFor("return document.querySelector('#test').open", 5*time.Second)
	g.show(anna.page, "test")
	anna.Press("Escape")
}

// dino shows a call with an XMPP client: made, in progress, over, and received.
func (g *gallery) dino(anna *caller, alice *dino) {
	g.t.Helper()
	anna.dial(alice.jid, true)
	alice.Wait("ringing", 10*time.Second)
	anna.waitState("ringing,dialing", 5*time.Second)
	g.show(anna.page, "ringing")
	alice.Accept()
	anna.waitState("in-call", 20*time.Second)
	anna.sees("motion")
	anna.WaitFor("return !document.querySelector('#quality').hidden", 10*time.Second)
	g.show(anna.page, "call")
	g.mirror(anna.page, "call")
	anna.Click("#more-open")
	anna.WaitFor("return document.querySelector('#stats').childElementCount", 10*time.Second)
	g.show(anna.page, "more")
	anna.Press("Escape")
	alice.Hangup()
	anna.waitState("ended", 10*time.Second)
	g.show(anna.page, "ended")
	anna.back()
	alice.Call(anna.address(), true)
	anna.waitState("incoming", 10*time.Second)
	g.show(anna.page, "incoming")
	anna.Click("#incoming-decline")
	anna.back()
}

// pages shows a call with another page, messages, and a third one who calls.
func (g *gallery) pages(anna, berta *caller, alice *dino) {
	g.t.Helper()
	anna.dial(berta.address(), false)
	berta.waitState("incoming", 10*time.Second)
	berta.Click("#incoming-accept-audio")
	anna.waitState("in-call", 20*time.Second)
	berta.waitState("in-call", 20*time.Second)
	anna.Click("#chat-open")
	anna.Type("#chat-text", "Good morning! Do you hear me?")
	anna.Press("Enter")
	berta.WaitFor("return !document.querySelector('#letter').hidden", 10*time.Second)
	g.show(berta.page, "letter")
	berta.Click("#letter-reply")
	berta.Type("#chat-text", "Very well. I am in the second building, behind the garden with the old chestnut trees.")
	berta.Press("Enter")
	berta.write("The way is on https://www.openstreetmap.org/?mlat=48.2#map=18/48.2/16.3 by the way.")
	anna.write("Thank you, and here is our room: https://call.example.org/r/choir")
	anna.WaitFor("return document.querySelectorAll('#chat-log > div').length === 4", 10*time.Second)
	g.show(anna.page, "chat")
	g.mirror(anna.page, "chat")
	anna.Click("#chat-close")
	berta.Click("#mute")
	anna.WaitFor("return !document.querySelector('#remote-muted').hidden", 10*time.Second)
	alice.Call(anna.address(), false)
	anna.WaitFor("return !document.querySelector('#waiting').hidden", 10*time.Second)
	g.show(anna.page, "waiting")
	anna.Click("#waiting-decline")
	anna.Click("#more-open")
	anna.Click("#keypad-open")
	anna.Press("5")
	anna.Click("[data-tone='#']")
	g.show(anna.page, "keypad")
	anna.Press("Escape")
	anna.Click("#more-open")
	anna.Click("#devices-open")
	g.show(anna.page, "devices")
	anna.Press("Escape")
	anna.Click("#more-open")
	anna.Click("#hold")
	anna.WaitFor("return !document.querySelector('#call-notice').hidden", 5*time.Second)
	g.show(anna.page, "hold")
	anna.Click("#hang-up")
}

// rooms shows the door of a room and the room.
func (g *gallery) rooms(s *stack, anna, berta *caller) {
	g.t.Helper()
	for _, each := range []*caller{anna, berta} {
		each.Goto(s.url + "/r/choir")
	}
	g.show(anna.page, "door")
	for _, each := range []*caller{anna, berta} {
		each.Click("#room-join")
	}
	anna.WaitFor("return document.querySelectorAll('[data-member][data-picture]').length === 1", 20*time.Second)
	g.show(anna.page, "room")
}

// ways shows where nothing is, and the way into a room without a name.
func (g *gallery) ways(s *stack, p *page) {
	g.t.Helper()
	p.Goto(s.url + "/no/such/page")
	p.WaitFor("return document.querySelector('#language').value", 10*time.Second)
	g.show(p, "missing")
	p.Goto(s.url + "/r/")
	p.WaitFor("return !document.querySelector('#meet-form').hidden", 10*time.Second)
	g.show(p, "room-ask")
	g.mirror(p, "room-ask")
}
