package element

import (
	"cmp"
	"slices"
)

// Element returns n as a tree.  Strings of it share memory with the document's text.
func (n Node) Element() *Element {
	d := n.doc
	if d.trees != nil {
		return d.trees[n.at]
	}
	end := n.node().end
	t := tree{document: d, left: int(end - n.at), attrsLeft: int(d.nodes[end].attrs - d.nodes[n.at].attrs)}
	return t.element(n)
}

// Tag returns what the start tag of n says: the element without its text and children.
func (n Node) Tag() *Element {
	t := tree{document: n.doc, attrsLeft: n.Attrs()}
	return &Element{Space: n.Space(), Local: t.value(n.node().local), Attrs: t.attributes(n)}
}

// tree makes elements.  Their memory is cut from a few slabs.
type tree struct {
	*document
	left, attrsLeft int // of elements and attributes, to be made
	elements        []Element
	attrs           []Attr
	children        []*Element
}

// Bounds of what is allocated at once, in numbers.  They stay below the size of a large object of the run-time, 32 KiB.
const (
	elementsSlab = 256
	attrsSlab    = 512
)

// cut takes n from a slab, or from a new one, for which so many more will be needed.
func cut[T any](slab *[]T, n, left, most int) []T {
	if n == 0 {
		return nil
	}
	if n > len(*slab) {
		*slab = make([]T, max(n, min(left, most)))
	}
	out := (*slab)[:n:n]
	*slab = (*slab)[n:]
	return out
}

func (t *tree) element(n Node) *Element {
	from := n.node()
	e := &cut(&t.elements, 1, t.left, elementsSlab)[0]
	t.left--
	e.Space, e.Local, e.Text = n.Space(), t.value(from.local), t.value(from.text)
	e.Attrs = t.attributes(n)
	e.Children = cut(&t.children, n.Children(), n.Children()+t.left, elementsSlab)
	i := 0
	for c := n.First(); c.Exists(); c = c.Next() {
		e.Children[i] = t.element(c)
		i++
	}
	return e
}

func (t *tree) attributes(n Node) []Attr {
	first, count := n.node().attrs, n.Attrs()
	out := cut(&t.attrs, count, t.attrsLeft, attrsSlab)
	t.attrsLeft -= count
	for i := range out {
		a := t.document.attrs[int(first)+i]
		out[i] = Attr{Local: t.value(span{a.local.at, a.local.n &^ inSpace}), Value: t.value(a.value)}
		if a.local.n&inSpace != 0 {
			out[i].Space = t.spaceOf(first + uint32(i))
		}
	}
	return out
}

// spaceOf returns the namespace of an attribute that has one.
func (t *tree) spaceOf(attr uint32) string {
	at, _ := slices.BinarySearchFunc(t.prefixed, attr, func(p prefixed, attr uint32) int { return cmp.Compare(p.attr, attr) })
	return t.prefixed[at].space
}
