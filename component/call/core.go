package call

import (
	"errors"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/sdpconv"
)

// Config is what calls are made with.
type Config struct {
	Durations Durations
	NewID     func() string // returns a new random token; required
	TURN      bool          // a TURN server is configured: a page without a usable candidate can still be reached
}

// Sentences for frames that are refused.  The call goes on.
const (
	refusedOffer  = "The call does not expect an offer now."
	refusedAnswer = "The call does not expect an answer now."
	refusedAccept = "This call is not ringing here."
	refusedOver   = "The call has ended, or another window took it."
	refusedBusy   = "Your contact's app still has to answer what you changed before."
	refusedKeys   = "Your browser has new encryption keys, which a call cannot take on; call again."
	refusedNoRTP  = "There is neither sound nor picture in what your browser sent."
)

// unusableSDP is the sentence for an offer or answer that is none.
func unusableSDP(what string, err error) string {
	if errors.Is(err, sdpconv.ErrNoMedia) {
		return refusedNoRTP
	}
	return "Your browser's " + what + " cannot be used: " + err.Error()
}

// core is what every call has, whoever the other side is: its state, its timers, and the outputs of the Handle under way.
type core struct {
	cfg     Config
	state   State
	running [timerCount]bool
	out     []Output
}

func (c *core) emit(o Output) { c.out = append(c.out, o) }

// flush hands over the outputs collected so far.
func (c *core) flush() []Output {
	out := c.out
	c.out = nil
	return out
}

func (c *core) tell(tab jid.JID, e Event) { c.emit(ToBrowser{Tab: tab, Event: e}) }

func (c *core) refuse(tab jid.JID, sentence string) { c.tell(tab, Refused{Sentence: sentence}) }

func (c *core) answer(r PeerRequest, err *jingle.Error) { c.emit(Answer{Request: r, Err: err}) }

// move takes a step and exchanges the old state's deadline for the new one's.  It reports false, and changes nothing, when
// the step is not legal now.
func (c *core) move(p step) bool {
	to, err := c.state.next(p)
	if err != nil {
		return false
	}
	c.stop(deadlines[c.state].timer)
	c.state = to
	if to != Over {
		c.start(deadlines[to].timer)
	}
	return true
}

// begin enters the first state.
func (c *core) begin(s State) {
	c.state = s
	c.start(deadlines[s].timer)
}

func (c *core) start(t Timer) {
	if t == noTimer {
		return
	}
	c.running[t] = true
	c.emit(SetTimer{Timer: t, After: c.cfg.Durations.Of(t)})
}

func (c *core) stop(t Timer) {
	if c.running[t] {
		c.running[t] = false
		c.emit(SetTimer{Timer: t, After: 0})
	}
}

// fired notes that a timer ran out.  It reports false for one that does not run: it was stopped when its Timeout was
// already under way.
func (c *core) fired(t Timer) bool {
	if t < 0 || t >= timerCount || !c.running[t] {
		return false
	}
	c.running[t] = false
	return true
}

// close ends the call.  Whoever has to be told was told before.
func (c *core) close(o Outcome) {
	answered := c.state.accepted()
	c.move(end)
	for t := range timerCount {
		c.stop(t)
	}
	c.emit(Ended{Outcome: o, Answered: answered})
}

// afterwards answers what comes in when the call is over.
func (c *core) afterwards(in Input) {
	if r, ok := in.(PeerRequest); ok {
		c.answer(r, jingle.ErrUnknownSession)
		return
	}
	c.turnAway(in, refusedOver)
}

// turnAway refuses what a tab asks of the call.  What a tab only reports wants no answer: candidates and states of its media come in
// numbers and cross the end of each call.
func (c *core) turnAway(in Input, sentence string) {
	switch in.(type) {
	case BrowserOffer, BrowserAnswer, BrowserAccept, BrowserCross, BrowserDecline, BrowserHangUp:
		tab, _ := tabOf(in)
		c.refuse(tab, sentence)
	}
}

// tabOf returns the tab that an input came from; ok is false for inputs that are not a tab's.
func tabOf(in Input) (tab jid.JID, ok bool) {
	switch in := in.(type) {
	case BrowserOffer:
		return in.Tab, true
	case BrowserAnswer:
		return in.Tab, true
	case BrowserCandidate:
		return in.Tab, true
	case BrowserAccept:
		return in.Tab, true
	case BrowserCross:
		return in.Tab, true
	case BrowserDecline:
		return in.Tab, true
	case BrowserHangUp:
		return in.Tab, true
	case BrowserMedia:
		return in.Tab, true
	case BrowserInfo:
		return in.Tab, true
	case BrowserLost:
		return in.Tab, true
	case BrowserBack:
		return in.Tab, true
	case BrowserGone:
		return in.Tab, true
	}
	return jid.JID{}, false
}

// pages is the tabs on one side of a call.
type pages []page

type page struct {
	tab  jid.JID
	lost bool // its socket is broken
	down bool // it reported that its media is disconnected
}

func newPages(tabs ...jid.JID) pages {
	var p pages
	for _, t := range tabs {
		p = append(p, page{tab: t})
	}
	return p
}

// find returns the page of a tab, or nil when the tab has no part in the call.
func (p pages) find(tab jid.JID) *page {
	for i := range p {
		if p[i].tab.Equal(tab) {
			return &p[i]
		}
	}
	return nil
}

// others returns the pages but that of tab.
func (p pages) others(tab jid.JID) pages {
	var rest pages
	for _, one := range p {
		if !one.tab.Equal(tab) {
			rest = append(rest, one)
		}
	}
	return rest
}

// lost tells whether no page is left with a socket.
func (p pages) lost() bool {
	for _, one := range p {
		if !one.lost {
			return false
		}
	}
	return true
}

// down tells whether a page reported its media as disconnected.
func (p pages) down() bool {
	for _, one := range p {
		if one.down {
			return true
		}
	}
	return false
}
