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

// maxSlab is large enough to be worth it and small enough to waste little.
const maxSlab = 64

// newEncoder returns one that writes for a client, as the given party.
func newEncoder(p Profile, by Role, a Action) *encoder {
	slab := 8
	switch a {
	case SessionInitiate, SessionAccept, ContentAdd, ContentAccept:
		slab = maxSlab
	}
	return &encoder{profile: p, by: by, action: a, slab: slab}
}

// element returns a new element.  Name and value of its attributes follow in turn; a pair with an empty value is left out.
func (x *encoder) element(space, local string, attrs ...string) *element.Element {
	n := len(x.elements)
	if n == cap(x.elements) {
		x.elements = make([]element.Element, 0, x.slab)
		x.slab = min(2*x.slab, maxSlab)
		n = 0
	}
	x.elements = x.elements[:n+1]
	e := &x.elements[n]
	e.Space, e.Local = space, local
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
	if e != x.last {
		e.Attrs = append(e.Attrs, element.Attr{Local: name, Value: value})
		return
	}
	end, have := len(x.attrs), len(e.Attrs)
	if end == cap(x.attrs) {
		x.attrs = append(make([]element.Attr, 0, max(2*cap(x.elements), have+1)), e.Attrs...)
		end = have
	}
	x.attrs = x.attrs[:end+1]
	a := &x.attrs[end]
	a.Local, a.Value = name, value
	e.Attrs = x.attrs[end-have : end+1 : end+1]
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
