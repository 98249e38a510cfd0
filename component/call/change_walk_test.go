package call

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/sdpconv"
)

// TestChanges lets a browser and a client that keep to the rules change a call at random, at once and crossing each other, over links that
// keep the order and delay; in every second call the client fails to answer now and then, answers nonsense, and the browser loses its
// socket.  After that all is delivered and time passes: nothing is left open, and the three agree on what the call has.
func TestChanges(t *testing.T) {
	calls := 5000
	if testing.Short() {
		calls = 150
	}
	rng := rand.New(rand.NewPCG(5, 6))
	total := map[string]int{}
	for n := range calls {
		c := newChanges(t, rng, n)
		c.run()
		for k, v := range c.counts {
			total[k] += v
		}
	}
	for _, what := range []string{"offer", "answer", "content-add", "content-accept", "content-reject", "content-modify", "content-remove", "restart", "rolled back", "tie-break", "settled"} {
		if total[what] < calls/50 {
			t.Errorf("%s: %d times only", what, total[what])
		}
	}
	t.Log(total)
}

// FuzzChanges looks for seeds of TestChanges that break a call.
func FuzzChanges(f *testing.F) {
	f.Add(uint64(3), uint64(4))
	f.Fuzz(func(t *testing.T, a, b uint64) { newChanges(t, rand.New(rand.NewPCG(a, b)), int(a&1)).run() })
}

// changes is one call that is changed at random.
type changes struct {
	*testing.T
	rng        *rand.Rand
	n          int
	machine    Machine
	tab, phone jid.JID
	browser    *browser
	party      *party
	toPage     []Event
	fromPage   []Input
	toPeer     []Output
	running    map[Timer]bool
	lost       bool
	asked      bool // the page's offer waits for its answer
	history    []string
	counts     map[string]int
	ended      bool
}

func newChanges(t *testing.T, rng *rand.Rand, n int) *changes {
	c := &changes{
		T: t, rng: rng, n: n, running: map[Timer]bool{}, counts: map[string]int{},
		tab: jid.MustParse("anna@call.example.org/w1"), phone: jid.MustParse("bob@example.org/phone"),
	}
	profile := jingle.Profiles[rng.IntN(len(jingle.Profiles))]
	outgoing := rng.IntN(2) == 0
	for profile.NoDTLS || profile.MirroredSenders && outgoing {
		profile = jingle.Profiles[rng.IntN(len(jingle.Profiles))]
	}
	c.browser = &browser{rng: rng, sections: []section{{mid: "0", kind: "audio", dir: "sendrecv"}}, mids: 1}
	c.party = &party{rng: rng, profile: profile, sid: "A1", sent: map[string]jingle.Stanza{}, faulty: n%2 == 1, role: jingle.Responder}
	c.party.from = func(r PeerRequest) PeerRequest { r.From, r.To = c.phone, c.tab; return r }
	c.note("%s %s, outgoing %v, faulty %v", profile.Name, profile.Version, outgoing, c.party.faulty)
	ids := 0
	cfg := Config{NewID: func() string { ids++; return fmt.Sprint(ids) }, TURN: true}
	features := []string{jingle.NS, jingle.NSICE, jingle.NSRTP}
	if strings.HasPrefix(profile.Version, "2.19") {
		features = append(features, jingle.NSDataICE)
	}
	disco := jingle.Disco{Identities: []jingle.Identity{{Name: profile.Name}}, Features: features}
	if outgoing {
		c.outgoing(cfg, disco)
	} else {
		c.incoming(cfg, disco)
	}
	if s := c.session(); s.profile.Name != profile.Name || s.profile.Version != profile.Version {
		c.fail("the profile is %s %s", s.profile.Name, s.profile.Version)
	}
	c.feed(BrowserMedia{c.tab, MediaConnected})
	return c
}

func (c *changes) outgoing(cfg Config, disco jingle.Disco) {
	m, out := NewOutgoing(cfg, "A1", c.tab, c.phone.Bare(), []Resource{{JID: c.phone, Disco: disco}})
	c.machine = m
	c.outputs(out)
	c.browser.offering = true
	c.asked = true
	c.feed(BrowserOffer{c.tab, c.browser.sdp("actpass", true, nil)})
	for _, o := range c.toPeer {
		if r, ok := o.(SendRequest); ok && r.Jingle.Action == jingle.SessionInitiate {
			c.party.session, _ = sdpconv.Apply(jingle.Session{}, r.Jingle, jingle.Initiator)
		}
	}
	c.toPeer = nil
	accept := jingle.Stanza{Action: jingle.SessionAccept, Contents: []jingle.Content{c.party.content(jingle.Initiator, "0", "audio", jingle.SendersBoth, jingle.SetupActive)}, Groups: c.party.groups()}
	c.party.send(accept)
	c.deliver()
}

