package jingle

import (
	"fmt"
	"strconv"
	"strings"

	"carillon/jingle/element"
)

// Bounds of what is read.  A stanza beyond them is refused with bad-request; no known client comes near.  Of the candidates and extensions of a
// transport the first so many are read, because Conversations (2.19) ends a call whose transport-info comes back as an error.
const (
	maxContents     = 64
	maxPayloadTypes = 128 // payload types are seven bits
	maxParameters   = 64  // of one payload type, source, feedback or header extension
	maxFeedback     = 64
	maxHdrExts      = 64
	maxSources      = 128
	maxCandidates   = 128 // of one transport in one stanza
	maxFingerprints = 8
	maxOptions      = 16
	maxGroups       = 16
	maxOther        = 64
	maxCategories   = 16
	maxJID          = 3071 // bytes (RFC 7622 section 3.1)
	maxID           = 1024 // bytes of a sid, a content's name, an id
)

// ParseStanza reads a <jingle/> element.  It accepts the departures from the XEPs that Quirks lists; the values it returns are
// as the XEPs have them.  Elements it does not know are kept in Info and Other.  The error is a bad-request.
func ParseStanza(e *element.Element) (Stanza, *Error) {
	d := decoder{}
	return d.tree(e)
}

// ReadStanza is ParseStanza for a stanza that is no tree.  What it returns shares the memory of the stanza's text: who keeps a part of it for long
// keeps a copy.
func ReadStanza(n element.Node) (Stanza, *Error) {
	d := decoder{}
	return d.stanza(n)
}

// decoder reads elements.  The first error sticks.
type decoder struct {
	err     *Error
	action  Action
	without Quirk // a test: this quirk is not taken
	unread  []element.Node

	root element.Node // the <jingle/>

	// What the short lists of a description are cut from, hundreds in a few pieces of memory.
	parameters []Parameter
	feedbacks  []Feedback
}

// room returns the slab or, if there is none yet, one with room for all the elements of that name that there are.
func room[T any](d *decoder, slab []T, local string) []T {
	const most = 512
	if slab == nil && d.root.Exists() {
		return make([]T, 0, min(d.root.Count(local), most))
	}
	return slab
}

// since returns what was added to a slab after its first n, nil for nothing.
func since[T any](slab []T, n int) []T {
	if n == len(slab) {
		return nil
	}
	return slab[n:len(slab):len(slab)]
}

// skip notes an element that is read as nothing.
func (d *decoder) skip(e element.Node) { d.unread = append(d.unread, e) }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = ErrBadRequest.because(fmt.Sprintf(format, args...))
	}
}

// room tells whether one more fits and fails otherwise.
func (d *decoder) room(what string, have, most int) bool {
	if have >= most {
		d.fail("more than %d %s", most, what)
	}
	return d.err == nil
}

// takes tells whether a quirk is accepted.
func (d *decoder) takes(q Quirk) bool { return d.without != q }

// is compares namespace and local name.  A child that gave up its parent's namespace is still taken.
func (d *decoder) is(e element.Node, space, local string) bool {
	return e.Local() == local && d.in(e, space)
}

// in compares the namespace alone.
func (d *decoder) in(e element.Node, space string) bool {
	have := e.Space()
	return have == space || have == "" && d.takes(EmptyNamespace)
}

func (d *decoder) id(e element.Node, attr string) string {
	v := e.Attr(attr)
	switch {
	case v == "":
		d.fail("<%s/> without %s", e.Local(), attr)
	case len(v) > maxID:
		d.fail("%s of <%s/> is longer than %d bytes", attr, e.Local(), maxID)
	}
	return v
}

func (d *decoder) tree(e *element.Element) (Stanza, *Error) {
	if e == nil {
		return d.stanza(element.Node{})
	}
	return d.stanza(e.Node())
}

func (d *decoder) stanza(e element.Node) (Stanza, *Error) {
	if !e.Exists() || e.Space() != NS || e.Local() != "jingle" {
		return Stanza{}, ErrBadRequest.because("no <jingle/> of " + NS)
	}
	s := Stanza{
		Action: Action(e.Attr("action")), SID: d.id(e, "sid"),
		Initiator: e.Attr("initiator"), Responder: e.Attr("responder"),
	}
	rule, known := actions[s.Action]
	if !known {
		// XEP-0166 section 7.2 asks for bad-request, not for feature-not-implemented.
		d.fail("unknown action %s", quote(string(s.Action)))
	}
	d.action, d.root = s.Action, e
	for c := e.First(); c.Exists(); c = c.Next() {
		d.child(&s, c)
	}
	if len(s.Contents) == 0 && rule.contents {
		d.fail("%s without content", s.Action)
	}
	if d.err != nil {
		return Stanza{}, d.err
	}
	return s, nil
}

