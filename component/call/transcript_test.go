package call

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/jingle/element"
)

var update = flag.Bool("update", false, "write the outputs of the transcripts anew")

const transcripts = "../../testdata/calls"

// TestTranscripts replays testdata/calls/*.txt; the format is described in README.md there.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(transcripts, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { replayFile(t, f) })
	}
}

func replayFile(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := newReplay(t)
	var got []string
	for n, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		r.line = n + 1
		if isOutput(line) {
			continue
		}
		got = append(got, line)
		got = append(got, r.step(line)...)
	}
	if !r.ended || len(r.due) > 0 {
		t.Errorf("the call is not over, or timers are left: %v", slices.Collect(maps.Keys(r.due)))
	}
	result := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(result), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := string(text); want != result {
		t.Errorf("the call went differently:\n%s", difference(want, result))
	}
}

func isOutput(line string) bool { return strings.HasPrefix(line, "    ") }

// difference shows the first lines that differ, with what led there.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	n := 0
	for n < len(w) && n < len(g) && w[n] == g[n] {
		n++
	}
	show := func(lines []string) string { return strings.Join(lines[max(0, n-3):min(len(lines), n+4)], "\n") }
	return fmt.Sprintf("line %d\nwant:\n%s\n\ngot:\n%s", n+1, show(w), show(g))
}

// replay is a transcript under way: the machine, and a clock that fires its timers.
type replay struct {
	t       *testing.T
	line    int
	cfg     Config
	names   map[string]jid.JID
	known   []Resource
	machine Machine
	start   func(Input) []string // of a call that its first input makes
	now     time.Duration
	due     map[Timer]time.Duration
	ids     int
	ended   bool
	waiting []Output // requests that wait for their replies
	taken   []string // records of the inputs
	did     []string // what they led to
}

func newReplay(t *testing.T) *replay {
	return &replay{t: t, names: map[string]jid.JID{}, due: map[Timer]time.Duration{}}
}

func (r *replay) fail(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("line %d: %s", r.line, fmt.Sprintf(format, args...))
}

// play takes the lines of a transcript and leaves their outputs aside.
func (r *replay) play(text string) {
	r.t.Helper()
	for line := range strings.Lines(text) {
		r.step(strings.TrimRight(line, "\n"))
	}
}

func (r *replay) clock() time.Time { return time.Unix(0, 0).Add(r.now) }

// step takes one line that is not an output and returns the outputs it causes.
func (r *replay) step(line string) []string {
	line, _, _ = strings.Cut(line, " # ")
	f := strings.Fields(line)
	if len(f) == 0 || strings.HasPrefix(line, "#") {
		return nil
	}
	switch f[0] {
	case "name":
		r.names[f[1]] = jid.MustParse(f[2])
	case "turn":
		r.cfg.TURN = true
	case "known":
		priority, err := strconv.ParseInt(f[2], 10, 8)
		if err != nil {
			r.fail("%v", err)
		}
		r.known = append(r.known, Resource{JID: r.jid(f[1]), Priority: int8(priority), Disco: jingle.Disco{Features: features(f[3:])}})
	case "call":
		return r.call(f[1:])
	case "T+":
		return r.wait(f[1])
	case "B>":
		return r.input(r.browser(f[1:], line))
	case "X>":
		if f[1] == "results" {
			return r.results()
		}
		return r.input(r.peer(f[1:], line))
	case "S>":
		return r.input(Shutdown{Outcome: Outcome(strings.Join(f[1:], ""))})
	default:
		r.fail("what is %q?", f[0])
	}
	return nil
}

func (r *replay) name(j jid.JID) string {
	for short, long := range r.names {
		if long.Equal(j) {
			return short
		}
	}
	return j.String()
}

func (r *replay) jid(name string) jid.JID {
	if j, ok := r.names[name]; ok {
		return j
	}
	j, err := jid.Parse(name)
	if err != nil {
		r.fail("%v", err)
	}
	return j
}

func (r *replay) jids(names []string) []jid.JID {
	var list []jid.JID
	for _, n := range names {
		list = append(list, r.jid(n))
	}
	return list
}

