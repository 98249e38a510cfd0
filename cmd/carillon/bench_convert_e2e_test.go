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
	convertSpan   = 300 * time.Millisecond // of the processor, for one measurement
	convertRounds = 5                      // of all in turn; the best of each counts, since what else the machine does only adds

	goalToXML, goalToSDP = 30.0, 15.0 // times stanza's speed, at least
)

// BenchmarkBesideStanza compares the conversions with those of npm's stanza on the same offers in one run, and with what is the least: reading the
// bytes once, and the parser of SDP alone.  Time is that of the processor, of all threads of the process: what else the machine does hardly
// counts then, and what the garbage costs does, on both sides.  Only the ratios mean anything on another machine.
func BenchmarkBesideStanza(b *testing.B) {
	for b.Loop() {
		table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(table, "\n\tbytes\tcarillon\tallocations\tstanza 12.22.1\tfaster\tgoal\tof the bytes read once\tof pion/sdp's parse\t\n")
		least := map[string]float64{}
		for _, name := range convertOffers {
			besideStanza(b, table, name, least)
		}
		for _, way := range []struct {
			name string
			goal float64
		}{{"SDP to XML", goalToXML}, {"XML to SDP", goalToSDP}} {
			fmt.Fprintf(table, "least, %s\t\t\t\t\t%.1f\t%s\t\t\t\n", way.name, least[way.name], verdict(least[way.name] >= way.goal, ">= %.0f", way.goal))
		}
		table.Flush()
	}
}

func besideStanza(b *testing.B, table *tabwriter.Writer, name string, least map[string]float64) {
	b.Helper()
	offer := firstOffer(b, name)
	file := filepath.Join(b.TempDir(), "offer.sdp")
	if err := os.WriteFile(file, []byte(offer), 0o600); err != nil {
		b.Fatal(err)
	}
	xml := string(toXML(b, offer))
	type times struct{ ToXML, ToSDP, Parse, ReadSDP, ReadXML time.Duration }
	var ours, theirs times
	for range convertRounds {
		best(&ours.ToXML, processorTime(func() { toXML(b, offer) }))
		best(&ours.ToSDP, processorTime(func() { toSDP(b, xml) }))
		best(&ours.Parse, processorTime(func() {
			if err := new(sdp.SessionDescription).UnmarshalString(offer); err != nil {
				b.Fatal(err)
			}
		}))
		best(&ours.ReadSDP, processorTime(func() { readOnce(offer) }))
		best(&ours.ReadXML, processorTime(func() { readOnce(xml) }))
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
	row := func(way string, bytes int, our, their, read time.Duration, goal float64, run func()) {
		ratio := float64(their) / float64(our)
		if least[way] == 0 || ratio < least[way] {
			least[way] = ratio
		}
		fmt.Fprintf(table, "%s: %s\t%d\t%v\t%.0f\t%v\t%.1f\t%s\t%.0f\t%.1f\t\n", name, way, bytes, our, testing.AllocsPerRun(20, run), their,
			ratio, verdict(ratio >= goal, ">= %.0f", goal), float64(our)/float64(read), float64(our)/float64(ours.Parse))
	}
	row("SDP to XML", len(offer), ours.ToXML, theirs.ToXML, ours.ReadSDP, goalToXML, func() { toXML(b, offer) })
	row("XML to SDP", len(xml), ours.ToSDP, theirs.ToSDP, ours.ReadXML, goalToSDP, func() { toSDP(b, xml) })
}

// best keeps the shorter time.
func best(have *time.Duration, t time.Duration) {
	if *have == 0 || t < *have {
		*have = t
	}
}

// processorTime returns what a run takes of the processor, the mean of as many as fit into the span.
func processorTime(run func()) time.Duration {
	run() // what is done once only
	runtime.GC()
	for begin, runs := used(), 0; ; {
		for range 20 {
			run()
		}
		runs += 20
		if t := used() - begin; t >= convertSpan {
			return t / time.Duration(runs)
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
