package component

import (
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/gateway"
)

// Limits bound what guests may do to the people they call and to this service.  Zero fields get the defaults.
type Limits struct {
	RingingPerCallee int           // calls of guests that ring one callee at a time (1)
	RingingPerIP     int           // unanswered calls from one IP address, IPv6 by /64 (2)
	CallsPerIP       int           // calls under way from one IP address (20)
	Calls            int           // calls in all (2000)
	RingsPerGhost    int           // calls of strangers that ring one ghost at a time (3)
	CoolDown         time.Duration // after a decline or no answer, before the same guest or IP may ring the same callee (60 s)
	DialsPerCallee   int           // of one IP address to one callee, a minute (4)
	DialsPerIP       int           // of one IP address to anybody, a minute (20)
	TellsPerMinute   int           // "you can call me" of one IP address (10)
	AttachesPerIP    int           // of one IP address, a minute (120)
	Tabs             int           // pages open in all (20,000)
	TabsPerGhost     int           // pages open on one address (16)
	ContactsPerGhost int           // contacts that see a ghost's presence (200)

	ProposesPerMinute int // calls of one XMPP user to ghosts (30)
	ProposesPerDomain int // calls of all strangers at one XMPP domain to ghosts, a minute (600)
	TextsPerMinute    int // of one IP address, and of one XMPP user to one ghost (60)
	CredentialsPerIP  int // of the relay, for calls and rooms of one IP address, an hour (240)
}

func (l Limits) withDefaults() Limits {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&l.RingingPerCallee, 1)
	def(&l.RingingPerIP, 2)
	def(&l.CallsPerIP, 20)
	def(&l.Calls, 2000)
	def(&l.RingsPerGhost, 3)
	def(&l.DialsPerCallee, 4)
	def(&l.DialsPerIP, 20)
	def(&l.TellsPerMinute, 10)
	def(&l.AttachesPerIP, 120)
	def(&l.Tabs, 20_000)
	def(&l.TabsPerGhost, 16)
	def(&l.ContactsPerGhost, 200)
	def(&l.ProposesPerMinute, 30)
	def(&l.ProposesPerDomain, 600)
	def(&l.TextsPerMinute, 60)
	def(&l.CredentialsPerIP, 240)
	if l.CoolDown == 0 {
		l.CoolDown = time.Minute
	}
	return l
}

// policy decides whom guests may call, and how often.  It is the only place that does.
type policy struct {
	mayCall []jid.JID // bare JIDs, or domains
	limits  Limits

	mu       sync.Mutex
	ringing  map[string]int // by callee and by IP, see admission
	calls    map[string]int // by IP
	total    int
	cooling  map[[2]string]time.Time // guest or IP, and callee
	counts   [eventKinds]counts
	lastPass time.Time // when outdated entries were last swept
}

func newPolicy(mayCall []jid.JID, limits Limits) *policy {
	p := &policy{
		mayCall: mayCall,
		limits:  limits.withDefaults(),
		ringing: map[string]int{},
		calls:   map[string]int{},
		cooling: map[[2]string]time.Time{},
	}
	for kind := range p.counts {
		p.counts[kind].period = time.Minute
	}
	p.counts[mintFor].period = time.Hour
	return p
}

// lists tells whether an address is among those that guests may call.
func (p *policy) lists(a jid.JID) bool {
	return slices.ContainsFunc(p.mayCall, func(allowed jid.JID) bool { return allowed.Equal(a.Bare()) || allowed.Equal(a.Domain()) })
}

// permits says whether guests may call, and may show their presence to, that address.
func (p *policy) permits(to jid.JID) error {
	if p.lists(to) {
		return nil
	}
	description := "this service does not let its guests call " + to.Bare().String() + "; its operator decides that with guests.may_call"
	if len(p.mayCall) == 0 {
		description = "this service does not let its guests call anybody yet; its operator lists the addresses or domains in guests.may_call"
	}
	return refuseBy("guests.may_call", gateway.NotAllowed, "%s", description)
}

// addressGroup names what counts as one place on the network.
func addressGroup(a netip.Addr) string { return gateway.Network(a).String() }

// An admission is the place that an admitted call takes up until it is released.
type admission struct {
	p             *policy
	guest, callee string
	ip            string
	unanswered    bool      // counts as ringing for its IP
	rings         bool      // counts as ringing for its callee
	since         time.Time // when it began to ring
	released      bool
}

