package jingle

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle/element"
)

// Condition is a reason for ending a session (XEP-0166 section 7.4).
type Condition string

// The conditions of XEP-0166 section 7.4.
const (
	AlternativeSession      Condition = "alternative-session"
	Busy                    Condition = "busy"
	Cancel                  Condition = "cancel"
	ConnectivityError       Condition = "connectivity-error"
	Decline                 Condition = "decline"
	Expired                 Condition = "expired"
	FailedApplication       Condition = "failed-application"
	FailedTransport         Condition = "failed-transport"
	GeneralError            Condition = "general-error"
	Gone                    Condition = "gone"
	IncompatibleParameters  Condition = "incompatible-parameters"
	MediaError              Condition = "media-error"
	SecurityError           Condition = "security-error"
	Success                 Condition = "success"
	TimedOut                Condition = "timeout"
	UnsupportedApplications Condition = "unsupported-applications"
	UnsupportedTransports   Condition = "unsupported-transports"
)

// conditions lists them, for telling the known from the unknown.
var conditions = []Condition{
	AlternativeSession, Busy, Cancel, ConnectivityError, Decline, Expired, FailedApplication, FailedTransport, GeneralError, Gone,
	IncompatibleParameters, MediaError, SecurityError, Success, TimedOut, UnsupportedApplications, UnsupportedTransports,
}

// Reason is a <reason/>: a condition and a text for people.
type Reason struct {
	Condition Condition
	Text      string
}

// Error is a stanza error (RFC 6120 section 8.3) with its Jingle condition (XEP-0166 section 10), if any.
type Error struct {
	Type      string // cancel, modify, wait, auth
	Condition string // such as item-not-found
	Jingle    string // such as unknown-session; "" for none
	Text      string
}

func (e *Error) Error() string {
	s := "jingle: " + e.Condition
	if e.Jingle != "" {
		s += " (" + e.Jingle + ")"
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// The errors that XEP-0166 section 10 and this component answer with.
var (
	ErrUnknownSession  = &Error{Type: "cancel", Condition: "item-not-found", Jingle: "unknown-session"}
	ErrOutOfOrder      = &Error{Type: "wait", Condition: "unexpected-request", Jingle: "out-of-order"}
	ErrTieBreak        = &Error{Type: "cancel", Condition: "conflict", Jingle: "tie-break"}
	ErrUnsupportedInfo = &Error{Type: "modify", Condition: "feature-not-implemented", Jingle: "unsupported-info"}
	ErrNotImplemented  = &Error{Type: "cancel", Condition: "feature-not-implemented"}
	ErrBadRequest      = &Error{Type: "modify", Condition: "bad-request"}
)

// Is makes errors.Is compare conditions, whatever the text.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && e != nil && t != nil && e.Condition == t.Condition && e.Jingle == t.Jingle
}

// because returns a copy of e with a text.
func (e *Error) because(text string) *Error {
	c := *e
	c.Text = text
	return &c
}

// Element returns the <error/> child of a stanza, in the stanza's own namespace, which is written as none.
func (e *Error) Element() *element.Element {
	out := element.New("", "error", "type", e.Type).Append(element.New(NSStanzas, e.Condition))
	if e.Text != "" {
		out.Append(element.New(NSStanzas, "text").WithText(e.Text))
	}
	if e.Jingle != "" {
		out.Append(element.New(NSErrors, e.Jingle))
	}
	return out
}

// ParseError reads the <error/> of a stanza of type error.  Where there is none, or none that RFC 6120 knows, the condition is
// undefined-condition and the type cancel.
func ParseError(stanza *element.Element) Error {
	out := Error{Type: "cancel", Condition: "undefined-condition"}
	if stanza == nil {
		return out
	}
	for _, c := range stanza.Children {
		if c.Local == "error" {
			out.read(c)
			break
		}
	}
	return out
}

func (e *Error) read(from *element.Element) {
	if t := from.Attr("type"); t != "" {
		e.Type = t
	}
	for _, c := range from.Children {
		switch {
		case c.Space == NSStanzas && c.Local == "text":
			e.Text = clip(strings.TrimSpace(c.Text))
		case c.Space == NSStanzas:
			e.Condition = c.Local
		case c.Space == NSErrors:
			e.Jingle = c.Local
		}
	}
}

// Element returns the reason as XML: the condition, then the text.
func (r Reason) Element() *element.Element {
	condition := r.Condition
	if condition == "" {
		condition = GeneralError
	}
	out := element.New(NS, "reason").Append(element.New(NS, string(condition)))
	if r.Text != "" {
		out.Append(element.New(NS, "text").WithText(r.Text))
	}
	return out
}

// reason reads a <reason/>.  A condition that no XEP defines becomes the nearest one that is.
func (d *decoder) reason(e *element.Element) *Reason {
	r := &Reason{Condition: GeneralError}
	for _, c := range e.Children {
		switch {
		case !d.is(c, NS, c.Local):
		case c.Local == "text":
			r.Text = clip(strings.TrimSpace(c.Text))
		case slices.Contains(conditions, Condition(c.Local)):
			r.Condition = Condition(c.Local)
		case d.takes(ReasonSpelling):
			r.Condition = misspelled(c.Local)
		}
	}
	return r
}

// clip bounds a text for people that a stranger sent.
func clip(s string) string {
	const most = 1024
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

func quote(s string) string {
	return strconv.QuoteToGraphic(clip(s))
}
