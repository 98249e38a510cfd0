package component

import (
	"net/netip"
	"slices"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
)

// A callKey finds a call for a stanza.  The call itself then holds the stanza against the full JIDs of its session.
type callKey struct{ ours, peer, sid string } // bare, bare

// maxDevices bounds what is remembered of one ghost's contacts.
const maxDevices = 64

// A ghost is an address with at least one page open.  Nothing of it outlives its pages.
type ghost struct {
	address  jid.JID                    // bare
	nick     string                     // what others are told that it is called
	tabs     map[string]*tab            // by resource
	contacts map[string]jid.JID         // bare: they see its presence
	asking   map[string]gateway.Contact // by bare JID: they asked to, and the person at the page has not decided
	told     map[string]jid.JID         // bare: the page told them that they can call
	devices  map[string]device          // of contacts, by full JID
	rings    int                        // calls of XMPP users that ring it
}

// A tab is one page: a full JID that places and takes calls.
type tab struct {
	address   jid.JID // full
	ghost     *ghost
	session   *session        // nil while its socket is lost
	seq       int             // number of the last frame sent
	kept      []gateway.Frame // the last of them
	keptBytes int             // about
	letters   map[int]*letter // by number of the frame: texts that wait for the socket
	lost      map[string]int  // by call: number of the last frame about it that is not kept any more
	gone      bool            // removed; it may still have calls that end
	instance  string          // the page's own word for itself, which a duplicated tab does not share
	ip        netip.Addr
	grace     *time.Timer
	audience  map[string]jid.JID     // who got its available presence
	calls     map[string]*runner     // by the id that browsers know
	engaged   map[*runner]bool       // calls that it placed or took
	waiting   map[*runner]gateway.ID // its dial or accept, which Admitted answers
}

// ghostOf returns the ghost of an address, or nil.  c.mu is held.
func (c *Component) ghostOf(a jid.JID) *ghost { return c.ghosts[a.Bare().String()] }

// tabOf returns the tab of a full address, or nil.  c.mu is held.
func (c *Component) tabOf(a jid.JID) *tab {
	if g := c.ghostOf(a); g != nil {
		return g.tabs[a.Resourcepart()]
	}
	return nil
}

// attached tells whether a page is open at that full address.
func (c *Component) attached(a jid.JID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tabOf(a) != nil
}

// send gives a frame to a tab.
func (c *Component) send(to jid.JID, f gateway.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tabOf(to); t != nil {
		t.send(f)
	}
}

// Bounds of the frames that a page can ask for again.  All of them have to fit into the queue of its socket.
const (
	maxKept      = 128
	maxKeptBytes = 512 << 10
)

// send gives the page a frame.  Sockets die before anybody notices, so the last frames are kept for a page that comes back without them.
func (t *tab) send(f gateway.Frame) {
	if f == nil {
		return
	}
	t.seq++
	f = gateway.Numbered{Frame: f, Seq: t.seq}
	t.kept = append(t.kept, f)
	t.keptBytes += sizeOf(f)
	old := 0
	for last := len(t.kept) - 1; old < last && (len(t.kept)-old > maxKept || t.keptBytes > maxKeptBytes); old++ {
		t.keptBytes -= sizeOf(t.kept[old])
		seq := t.kept[old].(gateway.Numbered).Seq
		if call := gateway.CallOf(t.kept[old]); t.calls[call] != nil {
			t.lost[call] = seq
		}
		t.dropLetter(seq, errPageFull)
	}
	t.kept = slices.Delete(t.kept, 0, old)
	if t.session != nil {
		t.session.conn.Send(f)
	}
}

// sizeOf is about how many bytes a frame takes.  Only what others write can be long.
func sizeOf(f gateway.Frame) int {
	const usual = 256
	switch f := f.(type) {
	case gateway.Numbered:
		return sizeOf(f.Frame)
	case gateway.Offer:
		return usual + len(f.SDP.SDP)
	case gateway.Answer:
		return usual + len(f.SDP.SDP)
	case gateway.Text:
		return usual + len(f.Body)
	case gateway.ICECandidate:
		return usual + len(f.Candidate)
	}
	return usual
}

// catchUp sends again what came after the frame that the page has seen.  A call that has lost some of that cannot go on: a page without an offer
// or an answer could not change it any more, and would not know.
func (t *tab) catchUp(seen int) {
	for id, last := range t.lost {
		if last > seen {
			t.calls[id].post(call.BrowserGone{Tab: t.address})
		}
	}
	if missed := t.seq - seen; missed > 0 {
		for _, f := range t.kept[max(0, len(t.kept)-missed):] {
			t.session.conn.Send(f)
		}
	}
	t.showLetters()
}

