package jingle

import "carillon/jingle/element"

// forest makes elements.  They, their attributes and the places of their children are cut from slabs, since a session-initiate has some
// three hundred elements; what comes out may be changed and appended to as if each had been made alone.
type forest struct {
	elements []element.Element
	attrs    []element.Attr // those of the element begun last are at the end
	places   []*element.Element
	open     []growing
	children []*element.Element // finished ones of all that are open, in order; in the end the root
	slab     int                // size of the next slab of elements
}

// growing is an element that has not ended, with the number of children that were there before it.
type growing struct {
	e        *element.Element
	children int
}

// maxSlab is large enough to be worth it and small enough to waste little.
const maxSlab = 64

func newForest(a Action) *forest {
	slab := 8
	switch a {
	case SessionInitiate, SessionAccept, ContentAdd, ContentAccept:
		slab = maxSlab
	}
	return &forest{slab: slab, open: make([]growing, 0, 8), children: make([]*element.Element, 0, slab/2)}
}

func (f *forest) begin(space, local string) {
	n := len(f.elements)
	if n == cap(f.elements) {
		f.elements = make([]element.Element, 0, f.slab)
		f.slab = min(2*f.slab, maxSlab)
		n = 0
	}
	f.elements = f.elements[:n+1]
	e := &f.elements[n]
	e.Space, e.Local = space, local
	f.open = append(f.open, growing{e, len(f.children)})
}

func (f *forest) attr(name, value string) {
	e := f.open[len(f.open)-1].e
	end, have := len(f.attrs), len(e.Attrs)
	if end == cap(f.attrs) {
		f.attrs = append(make([]element.Attr, 0, max(2*cap(f.elements), have+1)), e.Attrs...)
		end = have
	}
	f.attrs = f.attrs[:end+1]
	a := &f.attrs[end]
	a.Local, a.Value = name, value
	e.Attrs = f.attrs[end-have : end+1 : end+1]
}

func (f *forest) text(s string) { f.open[len(f.open)-1].e.Text = s }

func (f *forest) end() {
	last := f.open[len(f.open)-1]
	f.open = f.open[:len(f.open)-1]
	if n := len(f.children) - last.children; n > 0 {
		if len(f.places)+n > cap(f.places) {
			f.places = make([]*element.Element, 0, max(cap(f.elements), n))
		}
		start := len(f.places)
		f.places = append(f.places, f.children[last.children:]...)
		last.e.Children = f.places[start : start+n : start+n]
		f.children = f.children[:last.children]
	}
	f.children = append(f.children, last.e)
}

// root returns the outermost element.
func (f *forest) root() *element.Element { return f.children[0] }
