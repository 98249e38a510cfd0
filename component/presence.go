package component

import (
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

// show lets somebody see a tab, as everybody must who is to call it or be called by it: without presence and its capabilities many
// clients have no call button, and some refuse the call.  c.mu is held.
func (c *Component) show(t *tab, to jid.JID) {
	to = to.Bare()
	if _, seen := t.audience[to.String()]; seen || len(t.audience) >= c.policy.limits.ContactsPerGhost {
		return
	}
	t.audience[to.String()] = to
	c.announce(t.available(to))
}

// genuine returns the contacts, bare, whose tickets are good at that address.  Whoever made an address may bring hundreds of made-up ones, and to read their addresses takes
// much longer than to see that, so the ticket is held against the address as it was handed out.
func (c *Component) genuine(address jid.JID, tickets []gateway.Ticket) []jid.JID {
	var contacts []jid.JID
	for _, ticket := range tickets {
		if !equalMAC(ticket.Ticket, ticketFor(c.key, address, ticket.Address)) {
			continue
		}
		if contact, err := jid.Parse(ticket.Address); err == nil {
			contacts = append(contacts, contact)
		}
	}
	return contacts
}

// admitContacts takes up the contacts that a page brings, whose tickets are good: they see its presence.  c.mu is held.
func (c *Component) admitContacts(t *tab, contacts []jid.JID) {
	g := t.ghost
	for _, contact := range contacts {
		if _, known := g.contacts[contact.String()]; known || len(g.contacts) >= c.policy.limits.ContactsPerGhost {
			continue
		}
		g.contacts[contact.String()] = contact
		c.announce(announcement{kind: "probe", from: g.address, to: contact})
	}
	for _, contact := range g.contacts {
		c.show(t, contact)
	}
	for _, asks := range g.asking {
		t.send(asks)
	}
}

// tell shows the tab to somebody who has not asked, and asks to be added: "you can call me".  The presence lets clients show their call button, the
// request is what the person sees.  c.mu is held.
func (c *Component) tell(t *tab, address string) (gateway.Frame, error) {
	to, err := parseContact(address)
	if err != nil {
		return nil, err
	}
	if err := c.policy.permits(to); err != nil {
		return nil, err
	}
	if !c.up {
		return nil, gateway.Errorf(gateway.LinkDown, "the XMPP server is not connected just now; try again in a moment")
	}
	if !c.policy.allow(time.Now(), tellFrom, addressGroup(t.ip), c.policy.limits.TellsPerMinute) {
		return nil, gateway.Errorf(gateway.RateLimited, "you have told many contacts just now; wait a minute")
	}
	to = to.Bare()
	if len(t.ghost.told) >= c.policy.limits.ContactsPerGhost {
		return nil, gateway.Errorf(gateway.TooMany, "you have told as many contacts as one address may")
	}
	if !t.knows(to.String()) {
		c.announce(t.ghost.askToAdd(to))
	}
	t.ghost.told[to.String()] = to
	delete(t.audience, to.String()) // telling again repeats the presence
	c.show(t, to)
	return gateway.Told{To: to.String()}, nil
}

// approve lets a contact that asked see the ghost from now on.  c.mu is held.
func (c *Component) approve(t *tab, address string) (gateway.Frame, error) {
	contact, err := parseContact(address)
	if err != nil {
		return nil, err
	}
	contact = contact.Bare()
	if _, asks := t.ghost.asking[contact.String()]; !asks {
		return nil, gateway.Errorf(gateway.NotNow, "this contact has not asked to see you")
	}
	if len(t.ghost.contacts) >= c.policy.limits.ContactsPerGhost {
		return nil, gateway.Errorf(gateway.TooMany, "you have as many contacts as one address may")
	}
	return c.befriend(t.ghost, contact), nil
}

// befriend answers a subscription and asks for one in return (RFC 6121 section 3), and hands the pages the ticket.  c.mu is held.
func (c *Component) befriend(g *ghost, contact jid.JID) gateway.Contact {
	name := g.asking[contact.String()].Name
	delete(g.asking, contact.String())
	g.contacts[contact.String()] = contact
	c.announce(announcement{kind: "subscribed", from: g.address, to: contact})
	c.announce(g.askToAdd(contact))
	for _, t := range g.tabs {
		delete(t.audience, contact.String())
		c.show(t, contact)
	}
	approved := gateway.Contact{Address: contact.String(), Name: name, State: gateway.ContactApproved, Ticket: contactTicket(c.key, g.address, contact)}
	g.broadcast(approved)
	return approved
}

// askToAdd is a ghost's request for a contact's presence, under the name that it claims (XEP-0172 section 4.1).
func (g *ghost) askToAdd(contact jid.JID) announcement {
	return announcement{kind: "subscribe", from: g.address, to: contact, nick: g.nick}
}

// available is the presence with which clients show their call buttons.
func (t *tab) available(to jid.JID) announcement {
	return announcement{from: t.address, to: to, nick: t.ghost.nick}
}

// refuseContact turns down a contact that asked.  c.mu is held.
func (c *Component) refuseContact(t *tab, address string) (gateway.Frame, error) {
	contact, err := parseContact(address)
	if err != nil {
		return nil, err
	}
	contact = contact.Bare()
	if _, asks := t.ghost.asking[contact.String()]; asks {
		delete(t.ghost.asking, contact.String())
		c.announce(announcement{kind: "unsubscribed", from: t.ghost.address, to: contact})
	}
	return gateway.Contact{Address: contact.String(), State: gateway.ContactRefused}, nil
}

// forgetContact takes presence away from a contact.  c.mu is held.
func (c *Component) forgetContact(t *tab, address string) (gateway.Frame, error) {
	contact, err := parseContact(address)
	if err != nil {
		return nil, err
	}
	contact = contact.Bare()
	c.hide(t.ghost, contact, true)
	return gateway.Contact{Address: contact.String(), State: gateway.ContactRemoved}, nil
}

// sees tells whether a contact may see the ghost, or does.
func (g *ghost) sees(contact jid.JID) bool {
	key := contact.Bare().String()
	for _, t := range g.tabs {
		if _, audience := t.audience[key]; audience || t.knows(key) {
			return true
		}
	}
	return false
}

// hide ends what lets a contact see the ghost.  Only who could see it is told anything.  c.mu is held.
func (c *Component) hide(g *ghost, contact jid.JID, answer bool) {
	key := contact.String()
	_, known := g.contacts[key]
	_, told := g.told[key]
	if known && answer {
		c.announce(announcement{kind: "unsubscribed", from: g.address, to: contact})
	}
	if (known || told) && answer {
		c.announce(announcement{kind: "unsubscribe", from: g.address, to: contact})
	}
	delete(g.contacts, key)
	delete(g.told, key)
	delete(g.asking, key)
	for _, t := range g.tabs {
		if _, seen := t.audience[key]; seen && !t.inCallWith(contact) {
			c.hideTab(t, contact)
		}
	}
}

// presence takes what contacts say of themselves and ask of ghosts (RFC 6121 sections 3 and 4).
func (c *Component) presence(st stream.Stanza) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st.To.Localpart() == "" {
		return
	}
	switch g := c.ghostOf(st.To); st.Type {
	case "":
		c.peerAvailable(g, st)
	case "unavailable":
		c.peerUnavailable(g, st)
	case "probe":
		c.probe(g, st)
	case "subscribe":
		c.subscribe(g, st)
	case "unsubscribe":
		c.unsubscribe(g, st)
	}
}

