package main

import (
	"testing"
	"time"

	"carillon/jingle/element"
)

// connectCaller puts a caller and an account on one wire.
func connectCaller(t *testing.T, kinds []string, bundled bool) (*caller, *account) {
	t.Helper()
	a, sent := wire(t)
	c := newCaller(t, func(e *element.Element) error {
		a.handle(delivered(t, e.AppendTo(nil, ""), callerAddress))
		return nil
	}, kinds, bundled)
	c.tasks.Go(func() {
		for {
			select {
			case e := <-sent:
				c.handle(e)
			case <-c.ctx.Done():
				return
			}
		}
	})
	return c, a
}

func TestCallsAreEchoed(t *testing.T) {
	for name, row := range map[string]struct {
		kinds            []string
		bundled, propose bool
	}{
		"audio, proposed":                    {[]string{"audio"}, true, true},
		"audio and video, bundled, direct":   {[]string{"audio", "video"}, true, false},
		"audio and video, unbundled as Dino": {[]string{"audio", "video"}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, a := connectCaller(t, row.kinds, row.bundled)
			peer := echoAddress
			if row.propose {
				c.propose(echoAddress)
				peer = <-c.proceeded
			}
			c.start(peer)
			c.hear()
			a.mu.Lock()
			s := a.calls[callKey{callerAddress, c.sid}]
			a.mu.Unlock()
			c.hangUp()
			select {
			case <-s.ctx.Done():
			case <-time.After(10 * time.Second):
				t.Error("the call outlives session-terminate")
			}
		})
	}
}

// TestKeyFrameRequestsArePassedOn waits for two requests of the three seconds in which the periodic ones make one.
func TestKeyFrameRequestsArePassedOn(t *testing.T) {
	c, _ := connectCaller(t, []string{"video"}, true)
	c.start(echoAddress)
	c.hear() // and then asks for a key frame
	l := c.legs[0]
	limit := time.After(2500 * time.Millisecond)
	for range 2 {
		select {
		case <-l.keyFrames:
		case <-limit:
			t.Fatal("our request for a key frame did not come back to us")
		}
	}
}

func TestGoingOfflineEndsCalls(t *testing.T) {
	c, a := connectCaller(t, []string{"audio"}, true)
	c.start(echoAddress)
	c.hear()
	a.close()
	select {
	case reason := <-c.ended:
		if reason != "success" {
			t.Errorf("told %s", reason)
		}
	case <-time.After(10 * time.Second):
		t.Error("the caller was not told")
	}
}

func TestCallerWhoLeavesEndsTheCall(t *testing.T) {
	c, a := connectCaller(t, []string{"audio"}, true)
	c.start(echoAddress)
	c.hear()
	a.handle(stanza(t, "<presence type='unavailable' from='"+callerAddress+"'/>"))
	a.running.Wait()
	if a.find(callerAddress, c.sid) != nil {
		t.Error("the call is still there")
	}
}
