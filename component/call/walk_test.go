package call

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"carillon/jingle"
)

// TestWalk feeds calls with random inputs, sensible ones among them, and checks what has to hold whatever happens.
func TestWalk(t *testing.T) {
	inputs := 1_000_000
	if testing.Short() {
		inputs = 20_000
	}
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := newAlphabet(t)
	reached := map[string]map[State]int{}
	var changed [2]int
	for n := 0; n < inputs; {
		w := newWalk(t, rng, alphabet, n)
		n += w.run()
		if reached[w.kind] == nil {
			reached[w.kind] = map[State]int{}
		}
		for s := range w.seen {
			reached[w.kind][s]++
		}
		changed[0] += w.changed[0]
		changed[1] += w.changed[1]
	}
	want := map[string][]State{
		"outgoing": {Offering, Probing, Proposed, Calling, Initiated, Connecting, Active, Over},
		"incoming": {Ringing, Proceeded, Answering, Connecting, Active, Over},
		"direct":   {Ringing, Answering, Connecting, Active, Over},
		"local":    {Offering, Ringing, Answering, Connecting, Active, Over},
	}
	if min(changed[0], changed[1]) < inputs/200 {
		t.Errorf("a change of the tab's was under way at %d inputs, one of the peer's at %d", changed[0], changed[1])
	}
	for kind, states := range want {
		for _, s := range states {
			if reached[kind][s] < inputs/1000 {
				t.Errorf("%s: state %v was reached %d times only", kind, s, reached[kind][s])
			}
		}
	}
}

// FuzzWalk looks for seeds of TestWalk that break a call.
func FuzzWalk(f *testing.F) {
	f.Add(uint64(3), uint64(4))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		newWalk(t, rand.New(rand.NewPCG(a, b)), newAlphabet(t), 0).run()
	})
}

// walk is one call that is driven at random.
type walk struct {
	*testing.T
	*alphabet
	rng     *rand.Rand
	at      int
	kind    string
	machine Machine
	path    []Input // what a call that succeeds would get next
	running map[Timer]bool
	seen    map[State]bool
	history []string

	ended      bool
	told       map[string]int // tab -> 1 when it was told of the call, 2 when it was told of its end
	described  map[string]bool
	opened     bool // session-initiate or session-accept has left
	terminated int
	tags       []int           // of requests that wait for their replies
	changed    [2]int          // inputs while a change of the tab's, or of the peer's, was under way
	asked      map[string]bool // tabs whose offer waits for its answer
	owes       map[string]bool // tabs that have an offer to answer
}

