package sdpconv

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// An SDP is looked at eight bytes at a time.  That is less for the number of steps: where a line or a word ends is different each time, and the
// processor guesses wrong at the end of nearly every loop over its bytes.  In the words of eight bytes below, the lowest of the highest bits
// that are on stands in the first of the bytes that are looked for; a borrow or carry of that byte can set others, but behind it.
const (
	ones = 0x0101010101010101
	high = 0x80 * ones
)

// eight returns the eight bytes of s at i, the first in the lowest place.  It is one load.
func eight(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// plainEnd returns where in s from i on the first byte is that is neither a blank nor a visible character of ASCII.
func plainEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := eight(s, i)
		if other := (w | (w + ones) | (w - ' '*ones)) & high; other != 0 {
			return i + bits.TrailingZeros64(other)/8
		}
	}
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	return i
}

// wordEnd returns where in s from i on the first blank or tab is, or the length of s.
func wordEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := eight(s, i)
		if low := (w - (' '+1)*ones) &^ w & high; low != 0 {
			i += bits.TrailingZeros64(low) / 8
			break // other control characters are none
		}
	}
	for i < len(s) && s[i] != ' ' && s[i] != '\t' {
		i++
	}
	return i
}

// byteIn returns where in s the first c is, or the length of s.
func byteIn(s string, c byte) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := eight(s, i) ^ uint64(c)*ones
		if found := (w - ones) &^ w & high; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(s) && s[i] != c {
		i++
	}
	return i
}

// cut is strings.Cut for what is short.
func cut(s string, c byte) (before, after string, found bool) {
	i := byteIn(s, c)
	if i == len(s) {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// trim is strings.TrimSpace, of which mostly is nothing to do.
func trim(s string) string {
	if s == "" || isInk(s[0]) && isInk(s[len(s)-1]) {
		return s
	}
	return strings.TrimSpace(s)
}

// isInk tells whether c is a visible character of ASCII.
func isInk(c byte) bool { return c > ' ' && c < utf8.RuneSelf }

// field cuts the first word off.
func field(s string) (word, rest string) {
	begin := blanks(s, 0)
	end := wordEnd(s, begin)
	return s[begin:end], s[blanks(s, end):]
}

// appendFields appends all words.
func appendFields(list []string, s string) []string {
	for word, rest := field(s); word != ""; word, rest = field(rest) {
		list = append(list, word)
	}
	return list
}

// blanks returns where the blanks that stand at i end.
func blanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	return i
}

// number reads a decimal number of so many bits, 32 at most.
func number(s string, size uint) (n int, ok bool) {
	v := uint64(0)
	for i := range len(s) {
		c := s[i] - '0'
		if v = 10*v + uint64(c); c > 9 || v>>size != 0 {
			return 0, false
		}
	}
	return int(v), s != ""
}

func isDigits(s string, most int) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= most
}
