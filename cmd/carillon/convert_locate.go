package main

import (
	"bytes"
	"sort"

	"carillon/jingle"
	"carillon/jingle/element"
)

// faulty finds the element that jingle.ParseStanza(stanza) refuses and returns how many start tags of root come before it, and its name.
//
// Reading goes from top to bottom and keeps its first error, so the first children without which it is not the same error end with
// the one to blame.
func faulty(root, stanza *element.Element, refusal *jingle.Error) (before int, name string) {
	same := func() bool {
		_, err := jingle.ParseStanza(stanza)
		return err != nil && err.Text == refusal.Text
	}
	at := stanza
	for len(at.Children) > 0 {
		all := at.Children
		n := sort.Search(len(all), func(n int) bool {
			at.Children = all[:n]
			return same()
		})
		at.Children = all
		if n == 0 {
			break
		}
		at = all[n-1]
	}
	before, _ = tagsBefore(root, at)
	return before, at.Local
}

// tagsBefore counts the elements of the tree that begin before e, and tells whether e is in it.
func tagsBefore(tree, e *element.Element) (int, bool) {
	if tree == e {
		return 0, true
	}
	n := 1
	for _, c := range tree.Children {
		m, found := tagsBefore(c, e)
		n += m
		if found {
			return n, true
		}
	}
	return n, false
}

// startTag returns the offset of the start tag in well-formed b before which there are so many others.
func startTag(b []byte, before int) int {
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '<' || b[i+1] == '/':
		case b[i+1] == '!': // CDATA
			i += bytes.Index(b[i:], []byte("]]>"))
		case before == 0:
			return i
		default:
			before--
		}
	}
	return len(b)
}
