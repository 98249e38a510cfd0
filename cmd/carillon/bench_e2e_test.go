//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	benchPairs  = 64
	benchWindow = 2 * time.Second // of one server at one task
	benchRounds = 4               // of all, in turn

	benchPatience = 20 * time.Second // for one message
	benchOffer    = "../../testdata/calls/dino-0.4.2/chromium.page-calls.video/offer.sdp"
	benchShort    = `"candidate:3585007387 1 udp 2122194687 192.0.2.7 36552 typ host generation 0 ufrag isfl network-id 1"`

	goalMemory   = 1.0 // of peer's, per idle connection, at most
	goalMessages = 3.0 // times peer's, per second of processor time, at least
)

// benchLines lift the limits that are there for strangers.
var benchLines = []string{"limits.frames_per_second = 1000000", "limits.frame_burst = 1000000"}

// BenchmarkBesidePeer compares Carillon with npm's peer, both plain processes on this machine in one run: memory per idle connection, then
// what relaying costs while those stay.  A third process, which only reads and writes, says what of that is the kernel's.  Only the
// ratios mean anything on another machine.
func BenchmarkBesidePeer(b *testing.B) {
	program := filepath.Join(b.TempDir(), "carillon")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for b.Loop() {
		for _, idle := range []int{1000, 5000} {
			compare(b, program, idle)
		}
		explain(b)
	}
}

func compare(b *testing.B, program string, idle int) {
	ours := carillonContender(startDaemon(b, program, benchLines...))
	theirs := peerContender(startPeerServer(b, 20_000))
	bare := bareContender(startBareRelay(b))
	all := []*contender{ours, theirs, bare}
	perConnection := map[*contender]float64{}
	pairs := map[*contender][]benchPair{}
	var open []*benchSocket
	defer func() {
		for _, s := range open {
			s.conn.Close()
		}
		for _, c := range all {
			c.stop()
		}
	}()
	for _, c := range all {
		if c != bare {
			var sockets []*benchSocket
			perConnection[c], sockets = idleMemory(b, c, idle)
			open = append(open, sockets...)
		}
		var ends []*benchSocket
		pairs[c], ends = connectPairs(b, c)
		open = append(open, ends...)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer table.Flush()
	fmt.Fprintf(table, "\n%d idle connections\tcarillon\tpeer 1.0.2\tratio\tgoal\tbare relay\t\n", idle)
	memory := perConnection[ours] / perConnection[theirs]
	fmt.Fprintf(table, "memory per connection\t%.1f KiB\t%.1f KiB\t%.2f\t%s\t\t\n", perConnection[ours]/1024, perConnection[theirs]/1024, memory,
		verdict(memory <= goalMemory, "<= %.0f", goalMemory))
	for _, task := range benchTasks(b) {
		results := map[*contender]*relayed{ours: {}, theirs: {}, bare: {}}
		for range benchRounds {
			for _, c := range all {
				greetAll(b, pairs[c])
				results[c].add(relay(b, c, pairs[c][:task.pairs], task))
			}
		}
		task.print(table, results[ours], results[theirs], results[bare])
	}
}

// idleMemory is what a connection costs that says nothing, in bytes.
func idleMemory(b *testing.B, c *contender, idle int) (perConnection float64, sockets []*benchSocket) {
	// What a server makes once, for the first of its clients, is not what a connection costs.
	for _, s := range connect(b, c, 1_000_000, 60) {
		s.conn.Close()
	}
	before := c.steady()
	sockets = connect(b, c, 0, idle)
	for _, s := range sockets {
		go s.idle()
	}
	return float64(c.steady()-before) / float64(idle), sockets
}

func verdict(met bool, format string, goal float64) string {
	text := fmt.Sprintf(format, goal)
	if met {
		return text + " met"
	}
	return text + " MISSED"
}

// connect opens so many connections, a few at a time.
func connect(b *testing.B, c *contender, from, n int) []*benchSocket {
	b.Helper()
	sockets := make([]*benchSocket, n)
	var next atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, 16)
	for range cap(failed) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				s, err := c.dial(from + int(i))
				if err != nil {
					failed <- fmt.Errorf("%s, connection %d: %w", c.name, i, err)
					return
				}
				sockets[i] = s
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
	return sockets
}

// connectPairs opens a room for each pair, with idle members, and returns all sockets too.
func connectPairs(b *testing.B, c *contender) (pairs []benchPair, all []*benchSocket) {
	b.Helper()
	all = connect(b, c, 2_000_000*roomSize, benchPairs*roomSize)
	for i := 0; i < len(all); i += roomSize {
		pairs = append(pairs, benchPair{c, all[i], all[i+1]})
		for _, s := range all[i+2 : i+roomSize] {
			go s.idle()
		}
	}
	greetAll(b, pairs)
	return pairs, all
}

// greetAll has each of the pairs hear the other.  Those that have no part in a task answer their pings meanwhile.
func greetAll(b *testing.B, pairs []benchPair) {
	b.Helper()
	for _, p := range pairs {
		if err := errors.Join(p.greet(p.a, p.b), p.greet(p.b, p.a)); err != nil {
			b.Fatalf("%s: %v", p.c.name, err)
		}
	}
}

