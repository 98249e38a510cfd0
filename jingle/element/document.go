package element

// document is an element as it was read: its text, and an index of what stands where.  It is a handful of pieces of memory, of which the collector
// of garbage has to look into none but the lists of strings; a tree of it has hundreds of pointers.
type document struct {
	text     string
	nodes    []node // in the order of their start tags, and one more that says where the attributes end
	attrs    []attr
	spaces   []string   // namespaces of elements; the first is ""
	strings  []string   // that stand nowhere in text as they are
	prefixed []prefixed // namespaces of attributes that have one
	trees    []*Element // the elements that the nodes were made of, if it was a tree
}

// Bounds of what a document that is used again keeps: those of a session-initiate with some twenty contents.
const mostNodes, mostAttrs, mostStrings = 1 << 10, 1 << 11, 1 << 6

// reuse empties d for another text, with room for so many nodes and attributes if those are not more than is kept.
func (d *document) reuse(text string, nodes, attrs int) {
	d.text = text
	d.nodes = emptied(d.nodes, min(nodes, mostNodes), mostNodes)
	d.attrs = emptied(d.attrs, min(attrs, mostAttrs), mostAttrs)
	clear(d.spaces)
	clear(d.strings)
	clear(d.prefixed)
	d.spaces = append(emptied(d.spaces, 16, mostStrings), "")
	d.strings = emptied(d.strings, 0, mostStrings)
	d.prefixed = emptied(d.prefixed, 0, mostStrings)
}

// emptied returns list without its elements, or another that has room for n and no more than most.
func emptied[T any](list []T, n, most int) []T {
	if cap(list) < n || cap(list) > 2*most {
		return make([]T, 0, n)
	}
	return list[:0]
}

// node is an element of a document.
type node struct {
	local, text span
	space       uint32 // index into spaces
	attrs       uint32 // of the first one; the last is the one before the next node's first
	end         uint32 // index of the node behind those inside
	children    uint32 // how many
}

type attr struct{ local, value span }

type prefixed struct {
	attr  uint32
	space string
}

// span is a part of a document's text, or one of its strings.
type span struct{ at, n uint32 }

// Flags in the n of a span.
const (
	apart    = 1 << 31 // at is an index into strings
	inSpace  = 1 << 30 // of an attribute's name: it is in a namespace
	mostText = inSpace - 1
)

// Node is an element for reading.  The zero Node is none.
type Node struct {
	doc       *document
	at, until uint32 // index into nodes, and that behind its siblings
}

func (d *document) string(s span) string {
	if s.n&apart != 0 {
		return d.strings[s.at]
	}
	return d.text[s.at : s.at+s.n&^inSpace]
}

// value is string for what is no name of an attribute.
func (d *document) value(s span) string {
	if s.n&apart != 0 {
		return d.strings[s.at]
	}
	return d.text[s.at : s.at+s.n]
}

// keep returns the span of a string that does not stand in the text.
func (d *document) keep(s string) span {
	d.strings = append(d.strings, s)
	return span{uint32(len(d.strings) - 1), apart}
}

// ReplaceSpace gives the elements of the document that are in one namespace another.
func (n Node) ReplaceSpace(from, to string) {
	for i, space := range n.doc.spaces {
		if space == from {
			n.doc.spaces[i] = to
		}
	}
}

// Exists tells whether n is an element.
func (n Node) Exists() bool { return n.doc != nil }

func (n Node) node() *node { return &n.doc.nodes[n.at] }

// Space returns the namespace.
func (n Node) Space() string { return n.doc.spaces[n.node().space] }

// Local returns the local name.
func (n Node) Local() string { return n.doc.string(n.node().local) }

// Text returns all character data directly inside, as Element has it.
func (n Node) Text() string { return n.doc.value(n.node().text) }

// Attr returns the value of the unprefixed attribute, or "" when there is none.
func (n Node) Attr(local string) string {
	v, _ := n.LookupAttr(local)
	return v
}

// LookupAttr tells an empty attribute from a missing one.
func (n Node) LookupAttr(local string) (string, bool) {
	d := n.doc
	list := d.attrs[d.nodes[n.at].attrs:d.nodes[n.at+1].attrs]
	for i := range list {
		switch a := &list[i]; {
		case a.local.n == uint32(len(local)):
			if d.text[a.local.at:][:len(local)] == local {
				return d.value(a.value), true
			}
		case a.local.n&apart != 0 && a.local.n&inSpace == 0 && d.strings[a.local.at] == local:
			return d.value(a.value), true
		}
	}
	return "", false
}

// Attrs returns the number of attributes.
func (n Node) Attrs() int {
	return int(n.doc.nodes[n.at+1].attrs - n.doc.nodes[n.at].attrs)
}

// AttrAt returns the name and value of the attribute with that index, and "" for the name of one in a namespace.
func (n Node) AttrAt(i int) (local, value string) {
	d := n.doc
	a := &d.attrs[d.nodes[n.at].attrs+uint32(i)]
	if a.local.n&inSpace != 0 {
		return "", ""
	}
	return d.string(a.local), d.value(a.value)
}

// Children returns the number of children.
func (n Node) Children() int { return int(n.node().children) }

// Count returns the number of elements of that local name inside of n.
func (n Node) Count(local string) int {
	count := 0
	for i := n.at + 1; i < n.node().end; i++ {
		if n.doc.string(n.doc.nodes[i].local) == local {
			count++
		}
	}
	return count
}

// First returns the first child, if there is one.
func (n Node) First() Node {
	if end := n.node().end; n.at+1 < end {
		return Node{n.doc, n.at + 1, end}
	}
	return Node{}
}

// Next returns the next child of the same parent, if there is one.
func (n Node) Next() Node {
	if next := n.node().end; next < n.until {
		return Node{n.doc, next, n.until}
	}
	return Node{}
}

// Child returns the first child of that name, if there is one.
func (n Node) Child(space, local string) Node {
	for c := n.First(); c.Exists(); c = c.Next() {
		if c.Local() == local && c.Space() == space {
			return c
		}
	}
	return Node{}
}

// Node returns e for reading.  It must not be changed as long as that is done.
func (e *Element) Node() Node {
	d := &document{spaces: []string{""}}
	d.add(e)
	d.nodes = append(d.nodes, node{attrs: uint32(len(d.attrs))})
	return Node{d, 0, d.nodes[0].end}
}

// add enters an element and what it contains.
func (d *document) add(e *Element) {
	at := len(d.nodes)
	n := node{local: d.keep(e.Local), text: d.keep(e.Text), space: uint32(len(d.spaces)), attrs: uint32(len(d.attrs)), children: uint32(len(e.Children))}
	d.spaces = append(d.spaces, e.Space)
	d.nodes = append(d.nodes, n)
	d.trees = append(d.trees, e)
	for _, a := range e.Attrs {
		local := d.keep(a.Local)
		if a.Space != "" {
			local.n |= inSpace
			d.prefixed = append(d.prefixed, prefixed{uint32(len(d.attrs)), a.Space})
		}
		d.attrs = append(d.attrs, attr{local, d.keep(a.Value)})
	}
	for _, c := range e.Children {
		d.add(c)
	}
	d.nodes[at].end = uint32(len(d.nodes))
}
