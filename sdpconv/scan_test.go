package sdpconv

import (
	"strconv"
	"strings"
	"testing"
)

// What is found eight bytes at a time is what is found byte by byte.
func TestScan(t *testing.T) {
	first := func(s string, is func(c byte) bool) int {
		for i := range len(s) {
			if is(s[i]) {
				return i
			}
		}
		return len(s)
	}
	for n := range 20 {
		for c := range 256 {
			for at := range n {
				b := []byte(strings.Repeat("a", n))
				b[at], b[n-1-at/2] = byte(c), byte(c+1)
				s := string(b)
				if got, want := plainEnd(s, 0), first(s, func(c byte) bool { return c < ' ' || c >= 0x7f }); got != want {
					t.Fatalf("%q is plain until %d, want %d", s, got, want)
				}
				if got, want := wordEnd(s, 0), first(s, func(c byte) bool { return c == ' ' || c == '\t' }); got != want {
					t.Fatalf("the first word of %q ends at %d, want %d", s, got, want)
				}
				if got, want := byteIn(s, byte(c)), first(s, func(x byte) bool { return x == byte(c) }); got != want {
					t.Fatalf("%q in %q is at %d, want %d", rune(c), s, got, want)
				}
				if got, want := isWord(s), first(s, func(c byte) bool { return c <= ' ' || c >= 0x7f }) == n; got != want {
					t.Fatalf("%q is a word: %v, want %v", s, got, want)
				}
				if got, want := trim(s), strings.TrimSpace(s); got != want {
					t.Fatalf("%q is trimmed to %q, want %q", s, got, want)
				}
			}
		}
	}
	if got := byteIn("no colon", ':'); got != 8 {
		t.Errorf("no colon is at %d", got)
	}
}

func TestNumber(t *testing.T) {
	for _, s := range []string{
		"", "0", "007", "9", "127", "128", "255", "65535", "65536", "4294967295", "4294967296", "18446744073709551616", "+1", "-1", "1 ", "1:", "1/", "x", "٣",
	} {
		for _, size := range []uint{7, 8, 16, 30, 32} {
			want, err := strconv.ParseUint(s, 10, int(size))
			if err != nil {
				want = 0
			}
			if got, ok := number(s, size); ok != (err == nil) || uint64(got) != want {
				t.Errorf("%q is %d, %v, want %d, %v", s, got, ok, want, err)
			}
		}
	}
}

func TestLineEnd(t *testing.T) {
	for _, c := range []struct {
		text      string
		end, next int
		ok        bool
	}{
		{"a=b\r\nc", 3, 5, true}, {"a=b\nc", 3, 4, true}, {"a=b", 3, 3, true}, {"a=b\r", 3, 4, true}, {"\r\n", 0, 2, true}, {"\n", 0, 1, true},
		{"a=\tb\r\nc", 4, 6, true}, {"a=é\nc", 4, 5, true}, {"a=é", 4, 4, true}, {"a=b\r\r\nc", 4, 6, false}, {"a=\x00\nc", 3, 4, false}, {"a=\x7f", 3, 3, false},
		{"a=b\rc\n", 5, 6, false},
	} {
		if end, next, ok := lineEnd("x\n"+c.text, 2); end-2 != c.end || next-2 != c.next || ok != c.ok {
			t.Errorf("%q ends at %d, %d, %v, want %d, %d, %v", c.text, end-2, next-2, ok, c.end, c.next, c.ok)
		}
	}
}
