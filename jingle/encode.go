package jingle

import (
	"carillon/jingle/element"
)

// Element returns the stanza as a <jingle/> element, for a client that nothing is known of.
//
// It is written for the strictest clients: creator and, in session-initiate and session-accept, senders always stand there; Dino and Monal
// refuse senders none in those, so the value that lets only the other party send takes its place.  Sources without SSRC, which only Jitsi
// knows, are left out.
func (s Stanza) Element() *element.Element {
	by := Initiator
	if s.Action == SessionAccept {
		by = Responder
	}
	return Profile{}.Element(s, by)
}

// Element returns the stanza as this client understands it.  by is the role of the party that writes it.
func (p Profile) Element(s Stanza, by Role) *element.Element {
	x := newEncoder(p, by, s.Action)
	e := x.element(NS, "jingle", "action", string(s.Action), "sid", s.SID, "initiator", s.Initiator, "responder", s.Responder)
	x.room(e, len(s.Contents)+len(s.Groups)+len(s.Info)+2)
	for i := range s.Contents {
		e.Children = append(e.Children, x.content(&s.Contents[i]))
	}
	for i := range s.Groups {
		e.Children = append(e.Children, x.group(&s.Groups[i]))
	}
	if s.Muji != nil {
		e.Children = append(e.Children, x.muji(s.Muji))
	}
	if s.Reason != nil {
		e.Children = append(e.Children, s.Reason.Element())
	}
	for _, info := range s.Info {
		e.Append(x.info(info))
	}
	return e
}

// info readdresses a mute or unmute for a client that knows the initiator as the only creator.
func (x *encoder) info(e *element.Element) *element.Element {
	i, ok := ParseInfo(e)
	if !ok || i.Creator == Initiator || !x.profile.AlwaysInitiator {
		return e
	}
	i.Creator = Initiator
	return i.Element()
}

func (x *encoder) group(g *Group) *element.Element {
	e := x.element(NSGrouping, "group", "semantics", g.Semantics)
	x.room(e, len(g.Names))
	for _, name := range g.Names {
		c := x.element(NSGrouping, "content")
		x.attr(c, "name", name)
		e.Children = append(e.Children, c)
	}
	return e
}

func (x *encoder) content(c *Content) *element.Element {
	creator := c.Creator
	if x.profile.AlwaysInitiator {
		creator = Initiator
	}
	e := x.element(NS, "content")
	x.attr(e, "creator", creator.String())
	x.attr(e, "name", c.Name)
	senders := x.senders(c.Senders)
	if x.profile.mirrors(x.by, x.action, c.RTP) {
		senders = senders.swapped()
	}
	if senders != "" {
		x.attr(e, "senders", string(senders))
	}
	if c.Disposition != "" {
		x.attr(e, "disposition", c.Disposition)
	}
	x.room(e, 2+len(c.Other))
	switch {
	case c.RTP != nil:
		e.Children = append(e.Children, x.rtp(c.RTP, c.unencrypted()))
	case c.ICE != nil && x.form(c.ICE) == SCTPDescription && x.action != TransportInfo:
		e.Children = append(e.Children, x.element(NSRTP, "description", "media", "application"))
	}
	switch {
	case c.ICE != nil && x.form(c.ICE) == SCTPTransport:
		e.Children = append(e.Children, x.dataTransport(c.ICE))
	case c.ICE != nil:
		e.Children = append(e.Children, x.transport(c.ICE))
	case c.RawUDP != nil:
		e.Children = append(e.Children, x.rawUDP(c.RawUDP))
	}
	return e.Append(c.Other...)
}

// unencrypted tells whether nothing but SDES or ZRTP could encrypt the content: its transport has no fingerprint.
func (c *Content) unencrypted() bool {
	return c.ICE == nil || len(c.ICE.Fingerprints) == 0 && !c.ICE.Protected
}

// senders returns the attribute to write, "" for none.
func (x *encoder) senders(s Senders) Senders {
	switch s {
	case "":
		s = SendersBoth
	case SendersRejected:
		s = SendersNone
	}
	whole := x.action == SessionInitiate || x.action == SessionAccept
	if s == SendersNone && (x.profile.RefusesNone || whole && !x.profile.known()) {
		s = Senders(x.by.Other().String())
	}
	if s == SendersBoth && !whole && x.action != ContentAdd && x.action != ContentAccept && x.action != ContentModify {
		return "" // of no interest to a transport-info
	}
	return s
}

// swapped exchanges the parties.
func (s Senders) swapped() Senders {
	switch s {
	case SendersInitiator:
		return SendersResponder
	case SendersResponder:
		return SendersInitiator
	}
	return s
}
