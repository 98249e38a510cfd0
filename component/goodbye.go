package component

import (
	"time"

	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

// Bounds of what is still to be said of calls that are over.
const (
	maxGoodbyes   = 1000
	goodbyeWithin = 2 * time.Minute // a peer that has heard nothing for so long has noticed by itself
	firstRetry    = 500 * time.Millisecond
	lastRetry     = 4 * time.Second
)

// A goodbye is the last word on a call: session-terminate, retract, reject, finish.  When the XMPP server is away, takes no more just now, or has
// only just come back and the peer has not, it is said again until the peer had it, once: a stanza that bounced was not received.
type goodbye struct {
	c       *Component
	stanza  *element.Element
	payload stream.Payload // of an iq
	from    string         // the stanza's, which being sent may be written to
	until   time.Time
	wait    time.Duration
	timer   *time.Timer
}

// sayGoodbye sends the last word on a call: a message as it is, an iq around the payload.
func (c *Component) sayGoodbye(stanza *element.Element, payload stream.Payload) {
	g := &goodbye{c: c, stanza: stanza, payload: payload, from: stanza.Attr("from"), until: time.Now().Add(goodbyeWithin), wait: firstRetry}
	g.say()
}

func (g *goodbye) say() {
	if g.payload != nil {
		g.c.link.Request(g.stanza, g.payload, requestTimeout, g.heard)
		return
	}
	if err := g.c.link.Send(g.stanza); unsent(err) {
		g.again()
	}
}

// heard takes the answer to a session-terminate.
func (g *goodbye) heard(reply *element.Element, err error) {
	switch {
	case unsent(err):
		g.again()
	case err == nil && reply.Attr("type") == "error" && unreached(jingle.ParseError(reply)) && g.c.linkedSince(time.Now().Add(-goodbyeWithin)):
		g.again()
	}
}

// unreached tells an error of a server whose user is not there from one of the user's client.
func unreached(e jingle.Error) bool {
	return e.Condition == "service-unavailable" || e.Condition == "recipient-unavailable"
}

// again says it later.
func (g *goodbye) again() {
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	if g.c.closing || time.Now().After(g.until) || len(g.c.goodbyes) >= maxGoodbyes && !g.c.goodbyes[g] {
		delete(g.c.goodbyes, g)
		return
	}
	g.c.goodbyes[g] = true
	g.timer = time.AfterFunc(g.wait, g.retry)
	g.wait = min(2*g.wait, lastRetry)
}

// retry says it again.  Until it is taken it stays among the goodbyes: presence waits for them.
func (g *goodbye) retry() {
	g.c.mu.Lock()
	ran := g.timer
	g.c.mu.Unlock()
	g.say()
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	if g.timer == ran {
		delete(g.c.goodbyes, g)
	}
}

// linkedSince tells whether the link was made anew after that moment.
func (c *Component) linkedSince(t time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.relinked.After(t)
}

// forgetGoodbyes ends what is still to be said.  c.mu is held.
func (c *Component) forgetGoodbyes() {
	for g := range c.goodbyes {
		g.timer.Stop()
	}
	clear(c.goodbyes)
}
