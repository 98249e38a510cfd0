package gateway

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of a frame's JSON.
const (
	maxDepth  = 8  // of objects and arrays in each other
	keptDepth = 2  // of objects whose fields are remembered: the frame and those directly in it
	maxFields = 64 // of each of these
)

// A scanner checks a frame (RFC 8259) and remembers where the fields of its outer objects stand, in one pass.  Nothing is decoded
// before somebody asks for it: the largest part of most frames is only passed on.
type scanner struct {
	b     []byte
	at    int
	depth int
	tape  []field
	err   *Error

	// Kept from frame to frame, so that messages between members leave no garbage: there are many of them.
	outer   fields     // the frame's own
	toPeer  SendToPeer // what sendToPeer returns
	message []byte     // what fields.message returns
}

// field is one field of a remembered object.  It has no pointers, which the garbage collector would have to be told of.
type field struct {
	owner      int  // index of the field whose value is that object; frameItself for the frame's own
	key, value span // the key with its quotes
	escaped    bool // something in the key is
}

// span is a part of the frame.
type span struct{ from, to int }

func (s *scanner) text(of span) []byte { return s.b[of.from:of.to] }

// name is the key decoded.
func (s *scanner) name(f *field) []byte {
	if f.escaped {
		return unquote(s.text(f.key))
	}
	return s.b[f.key.from+1 : f.key.to-1]
}

const frameItself = -1

var scanners = sync.Pool{New: func() any { return new(scanner) }}

// scan checks that b is one JSON object.
func (s *scanner) scan(b []byte) *Error {
	s.b, s.at, s.depth, s.tape, s.err = b, 0, 0, s.tape[:0], nil
	s.space()
	start := s.at
	if s.value(frameItself) {
		s.space()
	}
	switch {
	case s.err != nil:
		return s.err
	case s.at != len(b) || start == len(b) || b[start] != '{':
		return errNoObject
	}
	return nil
}

var (
	errNoObject = Errorf(BadJSON, "each frame is one JSON object")
	errNoUTF8   = Errorf(BadJSON, "the frame is not UTF-8")
	errTooDeep  = Errorf(TooDeep, "objects and arrays may be nested %d deep", maxDepth)
	errFields   = Errorf(TooLong, "an object has at most %d fields", maxFields)
)

func (s *scanner) fail(err *Error) bool {
	if s.err == nil {
		s.err = err
	}
	return false
}

