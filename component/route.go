package component

import (
	"strconv"
	"strings"
	"time"

	"carillon/component/call"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	nsDelay = "urn:xmpp:delay"
	// staleAfter is the age at which a stored propose is history: its caller has long given up.
	staleAfter = time.Minute
)

// handle takes every stanza that is not the answer to a request.  It runs on the stream's reading goroutine and never waits.
func (c *Component) handle(st stream.Stanza) {
	switch st.Element.Local {
	case "iq":
		c.iq(st)
	case "message":
		c.message(st)
	case "presence":
		c.presence(st)
	}
}

// iq answers every request exactly once, or leaves that to the call it is for.
func (c *Component) iq(st stream.Stanza) {
	if st.Type != "get" && st.Type != "set" {
		return
	}
	payload := st.Payload
	if st.Type == "set" && payload.Space() == jingle.NS && payload.Local() == "jingle" {
		if e := c.jingle(st, payload); e != nil {
			c.post(refuse(st, e))
		}
		return
	}
	var result *element.Element
	e := errUnavailable
	if st.Type == "get" {
		result, e = c.answerQuery(st, payload.Element())
	}
	if e != nil {
		c.post(refuse(st, e))
		return
	}
	c.post(answer(st, result))
}

// jingle leads a session stanza to its call.  A nil error means that the call answers.
func (c *Component) jingle(st stream.Stanza, payload element.Node) *jingle.Error {
	j, e := jingle.ReadStanza(payload)
	if e != nil {
		return e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.calls[callKey{st.To.Bare().String(), st.From.Bare().String(), j.SID}]
	switch {
	case j.Action == jingle.SessionInitiate && (r == nil || r.isCalling()):
		return c.initiate(st, j)
	case r != nil && r.post(call.PeerRequest{From: st.From, To: st.To, ID: st.ID, Jingle: j}):
		return nil
	case r != nil && r.overflowed():
		return errBusy
	}
	return jingle.ErrUnknownSession
}

// message leads message initiation to its call, and errors to the call whose message they answer.
func (c *Component) message(st stream.Stanza) {
	if st.Type == "error" {
		if !c.undelivered(st) {
			c.bounce(st)
		}
		return
	}
	if st.Type == "groupchat" || st.Type == "headline" || st.To.Localpart() == "" {
		return
	}
	m, err := jingle.MessageIn(st.Element)
	switch {
	case err != nil:
		c.log.Debug("message initiation not understood", "from", st.From, "error", err)
	case m != nil:
		c.initiation(st, *m)
	default:
		c.text(st)
	}
}

func (c *Component) initiation(st stream.Stanza, m jingle.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.calls[callKey{st.To.Bare().String(), st.From.Bare().String(), m.ID}]
	switch {
	case r != nil:
		r.post(call.PeerMessage{From: st.From, To: st.To, Message: m})
	case m.Kind == jingle.Propose && !stale(st.Element, time.Now()):
		c.propose(st, m)
	case m.Kind == jingle.Proceed:
		// The call is over.  Conversations ends its side when its proceed comes back as an error.
		c.post(refuse(st, errNoItem))
	}
}

// bounce tells the call whose message came back.
func (c *Component) bounce(st stream.Stanza) {
	sid, ok := call.SIDOf(st.ID)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.calls[callKey{st.To.Bare().String(), st.From.Bare().String(), sid}]; r != nil {
		r.post(call.PeerBounce{From: st.From, ID: st.ID, Err: jingle.ParseError(st.Element)})
	}
}

// stale tells whether a message was stored on its way for longer than any caller waits (XEP-0203).
func stale(message *element.Element, now time.Time) bool {
	delay := message.Child(nsDelay, "delay")
	if delay == nil {
		return false
	}
	at, err := time.Parse(time.RFC3339, delay.Attr("stamp"))
	return err == nil && now.Sub(at) > staleAfter
}

func hasChild(e *element.Element, local string) bool {
	for _, c := range e.Children {
		if c.Local == local {
			return true
		}
	}
	return false
}

func parsePriority(s string) int8 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 8)
	if err != nil {
		return 0
	}
	return int8(n)
}
