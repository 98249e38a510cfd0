// Package element is the XML of XMPP (RFC 6120 section 11) as a small tree: what a stanza is read into and written from.
//
// It hides namespaces, escaping and the bounds that input from strangers needs.  The subset has no DTD, processing
// instruction or comment.  Everything here is a plain value; nothing does I/O.
package element

// Attr is one attribute.  Space is empty for the unprefixed attributes that XMPP uses almost everywhere; "xml" prefixed ones
// (xml:lang) have the XML namespace.
type Attr struct {
	Space, Local, Value string
}

// Element is one XML element.  Text is all character data directly inside it, in order; mixed content keeps its text and
// its children but not their interleaving, which no stanza handled here depends on.
type Element struct {
	Space, Local string
	Attrs        []Attr
	Text         string
	Children     []*Element
}

// New returns an element of the given namespace and local name.  The strings that follow are name and value of its
// attributes in turn; a pair with an empty value is left out, as optional attributes are.
func New(space, local string, attrs ...string) *Element {
	e := &Element{Space: space, Local: local}
	n := 0
	for i := 1; i < len(attrs); i += 2 {
		if attrs[i] != "" {
			n++
		}
	}
	if n > 0 {
		e.Attrs = make([]Attr, 0, n)
	}
	return e.setAll(attrs)
}

func (e *Element) setAll(attrs []string) *Element {
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			e.Attrs = append(e.Attrs, Attr{Local: attrs[i], Value: attrs[i+1]})
		}
	}
	return e
}

// Attr returns the value of the unprefixed attribute, or "" when there is none.
func (e *Element) Attr(local string) string {
	v, _ := e.LookupAttr(local)
	return v
}

// LookupAttr tells an empty attribute from a missing one.
func (e *Element) LookupAttr(local string) (string, bool) {
	for i := range e.Attrs {
		if e.Attrs[i].Local == local && e.Attrs[i].Space == "" {
			return e.Attrs[i].Value, true
		}
	}
	return "", false
}

// SetAttr sets the unprefixed attribute and returns e.
func (e *Element) SetAttr(local, value string) *Element {
	for i := range e.Attrs {
		if e.Attrs[i].Local == local && e.Attrs[i].Space == "" {
			e.Attrs[i].Value = value
			return e
		}
	}
	e.Attrs = append(e.Attrs, Attr{Local: local, Value: value})
	return e
}

// Child returns the first child of that name, or nil.
func (e *Element) Child(space, local string) *Element {
	for _, c := range e.Children {
		if c.Local == local && c.Space == space {
			return c
		}
	}
	return nil
}

// Append adds children, leaving out nil ones, and returns e.
func (e *Element) Append(children ...*Element) *Element {
	for _, c := range children {
		if c != nil {
			e.Children = append(e.Children, c)
		}
	}
	return e
}

// WithText sets the character data and returns e.
func (e *Element) WithText(s string) *Element {
	e.Text = s
	return e
}