func newWalk(t *testing.T, rng *rand.Rand, a *alphabet, at int) *walk {
	w := &walk{T: t, alphabet: a, rng: rng, at: at, running: map[Timer]bool{}, seen: map[State]bool{}, told: map[string]int{}, described: map[string]bool{}, asked: map[string]bool{}, owes: map[string]bool{}}
	ids := 0
	cfg := Config{NewID: func() string { ids++; return fmt.Sprint(ids) }, TURN: rng.IntN(2) == 0}
	tab, phone, bob := a.tabs[0], a.peers[0], a.peers[3]
	offer, answer := a.sdp[1], a.sdp[3]
	request := func(n int) PeerRequest { return PeerRequest{From: phone, To: tab, ID: "q", Jingle: a.stanzas[n]} }
	message := func(k jingle.MessageKind) PeerMessage {
		return PeerMessage{From: phone, To: tab, Message: jingle.Message{Kind: k, ID: "A1", Media: []string{"audio"}}}
	}
	features := []string{jingle.NS, jingle.NSICE, jingle.NSRTP}
	connected := BrowserMedia{Tab: tab, State: MediaConnected}
	var out []Output
	switch w.kind = []string{"outgoing", "incoming", "direct", "local"}[rng.IntN(4)]; w.kind {
	case "outgoing":
		to, known := bob, []Resource(nil)
		w.path = []Input{BrowserOffer{tab, offer}, message(jingle.Proceed), request(2), connected}
		switch rng.IntN(3) {
		case 0:
			to = phone
			w.path = []Input{BrowserOffer{tab, offer}, PeerReply{Tag: 1, Disco: jingle.Disco{Features: features}}, request(2), connected}
		case 1:
			known = []Resource{{JID: phone, Disco: jingle.Disco{Features: features}}}
			w.path = []Input{BrowserOffer{tab, offer}, request(2), connected}
		}
		w.machine, out = NewOutgoing(cfg, "A1", tab, to, known)
	case "incoming":
		propose := message(jingle.Propose)
		propose.Message.ID, propose.Message.Media = "C1", []string{"audio", "video"}
		w.path = []Input{BrowserAccept{tab}, request(0), BrowserAnswer{tab, answer}, connected}
		w.machine, out = NewIncoming(cfg, propose, a.tabs[:2])
	case "direct":
		w.path = []Input{BrowserAccept{tab}, BrowserAnswer{tab, answer}, connected}
		first := request(0)
		w.machine, out = NewDirect(cfg, first)
		w.check(first, out)
		return w
	case "local":
		ben := a.tabs[3]
		w.path = []Input{BrowserOffer{tab, offer}, BrowserAccept{ben}, BrowserAnswer{ben, answer}, connected}
		switch rng.IntN(4) { // both dial
		case 0:
			w.path[1] = BrowserCross{ben}
		case 1:
			w.path[0], w.path[1] = BrowserCross{ben}, w.path[0]
		}
		w.machine, out = NewLocal(cfg, tab, ben.Bare(), a.tabs[3:])
	}
	w.check(nil, out)
	return w
}

func (w *walk) fail(format string, args ...any) {
	w.Helper()
	w.Fatalf("input %d, %s: %s\n%s", w.at, w.kind, fmt.Sprintf(format, args...), strings.Join(w.history, "\n"))
}

// run drives the call and returns how many inputs it took.
func (w *walk) run() int {
	n, most := 0, 10+w.rng.IntN(60)
	for ; n < most; n++ {
		w.feed(w.next())
	}
	for !w.ended && n < most+50 { // now nothing happens any more but time
		n++
		if w.quiet() {
			break
		}
		w.feed(Timeout{Timer: w.anyTimer()})
	}
	if !w.ended {
		if s := stateOf(w.machine); s != Active || !w.quiet() {
			w.fail("time alone does not end state %v with %v", s, w.running)
		}
		for tab, asked := range w.asked {
			if asked {
				w.fail("%s waits for an answer that does not come", tab)
			}
		}
		w.feed(Shutdown{})
	}
	if !w.ended || len(w.running) > 0 {
		w.fail("not over, or timers are left: %v", w.running)
	}
	for tab, n := range w.told {
		if n != 2 {
			w.fail("%s was not told of the end", tab)
		}
	}
	return n + 1
}

// quiet tells whether nothing more comes of time but pings.
func (w *walk) quiet() bool {
	return len(w.running) == 0 || len(w.running) == 1 && w.running[TimerPing]
}

func (w *walk) feed(in Input) {
	w.history = append(w.history, strings.Split(fmt.Sprintf("%T %+v", in, in), "\n")[0])
	if o, ok := in.(Timeout); ok {
		delete(w.running, o.Timer)
	}
	w.check(in, w.machine.Handle(time.Time{}, in))
	if gone, ok := in.(BrowserGone); ok && w.told[gone.Tab.String()] == 1 {
		w.told[gone.Tab.String()] = 2 // nobody is left to be told
	}
}

// anyTimer picks a timer that runs, without depending on the order of a map; one that does not run when none does.
func (w *walk) anyTimer() Timer {
	start := w.rng.IntN(int(timerCount))
	for i := range timerCount {
		if t := (Timer(start) + i) % timerCount; w.running[t] {
			return t
		}
	}
	return Timer(start)
}

