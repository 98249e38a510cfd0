package element

// declare brings p.declared into force (Namespaces in XML sections 3 and 5).
func (p *parser) declare() error {
	outer, hasDefault := len(p.prefixes), false
	for _, a := range p.declared {
		isDefault := a.prefix == ""
		if msg := badBinding(a, isDefault); msg != "" {
			return &SyntaxError{Offset: a.pos, Msg: msg}
		}
		if isDefault {
			if hasDefault {
				return &SyntaxError{Offset: a.pos, Msg: msgTwice}
			}
			p.deflt, hasDefault = a.value, true
			continue
		}
		for _, b := range p.prefixes[outer:] {
			if b.prefix == a.local {
				return &SyntaxError{Offset: a.pos, Msg: msgTwice}
			}
		}
		if len(p.prefixes) >= p.lim.Attrs {
			return p.exceeded("too many namespace prefixes")
		}
		p.prefixes = append(p.prefixes, binding{a.local, a.value})
	}
	return nil
}

func badBinding(a rawAttr, isDefault bool) string {
	switch {
	case a.value == nsXMLNS, a.local == "xmlns" && !isDefault:
		return msgReserved
	case a.local == "xml" && !isDefault && a.value == NSXML:
		return ""
	case a.value == NSXML, a.local == "xml" && !isDefault:
		return msgReserved
	case a.value == "" && !isDefault:
		return msgUndeclare
	}
	return ""
}

// resolveAttrs gives p.prefixed among attrs their namespaces.
func (p *parser) resolveAttrs(attrs []Attr) error {
	for _, a := range p.prefixed {
		space, err := p.resolve(a.prefix, a.pos)
		if err != nil {
			return err
		}
		attrs[a.index].Space = space
	}
	for _, a := range p.prefixed {
		if hasAttr(attrs[:a.index], attrs[a.index].Space, a.local) {
			return &SyntaxError{Offset: a.pos, Msg: msgTwice}
		}
	}
	return nil
}

func hasAttr(attrs []Attr, space, local string) bool {
	for i := range attrs {
		if attrs[i].Local == local && attrs[i].Space == space {
			return true
		}
	}
	return false
}

func (p *parser) resolve(prefix string, pos int) (string, error) {
	switch prefix {
	case "":
		return p.deflt, nil
	case "xml":
		return NSXML, nil
	}
	for i := len(p.prefixes) - 1; i >= 0; i-- {
		if p.prefixes[i].prefix == prefix {
			return p.prefixes[i].space, nil
		}
	}
	return "", &SyntaxError{Offset: pos, Msg: msgUnbound}
}
