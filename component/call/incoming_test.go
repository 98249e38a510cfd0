package call

import (
	"strings"
	"testing"

	"carillon/jingle"
)

// firstOffer has the tab accept, and returns what it is offered.
func firstOffer(t *testing.T, r *replay) string {
	t.Helper()
	for _, o := range r.machine.Handle(r.clock(), BrowserAccept{Tab: r.jid("w1")}) {
		if b, ok := o.(ToBrowser); ok {
			if offer, ok := b.Event.(RemoteOffer); ok {
				return offer.SDP
			}
		}
	}
	t.Fatal("no offer")
	return ""
}

// The SDP by which the peer's session-initiate is checked is the one that the tab gets, unless the peer has said more since.
func TestFirstOffer(t *testing.T) {
	r := newReplay(t)
	r.play(names + "call direct\nX> phone w1 iq q @conversations-2.19/session-initiate.xml")
	kept := r.machine.(*incoming).offer
	if sdp := firstOffer(t, r); kept == nil || sdp != kept.sdp || !strings.Contains(sdp, " 2 IN IP4 127.0.0.1\r\n") {
		t.Errorf("not what was written:\n%s", sdp)
	}
	r = newReplay(t)
	r.play(names + "call direct\nX> phone w1 iq q @conversations-2.19/session-initiate.xml")
	i := r.machine.(*incoming)
	ice := &jingle.Transport{Candidates: []jingle.Candidate{{ID: "c", Component: 1, Foundation: "1", IP: "192.0.2.77", Port: 5, Priority: 1, Protocol: "udp", Type: "host"}}}
	i.Handle(r.clock(), PeerRequest{From: i.peer, To: i.tab, ID: "x", Jingle: jingle.Stanza{
		Action: jingle.TransportInfo, SID: i.sid, Contents: []jingle.Content{{Name: i.agreed.Contents[0].Name, ICE: ice}},
	}})
	if sdp := firstOffer(t, r); !strings.Contains(sdp, "192.0.2.77") || !strings.Contains(sdp, " 2 IN IP4 127.0.0.1\r\n") {
		t.Errorf("without what came meanwhile:\n%s", sdp)
	}
}

// Firefox 153 refuses an SDP with a header extension of two bytes.
func TestOfferOfOneByte(t *testing.T) {
	r := newReplay(t)
	r.play(names + "call direct\nX> phone w1 iq q @conversations-2.19/session-initiate.xml")
	i := r.machine.(*incoming)
	said := i.agreed.Of[jingle.Initiator].Contents[0].RTP
	said.HdrExts = append(said.HdrExts, jingle.HdrExt{ID: 15, URI: "urn:example:15", Senders: jingle.SendersBoth})
	i.offer = nil
	if sdp := firstOffer(t, r); strings.Contains(sdp, "a=extmap:15") || !strings.Contains(sdp, "a=extmap:") {
		t.Errorf("offered\n%s", sdp)
	}
}
