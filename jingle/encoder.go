package jingle

import (
	"strconv"

	"carillon/jingle/element"
)

// encoder writes stanzas as text.
type encoder struct {
	profile Profile
	by      Role
	action  Action

	out   []byte
	space string // default namespace in force
	inTag bool   // the > of the innermost start tag is yet to come
	depth int
	open  [deepest]openTag
}

// deepest is how many elements of ours are open at most: jingle, content, the transport of data channels, that of ICE, an element of that, and
// room to spare.  What is passed on may be deeper.  An array rather than a slice, which would point into the encoder and so move it to the heap.
const deepest = 8

// openTag is an element whose end tag is to come.
type openTag struct{ local, outer string }

// begin starts an element, whose name is one that XML allows.
func (x *encoder) begin(space, local string) {
	b := x.out
	if x.inTag {
		b = append(b, '>')
	}
	b = append(b, '<')
	b = append(b, local...)
	x.open[x.depth] = openTag{local, x.space}
	x.depth++
	if space != x.space {
		x.space = space
		b = append(b, " xmlns='"...)
		b = append(b, space...)
		b = append(b, '\'')
	}
	x.out, x.inTag = b, true
}

// end ends the element that was begun last.
func (x *encoder) end() {
	x.depth--
	last := &x.open[x.depth]
	x.space = last.outer
	if x.inTag {
		x.out, x.inTag = append(x.out, "/>"...), false
		return
	}
	b := append(x.out, "</"...)
	b = append(b, last.local...)
	x.out = append(b, '>')
}

// attr gives the element that was begun last an attribute, empty or not.  Attributes come before text and children, each once.
func (x *encoder) attr(name, value string) {
	b := append(append(append(x.out, ' '), name...), "='"...)
	if element.IsPlain(value) {
		b = append(b, value...)
	} else {
		b = element.AppendValue(b, value)
	}
	x.out = append(b, '\'')
}

// optional gives it an attribute unless that is empty.
func (x *encoder) optional(name, value string) {
	if value != "" {
		x.attr(name, value)
	}
}

func (x *encoder) number(name string, n int) {
	b := append(x.out, ' ')
	b = append(b, name...)
	b = append(b, "='"...)
	b = strconv.AppendInt(b, int64(n), 10)
	x.out = append(b, '\'')
}

// positive gives it a number unless that is 0.
func (x *encoder) positive(name string, n int) {
	if n > 0 {
		x.number(name, n)
	}
}

// empty writes an element without anything.
func (x *encoder) empty(space, local string) {
	x.begin(space, local)
	x.end()
}

// text gives the element that was begun last its character data.
func (x *encoder) text(s string) {
	if s != "" {
		x.endTag()
		x.out = element.AppendText(x.out, s)
	}
}

func (x *encoder) endTag() {
	if x.inTag {
		x.out, x.inTag = append(x.out, '>'), false
	}
}

// pass writes elements as they are, leaving out nil ones.
func (x *encoder) pass(list ...*element.Element) {
	for _, e := range list {
		if e != nil {
			x.endTag()
			x.out = e.AppendTo(x.out, x.space)
		}
	}
}
