package component

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
)

// callConfig is what every machine of this component shares.
func (c *Component) callConfig() call.Config {
	return call.Config{
		Durations: call.Durations{Grace: c.cfg.Grace, Ring: c.cfg.Ringing},
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
	if err := c.mayDial(t, to); err != nil {
		c.noteRefusal("out", t.address, to, t.ip, err)
		return nil, err
	}
	if r := t.callFrom(to); r != nil {
		if err := c.mayMint(t.ip); err != nil {
			c.noteRefusal("out", t.address, to, t.ip, err)
			return nil, err
		}
		t.waiting[r] = id
		r.post(call.BrowserCross{Tab: t.address}) // a call that has just ended answers, too
		return gateway.Later, nil
	}
	local := to.Domain().Equal(c.cfg.Domain)
	a, err := c.admitDial(t, to, local)
	if err != nil {
		c.noteRefusal("out", t.address, to, t.ip, err)
		return nil, err
	}
	if err := c.placeCall(t, to, local, a, id); err != nil {
		a.release(time.Now(), "")
		return nil, err
	}
	return gateway.Later, nil
}

// mayDial counts a page's wish to call somebody, and says why not if it may not.  c.mu is held.
func (c *Component) mayDial(t *tab, to jid.JID) error {
	if err := c.policy.permits(to); err != nil {
		return err
	}
	now, from, limits := time.Now(), addressGroup(t.ip), c.policy.limits
	const often = "you have called too often just now; wait a minute"
	if !c.policy.allow(now, dialAnybody, from, limits.DialsPerIP) {
		return refuseBy("limits.dials_per_ip", gateway.RateLimited, often)
	}
	if !c.policy.allow(now, dialCallee, from+" "+to.Bare().String(), limits.DialsPerCallee) {
		return refuseBy("limits.dials_per_callee", gateway.RateLimited, often)
	}
	return nil
}

// admitDial lets the call be prepared that mayDial allows.  c.mu is held.
func (c *Component) admitDial(t *tab, to jid.JID, local bool) (*admission, error) {
	now := time.Now()
	if !local && !c.up {
		return nil, gateway.Errorf(gateway.LinkDown, "the XMPP server is not connected just now; try again in a moment")
	}
	a, err := c.policy.admit(now, t.address, to, t.ip)
	if err == nil {
		err = c.mayMint(t.ip)
	}
	if err != nil {
		a.release(now, "")
		return nil, err
	}
	return a, nil
}

// callFrom returns the call in which a page of that address dials, or rings, this one, and which no page here has taken.  c.mu is held.
func (t *tab) callFrom(caller jid.JID) *runner {
	for _, r := range t.calls {
		taken := func(other *tab) bool { return other.engaged[r] || other.waiting[r] != "" }
		if r.key == (callKey{}) && r.ours.Equal(caller.Bare()) && !slices.ContainsFunc(slices.Collect(maps.Values(t.ghost.tabs)), taken) {
			return r
		}
	}
	return nil
}

// placeCall starts the call that dial admitted.  Its Admitted event answers the request.
func (c *Component) placeCall(t *tab, to jid.JID, local bool, a *admission, id gateway.ID) error {
	var r *runner
	var opening call.Opening
	tabs := []*tab{t}
	if local {
		callees := c.ringable(c.ghostOf(to), to, nil)
		if len(callees) == 0 {
			return gateway.Errorf(gateway.NotNow, "nobody can be reached at that address now, or it does not exist")
		}
		r = c.newRunner(callKey{}, "local", t.address, to)
		opening = call.Opening{Kind: call.KindLocal, Tab: t.address, Peer: to.Bare(), Tabs: addresses(callees)}
		tabs = append(tabs, callees...)
	} else {
		sid := uuid.NewString()
		r = c.newRunner(callKey{t.ghost.address.String(), to.Bare().String(), sid}, "out", t.address, to)
		opening = call.Opening{Kind: call.KindOutgoing, SID: sid, Tab: t.address, Peer: to, Known: t.ghost.devicesOf(to)}
		c.show(t, to)
	}
	r.admission, r.dialled, r.name = a, to.String(), t.ghost.nick
	t.waiting[r] = id
	if !c.start(r, tabs, r.begin(opening)) {
		delete(t.waiting, r)
		return gateway.Errorf(gateway.LinkDown, "the call service is being restarted")
	}
	return nil
}

// devicesOf lists what the ghost knows of somebody's devices.
func (g *ghost) devicesOf(who jid.JID) []call.Resource {
	var list []call.Resource
	for _, d := range g.devices {
		if d.JID.Bare().Equal(who.Bare()) {
			list = append(list, d.Resource)
		}
	}
	return list
}

// ringable lists the tabs that a call to that address can ring: the connected ones that are in no call, or in none but the one that gives way; without
// any of these the connected ones in one call, whose person may leave that for this one; or else those that lost their socket, which hear of the
// call when they are back.
func (c *Component) ringable(g *ghost, to jid.JID, yielding *runner) []*tab {
	if g == nil {
		return nil
	}
	var connected, waiting, lost []*tab
	for _, t := range g.tabs {
		switch {
		case to.Resourcepart() != "" && !to.Equal(t.address):
		case len(t.engaged) > 1:
		case len(t.engaged) == 1 && !t.engaged[yielding]:
			if t.session != nil {
				waiting = append(waiting, t)
			}
		case t.session != nil:
			connected = append(connected, t)
		default:
			lost = append(lost, t)
		}
	}
	switch {
	case len(connected) > 0:
		return connected
	case len(waiting) > 0:
		return waiting
	default:
		return lost
	}
}

func addresses(tabs []*tab) []jid.JID {
	list := make([]jid.JID, len(tabs))
	for i, t := range tabs {
		list[i] = t.address
	}
	return list
}

// propose rings the pages of a ghost for an XMPP user.  What cannot ring is rejected at once: Dino and Movim would call for ever.  c.mu is held.
func (c *Component) propose(st stream.Stanza, m jingle.Message) {
	g := c.ghostOf(st.To)
	if g == nil || !c.mayPropose(g, st) {
		c.turnDown(g, st, m.ID)
		return
	}
	rival, wins := c.rivalOf(g, call.Attempt{SID: m.ID, From: st.From})
	if wins {
		c.post(initiation(st.To, st.From, randomID(), jingle.Message{
			Kind: jingle.Reject, ID: m.ID, Reason: &jingle.Reason{Condition: jingle.Expired}, TieBreak: true,
		}))
		return
	}
	tabs := c.ringable(g, st.To, rival)
	if len(tabs) == 0 || !c.mayRing(g, st) {
		c.turnDown(g, st, m.ID)
		return
	}
	if rival != nil {
		rival.post(call.TieLost{SID: m.ID})
	}
	r := c.newRunner(callKey{g.address.String(), st.From.Bare().String(), strings.Clone(m.ID)}, "in", st.To, st.From)
	r.name = nickIn(st.Element)
	proposed := call.PeerMessage{From: st.From, To: st.To, Message: m}
	c.ring(r, g, tabs, r.begin(call.Opening{Kind: call.KindIncoming, Tabs: addresses(tabs), First: proposed}))
}

// turnDown rejects a propose.  A stranger hears the same whether nothing is open at that address, its pages are in calls, or there were too many calls.
// That it exists a stranger learns only by making it ring, which is what the address is for: the ringing comes from a page's full address.
// g may be nil.  c.mu is held.
func (c *Component) turnDown(g *ghost, st stream.Stanza, id string) {
	reason := jingle.Busy
	if c.stranger(g, st.From) {
		reason = jingle.Gone
	}
	c.post(initiation(st.To, st.From, randomID(), jingle.Message{Kind: jingle.Reject, ID: id, Reason: &jingle.Reason{Condition: reason}}))
}

// stranger tells whether somebody neither sees the ghost nor is one whom guests may call.  All are strangers where there is no ghost.  c.mu is held.
func (c *Component) stranger(g *ghost, from jid.JID) bool {
	return g == nil || !g.sees(from) && !c.policy.lists(from)
}

// mayPropose counts a call of an XMPP user to a ghost.  Strangers are counted by their domain too: whose that is has as many names as it likes.  c.mu is
// held.
func (c *Component) mayPropose(g *ghost, st stream.Stanza) bool {
	var why error
	now, limits := time.Now(), c.policy.limits
	switch {
	case !c.policy.allow(now, proposeFrom, st.From.Bare().String(), limits.ProposesPerMinute):
		why = errProposes
	case c.stranger(g, st.From) && !c.policy.allow(now, proposeDomain, st.From.Domainpart(), limits.ProposesPerDomain):
		why = errDomain
	}
	c.noteRefusal("in", st.From, st.To, netip.Addr{}, why)
	return why == nil
}

// rivalOf returns the ghost's own call to somebody who calls it and has not answered, and whether that call goes before theirs.  c.mu is
// held.
func (c *Component) rivalOf(g *ghost, theirs call.Attempt) (rival *runner, wins bool) {
	for _, t := range g.tabs {
		for r := range t.engaged {
			if ours, calling := r.attempted(); calling && r.peer.Equal(theirs.From.Bare()) {
				return r, !ours.Yields(theirs)
			}
		}
	}
	return nil, false
}

// initiate takes a session-initiate that no propose announced, addressed to one page.  A nil error means that the call answers.  c.mu is held.
func (c *Component) initiate(st stream.Stanza, j jingle.Stanza) *jingle.Error {
	g := c.ghostOf(st.To)
	if st.To.Resourcepart() == "" || g == nil || g.tabs[st.To.Resourcepart()] == nil {
		return errUnavailable
	}
	rival, wins := c.rivalOf(g, call.Attempt{SID: j.SID, From: st.From, Direct: true})
	if wins {
		return jingle.ErrTieBreak
	}
	tabs := c.ringable(g, st.To, rival)
	if len(tabs) == 0 || !c.mayPropose(g, st) || !c.mayRing(g, st) {
		if c.stranger(g, st.From) {
			return errUnavailable
		}
		return errBusy
	}
	r := c.newRunner(callKey{g.address.String(), st.From.Bare().String(), strings.Clone(j.SID)}, "in", st.To, st.From)
	if rival != nil {
		rival.post(call.TieLost{SID: j.SID})
		delete(c.calls, r.key) // the rival's, where both chose one sid
	}
	request := call.PeerRequest{From: st.From, To: st.To, ID: st.ID, Jingle: j}
	if !c.ring(r, g, tabs, r.begin(call.Opening{Kind: call.KindDirect, First: request})) {
		return errBusy
	}
	return nil
}

// mayRing bounds the calls that ring a ghost at a time, and lets each caller ring it once.  c.mu is held.
func (c *Component) mayRing(g *ghost, st stream.Stanza) bool {
	var why error
	switch {
	case g.rings >= c.policy.limits.RingsPerGhost:
		why = errRings
	case len(c.runners) >= c.policy.limits.Calls:
		why = errCalls
	}
	for r, rung := range c.ringing {
		if rung == g && r.peer.Equal(st.From.Bare()) {
			why = errRingsAlready
		}
	}
	c.noteRefusal("in", st.From, st.To, netip.Addr{}, why)
	return why == nil
}

// ring starts an incoming call.  c.mu is held.
func (c *Component) ring(r *runner, g *ghost, tabs []*tab, outputs []call.Output) bool {
	c.ringing[r] = g
	g.rings++
	if !c.start(r, tabs, outputs) {
		c.stopRinging(r)
		return false
	}
	return true
}
