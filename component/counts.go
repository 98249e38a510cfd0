package component

import (
	"crypto/sha256"
	"time"
)

// An eventKind is something that is counted, by the minute but for mintFor.  Each kind has counts of its own.
type eventKind int

const (
	dialCallee eventKind = iota
	dialAnybody
	attachFrom
	tellFrom
	proposeFrom
	proposeDomain
	subscription
	probeFrom
	discoOf
	joinFrom
	textFrom
	textTo
	bounceTo
	refusalOf
	refusals
	mintFor // by the hour
	eventKinds
)

// maxEvents bounds the names of each kind, and eventKey each of them: strangers make them up.
const maxEvents = 50_000

type eventKey [16]byte

// window counts the events of one period.
type window struct {
	until time.Time
	n     int
}

// counts are the events of one kind by name, in windows of one period.  More names than it holds push out those that were quiet for longest, whose
// counts begin anew: nobody is refused because others fill it.
type counts struct {
	period     time.Duration
	young, old map[eventKey]window // what was counted since aged, and before
	aged       time.Time
}

// allow counts an event and tells whether fewer than max of that name happened in its running period.
func (c *counts) allow(now time.Time, name string, max int) bool {
	sum := sha256.Sum256([]byte(name))
	key := eventKey(sum[:16])
	w, young := c.young[key]
	if !young {
		w = c.old[key]
	}
	if now.After(w.until) {
		w = window{until: now.Add(c.period)}
	}
	allowed := w.n < max
	if allowed {
		w.n++
	}
	if c.young == nil || !young && len(c.young) >= maxEvents/2 {
		c.turn(now)
	}
	c.young[key] = w // also of one that is refused: as long as it goes on it is remembered
	return allowed
}

// age forgets what has been quiet for a period.
func (c *counts) age(now time.Time) {
	if now.Sub(c.aged) >= c.period {
		c.turn(now)
	}
}

func (c *counts) turn(now time.Time) {
	c.old, c.young, c.aged = c.young, map[eventKey]window{}, now
}
