package element

import (
	"strings"
	"testing"
)

// What is told eight bytes at a time is what the table says of each.
func TestPlain(t *testing.T) {
	for n := range 30 {
		for c := range 256 {
			for at := range n {
				b := []byte(strings.Repeat("a", n))
				b[at] = byte(c)
				if got, want := IsPlain(string(b)), class[c]&writtenInValue != 0; got != want {
					t.Fatalf("%q is plain: %v, want %v", b, got, want)
				}
			}
		}
	}
	if !IsPlain("") {
		t.Error("the empty string is not plain")
	}
}
