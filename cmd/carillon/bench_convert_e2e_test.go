//go:build e2e

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/pion/sdp/v3"
)

const (
	convertSpan   = 300 * time.Millisecond // of one measurement
	convertRounds = 3                      // of all in turn; the best of each counts, since what else the machine does only adds

	convertBallast = 16 << 20

	goalToXML, goalToSDP = 30.0, 15.0 // times stanza's speed, at least
)

// BenchmarkBesideStanza compares the conversions with those of npm's stanza on the same offers in one run, and with what is the least: reading the
// bytes once, and the parser of SDP alone.  Only the ratios mean anything on another machine.
func BenchmarkBesideStanza(b *testing.B) {
	// A test alone has a heap of 4 MB, collected every few conversions; a Carillon at work has ten times that, and node 16 MB for what is young.
	ballast := make([]byte, convertBallast)
	defer runtime.KeepAlive(ballast)
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
	xml := toXML(b, offer)
	type times struct{ ToXML, ToSDP, Parse, ReadSDP, ReadXML time.Duration }
	var ours, theirs times
	for range convertRounds {
		best(&ours.ToXML, median(func() { toXML(b, offer) }))
		best(&ours.ToSDP, median(func() { toSDP(b, xml) }))
		best(&ours.Parse, median(func() {
			if err := new(sdp.SessionDescription).UnmarshalString(offer); err != nil {
				b.Fatal(err)
			}
		}))
		best(&ours.ReadSDP, median(func() { readOnce(offer) }))
		best(&ours.ReadXML, median(func() { readOnce(string(xml)) }))
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

// median of the time that run takes, in one goroutine, garbage collection included.
func median(run func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var times []time.Duration
	for end := time.Now().Add(convertSpan / 2); len(times) < 10 || time.Now().Before(end); {
		begin := time.Now()
		run()
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	return times[len(times)/2]
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