// peek is the next byte, 0 at the end: no JSON begins with it.
func (s *scanner) peek() byte {
	if s.at < len(s.b) {
		return s.b[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.b) {
		switch s.b[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// value reads one value.  Owner is the index of the field that it belongs to.
func (s *scanner) value(owner int) bool {
	switch c := s.peek(); {
	case c == '"':
		return s.str()
	case c == '{' || c == '[':
		if s.depth++; s.depth > maxDepth {
			return s.fail(errTooDeep)
		}
		s.at++
		ok := c == '{' && s.object(owner) || c == '[' && s.array()
		s.depth--
		return ok
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return s.fail(errNoObject)
}

func (s *scanner) literal(word string) bool {
	if len(s.b)-s.at < len(word) || string(s.b[s.at:s.at+len(word)]) != word {
		return s.fail(errNoObject)
	}
	s.at += len(word)
	return true
}

// next reads what stands between two entries, or the end.
func (s *scanner) next(end byte) (more, ok bool) {
	s.space()
	switch s.peek() {
	case ',':
		s.at++
		s.space()
		return true, true
	case end:
		s.at++
		return false, true
	}
	return false, s.fail(errNoObject)
}

func (s *scanner) array() bool {
	s.space()
	if s.peek() == ']' {
		s.at++
		return true
	}
	for {
		if !s.value(frameItself) {
			return false
		}
		if more, ok := s.next(']'); !more {
			return ok
		}
	}
}

// object reads the fields of an object and its end.
func (s *scanner) object(owner int) bool {
	keep := s.depth == 1 || s.depth <= keptDepth && owner != frameItself
	s.space()
	if s.peek() == '}' {
		s.at++
		return true
	}
	for n := 1; ; n++ {
		if keep && n > maxFields {
			return s.fail(errFields)
		}
		if !s.field(owner, keep) {
			return false
		}
		if more, ok := s.next('}'); !more {
			return ok
		}
	}
}

func (s *scanner) field(owner int, keep bool) bool {
	start := s.at
	if s.peek() != '"' {
		return s.fail(errNoObject)
	}
	if !s.str() {
		return false
	}
	key := span{start, s.at}
	s.space()
	if s.peek() != ':' {
		return s.fail(errNoObject)
	}
	s.at++
	s.space()
	own := frameItself
	if keep {
		own = len(s.tape)
		s.tape = append(s.tape, field{owner: owner, key: key, escaped: indexEscape(s.text(key)) >= 0})
	}
	start = s.at
	if !s.value(own) {
		return false
	}
	if keep {
		s.tape[own].value = span{start, s.at}
	}
	return true
}

// plain marks the bytes that stand for themselves in a string.
var plainByte = func() (table [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return
}()

// plainRun is how many bytes at the beginning of b, in eights, stand for themselves in a string.
func plainRun(b []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for i := 0; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, escape := x^ones*'"', x^ones*'\\'
		// The high bit of a byte is set when x is above ASCII, or one of these was below what was taken from it: a control character, 0, 0.
		if (x|(x-ones*' ')|(quote-ones)|(escape-ones))&high != 0 {
			return i
		}
	}
	return len(b) &^ 7
}

func (s *scanner) str() bool {
	b, i := s.b, s.at+1
	i += plainRun(b[i:])
	for i < len(b) {
		switch c := b[i]; {
		case plainByte[c]:
			i++
		case c == '"':
			s.at = i + 1
			return true
		case c == '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return s.fail(errNoObject)
			}
			i += n
			i += plainRun(b[i:])
		case c < utf8.RuneSelf:
			return s.fail(errNoObject) // a control character
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return s.fail(errNoUTF8)
			}
			i += n
		}
	}
	return s.fail(errNoObject)
}

// escapeLen is the length of the escape that b begins with, 0 if it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func (s *scanner) digits() bool {
	start := s.at
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > start
}

func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.at++
	}
	ok := true
	if s.peek() == '0' {
		s.at++
	} else {
		ok = s.digits()
	}
	if ok && s.peek() == '.' {
		s.at++
		ok = s.digits()
	}
	if c := s.peek(); ok && (c == 'e' || c == 'E') {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		ok = s.digits()
	}
	return ok || s.fail(errNoObject)
}

// unquote decodes a string that was scanned.  It is a part of it if nothing in it is escaped.  Half a surrogate pair becomes U+FFFD.
func unquote(quoted []byte) []byte {
	b := quoted[1 : len(quoted)-1]
	i := indexEscape(b)
	if i < 0 {
		return b
	}
	out := make([]byte, 0, len(b))
	for i >= 0 {
		out = append(out, b[:i]...)
		var n int
		out, n = appendEscaped(out, b[i:])
		b = b[i+n:]
		i = indexEscape(b)
	}
	return append(out, b...)
}

func indexEscape(b []byte) int { return bytes.IndexByte(b, '\\') }

// appendEscaped decodes the escape that b begins with and tells its length.
func appendEscaped(out, b []byte) ([]byte, int) {
	switch b[1] {
	case 'b':
		return append(out, '\b'), 2
	case 'f':
		return append(out, '\f'), 2
	case 'n':
		return append(out, '\n'), 2
	case 'r':
		return append(out, '\r'), 2
	case 't':
		return append(out, '\t'), 2
	case 'u':
		r, _ := hex4(b[2:])
		if !utf16.IsSurrogate(r) {
			return utf8.AppendRune(out, r), 6
		}
		if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			low, _ := hex4(b[8:])
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return utf8.AppendRune(out, pair), 12
			}
		}
		return utf8.AppendRune(out, utf8.RuneError), 6
	}
	return append(out, b[1]), 2 // a quote, a backslash or a slash
}

// parseNumber reads a number that was scanned.
func parseNumber(raw []byte) (float64, error) { return strconv.ParseFloat(string(raw), 64) }
