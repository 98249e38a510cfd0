package component

import (
	"net/netip"
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
	TellsPerMinute   int           // "you can call me" of one IP address (10)
	TabsPerGhost     int           // pages open on one address (16)
	ContactsPerGhost int           // contacts that see a ghost's presence (200)
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
	def(&l.TellsPerMinute, 10)
	def(&l.TabsPerGhost, 16)
	def(&l.ContactsPerGhost, 200)
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
	ringing  map[string]int // by callee and by IP, see callee and ip
	calls    map[string]int // by IP
	total    int
	cooling  map[[2]string]time.Time // guest or IP, and callee
	counted  map[string]window       // events per minute, by name
	lastPass time.Time               // when outdated entries were last swept
}

// maxCounted bounds the events that are counted at a time, whose names strangers make up.
const maxCounted = 100_000

// window counts events of one minute.
type window struct {
	until time.Time
	n     int
}

func newPolicy(mayCall []jid.JID, limits Limits) *policy {
	return &policy{
		mayCall: mayCall,
		limits:  limits.withDefaults(),
		ringing: map[string]int{},
		calls:   map[string]int{},
		cooling: map[[2]string]time.Time{},
		counted: map[string]window{},
	}
}

// permits says whether guests may call, and may show their presence to, that address.
func (p *policy) permits(to jid.JID) error {
	for _, allowed := range p.mayCall {
		if allowed.Equal(to.Bare()) || allowed.Equal(to.Domain()) {
			return nil
		}
	}
	description := "this service does not let its guests call " + to.Bare().String() + "; its operator decides that with guests.may_call"
	if len(p.mayCall) == 0 {
		description = "this service does not let its guests call anybody yet; its operator lists the addresses or domains in guests.may_call"
	}
	return gateway.Errorf(gateway.NotAllowed, "%s", description)
}

// addressGroup is what counts as one place on the network: an IPv4 address, or the /64 of an IPv6 address.
func addressGroup(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// An admission is the place that an admitted call takes up until it is released.
type admission struct {
	p             *policy
	guest, callee string
	ip            string
	ringing       bool
	released      bool
}

// admit lets a guest's call to callee begin, or says why not.
func (p *policy) admit(now time.Time, guest, callee jid.JID, from netip.Addr) (*admission, error) {
	a := &admission{p: p, guest: guest.Bare().String(), callee: callee.Bare().String(), ip: addressGroup(from), ringing: true}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep(now)
	if until := p.coolUntil(a); now.Before(until) {
		return nil, gateway.Errorf(gateway.CoolDown, "that call was not answered just now; try again in %s", until.Sub(now).Round(time.Second))
	}
	busy := func(description string) (*admission, error) {
		return nil, gateway.Errorf(gateway.TooMany, "%s", description)
	}
	switch {
	case p.total >= p.limits.Calls:
		return busy("this service carries as many calls as it may; try again later")
	case p.calls[a.ip] >= p.limits.CallsPerIP:
		return busy("there are too many calls from your network address")
	case p.ringing["ip "+a.ip] >= p.limits.RingingPerIP:
		return busy("other calls from your network address are still ringing")
	case p.ringing["to "+a.callee] >= p.limits.RingingPerCallee:
		return busy("somebody else is ringing there just now; try again in a minute")
	}
	p.total++
	p.calls[a.ip]++
	p.ringing["ip "+a.ip]++
	p.ringing["to "+a.callee]++
	return a, nil
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
	if a.ringing {
		a.ringing = false
		decrement(a.p.ringing, "ip "+a.ip)
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
	a.stopRinging()
	a.p.total--
	decrement(a.p.calls, a.ip)
	if outcome == call.PeerDeclined || outcome == call.NoAnswer {
		until := now.Add(a.p.limits.CoolDown)
		a.p.cooling[[2]string{a.guest, a.callee}] = until
		a.p.cooling[[2]string{a.ip, a.callee}] = until
	}
}

// oncePer counts an event and tells whether fewer than max of that name happened in the running minute.
func (p *policy) oncePer(now time.Time, name string, max int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep(now)
	w, known := p.counted[name]
	if !known && len(p.counted) >= maxCounted {
		return false
	}
	if now.After(w.until) {
		w = window{until: now.Add(time.Minute)}
	}
	if w.n >= max {
		return false
	}
	w.n++
	p.counted[name] = w
	return true
}

// sweep forgets, twice a minute, what has run out.
func (p *policy) sweep(now time.Time) {
	if now.Sub(p.lastPass) < 30*time.Second {
		return
	}
	p.lastPass = now
	for k, until := range p.cooling {
		if now.After(until) {
			delete(p.cooling, k)
		}
	}
	for k, w := range p.counted {
		if now.After(w.until) {
			delete(p.counted, k)
		}
	}
}

func decrement(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}
