package element

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const cdataOpen, cdataClose = "<![CDATA[", "]]>"

// Messages that tests refer to: here this parser is stricter than encoding/xml.
const (
	msgChar      = "byte or character that XML does not allow"
	msgReference = "reference to a character that XML does not allow"
	msgSpace     = "expected white space before the attribute"
	msgTwice     = "attribute given twice"
	msgReserved  = "reserved namespace or prefix"
	msgUndeclare = "prefix declared as no namespace"
	msgUnbound   = "prefix of no declared namespace"
	msgName      = "malformed name"
)

func (p *parser) accept(c byte) bool {
	if p.pos < len(p.s) && p.s[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

// space skips white space and tells whether there was any.
func (p *parser) space() bool {
	start, i := p.pos, p.pos
	for i < len(p.s) && isSpace(p.s[i]) {
		i++
	}
	p.pos = i
	return i > start
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

// What a byte can be part of without a closer look.
const (
	inName         = 1 << iota // ASCII character of a name
	inStart                    // that a name can begin with
	inValue                    // of an attribute's value, within quotes of either kind
	inText                     // of character data
	writtenInValue             // ASCII that is written as it is in a value, within single quotes
	writtenInText              // and in character data
)

var class = func() (t [256]uint8) {
	for c := range t {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if letter {
			t[c] |= inStart
		}
		if letter || c >= '0' && c <= '9' || c == '-' || c == '.' {
			t[c] |= inName
		}
		if c >= ' ' && !strings.ContainsRune("<&'\"", rune(c)) {
			t[c] |= inValue
		}
		if (c >= ' ' || c == '\t' || c == '\n') && !strings.ContainsRune("<&]", rune(c)) {
			t[c] |= inText
		}
		if c >= ' ' && c < utf8.RuneSelf && !strings.ContainsRune("&<>'", rune(c)) {
			t[c] |= writtenInValue
		}
		if t[c]&writtenInValue != 0 || c == '\t' || c == '\n' || c == '\'' {
			t[c] |= writtenInText
		}
	}
	return t
}()

// name reads a qualified name.
func (p *parser) name() (prefix string, local span, err error) {
	s, i := p.s, p.pos
	if i < len(s) && class[s[i]]&inStart != 0 {
		i = nameEnd(s, i+1)
		if i == len(s) || s[i] != ':' && s[i] < utf8.RuneSelf {
			local = span{uint32(p.pos), uint32(i - p.pos)}
			p.pos = i
			return "", local, nil
		}
	}
	return p.qualifiedName()
}

// qualifiedName reads any name.
func (p *parser) qualifiedName() (prefix string, local span, err error) {
	start := p.pos
	p.nameChars()
	if p.accept(':') {
		prefix = p.s[start : p.pos-1]
		start = p.pos
		p.nameChars()
		if !isNCName(prefix) {
			return "", span{}, p.fail(msgName)
		}
	}
	if !isNCName(p.s[start:p.pos]) || p.pos < len(p.s) && p.s[p.pos] == ':' {
		return "", span{}, p.fail(msgName)
	}
	return prefix, span{uint32(start), uint32(p.pos - start)}, nil
}

func (p *parser) nameChars() {
	for p.pos < len(p.s) {
		c := p.s[p.pos]
		if c < utf8.RuneSelf {
			if class[c]&inName == 0 {
				return
			}
			p.pos++
			continue
		}
		r, n := utf8.DecodeRuneInString(p.s[p.pos:])
		if !isNameRune(r) {
			return
		}
		p.pos += n
	}
}

// isNCName tells whether s can be a local name or prefix (Namespaces in XML section 3).
func isNCName(s string) bool {
	if s == "" {
		return false
	}
	ok := class[s[0]] & inStart
	for i := 1; i < len(s) && ok != 0; i++ {
		ok = class[s[i]] & inName
	}
	return ok != 0 || isForeignName(s)
}

// isForeignName is isNCName for names with characters beyond ASCII.
func isForeignName(s string) bool {
	foreign := false
	for i, r := range s {
		switch {
		case r >= utf8.RuneSelf:
			if !isNameRune(r) || i == 0 && !isNameStart(r) {
				return false
			}
			foreign = true
		case class[r]&inName == 0, i == 0 && class[r]&inStart == 0:
			return false
		}
	}
	return foreign && utf8.ValidString(s)
}

// isNameRune is NameChar of XML 1.0, fifth edition, for what is not ASCII.
func isNameRune(r rune) bool {
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040 || isNameStart(r)
}

func isNameStart(r rune) bool {
	for _, in := range nameStart {
		if r >= in[0] && r <= in[1] {
			return true
		}
	}
	return false
}

var nameStart = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D}, {0x2070, 0x218F},
	{0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}

// isChar is Char of XML 1.0.
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	}
	return r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

// value reads white space and an attribute's value.
func (p *parser) value() (span, error) {
	if p.pos == len(p.s) || p.s[p.pos] != '\'' && p.s[p.pos] != '"' {
		p.space()
		return p.quoted()
	}
	s := p.s
	i := valueEnd(s, p.pos+1)
	if i < len(s) && s[i] == s[p.pos] {
		v := span{uint32(p.pos + 1), uint32(i - p.pos - 1)}
		p.pos = i + 1
		return v, nil
	}
	return p.quoted()
}

// quoted reads an attribute's value, normalised as XML 1.0 section 3.3.3 says: white space written literally is a space.
func (p *parser) quoted() (span, error) {
	if p.pos == len(p.s) || p.s[p.pos] != '\'' && p.s[p.pos] != '"' {
		return span{}, p.fail("expected a quoted value")
	}
	quote := p.s[p.pos]
	p.pos++
	n := strings.IndexByte(p.s[p.pos:], quote)
	if n < 0 {
		return span{}, p.fail("value not closed")
	}
	v := p.s[p.pos : p.pos+n]
	if i := strings.IndexByte(v, '<'); i >= 0 {
		p.pos += i
		return span{}, p.fail("< in a value")
	}
	out := span{uint32(p.pos), uint32(n)}
	if strings.ContainsAny(v, "&\t\r\n") {
		expanded, err := p.expand(v, true)
		if err != nil {
			return span{}, err
		}
		out = p.keep(expanded)
	}
	p.pos += n + 1
	return out, nil
}

// text reads the run of character data that begins here.
func (p *parser) text() error {
	s, i := p.s, p.pos
	for i < len(s) && class[s[i]]&inText != 0 {
		i++
	}
	if i == len(s) || s[i] == '<' {
		p.addText(span{uint32(p.pos), uint32(i - p.pos)})
		p.pos = i
		return nil
	}
	n := strings.IndexByte(p.s[p.pos:], '<')
	if n < 0 {
		n = len(p.s) - p.pos
	}
	v := p.s[p.pos : p.pos+n]
	if i := strings.Index(v, cdataClose); i >= 0 {
		p.pos += i
		return p.fail("]]> in text")
	}
	run := span{uint32(p.pos), uint32(n)}
	if strings.ContainsAny(v, "&\r") {
		expanded, err := p.expand(v, false)
		if err != nil {
			return err
		}
		run = p.keep(expanded)
	}
	p.pos += n
	p.addText(run)
	return nil
}

func (p *parser) cdata() error {
	p.pos += len(cdataOpen)
	n := strings.Index(p.s[p.pos:], cdataClose)
	if n < 0 {
		return p.fail("CDATA section not closed")
	}
	run := span{uint32(p.pos), uint32(n)}
	if v := p.s[p.pos : p.pos+n]; strings.Contains(v, "\r") {
		run = p.keep(strings.ReplaceAll(strings.ReplaceAll(v, "\r\n", "\n"), "\r", "\n"))
	}
	p.pos += n + len(cdataClose)
	p.addText(run)
	return nil
}

// addText adds a run of character data to the innermost open element.
func (p *parser) addText(run span) {
	f := &p.open[len(p.open)-1]
	first := &p.nodes[f.node].text
	switch f.runs++; f.runs {
	case 1:
		*first = run
	case 2:
		f.text = append(append(f.text, p.string(*first)...), p.string(run)...)
	default:
		f.text = append(f.text, p.string(run)...)
	}
}

// expand replaces references and normalises line ends (XML 1.0 section 2.11), in a value all white space.  v begins at
// p.pos.
func (p *parser) expand(v string, value bool) (string, error) {
	var b strings.Builder
	b.Grow(len(v))
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '&':
			n, r, msg := reference(v[i:])
			if msg != "" {
				p.pos += i
				return "", p.fail(msg)
			}
			b.WriteRune(r)
			i += n - 1
		case c == '\r' && i+1 < len(v) && v[i+1] == '\n':
		case value && isSpace(c):
			b.WriteByte(' ')
		case c == '\r':
			b.WriteByte('\n')
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// reference reads the reference that s begins with and returns its length and character, or what is wrong with it.
func reference(s string) (int, rune, string) {
	const longest = 16
	end := strings.IndexByte(s[:min(len(s), longest)], ';')
	if end < 0 {
		return 0, 0, "malformed reference"
	}
	name, n := s[1:end], end+1
	if !strings.HasPrefix(name, "#") {
		if r, ok := predefined[name]; ok {
			return n, r, ""
		}
		return 0, 0, "unknown entity"
	}
	digits, base := name[1:], 10
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	u, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return 0, 0, "malformed reference"
	}
	if u > utf8.MaxRune || !isChar(rune(u)) {
		return 0, 0, msgReference
	}
	return n, rune(u), ""
}

var predefined = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// clip bounds a name for an error message.
func clip(s string) string {
	const most = 32
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
