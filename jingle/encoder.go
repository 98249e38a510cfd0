package jingle

import "carillon/jingle/element"

// encoder writes stanzas.  Elements, their attributes and the places of their children are cut from slabs, since a session-initiate has some
// three hundred elements; what it returns may be changed and appended to as if each had been made alone.
type encoder struct {
	profile Profile
	by      Role
	action  Action

	elements []element.Element
	attrs    []element.Attr
	children []*element.Element
	last     *element.Element // the element whose attributes end attrs
	slab     int              // size of the next slab of elements
}

// newEncoder returns one that writes for a client, as the given party.
func newEncoder(p Profile, by Role, a Action) *encoder {
	slab := 8
	switch a {
	case SessionInitiate, SessionAccept:
		slab = 128
	case ContentAdd, ContentAccept, ContentModify:
		slab = 64
	}
	return &encoder{profile: p, by: by, action: a, slab: slab}
}

// element returns a new element.  Name and value of its attributes follow in turn; a pair with an empty value is left out.
func (x *encoder) element(space, local string, attrs ...string) *element.Element {
	if len(x.elements) == cap(x.elements) {
		x.elements = make([]element.Element, 0, x.slab)
		x.slab = min(2*x.slab, 256)
	}
	x.elements = append(x.elements, element.Element{Space: space, Local: local})
	e := &x.elements[len(x.elements)-1]
	x.last = e
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			x.attr(e, attrs[i], attrs[i+1])
		}
	}
	return e
}

// attr adds an attribute, empty or not, to the element that was made last.
func (x *encoder) attr(e *element.Element, name, value string) {
	n := len(e.Attrs)
	if e != x.last {
		e.Attrs = append(e.Attrs, element.Attr{Local: name, Value: value})
		return
	}
	if len(x.attrs) == cap(x.attrs) {
		x.attrs = append(make([]element.Attr, 0, max(2*cap(x.elements), n+1)), e.Attrs...)
	}
	x.attrs = append(x.attrs, element.Attr{Local: name, Value: value})
	end := len(x.attrs)
	e.Attrs = x.attrs[end-n-1 : end : end]
}

// room makes room for so many children of e, which has none yet.
func (x *encoder) room(e *element.Element, n int) {
	if n == 0 {
		return
	}
	if len(x.children)+n > cap(x.children) {
		x.children = make([]*element.Element, 0, max(cap(x.elements), n))
	}
	start := len(x.children)
	x.children = x.children[:start+n]
	e.Children = x.children[start : start : start+n]
}

// text returns a new element with character data.
func (x *encoder) text(e *element.Element, s string) *element.Element {
	e.Text = s
	return e
}