// longRing is how long a call rings before giving it up counts as not answered: or somebody could let a phone ring for ever.
const longRing = 15 * time.Second

// admit lets a guest's call to callee be prepared, or says why not.
func (p *policy) admit(now time.Time, guest, callee jid.JID, from netip.Addr) (*admission, error) {
	a := &admission{p: p, guest: guest.Bare().String(), callee: callee.Bare().String(), ip: addressGroup(from), unanswered: true}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep(now)
	if until := p.coolUntil(a); now.Before(until) {
		return nil, refuseBy("limits.cool_down", gateway.CoolDown, "that call was not answered just now; try again in %s", until.Sub(now).Round(time.Second))
	}
	switch {
	case p.total >= p.limits.Calls:
		return nil, refuseBy("limits.calls", gateway.TooMany, "this service carries as many calls as it may; try again later")
	case p.calls[a.ip] >= p.limits.CallsPerIP:
		return nil, refuseBy("limits.calls_per_ip", gateway.TooMany, "there are too many calls from your network address")
	case p.ringing["ip "+a.ip] >= p.limits.RingingPerIP:
		return nil, refuseBy("limits.ringing_per_ip", gateway.TooMany, "other calls from your network address are still ringing")
	case p.ringing["to "+a.callee] >= p.limits.RingingPerCallee:
		return nil, errRinging
	}
	p.total++
	p.calls[a.ip]++
	p.ringing["ip "+a.ip]++
	return a, nil
}

var errRinging = refuseBy("limits.ringing_per_callee", gateway.TooMany, "somebody else is ringing there just now; try again in a minute")

// ring takes the callee's place for a ringing call, which a call that is only being prepared does not take from others.
func (a *admission) ring(now time.Time) error {
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	if !a.unanswered || a.rings {
		return nil
	}
	if a.p.ringing["to "+a.callee] >= a.p.limits.RingingPerCallee {
		return errRinging
	}
	a.p.ringing["to "+a.callee]++
	a.rings, a.since = true, now
	return nil
}

// coolUntil is when the guest, and everybody at its network address, may ring the callee again.
func (p *policy) coolUntil(a *admission) time.Time {
	byGuest, byIP := p.cooling[[2]string{a.guest, a.callee}], p.cooling[[2]string{a.ip, a.callee}]
	if byGuest.After(byIP) {
		return byGuest
	}
	return byIP
}

// answered says that the call does not ring any more.
func (a *admission) answered() {
	if a == nil {
		return
	}
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	a.stopRinging()
}

func (a *admission) stopRinging() {
	if a.unanswered {
		a.unanswered = false
		decrement(a.p.ringing, "ip "+a.ip)
	}
	if a.rings {
		a.rings = false
		decrement(a.p.ringing, "to "+a.callee)
	}
}

// release ends the call's admission.  An attempt that was declined or not answered cools down.
func (a *admission) release(now time.Time, outcome call.Outcome) {
	if a == nil {
		return
	}
	a.p.mu.Lock()
	defer a.p.mu.Unlock()
	if a.released {
		return
	}
	a.released = true
	unanswered := outcome == call.PeerDeclined || outcome == call.NoAnswer || outcome == call.NoMedia ||
		a.rings && now.Sub(a.since) >= longRing
	a.stopRinging()
	a.p.total--
	decrement(a.p.calls, a.ip)
	if unanswered {
		until := now.Add(a.p.limits.CoolDown)
		a.p.cooling[[2]string{a.guest, a.callee}] = until
		a.p.cooling[[2]string{a.ip, a.callee}] = until
	}
}

// allow counts an event and tells whether fewer than max of that kind and name happened in the running minute, or hour.
func (p *policy) allow(now time.Time, kind eventKind, name string, max int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep(now)
	return p.counts[kind].allow(now, name, max)
}

// sweep forgets, twice a minute, what has run out.
func (p *policy) sweep(now time.Time) {
	if now.Sub(p.lastPass) < 30*time.Second {
		return
	}
	p.lastPass = now
	maps.DeleteFunc(p.cooling, func(_ [2]string, until time.Time) bool { return now.After(until) })
	for kind := range p.counts {
		p.counts[kind].age(now)
	}
}

func decrement(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}
