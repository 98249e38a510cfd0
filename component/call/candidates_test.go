package call

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"carillon/jingle"
	"carillon/sdpconv"
)

// TestCandidateBounds floods a call with candidates of both sides, before and after they can be passed on.
func TestCandidateBounds(t *testing.T) {
	r := newReplay(t)
	tab, phone := r.jid("anna@call.example.org/w1"), r.jid("bob@example.org/phone")
	accept := r.jingle([]string{"@conversations-2.19/session-accept.xml"})
	c, _ := NewOutgoing(Config{NewID: func() string { return "id" }}, "A1", tab, phone.Bare(), nil)
	sent, told := 0, 0
	handle := func(in Input) {
		for _, o := range c.Handle(time.Time{}, in) {
			switch o := o.(type) {
			case SendRequest:
				if o.Jingle.Action == jingle.TransportInfo {
					sent++
				}
			case ToBrowser:
				if _, ok := o.Event.(RemoteCandidate); ok {
					told++
				}
			}
		}
	}
	flood := func() {
		for port := range 500 {
			line := fmt.Sprintf("candidate:1 1 udp 1 192.0.2.1 %d typ host", port+1001)
			handle(BrowserCandidate{Tab: tab, Mid: "0", Candidate: line})
			handle(PeerRequest{From: phone, To: tab, Jingle: r.jingle([]string{"transport-info", "A1", "0", "cV3r", "candidate:1", "1", "udp", "1", "192.0.2.2", fmt.Sprint(port + 1), "typ", "host"})})
		}
	}
	handle(BrowserOffer{Tab: tab, SDP: string(r.read("@page/offer.audio.sdp"))})
	for port := range 100 {
		handle(BrowserCandidate{Tab: tab, Mid: "0", Candidate: fmt.Sprintf("candidate:1 1 udp 1 192.0.2.1 %d typ host", port+1)})
	}
	handle(PeerMessage{From: phone, To: tab, Message: jingle.Message{Kind: jingle.Proceed, ID: "A1"}})
	if sent != maxHeldCandidates {
		t.Errorf("%d candidates were held, want %d", sent, maxHeldCandidates)
	}
	handle(PeerRequest{From: phone, To: tab, Jingle: accept})
	flood()
	if sent != sdpconv.MaxCandidates || told != sdpconv.MaxCandidates {
		t.Errorf("%d candidates went to the peer and %d to the tab", sent, told)
	}
}

// TestBigStanza gives a call one stanza with more candidates than a call may have.
func TestBigStanza(t *testing.T) {
	r := newReplay(t)
	r.play(names + outgoingPaths["initiated"])
	accept := r.jingle([]string{"@conversations-2.19/session-accept.xml"})
	for port := range 1000 {
		c := jingle.Candidate{Component: 1, Foundation: "1", Protocol: "udp", Priority: 1, IP: "192.0.2.2", Port: port + 1, Type: "host"}
		accept.Contents[0].ICE.Candidates = append(accept.Contents[0].ICE.Candidates, c)
	}
	for _, o := range r.machine.Handle(r.clock(), PeerRequest{From: r.jid("phone"), To: r.jid("w1"), Jingle: accept}) {
		if t1, ok := o.(ToBrowser); ok {
			if a, ok := t1.Event.(RemoteAnswer); ok {
				if n := strings.Count(a.SDP, "a=candidate:"); n != sdpconv.MaxCandidates {
					t.Errorf("the tab is told %d candidates", n)
				}
				return
			}
		}
	}
	t.Error("no answer")
}

// TestOfferFlood: a page that offers again and again, each time with other candidates, has the peer told no more of them than a transport
// keeps.
func TestOfferFlood(t *testing.T) {
	r := newReplay(t)
	r.play(names + outgoingPaths["active"])
	offer := string(r.read("@page/offer.audio.sdp"))
	sent := 0
	for n := range 50 {
		var candidates strings.Builder
		for port := range 50 {
			fmt.Fprintf(&candidates, "a=candidate:1 1 udp 1 192.0.2.%d %d typ host\r\n", n, port+1001)
		}
		for _, o := range r.machine.Handle(r.clock(), BrowserOffer{Tab: r.jid("w1"), SDP: offer + candidates.String()}) {
			if o, ok := o.(SendRequest); ok && o.Jingle.Action == jingle.TransportInfo {
				sent++
			}
		}
	}
	if sent == 0 || sent > sdpconv.MaxCandidates {
		t.Errorf("%d candidates were sent", sent)
	}
}

// TestWithdrawnBound: contents that come and are taken back, each under another name, are not remembered for ever.
func TestWithdrawnBound(t *testing.T) {
	s := &session{}
	for n := range 10_000 {
		s.forget([]jingle.Content{{Name: fmt.Sprint(n)}})
	}
	if len(s.withdrawn) > maxWithdrawn || s.withdrawn[len(s.withdrawn)-1] != "9999" {
		t.Errorf("%d names are kept", len(s.withdrawn))
	}
}
