//go:build e2e

package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// people opens a page for each name in one browser, each with storage of its own.
func (s *stack) people(b *browser, names ...string) []*caller {
	s.t.Helper()
	var list []*caller
	for _, name := range names {
		c := &caller{page: b.NewPrivatePage(s.url), t: s.t}
		c.attach(name)
		list = append(list, c)
	}
	return list
}

// meet has one page call another, which answers.
func meet(from, to *caller) {
	from.t.Helper()
	from.dial(to.address(), false)
	to.waitState("incoming", 10*time.Second)
	to.Click("#incoming-accept-audio")
	from.waitState("in-call", 20*time.Second)
	to.waitState("in-call", 20*time.Second)
}

func (c *caller) says(selector, what string) {
	c.t.Helper()
	c.WaitFor("const shown = document.querySelector(args[0]); return !shown.hidden && shown.textContent.includes(args[1])", 10*time.Second, selector, what)
}

// TestPageSurvives is what happens to pages in a call: devices and permissions go, servers restart, pages are loaded anew, others call.
func TestPageSurvives(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	// The browser asks, as a person's does; here a test answers.
	b := startBrowser(t, "chromium", pageTone, "!--use-fake-ui-for-media-stream")
	people := s.people(b, "anna", "berta", "carla")
	anna, berta, carla := people[0], people[1], people[2]
	for _, each := range people {
		each.Permission("microphone", "granted")
		each.Permission("camera", "granted")
	}
	losesDevices(anna, berta)
	losesPermission(anna, berta)
	takesAnother(anna, berta, carla)
	isLoadedAnew(anna, berta)
	hasTwoTabs(s, anna, berta)
	serversRestart(t, s, anna, berta)
	for _, each := range people {
		for _, text := range each.Errors() {
			// Browsers say so when a socket cannot be had, whatever a page does.
			if !strings.Contains(text, "WebSocket connection to") && !strings.Contains(text, "Failed to load resource") {
				t.Errorf("the page has an error: %s", text)
			}
		}
	}
}

// losesDevices unplugs the microphone, as far as the page can tell, and plugs in another one.
func losesDevices(anna, berta *caller) {
	anna.t.Helper()
	meet(anna, berta)
	berta.hears(pageTone)
	anna.Eval(`
		const [track] = carillon.calls[0].localStream.getAudioTracks();
		const open = navigator.mediaDevices.getUserMedia;
		navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };
		globalThis.plugIn = () => {
			navigator.mediaDevices.getUserMedia = open;
			navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
		};
		track.stop();
		track.dispatchEvent(new Event('ended'))`, nil)
	anna.says("#call-notice", "no longer hears you")
	anna.Eval("plugIn()", nil)
	anna.says("#call-notice", "The call uses another one")
	berta.hears(pageTone)
	anna.Click("#hang-up")
	anna.back()
	berta.back()
}

// losesPermission takes the microphone's permission back in a call.
func losesPermission(anna, berta *caller) {
	anna.t.Helper()
	meet(anna, berta)
	anna.Permission("microphone", "denied")
	anna.says("#call-notice", "no longer hears you")
	anna.waitState("in-call", time.Second)
	anna.Click("#hang-up")
	anna.back()
	berta.back()
	anna.Type("#address", berta.address())
	anna.Click("#call-audio")
	anna.says("#call-error", "does not let this page use the microphone")
	anna.Permission("microphone", "granted")
}

// takesAnother answers a call that waits in place of the one under way.
func takesAnother(anna, berta, carla *caller) {
	anna.t.Helper()
	meet(anna, berta)
	carla.dial(anna.address(), false)
	anna.says("#waiting", "carla is calling, too")
	anna.Click("#waiting-accept")
	berta.waitState("ended", 10*time.Second)
	carla.waitState("in-call", 20*time.Second)
	anna.waitState("in-call", 20*time.Second)
	anna.says("#peer", "carla")
	carla.hears(pageTone)
	// And one that is declined while the other goes on.
	berta.back()
	berta.dial(anna.address(), false)
	anna.Click("#waiting-decline")
	if why := berta.reason(); !strings.Contains(why, "declined") {
		anna.t.Errorf("who waited was told %q", why)
	}
	anna.waitState("in-call", time.Second)
	carla.Click("#hang-up")
	for _, each := range []*caller{anna, berta, carla} {
		each.back()
	}
}

// isLoadedAnew reloads the page in a call: one click rings the same contact again.
func isLoadedAnew(anna, berta *caller) {
	anna.t.Helper()
	meet(anna, berta)
	anna.Reload()
	berta.waitState("ended", 10*time.Second)
	if why := anna.reason(); !strings.Contains(why, "loaded anew") {
		anna.t.Errorf("after the reload it says %q", why)
	}
	anna.Click("#again")
	berta.waitState("incoming", 10*time.Second)
	berta.Click("#incoming-accept-audio")
	anna.waitState("in-call", 20*time.Second)
	berta.Click("#hang-up")
	anna.back()
	berta.back()
}

// hasTwoTabs rings both tabs of an address; one answers, and the other one is free for the next call.
func hasTwoTabs(s *stack, anna, berta *caller) {
	anna.t.Helper()
	other := &caller{page: anna.second(s.url), t: anna.t}
	other.WaitFor("return globalThis.carillon?.account?.bare === args[0]", 15*time.Second, anna.address())
	berta.dial(anna.address(), false)
	anna.waitState("incoming", 10*time.Second)
	other.waitState("incoming", 10*time.Second)
	other.Click("#incoming-accept-audio")
	if why := anna.reason(); !strings.Contains(why, "another window") {
		anna.t.Errorf("the other tab says %q", why)
	}
	anna.back()
	other.waitState("in-call", 20*time.Second)
	berta.Click("#hang-up")
	berta.back()
	other.waitState("ended", 10*time.Second)
	other.Close()
	anna.waitState("idle", 5*time.Second)
}

// serversRestart ends the XMPP server in a call, which goes on, and then Carillon itself, which ends it; the page comes back and calls again.
func serversRestart(t *testing.T, s *stack, anna, berta *caller) {
	t.Helper()
	meet(anna, berta)
	s.server.Kill()
	anna.WaitFor("return document.body.dataset.link === 'down'", 10*time.Second)
	berta.hears(pageTone)
	anna.waitState("in-call", time.Second)
	if err := s.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	anna.WaitFor("return document.body.dataset.link === 'attached'", 30*time.Second)
	berta.hears(pageTone)

	s.stop()
	if why := anna.reason(); !strings.Contains(why, "restarted") {
		t.Errorf("when the service restarts it says %q", why)
	}
	anna.WaitFor("return document.body.dataset.link === 'away'", 10*time.Second)
	l, err := net.Listen("tcp", "127.0.0.1:"+s.url[strings.LastIndex(s.url, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	attachOn(t, s.server, l, `limits.cool_down = "1ms"`)
	for _, each := range []*caller{anna, berta} {
		each.WaitFor("carillon.retry(); return document.body.dataset.link === 'attached'", 30*time.Second)
	}
	berta.back()
	anna.Click("#again")
	berta.waitState("incoming", 10*time.Second)
	berta.Click("#incoming-decline")
	anna.waitState("ended", 10*time.Second)
}
