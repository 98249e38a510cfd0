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
	convertSpan = 700 * time.Millisecond // of one measurement

	goalToXML, goalToSDP = 30.0, 15.0 // times stanza's speed, at least
)

// BenchmarkBesideStanza compares the conversions with those of npm's stanza on the same offers in one run, and with what is the least: reading the
// bytes once, and the parser of SDP alone.  Only the ratios mean anything on another machine.
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
	xml := toXML(b, offer)
	ours := map[string]time.Duration{"SDP to XML": median(func() { toXML(b, offer) }), "XML to SDP": median(func() { toSDP(b, xml) })}
	var theirs struct{ ToXML, ToSDP time.Duration }
	out, err := exec.Command("node", "../../testdata/browser/convert.mjs", fmt.Sprint(convertSpan.Milliseconds()), file).Output()
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(out, &theirs); err != nil {
		b.Fatalf("%v in %s", err, out)
	}
	// Once more, so that neither had the machine's better half of the time.
	ours["SDP to XML"] = (ours["SDP to XML"] + median(func() { toXML(b, offer) })) / 2
	ours["XML to SDP"] = (ours["XML to SDP"] + median(func() { toSDP(b, xml) })) / 2
	parse := median(func() {
		if err := new(sdp.SessionDescription).UnmarshalString(offer); err != nil {
			b.Fatal(err)
		}
	})
	for _, way := range []struct {
		name, in string
		theirs   time.Duration
		goal     float64
		run      func()
	}{
		{"SDP to XML", offer, theirs.ToXML, goalToXML, func() { toXML(b, offer) }},
		{"XML to SDP", string(xml), theirs.ToSDP, goalToSDP, func() { toSDP(b, xml) }},
	} {
		once := median(func() { readOnce(way.in) })
		ratio := float64(way.theirs) / float64(ours[way.name])
		if least[way.name] == 0 || ratio < least[way.name] {
			least[way.name] = ratio
		}
		fmt.Fprintf(table, "%s: %s\t%d\t%v\t%.0f\t%v\t%.1f\t%s\t%.0f\t%.1f\t\n", name, way.name, len(way.in), ours[way.name], testing.AllocsPerRun(20, way.run), way.theirs,
			ratio, verdict(ratio >= way.goal, ">= %.0f", way.goal), float64(ours[way.name])/float64(once), float64(ours[way.name])/float64(parse))
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
