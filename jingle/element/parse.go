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
	if most := min(l.Bytes, mostText); bytes > most {
		return &SyntaxError{Offset: most, Msg: "element too large", Limit: true}
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
	n, err := new(Reader).Read(b, in, lim)
	if err != nil {
		return nil, err
	}
	return n.Element(), nil
}

// Reader reads elements without making trees of them.  The zero Reader is ready.  It uses the memory of its index again, so that reading a stanza
// takes little more than a copy of its text.
type Reader struct {
	doc document
	p   parser
}

// Read reads an element as ParseIn does.  The node, and all that is reached from it, is to be used only until the next Read, while the strings
// and trees that it gives stay.
func (r *Reader) Read(b []byte, in Scope, lim Limits) (Node, error) {
	lim = lim.orDefault()
	if err := lim.fits(len(b)); err != nil {
		return Node{}, err
	}
	p := &r.p
	*p = parser{document: &r.doc, s: string(b), lim: lim, open: p.open[:0], prefixes: p.prefixes[:0]}
	if err := p.begin(in); err != nil {
		return Node{}, err
	}
	if err := p.outermost(); err != nil {
		return Node{}, err
	}
	return p.finish(), nil
}

// ParseTag reads the start tag (or empty element) that b begins with, after white space, and ignores what follows.  The
// scope returned is that of the element's children, the number that of the bytes read.
func ParseTag(b []byte, in Scope, lim Limits) (*Element, Scope, int, error) {
	if i := bytes.IndexByte(b, '<'); i >= 0 {
		b = b[:tagEnd(b, i)]
	}
	lim = lim.orDefault()
	if err := lim.fits(len(b)); err != nil {
		return nil, nil, 0, err
	}
	p := parser{document: &document{}, s: string(b), lim: lim}
	if err := p.begin(in); err != nil {
		return nil, nil, 0, err
	}
	p.space()
	if !p.accept('<') {
		return nil, nil, 0, p.fail("expected a start tag")
	}
	empty, err := p.startTag()
	if err != nil {
		return nil, nil, 0, err
	}
	inner := Scope{"": p.spaces[p.deflt]}
	for _, n := range p.prefixes {
		inner[n.prefix] = p.spaces[n.space]
	}
	if !empty {
		p.close()
	}
	return p.finish().Element(), inner, p.pos, nil
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
	*document // what is read, whose text is s
	s         string
	pos       int
	lim       Limits
	literal   [16]uint32 // the first of them that stand in the text as they are, which are looked for before others are read
	literals  int
	deflt     uint32 // default namespace, an index into spaces
	prefixes  []binding
	open      []frame
}

type binding struct {
	prefix string
	space  uint32
}

// frame is an element whose end tag is awaited.
type frame struct {
	node  uint32
	name  span // as written
	outer scope
	text  []byte // used from the second run of text on
	runs  int
}

// scope is what to return to when an element ends.
type scope struct {
	deflt    uint32
	prefixes int
}

// begin checks the characters of the text and makes room for what can be in it: there is a slash for each element, and an equals sign for each attribute.
func (p *parser) begin(in Scope) error {
	if i := badChar(p.s); i >= 0 {
		return &SyntaxError{Offset: i, Msg: msgChar}
	}
	p.reuse(p.s, 1+min(strings.Count(p.s, "<"), strings.Count(p.s, "/")), strings.Count(p.s, "="))
	for prefix, space := range in {
		if prefix == "" {
			p.deflt = p.newSpace(space)
		} else {
			p.prefixes = append(p.prefixes, binding{prefix, p.newSpace(space)})
		}
	}
	return nil
}

// finish returns the outermost element.
func (p *parser) finish() Node {
	p.nodes = append(p.nodes, node{attrs: uint32(len(p.attrs))})
	return Node{p.document, 0, p.nodes[0].end}
}

func (p *parser) fail(msg string) error {
	return &SyntaxError{Offset: p.pos, Msg: msg}
}

func (p *parser) exceeded(msg string) error {
	return &SyntaxError{Offset: p.pos, Msg: msg, Limit: true}
}

func (p *parser) outermost() error {
	p.space()
	if !p.accept('<') {
		return p.fail("expected an element")
	}
	if _, err := p.startTag(); err != nil {
		return err
	}
	for len(p.open) > 0 {
		if err := p.content(); err != nil {
			return err
		}
	}
	p.space()
	if p.pos < len(p.s) {
		return p.fail("data after the element")
	}
	return nil
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
	_, err := p.startTag()
	return err
}

