package element

import "strings"

// slab hands out memory of a document in few allocations.
type slab struct {
	elements []Element
	attrs    []Attr // those of the tag being read are at the end, from begin on
	begin    int
	ptrs     []*Element
}

// Bounds of what is allocated at once, in numbers.  They stay below the size of a large object of the run-time, 32 KiB.
const (
	mostElements = 256
	mostAttrs    = 512
	mostPointers = 256
	nextSlab     = 64 // of each, when that was not enough
)

// newSlab returns a slab with room for what is probably in s: of the tags of stanzas a fifth or more are end tags, and of what stands before
// an equals sign a fifth or more is xmlns.
func newSlab(s string) slab {
	elements := 1 + strings.Count(s, "<")*4/5
	return slab{
		elements: make([]Element, 0, min(elements, mostElements)),
		attrs:    make([]Attr, 0, min(1+strings.Count(s, "=")*4/5, mostAttrs)),
		ptrs:     make([]*Element, 0, min(elements, mostPointers)),
	}
}

func (s *slab) element() *Element {
	if len(s.elements) == cap(s.elements) {
		s.elements = make([]Element, 0, nextSlab)
	}
	s.elements = s.elements[:len(s.elements)+1]
	return &s.elements[len(s.elements)-1]
}

func (s *slab) beginAttrs() { s.begin = len(s.attrs) }

// begun returns the attributes since beginAttrs.
func (s *slab) begun() []Attr { return s.attrs[s.begin:] }

func (s *slab) attr(a Attr) {
	if len(s.attrs) == cap(s.attrs) {
		have := s.begun()
		s.attrs = append(make([]Attr, 0, max(2*len(have), nextSlab)), have...)
		s.begin = 0
	}
	s.attrs = append(s.attrs, a)
}

// endAttrs returns the attributes since beginAttrs, nil for none.
func (s *slab) endAttrs() []Attr {
	if n := len(s.attrs); n > s.begin {
		return s.attrs[s.begin:n:n]
	}
	return nil
}

// pointers returns a copy of from.
func (s *slab) pointers(from []*Element) []*Element {
	n := len(from)
	if cap(s.ptrs)-len(s.ptrs) < n {
		s.ptrs = make([]*Element, 0, max(n, nextSlab))
	}
	start := len(s.ptrs)
	s.ptrs = append(s.ptrs, from...)
	return s.ptrs[start : start+n : start+n]
}