func (c *changes) incoming(cfg Config, disco jingle.Disco) {
	c.party.role = jingle.Initiator
	c.browser.sections, c.browser.mids = nil, 0
	initiate := jingle.Stanza{
		Action: jingle.SessionInitiate, SID: "A1",
		Contents: []jingle.Content{c.party.content(jingle.Initiator, "0", "audio", jingle.SendersBoth, jingle.SetupActpass)},
	}
	if !c.party.profile.NoBundle {
		initiate.Groups = []jingle.Group{{Semantics: "BUNDLE", Names: []string{"0"}}}
	}
	c.party.session, _ = sdpconv.Apply(jingle.Session{}, initiate, jingle.Initiator)
	m, out := NewDirect(cfg, c.party.from(PeerRequest{ID: "i", Jingle: initiate}))
	c.machine = m
	c.outputs(out)
	c.feed(BrowserAccept{c.tab})
	c.feed(PeerReply{Tag: 2, Disco: disco})
	c.toPeer = nil
	offer := c.toPage[len(c.toPage)-1].(RemoteOffer)
	for !c.session().state.accepted() { // a browser may reject a new section; here it does not
		c.browser.sections = nil
		answer, err := c.browser.answer(offer.SDP)
		if err != nil {
			c.fail("%v", err)
		}
		c.browser.sections[0].dir = "sendrecv"
		answer = strings.Replace(answer, "a=recvonly", "a=sendrecv", 1)
		c.feed(BrowserAnswer{c.tab, answer})
	}
	c.toPage = nil
	c.deliver()
}

func (c *changes) session() *session {
	switch m := c.machine.(type) {
	case *outgoing:
		return &m.session
	case *incoming:
		return &m.session
	}
	return nil
}

func (c *changes) note(format string, args ...any) {
	c.history = append(c.history, fmt.Sprintf(format, args...))
}

func (c *changes) fail(format string, args ...any) {
	c.Helper()
	c.Fatalf("call %d: %s\n%s", c.n, fmt.Sprintf(format, args...), strings.Join(c.history, "\n"))
}

func (c *changes) run() {
	for n := 20 + c.rng.IntN(60); n > 0 && !c.ended; n-- {
		c.step()
	}
	c.settle()
	if !c.ended {
		c.feed(BrowserHangUp{c.tab})
	} else if !c.party.faulty {
		c.fail("it ended")
	}
	if !c.ended || len(c.running) > 0 {
		c.fail("not over, or timers are left: %v", c.running)
	}
}

// step does something at random.
func (c *changes) step() {
	switch c.rng.IntN(12) {
	case 0, 1:
		if !c.browser.offering && len(c.toPage) == 0 || c.rng.IntN(20) == 0 && !c.browser.offering {
			c.fromPage = append(c.fromPage, BrowserOffer{c.tab, c.browser.offer()})
		}
	case 2:
		c.party.act()
	case 3, 4, 5:
		c.pageReads()
	case 6, 7:
		c.pageSends()
	case 8:
		c.peerReads()
	case 9, 10:
		c.peerSends()
	case 11:
		c.disturb()
	}
}

// disturb is what happens to calls besides.
func (c *changes) disturb() {
	live := c.browser.sections[0]
	switch c.rng.IntN(5) {
	case 0:
		c.feed(BrowserCandidate{Tab: c.tab, Mid: live.mid, Candidate: fmt.Sprintf("candidate:1 1 udp 1 192.0.2.1 %d typ host ufrag %s", 1+c.rng.IntN(9000), c.browser.name())})
	case 1:
		if c.party.faulty && !c.lost {
			c.lost = true
			c.feed(BrowserLost{c.tab})
		} else if c.lost {
			c.lost = false
			c.feed(BrowserBack{c.tab})
		}
	case 2:
		if c.party.faulty {
			for _, t := range []Timer{TimerChange, TimerAsk, TimerAnswer} {
				late := t == TimerAnswer && len(c.toPage)+len(c.fromPage) > 0 // it is on its way
				if c.running[t] && !late && c.rng.IntN(3) == 0 {
					c.timeout(t)
				}
			}
		}
	case 3:
		c.feed(BrowserInfo{c.tab, jingle.InfoMute, ""})
	case 4:
		if c.running[TimerPing] {
			c.timeout(TimerPing)
		}
	}
}

func (c *changes) timeout(t Timer) {
	delete(c.running, t)
	c.feed(Timeout{t})
}