// broadcast gives a frame to every tab of the ghost.
func (g *ghost) broadcast(f gateway.Frame) {
	for _, t := range g.tabs {
		t.send(f)
	}
}

// engage marks a tab as taken by the call it placed or accepted, and answers the frame that did so.
func (c *Component) engage(at jid.JID, r *runner, admitted gateway.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tabOf(at)
	if t == nil {
		return
	}
	t.engaged[r] = true
	if id := t.waiting[r]; id != "" {
		admitted = gateway.Reply(id, admitted)
	}
	delete(t.waiting, r)
	t.send(admitted)
}

// start registers a call with the tabs that take part, and runs it.  The outputs are those of the machine's constructor.  It fails when that
// call is there already, and when the component ends.  c.mu is held.
func (c *Component) start(r *runner, tabs []*tab, outputs []call.Output) bool {
	if c.closing {
		return false
	}
	if r.key != (callKey{}) {
		if c.calls[r.key] != nil {
			return false
		}
		c.calls[r.key] = r
	}
	for _, t := range tabs {
		t.calls[r.id] = r
	}
	c.runners[r] = true
	c.log.Info("call started", "call", r.id, "direction", r.direction)
	go r.run(outputs)
	return true
}

func (c *Component) newRunner(key callKey, direction string, ours, peer jid.JID) *runner {
	return &runner{
		c: c, id: randomID(), key: key, ours: ours.Bare(), peer: peer.Bare(), direction: direction, started: time.Now(),
		inbox: make(chan item, inboxSize), closed: make(chan struct{}), timers: map[call.Timer]*timer{},
	}
}

// forget takes an ended call out of every index.
func (c *Component) forget(r *runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.runners, r)
	if c.calls[r.key] == r {
		delete(c.calls, r.key)
	}
	c.stopRinging(r)
	for _, t := range r.parting {
		c.release(t, r)
	}
	r.parting = nil
	g := c.ghosts[r.ours.String()]
	if g != nil {
		for _, t := range g.tabs {
			c.release(t, r)
		}
	}
	if p := c.ghosts[r.peer.String()]; p != nil {
		for _, t := range p.tabs {
			c.release(t, r)
		}
	}
}

// release ends a tab's part in a call; a peer who saw the tab only because of it sees it go.  c.mu is held.
func (c *Component) release(t *tab, r *runner) {
	if t.calls[r.id] != r {
		return
	}
	delete(t.calls, r.id)
	delete(t.lost, r.id)
	delete(t.engaged, r)
	if id := t.waiting[r]; id != "" {
		t.send(gateway.Reply(id, gateway.Errorf(gateway.NotNow, "the call has ended, or another window took it")))
	}
	delete(t.waiting, r)
	if to, ok := t.audience[r.peer.String()]; ok && (t.gone || !t.knows(r.peer.String())) && !t.inCallWith(r.peer) {
		c.hideTab(t, to)
	}
}

// inCallWith tells whether the tab has a call with somebody.
func (t *tab) inCallWith(peer jid.JID) bool {
	for _, r := range t.calls {
		if r.peer.Equal(peer.Bare()) {
			return true
		}
	}
	return false
}

// knows tells whether the contact is to see the tab whether or not they are in a call.
func (t *tab) knows(bare string) bool {
	_, contact := t.ghost.contacts[bare]
	_, told := t.ghost.told[bare]
	return contact || told
}

// answered says that an incoming call does not ring any more.
func (c *Component) answered(r *runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopRinging(r)
}

func (c *Component) stopRinging(r *runner) {
	if g := c.ringing[r]; g != nil {
		delete(c.ringing, r)
		g.rings--
	}
}

// tabsOf lists the tabs that take part in a call.
func (c *Component) tabsOf(r *runner) []jid.JID {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []jid.JID
	for _, bare := range []jid.JID{r.ours, r.peer} {
		if g := c.ghosts[bare.String()]; g != nil {
			for _, t := range g.tabs {
				if t.calls[r.id] == r {
					list = append(list, t.address)
				}
			}
		}
	}
	return list
}

// refuseWaiting tells a tab that its frame is not legal now, as the answer to its accept if that waits for one.
func (c *Component) refuseWaiting(at jid.JID, r *runner, refusal gateway.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tabOf(at)
	if t == nil {
		return
	}
	if id := t.waiting[r]; id != "" {
		delete(t.waiting, r)
		refusal = gateway.Reply(id, refusal)
	}
	t.send(refusal)
}

// leave ends the part of one tab in a call that may go on with another.
func (c *Component) leave(at jid.JID, r *runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tabOf(at); t != nil {
		c.release(t, r)
	}
}