// steady waits until the memory of the server changes no more, and returns it.
func (c *contender) steady() int {
	const least, most = 3, 20 // seconds
	last := c.rss()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for second := 0; second < most; second++ {
		<-again.C
		now := c.rss()
		if second >= least && now <= last+last/200 && now >= last-last/200 {
			return now
		}
		last = now
	}
	return last
}

// A benchPair are two clients of which each answers the other's message with one.
type benchPair struct {
	c    *contender
	a, b *benchSocket
}

// greet makes sure that nothing is on its way any more but what is sent from now on.
func (p benchPair) greet(from, to *benchSocket) error {
	if err := from.send(p.c.wrap(to.id, "candidate", `"greeting"`)); err != nil {
		return err
	}
	to.conn.SetReadDeadline(time.Now().Add(benchPatience))
	_, err := to.await("greeting")
	return err
}

type benchTask struct {
	name, kind, data string
	pairs            int
	burst            int // messages sent at once
}

func benchTasks(b *testing.B) []benchTask {
	sdp, err := os.ReadFile(benchOffer)
	if err != nil {
		b.Fatal(err)
	}
	offer, err := json.Marshal(map[string]string{"type": "offer", "sdp": string(sdp)})
	if err != nil {
		b.Fatal(err)
	}
	size := float64(len(offer)) / 1000
	return []benchTask{
		{"candidates, one pair", "candidate", benchShort, 1, 1},
		{fmt.Sprintf("candidates, %d pairs", benchPairs), "candidate", benchShort, benchPairs, 1},
		{fmt.Sprintf("candidates ten at once, %d pairs", benchPairs), "candidate", benchShort, benchPairs, 10},
		{fmt.Sprintf("offers of %.1f kB, one pair", size), "offer", string(offer), 1, 1},
		{fmt.Sprintf("offers of %.1f kB, %d pairs", size, benchPairs), "offer", string(offer), benchPairs, 1},
	}
}

// relayed is what came of a task.
type relayed struct {
	messages          int
	wall, cpu, kernel time.Duration // kernel is a part of cpu
	latencies         []time.Duration
}

func (r *relayed) add(o relayed) {
	r.messages += o.messages
	r.wall += o.wall
	r.cpu += o.cpu
	r.kernel += o.kernel
	r.latencies = append(r.latencies, o.latencies...)
}

func (r *relayed) rate() float64      { return float64(r.messages) / r.wall.Seconds() }
func (r *relayed) perSecond() float64 { return float64(r.messages) / r.cpu.Seconds() }
func (r *relayed) perMessage(t time.Duration) float64 {
	return float64(t.Microseconds()) / float64(r.messages)
}

// percentile of the latencies, in microseconds.
func (r *relayed) percentile(p float64) float64 {
	slices.Sort(r.latencies)
	return float64(r.latencies[int(p*float64(len(r.latencies)-1))].Nanoseconds()) / 1000
}

// relay has the pairs send each other messages back to back: as soon as the last of a burst arrived, the other side answers.
func relay(b *testing.B, c *contender, pairs []benchPair, task benchTask) relayed {
	b.Helper()
	results := make([]relayed, len(pairs))
	errs := make([]error, len(pairs))
	began := time.Now()
	cpu, kernel := c.cpu()
	end := began.Add(benchWindow)
	var all sync.WaitGroup
	for i, p := range pairs {
		all.Go(func() { results[i], errs[i] = p.play(task, end) })
	}
	all.Wait()
	cpuNow, kernelNow := c.cpu()
	sum := relayed{wall: time.Since(began), cpu: cpuNow - cpu, kernel: kernelNow - kernel}
	if err := errors.Join(errs...); err != nil {
		b.Fatalf("%s, %s: %v", c.name, task.name, err)
	}
	for _, r := range results {
		sum.add(r)
	}
	return sum
}

func (p benchPair) play(task benchTask, end time.Time) (r relayed, err error) {
	ends := [2]*benchSocket{p.a, p.b}
	var bursts [2][]byte
	for turn, to := range []*benchSocket{p.b, p.a} {
		bursts[turn] = bytes.Repeat(p.a.frame(opText, []byte(p.c.wrap(to.id, task.kind, task.data))), task.burst)
	}
	for turn := 0; ; turn = 1 - turn {
		sent := time.Now()
		if sent.After(end) {
			return r, nil
		}
		if _, err := ends[turn].conn.Write(bursts[turn]); err != nil {
			return r, err
		}
		for range task.burst {
			if err := ends[1-turn].heard(task.data); err != nil {
				return r, err
			}
			r.messages++
			r.latencies = append(r.latencies, time.Since(sent))
		}
	}
}

// heard takes the next message, which has to be at least as long as what was sent.
func (s *benchSocket) heard(data string) error {
	s.conn.SetReadDeadline(time.Now().Add(benchPatience))
	payload, err := s.next(true)
	if err == nil && len(payload) < len(data) {
		err = fmt.Errorf("got %s", payload)
	}
	return err
}

