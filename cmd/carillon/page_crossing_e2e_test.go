//go:build e2e

package main

import (
	"testing"
	"time"
)

// dialHeld keeps a page's dial, and what comes after it, until release is called.
const dialHeld = `
	const {send} = WebSocket.prototype;
	const held = [];
	WebSocket.prototype.send = function (text) {
		if (held.length || text.includes('"dial"')) held.push([this, text]);
		else send.call(this, text);
	};
	globalThis.release = () => {
		WebSocket.prototype.send = send;
		delete globalThis.release;
		for (const [socket, text] of held) send.call(socket, text);
	}`

// TestPagesDialEachOther has two pages dial each other at the same moment, as far as that can be had: they have one call, and neither rings.
func TestPagesDialEachOther(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	people := s.people(startBrowser(t, "chromium", pageTone), "anna", "berta")
	anna, berta := people[0], people[1]
	for _, each := range people {
		each.Eval(`
			globalThis.rang = 0;
			new MutationObserver(() => { rang += document.body.dataset.state === 'incoming'; }).observe(document.body, {attributeFilter: ['data-state']});
			new MutationObserver(([{target}]) => { rang += !target.hidden; }).observe(document.querySelector('#waiting'), {attributeFilter: ['hidden']})`, nil)
	}
	anna.Type("#address", berta.address())
	berta.Type("#address", anna.address())
	// Each way in which they can meet: at the same time; one is rung while its browser asks for the microphone; its dial is on its way when it is rung.
	for _, c := range []struct {
		name, first, second string
		hold                string // what keeps the second one's dial back until the first one's call rings there
	}{
		{"at once", "#call-audio", "#call-audio", ""},
		{"while the browser asks", "#call-audio", "#call-video", `
			const open = navigator.mediaDevices.getUserMedia;
			navigator.mediaDevices.getUserMedia = async function (wanted) {
				navigator.mediaDevices.getUserMedia = open;
				await new Promise((resolve) => { carillon.addEventListener('incoming', resolve, {once: true}); });
				return open.call(this, wanted);
			}`},
		{"while the dial is on its way", "#call-audio", "#call-video", dialHeld},
		{"while the dial is on its way, the other way round", "#call-video", "#call-audio", dialHeld},
	} {
		t.Log(c.name)
		berta.Eval(c.hold, nil)
		const click = "document.querySelector(args[0]).click()"
		if c.hold == "" {
			anna.Eval(click, nil, c.first)
			berta.Eval(click, nil, c.second)
		} else {
			berta.Eval(click, nil, c.second)
			if c.hold == dialHeld {
				berta.waitState("dialing", 10*time.Second)
			}
			anna.Eval(click, nil, c.first)
			anna.waitState("ringing,connecting-media,in-call", 10*time.Second)
			berta.Eval("globalThis.release?.()", nil)
		}
		for _, each := range people {
			each.waitState("in-call", 30*time.Second)
			each.hears(pageTone)
		}
		switch { // who dials with a camera shows it, whoever's call it became
		case c.first == "#call-video":
			berta.sees("motion")
		case c.hold == dialHeld:
			anna.sees("motion")
		}
		if n := s.component.Stats().Calls; n != 1 {
			t.Errorf("%d calls", n)
		}
		berta.Click("#hang-up")
		if why := berta.reason(); why != "You ended the call." {
			t.Errorf("it ended with %q", why)
		}
		anna.back()
		berta.back()
	}
	for _, each := range people {
		var rang int
		each.Eval("return rang", &rang)
		if rang > 0 {
			t.Errorf("a page rang %d times", rang)
		}
		if errs := each.Errors(); len(errs) > 0 {
			t.Errorf("the page has errors: %q", errs)
		}
	}
}
