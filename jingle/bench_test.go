package jingle

import (
	"testing"

	"carillon/jingle/element"
)

// largest is the longest recorded stanza: a session-initiate of Chromium.
func largest(b *testing.B) *element.Element {
	var found *element.Element
	size := 0
	for _, e := range corpus(b) {
		if j := e.Child(NS, "jingle"); j != nil {
			if n := len(j.String()); n > size {
				found, size = j, n
			}
		}
	}
	if found == nil || size < 4096 {
		b.Fatalf("longest stanza has %d bytes: is the corpus there?", size)
	}
	return found
}

func BenchmarkParseStanza(b *testing.B) {
	e := largest(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseStanza(e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendTo(b *testing.B) {
	s, err := ParseStanza(largest(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var text []byte
	for b.Loop() {
		text = s.AppendTo(text[:0], "")
	}
}
