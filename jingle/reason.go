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
	SID       string // alternative-session: the session to use instead
	RTP       string // the condition of XEP-0167 section 7.3: InvalidCrypto or CryptoRequired; "" for none
}

// The conditions of XEP-0167, which stand beside security-error.
const (
	InvalidCrypto  = "invalid-crypto"
	CryptoRequired = "crypto-required"
)

// Error is a stanza error (RFC 6120 section 8.3) with its Jingle condition (XEP-0166 section 10), if any.
type Error struct {
	Type      string // cancel, modify, wait, auth
	Condition string // such as item-not-found
	Jingle    string // such as unknown-session, or invalid-crypto of XEP-0167; "" for none
	Text      string
	Address   string // redirect and gone: where to instead
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
	// ErrSecurityRequired is for what must not pass the servers (XEP-0166 section 12).
	ErrSecurityRequired = &Error{Type: "cancel", Condition: "not-acceptable", Jingle: "security-required"}
	// ErrUnavailable is for strangers (XEP-0166 section 6.3).
	ErrUnavailable    = &Error{Type: "cancel", Condition: "service-unavailable"}
	ErrNotImplemented = &Error{Type: "cancel", Condition: "feature-not-implemented"}
	ErrBadRequest     = &Error{Type: "modify", Condition: "bad-request"}
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
	out := element.New("", "error", "type", e.Type).Append(element.New(NSStanzas, e.Condition).WithText(e.Address))
	if e.Text != "" {
		out.Append(element.New(NSStanzas, "text").WithText(e.Text))
	}
	if e.Jingle != "" {
		out.Append(element.New(errorSpace(e.Jingle), e.Jingle))
	}
	return out
}

// errorSpace is the namespace of a Jingle condition.
func errorSpace(condition string) string {
	if condition == InvalidCrypto || condition == CryptoRequired {
		return NSRTPErrors
	}
	return NSErrors
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
			e.Condition, e.Address = c.Local, clip(strings.TrimSpace(c.Text))
		case c.Space == NSErrors, c.Space == NSRTPErrors:
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
	named := element.New(NS, string(condition))
	if r.SID != "" && condition == AlternativeSession {
		named.Append(element.New(NS, "sid").WithText(r.SID))
	}
	out := element.New(NS, "reason").Append(named)
	if r.Text != "" {
		out.Append(element.New(NS, "text").WithText(r.Text))
	}
	if r.RTP != "" {
		out.Append(element.New(NSRTPErrors, r.RTP))
	}
	return out
}

// reason reads a <reason/>.  A condition that no XEP defines becomes the nearest one that is.
func (d *decoder) reason(e element.Node) *Reason {
	r := &Reason{Condition: GeneralError}
	for c := e.First(); c.Exists(); c = c.Next() {
		switch {
		case c.Space() == NSRTPErrors && (c.Local() == InvalidCrypto || c.Local() == CryptoRequired):
			r.RTP = c.Local()
		case !d.is(c, NS, c.Local()):
		case c.Local() == "text":
			r.Text = clip(strings.TrimSpace(c.Text()))
		case slices.Contains(conditions, Condition(c.Local())):
			r.Condition, r.SID = Condition(c.Local()), d.alternative(c)
		case d.takes(ReasonSpelling):
			r.Condition = misspelled(c.Local())
		}
	}
	return r
}

// alternative reads the session that an alternative-session names.
func (d *decoder) alternative(e element.Node) string {
	for c := e.First(); c.Exists(); c = c.Next() {
		if d.is(c, NS, "sid") && e.Local() == string(AlternativeSession) && len(c.Text()) <= maxID {
			return strings.TrimSpace(c.Text())
		}
	}
	return ""
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
