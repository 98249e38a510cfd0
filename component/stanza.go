package component

import (
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

// initiation is a message of XEP-0353.  ejabberd archives, and wakes sleeping phones for, what asks to be stored.
func initiation(from, to jid.JID, id string, m jingle.Message) *element.Element {
	return newStanza("message", "chat", from, to, id).Append(m.Element(), element.New(jingle.NSHints, "store"))
}
