package jingle

import (
	"errors"
	"strings"
	"testing"
)

// One row per action: the state that follows in none, pending and active, by initiator and responder.  A dash is refused.
const transitions = `
                    none      pending     active
                    i   r     i   r       i   r
session-initiate    P   -     -   -       -   -
session-accept      -   -     -   A       -   -
session-terminate   -   -     E   E       E   E
session-info        -   -     P   P       A   A
transport-info      -   -     P   P       A   A
transport-replace   -   -     P   P       A   A
transport-accept    -   -     P   P       A   A
transport-reject    -   -     P   P       A   A
content-add         -   -     P   P       A   A
content-accept      -   -     P   P       A   A
content-reject      -   -     P   P       A   A
content-modify      -   -     P   P       A   A
content-remove      -   -     P   P       A   A
description-info    -   -     P   P       A   A
security-info       -   -     P   P       A   A
source-add          -   -     P   P       A   A
source-remove       -   -     P   P       A   A
`

func TestState(t *testing.T) {
	letters := map[string]State{"P": Pending, "A": Active, "E": Ended}
	rows := strings.Split(strings.TrimSpace(transitions), "\n")[2:]
	if len(rows) != len(actions) {
		t.Errorf("%d rows for %d actions", len(rows), len(actions))
	}
	for _, row := range rows {
		f := strings.Fields(row)
		for i, cell := range append(f[1:], "-", "-") { // nothing is legal once ended
			from, by := State(i/2), Role(i%2)
			want, legal := letters[cell]
			if !legal {
				want = from
			}
			got, err := from.Next(Action(f[0]), by)
			if got != want || legal != (err == nil) {
				t.Errorf("%s + %s by %s = %s, %v; want %s", from, f[0], by, got, err, want)
			}
			if err != nil && !errors.Is(err, ErrOutOfOrder) {
				t.Errorf("%s + %s by %s: error %v is not out-of-order", from, f[0], by, err)
			}
		}
	}
}

func TestStateUnknownAction(t *testing.T) {
	got, err := Active.Next("session-replace", Initiator)
	if got != Active || !errors.Is(err, ErrBadRequest) {
		t.Errorf("got %s, %v", got, err)
	}
	if s := State(7).String(); s != "state(7)" {
		t.Error(s)
	}
}