func pair(st stream.Stanza) string { return st.From.Bare().String() + " " + st.To.Bare().String() }

// subscribe brings a contact's wish before the person at the page, who may have invited it.  With no page open it stays
// unanswered, and the contact's server asks again.
func (c *Component) subscribe(g *ghost, st stream.Stanza) {
	contact := st.From.Bare()
	if g == nil || !c.policy.allow(time.Now(), subscription, pair(st), 1) {
		return
	}
	_, told := g.told[contact.String()]
	_, known := g.contacts[contact.String()]
	switch {
	case (told || known) && len(g.contacts) < c.policy.limits.ContactsPerGhost:
		c.befriend(g, contact)
	case len(g.asking) < c.policy.limits.ContactsPerGhost:
		asks := gateway.Contact{Address: contact.String(), Name: nickIn(st.Element), State: gateway.ContactAsks}
		g.asking[contact.String()] = asks
		g.broadcast(asks)
	}
}

// unsubscribe takes a contact away that wants to go.  That it is gone is always heard; answered is at most once a minute.
func (c *Component) unsubscribe(g *ghost, st stream.Stanza) {
	contact := st.From.Bare()
	if g == nil || !g.sees(contact) {
		return
	}
	c.hide(g, contact, c.policy.allow(time.Now(), subscription, pair(st), 1))
	g.broadcast(gateway.Contact{Address: contact.String(), State: gateway.ContactRemoved})
}

