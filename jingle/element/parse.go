package element

import (
	"bytes"
	"fmt"
	"strings"
)

// NSXML is the namespace of xml:lang and xml:space, bound to the prefix xml everywhere.
const NSXML = "http://www.w3.org/XML/1998/namespace"

const nsXMLNS = "http://www.w3.org/2000/xmlns/"

// Limits bound what is read from a stranger.  A zero field means its default.
type Limits struct {
	Depth    int // nested elements, the outermost counted; default 128
	Attrs    int // attributes of one element, and namespace prefixes in scope; default 64
	Elements int // default 8192
	Bytes    int // default 512 KiB
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Depth, 128}, {&l.Attrs, 64}, {&l.Elements, 8192}, {&l.Bytes, 512 << 10}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// fits refuses an element of so many bytes if that is too many.
func (l Limits) fits(bytes int) error {
	if bytes > l.Bytes {
		return &SyntaxError{Offset: l.Bytes, Msg: "element too large", Limit: true}
	}
	return nil
}

// SyntaxError is the error of this package: input that is no XML of the subset, or exceeds a limit.
type SyntaxError struct {
	Offset int // bytes before the place
	Msg    string
	Limit  bool // the input may be well-formed; a bound of Limits was exceeded
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("xml: %s at byte %d", e.Msg, e.Offset)
}

// Scope is the namespaces in force where an element begins: prefix to name, "" for the default namespace.
type Scope map[string]string

// Parse reads exactly one element, white space around it allowed, that stands in no namespace scope.  Names and values of
// the result share the memory of one copy of b.
//
// It accepts XML 1.0 with Namespaces less what RFC 6120 section 11.1 forbids: comments, processing instructions,
// document types and entities other than the five predefined ones.  Errors are of type *SyntaxError.
func Parse(b []byte, lim Limits) (*Element, error) {
	return ParseIn(b, nil, lim)
}

// ParseIn reads an element as Parse does that stands within the scope.
func ParseIn(b []byte, in Scope, lim Limits) (*Element, error) {
	if err := lim.orDefault().fits(len(b)); err != nil {
		return nil, err
	}
	return parseIn(string(b), in, lim)
}

func parseIn(s string, in Scope, lim Limits) (*Element, error) {
	p, err := newParser(s, in, lim)
	if err != nil {
		return nil, err
	}
	root, err := p.document()
	if err != nil {
		return nil, err
	}
	return root, nil
}

// ParseTag reads the start tag (or empty element) that b begins with, after white space, and ignores what follows.  The
// scope returned is that of the element's children, the number that of the bytes read.
func ParseTag(b []byte, in Scope, lim Limits) (*Element, Scope, int, error) {
	if i := bytes.IndexByte(b, '<'); i >= 0 {
		b = b[:tagEnd(b, i)]
	}
	if err := lim.orDefault().fits(len(b)); err != nil {
		return nil, nil, 0, err
	}
	p, err := newParser(string(b), in, lim)
	if err != nil {
		return nil, nil, 0, err
	}
	p.space()
	if !p.accept('<') {
		return nil, nil, 0, p.fail("expected a start tag")
	}
	if err := p.startTag(); err != nil {
		return nil, nil, 0, err
	}
	inner := Scope{"": p.deflt}
	for _, n := range p.prefixes {
		inner[n.prefix] = n.space
	}
	return p.last, inner, p.pos, nil
}

// tagEnd returns the offset after the tag that begins at i, the end of b when it is incomplete.
func tagEnd(b []byte, i int) int {
	var quote byte
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return len(b)
}

// parser reads a document that is known to be valid UTF-8 of XML characters.
type parser struct {
	s        string
	pos      int
	lim      Limits
	deflt    string // default namespace
	prefixes []binding
	open     []frame
	children []*Element // finished children of all open elements, in order
	declared []rawAttr  // namespace declarations of the tag being read
	prefixed []rawAttr  // attributes of the tag being read whose prefix is not resolved yet
	last     *Element   // begun last
	elements int
	slab     slab
}

type binding struct{ prefix, space string }

type rawAttr struct {
	prefix, local, value string
	pos                  int
	index                int // among the attributes
}

// frame is an element whose end tag is awaited.
type frame struct {
	e        *Element
	name     string // as written
	deflt    string // to return to
	prefixes int
	children int
	text     []byte // used from the second run of text on
	runs     int
}

func newParser(s string, in Scope, lim Limits) (*parser, error) {
	p := &parser{lim: lim.orDefault(), s: s}
	if err := p.lim.fits(len(s)); err != nil {
		return nil, err
	}
	if i := badChar(s); i >= 0 {
		return nil, &SyntaxError{Offset: i, Msg: msgChar}
	}
	p.open = make([]frame, 0, 8)
	p.children = make([]*Element, 0, 32)
	p.slab = newSlab(s)
	for prefix, space := range in {
		if prefix == "" {
			p.deflt = space
		} else {
			p.prefixes = append(p.prefixes, binding{prefix, space})
		}
	}
	return p, nil
}

func (p *parser) fail(msg string) error {
	return &SyntaxError{Offset: p.pos, Msg: msg}
}

func (p *parser) exceeded(msg string) error {
	return &SyntaxError{Offset: p.pos, Msg: msg, Limit: true}
}

