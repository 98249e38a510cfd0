package element

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendTo appends e as XML to dst.  The default namespace in force where it will stand is parentSpace; xmlns is written
// only where the namespace changes.
//
// What is written is always well-formed: characters that XML cannot carry are dropped, and so are elements and
// attributes whose name or namespace is none, and attributes given before.
func (e *Element) AppendTo(dst []byte, parentSpace string) []byte {
	if cap(dst) == 0 {
		dst = make([]byte, 0, e.size(parentSpace))
	}
	return e.appendTo(dst, parentSpace)
}

func (e *Element) appendTo(dst []byte, parentSpace string) []byte {
	name := len(dst) + 1
	dst, end, space := e.appendOpen(dst, parentSpace)
	if end == 0 {
		return dst
	}
	if e.Text == "" && len(e.Children) == 0 {
		return append(dst, "/>"...)
	}
	dst = append(dst, '>')
	dst = AppendText(dst, e.Text)
	for _, c := range e.Children {
		dst = c.appendTo(dst, space)
	}
	return appendClose(dst, name, end)
}

// AppendAround appends e as AppendTo does, with what inner appends in the place of e's text and children: at least something, that can stand
// where the default namespace is the one that inner gets.
func (e *Element) AppendAround(dst []byte, parentSpace string, inner func(dst []byte, space string) []byte) []byte {
	if cap(dst) == 0 {
		dst = make([]byte, 0, e.size(parentSpace))
	}
	name := len(dst) + 1
	dst, end, space := e.appendOpen(dst, parentSpace)
	if end == 0 {
		return dst
	}
	return appendClose(inner(append(dst, '>'), space), name, end)
}

// size returns how many bytes appendTo writes, but for what has to be escaped, left out, or given a prefix.
func (e *Element) size(parentSpace string) int {
	n := len("</>") + len(e.Local)
	if e.Space != parentSpace {
		n += len(" xmlns=''") + len(e.Space)
	}
	for i := range e.Attrs {
		n += len(" =''") + len(e.Attrs[i].Local) + len(e.Attrs[i].Value)
	}
	if e.Text == "" && len(e.Children) == 0 {
		return n
	}
	n += len("</>") - 1 + len(e.Local) + len(e.Text)
	for _, c := range e.Children {
		n += c.size(e.Space)
	}
	return n
}

// AppendIndent appends e as AppendTo does, for people: each child stands on a line of its own, indented by two blanks more than its parent.
// An element with text has all it contains on its line, so that no text is changed.
func (e *Element) AppendIndent(dst []byte, parentSpace string) []byte {
	return e.appendIndent(dst, parentSpace, "\n")
}

func (e *Element) appendIndent(dst []byte, parentSpace, newline string) []byte {
	if e.Text != "" || len(e.Children) == 0 {
		return e.appendTo(dst, parentSpace)
	}
	name := len(dst) + 1
	dst, end, space := e.appendOpen(dst, parentSpace)
	if end == 0 {
		return dst
	}
	dst = append(dst, '>')
	inner := newline + "  "
	for _, c := range e.Children {
		before := len(dst)
		dst = append(dst, inner...)
		begin := len(dst)
		if dst = c.appendIndent(dst, space, inner); len(dst) == begin {
			dst = dst[:before]
		}
	}
	dst = append(dst, newline...)
	return appendClose(dst, name, end)
}

// appendOpen appends the start tag of e but for its end.  It returns where the name ends, 0 when there is nothing to write, and the
// namespace in force inside.
func (e *Element) appendOpen(dst []byte, parentSpace string) (out []byte, end int, space string) {
	if !isNCName(e.Local) || e.Space != parentSpace && !isSpaceName(e.Space) {
		return dst, 0, ""
	}
	space = parentSpace
	dst = append(dst, '<')
	if e.Space == NSXML {
		dst = append(dst, "xml:"...)
	} else {
		space = e.Space
	}
	dst = append(dst, e.Local...)
	end = len(dst)
	if space != parentSpace {
		dst = append(dst, " xmlns='"...)
		dst = AppendValue(dst, space)
		dst = append(dst, '\'')
	}
	return appendAttrs(dst, e.Attrs), end, space
}