func (t benchTask) print(table io.Writer, ours, theirs, bare *relayed) {
	row := func(name, format string, of func(*relayed) float64, goal string) {
		fmt.Fprintf(table, "%s\t"+format+"\t"+format+"\t%.2f\t%s\t"+format+"\t\n", name, of(ours), of(theirs), of(ours)/of(theirs), goal, of(bare))
	}
	row(t.name+": messages/s", "%.0f", (*relayed).rate, "")
	row("median latency", "%.0f us", func(r *relayed) float64 { return r.percentile(0.5) }, "")
	row("99th percentile", "%.0f us", func(r *relayed) float64 { return r.percentile(0.99) }, "")
	row("processor per message", "%.1f us", func(r *relayed) float64 { return r.perMessage(r.cpu) }, "")
	row("of it in the kernel", "%.1f us", func(r *relayed) float64 { return r.perMessage(r.kernel) }, "")
	ratio := ours.perSecond() / theirs.perSecond()
	goal := ""
	if t.pairs > 1 {
		goal = verdict(ratio >= goalMessages, ">= %.0f", goalMessages)
		if ratio < goalMessages {
			goal += fmt.Sprintf(" (bare relay: %.2f)", bare.perSecond()/theirs.perSecond())
		}
	}
	row("messages per processor second", "%.0f", (*relayed).perSecond, goal)
}

// explain prints where memory and time of Carillon go, as its profiles have it.
func explain(b *testing.B) {
	dir := b.TempDir()
	c := carillonContender(startDaemon(b, "", benchLines...))
	defer c.stop()
	heap, cpu := filepath.Join(dir, "heap"), filepath.Join(dir, "cpu")
	empty := c.ask("memory")
	sockets := connect(b, c, 0, 5000)
	for _, s := range sockets {
		go s.idle()
	}
	pairs, ends := connectPairs(b, c)
	defer func() {
		for _, s := range slices.Concat(sockets, ends) {
			s.conn.Close()
		}
	}()
	full := c.ask("memory")
	c.ask("heap " + heap)
	n := float64(len(sockets) + len(ends))
	fmt.Printf("\nper connection: %.1f KiB of heap after a collection, %.2f goroutines\n", float64(full.Heap-empty.Heap)/1024/n,
		float64(full.Goroutines-empty.Goroutines)/n)
	printProfile(b, "heap of the idle connections", heap, "-sample_index=inuse_space")
	for _, task := range benchTasks(b) {
		if task.pairs == 1 {
			continue
		}
		greetAll(b, pairs)
		c.ask("cpu " + cpu)
		relay(b, c, pairs, task)
		c.ask("stop")
		printProfile(b, task.name+": processor time", cpu)
	}
}

// A share is a part of a profile, by the beginning of the functions' names; the first that fits counts.
var shares = []struct{ name, prefix string }{
	{"kernel: receiving, sending, waiting", "internal/runtime/syscall"},
	{"Go: memory, its collection, scheduling, locks, maps", "runtime."}, {"", "internal/runtime"}, {"", "gcWriteBarrier"},
	{"", "aeshash"}, {"", "memeq"}, {"", "indexbyte"}, {"", "sync"}, {"", "internal/sync"}, {"", "internal/bytealg"}, {"", "time"},
	{"gateway: framing, JSON, queues", "carillon/component/gateway"}, {"", "github.com/gobwas/ws"},
	{"rooms", "carillon/component"},
	{"the rest", ""},
}

// printProfile prints the shares of a profile and its largest functions.
func printProfile(b *testing.B, title, file string, options ...string) {
	b.Helper()
	args := append(append([]string{"tool", "pprof", "-top", "-flat", "-nodecount=100000", "-nodefraction=0"}, options...), file)
	cmd := exec.Command("go", args...)
	cmd.Stderr = io.Discard
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	fmt.Printf("\n%s\n", title)
	_, list, _ := strings.Cut(string(out), "cum%\n")
	sums := map[string]float64{}
	var largest []string
	for line := range strings.Lines(list) {
		f := strings.Fields(line)
		if len(f) < 6 {
			continue
		}
		percent, err := strconv.ParseFloat(strings.TrimSuffix(f[1], "%"), 64)
		if err != nil {
			b.Fatalf("%s: %v", line, err)
		}
		sums[shareOf(f[5])] += percent
		if len(largest) < 12 && percent > 0 {
			largest = append(largest, line)
		}
	}
	for _, s := range shares {
		if s.name != "" && sums[s.name] > 0 {
			fmt.Printf("  %5.1f%%  %s\n", sums[s.name], s.name)
		}
	}
	fmt.Print(strings.Join(largest, ""))
}

func shareOf(function string) string {
	name := ""
	for _, s := range shares {
		if s.name != "" {
			name = s.name
		}
		if strings.HasPrefix(function, s.prefix) {
			break
		}
	}
	return name
}
