package jingle

import "testing"

// sameText returns the text of a stanza, which has to be that of its tree.
func sameText(t testing.TB, p Profile, s Stanza, by Role) string {
	t.Helper()
	want := p.Element(s, by).String()
	if got := string(p.AppendTo(nil, "", s, by)); got != want {
		t.Fatalf("for %q as text\n%s\nas tree\n%s", p.Name, got, want)
	}
	return want
}

// Text and tree are the same for each client, with names, values and elements of strangers that XML cannot carry too.
func TestTextIsThatOfTheTree(t *testing.T) {
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
				sameText(t, p, s, by)
			}
		}
		if got, want := string(s.AppendTo([]byte("<x>"), NS)), "<x>"+string(s.Element().AppendTo(nil, NS)); got != want {
			t.Fatalf("inside as text\n%s\nas tree\n%s", got, want)
		}
	}
}
