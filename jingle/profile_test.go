package jingle

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carillon/jingle/element"
)

// profileCase is one fixture of a client: what it writes, how it has to be written to, or what it answers.
type profileCase struct {
	client, field string
	e             *element.Element // reads, writes or does
}

func (c profileCase) by() Role { return parseRole(c.e.Attr("by")) }

// stanza reads the stanza in a child of the fixture.
func (c profileCase) stanza(t *testing.T, local string) Stanza {
	t.Helper()
	e := c.e.Child("", local)
	if e == nil {
		t.Fatalf("no <%s/>", local)
	}
	s, err := ParseStanza(only(t, e))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func profileCases(t testing.TB) []profileCase {
	files, _ := filepath.Glob("../testdata/stanzas/quirks/profiles/*.xml")
	var all []profileCase
	for _, f := range files {
		root := parseXML(t, "quirks/profiles/"+filepath.Base(f))
		for _, client := range strings.Split(root.Attr("clients"), ", ") {
			for _, e := range root.Children {
				for field := range strings.SplitSeq(e.Attr("field"), " ") {
					all = append(all, profileCase{client, field, e})
				}
			}
		}
	}
	return all
}

// Each entry of a profile is what the fixtures of the client show.
func TestProfileEntries(t *testing.T) {
	for _, c := range profileCases(t) {
		t.Run(c.client+"/"+c.field+"/"+c.e.Local, func(t *testing.T) {
			p, ok := ProfileNamed(c.client)
			if !ok {
				t.Fatal("no such profile")
			}
			switch c.e.Local {
			case "reads":
				got, want := p.Read(c.stanza(t, "written"), c.by()), c.stanza(t, "means")
				if !reflect.DeepEqual(got, want) {
					t.Errorf("read as\n%+v\nwant\n%+v", written(got), written(want))
				}
			case "writes":
				got, want := mustParse(t, string(p.AppendTo(nil, "", c.stanza(t, "means"), c.by()))), only(t, c.e.Child("", "written"))
				if canonical(got) != canonical(want) {
					t.Errorf("written as\n%s\nwant\n%s", canonical(got), canonical(want))
				}
			case "does":
				got, want := reflect.ValueOf(p).FieldByName(c.field).Interface(), shown(t, c)
				if got != want {
					t.Errorf("%s is %v, the fixture shows %v", c.field, got, want)
				}
			}
			// What is not the client's habit must not come out the same, or the fixture shows nothing.
			if c.e.Local == "writes" && canonical(mustParse(t, string(Profile{Version: "1"}.AppendTo(nil, "", c.stanza(t, "means"), c.by())))) == canonical(only(t, c.e.Child("", "written"))) {
				t.Error("the fixture does not need the entry")
			}
		})
	}
}

// No profile claims anything that no fixture shows.
func TestProfileEntriesShown(t *testing.T) {
	have := map[string]bool{}
	for _, c := range profileCases(t) {
		p, _ := ProfileNamed(c.client)
		have[p.Name+" "+p.Version+" "+c.field] = true
	}
	for _, p := range Profiles {
		v := reflect.ValueOf(p)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() || f.Type.Kind() == reflect.String || v.Field(i).IsZero() {
				continue
			}
			if !have[p.Name+" "+p.Version+" "+f.Name] {
				t.Errorf("%s %s: %s is shown by no fixture", p.Name, p.Version, f.Name)
			}
		}
	}
}

// canonical writes an element with its attributes in order and without the white space of the fixture.
func canonical(e *element.Element) string {
	attrs := slices.Clone(e.Attrs)
	slices.SortFunc(attrs, func(a, b element.Attr) int { return strings.Compare(a.Local, b.Local) })
	var b strings.Builder
	fmt.Fprintf(&b, "<%s %s %v %s>", e.Space, e.Local, attrs, strings.TrimSpace(e.Text))
	for _, c := range e.Children {
		b.WriteString(canonical(c))
	}
	return b.String() + "</>"
}

