//go:build e2e

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/pion/sdp/v3"
)

const (
	convertSpan   = 300 * time.Millisecond // for one measurement
	convertRounds = 5                      // of all in turn; the best of each counts, since what else the machine does only adds

	goalToXML, goalToSDP = 30.0, 15.0 // times stanza's speed, at least
)

// BenchmarkBesideStanza compares the conversions with those of npm's stanza on the same offers in one run, and with what is the least: reading the
// bytes once, and the parser of SDP alone.  Faster is by the clock; beside it stands the time of the processor, of all threads of the process, which holds
// what collecting garbage costs beside the work, on both sides.  Only the ratios mean anything on another machine, and those by the clock only on
// one that does nothing else.  Garbage is collected as serve has it.
func BenchmarkBesideStanza(b *testing.B) {
	gatherGarbage()
	for b.Loop() {
		table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(table, "\n\tbytes\tcarillon\tallocations\tstanza 12.22.1\tfaster\tgoal\tby processor time\tof the bytes read once\tof pion/sdp's parse\t\n")
		toXML, toSDP := score{way: "SDP to XML", goal: goalToXML}, score{way: "XML to SDP", goal: goalToSDP}
		for _, name := range convertOffers {
			besideStanza(b, table, name, &toXML, &toSDP)
		}
		for _, s := range []score{toXML, toSDP} {
			all := float64(s.theirs) / float64(s.ours)
			fmt.Fprintf(table, "all six: %s\t\t%v\t\t%v\t%.1f\t%s\t\t\t\t\n", s.way, s.ours, s.theirs, all, verdict(all >= s.goal, ">= %.0f", s.goal))
			fmt.Fprintf(table, "least: %s\t\t\t\t\t%.1f\t%s\t\t\t\t\n", s.way, s.least, verdict(s.least >= s.goal, ">= %.0f", s.goal))
		}
		table.Flush()
	}
}

func besideStanza(b *testing.B, table *tabwriter.Writer, name string, scoreToXML, scoreToSDP *score) {
	b.Helper()
	offer := firstOffer(b, name)
	file := filepath.Join(b.TempDir(), "offer.sdp")
	if err := os.WriteFile(file, []byte(offer), 0o600); err != nil {
		b.Fatal(err)
	}
	xml := string(toXML(b, offer))
	type times struct{ ToXML, ToSDP, Parse, ReadSDP, ReadXML cost }
	var ours, theirs times
	for range convertRounds {
		best(&ours.ToXML, costOf(func() { toXML(b, offer) }))
		best(&ours.ToSDP, costOf(func() { toSDP(b, xml) }))
		best(&ours.Parse, costOf(func() {
			if err := new(sdp.SessionDescription).UnmarshalString(offer); err != nil {
				b.Fatal(err)
			}
		}))
		best(&ours.ReadSDP, costOf(func() { readOnce(offer) }))
		best(&ours.ReadXML, costOf(func() { readOnce(xml) }))
		out, err := exec.Command("node", "../../testdata/browser/convert.mjs", fmt.Sprint(convertSpan.Milliseconds()), file).Output()
		if err != nil {
			b.Fatal(err)
		}
		var round times
		if err := json.Unmarshal(out, &round); err != nil {
			b.Fatalf("%v in %s", err, out)
		}
		best(&theirs.ToXML, round.ToXML)
		best(&theirs.ToSDP, round.ToSDP)
	}
	row := func(s *score, bytes int, our, their, read cost, run func()) {
		ratio := s.add(our, their)
		fmt.Fprintf(table, "%s: %s\t%d\t%v\t%.0f\t%v\t%.1f\t%s\t%.1f\t%.0f\t%.1f\t\n", name, s.way, bytes, our.Clock, testing.AllocsPerRun(20, run), their.Clock,
			ratio, verdict(ratio >= s.goal, ">= %.0f", s.goal), float64(their.Processor)/float64(our.Processor),
			float64(our.Clock)/float64(read.Clock), float64(our.Clock)/float64(ours.Parse.Clock))
	}
	row(scoreToXML, len(offer), ours.ToXML, theirs.ToXML, ours.ReadSDP, func() { toXML(b, offer) })
	row(scoreToSDP, len(xml), ours.ToSDP, theirs.ToSDP, ours.ReadXML, func() { toSDP(b, xml) })
}

// score is how the two compare one way.
type score struct {
	way          string
	goal, least  float64
	ours, theirs time.Duration // for each offer once
}

// add enters the costs of an offer and returns how many times faster ours is by the clock.
func (s *score) add(our, their cost) float64 {
	ratio := float64(their.Clock) / float64(our.Clock)
	if s.ours == 0 || ratio < s.least {
		s.least = ratio
	}
	s.ours += our.Clock
	s.theirs += their.Clock
	return ratio
}

// cost is what a run takes by the clock and of the processor.
type cost struct{ Clock, Processor time.Duration }

// best keeps the shorter times.
func best(have *cost, c cost) {
	if have.Clock == 0 {
		*have = c
	}
	*have = cost{min(have.Clock, c.Clock), min(have.Processor, c.Processor)}
}

// costOf returns the mean of as many runs as fit into the span.
func costOf(run func()) cost {
	run() // what is done once only
	runtime.GC()
	begin, processor := time.Now(), used()
	for runs := time.Duration(0); ; {
		for range 20 {
			run()
		}
		runs += 20
		if t := time.Since(begin); t >= convertSpan {
			return cost{t / runs, (used() - processor) / runs}
		}
	}
}

// used returns the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

var readBytes byte

// readOnce looks at each byte once.
func readOnce(s string) {
	sum := byte(0)
	for i := range len(s) {
		sum ^= s[i]
	}
	readBytes = sum
}
