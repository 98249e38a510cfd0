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
		if ok != (state == "proposed" || state == "calling") || ok && (a.SID != "A1" || a.Direct != (state == "calling")) {
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
		{Attempt{"A1", anna, false}, Attempt{"B1", bob, false}, false},
		{Attempt{"B1", anna, false}, Attempt{"A1", bob, false}, true},
		{Attempt{"a", anna, true}, Attempt{"Z", bob, true}, true}, // octets, not letters
		{Attempt{"A1", anna, true}, Attempt{"A1", bob, true}, false},
		{Attempt{"A1", bob, true}, Attempt{"A1", anna, true}, true},
		{Attempt{"A1", anna, false}, Attempt{"B1", bob, true}, true},
		{Attempt{"A1", anna, true}, Attempt{"B1", bob, false}, false},
	}
	for _, test := range tests {
		if got := test.ours.Yields(test.theirs); got != test.yields {
			t.Errorf("%+v yields to %+v: %v", test.ours, test.theirs, got)
		}
		if test.ours.Direct == test.theirs.Direct && test.ours.Yields(test.theirs) == test.theirs.Yields(test.ours) {
			t.Errorf("%+v and %+v: the two sides do not agree", test.ours, test.theirs)
		}
	}
}
