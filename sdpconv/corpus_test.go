package sdpconv

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

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
	e, err := element.Parse(s.AppendTo(nil, ""), element.Limits{})
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
	golden := ledger{}
	n := 0
	for _, steps := range scenarios(t) {
		var neg negotiation
		for _, s := range steps {
			if s.Type != "offer" && s.Type != "answer" {
				continue
			}
			n++
			lines, losses := roundTrip(t, s, neg.before(s), ToSDP)
			neg.after(s, lines)
			golden.add(losses)
		}
	}
	if n < 250 {
		t.Errorf("only %d descriptions", n)
	}
	golden.compare(t, "testdata/losses.txt", "What is lost between SDP, Jingle and SDP over all recordings of browsers, how often, and why.\n")
}

// lostLines is the lines of which nothing needs to come back.
func lostLines(losses []Loss) map[int]bool {
	lost := map[int]bool{}
	for _, l := range losses {
		if !strings.HasSuffix(l.Reason, " of a candidate") { // the rest of the line stays
			lost[l.Number] = true
		}
	}
	return lost
}

type toFunc func(jingle.Description, jingle.Role, Type, Lines, Origin) (string, Lines, []Loss, error)

// roundTrip returns the lines after a step, and what both ways reported.
func roundTrip(t *testing.T, s step, l Lines, to toFunc) (Lines, []Loss) {
	t.Helper()
	d, after, losses, err := FromSDP(s.SDP, s.author(), l)
	if err != nil {
		t.Errorf("%s: %v", s.Name, err)
		return l, nil
	}
	without := lostLines(losses)
	text, _, back, err := to(throughXML(t, d, s.kind()), s.author(), s.kind(), l, Origin{1, 1})
	if err != nil {
		t.Errorf("%s: %v", s.Name, err)
		return after, losses
	}
	want, got := meaningOf(s.SDP, without), meaningOf(text, nil)
	if diff := want.compare(got, losses, back); diff != "" {
		t.Errorf("%s:\n%s\n%s", s.Name, diff, text)
	}
	if s.kind() == Answer && strings.Count(text, "\nm=") != strings.Count(s.SDP, "\nm=") {
		t.Errorf("%s: the answer has %d m-lines", s.Name, strings.Count(text, "\nm="))
	}
	if err := new(document).parse(text); err != nil {
		t.Errorf("%s: written %v", s.Name, err)
	}
	return after, append(losses, back...)
}
