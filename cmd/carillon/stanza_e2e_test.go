//go:build e2e

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"
)

const stanzaTone = 660 // Hz, see testdata/browser/stanza-client.js

// stanzaMedia waits until both have sound and a moving picture of the other.
func stanzaMedia(anna *caller, bob *page) {
	anna.t.Helper()
	anna.waitState("in-call", 20*time.Second)
	bob.Hear("client.remote", pageTone, 20*time.Second)
	bob.WaitFor("const s = rig.see('video'); return s && s.changed && s.frames > 10", 20*time.Second)
	anna.hears(stanzaTone)
	anna.sees("motion")
}

// startStanza is a page with stanza, a Jingle implementation that shares nothing with ours and knows no XEP-0353, logged in as bob.
func startStanza(t *testing.T, s *stack, b *browser) (p *page, address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><link rel=icon href=data:,><title>stanza</title>"))
	}))
	t.Cleanup(server.Close)
	p = b.NewPage(server.URL)
	p.Eval(b.Bundle("stanza.mjs"), nil)
	client, err := os.ReadFile("../../testdata/browser/stanza-client.js")
	if err != nil {
		t.Fatal(err)
	}
	p.Eval(string(client), nil)
	p.Eval("return client.login(...args)", &address, "bob@"+testDomain, "pw-bob", s.server.WebSocketURL)
	return p, address
}

func TestStanzaCallsAndIsCalled(t *testing.T) {
	s := startStack(t)
	b := startBrowser(t, "chromium", pageTone)
	bob, address := startStanza(t, s, b)
	page := s.openPage(b, "anna")
	media := func() {
		t.Helper()
		stanzaMedia(page, bob)
	}

	// A device without XEP-0353 is dialled by its full address.
	page.dial(address, true)
	bob.WaitFor("return Boolean(client.incoming)", 15*time.Second)
	bob.Eval("await client.answer()", nil)
	media()
	page.Click("#hang-up")
	bob.WaitFor("return client.ended === 'success'", 2*time.Second)
	page.back()

	// Or by its bare address, once the ghost has seen its presence, as of everybody whom its person told.
	page.Type("#tell-address", "bob@"+testDomain)
	page.Click("#tell")
	page.WaitFor("return document.querySelector('#tell-result').textContent", 5*time.Second)
	var ghost string
	page.Eval("return carillon.account.address", &ghost)
	bob.Eval("client.incoming = undefined; client.xmpp.sendPresence({to: args[0]})", nil, ghost)
	s.waitFor("what the device can do", 5*time.Second, func() bool { return s.component.Stats().Devices == 1 })
	page.dial("bob@"+testDomain, true)
	bob.WaitFor("return Boolean(client.incoming)", 15*time.Second)
	bob.Eval("await client.answer()", nil)
	media()
	bob.Eval("client.session.end('success')", nil)
	page.waitState("ended", 2*time.Second)
	page.back()

	bob.Eval("await client.call(args[0])", nil, ghost)
	page.waitState("incoming", 10*time.Second)
	page.Click("#incoming-accept-video")
	media()
	bob.Eval("client.session.end('success')", nil)
	page.waitState("ended", 2*time.Second)
	page.back()

	bob.Eval("await client.call(args[0])", nil, ghost)
	page.waitState("incoming", 10*time.Second)
	page.Click("#incoming-decline")
	bob.WaitFor("return client.ended === 'decline'", 2*time.Second)
	s.waitFor("the calls' end", 5*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}
