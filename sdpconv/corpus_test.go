package sdpconv

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// step is one description of a recorded scenario.
type step struct {
	Name      string // scenario and number
	From, SDP string
	Type      string
	Candidate struct{ Candidate string }
}

func (s step) author() jingle.Role {
	if s.From == "b" {
		return jingle.Responder
	}
	return jingle.Initiator
}

func (s step) kind() Type {
	if s.Type == "answer" {
		return Answer
	}
	return Offer
}

// scenarios returns the steps of every recording of two browsers.
func scenarios(t testing.TB) map[string][]step {
	files, _ := filepath.Glob("../testdata/sdp/*.json")
	if len(files) < 80 {
		t.Fatalf("only %d recordings", len(files))
	}
	all := map[string][]step{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var s struct{ Steps []json.RawMessage }
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		for i, raw := range s.Steps {
			var st step
			if err := json.Unmarshal(raw, &st); err != nil {
				continue // a step of another shape
			}
			st.Name = fmt.Sprintf("%s#%d", name, i)
			all[name] = append(all[name], st)
		}
	}
	return all
}

// negotiation keeps the lines of a peer connection through offers, answers and rollbacks.
type negotiation struct {
	stable  Lines
	pending map[string]Lines
}

func (n *negotiation) before(s step) Lines {
	if s.kind() == Answer {
		return n.pending[map[string]string{"a": "b", "b": "a"}[s.From]]
	}
	return n.stable
}

func (n *negotiation) after(s step, l Lines) {
	if s.kind() == Answer {
		n.stable, n.pending = l, map[string]Lines{}
		return
	}
	if n.pending == nil {
		n.pending = map[string]Lines{}
	}
	n.pending[s.From] = l
}

// throughXML sends a description as the stanza of a call.
func throughXML(t *testing.T, d jingle.Description, typ Type) jingle.Description {
	t.Helper()
	s := jingle.Stanza{Action: jingle.SessionInitiate, SID: "s1", Contents: d.Contents, Groups: d.Groups}
	if typ == Answer {
		s.Action = jingle.SessionAccept
	}
	e, err := element.Parse([]byte(s.Element().String()), element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	read, jerr := jingle.ParseStanza(e)
	if jerr != nil {
		t.Fatal(jerr)
	}
	return jingle.Description{Contents: read.Contents, Groups: read.Groups}
}

// Every SDP of the corpus goes to Jingle, through XML and back, and means the same but for what is reported; the reports are golden.
func TestCorpusRoundTrip(t *testing.T) {
	golden := map[string]int{}
	n := 0
	for name, steps := range scenarios(t) {
		var neg negotiation
		for _, s := range steps {
			if s.Type != "offer" && s.Type != "answer" {
				continue
			}
			n++
			lines, losses := roundTrip(t, s, neg.before(s))
			neg.after(s, lines)
			for _, l := range losses {
				key, _, _ := strings.Cut(l.Line, ":")
				if l.Number > 0 && strings.HasPrefix(key, "m=") {
					key, _, _ = strings.Cut(key, " ")
				}
				golden[fmt.Sprintf("%s %s: %s: %s", name, s.Type, key, l.Reason)]++
			}
		}
	}
	if n < 250 {
		t.Errorf("only %d descriptions", n)
	}
	compareGolden(t, "testdata/losses.txt", golden)
}

func roundTrip(t *testing.T, s step, l Lines) (Lines, []Loss) {
	t.Helper()
	d, after, losses, err := FromSDP(s.SDP, s.author(), l)
	without := map[int]bool{}
	for _, x := range losses {
		without[x.Number] = true
	}
	want := meaningOf(s.SDP, without)
	if errors.Is(err, ErrNoMedia) && len(want) == 1 {
		return l, []Loss{{Line: "all", Reason: ErrNoMedia.Error()}}
	}
	if err != nil {
		t.Errorf("%s: %v", s.Name, err)
		return l, nil
	}
	text, _, back, err := ToSDP(throughXML(t, d, s.kind()), s.author(), s.kind(), l, Origin{1, 1})
	if err != nil {
		t.Errorf("%s: %v", s.Name, err)
		return after, losses
	}
	if diff := want.compare(meaningOf(text, nil)); diff != "" {
		t.Errorf("%s:\n%s", s.Name, diff)
	}
	if s.kind() == Answer && strings.Count(text, "\nm=") != strings.Count(s.SDP, "\nm=") {
		t.Errorf("%s: the answer has %d m-lines", s.Name, strings.Count(text, "\nm="))
	}
	if _, err := parse(text); err != nil {
		t.Errorf("%s: written %v", s.Name, err)
	}
	return after, append(losses, back...)
}

func compareGolden(t *testing.T, file string, counts map[string]int) {
	t.Helper()
	var lines []string
	for k, n := range counts {
		lines = append(lines, fmt.Sprintf("%s (%d)", k, n))
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.Split(string(want), "\n")
	for _, l := range lines {
		if !slices.Contains(old, l) {
			t.Errorf("%s has not: %s", file, l)
		}
	}
	for _, l := range old {
		if l != "" && !slices.Contains(lines, l) {
			t.Errorf("%s has, and it no longer comes: %s", file, l)
		}
	}
}
