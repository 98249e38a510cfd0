package jingle

import "carillon/jingle/element"

// ParseMessage reads an element of XEP-0353, such as a <propose/>.  It returns false, and no error, for an element that is none.
// Errors are of type *Error.
func ParseMessage(e *element.Element) (m Message, ok bool, err error) {
	if e == nil || e.Space != NSMessage {
		return Message{}, false, nil
	}
	kind := MessageKind(e.Local)
	switch kind {
	case Propose, Ringing, Proceed, Accept, Reject, Retract, Finish:
	default:
		return Message{}, false, nil
	}
	d := decoder{}
	n := e.Node()
	m = Message{Kind: kind, ID: d.id(n, "id")}
	for c := n.First(); c.Exists(); c = c.Next() {
		d.messageChild(&m, c)
	}
	if d.err != nil {
		return Message{}, true, d.err
	}
	return m, true, nil
}

// MessageIn finds the XEP-0353 element of a <message/>.  It returns nil when there is none; one inside a carbon or an
// archived message does not count.
func MessageIn(stanza *element.Element) (*Message, error) {
	if stanza == nil {
		return nil, nil
	}
	for _, c := range stanza.Children {
		m, ok, err := ParseMessage(c)
		if err != nil {
			return nil, err
		}
		if ok {
			return &m, nil
		}
	}
	return nil, nil
}

func (d *decoder) messageChild(m *Message, c element.Node) {
	switch {
	case c.Local() == "description" && c.Space() == NSRTP:
		if d.room("media", len(m.Media), maxContents) {
			m.Media = append(m.Media, c.Attr("media"))
		}
	case c.Local() == "description":
		if d.room("descriptions", len(m.Others), maxContents) {
			m.Others = append(m.Others, c.Space())
		}
	case d.is(c, NSMessage, "migrated"):
		m.Migrated = d.id(c, "to")
	case c.Local() == "reason" && d.is(c, NS, "reason"):
		m.Reason = d.reason(c)
	case c.Local() == "tie-break":
		m.TieBreak = true
	}
}

// Element returns the message-initiation element, for a <message/> of type chat.
func (m Message) Element() *element.Element {
	e := element.New(NSMessage, string(m.Kind), "id", m.ID)
	for _, media := range m.Media {
		e.Append(element.New(NSRTP, "description", "media", media))
	}
	for _, space := range m.Others {
		e.Append(element.New(space, "description"))
	}
	if m.Reason != nil {
		e.Append(m.Reason.Element())
	}
	if m.TieBreak {
		e.Append(element.New(NSMessage, "tie-break"))
	}
	if m.Migrated != "" {
		e.Append(element.New(NSMessage, "migrated", "to", m.Migrated))
	}
	return e
}