func (p *parser) document() (*Element, error) {
	p.space()
	if !p.accept('<') {
		return nil, p.fail("expected an element")
	}
	if err := p.startTag(); err != nil {
		return nil, err
	}
	root := p.last
	for len(p.open) > 0 {
		if err := p.content(); err != nil {
			return nil, err
		}
	}
	p.space()
	if p.pos < len(p.s) {
		return nil, p.fail("data after the element")
	}
	return root, nil
}

// content reads one run of text, one tag or one CDATA section.
func (p *parser) content() error {
	if p.pos == len(p.s) {
		return p.fail("element not closed")
	}
	if p.s[p.pos] != '<' {
		return p.text()
	}
	if p.pos+1 < len(p.s) && p.s[p.pos+1] == '/' {
		p.pos += 2
		return p.endTag()
	}
	if strings.HasPrefix(p.s[p.pos:], cdataOpen) {
		return p.cdata()
	}
	p.pos++
	return p.startTag()
}

// startTag reads on from after the "<" and opens the element unless it is empty.
func (p *parser) startTag() error {
	if p.pos < len(p.s) && (p.s[p.pos] == '!' || p.s[p.pos] == '?') {
		return p.fail("comment, processing instruction or document type")
	}
	if p.elements++; p.elements > p.lim.Elements {
		return p.exceeded("too many elements")
	}
	if len(p.open) >= p.lim.Depth {
		return p.exceeded("elements nested too deeply")
	}
	start := p.pos
	prefix, local, err := p.name()
	if err != nil {
		return err
	}
	f := frame{name: p.s[start:p.pos], deflt: p.deflt, prefixes: len(p.prefixes), children: len(p.children)}
	attrs, empty, err := p.attributes()
	if err != nil {
		return err
	}
	if len(p.declared) > 0 {
		if err := p.declare(); err != nil {
			return err
		}
	}
	if len(p.prefixed) > 0 {
		if err := p.resolveAttrs(attrs); err != nil {
			return err
		}
	}
	e := p.slab.element()
	p.last = e
	e.Local, e.Attrs = local, attrs
	if e.Space, err = p.resolve(prefix, start); err != nil {
		return err
	}
	if empty {
		p.leave(e, f.deflt, f.prefixes)
		return nil
	}
	f.e = e
	p.open = append(p.open, f)
	return nil
}

func (p *parser) endTag() error {
	f := &p.open[len(p.open)-1]
	if !strings.HasPrefix(p.s[p.pos:], f.name) {
		return p.fail("end tag does not match <" + clip(f.name) + ">")
	}
	p.pos += len(f.name)
	p.space()
	if !p.accept('>') {
		return p.fail("end tag does not match <" + clip(f.name) + ">")
	}
	p.close()
	return nil
}

// close ends the innermost open element.
func (p *parser) close() {
	f := &p.open[len(p.open)-1]
	if f.runs > 1 {
		f.e.Text = string(f.text)
	}
	if n := len(p.children) - f.children; n > 0 {
		f.e.Children = p.slab.pointers(p.children[f.children:])
		p.children = p.children[:f.children]
	}
	f.text = nil
	p.open = p.open[:len(p.open)-1]
	p.leave(f.e, f.deflt, f.prefixes)
}

// leave returns to the scope outside of a finished element.
func (p *parser) leave(e *Element, deflt string, prefixes int) {
	if len(p.open) > 0 {
		p.children = append(p.children, e)
	}
	p.deflt = deflt
	p.prefixes = p.prefixes[:prefixes]
}

// attributes reads up to the end of a start tag and tells an empty element.  What needs the namespaces in scope is left in p.declared and
// p.prefixed.
func (p *parser) attributes() (attrs []Attr, empty bool, err error) {
	p.declared, p.prefixed = p.declared[:0], p.prefixed[:0]
	p.slab.beginAttrs()
	for {
		spaced := p.space()
		switch {
		case p.accept('>'):
			return p.slab.endAttrs(), false, nil
		case p.accept('/'):
			if !p.accept('>') {
				return nil, false, p.fail("expected > after /")
			}
			return p.slab.endAttrs(), true, nil
		case p.pos == len(p.s):
			return nil, false, p.fail("tag not closed")
		case !spaced:
			return nil, false, p.fail(msgSpace)
		}
		if err := p.attribute(); err != nil {
			return nil, false, err
		}
	}
}

func (p *parser) attribute() error {
	start := p.pos
	prefix, local, err := p.name()
	if err != nil {
		return err
	}
	if !p.accept('=') {
		p.space()
		if !p.accept('=') {
			return p.fail("expected = after the attribute's name")
		}
	}
	value, err := p.value()
	if err != nil {
		return err
	}
	have := p.slab.begun()
	if len(have)+len(p.declared) >= p.lim.Attrs {
		return p.exceeded("too many attributes")
	}
	switch {
	case prefix == "xmlns", prefix == "" && local == "xmlns":
		p.declared = append(p.declared, rawAttr{prefix: prefix, local: local, value: value, pos: start})
		return nil
	case prefix != "":
		p.prefixed = append(p.prefixed, rawAttr{prefix: prefix, local: local, pos: start, index: len(have)})
	case hasAttr(have, "", local):
		return &SyntaxError{Offset: start, Msg: msgTwice}
	}
	p.slab.attr(Attr{prefix, local, value}) // the prefix only until it is resolved
	return nil
}
