package stream

import (
	"runtime/debug"
	"strings"

	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

// problem is what is wrong with a stanza: an error condition of RFC 6120 section 8.3.3 with its type, and a text.
type problem struct {
	condition
	text string
}

type condition struct{ kind, name string }

var (
	badRequest      = condition{"modify", "bad-request"}
	jidMalformed    = condition{"modify", "jid-malformed"}
	policyViolation = condition{"modify", "policy-violation"}
	internalError   = condition{"cancel", "internal-server-error"}
)

func isStanza(e *element.Element) bool {
	return (e.Space == "" || e.Space == nsAccept) && (e.Local == "iq" || e.Local == "message" || e.Local == "presence")
}

// within tells whether an address is in the domain: the domain itself, or local@domain, either with or without a
// resource.  It does not parse: what a server takes for an address may be none by PRECIS and must still be answered from.
func within(address, domain string) bool {
	bare, resource, full := strings.Cut(address, "/")
	local, host, hasLocal := strings.Cut(bare, "@")
	if !hasLocal {
		host = bare
	}
	return host == domain && (local != "" || !hasLocal) && (resource != "" || !full)
}

// receive hands a well-formed element, which is n, to the request that it answers or to Handle, or answers what is wrong with it.
func (s *Stream) receive(e *element.Element, n element.Node) {
	if e.Local == "iq" && isFinal(e) {
		if done := s.asked.answer(e); done != nil {
			s.guard("the answer to a request", func() { done(e, nil) })
		}
		return
	}
	st, why := readStanza(e, n)
	switch {
	case why != nil:
		s.refuse(e, why)
	case e.Attr("from") == "" || !within(e.Attr("to"), s.domain):
		s.cfg.Log.Debug("stanza without sender, or not for this domain, dropped", "to", clip(e.Attr("to")))
	case !s.guard("a stanza's handler", func() { s.cfg.Handle(st) }) && e.Local == "iq":
		s.refuse(e, &problem{internalError, ""})
	}
}

// isFinal tells stanzas that must not be answered.
func isFinal(e *element.Element) bool {
	kind := e.Attr("type")
	return kind == "error" || kind == "result" && e.Local == "iq"
}

func readStanza(e *element.Element, n element.Node) (Stanza, *problem) {
	st := Stanza{ID: e.Attr("id"), Type: e.Attr("type"), Element: e}
	for _, a := range []struct {
		name string
		to   *jid.JID
	}{{"from", &st.From}, {"to", &st.To}} {
		v := e.Attr(a.name)
		if v == "" {
			continue
		}
		var err error
		if *a.to, err = jid.Parse(v); err != nil {
			return st, &problem{jidMalformed, "the " + a.name + " address is malformed"}
		}
	}
	if e.Local != "iq" {
		return st, nil
	}
	if st.Type != "get" && st.Type != "set" {
		return st, &problem{badRequest, "an iq is of type get, set, result or error"}
	}
	if n.Children() != 1 {
		return st, &problem{badRequest, "a request has exactly one payload"}
	}
	st.Payload = n.First()
	return st, nil
}

// refuse answers a stanza that asks for an answer with an error; only the start tag of e is looked at.  Answers and
// errors are never answered, presence and messages to many are not either.
func (s *Stream) refuse(e *element.Element, why *problem) {
	s.cfg.Log.Debug("stanza refused", "stanza", e.Local, "condition", why.name, "problem", why.text, "from", clip(e.Attr("from")))
	kind := e.Attr("type")
	if isFinal(e) || e.Local == "presence" || e.Local == "message" && (kind == "groupchat" || kind == "headline") {
		return
	}
	answer := element.New("", e.Local, "type", "error", "id", e.Attr("id"), "from", e.Attr("to"), "to", e.Attr("from"))
	problem := element.New("", "error", "type", why.kind).Append(element.New(nsStanzaErrors, why.name))
	if why.text != "" {
		problem.Append(element.New(nsStanzaErrors, "text").WithText(why.text))
	}
	if err := s.Send(answer.Append(problem)); err != nil {
		s.cfg.Log.Debug("refusal not sent", "error", err)
	}
}

// guard calls f and tells whether it returned: a panic must not end the stream.
func (s *Stream) guard(where string, f func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Panicked()
			s.cfg.Log.Error("panic in "+where, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
	return true
}

// clip bounds what a stranger wrote for the log.
func clip(s string) string {
	const most = 128
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
