//go:build e2e

package main

import (
	"testing"
	"time"
)

// TestMessages writes between pages and an XMPP client: who writes, and what is not delivered, is told to both.
func TestMessages(t *testing.T) {
	s := startStack(t, `limits.grace = "2s"`)
	b := startBrowser(t, "chromium", pageTone)
	bob, address := startStanza(t, s, b)
	bob.Eval(`
		globalThis.heard = [];
		globalThis.failed = [];
		client.xmpp.on('message', (message) => heard.push(message));
		client.xmpp.on('message:error', (message) => failed.push(message));`, nil)
	anna := s.openGoPage("AnnA")
	anna.send(map[string]any{"event": "text", "id": 7, "to": address, "body": "hello", "message": "m1"})
	anna.await("ok", 10*time.Second)
	bob.WaitFor("return heard.some(({body, nick}) => body === 'hello' && nick === 'AnnA (guest)')", 10*time.Second)
	bob.Eval("client.xmpp.sendMessage({to: args[0], type: 'chat', body: 'hi', nick: 'Bob B.'})", nil, anna.bare)
	if text := anna.await("text", 10*time.Second); text.Body != "hi" || text.Name != "Bob B." || text.From != "bob@"+testDomain {
		t.Errorf("the page was shown %+v", text)
	}

	// The page's socket breaks, and it does not come back.
	anna.ws.CloseNow()
	bob.Eval(`
		globalThis.sent = [];
		globalThis.writing = setInterval(() => sent.push(client.xmpp.sendMessage({to: args[0], type: 'chat', body: 'still there?'})), 500);`, nil, anna.bare)
	bob.WaitFor("return failed.some(({id, error}) => sent.includes(id) && error.condition === 'recipient-unavailable' && error.type === 'wait')", 20*time.Second)
	bob.Eval("clearInterval(writing)", nil)

	// What comes back is marked beside the message.
	berta := s.openPage(b, "berta")
	berta.dial("nobody@"+testDomain, false)
	berta.waitState("ended", 20*time.Second)
	berta.Click("#ended-write")
	berta.write("Is anybody there?")
	berta.says("#chat-log", "Not delivered. Your message could not be delivered")
}
