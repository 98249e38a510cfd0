package jingle

import "carillon/jingle/element"

// InviteKind is the element of a call invite (XEP-0482).
type InviteKind string

// The elements of XEP-0482.
const (
	InviteOffer   InviteKind = "invite"
	InviteRetract InviteKind = "retract"
	InviteAccept  InviteKind = "accept"
	InviteReject  InviteKind = "reject"
	InviteLeft    InviteKind = "left"
)

// Invite is one element of XEP-0482: an invitation to a call and the ways to join it, or an answer to one.
type Invite struct {
	Kind InviteKind
	// ID is what an answer refers to: the id of the message with the invite, or in a room the id that the room gave to it.  Dino writes an
	// id into the invite itself and answers with that one.
	ID           string
	Audio, Video bool         // invite: the media that the participants send
	Jingle       []JingleCall // ways to join, in order; in an accept the one that was taken
	External     []string     // URIs
	Muji         *Muji        // a conference (XEP-0272)
	Other        []*element.Element
}

// JingleCall is a Jingle session to join.  An empty JID is the sender of the invite.
type JingleCall struct{ SID, JID string }

const maxWays = 16

// nsCallMessage is the namespace that Dino used before XEP-0482 and writes beside it.
const nsCallMessage = "urn:xmpp:call-message:1"

// draftKinds is the elements of nsCallMessage that have other names.
var draftKinds = map[string]InviteKind{"propose": InviteOffer, "finish": InviteLeft}

// ParseInvite reads an element of XEP-0482.  It returns false, and no error, for an element that is none.  Errors are of type *Error.
func ParseInvite(e *element.Element) (Invite, bool, error) {
	if e == nil || e.Space != NSInvites && e.Space != nsCallMessage {
		return Invite{}, false, nil
	}
	d := decoder{}
	return d.invite(e.Node())
}

// InviteIn finds the call invite of a <message/>.  It returns nil when there is none, or when the message has an element of XEP-0353 too: those
// clients know that one better.
func InviteIn(stanza *element.Element) (*Invite, error) {
	if stanza == nil {
		return nil, nil
	}
	var found *Invite
	for _, c := range stanza.Children {
		if c.Space == NSMessage {
			return nil, nil
		}
		i, ok, err := ParseInvite(c)
		if err != nil {
			return nil, err
		}
		if ok && (found == nil || c.Space == NSInvites) {
			found = &i
		}
	}
	return found, nil
}

func (d *decoder) invite(e element.Node) (Invite, bool, error) {
	i := Invite{}
	switch {
	case e.Space() == NSInvites:
		i.Kind = InviteKind(e.Local())
	case e.Space() == nsCallMessage && d.takes(CallMessage):
		i.Kind = InviteKind(e.Local())
		if kind, other := draftKinds[e.Local()]; other {
			i.Kind = kind
		}
	}
	switch i.Kind {
	case InviteOffer:
		i.ID, i.Audio, i.Video = e.Attr("id"), !isFalse(e.Attr("audio")), isTrue(e.Attr("video"))
	case InviteRetract, InviteAccept, InviteReject, InviteLeft:
		i.ID = d.id(e, "id")
	default:
		return Invite{}, false, nil
	}
	if len(i.ID) > maxID {
		d.fail("id of <%s/> is longer than %d bytes", e.Local(), maxID)
	}
	for c := e.First(); c.Exists(); c = c.Next() {
		d.way(&i, c, e.Space())
	}
	if d.err != nil {
		return Invite{}, true, d.err
	}
	return i, true, nil
}

// way reads a way to join a call.  Those that XEP-0482 defines are in the namespace of the invite.
func (d *decoder) way(i *Invite, c element.Node, space string) {
	if !d.room("ways to join", len(i.Jingle)+len(i.External)+len(i.Other), maxWays) {
		return
	}
	switch {
	case d.is(c, space, "jingle"):
		i.Jingle = append(i.Jingle, JingleCall{SID: d.id(c, "sid"), JID: clip(c.Attr("jid"))})
	case d.is(c, space, "external"):
		i.External = append(i.External, d.id(c, "uri"))
	case d.is(c, NSMuji, "muji") && i.Muji == nil:
		i.Muji = d.muji(c)
	default:
		i.Other = append(i.Other, c.Element())
	}
}

// AppendTo appends the element to dst, for a <message/> of type chat or groupchat, where the default namespace is parentSpace.
func (i Invite) AppendTo(dst []byte, parentSpace string) []byte {
	x := encoder{action: SessionInfo, out: dst, space: parentSpace}
	x.begin(NSInvites, string(i.Kind))
	x.optional("id", i.ID)
	if i.Kind == InviteOffer {
		if !i.Audio {
			x.attr("audio", "false")
		}
		if i.Video {
			x.attr("video", "true")
		}
	}
	for _, j := range i.Jingle {
		x.begin(NSInvites, "jingle")
		x.optional("sid", j.SID)
		x.optional("jid", j.JID)
		x.end()
	}
	for _, uri := range i.External {
		x.begin(NSInvites, "external")
		x.optional("uri", uri)
		x.end()
	}
	if i.Muji != nil {
		x.muji(i.Muji)
	}
	x.pass(i.Other...)
	x.end()
	return x.out
}
