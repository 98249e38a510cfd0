package stream

import (
	"errors"
	"fmt"

	"carillon/jingle/element"
)

const (
	nsAccept       = "jabber:component:accept"
	nsClient       = "jabber:client"
	nsStreams      = "http://etherx.jabber.org/streams"
	nsStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams"
	nsStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas"
	nsPing         = "urn:xmpp:ping"
)

// Ends of a connection that the server did not give as a stream error.
var (
	errClosed  = errors.New("server closed the stream")
	errStalled = errors.New("server stopped in the middle of a stanza")
	errSilent  = errors.New("server does not answer")
)

// Error is a stream error that the server sent (RFC 6120 section 4.9).
type Error struct {
	Condition string // such as "conflict"
	Text      string // may be empty
}

func (e *Error) Error() string {
	if e.Text == "" {
		return "stream error " + e.Condition
	}
	return fmt.Sprintf("stream error %s: %.200q", e.Condition, e.Text)
}

func parseError(e *element.Element) *Error {
	found := &Error{Condition: "undefined-condition"}
	for _, c := range e.Children {
		switch {
		case c.Space != nsStreamErrors:
		case c.Local == "text":
			found.Text = c.Text
		default:
			found.Condition = c.Local
		}
	}
	return found
}

// isConfiguration tells errors that only an operator can mend.
func isConfiguration(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Condition == "not-authorized" || e.Condition == "host-unknown")
}

// isConflict tells that another connection has our domain.
func isConflict(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Condition == "conflict"
}

// remedy says what an operator can do about the error, "" when nothing is known.
func remedy(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	switch e.Condition {
	case "not-authorized":
		// ejabberd says so of a domain it does not know, too.
		return "the key secret differs from the server's secret for this component, or the key domain names no component of it"
	case "host-unknown":
		return "the key domain names no component of the server, or the key server not its component port"
	case "conflict":
		return "another instance is connected under this domain, or the server has not noticed yet that the last connection is dead " +
			"(in Prosody: component_conflict_resolve = \"kick_old\")"
	}
	return ""
}
