package component

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

	"carillon/component/gateway"
)

var update = flag.Bool("update", false, "write the outputs of the transcripts anew")

// TestTranscripts replays testdata/rooms/*.txt through sessions; the format is described in README.md there.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../testdata/rooms/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { replayRooms(t, f) })
	}
}

func replayRooms(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &roomReplay{t: t, pages: map[string]*scribe{}}
	var got []string
	for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
		if !strings.HasPrefix(line, "    ") {
			got = append(got, line)
			got = append(got, r.step(line)...)
		}
	}
	if s := r.c.Stats(); s.Rooms != 0 || s.Members != 0 {
		t.Errorf("left at the end: %+v", s)
	}
	result := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(result), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := strings.Split(string(text), "\n")
	for i, line := range strings.Split(result, "\n") {
		if i >= len(want) || line != want[i] {
			t.Fatalf("line %d is\n%s\nwant\n%s", i+1, line, want[min(i, len(want)-1)])
		}
	}
}

// roomReplay is a transcript under way.
type roomReplay struct {
	t     *testing.T
	c     *Component
	pages map[string]*scribe
	ids   []string // member ids and names in turn, for a strings.Replacer
	out   []string // since the last step
}

// scribe is a socket that writes down what its page is sent.
type scribe struct {
	discard
	r       *roomReplay
	name    string
	session gateway.Session
}

func (s *scribe) Send(f gateway.Frame) {
	b, err := gateway.Encode(f)
	if err != nil {
		s.r.t.Fatal(err)
	}
	if f.Event() == "hello" {
		return
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b, &fields); err != nil {
		s.r.t.Fatalf("%v: %s", err, b)
	}
	line := string(b)
	switch string(fields["event"]) {
	case `"joined_room"`:
		var own string
		json.Unmarshal(fields["own_id"], &own)
		if !slices.Contains(s.r.ids, quote(own)) {
			s.r.ids = append(s.r.ids, quote(own), quote(s.name))
		}
		line = fmt.Sprintf(`{"event":"joined_room","own_id":%s,"peers":%s}`, fields["own_id"], fields["peers"])
	case `"error"`:
		line = fmt.Sprintf(`{"event":"error","message":%s,"code":%s}`, fields["message"], fields["code"])
	}
	s.r.out = append(s.r.out, "    B< "+s.name+" "+line)
}

// step carries out a line and returns what was sent.
func (r *roomReplay) step(line string) []string {
	limits, isLimits := strings.CutPrefix(line, "limits ")
	if r.c == nil {
		r.c, _ = newTestComponent(r.t, func(cfg *Config) {
			for key, field := range map[string]*int{"members": &cfg.Rooms.Members, "fields": &cfg.Rooms.StatusFields, "bytes": &cfg.Rooms.StatusBytes} {
				if _, value, ok := strings.Cut(limits, key+"="); ok && isLimits {
					fmt.Sscan(value, field)
				}
			}
		})
	}
	rest, ok := strings.CutPrefix(line, "B> ")
	if !ok {
		return nil
	}
	r.out = nil
	name, text, _ := strings.Cut(rest, " ")
	p := r.pages[name]
	if p == nil {
		p = &scribe{r: r, name: name}
		p.ip = pageIP(len(r.pages))
		p.session = r.c.Open(p)
		r.pages[name] = p
	}
	if text == "closed" {
		p.session.Closed(false)
		delete(r.pages, name)
	} else {
		r.frame(p, text)
	}
	names := strings.NewReplacer(r.ids...)
	for i := range r.out {
		r.out[i] = names.Replace(r.out[i])
	}
	return r.out
}

// frame does with a frame what the gateway does.
func (r *roomReplay) frame(p *scribe, text string) {
	swap := slices.Clone(r.ids)
	slices.Reverse(swap) // names to ids
	req, derr := gateway.Decode([]byte(strings.NewReplacer(swap...).Replace(text)))
	if derr != nil {
		p.Send(derr)
		return
	}
	f, err := p.session.Handle(req)
	var e *gateway.Error
	switch {
	case errors.As(err, &e):
		p.Send(e)
	case err != nil:
		r.t.Fatal(err)
	case f != nil && f != gateway.Later:
		p.Send(f)
	}
}
