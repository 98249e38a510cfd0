package component

import (
	"time"

	"github.com/google/uuid"
	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
)

const (
	dialsPerMinute    = 6  // of one network address to one callee, answered or not
	proposesPerMinute = 30 // of one XMPP user to all ghosts
)

// callConfig is what every machine of this component shares.
func (c *Component) callConfig() call.Config {
	return call.Config{
		Durations: call.Durations{Grace: c.cfg.Grace},
		NewID:     randomID,
		TURN:      len(c.cfg.TURN.URLs) > 0,
	}
}

func badAddress(address string) error {
	return gateway.Errorf(gateway.BadAddress, "%q is not an XMPP address, which looks like name@example.org", address)
}

// parseContact reads the address of somebody, not of a server.
func parseContact(address string) (jid.JID, error) {
	to, err := jid.Parse(address)
	if err != nil || to.Localpart() == "" {
		return jid.JID{}, badAddress(address)
	}
	return to, nil
}

// dial places a call, under the policy.  The result carries the ICE servers, which nobody gets before.  c.mu is held.
func (c *Component) dial(t *tab, address string, id gateway.ID) (gateway.Frame, error) {
	to, err := parseContact(address)
	if err != nil {
		return nil, err
	}
	if to.Bare().Equal(t.ghost.address) {
		return nil, gateway.Errorf(gateway.BadAddress, "this is your own address")
	}
	if err := c.policy.permits(to); err != nil {
		return nil, err
	}
	now := time.Now()
	place := addressGroup(t.ip)
	if !c.policy.oncePer(now, "dial "+place+" "+to.Bare().String(), dialsPerMinute) {
		return nil, gateway.Errorf(gateway.RateLimited, "you have called this address too often just now; wait a minute")
	}
	local := to.Domain().Equal(c.cfg.Domain)
	if !local && !c.up {
		return nil, gateway.Errorf(gateway.LinkDown, "the XMPP server is not connected just now; try again in a moment")
	}
	a, err := c.policy.admit(now, t.address, to, t.ip)
	if err != nil {
		return nil, err
	}
	if err := c.placeCall(t, to, local, a, id); err != nil {
		a.release(now, "")
		return nil, err
	}
	return gateway.Later, nil
}

// placeCall starts the call that dial admitted.  Its Admitted event answers the request.
func (c *Component) placeCall(t *tab, to jid.JID, local bool, a *admission, id gateway.ID) error {
	var r *runner
	var outputs []call.Output
	tabs := []*tab{t}
	if local {
		callees := c.ringable(c.ghostOf(to), to)
		if len(callees) == 0 {
			return gateway.Errorf(gateway.NotNow, "nobody can be reached at that address now, or it does not exist")
		}
		r = c.newRunner(callKey{}, "local", t.address, to)
		r.machine, outputs = call.NewLocal(c.callConfig(), t.address, to.Bare(), addresses(callees))
		tabs = append(tabs, callees...)
	} else {
		sid := uuid.NewString()
		r = c.newRunner(callKey{t.ghost.address.String(), to.Bare().String(), sid}, "out", t.address, to)
		r.machine, outputs = call.NewOutgoing(c.callConfig(), sid, t.address, to, t.ghost.devicesOf(to))
		c.show(t, to)
	}
	r.admission, r.dialled = a, to.String()
	t.waiting[r] = id
	if !c.start(r, tabs, outputs) {
		delete(t.waiting, r)
		return gateway.Errorf(gateway.LinkDown, "the call service is being restarted")
	}
	return nil
}

// devicesOf lists what the ghost knows of somebody's devices.
func (g *ghost) devicesOf(who jid.JID) []call.Resource {
	var list []call.Resource
	for _, p := range g.peers {
		if p.JID.Bare().Equal(who.Bare()) {
			list = append(list, p)
		}
	}
	return list
}

// ringable lists the tabs that a call to that address can ring: connected, and not in a call.
func (c *Component) ringable(g *ghost, to jid.JID) []*tab {
	if g == nil {
		return nil
	}
	var list []*tab
	for _, t := range g.tabs {
		if t.session != nil && len(t.engaged) == 0 && (to.Resourcepart() == "" || to.Equal(t.address)) {
			list = append(list, t)
		}
	}
	return list
}

func addresses(tabs []*tab) []jid.JID {
	list := make([]jid.JID, len(tabs))
	for i, t := range tabs {
		list[i] = t.address
	}
	return list
}

// propose rings the pages of a ghost for an XMPP user.  What cannot ring is rejected at once: Dino and Movim would call for ever,
// and the reject tells nothing about whether the address exists.  c.mu is held.
func (c *Component) propose(st stream.Stanza, m jingle.Message) {
	if !c.policy.oncePer(time.Now(), "propose "+st.From.Bare().String(), proposesPerMinute) {
		return
	}
	g := c.ghostOf(st.To)
	tabs := c.ringable(g, st.To)
	reason := jingle.Gone
	if g != nil && len(tabs) == 0 && len(g.tabs) > 0 {
		reason = jingle.Busy
	}
	if len(tabs) > 0 && (g.rings >= c.policy.limits.RingsPerGhost || len(c.runners) >= c.policy.limits.Calls) {
		tabs, reason = nil, jingle.Busy
	}
	if len(tabs) == 0 {
		c.post(newStanza("message", "chat", st.To, st.From, randomID()).Append(
			jingle.Message{Kind: jingle.Reject, ID: m.ID, Reason: &jingle.Reason{Condition: reason}}.Element()))
		return
	}
	key := callKey{g.address.String(), st.From.Bare().String(), m.ID}
	r := c.newRunner(key, "in", st.To, st.From)
	var outputs []call.Output
	r.machine, outputs = call.NewIncoming(c.callConfig(), call.PeerMessage{From: st.From, To: st.To, Message: m}, addresses(tabs))
	c.ring(r, g, tabs, outputs)
}

// initiate takes a session-initiate that no propose announced, addressed to one page.  c.mu is held.
func (c *Component) initiate(st stream.Stanza, j jingle.Stanza) *jingle.Error {
	g := c.ghostOf(st.To)
	tabs := c.ringable(g, st.To)
	switch {
	case st.To.Resourcepart() == "" || g == nil || g.tabs[st.To.Resourcepart()] == nil:
		return errUnavailable
	case len(tabs) == 0 || g.rings >= c.policy.limits.RingsPerGhost || len(c.runners) >= c.policy.limits.Calls:
		return errBusy
	}
	key := callKey{g.address.String(), st.From.Bare().String(), j.SID}
	r := c.newRunner(key, "in", st.To, st.From)
	var outputs []call.Output
	r.machine, outputs = call.NewDirect(c.callConfig(), call.PeerRequest{From: st.From, To: st.To, ID: st.ID, Jingle: j})
	c.ring(r, g, tabs, outputs)
	return nil
}

func (c *Component) ring(r *runner, g *ghost, tabs []*tab, outputs []call.Output) {
	c.ringing[r] = g
	g.rings++
	if !c.start(r, tabs, outputs) {
		c.stopRinging(r)
	}
}
