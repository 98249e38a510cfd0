package component

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
)

// pingInterval is how often a page pings, in seconds: proxies cut sockets that are idle for a minute.
const pingInterval = 20

// A session is one browser socket: nobody until it has attached, a tab after that; in a room it may be before and after.  Its methods are called by the gateway, one at a time.
type session struct {
	c     *Component
	conn  gateway.Conn
	nonce string
	bad   int  // attaches whose signature was wrong
	tab   *tab // nil before attach; guarded by c.mu
	in    membership
}

// Open greets a new socket with the nonce that its attach has to sign.  It implements gateway.Hub.
func (c *Component) Open(conn gateway.Conn) gateway.Session {
	nonce := make([]byte, 16)
	rand.Read(nonce)
	s := &session{c: c, conn: conn, nonce: base64.RawURLEncoding.EncodeToString(nonce)}
	conn.Send(gateway.Hello{Nonce: s.nonce, Domain: c.cfg.Domain.String(), Protocol: gateway.Protocol, PingInterval: pingInterval})
	return s
}

// Handle carries out one frame.
func (s *session) Handle(req gateway.Request) (gateway.Frame, error) {
	switch e := req.Event.(type) {
	case gateway.Attach:
		return s.attach(e, req.ID)
	case gateway.JoinRoom, gateway.LeaveRoom, gateway.UpdateStatus, *gateway.SendToPeer:
		return s.inRoom(req)
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.tab == nil || s.tab.session != s {
		return nil, gateway.Errorf(gateway.NotAttached, "attach comes before everything else")
	}
	switch r := req.Event.(type) {
	case gateway.Dial:
		return s.c.dial(s.tab, r.To, req.ID)
	case gateway.Tell:
		return s.c.tell(s.tab, r.To)
	case gateway.Approve:
		return s.c.approve(s.tab, r.Address)
	case gateway.Refuse:
		return s.c.refuseContact(s.tab, r.Address)
	case gateway.Forget:
		return s.c.forgetContact(s.tab, r.Address)
	case gateway.Text:
		return s.c.write(s.tab, r)
	}
	return s.toCall(req)
}

var errUnknownCall = gateway.Errorf(gateway.UnknownCall, "this page has no such call, or it has ended")

// toCall hands the frames of a call to it.  c.mu is held.
func (s *session) toCall(req gateway.Request) (gateway.Frame, error) {
	at := s.tab.address
	var id string
	var in call.Input
	switch r := req.Event.(type) {
	case gateway.Offer:
		id, in = r.Call, call.BrowserOffer{Tab: at, SDP: r.SDP.SDP}
	case gateway.Answer:
		id, in = r.Call, call.BrowserAnswer{Tab: at, SDP: r.SDP.SDP}
	case gateway.ICECandidate:
		id, in = r.Call, call.BrowserCandidate{Tab: at, Candidate: r.Candidate, Mid: r.Mid, Line: r.Line, Ufrag: r.Ufrag}
	case gateway.Accept:
		id, in = r.Call, call.BrowserAccept{Tab: at}
	case gateway.Decline:
		id, in = r.Call, call.BrowserDecline{Tab: at}
	case gateway.HangUp:
		id, in = r.Call, call.BrowserHangUp{Tab: at}
	case gateway.Media:
		id, in = r.Call, call.BrowserMedia{Tab: at, State: r.State}
	case gateway.SessionInfo:
		id, in = r.Call, call.BrowserInfo{Tab: at, Info: r.Info, Mid: r.Mid}
	default:
		return nil, gateway.Errorf(gateway.UnknownEvent, "this event has no meaning here")
	}
	r := s.tab.calls[id]
	if r == nil {
		return nil, errUnknownCall
	}
	if _, ok := in.(call.BrowserOffer); ok && r.admission != nil && at.Bare().Equal(r.ours) {
		// From its offer on the call rings, and takes the callee's place for that.
		if err := r.admission.ring(time.Now()); err != nil {
			s.c.noteRefusal("out", at, r.peer, s.tab.ip, err)
			r.post(call.BrowserHangUp{Tab: at})
			return nil, err
		}
	}
	if _, ok := in.(call.BrowserAccept); ok {
		if err := s.c.mayMint(s.tab.ip); err != nil {
			s.c.noteRefusal("in", r.peer, at, s.tab.ip, err)
			return nil, err
		}
	}
	if !r.post(in) {
		return nil, errUnknownCall
	}
	if _, ok := in.(call.BrowserAccept); ok && req.ID != "" && s.tab.waiting[r] == "" {
		s.tab.waiting[r] = req.ID
		return gateway.Later, nil
	}
	return nil, nil
}

// Closed ends the socket's part: a page that said goodbye is gone, another one may come back within the grace period.
func (s *session) Closed(clean bool) {
	s.leaveRoom()
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	t := s.tab
	if t == nil || t.session != s {
		return
	}
	t.session = nil
	if clean || s.c.closing {
		s.c.remove(t)
		return
	}
	for _, r := range t.calls {
		r.post(call.BrowserLost{Tab: t.address})
	}
	t.grace = time.AfterFunc(s.c.cfg.Grace, func() {
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		if t.session == nil && s.c.tabOf(t.address) == t {
			s.c.remove(t)
		}
	})
}

// attach proves an address and makes the socket a tab of it.  What the tab has missed, and who asks to see it, follows the result.
func (s *session) attach(a gateway.Attach, id gateway.ID) (gateway.Frame, error) {
	c := s.c
	// Before anything else is done for it: checking a signature takes longer than all else that a socket can ask for.
	if s.bad >= maxBadSignatures || !c.policy.allow(time.Now(), attachFrom, addressGroup(s.conn.Remote()), c.policy.limits.AttachesPerIP) {
		return nil, gateway.Errorf(gateway.RateLimited, "too many pages were opened from your network address just now; wait a minute")
	}
	address, name, err := c.authenticate(a, s.nonce, s.conn.Origin())
	if err != nil {
		s.blame(err)
		return nil, err
	}
	contacts := c.genuine(address, a.Contacts)
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.tab != nil {
		return nil, gateway.Errorf(gateway.AlreadyAttached, "one socket is one page at one address")
	}
	if c.closing {
		return nil, gateway.Errorf(gateway.LinkDown, "the call service is being restarted")
	}
	t, resumed, missed, err := c.place(address, a, s.conn.Remote())
	if err != nil {
		return nil, err
	}
	s.tab, t.session = t, s
	s.conn.Send(gateway.Reply(id, gateway.Attached{
		Address: t.address.String(),
		Bare:    address.String(),
		Name:    name,
		Resumed: resumed,
		Resume:  resumeToken(c.key, t.address),
		Grace:   int(c.cfg.Grace.Seconds()),
		MayCall: len(c.policy.mayCall) > 0,
		Echo:    c.cfg.Echo,
		Link:    c.up,
	}))
	if resumed {
		t.catchUp(a.Seen)
	}
	for _, f := range missed {
		t.send(f)
	}
	c.admitContacts(t, contacts)
	return gateway.Later, nil
}

// maxBadSignatures is how many a socket may send before it is closed: no page sends a second one.
const maxBadSignatures = 3

// blame counts a failed attach if it was forged.
func (s *session) blame(failure error) {
	var e *gateway.Error
	if !errors.As(failure, &e) || e.Code != gateway.BadSignature {
		return
	}
	if s.bad++; s.bad == maxBadSignatures {
		s.conn.Close(gateway.ClosePolicy, "too many bad signatures")
	}
}

// place finds or makes the tab that an attach is for.  Missed is the end of the calls that the page had before it was loaded anew, and the texts
// that waited for it.  c.mu is held.
func (c *Component) place(address jid.JID, a gateway.Attach, from netip.Addr) (t *tab, resumed bool, missed []gateway.Frame, err error) {
	g := c.ghostOf(address)
	if g == nil {
		g = &ghost{
			address: address, tabs: map[string]*tab{}, contacts: map[string]jid.JID{}, asking: map[string]gateway.Contact{},
			told: map[string]jid.JID{}, devices: map[string]device{},
		}
	}
	g.nick = guestNick(a.Name)
	resource := resumedResource(c.key, address, a.Resume)
	if old := g.tabs[resource]; old != nil {
		switch {
		case old.instance == a.Instance: // the same page, on a new socket
			c.takeBack(old, from)
			return old, true, nil, nil
		case old.session == nil: // the page was loaded anew: its peer connections are gone
			missed = append(old.broken(), old.takeLetters()...)
			c.remove(old)
			if c.ghostOf(address) == nil {
				g.tabs = map[string]*tab{}
			}
		default: // a duplicated page
			resource = ""
		}
	}
	if c.tabs >= c.policy.limits.Tabs {
		return nil, false, nil, gateway.Errorf(gateway.TooMany, "this service has as many pages open as it may; try again later")
	}
	if len(g.tabs) >= c.policy.limits.TabsPerGhost {
		return nil, false, nil, gateway.Errorf(gateway.TooMany, "this address is open in too many windows; close some")
	}
	if resource == "" {
		resource = randomID()[:8]
	}
	full, err := address.WithResource(resource)
	if err != nil {
		return nil, false, nil, err
	}
	t = &tab{
		address: full, ghost: g, instance: a.Instance, ip: from, audience: map[string]jid.JID{},
		letters: map[int]*letter{}, lost: map[string]int{}, calls: map[string]*runner{}, engaged: map[*runner]bool{}, waiting: map[*runner]gateway.ID{},
	}
	g.tabs[resource] = t
	c.tabs++
	c.ghosts[address.String()] = g
	return t, false, missed, nil
}

// broken lists the calls that a page was in when it was loaded anew: its keys are gone, and a peer that was told new ones inside a
// session would have to be called again anyway.  c.mu is held.
func (t *tab) broken() []gateway.Frame {
	var over []gateway.Frame
	for r := range t.engaged {
		ended := gateway.FrameOf(r.id, call.Finished{Outcome: call.PageLost}).(gateway.Ended)
		ended.To = r.peer.String()
		if r.peer.Equal(t.ghost.address) { // between two pages, and this one was called
			ended.To = r.ours.String()
		}
		over = append(over, ended)
	}
	return over
}

// takeBack gives a tab whose page lives the socket that it came back on.  c.mu is held.
func (c *Component) takeBack(t *tab, from netip.Addr) {
	if t.grace != nil {
		t.grace.Stop()
	}
	if t.session != nil {
		t.session.conn.Close(gateway.CloseReplaced, "this page connected anew")
	}
	t.ip = from
	for _, r := range t.calls {
		r.post(call.BrowserBack{Tab: t.address})
	}
}

// remove ends a tab: its calls, its presence, and the ghost with its last tab.  Who is in a call with it sees it go when the call has said its last
// words: see part.  c.mu is held.
func (c *Component) remove(t *tab) {
	if t.grace != nil {
		t.grace.Stop()
	}
	delete(t.ghost.tabs, t.address.Resourcepart())
	c.tabs--
	if len(t.ghost.tabs) == 0 {
		delete(c.ghosts, t.ghost.address.String())
	}
	t.gone = true
	t.dropLetters()
	for _, r := range t.calls {
		r.parting = append(r.parting, t)
		r.post(call.BrowserGone{Tab: t.address})
	}
	for _, to := range t.audience {
		if !t.inCallWith(to) {
			c.hideTab(t, to)
		}
	}
}

// part shows the peer of a call that a page is gone which was closed in it: only now, because clients that see it gone while they are in a
// call with it say so, and not why the call ended.
func (c *Component) part(r *runner, from jid.JID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.parting = slices.DeleteFunc(r.parting, func(t *tab) bool {
		if !t.address.Equal(from) {
			return false
		}
		c.release(t, r)
		return true
	})
}

// hideTab shows somebody that a tab is gone, unless the page was loaded anew and has shown itself under the same address.  c.mu is held.
func (c *Component) hideTab(t *tab, from jid.JID) {
	key := from.String()
	delete(t.audience, key)
	if now := c.tabOf(t.address); now != nil && now != t {
		if _, shown := now.audience[key]; shown {
			return
		}
	}
	c.announce(announcement{kind: "unavailable", from: t.address, to: from})
}
