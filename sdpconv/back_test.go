package sdpconv

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
)

// Every recorded stanza that describes something goes to SDP and back and says the same, but for what is reported.
func TestStanzaRoundTrip(t *testing.T) {
	files, _ := filepath.Glob("../testdata/stanzas/*/*")
	golden := ledger{}
	n := 0
	for _, f := range files {
		if strings.HasSuffix(f, ".md") || strings.Contains(f, "/quirks/") || strings.Contains(f, "dino-browser") && strings.HasSuffix(f, ".json") {
			continue
		}
		offers := map[string]Lines{}
		initiator := map[string]string{}
		for i, c := range capture(t, f) {
			name := fmt.Sprintf("%s#%d %s", filepath.Base(f), i, c.stanza.Action)
			switch c.stanza.Action {
			case jingle.SessionInitiate:
				initiator[c.stanza.SID] = c.from
				lines, losses, ok := backAndForth(t, name, c.description(), jingle.Initiator, Offer, nil)
				golden.add(losses)
				if ok {
					n++
					offers[c.stanza.SID] = lines
				}
			case jingle.ContentAdd:
				author := jingle.Responder
				if c.from == initiator[c.stanza.SID] {
					author = jingle.Initiator
				}
				_, losses, ok := backAndForth(t, name, c.description(), author, Offer, nil)
				golden.add(losses)
				if ok {
					n++
				}
			case jingle.SessionAccept:
				if l := offers[c.stanza.SID]; l != nil {
					n++
					_, losses, _ := backAndForth(t, name, c.description(), jingle.Responder, Answer, l)
					golden.add(losses)
				}
			case jingle.TransportInfo:
				n += candidatesBackAndForth(t, name, c.stanza)
			}
		}
	}
	if n < 400 {
		t.Errorf("only %d stanzas", n)
	}
	golden.compare(t, "testdata/stanza-round-losses.txt", "What is lost or repaired between Jingle, SDP and Jingle over all recorded stanzas, how often, and why.\n")
}

// backAndForth returns the lines after the description, and whether it can be an SDP.
func backAndForth(t *testing.T, name string, d jingle.Description, author jingle.Role, typ Type, l Lines) (Lines, []Loss, bool) {
	t.Helper()
	text, lines, losses, err := ToSDP(d, author, typ, l, Origin{1, 1})
	if err == ErrNoMedia && !slices.ContainsFunc(d.Contents, func(c jingle.Content) bool { return kindOf(&c) != "" }) {
		return nil, losses, false
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return nil, losses, false
	}
	back, _, again, err := FromSDP(text, author, l)
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, text)
		return nil, losses, false
	}
	losses = append(losses, again...)
	want, got := descriptionFacts(d, lines), descriptionFacts(back, nil)
	for _, f := range want {
		if !slices.Contains(got, f) && !excused(f, losses) {
			t.Errorf("%s lost %s", name, f)
		}
	}
	for _, f := range got {
		if !slices.Contains(want, f) && !excused(f, losses) && !implied(f, want) {
			t.Errorf("%s gained %s", name, f)
		}
	}
	return lines, losses, true
}

// descriptionFacts lists every field of a description that is set, without the code under test.  With lines, contents are named by their mids.
func descriptionFacts(d jingle.Description, l Lines) []string {
	names := map[string]string{}
	for _, line := range l {
		names[line.Name] = line.Mid
	}
	var facts []string
	for _, c := range d.Contents {
		name := c.Name
		if mid := names[name]; mid != "" {
			name = mid
		}
		c.Creator, c.Name = 0, ""
		if c.Senders == "" {
			c.Senders = jingle.SendersBoth
		}
		c.RTP = plainRTP(c.RTP)
		facts = append(facts, fieldFacts(name, reflect.ValueOf(c))...)
	}
	for _, g := range d.Groups {
		var mids []string
		for _, n := range g.Names {
			if mid := names[n]; mid != "" {
				n = mid
			}
			mids = append(mids, n)
		}
		facts = append(facts, fmt.Sprint("group ", g.Semantics, mids))
	}
	return facts
}

// plainRTP says in one way what descriptions say in several: the stream of sources, and the main source.
func plainRTP(r *jingle.RTP) *jingle.RTP {
	if r == nil {
		return nil
	}
	x := *r
	x.Sources = slices.Clone(x.Sources)
	for i, s := range x.Sources {
		if s.SSRC == x.SSRC {
			x.SSRC = ""
		}
		has := slices.ContainsFunc(s.Parameters, func(p jingle.Parameter) bool { return p.Name == "msid" })
		if len(r.Streams) == 1 && !has {
			value := strings.TrimSpace(r.Streams[0].ID + " " + r.Streams[0].Track)
			x.Sources[i].Parameters = append(slices.Clip(s.Parameters), jingle.Parameter{Name: "msid", Value: value, HasValue: true})
		}
	}
	if len(x.Sources) > 0 && len(r.Streams) == 1 {
		x.Streams = nil
	}
	return &x
}

