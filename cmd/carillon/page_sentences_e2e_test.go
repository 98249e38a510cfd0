//go:build e2e

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// over waits until the page says that the call is over, in these words, and what to do next: it offers to call and to write again.
func (c *caller) over(words string, within time.Duration) {
	c.t.Helper()
	c.waitState("ended", within)
	if why := c.reason(); !strings.Contains(why, words) {
		c.t.Errorf("it ended with %q", why)
	}
	c.says("#state", words) // for those who hear the page
	c.WaitFor("return ['again', 'ended-write', 'back'].every((id) => document.getElementById(id).checkVisibility())", 5*time.Second)
}

// TestPageSaysBusy calls a jingle-echo that has as many calls as it takes, until one of them is over.
func TestPageSaysBusy(t *testing.T) {
	const echoTakes = 20
	s := startStack(t, `limits.cool_down = "1ms"`, "limits.calls_per_ip = 100", "limits.sockets_per_ip = 100")
	echo := startEcho(t, s)
	var talking []*goPage
	for i := range echoTakes {
		p := s.openGoPage(fmt.Sprintf("guest%d", i))
		p.dial(echo)
		talking = append(talking, p)
	}
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	page.dial(echo, false)
	page.over("is in another call. Try again later", 10*time.Second)
	talking[0].hangUp()
	page.Click("#again")
	page.waitState("in-call", 30*time.Second)
	page.hears(pageTone)
}

// TestPageSaysNoAnswer lets a page ring that nobody answers: both say so, each in its own words, and one click calls back.
func TestPageSaysNoAnswer(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`, `limits.ringing = "2s"`)
	people := s.people(startBrowser(t, "chromium", pageTone), "anna", "berta")
	anna, berta := people[0], people[1]
	anna.dial(berta.address(), false)
	berta.waitState("incoming", 10*time.Second)
	anna.waitState("ringing", 5*time.Second)
	anna.over("Nobody answered. Try again later, or write a message.", 10*time.Second)
	berta.over("You did not answer in time. You can call back.", 5*time.Second)
	berta.Click("#again")
	anna.waitState("incoming", 10*time.Second)
	anna.Click("#incoming-accept-audio")
	berta.waitState("in-call", 20*time.Second)
}

// TestPageSaysNoRoute has sound and picture find no way: the page is bound to a relay that is not there, or its browser may use a relay only
// and there is none.
func TestPageSaysNoRoute(t *testing.T) {
	t.Run("the relay is away", func(t *testing.T) {
		t.Parallel()
		s := startStack(t, "[turn]", fmt.Sprintf("urls = [%q]", "turn:"+rigAddress(t)+":9?transport=udp"), `secret = "s"`, "relay_only = true")
		page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
		page.dial(startEcho(t, s), false)
		page.waitState("connecting-media", 20*time.Second)
		page.over("found no way between you and your contact. Try another network.", 60*time.Second)
	})
	t.Run("there is no relay", func(t *testing.T) {
		t.Parallel()
		s := startStack(t)
		page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
		page.Eval(`
			globalThis.RTCPeerConnection = class extends RTCPeerConnection {
				constructor(configuration) { super({...configuration, iceTransportPolicy: 'relay'}); }
			}`, nil)
		page.dial(startEcho(t, s), false)
		page.says("#call-notice", "this service has no relay for your network")
		page.over("this service has no relay to help. Try another network, such as that of a phone.", 60*time.Second)
	})
}