// settle delivers everything, and lets time pass where that is not enough.
func (c *changes) settle() {
	if c.lost {
		c.lost = false
		c.feed(BrowserBack{c.tab})
	}
	for range 50 {
		if c.ended {
			return
		}
		c.deliver()
		s := c.session()
		if s.neg == nil && len(s.queue) == 0 && !c.browser.offering {
			break
		}
		for _, t := range []Timer{TimerChange, TimerAsk, TimerAnswer} {
			if c.running[t] {
				c.timeout(t)
				break
			}
		}
	}
	s := c.session()
	if s.neg != nil || len(s.queue) > 0 || c.browser.offering || c.asked {
		c.fail("a negotiation is left: %+v, %d queued, the browser offers %v", s.neg, len(s.queue), c.browser.offering)
	}
	c.counts["settled"]++
	if !c.party.faulty {
		c.agree()
	}
}

// agree checks that browser, call and client have the same contents.
func (c *changes) agree() {
	s := c.session()
	var ours, theirs, open []string
	for i, x := range s.agreed.Contents {
		if x.Pending {
			c.fail("%s is pending for ever", x.Name)
		}
		said := s.agreed.Said(i, s.role)
		ours = append(ours, fmt.Sprintf("%s %s %v", x.Name, s.agreed.Contents[i].Senders, said != nil))
	}
	for i, x := range c.party.session.Contents {
		theirs = append(theirs, fmt.Sprintf("%s %s %v", x.Name, x.Senders, c.party.session.Said(i, s.role) != nil))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		c.fail("the call has %q, the client %q", ours, theirs)
	}
	for i, l := range s.lines {
		if b := c.browser.sections[i]; b.closed == (l.State == sdpconv.Live) || !b.closed && b.mid != l.Mid {
			c.fail("line %d is %+v, the browser has %+v", i, l, b)
		}
		if l.State == sdpconv.Live {
			open = append(open, l.Name)
			if s.agreed.Find(l.Creator, l.Name) < 0 {
				c.fail("the browser has %s, and nobody else", l.Name)
			}
		}
	}
	if p := c.party.profile; p.Removes && len(open) != len(s.agreed.Contents) {
		c.fail("the browser has %q, the call %q", open, ours)
	}
}

func (c *changes) deliver() {
	for n := 0; !c.ended && len(c.toPage)+len(c.fromPage)+len(c.toPeer)+len(c.party.out) > 0; n++ {
		if n > 2000 {
			c.fail("it never ends")
		}
		c.pageReads()
		c.pageSends()
		c.peerReads()
		c.peerSends()
	}
}

func (c *changes) pageReads() {
	if len(c.toPage) == 0 || c.lost {
		return
	}
	e := c.toPage[0]
	c.toPage = c.toPage[1:]
	switch e := e.(type) {
	case RemoteOffer:
		if c.browser.offering {
			c.counts["rolled back"]++
		}
		if c.party.faulty && c.rng.IntN(10) == 0 {
			c.browser.rollBack() // and refuses the offer
			return
		}
		answer, err := c.browser.answer(e.SDP)
		if err != nil {
			c.fail("the browser refuses an offer: %v\n%s", err, e.SDP)
		}
		c.fromPage = append(c.fromPage, BrowserAnswer{c.tab, answer})
	case RemoteAnswer:
		if err := c.browser.answered(e.SDP); err != nil {
			c.fail("the browser refuses an answer: %v\n%s", err, e.SDP)
		}
	case RemoteCandidate:
		if !slices.ContainsFunc(c.browser.sections, func(s section) bool { return s.mid == e.Mid }) {
			c.fail("a candidate for %q", e.Mid)
		}
	case Refused:
		c.fail("refused: %s", e.Sentence)
	}
}

func (c *changes) pageSends() {
	if len(c.fromPage) == 0 || c.lost {
		return
	}
	in := c.fromPage[0]
	c.fromPage = c.fromPage[1:]
	if _, ok := in.(BrowserOffer); ok {
		s := c.session()
		if s.neg == nil || s.neg.ours {
			c.asked = true
		}
		c.counts["offer"]++
	}
	c.feed(in)
}

func (c *changes) peerReads() {
	if len(c.toPeer) == 0 {
		return
	}
	o := c.toPeer[0]
	c.toPeer = c.toPeer[1:]
	switch o := o.(type) {
	case SendRequest:
		c.note("        the client takes #%d", o.Tag)
		c.party.take(o)
	case Answer:
		if o.Err != nil && o.Err.Jingle == "tie-break" {
			c.counts["tie-break"]++
		}
		c.party.answered(o)
	case SendPing:
		c.party.reply(o.Tag, nil)
	}
}

func (c *changes) peerSends() {
	if len(c.party.out) == 0 {
		return
	}
	in := c.party.out[0]
	c.party.out = c.party.out[1:]
	if r, ok := in.(PeerRequest); ok {
		c.counts[string(r.Jingle.Action)]++
	}
	c.feed(in)
}
