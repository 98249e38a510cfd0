package element

import (
	"math/bits"
	"unicode/utf8"
)

// What is read most is looked at eight bytes at a time.  That is not so much for the number of steps: where a name or a value ends is different
// each time, and the processor guesses wrong at the end of nearly every loop over its bytes.
//
// In a word of eight bytes, each with its highest bit off, adding 0x80-c to each sets the highest bit of those that are c or more; the sums stay
// within their bytes.
const (
	ones = 0x0101010101010101
	high = 0x80 * ones
)

// word returns the eight bytes of s at i, the first in the lowest place.  It is one load.
func word(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// not returns a word in which the highest bit of each byte of w is on, but of those that are c.
func not(w uint64, c byte) uint64 { return (w ^ uint64(c)*ones) + 0x7f*ones }

// nameEnd returns where the ASCII characters of a name end that s has from i on.
func nameEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := word(s, i)
		low := w &^ high
		lower := (low + (0x80-'a')*ones) &^ (low + (0x80-'z'-1)*ones)
		if other := (w | ^lower&not(low, '-')) & high; other != 0 {
			i += bits.TrailingZeros64(other) / 8
			break
		}
	}
	for i < len(s) && class[s[i]]&inName != 0 {
		i++
	}
	return i
}

// valueEnd returns where in s from i on the first byte is that does not stand for itself in values, or ends them: a quote, <, & or control character.
func valueEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		w := word(s, i)
		low := w &^ high
		plain := not(low, '"') & not(low, '<') & not(low&^ones, '&') & (low + (0x80-' ')*ones) // & and ' differ in the lowest bit alone
		if stop := ^(w | plain) & high; stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
	}
	for i < len(s) && class[s[i]]&inValue != 0 {
		i++
	}
	return i
}

// IsPlain tells whether s is written as it is, in a value within single quotes as well as in text.
func IsPlain(s string) bool {
	switch {
	case len(s) >= 8:
		for i := 0; i < len(s)-8; i += 8 {
			if !arePlain(word(s, i)) {
				return false
			}
		}
		return arePlain(word(s, len(s)-8)) // some of them a second time
	case len(s) >= 4:
		b, c := s[:4], s[len(s)-4:]
		return arePlain(uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(c[0])<<32 | uint64(c[1])<<40 | uint64(c[2])<<48 | uint64(c[3])<<56)
	case s == "":
		return true
	}
	return class[s[0]]&class[s[len(s)/2]]&class[s[len(s)-1]]&writtenInValue != 0
}

// arePlain tells whether all eight bytes are.
func arePlain(w uint64) bool {
	const blanks = ' ' * ones
	low := w &^ high
	plain := not(low&^ones, '&') & not(low&^(2*ones), '<') & (low + (0x80*ones - blanks)) // & and ' differ in the lowest bit alone, < and > in the second
	return (plain&^w)&high == high
}

// badChar returns the offset of the first byte that is no UTF-8 or begins a character XML does not allow, or -1.
func badChar(b string) int {
	for i := 0; i < len(b); {
		// As long as no byte has its highest bit, or borrows when it is lowered by a blank.
		const blanks = ' ' * ones
		for ; i+16 <= len(b); i += 16 {
			v, w := word(b, i), word(b, i+8)
			if (v|w|(v-blanks)|(w-blanks))&high != 0 {
				break
			}
		}
		if i == len(b) {
			break
		}
		if c := b[i]; c < utf8.RuneSelf {
			if c < ' ' && !isSpace(c) {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(b[i:])
		if r == utf8.RuneError && n == 1 || !isChar(r) {
			return i
		}
		i += n
	}
	return -1
}
