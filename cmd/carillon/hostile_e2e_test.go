//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestHostilityDisturbsNothing attacks by every door while a page and Dino talk.  Each attack gets its clear error, and the call goes on.
func TestHostilityDisturbsNothing(t *testing.T) {
	s := startStack(t)
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440})
	b := startBrowser(t, "chromium", pageTone)
	page := s.openPage(b, "anna")
	callDino(t, page, alice, false)

	t.Run("frames", func(t *testing.T) {
		for name, attack := range map[string]struct{ frame, code string }{
			"not JSON":        {`{"event":`, "bad_json"},
			"no object":       {`[1,2]`, "bad_json"},
			"no event":        {`{"id":1}`, "no_event"},
			"unknown event":   {`{"event":"dance"}`, "unknown_event"},
			"dial unattached": {`{"event":"dial","to":"alice@xmpp.test"}`, "not_attached"},
			"forged attach": {`{"event":"attach","name":"anna","instance":"i","key":"` + strings.Repeat("A", 87) + `","signature":"` +
				strings.Repeat("A", 86) + `"}`, "bad_signature"},
		} {
			t.Run(name, func(t *testing.T) {
				socket := s.socket(t, s.url)
				write(t, socket, attack.frame)
				if got := nextError(t, socket); got.Code != attack.code || got.Message == "" || got.Description == "" {
					t.Errorf("got %+v, want %s", got, attack.code)
				}
			})
		}
	})
	t.Run("a frame of 10 MB", func(t *testing.T) {
		socket := s.socket(t, s.url)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		socket.Write(ctx, websocket.MessageText, make([]byte, 10<<20))
		for {
			_, _, err := socket.Read(ctx)
			if err == nil {
				continue
			}
			if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
				t.Errorf("closed with %v", err)
			}
			return
		}
	})
	t.Run("a foreign Origin", func(t *testing.T) {
		for _, origin := range []string{"https://evil.example", ""} {
			_, reply, err := websocket.Dial(t.Context(), s.url+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
			if err == nil || reply == nil || reply.StatusCode != http.StatusForbidden {
				t.Errorf("Origin %q: %v", origin, err)
			}
		}
	})
	t.Run("a stranger's stanzas for the session", func(t *testing.T) {
		sid := regexp.MustCompile(`sid='([^']+)'`).FindStringSubmatch(alice.XML())
		if sid == nil {
			t.Fatal("no session on the wire")
		}
		var ghost string
		page.Eval("return carillon.account.address", &ghost)
		bob, _ := startStanza(t, s, b)
		for _, action := range []string{"session-terminate", "session-info"} {
			var condition string
			bob.Eval(`
				try {
					await client.xmpp.sendIQ({type: 'set', to: args[0], jingle: {sid: args[1], action: args[2]}});
					return 'result';
				} catch (reply) { return reply.error.condition + ' ' + reply.error.jingleError; }`, &condition, ghost, sid[1], action)
			if condition != "item-not-found unknown-session" {
				t.Errorf("%s by a stranger was answered with %s", action, condition)
			}
		}
		bob.Eval("client.xmpp.sendMessage({to: args[0], type: 'chat', body: 'x'})", nil, ghost)
	})
	page.hears(dinoTone440)
	alice.Hear(pageTone, 20*time.Second)
	endCall(t, s, page, alice, true)
}

// socket opens a WebSocket as a page of that origin would.
func (s *stack) socket(t *testing.T, origin string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), s.url+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow() })
	return c
}

func write(t *testing.T, c *websocket.Conn, frame string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

type errorFrame struct{ Event, Code, Message, Description string }

func nextError(t *testing.T, c *websocket.Conn) errorFrame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var f errorFrame
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		if f.Event == "error" {
			return f
		}
	}
}