// call begins: "outgoing SID TAB PEER", "incoming TAB...", "direct", "local CALLER CALLEE TAB...".
func (r *replay) call(f []string) []string {
	r.cfg.NewID = func() string { r.ids++; return "id" + strconv.Itoa(r.ids) }
	o := Opening{Kind: Kind(f[0]), TURN: r.cfg.TURN}
	switch o.Kind {
	case KindOutgoing:
		o.SID, o.Tab, o.Peer, o.Known = f[1], r.jid(f[2]), r.jid(f[3]), r.known
	case KindLocal:
		o.Tab, o.Peer, o.Tabs = r.jid(f[1]), r.jid(f[2]), r.jids(f[3:])
	case KindIncoming, KindDirect:
		o.Tabs = r.jids(f[1:])
		r.start = func(in Input) []string { o.First = in; return r.open(o) }
		return nil
	}
	return r.open(o)
}

func (r *replay) open(o Opening) []string {
	r.taken = append(r.taken, string(Record(r.clock(), o)))
	var out []Output
	var err error
	if r.machine, out, err = o.Start(r.cfg); err != nil {
		r.fail("%v", err)
	}
	return r.outputs(out)
}

// results answers everything that waits for a reply, but questions for what the peer is.
func (r *replay) results() []string {
	var lines []string
	for len(r.waiting) > 0 {
		tag := 0
		switch o := r.waiting[0].(type) {
		case SendRequest:
			tag = o.Tag
		case SendPing:
			tag = o.Tag
		}
		lines = append(lines, fmt.Sprintf("    X! result #%d", tag))
		lines = append(lines, r.input(PeerReply{Tag: tag})...)
	}
	return lines
}

// replied takes a request off those that wait.
func (r *replay) replied(in Input) {
	reply, ok := in.(PeerReply)
	r.waiting = slices.DeleteFunc(r.waiting, func(o Output) bool {
		switch o := o.(type) {
		case SendRequest:
			return ok && o.Tag == reply.Tag
		case SendPing:
			return ok && o.Tag == reply.Tag
		}
		return false
	})
}

func (r *replay) input(in Input) []string {
	r.replied(in)
	if r.machine != nil {
		r.taken = append(r.taken, string(Record(r.clock(), in)))
	}
	if r.machine == nil {
		if r.start == nil {
			r.fail("no call yet")
		}
		return r.start(in)
	}
	return r.outputs(r.machine.Handle(r.clock(), in))
}

// wait lets time pass and fires the timers that run out meanwhile, in their order.
func (r *replay) wait(text string) []string {
	d, err := time.ParseDuration(text)
	if err != nil {
		r.fail("%v", err)
	}
	until := r.now + d
	var lines []string
	for {
		timer, at := noTimer, until+1
		for t, due := range r.due {
			if due < at || due == at && t < timer {
				timer, at = t, due
			}
		}
		if timer == noTimer {
			break
		}
		r.now = at
		delete(r.due, timer)
		lines = append(lines, fmt.Sprintf("    T! %v at %v", timer, at))
		lines = append(lines, r.input(Timeout{Timer: timer})...)
	}
	r.now = until
	return lines
}

func (r *replay) outputs(out []Output) []string {
	var lines []string
	for _, o := range out {
		if r.ended {
			if _, late := o.(Ended); late {
				r.fail("the call ends twice")
			}
		}
		switch o := o.(type) {
		case SetTimer:
			r.due[o.Timer] = r.now + o.After
			if o.After == 0 {
				delete(r.due, o.Timer)
			}
		case SendRequest, SendPing:
			r.waiting = append(r.waiting, o)
		case Ended:
			r.ended = true
		}
		if text := Render(o, r.name); text != "" {
			lines = append(lines, "    "+text)
			r.did = append(r.did, "    "+Render(o, jid.JID.String))
		}
	}
	return lines
}

