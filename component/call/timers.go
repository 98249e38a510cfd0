package call

import (
	"fmt"
	"time"
)

// Timer names a timer of a call.  Each runs at most once at a time.
type Timer int

// The timers.
const (
	noTimer       Timer = iota
	TimerOffer          // the caller's tab owes its offer
	TimerProbe          // the dialled resource owes its disco#info
	TimerRing           // somebody's devices ring
	TimerInitiate       // the caller owes the session-initiate after our proceed
	TimerAccept         // the device that proceeded owes its session-accept
	TimerAnswer         // a tab owes its answer
	TimerMedia          // media owes its connection
	TimerPing           // time to ask whether the peer is there
	TimerOutage         // media was connected and is disconnected
	TimerGrace          // the page's socket broke and may come back
	TimerChange         // the peer owes the result of a change, or its answer to it
	TimerAsk            // the peer's person was asked to agree to a change
	timerCount
)

func (t Timer) String() string {
	names := [...]string{"none", "offer", "probe", "ring", "initiate", "accept", "answer", "media", "ping", "outage", "grace", "change", "ask"}
	if t < 0 || int(t) >= len(names) {
		return fmt.Sprintf("Timer(%d)", int(t))
	}
	return names[t]
}

// Durations says how long the timers run.  A field that is zero or less has the default.
type Durations struct {
	Offer    time.Duration // 15 s
	Probe    time.Duration // 10 s
	Ring     time.Duration // 60 s
	Initiate time.Duration // 20 s: Conversations asks its server for TURN before its session-initiate
	Accept   time.Duration // 30 s
	Answer   time.Duration // 15 s
	Media    time.Duration // 30 s
	Ping     time.Duration // 10 s
	Outage   time.Duration // 15 s
	Grace    time.Duration // 20 s
	Change   time.Duration // 10 s
	Ask      time.Duration // 60 s: Conversations asks whether to switch to video
}

var defaultDurations = Durations{
	Offer:    15 * time.Second,
	Probe:    10 * time.Second,
	Ring:     60 * time.Second,
	Initiate: 20 * time.Second,
	Accept:   30 * time.Second,
	Answer:   15 * time.Second,
	Media:    30 * time.Second,
	Ping:     10 * time.Second,
	Outage:   15 * time.Second,
	Grace:    20 * time.Second,
	Change:   10 * time.Second,
	Ask:      60 * time.Second,
}

// Of returns how long the timer runs.
func (d Durations) Of(t Timer) time.Duration {
	if t < 0 || t >= timerCount {
		return 0
	}
	if own := d.byTimer()[t]; own > 0 {
		return own
	}
	return defaultDurations.byTimer()[t]
}

func (d Durations) byTimer() [timerCount]time.Duration {
	return [timerCount]time.Duration{
		TimerOffer:    d.Offer,
		TimerProbe:    d.Probe,
		TimerRing:     d.Ring,
		TimerInitiate: d.Initiate,
		TimerAccept:   d.Accept,
		TimerAnswer:   d.Answer,
		TimerMedia:    d.Media,
		TimerPing:     d.Ping,
		TimerOutage:   d.Outage,
		TimerGrace:    d.Grace,
		TimerChange:   d.Change,
		TimerAsk:      d.Ask,
	}
}
