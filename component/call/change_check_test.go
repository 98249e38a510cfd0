package call

import (
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
)

// feed gives the call an input and holds what it does against what must always be true.
func (c *changes) feed(in Input) {
	c.note("%s", describe(in))
	out := c.machine.Handle(time.Time{}, in)
	c.outputs(out)
	answers := 0
	for _, o := range out {
		if _, ok := o.(Answer); ok {
			answers++
		}
	}
	if _, asks := in.(PeerRequest); asks != (answers == 1) || answers > 1 {
		c.fail("%d answers", answers)
	}
	c.invariants()
}

func (c *changes) outputs(out []Output) {
	for _, o := range out {
		c.note("    %s", Render(o, jid.JID.String))
		switch o := o.(type) {
		case ToBrowser:
			c.event(o.Event)
		case SendRequest, SendPing, Answer:
			c.toPeer = append(c.toPeer, o)
		case SetTimer:
			c.running[o.Timer] = true
			if o.After <= 0 {
				delete(c.running, o.Timer)
			}
		case Ended:
			c.ended = true
		}
	}
	for _, o := range out {
		if r, ok := o.(SendRequest); ok && r.Jingle.Action == jingle.TransportInfo && len(r.Jingle.Contents) > 0 && len(r.Jingle.Contents[0].ICE.Candidates) == 0 {
			c.counts["restart"]++
		}
	}
}

func (c *changes) event(e Event) {
	switch e.(type) {
	case RemoteAnswer:
		c.counts["answer"]++
		if !c.asked {
			c.fail("an answer to nothing")
		}
		c.asked = false
	case RemoteOffer:
		c.asked = false
	}
	c.toPage = append(c.toPage, e)
}

// invariants: one negotiation, with the timer that it needs, and no timer without it.
func (c *changes) invariants() {
	s := c.session()
	change, answer := c.running[TimerChange] || c.running[TimerAsk], c.running[TimerAnswer]
	switch {
	case s.state == Over && len(c.running) > 0:
		c.fail("timers after the end: %v", c.running)
	case !s.state.accepted():
	case s.neg == nil && (change || answer):
		c.fail("a timer of no negotiation")
	case s.neg == nil && len(s.queue) > 0:
		c.fail("what is queued waits for nothing")
	case s.neg != nil && s.neg.ours && (answer || !change || c.running[TimerChange] && c.running[TimerAsk]):
		c.fail("the page's negotiation has timers %v", c.running)
	case s.neg != nil && !s.neg.ours && (change || answer == c.lost):
		c.fail("the negotiation with the page has timers %v, lost %v", c.running, c.lost)
	}
}