func (d *decoder) child(s *Stanza, c element.Node) {
	switch {
	case d.is(c, NS, "content"):
		if d.room("contents", len(s.Contents), maxContents) {
			s.Contents = append(s.Contents, d.content(c))
		}
	case d.is(c, NSGrouping, "group"):
		if d.room("groups", len(s.Groups), maxGroups) {
			s.Groups = append(s.Groups, d.group(c))
		}
	case d.is(c, NS, "reason"):
		s.Reason = d.reason(c)
	case d.is(c, NSMuji, "muji") && s.Muji == nil:
		s.Muji = d.muji(c)
	default:
		if d.room("elements", len(s.Info), maxOther) {
			s.Info = append(s.Info, c.Element())
		}
	}
}

func (d *decoder) content(e element.Node) Content {
	c := Content{Name: e.Attr("name"), Senders: d.senders(Senders(e.Attr("senders"))), Disposition: e.Attr("disposition")}
	if len(c.Name) > maxID {
		d.fail("name of a content is longer than %d bytes", maxID)
	}
	role, present := e.LookupAttr("creator")
	switch {
	case role == "initiator":
	case role == "responder":
		c.Creator = Responder
	case present || !d.takes(MissingCreator):
		d.fail("content %s: creator is neither initiator nor responder", quote(c.Name))
	}
	data := false
	for child := e.First(); child.Exists(); child = child.Next() {
		data = d.contentChild(&c, child) || data
	}
	if data {
		c.dataDescription()
	}
	d.strays(&c, e)
	if d.isRejected(c, e) {
		c.Senders = SendersRejected
	}
	return c
}

// isRejected tells whether c is what stanza writes in an answer for a content that it rejects: senders none, and a transport of nothing.
func (d *decoder) isRejected(c Content, e element.Node) bool {
	return d.action == SessionAccept && c.Senders == SendersNone && c.ICE != nil && c.ICE.Ufrag == "" &&
		len(c.ICE.Fingerprints) == 0 && !c.ICE.Protected && d.takes(EmptyRejected)
}

// dataDescription marks a content as data channels after Movim's description.
func (c *Content) dataDescription() {
	if c.ICE == nil {
		c.ICE = &Transport{}
	}
	c.ICE.association().Form = SCTPDescription
}

// contentChild reads a child of a content.  It returns true for a description that says no more than that the content is data channels.
func (d *decoder) contentChild(c *Content, e element.Node) bool {
	first := c.ICE == nil && c.RawUDP == nil
	switch {
	case d.is(e, NSRTP, "description") && c.RTP == nil:
		if d.isDataDescription(e) {
			return true
		}
		c.RTP = d.rtp(e)
	case d.isICE(e) && first:
		c.ICE = d.transport(e)
	case d.is(e, NSDataICE, "transport") && first:
		c.ICE = d.dataTransport(e)
	case d.is(e, NSRawUDP, "transport") && first:
		c.RawUDP = d.rawUDP(e)
	case d.isFingerprint(e): // read with the transport
	case d.room("elements in a content", len(c.Other), maxOther):
		c.Other = append(c.Other, e.Element())
	}
	return false
}

// senders reads the attribute of a content or of a header extension.
func (d *decoder) senders(s Senders) Senders {
	switch s {
	case "":
		return SendersBoth
	case SendersBoth, SendersInitiator, SendersResponder, SendersNone:
		return s
	case SendersRejected:
		if d.takes(RejectedSenders) {
			return s
		}
	}
	d.fail("unknown senders %s", quote(string(s)))
	return SendersBoth
}

func (d *decoder) group(e element.Node) Group {
	g := Group{Semantics: e.Attr("semantics")}
	if g.Semantics == "" && d.takes(GroupType) {
		g.Semantics = e.Attr("type")
	}
	for c := e.First(); c.Exists(); c = c.Next() {
		if d.is(c, NSGrouping, "content") && d.room("contents in a group", len(g.Names), maxContents) {
			g.Names = append(g.Names, c.Attr("name"))
		}
	}
	return g
}

// number reads an integer attribute; what is missing, no number or out of range gives the fallback.
func number(s string, lo, hi, fallback int) int {
	if s == "" { // most often; an error would be made for nothing
		return fallback
	}
	n := 0
	for i := range len(s) { // as it mostly is: a few digits
		if s[i] < '0' || s[i] > '9' || i == 9 {
			var err error
			if n, err = strconv.Atoi(strings.TrimSpace(s)); err != nil {
				return fallback
			}
			break
		}
		n = 10*n + int(s[i]-'0')
	}
	if n < lo || n > hi {
		return fallback
	}
	return n
}
