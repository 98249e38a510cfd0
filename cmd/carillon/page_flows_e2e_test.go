//go:build e2e

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestPageFlows goes through a call with jingle-echo in both browsers: by keyboard, muted, on hold, over, and once more.
func TestPageFlows(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	echo := startEcho(t, s)
	for _, kind := range []string{"chromium", "firefox"} {
		t.Run(kind, func(t *testing.T) {
			page := s.in(t).openPage(startBrowser(t, kind, pageTone), "anna")
			// Enter in the name goes on to the address, Enter there calls.
			page.Eval("document.querySelector('#name').focus()", nil)
			page.Press("Enter")
			page.WaitFor("return document.activeElement.id === 'address'", 5*time.Second)
			page.Type("#address", "xmpp:"+echo+"?call")
			page.Press("Enter")
			page.waitState("in-call", 30*time.Second)
			page.hears(pageTone) // one's own, come back
			page.sees("motion")
			page.says("#quality", "Direct")
			page.says("#state", "In a call with bob")
			page.Eval("document.querySelector('#mute').focus()", nil)
			page.Press(" ")
			page.says("#mute-text", "Unmute")
			page.says("#call-notice", "Your microphone is muted")
			page.silent()
			page.Press(" ")
			page.hears(pageTone)
			page.Click("#camera")
			page.WaitFor("return document.querySelector('#local-video').hidden", 5*time.Second)
			page.Click("#camera")
			page.Click("#more-open")
			page.Click("#hold")
			page.says("#call-notice", "on hold")
			page.silent()
			page.Click("#more-open")
			page.says("#hold-text", "Resume")
			page.Press("Escape")
			page.Click("#resume")
			page.hears(pageTone)
			// What is written to the echo it answers, and does.
			page.Click("#chat-open")
			page.write("help")
			page.says("#chat-log", "I answer calls")
			page.write("hold")
			page.says("#call-notice", "bob put you on hold")
			page.write("unhold")
			page.WaitFor("return !carillon.calls[0].remote.held", 10*time.Second)
			page.Press("Escape")
			page.WaitFor("return document.querySelector('#chat').hidden && document.activeElement.id === 'chat-open'", 5*time.Second)
			page.Eval("document.querySelector('#hang-up').focus()", nil)
			page.Press("Enter")
			if why := page.reason(); why != "You ended the call." {
				t.Errorf("it ended with %q", why)
			}
			page.says("#ended-address", echo)
			page.Click("#again")
			page.waitState("in-call", 30*time.Second)
			page.Click("#hang-up")
			page.back()
			// Whom guests may not call is not offered to be called again.
			page.Type("#address", "alice@elsewhere.example")
			page.Click("#call-audio")
			page.waitState("ended", 10*time.Second)
			page.says("#ended-address", "alice@elsewhere.example")
			page.says("#ended-reason", "does not let guests call")
			page.WaitFor("return ['again', 'ended-write'].every((id) => document.getElementById(id).hidden)", 5*time.Second)
			page.back()
			// Another language, while the page is open.
			page.Eval("const field = document.querySelector('#language'); field.value = 'fr'; field.dispatchEvent(new Event('change'))", nil)
			page.says("#call-title", "Appeler quelqu’un")
			page.says("#state", "Prêt à appeler")
			page.Reload()
			page.says("#call-title", "Appeler quelqu’un")
			if errs := page.Errors(); len(errs) > 0 {
				t.Errorf("the page has errors: %q", errs)
			}
		})
	}
}

// write sends a message beside the call.
func (c *caller) write(text string) {
	c.t.Helper()
	c.Type("#chat-text", text)
	c.Press("Enter")
}

// silent waits until nothing is heard of the other side.
func (c *caller) silent() {
	c.t.Helper()
	c.WaitFor("const s = rig.hear('#remote-video'); return s && s.db < -80", 10*time.Second)
}

