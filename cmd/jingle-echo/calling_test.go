package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/jingle/element"
)

// ends is two accounts on one wire, and what they log.
type ends struct {
	t   *testing.T
	of  [2]*account
	log [2]*record
	in  [2]chan *element.Element // what arrives
}

// connectEnds has a stanza of each arrive at the other.
func connectEnds(t *testing.T) *ends {
	t.Helper()
	e := &ends{t: t}
	addresses := [2]string{echoAddress, callerAddress}
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for i := range e.of {
		e.in[i] = make(chan *element.Element, 1000)
		e.log[i] = &record{}
	}
	for i := range e.of {
		log := slog.New(slog.NewTextHandler(e.log[i], &slog.HandlerOptions{Level: slog.LevelDebug}))
		m, err := newMedia(nil, true, log)
		if err != nil {
			t.Fatal(err)
		}
		e.of[i] = newAccount(addresses[i], func(s []byte) error {
			e.in[1-i] <- delivered(t, s, addresses[i])
			return nil
		}, m, log)
		readers.Go(func() {
			for {
				select {
				case s := <-e.in[i]:
					e.of[i].handle(s)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	t.Cleanup(func() {
		e.of[0].close()
		e.of[1].close()
		cancel()
		readers.Wait()
	})
	return e
}

// write has one write to the other, who is ours.
func (e *ends) write(from int, text string) {
	e.of[from].say(e.of[1-from].self, text)
}

// logs waits until an account has logged something so often.
func (e *ends) logs(i, times int, text string) {
	e.t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(30 * time.Second); strings.Count(e.log[i].String(), text) < times; <-again.C {
		if time.Now().After(end) {
			e.t.Fatalf("no %q in\n%s\nThe other:\n%s", text, e.log[i], e.log[1-i])
		}
	}
}

// TestCallsWhoAsks has an echo call another one.  Each changes the call.
func TestCallsWhoAsks(t *testing.T) {
	t.Parallel()
	e := connectEnds(t)
	e.write(1, "Call me with video!")
	e.logs(0, 1, `msg="media connected"`)
	e.logs(1, 1, `msg="media connected"`)
	e.write(1, "call me")
	for i := range e.of {
		e.write(1-i, "restart")
		e.logs(i, 2, "the peer answers our ICE restart")
		e.logs(i, 2+i, `msg="media connected"`)
	}
	e.write(0, "video") // of the callee, and the caller plays it back
	e.logs(0, 1, `msg="echo begins" content=echo1`)
	e.write(1, "hang up")
	e.of[0].running.Wait()
	e.of[1].running.Wait()
	if text := e.log[1].String(); strings.Count(text, "call begins") != 1 {
		t.Errorf("more than one call:\n%s", text)
	}
}

func TestCalleeDeclines(t *testing.T) {
	a, sent := wire(t)
	for _, row := range []struct{ from, says, answer string }{
		{callerAddress, "<reject xmlns='urn:xmpp:jingle-message:0' id='%'/>", ""},
		{callerAddress, "<proceed xmlns='urn:xmpp:jingle-message:0' id='%'/>", "session-initiate"},
	} {
		a.handle(stanza(t, "<message type='chat' from='"+callerAddress+"'><body>call me</body></message>"))
		propose := next(t, sent)
		if propose.Attr("to") != bare(callerAddress) || propose.Child("urn:xmpp:jingle-message:0", "propose") == nil {
			t.Fatalf("sent %s", propose)
		}
		sid := propose.Child("urn:xmpp:jingle-message:0", "propose").Attr("id")
		a.handle(stanza(t, "<message type='chat' from='"+row.from+"'>"+strings.ReplaceAll(row.says, "%", sid)+"</message>"))
		if row.answer == "" {
			a.running.Wait()
			continue
		}
		if s := next(t, sent); s.Attr("to") != row.from || !strings.Contains(s.String(), row.answer) {
			t.Errorf("sent %s", s)
		}
		a.handle(stanza(t, "<message type='chat' from='"+row.from+"2'>"+strings.ReplaceAll(row.says, "%", sid)+"</message>"))
		if s := next(t, sent); s.Attr("to") != row.from+"2" || s.Child("urn:xmpp:jingle-message:0", "retract") == nil {
			t.Errorf("a device that is late got %s", s)
		}
	}
}
