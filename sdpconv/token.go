package sdpconv

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// isToken tells whether s is a token of RFC 8866 section 9: one word without separators.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenByte = func() (t [256]bool) {
	for c := '!'; c < 0x7f; c++ {
		t[c] = !strings.ContainsRune(`"(),/:;<=>?@[\]`, c)
	}
	return t
}()

func isTokenRune(r rune) bool { return r < 0x80 && isToken(string(r)) }

// isMid tells whether s can be a mid that also fits the one-byte form of the RTP header extension (16 bytes).
func isMid(s string) bool { return len(s) <= 16 && isToken(s) }

// isWord tells whether s is a field of a line: no blank, no control character, and ASCII, because Firefox 153 refuses an SDP with anything else.
func isWord(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if w := eight(s, i); (w|(w+ones)|(w-(' '+1)*ones))&high != 0 {
			break // the one that is none is found below
		}
	}
	for ; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// isUfrag and isPwd tell whether s is a credential of ICE (RFC 8839 section 5.4).
func isUfrag(s string) bool { return len(s) >= 4 && len(s) <= 256 && consistsOf(s, inCredential) }
func isPwd(s string) bool   { return len(s) >= 22 && len(s) <= 256 && consistsOf(s, inCredential) }

// inCredential is the ice-chars, and four bytes that Chromium 156 and Firefox 153 take besides.
var inCredential = func() *[256]bool {
	var t [256]bool
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/-=#_", byte(c)) >= 0
	}
	return &t
}()

// Bytes of the parameters of a format: of a word, without what separates the parameters and their names and values.
var inFormatName, inFormatValue = func() (name, value *[256]bool) {
	name, value = new([256]bool), new([256]bool)
	for c := range value {
		value[c] = c > ' ' && c < 0x7f && c != ';'
		name[c] = value[c] && c != '='
	}
	return name, value
}()

func consistsOf(s string, of *[256]bool) bool {
	for i := range len(s) {
		if !of[s[i]] {
			return false
		}
	}
	return true
}

// isLine tells whether b is UTF-8, or nothing but ASCII, and can be a line.  It mostly is ASCII, which is told here eight bytes at a time.
func isLine(b []byte, ascii bool) bool {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		// No byte has its highest bit, or gets it when it is raised by one as the delete character does, or borrows when it is lowered by a blank.
		if (w|(w+ones)|(w-' '*ones))&high != 0 {
			return isText(b) && utf8.Valid(b) && !(ascii && hasHigh(b))
		}
	}
	for ; i < len(b); i++ {
		if b[i] < ' ' || b[i] >= 0x7f {
			return isText(b) && utf8.Valid(b) && !(ascii && hasHigh(b))
		}
	}
	return true
}

func hasHigh(b []byte) bool {
	return slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 })
}

// isText tells whether s, which is UTF-8, can be part of a line.
func isText[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// isNumber tells whether s is a decimal number of 32 bits.
func isNumber(s string) bool {
	_, ok := number(s, 32)
	return ok
}

// isIP tells whether s is the literal of an IPv4 or IPv6 address (RFC 3986 section 3.2.2) without a zone.
func isIP(s string) bool {
	if strings.Contains(s, ":") {
		return isIPv6(s)
	}
	return isIPv4(s)
}

func isIPv4(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return false
	}
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || n > 255 || strconv.FormatUint(n, 10) != p {
			return false
		}
	}
	return true
}

func isIPv6(s string) bool {
	head, tail, short := strings.Cut(s, "::")
	n, ok := groups(head, !short)
	if !ok {
		return false
	}
	if !short {
		return n == 8
	}
	m, ok := groups(tail, true)
	return ok && n+m <= 7
}

// groups counts the 16-bit groups of a part of an IPv6 address, at whose end an IPv4 address may stand for two.
func groups(s string, last bool) (int, bool) {
	if s == "" {
		return 0, true
	}
	parts := strings.Split(s, ":")
	n := len(parts)
	if end := parts[n-1]; last && strings.Contains(end, ".") {
		if !isIPv4(end) {
			return 0, false
		}
		parts, n = parts[:n-1], n+1
	}
	for _, p := range parts {
		if _, err := strconv.ParseUint(p, 16, 16); err != nil || len(p) > 4 || p[0] == '+' {
			return 0, false
		}
	}
	return n, true
}