func pick[T any](w *walk, list []T) T { return list[w.rng.IntN(len(list))] }

func (w *walk) next() Input {
	if len(w.path) > 0 && w.rng.IntN(3) == 0 {
		in := w.path[0]
		w.path = w.path[1:]
		if w.rng.IntN(20) > 0 {
			return in
		}
	}
	tab, peer := pick(w, w.tabs), pick(w, w.peers)
	switch w.rng.IntN(40) {
	case 0, 1, 2:
		return BrowserOffer{tab, pick(w, w.sdp)}
	case 3, 4, 5:
		return BrowserAnswer{tab, pick(w, w.sdp)}
	case 6, 7, 8, 9, 10, 11:
		return BrowserCandidate{Tab: tab, Candidate: pick(w, w.candidates), Mid: pick(w, []string{"0", "1", "", "x"}), Line: w.rng.IntN(4) - 1}
	case 12:
		return pick(w, []Input{BrowserAccept{tab}, BrowserCross{tab}, BrowserDecline{tab}, BrowserHangUp{tab}})
	case 13, 14:
		return BrowserMedia{tab, pick(w, []MediaState{MediaConnected, MediaDisconnected, MediaDisconnected, MediaFailed, "rubbish"})}
	case 15, 16, 17:
		return pick(w, []Input{BrowserLost{tab}, BrowserBack{tab}, BrowserBack{tab}, BrowserGone{tab}})
	case 18, 19, 20, 21, 22:
		kinds := []jingle.MessageKind{jingle.Propose, jingle.Ringing, jingle.Proceed, jingle.Accept, jingle.Reject, jingle.Retract, jingle.Finish, "rubbish"}
		return PeerMessage{From: peer, To: tab, Message: jingle.Message{Kind: pick(w, kinds), ID: pick(w, []string{"A1", "C1", "", "B"})}}
	case 23, 24, 25, 26, 27, 28, 29, 30:
		j := pick(w, w.stanzas)
		j.SID = pick(w, []string{"A1", "C1"})
		return PeerRequest{From: peer, To: pick(w, w.tabs[:2]), ID: "q", Jingle: j}
	case 31, 32, 33:
		tag := w.rng.IntN(12)
		if len(w.tags) > 0 && w.rng.IntN(4) > 0 {
			tag, w.tags = w.tags[0], w.tags[1:]
		}
		in := PeerReply{Tag: tag, Disco: jingle.Disco{Features: pick(w, [][]string{nil, {jingle.NSMessage}})}}
		in.Disco.Identities = []jingle.Identity{{Name: pick(w, jingle.Profiles).Name}}
		if w.rng.IntN(3) == 0 {
			in.Err = &jingle.Error{Condition: pick(w, []string{"item-not-found", "remote-server-timeout", "service-unavailable", "bad-request", "conflict"})}
		}
		return in
	case 34:
		if w.rng.IntN(4) == 0 {
			return TieLost{SID: pick(w, []string{"A1", "B1"})}
		}
		return PeerBounce{From: peer, ID: pick(w, []string{"jm-propose-A1", "jm-proceed-C1", "x"}), Err: jingle.Error{Condition: "gone"}}
	case 35:
		return PeerUnavailable{From: peer}
	case 39:
		if w.rng.IntN(2) == 0 {
			return BrowserInfo{tab, pick(w, []jingle.InfoKind{jingle.InfoMute, jingle.InfoUnmute, jingle.InfoHold, jingle.InfoUnhold, jingle.InfoActive, "rubbish"}), pick(w, []string{"", "0", "9"})}
		}
	case 36, 37:
		return Timeout{Timer: w.anyTimer()}
	case 38:
		return Timeout{Timer: Timer(w.rng.IntN(int(timerCount)+4) - 2)}
	}
	if w.rng.IntN(20) == 0 {
		return Shutdown{Outcome: pick(w, []Outcome{"", ShuttingDown, Failed, "rubbish"})}
	}
	return PeerMessage{}
}
