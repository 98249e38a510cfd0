package stream

import (
	"bytes"
	"errors"
)

// errJunk: the server sent something between stanzas that no stream has there (RFC 6120 sections 4.3 and 11.1).
var errJunk = errors.New("server sent something that is no stanza")

// framer cuts the bytes that follow the stream's header into its children.  It looks at tags, quotes and sections only: what
// is inside a child never makes the next one unreadable.  A child that is too large or too deep is passed over.
type framer struct {
	maxBytes, maxDepth int

	state lexState
	quote byte
	slash bool   // the last byte of the tag so far is a slash
	until string // what ends the section
	match int    // bytes of it that were seen
	depth int    // open elements below the stream

	buf     []byte
	head    int // length of the child's start tag in buf, 0 before its end
	problem string
}

// frame is one child of the stream, or its end.  The data is valid until the framer's next call.
type frame struct {
	data    []byte // the child; only its start tag (nothing when that was too large) when problem is set
	problem string // why the child was passed over
	end     bool   // the stream's end tag
}

type lexState int

const (
	inText lexState = iota
	afterLess
	inStartTag
	inValue
	inEndTag
	afterBang
	inSection // CDATA; or a comment, instruction or declaration, which the parser will refuse
)

const (
	tooLarge = "stanza too large"
	tooDeep  = "stanza nested too deeply"
)

// next reads on in b and returns how many bytes it took and whether they completed a frame.
func (f *framer) next(b []byte) (n int, fr frame, done bool, err error) {
	for n < len(b) {
		if f.idle() {
			// White space between stanzas keeps a connection alive.
			for n < len(b) && (b[n] == ' ' || b[n] == '\n' || b[n] == '\r' || b[n] == '\t') {
				n++
			}
			if n == len(b) {
				break
			}
			if b[n] != '<' {
				return n, frame{}, false, errJunk
			}
			f.begin()
		}
		top := f.depth == 0
		size := f.lex(b[n:])
		f.keep(b[n : n+size])
		n += size
		if top && f.depth == 0 && (f.state == afterBang || f.state == inSection) && f.head == 0 {
			return n, frame{}, false, errJunk
		}
		if f.idle() {
			return n, f.finish(), true, nil
		}
	}
	return n, frame{}, false, nil
}

// idle tells that no child has begun.
func (f *framer) idle() bool {
	return f.depth <= 0 && f.state == inText
}

func (f *framer) begin() {
	const spare = 64 << 10
	if cap(f.buf) > spare {
		f.buf = nil
	}
	f.buf, f.head, f.problem = f.buf[:0], 0, ""
}

// keep stores what was read of a child within the bounds.  How the bytes came in pieces makes no difference to the result.
func (f *framer) keep(b []byte) {
	if f.problem != "" {
		return
	}
	if len(f.buf)+len(b) > f.maxBytes {
		f.pass(tooLarge)
		return
	}
	f.buf = append(f.buf, b...)
	if f.head == 0 && f.state == inText {
		f.head = len(f.buf)
	}
	if f.depth > f.maxDepth {
		f.pass(tooDeep)
	}
}

func (f *framer) pass(problem string) {
	f.problem, f.buf = problem, f.buf[:f.head]
}

func (f *framer) finish() frame {
	fr := frame{data: f.buf, problem: f.problem, end: f.depth < 0}
	f.depth = 0
	return fr
}

// lex reads up to the end of b or the next change of state and returns how many bytes that took, which can be none.
func (f *framer) lex(b []byte) int {
	switch f.state {
	case inText:
		return f.upTo(b, '<', afterLess)
	case afterLess:
		return f.less(b[0])
	case inStartTag:
		return f.startTag(b)
	case inValue:
		return f.upTo(b, f.quote, inStartTag)
	case inEndTag:
		n := f.upTo(b, '>', inText)
		if f.state == inText {
			f.depth--
		}
		return n
	case afterBang:
		f.bang(b[0])
		return 1
	default:
		return f.section(b)
	}
}

// upTo reads through c and changes the state then.
func (f *framer) upTo(b []byte, c byte, then lexState) int {
	i := bytes.IndexByte(b, c)
	if i < 0 {
		return len(b)
	}
	f.state = then
	return i + 1
}

func (f *framer) less(c byte) int {
	switch c {
	case '/':
		f.state = inEndTag
	case '!':
		f.state = afterBang
	case '?':
		f.state, f.until, f.match = inSection, "?>", 0
	default:
		f.state, f.slash = inStartTag, false
		return 0
	}
	return 1
}

func (f *framer) bang(c byte) {
	f.state, f.match = inSection, 0
	switch c {
	case '[':
		f.until = "]]>"
	case '-':
		f.until = "-->"
	default:
		f.until = ">"
	}
}

func (f *framer) startTag(b []byte) int {
	for i, c := range b {
		switch c {
		case '>':
			f.state = inText
			if !f.slash {
				f.depth++
			}
			return i + 1
		case '\'', '"':
			f.state, f.quote, f.slash = inValue, c, false
			return i + 1
		}
		f.slash = c == '/'
	}
	return len(b)
}

func (f *framer) section(b []byte) int {
	for i, c := range b {
		if c == f.until[f.match] {
			f.match++
		} else if c != f.until[0] {
			f.match = 0
		}
		if f.match == len(f.until) {
			f.state = inText
			return i + 1
		}
	}
	return len(b)
}