// fieldFacts walks a value.  Elements of a list are told by what they say, not by their place, but for payload types, whose order counts.
func fieldFacts(path string, v reflect.Value) []string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return fieldFacts(path, v.Elem())
	case reflect.Struct:
		var facts []string
		for i := range v.NumField() {
			facts = append(facts, fieldFacts(path+"."+v.Type().Field(i).Name, v.Field(i))...)
		}
		return facts
	case reflect.Slice:
		var facts []string
		for i := range v.Len() {
			facts = append(facts, elementFact(path, i, v.Index(i))...)
		}
		return facts
	}
	if v.IsZero() {
		return nil
	}
	return []string{fmt.Sprintf("%s %v", path, v)}
}

func elementFact(path string, i int, v reflect.Value) []string {
	switch x := v.Interface().(type) {
	case jingle.PayloadType:
		facts := []string{fmt.Sprintf("%s[%d] %d", path, i, x.ID)}
		path := fmt.Sprintf("%s %d", path, x.ID)
		x.ID = 0
		if x.Channels == 1 {
			x.Channels = 0
		}
		return append(facts, fieldFacts(path, reflect.ValueOf(x))...)
	case jingle.Candidate:
		x.ID, x.Network = "", "" // of the stanza alone
		if x.RelAddr == "0.0.0.0" || x.Type != "host" && x.RelAddr == "" {
			x.RelAddr, x.RelPort = "", 0 // SDP wants an address
		}
		return []string{fmt.Sprintf("%s %+v", path, x)}
	case jingle.Source:
		var facts []string
		for _, p := range x.Parameters {
			facts = append(facts, fmt.Sprintf("%s %s%s %+v", path, x.SSRC, x.RID, p))
		}
		return facts
	}
	return []string{fmt.Sprintf("%s %+v", path, v)}
}

// implied tells whether a fact of what comes back goes without saying: Jingle trickles, and a content without a transport has that of its bundle.
func implied(f string, want []string) bool {
	name, rest, _ := strings.Cut(f, ".ICE.")
	stub := !slices.ContainsFunc(want, func(x string) bool { return strings.HasPrefix(x, name+".ICE.Ufrag ") })
	return strings.HasSuffix(f, ".ICE.Options trickle") || stub && rest != ""
}

// excused tells whether a reported loss or repair concerns a fact.
func excused(f string, losses []Loss) bool {
	for _, l := range losses {
		key, value, _ := strings.Cut(l.Line, ":")
		_, word, _ := strings.Cut(f, " ")
		switch {
		case strings.HasPrefix(l.Line, "content ") && strings.HasPrefix(f, strings.Trim(strings.TrimPrefix(l.Line, "content "), `"`)+"."):
			return true
		case key == "a=candidate" && strings.Contains(f, ".Candidates ") && strings.Contains(word, " "+strings.Fields(value)[4]+" "),
			key == "a=candidate" && strings.Contains(f, ".Candidates ") && strings.Contains(word, "Component:2"),
			key == "a=crypto" && strings.Contains(f, ".Encryption."),
			key == "a=ssrc" && strings.Contains(f, ".Sources ") && value != "" && strings.HasPrefix(word, strings.Fields(value)[0]),
			strings.HasPrefix(l.Line, "<") && strings.Contains(f, ".Other "),
			key == "a=rtcp-mux" && strings.Contains(f, ".RTCPMux "),
			key == "a=setup" && strings.Contains(f, ".Fingerprints "):
			return true
		}
	}
	return false
}

// candidatesBackAndForth checks that the candidates of a transport-info are the same after having been lines of SDP.
func candidatesBackAndForth(t *testing.T, name string, s *jingle.Stanza) int {
	t.Helper()
	n := 0
	for _, c := range s.Contents {
		if c.ICE == nil {
			continue
		}
		n = 1
		for _, x := range c.ICE.Candidates {
			back, ufrag, err := ParseCandidate(FormatCandidate(x, c.ICE.Ufrag))
			if err != nil || ufrag != c.ICE.Ufrag {
				t.Errorf("%s: %v, ufrag %q", name, err, ufrag)
			}
			want, got := elementFact("", 0, reflect.ValueOf(x)), elementFact("", 0, reflect.ValueOf(back))
			if !slices.Equal(want, got) {
				t.Errorf("%s: %s comes back as %s", name, want, got)
			}
		}
	}
	return n
}