// shown derives the value of a field from what the client did: its answer to what was sent, or what it wrote of its own accord.
func shown(t *testing.T, c profileCase) any {
	answer := c.e.Child("", "answer")
	did := func(local string) bool {
		return answer != nil && slices.ContainsFunc(answer.Children, func(e *element.Element) bool {
			return e.Local == local || e.Local == "jingle" && e.Attr("action") == local
		})
	}
	switch c.field {
	case "Add":
		return shownAddition(did)
	case "AcceptsWhole":
		return did("session-accept")
	case "Rejects", "Removes", "Withdraws", "Modifies", "ModifiesBoth", "Informed", "Mutes", "Holds", "NewCredential":
		return did("result") && !did("ignored") && !did("session-terminate")
	case "InitiatorRestart":
		return c.by() == Responder && c.stanza(t, "sent").Action == TransportInfo && did("ignored")
	case "WholeAccept":
		sent := c.stanza(t, "sent")
		return sent.Action == SessionAccept && did("session-terminate")
	case "NoBundle":
		return len(c.stanza(t, "sent").Groups) > 0 && len(c.stanza(t, "answer").Groups) == 0
	case "SingleCandidate":
		return len(c.stanza(t, "sent").Contents[0].ICE.Candidates) > len(answer.Children)
	}
	written := c.stanza(t, "written").Contents[0]
	switch c.field {
	case "Restart":
		if len(written.ICE.Candidates) == 0 {
			return RestartEmpty
		}
		return RestartInfo
	case "StubTransport":
		return written.ICE.Ufrag == "" && len(written.ICE.Fingerprints) == 0
	case "NoDTLS":
		return written.unencrypted()
	case "TCP":
		return slices.ContainsFunc(written.ICE.Candidates, func(c Candidate) bool { return c.Protocol == "tcp" })
	case "MDNS":
		return slices.ContainsFunc(written.ICE.Candidates, func(c Candidate) bool { return isMDNS(c.IP) })
	}
	t.Fatalf("nothing derives %s", c.field)
	return nil
}

func shownAddition(did func(string) bool) Addition {
	switch {
	case did("content-accept"), did("session-accept"):
		return AddTaken
	case did("content-reject"), did("error"):
		return AddRejected
	case did("user"):
		return AddAsked
	}
	return AddIgnored
}

// discoAnswer reads a recorded answer to a disco#info request.
func discoAnswer(t *testing.T, name string) Disco {
	t.Helper()
	var d Disco
	for _, e := range parseXML(t, name).Child("http://jabber.org/protocol/disco#info", "query").Children {
		if e.Local == "identity" {
			d.Identities = append(d.Identities, Identity{e.Attr("category"), e.Attr("type"), e.Attr("name")})
		} else {
			d.Features = append(d.Features, e.Attr("var"))
		}
	}
	return d
}

func TestProfileOf(t *testing.T) {
	for _, c := range []struct {
		disco                Disco
		name, version, batch string
	}{
		{Disco{Node: "https://dino.im"}, "Dino", "0.4.2, 0.5.1", ""},
		{Disco{Identities: []Identity{{"client", "pc", "Dino"}}}, "Dino", "0.4.2, 0.5.1", ""},
		{Disco{Node: "http://conversations.im", Features: []string{NS, NSDataICE}}, "Conversations", "2.19.5", ""},
		{Disco{Node: "http://conversations.im", Identities: []Identity{{"client", "phone", "Cheogram"}}}, "Conversations", "2.12.8", ""},
		{Disco{Identities: []Identity{{"client", "phone", "Conversations"}}, Features: []string{NSDataICE}}, "Conversations", "2.19.5", ""},
		{Disco{Node: "https://movim.eu/", Features: []string{featureBatch}}, "Movim", "0.34.1", "batch"},
		{Disco{Node: "http://monal-im.org/"}, "Monal", "2024-10", ""},
		{Disco{Node: "http://tigase.org/TigaseSwiftX", Identities: []Identity{{"client", "phone", "Siskin IM"}}}, "Siskin", "7.4.0", ""},
		{Disco{Node: "http://tigase.org/TigaseSwiftX", Identities: []Identity{{"client", "pc", "Beagle IM"}}}, "Beagle", "5.3.6", ""},
		{Disco{Node: "https://stanzajs.org"}, "stanza", "12.22.1", ""},
		{discoAnswer(t, "stanza-js/disco-info-chromium.xml"), "stanza", "12.22.1", ""},
		{Disco{Features: []string{"urn:xmpp:json:0", "urn:xmpp:psa"}}, "Unknown", "", ""},
		{Disco{Node: "http://jitsi.org/jitsimeet"}, "Jitsi Meet", "2026-08", ""},
		{Disco{Node: "http://gajim.org"}, "Gajim", "1.7.3", ""},
		{Disco{Node: "https://www.psi-plus.com/#"}, "Psi", "2026-08", ""},
		{Disco{Node: "http://psi-im.org"}, "Psi", "2026-08", ""},
		{Disco{Node: "https://call.movim.eu"}, "Unknown", "", ""},
		{Disco{Node: "https://movim.eu.example.org/monal"}, "Unknown", "", ""},
		{Disco{Node: "https://dino.im", Identities: []Identity{{"client", "web", "Carillon"}}}, "Unknown", "", ""},
		{Disco{Node: "urn:carillon:jingle-echo"}, "jingle-echo", "2", ""},
		{Disco{Node: "https://example.org/dinosaur", Identities: []Identity{{"client", "pc", "Dinosaur"}}}, "Unknown", "", ""},
		{Disco{Features: []string{featureBatch}}, "Unknown", "", "batch"},
		{Disco{}, "Unknown", "", ""},
	} {
		p := ProfileOf(c.disco)
		if p.Name != c.name || p.Version != c.version || p.BatchCandidates != (c.batch != "") {
			t.Errorf("%+v is %s %s, batch %v", c.disco, p.Name, p.Version, p.BatchCandidates)
		}
	}
}