// appendClose appends the end tag of the element whose name stands at dst[name:end].
func appendClose(dst []byte, name, end int) []byte {
	dst = append(dst, "</"...)
	dst = append(dst, dst[name:end]...)
	return append(dst, '>')
}

// String returns e as XML in no scope.
func (e *Element) String() string {
	return string(e.AppendTo(nil, ""))
}

func appendAttrs(dst []byte, attrs []Attr) []byte {
	generated := 0
	for i := range attrs {
		a := &attrs[i]
		if !isNCName(a.Local) || hasAttr(attrs[:i], a.Space, a.Local) {
			continue
		}
		if a.Space != "" {
			dst, generated = appendPrefixed(dst, a, generated)
			continue
		}
		if a.Local == "xmlns" {
			continue
		}
		dst = append(dst, ' ')
		dst = append(dst, a.Local...)
		dst = append(dst, '=', '\'')
		dst = AppendValue(dst, a.Value)
		dst = append(dst, '\'')
	}
	return dst
}

// appendPrefixed appends an attribute of a namespace, with a prefix of its own unless that is xml.
func appendPrefixed(dst []byte, a *Attr, generated int) ([]byte, int) {
	if !isSpaceName(a.Space) {
		return dst, generated
	}
	prefix := "xml"
	if a.Space != NSXML {
		prefix = "ns" + strconv.Itoa(generated)
		generated++
		dst = append(append(append(dst, " xmlns:"...), prefix...), "='"...)
		dst = append(AppendValue(dst, a.Space), '\'')
	}
	dst = append(append(append(dst, ' '), prefix...), ':')
	dst = append(append(dst, a.Local...), "='"...)
	return append(AppendValue(dst, a.Value), '\''), generated
}

// isSpaceName tells whether elements and attributes can be in that namespace.
func isSpaceName(space string) bool {
	for i := range len(space) {
		if class[space[i]]&writtenInText == 0 {
			return badChar(space) < 0
		}
	}
	return space != nsXMLNS
}

// escapes has an entry for each ASCII character that cannot stand for itself; white space in values only, as it would be
// read as a space there (XML 1.0 section 3.3.3).
var escapes = func() (t [utf8.RuneSelf]string) {
	t['&'], t['<'], t['>'], t['\''] = "&amp;", "&lt;", "&gt;", "&apos;"
	t['\t'], t['\n'], t['\r'] = "&#x9;", "&#xA;", "&#xD;"
	return t
}()

// AppendValue appends s as it stands in an attribute's value within single quotes.  Characters that XML cannot carry are dropped.
func AppendValue(dst []byte, s string) []byte {
	if !IsPlain(s) {
		return appendEscaped(dst, s, true)
	}
	return append(dst, s...)
}

// AppendText appends s as it stands in an element.  Characters that XML cannot carry are dropped.
func AppendText(dst []byte, s string) []byte {
	if !IsPlain(s) {
		return appendEscaped(dst, s, false)
	}
	return append(dst, s...)
}

// IsName tells whether s can be the local name of an element or attribute.
func IsName(s string) bool { return isNCName(s) }

func appendEscaped(dst []byte, s string, value bool) []byte {
	stays := uint8(writtenInText)
	if value {
		stays = writtenInValue
	}
	start := 0
	for i := 0; i < len(s); {
		if class[s[i]]&stays != 0 {
			i++
			continue
		}
		replacement, n := escape(s[i:], value)
		if n < 0 {
			i -= n
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = append(dst, replacement...)
		i += n
		start = i
	}
	return append(dst, s[start:]...)
}

// escape returns what to write for the character s begins with and its length, the length negative when it stays as it is.
func escape(s string, value bool) (string, int) {
	if c := s[0]; c < utf8.RuneSelf {
		if !value && strings.IndexByte("\t\n'", c) >= 0 {
			return "", -1
		}
		return escapes[c], 1
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 || !isChar(r) {
		return "", n
	}
	return "", -n
}