// probesPerMinute bounds how often one XMPP user is told that it sees nobody.  Servers ask for a user's whole roster at once, and take silence for the same.
const probesPerMinute = 60

// probe answers a server that asks on behalf of a contact.  Whoever may not see the ghost hears what everybody hears of an address with
// no page open, so that nobody learns whether it exists.
func (c *Component) probe(g *ghost, st stream.Stanza) {
	contact := st.From.Bare()
	shown := false
	if g != nil {
		for _, t := range g.tabs {
			if _, sees := t.audience[contact.String()]; sees {
				c.announce(t.available(st.From))
				shown = true
			}
		}
	}
	if !shown && c.policy.allow(time.Now(), probeFrom, contact.String(), probesPerMinute) {
		c.post(newStanza("presence", "unavailable", st.To.Bare(), st.From, ""))
	}
}

// A device is one of a contact's clients that has shown itself to a ghost.
type device struct {
	call.Resource
	caps string // the verification string that its features are of
}

// peerAvailable remembers a device of a contact's, and asks what it can do: a call to a device without XEP-0353 goes straight to it.  Strangers are
// asked nothing, since by that they would learn that the address exists.
func (c *Component) peerAvailable(g *ghost, st stream.Stanza) {
	from := st.From
	if g == nil || from.Resourcepart() == "" || !g.sees(from) {
		return
	}
	d, known := g.devices[from.String()]
	if !known && len(g.devices) >= maxDevices {
		return
	}
	caps, node := "", ""
	if c := st.Element.Child(nsCaps, "c"); c != nil {
		caps, node = discoWord(c.Attr("ver")), discoWord(c.Attr("node"))
	}
	fresh := d.Disco.Features != nil && d.caps == caps
	d.JID, d.Priority, d.caps = from, priorityOf(st.Element), caps
	g.devices[from.String()] = d
	if fresh || !c.policy.allow(time.Now(), discoOf, pair(st), 20) {
		return
	}
	iq := newStanza("iq", "get", g.anyTab().address, from, "")
	c.link.Request(iq, element.New(nsDiscoInfo, "query"), pingTimeout, func(reply *element.Element, err error) {
		if err != nil || reply.Attr("type") == "error" {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if d, ok := g.devices[from.String()]; ok && d.caps == caps {
			d.Disco = discoIn(reply, node)
			g.devices[from.String()] = d
		}
	})
}

// discoOf returns what a device of a contact's said of itself, if the ghost has asked it.
func (c *Component) discoOf(ours, device jid.JID) (jingle.Disco, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.ghostOf(ours)
	if g == nil {
		return jingle.Disco{}, false
	}
	d := g.devices[device.String()].Disco
	return d, d.Features != nil
}

// anyTab returns one of the ghost's pages, of which there is always one.
func (g *ghost) anyTab() *tab {
	for _, t := range g.tabs {
		return t
	}
	return nil
}

// peerUnavailable tells the calls with that device.
func (c *Component) peerUnavailable(g *ghost, st stream.Stanza) {
	if g == nil {
		return
	}
	delete(g.devices, st.From.String())
	for r := range c.runners {
		if r.ours.Equal(g.address) && r.peer.Equal(st.From.Bare()) {
			r.post(call.PeerUnavailable{From: st.From})
		}
	}
}

func priorityOf(presence *element.Element) int8 {
	for _, p := range presence.Children {
		if p.Local == "priority" {
			return parsePriority(p.Text)
		}
	}
	return 0
}
