package jingle

import (
	"testing"

	"carillon/jingle/element"
)

// written returns a stanza as it is written for a client that nothing is known of.
func written(s Stanza) string { return string(s.AppendTo(nil, "")) }

// writtenFor returns a stanza as it is written for a client, which has to be as an element is written.
func writtenFor(t testing.TB, p Profile, s Stanza, by Role) string {
	t.Helper()
	got := string(p.AppendTo(nil, "", s, by))
	if want := mustParse(t, got).String(); got != want {
		t.Fatalf("for %q\n%s\nas an element\n%s", p.Name, got, want)
	}
	return got
}

// What is written is as elements are for each client, with names, values and elements of strangers that XML cannot carry too.
func TestTextIsThatOfAnElement(t *testing.T) {
	stanzas := []Stanza{{
		Action: SessionInitiate, SID: "'<&>\"\t\n\r\x01\xff\uFFFFä",
		Contents: []Content{{Name: "a", ICE: &Transport{Options: []string{"trickle", "no name", "", "2nd", "xmlns", "é"}}}},
	}}
	for name, e := range corpus(t) {
		if e = e.Child(NS, "jingle"); e == nil {
			continue
		}
		s, err := ParseStanza(e)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		stanzas = append(stanzas, s)
	}
	for _, s := range stanzas {
		for _, p := range append(Profiles, Profile{}) {
			for _, by := range []Role{Initiator, Responder} {
				writtenFor(t, p, s, by)
			}
		}
		inside := s.AppendTo([]byte("<x>"), NS)
		e, err := element.ParseIn(inside[len("<x>"):], element.Scope{"": NS}, element.Limits{})
		if err != nil {
			t.Fatalf("%v in %s", err, inside)
		}
		if want := "<x>" + string(e.AppendTo(nil, NS)); string(inside) != want {
			t.Fatalf("inside\n%s\nas an element\n%s", inside, want)
		}
	}
}