// startTag reads on from after the "<" and opens the element unless it is empty.
func (p *parser) startTag() (empty bool, err error) {
	if p.pos < len(p.s) && (p.s[p.pos] == '!' || p.s[p.pos] == '?') {
		return false, p.fail("comment, processing instruction or document type")
	}
	if len(p.nodes) >= p.lim.Elements {
		return false, p.exceeded("too many elements")
	}
	if len(p.open) >= p.lim.Depth {
		return false, p.exceeded("elements nested too deeply")
	}
	start, outer := p.pos, scope{p.deflt, len(p.prefixes)}
	prefix, local, err := p.name()
	if err != nil {
		return false, err
	}
	name := span{uint32(start), uint32(p.pos - start)}
	at := uint32(len(p.nodes))
	p.nodes = append(p.nodes, node{local: local, attrs: uint32(len(p.attrs)), end: at + 1})
	if empty, err = p.attributes(); err != nil {
		return false, err
	}
	space := p.deflt
	if prefix != "" {
		if space, err = p.resolve(prefix, start); err != nil {
			return false, err
		}
	}
	p.nodes[at].space = space
	if n := len(p.open); n > 0 {
		p.nodes[p.open[n-1].node].children++
	}
	if empty {
		p.leave(outer)
		return true, nil
	}
	p.open = append(p.open, frame{node: at, name: name, outer: outer})
	return false, nil
}

func (p *parser) endTag() error {
	name := p.literally(p.open[len(p.open)-1].name)
	if !strings.HasPrefix(p.s[p.pos:], name) {
		return p.fail("end tag does not match <" + clip(name) + ">")
	}
	p.pos += len(name)
	if !p.accept('>') {
		p.space()
		if !p.accept('>') {
			return p.fail("end tag does not match <" + clip(name) + ">")
		}
	}
	p.close()
	return nil
}

// close ends the innermost open element.
func (p *parser) close() {
	f := &p.open[len(p.open)-1]
	n := &p.nodes[f.node]
	if f.runs > 1 {
		n.text, f.text = p.keep(string(f.text)), nil
	}
	n.end = uint32(len(p.nodes))
	p.open = p.open[:len(p.open)-1]
	p.leave(f.outer)
}

// leave returns to the scope outside of a finished element.
func (p *parser) leave(outer scope) {
	p.deflt, p.prefixes = outer.deflt, p.prefixes[:outer.prefixes]
}

// tag is where what belongs to the start tag being read begins.
type tag struct {
	attrs, prefixed, prefixes int
	declared                  int // namespace declarations
	hasDefault                bool
}

// attributes reads up to the end of a start tag and tells an empty element.
func (p *parser) attributes() (empty bool, err error) {
	t := tag{attrs: len(p.attrs), prefixed: len(p.prefixed), prefixes: len(p.prefixes)}
	for {
		for p.plainAttribute(&t) {
		}
		spaced := p.space()
		switch {
		case p.accept('>'):
			return false, p.resolveAttrs(&t)
		case p.accept('/'):
			if !p.accept('>') {
				return false, p.fail("expected > after /")
			}
			return true, p.resolveAttrs(&t)
		case p.pos == len(p.s):
			return false, p.fail("tag not closed")
		case !spaced:
			return false, p.fail(msgSpace)
		}
		if err := p.attribute(&t); err != nil {
			return false, err
		}
	}
}

// plainAttribute reads an attribute as nearly all are: one blank, an ASCII name without a prefix, and a value that stands for itself.  It returns
// false, and has read nothing, if there is none.  Everything is done in one place, since this is where reading spends its time.
func (p *parser) plainAttribute(t *tag) bool {
	s, name := p.s, p.pos+1
	if name >= len(s) || s[p.pos] != ' ' || class[s[name]]&inStart == 0 {
		return false
	}
	equals := nameEnd(s, name+1)
	if equals+2 >= len(s) || s[equals] != '=' || s[equals+1] != '\'' && s[equals+1] != '"' {
		return false
	}
	value, local := equals+2, span{uint32(name), uint32(equals - name)}
	if s[name:equals] == "xmlns" || len(p.attrs)-t.attrs+t.declared >= p.lim.Attrs || p.given(t, local) {
		return false // attribute says what that is
	}
	end := valueEnd(s, value)
	if end == len(s) || s[end] != s[equals+1] {
		return false
	}
	p.attrs = append(p.attrs, attr{local, span{uint32(value), uint32(end - value)}})
	p.pos = end + 1
	return true
}

func (p *parser) attribute(t *tag) error {
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
	if len(p.attrs)-t.attrs+t.declared >= p.lim.Attrs {
		return p.exceeded("too many attributes")
	}
	switch {
	case prefix == "" && p.literally(local) == "xmlns":
		return p.declareDefault(t, start)
	case prefix == "xmlns":
		return p.declarePrefix(t, p.literally(local), start)
	}
	value, err := p.value()
	if err != nil {
		return err
	}
	if prefix != "" {
		p.prefixed = append(p.prefixed, prefixed{uint32(len(p.attrs)), prefix}) // the prefix only until it is resolved
		local.n |= inSpace
	} else if p.given(t, local) {
		return &SyntaxError{Offset: start, Msg: msgTwice}
	}
	p.attrs = append(p.attrs, attr{local, value})
	return nil
}

// given tells whether the tag has an attribute of that name without a prefix already.
func (p *parser) given(t *tag, local span) bool {
	for i := t.attrs; i < len(p.attrs); i++ {
		if have := p.attrs[i].local; have.n == local.n && p.literally(have) == p.literally(local) {
			return true
		}
	}
	return false
}

// literally returns what stands in the text.
func (p *parser) literally(s span) string { return p.s[s.at : s.at+s.n] }
