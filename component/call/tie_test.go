package call

import (
	"testing"

	"mellium.im/xmpp/jid"
)

// TestAttempt goes through the states of an outgoing call: only an attempt that nobody has answered can tie.
func TestAttempt(t *testing.T) {
	for state, path := range outgoingPaths {
		r := newReplay(t)
		r.play(names + path)
		a, ok := r.machine.(Caller).Attempt()
		unsent := state == "offering" || state == "probing"
		if ok != (unsent || state == "proposed" || state == "calling") || ok && (a.SID != "A1" || a.Direct != (state == "calling") || a.Unsent != unsent) {
			t.Errorf("%s: %+v, %v", state, a, ok)
		}
	}
}

func TestYields(t *testing.T) {
	anna, bob := jid.MustParse("anna@call.example.org/w1"), jid.MustParse("bob@example.org/phone")
	tests := []struct {
		ours, theirs Attempt
		yields       bool
	}{
		{Attempt{SID: "A1", From: anna}, Attempt{SID: "B1", From: bob}, false},
		{Attempt{SID: "B1", From: anna}, Attempt{SID: "A1", From: bob}, true},
		{Attempt{SID: "a", From: anna, Direct: true}, Attempt{SID: "Z", From: bob, Direct: true}, true}, // octets, not letters
		{Attempt{SID: "A1", From: anna, Direct: true}, Attempt{SID: "A1", From: bob, Direct: true}, false},
		{Attempt{SID: "A1", From: bob, Direct: true}, Attempt{SID: "A1", From: anna, Direct: true}, true},
		{Attempt{SID: "A1", From: anna}, Attempt{SID: "B1", From: bob, Direct: true}, true},
		{Attempt{SID: "A1", From: anna, Direct: true}, Attempt{SID: "B1", From: bob}, false},
		{Attempt{SID: "A1", From: anna, Unsent: true}, Attempt{SID: "B1", From: bob}, true},
	}
	for _, test := range tests {
		if got := test.ours.Yields(test.theirs); got != test.yields {
			t.Errorf("%+v yields to %+v: %v", test.ours, test.theirs, got)
		}
		if test.ours.Direct == test.theirs.Direct && !test.ours.Unsent && test.ours.Yields(test.theirs) == test.theirs.Yields(test.ours) {
			t.Errorf("%+v and %+v: the two sides do not agree", test.ours, test.theirs)
		}
	}
}
