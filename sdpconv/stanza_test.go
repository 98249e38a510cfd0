package sdpconv

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

// capture returns the Jingle stanzas of a recording, in order, with who sent them.
func capture(t testing.TB, file string) []captured {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []captured
	if strings.HasSuffix(file, ".json") {
		var s struct{ Steps []struct{ From, XML string } }
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		for _, st := range s.Steps {
			all = append(all, captured{st.From, readStanza(t, []byte(st.XML))})
		}
	} else {
		root, err := element.Parse(b, element.Limits{Bytes: 1 << 20, Elements: 1 << 16})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range root.Children {
			for _, st := range step.Children {
				all = append(all, captured{step.Local, jingleOf(t, st)})
			}
		}
	}
	return slices.DeleteFunc(all, func(c captured) bool { return c.stanza == nil })
}

type captured struct {
	from   string // a, b; sent, received
	stanza *jingle.Stanza
}

func readStanza(t testing.TB, b []byte) *jingle.Stanza {
	e, err := element.Parse(b, element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return jingleOf(t, e)
}

func jingleOf(t testing.TB, e *element.Element) *jingle.Stanza {
	j := e.Child(jingle.NS, "jingle")
	if j == nil {
		return nil
	}
	s, err := jingle.ParseStanza(j)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

func (c captured) description() jingle.Description {
	return jingle.Description{Contents: c.stanza.Contents, Groups: c.stanza.Groups}
}

// Every recorded session-initiate becomes an offer and its session-accept an answer to it that has nothing the offer has not.
func TestRecordedSessions(t *testing.T) {
	files, _ := filepath.Glob("../testdata/stanzas/*/*")
	golden := ledger{}
	accepted := 0
	for _, f := range files {
		if strings.HasSuffix(f, ".md") || strings.Contains(f, "/quirks/") || strings.Contains(f, "dino-browser") && strings.HasSuffix(f, ".json") {
			continue
		}
		name := filepath.Base(filepath.Dir(f)) + "/" + filepath.Base(f)
		offers := map[string]recordedOffer{}
		for _, c := range capture(t, f) {
			var losses []Loss
			switch c.stanza.Action {
			case jingle.SessionInitiate:
				var o recordedOffer
				o, losses = offerOf(t, name, c)
				offers[c.stanza.SID] = o
			case jingle.SessionAccept:
				o := offers[c.stanza.SID]
				if o.text == "" {
					continue
				}
				accepted++
				losses = answerOf(t, name, o, c)
			}
			golden.add(losses)
		}
	}
	if accepted < 45 {
		t.Errorf("only %d sessions", accepted)
	}
	golden.compare(t, "testdata/stanza-losses.txt", "What is lost or repaired when recorded sessions become SDP for a browser, how often, and why.\n")
}

type recordedOffer struct {
	text  string
	lines Lines
}

func offerOf(t *testing.T, name string, c captured) (recordedOffer, []Loss) {
	t.Helper()
	text, lines, losses, err := ToSDP(c.description(), jingle.Initiator, Offer, nil, Origin{1, 1})
	if err == ErrNoMedia && !slices.ContainsFunc(c.stanza.Contents, func(c jingle.Content) bool { return c.RTP != nil }) {
		return recordedOffer{}, losses
	}
	if err != nil {
		t.Errorf("%s: offer: %v", name, err)
		return recordedOffer{}, losses
	}
	checkBrowserRules(t, name+" offer", text)
	return recordedOffer{text, lines}, losses
}

func answerOf(t *testing.T, name string, o recordedOffer, c captured) []Loss {
	t.Helper()
	text, _, losses, err := ToSDP(c.description(), jingle.Responder, Answer, o.lines, Origin{1, 1})
	if err != nil {
		t.Errorf("%s: answer: %v", name, err)
		return losses
	}
	checkBrowserRules(t, name+" answer", text)
	checkAnswer(t, name, o.text, text)
	return losses
}

// checkBrowserRules checks what browsers demand of each live section (RFC 9429 sections 5.8 to 5.10).
func checkBrowserRules(t *testing.T, name, text string) {
	t.Helper()
	if !strings.HasSuffix(text, "\r\n") || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		t.Errorf("%s: lines do not end in CRLF", name)
	}
	for _, l := range strings.Split(text, "\r\n") {
		if strings.HasSuffix(l, " ") {
			t.Errorf("%s: blank at the end of %q", name, l)
		}
	}
	for mid, facts := range meaningOf(text, nil) {
		if mid == "" {
			continue
		}
		keys := []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup", "rtcp-mux", "rtpmap"}
		if slices.Contains(facts, "kind application") {
			keys = append(keys[:4], "sctp-port")
		}
		for _, key := range keys {
			if !slices.ContainsFunc(facts, func(f string) bool { return f == key || strings.HasPrefix(f, key+" ") }) {
				t.Errorf("%s: mid %q has no %s", name, mid, key)
			}
		}
	}
}

// checkAnswer checks that an answer has the m-lines of the offer and, in each, nothing that the offer has not.
func checkAnswer(t *testing.T, name, offer, answer string) {
	t.Helper()
	m := func(text string) (out []string) {
		for _, l := range strings.Split(text, "\r\n") {
			if strings.HasPrefix(l, "m=") {
				f := strings.Fields(l)
				out = append(out, f[0]+" "+f[2])
			}
		}
		return out
	}
	if !slices.Equal(m(offer), m(answer)) {
		t.Errorf("%s: m-lines %q answered by %q", name, m(offer), m(answer))
	}
	if strings.Contains(answer, "a=setup:actpass") {
		t.Errorf("%s: an answer is actpass", name)
	}
	offered := meaningOf(offer, nil)
	for mid, facts := range meaningOf(answer, nil) {
		for _, f := range facts {
			key, rest, _ := strings.Cut(f, " ")
			switch key {
			case "rtpmap", "extmap", "extmap-allow-mixed":
				ok := slices.Contains(offered[mid], f)
				if key == "extmap" { // the direction may differ
					id, uri, _ := strings.Cut(rest, " ")
					id, _, _ = strings.Cut(id, "/")
					ok = slices.ContainsFunc(offered[mid], func(o string) bool {
						return strings.HasPrefix(o, "extmap "+id) && strings.HasSuffix(o, " "+uri)
					})
				}
				if !ok {
					t.Errorf("%s: mid %q answers %s, which was not offered", name, mid, f)
				}
			}
		}
	}
}

// trace is the browser's side of a call with Dino.
func trace(t *testing.T, file string) []step {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var raw struct{ Trace []json.RawMessage }
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	var out []step
	for _, r := range raw.Trace {
		var s struct{ Who, Type, SDP string }
		if json.Unmarshal(r, &s) == nil && s.Who == "browser" && s.SDP != "" {
			out = append(out, step{Name: filepath.Base(file), Type: s.Type, SDP: s.SDP})
		}
	}
	return out
}

// The first negotiation of every recorded call between Dino and a browser, with the browser's own SDP on the other side.
func TestDinoAndBrowser(t *testing.T) {
	files, _ := filepath.Glob("../testdata/stanzas/dino-browser/*.json")
	if len(files) < 15 {
		t.Fatalf("only %d recordings", len(files))
	}
	for _, f := range files {
		name := filepath.Base(f)
		stanzas := capture(t, strings.TrimSuffix(f, ".json")+".xml")
		browser := trace(t, f)[0]
		if browser.Type == "offer" {
			pageCalls(t, name, browser.SDP, stanzas)
		} else {
			dinoCalls(t, name, browser.SDP, stanzas)
		}
	}
}

func first(t *testing.T, list []captured, a jingle.Action) captured {
	t.Helper()
	i := slices.IndexFunc(list, func(c captured) bool { return c.stanza.Action == a })
	if i < 0 {
		t.Fatalf("no %s", a)
	}
	return list[i]
}

func pageCalls(t *testing.T, name, offer string, stanzas []captured) {
	d, lines, _, err := FromSDP(offer, jingle.Initiator, nil)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if got, want := len(d.Contents), strings.Count(offer, "\nm="); got != want {
		t.Errorf("%s: %d contents of %d m-lines", name, got, want)
	}
	accept := first(t, stanzas, jingle.SessionAccept)
	losses := answerOf(t, name, recordedOffer{offer, lines}, accept)
	for _, l := range losses {
		if strings.Contains(l.Reason, "no such line") {
			t.Errorf("%s: %v", name, l)
		}
	}
	text, _, _, _ := ToSDP(accept.description(), jingle.Responder, Answer, lines, Origin{1, 1})
	if strings.Contains(text, "a=group") || strings.Contains(text, "a=setup:passive") {
		t.Errorf("%s: Dino has no group and is active:\n%s", name, text)
	}
}

func dinoCalls(t *testing.T, name, answer string, stanzas []captured) {
	o, _ := offerOf(t, name, first(t, stanzas, jingle.SessionInitiate))
	d, _, _, err := FromSDP(answer, jingle.Responder, o.lines)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if len(d.Contents) != len(o.lines) || len(d.Groups) != 0 {
		t.Errorf("%s: %d contents, groups %v", name, len(d.Contents), d.Groups)
	}
	for i, c := range d.Contents {
		if c.Name != o.lines[i].Name || c.Creator != jingle.Initiator || c.ICE.Fingerprints[0].Setup != jingle.SetupActive {
			t.Errorf("%s: content %+v", name, c)
		}
	}
}