// browser reads "TAB WHAT ...".
func (r *replay) browser(f []string, line string) Input {
	tab := r.jid(f[0])
	switch f[1] {
	case "offer":
		return BrowserOffer{Tab: tab, SDP: r.sdp(f[2:], line)}
	case "answer":
		return BrowserAnswer{Tab: tab, SDP: r.sdp(f[2:], line)}
	case "candidate": // MID LINE CANDIDATE, where - is absent
		index := -1
		if f[3] != "-" {
			index, _ = strconv.Atoi(f[3])
		}
		return BrowserCandidate{Tab: tab, Mid: strings.TrimPrefix(f[2], "-"), Line: index, Candidate: strings.Join(f[4:], " ")}
	case "accept":
		return BrowserAccept{Tab: tab}
	case "cross":
		return BrowserCross{Tab: tab}
	case "decline":
		return BrowserDecline{Tab: tab}
	case "hang-up":
		return BrowserHangUp{Tab: tab}
	case "media":
		return BrowserMedia{Tab: tab, State: MediaState(f[2])}
	case "info": // KIND, and MID unless all contents are meant
		return BrowserInfo{Tab: tab, Info: jingle.InfoKind(f[2]), Mid: strings.Join(f[3:], "")}
	case "lost":
		return BrowserLost{Tab: tab}
	case "back":
		return BrowserBack{Tab: tab}
	case "gone":
		return BrowserGone{Tab: tab}
	}
	r.fail("what does the browser do?")
	return nil
}

// sdp reads "@FILE" or takes the words as they are.
func (r *replay) sdp(f []string, line string) string {
	if len(f) == 1 && strings.HasPrefix(f[0], "@") {
		return string(r.read(f[0]))
	}
	return strings.Join(f, " ")
}

func (r *replay) read(name string) []byte {
	b, err := os.ReadFile(filepath.Join(transcripts, filepath.FromSlash(strings.TrimPrefix(name, "@"))))
	if err != nil {
		r.fail("%v", err)
	}
	return b
}

// peer reads "@FILE", "tie-lost", "reply #TAG ...", "JID unavailable", "JID bounce ID CONDITION", "FROM TO iq ID ..." or "FROM TO KIND SID ...".
func (r *replay) peer(f []string, line string) Input {
	switch {
	case strings.HasPrefix(f[0], "@"):
		return r.stanza(f[0])
	case f[0] == "tie-lost":
		return TieLost{SID: strings.Join(f[1:], "")}
	case f[0] == "reply":
		return r.reply(f[1:])
	case f[1] == "unavailable":
		return PeerUnavailable{From: r.jid(f[0])}
	case f[1] == "bounce":
		return PeerBounce{From: r.jid(f[0]), ID: f[2], Err: jingle.Error{Type: "cancel", Condition: f[3]}}
	case f[2] == "iq":
		return PeerRequest{From: r.jid(f[0]), To: r.jid(f[1]), ID: f[3], Jingle: r.jingle(f[4:])}
	}
	m := jingle.Message{Kind: jingle.MessageKind(f[2]), ID: f[3]}
	if m.Kind == jingle.Propose {
		m.Media = f[4:]
	} else if len(f) > 4 && f[4] == "tie-break" {
		m.TieBreak = true
	} else if len(f) > 4 {
		m.Reason = &jingle.Reason{Condition: jingle.Condition(f[4])}
	}
	return PeerMessage{From: r.jid(f[0]), To: r.jid(f[1]), Message: m}
}

// stanza reads a stanza as it came over the stream.
func (r *replay) stanza(file string) Input {
	e, err := element.Parse(r.read(file), element.Limits{})
	if err != nil {
		r.fail("%s: %v", file, err)
	}
	from, to := r.jid(e.Attr("from")), r.jid(e.Attr("to"))
	if e.Local == "message" {
		m, err := jingle.MessageIn(e)
		if err != nil || m == nil {
			r.fail("%s: no message initiation: %v", file, err)
		}
		return PeerMessage{From: from, To: to, Message: *m}
	}
	return PeerRequest{From: from, To: to, ID: e.Attr("id"), Jingle: r.parse(e.Child(jingle.NS, "jingle"))}
}

func (r *replay) parse(e *element.Element) jingle.Stanza {
	j, err := jingle.ParseStanza(e)
	if err != nil {
		r.fail("%v", err)
	}
	return j
}
