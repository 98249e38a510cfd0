package element

import "strings"

// newSpace returns the index of a namespace that was not met before.
func (p *parser) newSpace(name string) uint32 {
	if name == "" {
		return 0
	}
	p.spaces = append(p.spaces, name)
	return uint32(len(p.spaces) - 1)
}

// declareDefault reads the value of xmlns and brings it into force (Namespaces in XML sections 3 and 6.2).
func (p *parser) declareDefault(t *tag, start int) error {
	if t.hasDefault {
		return &SyntaxError{Offset: start, Msg: msgTwice}
	}
	t.hasDefault = true
	t.declared++
	if p.sameSpace() {
		return nil
	}
	value, err := p.value()
	if err != nil {
		return err
	}
	p.deflt = p.newSpace(p.string(value))
	if value.n&apart == 0 {
		p.learn()
	}
	if name := p.spaces[p.deflt]; name == nsXMLNS || name == NSXML {
		return &SyntaxError{Offset: start, Msg: msgReserved}
	}
	return nil
}

// learn lets sameSpace know the default namespace, unless it could not stand within quotes of either kind.
func (p *parser) learn() {
	if space := p.spaces[p.deflt]; p.literals < len(p.literal) && p.deflt != 0 && strings.IndexByte(space, '\'') < 0 && strings.IndexByte(space, '"') < 0 {
		p.literal[p.literals] = p.deflt
		p.literals++
	}
}

// sameSpace reads the value of xmlns if it is one that was read before.  The names of namespaces are half of a stanza's text, and comparing is
// several times as fast as looking for the end of a value.
func (p *parser) sameSpace() bool {
	if p.pos == len(p.s) || p.s[p.pos] != '\'' && p.s[p.pos] != '"' {
		return false
	}
	quote, rest := p.s[p.pos], p.s[p.pos+1:]
	for _, i := range p.literal[:p.literals] {
		name := p.spaces[i]
		if len(rest) > len(name) && rest[len(name)] == quote && rest[:len(name)] == name {
			p.deflt = i
			p.pos += len(name) + 2
			return true
		}
	}
	return false
}

// declarePrefix reads the value of xmlns:prefix and brings it into force (sections 3 and 5).
func (p *parser) declarePrefix(t *tag, prefix string, start int) error {
	value, err := p.value()
	if err != nil {
		return err
	}
	name := p.string(value)
	if msg := badBinding(prefix, name); msg != "" {
		return &SyntaxError{Offset: start, Msg: msg}
	}
	for _, b := range p.prefixes[t.prefixes:] {
		if b.prefix == prefix {
			return &SyntaxError{Offset: start, Msg: msgTwice}
		}
	}
	if len(p.prefixes) >= p.lim.Attrs {
		return p.exceeded("too many namespace prefixes")
	}
	t.declared++
	p.prefixes = append(p.prefixes, binding{prefix, p.newSpace(name)})
	return nil
}

func badBinding(prefix, name string) string {
	switch {
	case name == nsXMLNS, prefix == "xmlns":
		return msgReserved
	case prefix == "xml" && name == NSXML:
		return ""
	case name == NSXML, prefix == "xml":
		return msgReserved
	case name == "":
		return msgUndeclare
	}
	return ""
}

// resolveAttrs gives the attributes of the tag that have a prefix their namespaces.
func (p *parser) resolveAttrs(t *tag) error {
	list := p.prefixed[t.prefixed:]
	for i := range list {
		a := &list[i]
		local := p.attrs[a.attr].local
		start := int(local.at) - len(a.space) - 1
		if a.space == "xml" {
			a.space = NSXML
		} else {
			space, err := p.resolve(a.space, start)
			if err != nil {
				return err
			}
			a.space = p.spaces[space]
		}
		for _, b := range list[:i] {
			if have := p.attrs[b.attr].local; b.space == a.space && p.string(have) == p.string(local) {
				return &SyntaxError{Offset: start, Msg: msgTwice}
			}
		}
	}
	return nil
}

// resolve returns the namespace of a prefix.
func (p *parser) resolve(prefix string, pos int) (uint32, error) {
	if prefix == "xml" {
		return p.newSpace(NSXML), nil
	}
	for i := len(p.prefixes) - 1; i >= 0; i-- {
		if p.prefixes[i].prefix == prefix {
			return p.prefixes[i].space, nil
		}
	}
	return 0, &SyntaxError{Offset: pos, Msg: msgUnbound}
}

func hasAttr(attrs []Attr, space, local string) bool {
	for i := range attrs {
		if attrs[i].Local == local && attrs[i].Space == space {
			return true
		}
	}
	return false
}