// TestPageSaysWhatToDo has calls fail in the ways that people meet: each has its own words.
func TestPageSaysWhatToDo(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	b := startBrowser(t, "chromium", pageTone, "!--use-fake-ui-for-media-stream")
	people := s.people(b, "anna", "berta")
	anna, berta := people[0], people[1]
	anna.Permission("camera", "denied")
	anna.Permission("microphone", "denied")
	fails := func(to, selector, words string) {
		t.Helper()
		anna.Type("#address", to)
		anna.Click("#call-audio")
		anna.says(selector, words)
	}
	fails("nobody", "#call-error", "an address such as")
	fails("alice@"+testDomain, "#call-error", "Allow it in the site settings")
	anna.Permission("microphone", "granted")
	for name, words := range map[string]string{"NotFoundError": "No microphone was found", "NotReadableError": "Another program is using"} {
		anna.Eval(`
			globalThis.real ??= navigator.mediaDevices.getUserMedia;
			navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', args[0]); }`, nil, name)
		fails("alice@"+testDomain, "#call-error", words)
	}
	anna.Eval("navigator.mediaDevices.getUserMedia = real", nil)
	for to, words := range map[string]string{
		"somebody@elsewhere.example": "does not let guests call", "nobody@" + testDomain: "offline", "nobody-aaaaaaaaaaaaaaaa@" + testComponent: "Nobody can be reached there",
	} {
		fails(to, "#state", words) // what the page says of an ending is said there, too
		if why := anna.reason(); !strings.Contains(why, words) {
			t.Errorf("of %s it says %q", to, why)
		}
		anna.back()
	}
	berta.Permission("microphone", "granted")
	anna.dial(berta.address(), false)
	berta.waitState("incoming", 10*time.Second)
	berta.WaitFor("return document.title.includes('anna is calling')", 5*time.Second)
	berta.Click("#incoming-decline")
	anna.says("#ended-reason", "declined the call. Write a message")
	anna.Click("#ended-write")
	anna.Type("#chat-text", "Please call me back")
	anna.Press("Enter")
	berta.says("#letter-text", "anna wrote: Please call me back")
	// A call without a camera is one with sound only, and says so in the lobby.
	anna.Press("Escape")
	anna.back()
	anna.Eval(`
		navigator.mediaDevices.enumerateDevices = async () => [{kind: 'audioinput', deviceId: 'a', label: 'a'}];
		navigator.mediaDevices.dispatchEvent(new Event('devicechange'))`, nil)
	anna.WaitFor("return !document.querySelector('#call-video').checkVisibility()", 5*time.Second)
}

// TestPageTestsItself runs the page's self-test against a relay and jingle-echo.
func TestPageTestsItself(t *testing.T) {
	turn := startTurn(t)
	s := startStack(t, `guests.echo = "bob@`+testDomain+`"`, fmt.Sprintf("ice_servers = [%q]", strings.Replace(strings.Split(turn.URL, "?")[0], "turn:", "stun:", 1)),
		"[turn]", fmt.Sprintf("urls = [%q]", turn.URL), fmt.Sprintf("secret = %q", turn.Secret))
	startEcho(t, s)
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	page.Click("#test-open")
	page.Click("#test-start")
	page.WaitFor("return [...document.querySelectorAll('#checks li')].every(({dataset}) => /good|fair|bad/.test(dataset.standing))", 60*time.Second)
	var found map[string]string
	page.Eval("return Object.fromEntries([...document.querySelectorAll('#checks li')].map(({id, dataset, innerText}) => [id, dataset.standing + ': ' + innerText]))", &found)
	for check, result := range found {
		if !strings.HasPrefix(result, "good") {
			t.Errorf("%s: %s", check, result)
		}
	}
	page.says("#test-result", "Everything works.")
	if len(found) != 6 {
		t.Errorf("%d checks: %v", len(found), found)
	}
	s.waitFor("the test's call to end", 10*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}

// TestPageIsSmall measures what a browser loads: little, from one host only, and it is painted before there is a socket.
func TestPageIsSmall(t *testing.T) {
	held := make(chan struct{})
	var target *url.URL
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			<-held
		}
		httputil.NewSingleHostReverseProxy(target).ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	s := startStack(t, fmt.Sprintf("origins = [%q]", proxy.URL))
	target, _ = url.Parse(s.url)
	b := startBrowser(t, "chromium", pageTone, "--lang=fr")
	page := &caller{page: b.NewPage(proxy.URL), t: t}
	page.Eval("localStorage.setItem('carillon name', 'anna'); localStorage.setItem('carillon language', 'fr')", nil)
	page.Reload()
	page.WaitFor("return performance.getEntriesByName('first-contentful-paint').length", 10*time.Second)
	var state string
	page.Eval("return globalThis.carillon?.state ?? ''", &state) // painted is not loaded: the script may be on its way
	if state == "attached" {
		t.Error("there was a socket already")
	}
	page.says("#call-title", "Appeler")
	close(held)
	page.WaitFor("return globalThis.carillon?.state === 'attached'", 30*time.Second)
	for _, path := range []string{"/", "/r/choir"} {
		if path != "/" {
			page.Goto(proxy.URL + path)
			page.WaitFor("return document.documentElement.lang === 'fr'", 10*time.Second)
		}
		var loaded map[string]int
		page.Eval(`
			const names = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map(({name}) => name.split('#')[0]);
			const sizes = await Promise.all([...new Set(names)].map(async (name) => [name, name.startsWith(location.origin) ? (await (await fetch(name)).arrayBuffer()).byteLength : 0]));
			return Object.fromEntries(sizes)`, &loaded)
		sum := 0
		for name, size := range loaded {
			file, ours := strings.CutPrefix(name, proxy.URL)
			if !ours {
				t.Errorf("%s asked another host: %s", path, name)
			}
			if !strings.HasSuffix(strings.Split(file, "?")[0], ".svg") && !strings.HasSuffix(file, ".png") && file != "/ws" {
				sum += size
			}
		}
		t.Logf("%s: %d files, %d bytes of documents, styles and scripts", path, len(loaded), sum)
		if len(loaded) < 15 || sum < 40_000 || sum > 150_000 {
			t.Errorf("%s is %d bytes: %v", path, sum, loaded)
		}
	}
	if errs := page.Errors(); len(errs) > 0 {
		t.Errorf("the page has errors: %q", errs)
	}
}
