package call

import "fmt"

// State is where a call stands.
type State int

// The states.  Which of them a call passes through depends on who calls and how: see transitions.
const (
	Offering   State = iota // the caller's tab owes its offer
	Probing                 // the dialled resource is asked what it can do
	Proposed                // XEP-0353 propose is out, the peer's devices ring
	Calling                 // session-initiate went out without a propose, the peer's device rings
	Initiated               // a device proceeded and has our session-initiate
	Ringing                 // our tabs ring
	Proceeded               // a tab took the call and the caller owes its session-initiate
	Answering               // the called tab has the offer and owes its answer
	Connecting              // offer and answer are exchanged, media is not there yet
	Active                  // media has connected
	Over
	stateCount
)

func (s State) String() string {
	names := [...]string{"offering", "probing", "proposed", "calling", "initiated", "ringing", "proceeded", "answering", "connecting", "active", "over"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return names[s]
}

// accepted tells whether offer and answer were exchanged: a call, not an attempt.
func (s State) accepted() bool { return s == Connecting || s == Active }

// step is what takes a call from one state to the next.
type step int

const (
	probe    step = iota // disco#info was asked
	propose              // propose was sent
	dial                 // session-initiate was sent without a propose
	initiate             // session-initiate was sent to the device that proceeded
	ring                 // the tabs of another browser began to ring
	proceed              // proceed was sent
	present              // the offer was given to the called tab
	accept               // the answer went to the caller
	connect              // a page reported that media has connected
	end
	stepCount
)

func (p step) String() string {
	names := [...]string{"probe", "propose", "dial", "initiate", "ring", "proceed", "present", "accept", "connect", "end"}
	if p < 0 || int(p) >= len(names) {
		return fmt.Sprintf("step(%d)", int(p))
	}
	return names[p]
}

// arrow is a state and what happens in it.
type arrow struct {
	from State
	step step
}

// transitions is every legal arrow but those to Over, which are legal from everywhere else.
var transitions = map[arrow]State{
	// A browser calls an XMPP address.
	{Offering, probe}:    Probing,
	{Offering, propose}:  Proposed,
	{Offering, dial}:     Calling,
	{Probing, propose}:   Proposed,
	{Probing, dial}:      Calling,
	{Proposed, initiate}: Initiated,
	{Calling, accept}:    Connecting,
	{Initiated, accept}:  Connecting,

	// An XMPP client calls a browser, with XEP-0353 or by session-initiate alone.
	{Ringing, proceed}:   Proceeded,
	{Ringing, present}:   Answering,
	{Proceeded, present}: Answering,
	{Answering, accept}:  Connecting,

	// A browser calls a browser.
	{Offering, ring}: Ringing,

	{Connecting, connect}: Active,
}

// transitionError says that a step is not legal in a state.
type transitionError struct{ arrow }

func (e *transitionError) Error() string {
	return fmt.Sprintf("call: %v is not legal in state %v", e.step, e.from)
}

// next returns the state that a step leads to.  A step that is not legal returns s unchanged and an error.
func (s State) next(p step) (State, error) {
	if p == end && s != Over {
		return Over, nil
	}
	if to, ok := transitions[arrow{s, p}]; ok {
		return to, nil
	}
	return s, &transitionError{arrow{s, p}}
}

// deadline is how long a state may last and what is the matter when it lasts longer.
type deadline struct {
	timer   Timer
	outcome Outcome // "" where the timer does not end the call
}

// deadlines has one entry for each state but Over.
var deadlines = [stateCount]deadline{
	Offering:   {TimerOffer, NoMedia},
	Probing:    {TimerProbe, ""}, // then it is proposed to without knowing
	Proposed:   {TimerRing, NoAnswer},
	Calling:    {TimerRing, NoAnswer},
	Initiated:  {TimerAccept, PeerLost},
	Ringing:    {TimerRing, Missed},
	Proceeded:  {TimerInitiate, NoConnection},
	Answering:  {TimerAnswer, NoMedia},
	Connecting: {TimerMedia, NoConnection},
	Active:     {noTimer, ""}, // lasts as long as both sides are there: see liveness.go
}