func TestProfileNamed(t *testing.T) {
	for name, version := range map[string]string{
		"dino": "0.4.2, 0.5.1", "DINO 0.4": "0.4.2, 0.5.1", "Conversations": "2.19.5", "conversations 2.12": "2.12.8", "conversations  2.12.8": "2.12.8",
		"jitsi": "2026-08", "unknown": "", "stanza": "12.22.1",
	} {
		if p, ok := ProfileNamed(name); !ok || p.Version != version {
			t.Errorf("%q: %s %s, %v", name, p.Name, p.Version, ok)
		}
	}
	for _, name := range []string{"", "d", "din", "conversations 2.1", "conversations 9", "dino im"} {
		if p, ok := ProfileNamed(name); ok {
			t.Errorf("%q: %s", name, p.Name)
		}
	}
	for i, p := range Profiles {
		if found, ok := ProfileNamed(p.Name + " " + p.Version); !ok || found != Profiles[i] {
			t.Errorf("%s %s is not found by its own name", p.Name, p.Version)
		}
	}
	if unknown := Profiles[0]; unknown != (Profile{Name: "Unknown"}) {
		t.Errorf("the first is not nobody's: %+v", unknown)
	}
}

// TCP and names in .local are for those that are known to take them.
func TestTakes(t *testing.T) {
	stanza, _ := ProfileNamed("stanza")
	for _, c := range []struct {
		candidate       Candidate
		unknown, stanza bool
	}{
		{Candidate{Protocol: "udp", IP: "192.0.2.1"}, true, true},
		{Candidate{Protocol: "tcp", IP: "192.0.2.1"}, false, true},
		{Candidate{Protocol: "udp", IP: "0b1c.LOCAL"}, false, true},
		{Candidate{Protocol: "udp", IP: "local"}, true, true},
	} {
		if got := (Profile{}).Takes(c.candidate); got != c.unknown {
			t.Errorf("unknown takes %+v: %v", c.candidate, got)
		}
		if got := stanza.Takes(c.candidate); got != c.stanza {
			t.Errorf("stanza takes %+v: %v", c.candidate, got)
		}
	}
}

// Reading and writing leave the stanza as it was, and what is written for a client is read from it as the same senders.
func TestProfileInverse(t *testing.T) {
	for _, p := range Profiles {
		for _, by := range []Role{Initiator, Responder} {
			for _, senders := range []Senders{SendersBoth, SendersInitiator, SendersResponder} {
				s := Stanza{Action: ContentModify, SID: "s", Contents: []Content{{Name: "0", Senders: senders, RTP: &RTP{
					HdrExts: []HdrExt{{ID: 1, URI: "u", Senders: senders}}}}}}
				written, err := ParseStanza(mustParse(t, string(p.AppendTo(nil, "", s, by))))
				if err != nil {
					t.Fatal(err)
				}
				before := string(p.AppendTo(nil, "", written, by))
				if got := p.Read(written, by).Contents[0]; got.Senders != senders || got.RTP.HdrExts[0].Senders != senders {
					t.Errorf("%s, %s: %s is read as %+v", p.Name, by, senders, got)
				}
				if string(p.AppendTo(nil, "", written, by)) != before {
					t.Errorf("%s changes what it reads", p.Name)
				}
			}
		}
	}
}
