package component

import (
	"strings"

	"mellium.im/xmpp/jid"

	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

// Errors that this component answers with besides those of Jingle.
var (
	errUnavailable = &jingle.Error{Type: "cancel", Condition: "service-unavailable"}
	errNoItem      = &jingle.Error{Type: "cancel", Condition: "item-not-found"}
	errBusy        = &jingle.Error{Type: "wait", Condition: "resource-constraint"}
)

// newStanza makes an iq, message or presence.
func newStanza(local, kind string, from, to jid.JID, id string) *element.Element {
	return element.New("", local, "type", kind, "from", from.String(), "to", to.String(), "id", id)
}

// answer makes the result of an IQ request.
func answer(st stream.Stanza, payload *element.Element) *element.Element {
	return newStanza("iq", "result", st.To, st.From, st.ID).Append(payload)
}

// refuse makes the error that answers a stanza.  Errors are never answered; the caller has seen to that.
func refuse(st stream.Stanza, e *jingle.Error) *element.Element {
	return newStanza(st.Element.Local, "error", st.To, st.From, st.ID).Append(e.Element())
}

// guestName is how a ghost is shown in contact lists: the name in its address, marked as a guest's.
func guestName(ghost jid.JID) string {
	name := ghost.Localpart()
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	return name + " (guest)"
}

// available is the presence of a tab, with which clients show their call buttons.
func (c *Component) available(tab, to jid.JID) *element.Element {
	return newStanza("presence", "", tab, to, "").Append(
		c.caps(),
		element.New(nsNick, "nick").WithText(guestName(tab)),
		element.New(nsVCardPhoto, "x").Append(element.New(nsVCardPhoto, "photo")))
}

func unavailable(tab, to jid.JID) *element.Element {
	return newStanza("presence", "unavailable", tab, to, "")
}

// probe asks which of a contact's devices are there, as a user's server does (RFC 6121 section 4.3).
func probe(ghost, contact jid.JID) *element.Element {
	return newStanza("presence", "probe", ghost, contact, "")
}

// initiation is a message of XEP-0353.  ejabberd archives, and wakes sleeping phones for, what asks to be stored.
func initiation(from, to jid.JID, id string, m jingle.Message) *element.Element {
	return newStanza("message", "chat", from, to, id).Append(m.Element(), element.New(jingle.NSHints, "store"))
}
