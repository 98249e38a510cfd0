package jingle

import (
	"slices"

	"carillon/jingle/element"
)

// AppendTo appends the stanza to dst as a <jingle/> element that stands where the default namespace is parentSpace, for a client that nothing
// is known of.
//
// It is written for the strictest clients: creator and, in session-initiate and session-accept, senders always stand there; Dino and Monal
// refuse senders none in those, so the value that lets only the other party send takes its place.  Sources without SSRC, which only Jitsi
// knows, are left out.
func (s Stanza) AppendTo(dst []byte, parentSpace string) []byte {
	by := Initiator
	if s.Action == SessionAccept {
		by = Responder
	}
	return Profile{}.AppendTo(dst, parentSpace, s, by)
}

// AppendTo appends the stanza as this client understands it.  by is the role of the party that writes it.
func (p Profile) AppendTo(dst []byte, parentSpace string, s Stanza, by Role) []byte {
	x := encoder{profile: p, by: by, action: s.Action, out: slices.Grow(dst, s.size()), space: parentSpace}
	x.stanza(&s)
	return x.out
}

func (x *encoder) stanza(s *Stanza) {
	x.begin(NS, "jingle")
	x.optional("action", string(s.Action))
	x.optional("sid", s.SID)
	x.optional("initiator", s.Initiator)
	x.optional("responder", s.Responder)
	for i := range s.Contents {
		x.content(&s.Contents[i])
	}
	for i := range s.Groups {
		x.group(&s.Groups[i])
	}
	if s.Muji != nil {
		x.muji(s.Muji)
	}
	if s.Reason != nil {
		x.pass(s.Reason.Element())
	}
	for _, info := range s.Info {
		x.info(info)
	}
	x.end()
}

// info readdresses a mute or unmute for a client that knows the initiator as the only creator.
func (x *encoder) info(e *element.Element) {
	i, ok := ParseInfo(e)
	if !ok || i.Creator == Initiator || !x.profile.AlwaysInitiator {
		x.pass(e)
		return
	}
	i.Creator = Initiator
	x.pass(i.Element())
}

func (x *encoder) group(g *Group) {
	x.begin(NSGrouping, "group")
	x.optional("semantics", g.Semantics)
	for _, name := range g.Names {
		x.begin(NSGrouping, "content")
		x.attr("name", name)
		x.end()
	}
	x.end()
}

func (x *encoder) content(c *Content) {
	creator := c.Creator
	if x.profile.AlwaysInitiator {
		creator = Initiator
	}
	x.begin(NS, "content")
	x.attr("creator", creator.String())
	x.attr("name", c.Name)
	senders := x.senders(c.Senders)
	if x.profile.mirrors(x.by, x.action, c.RTP) {
		senders = senders.swapped()
	}
	x.optional("senders", string(senders))
	x.optional("disposition", c.Disposition)
	switch {
	case c.RTP != nil:
		x.rtp(c.RTP, c.unencrypted())
	case c.ICE != nil && x.form(c.ICE) == SCTPDescription && x.action != TransportInfo:
		x.begin(NSRTP, "description")
		x.attr("media", "application")
		x.end()
	}
	switch {
	case c.ICE != nil && x.form(c.ICE) == SCTPTransport:
		x.dataTransport(c.ICE)
	case c.ICE != nil:
		x.transport(c.ICE)
	case c.RawUDP != nil:
		x.rawUDP(c.RawUDP)
	}
	x.pass(c.Other...)
	x.end()
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
