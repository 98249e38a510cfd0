package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"carillon/jingle"
	"carillon/sdpconv"
)

// firstOffer is the SDP that a recorded exchange of two browsers begins with.
func firstOffer(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var recording struct {
		Steps []struct{ Type, SDP string }
	}
	if err := json.Unmarshal(b, &recording); err != nil {
		t.Fatal(err)
	}
	for _, step := range recording.Steps {
		if step.Type == "offer" {
			return step.SDP
		}
	}
	t.Fatalf("%s has no offer", file)
	return ""
}

// TestOffersOfBrowsers answers what Chromium and Firefox offer, as it arrives after the component translated it.
func TestOffersOfBrowsers(t *testing.T) {
	files, err := filepath.Glob("../../testdata/sdp/*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d recordings: %v", len(files), err)
	}
	m, err := newMedia(nil, true, quiet())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		offer, _, _, err := sdpconv.FromSDP(firstOffer(t, file), jingle.Initiator, nil)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		legs, answer, err := m.answer(offer, func(event) {})
		offer.Contents = slices.DeleteFunc(offer.Contents, func(c jingle.Content) bool { return c.RTP == nil })
		if len(offer.Contents) == 0 { // data channels only
			if !errors.Is(err, sdpconv.ErrNoMedia) {
				t.Errorf("%s: %v", file, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		} else {
			checkAnswer(t, filepath.Base(file), legs, offer, answer)
		}
		for _, l := range legs {
			l.close()
		}
	}
}

// checkAnswer wants every content of the offer with one codec and, as browsers bundle, one transport for all.
func checkAnswer(t *testing.T, file string, legs []*leg, offer, answer jingle.Description) {
	t.Helper()
	if len(legs) != 1 || len(answer.Contents) != len(offer.Contents) {
		t.Errorf("%s: %d legs, %d of %d contents", file, len(legs), len(answer.Contents), len(offer.Contents))
		return
	}
	if len(answer.Groups) != 1 || !slices.Contains(answer.Groups[0].Names, offer.Contents[0].Name) {
		t.Errorf("%s: groups %v", file, answer.Groups)
	}
	if legs[0].content != offer.Contents[0].Name || legs[0].remoteUfrag != offer.Contents[0].ICE.Ufrag {
		t.Errorf("%s: candidates belong to %s with %s", file, legs[0].content, legs[0].remoteUfrag)
	}
	for i, c := range answer.Contents {
		first := offer.Contents[i].RTP.PayloadTypes[0]
		if first.Name == "red" { // redundancy around what comes next
			first = offer.Contents[i].RTP.PayloadTypes[1]
		}
		events := func(p jingle.PayloadType) bool { return p.Name == "telephone-event" }
		if n := len(slices.DeleteFunc(slices.Clone(c.RTP.PayloadTypes), events)); c.Name != offer.Contents[i].Name || n != 1 {
			t.Errorf("%s: content %s answered by %s with %d codecs", file, offer.Contents[i].Name, c.Name, n)
		}
		if got, want := slices.ContainsFunc(c.RTP.PayloadTypes, events), slices.ContainsFunc(offer.Contents[i].RTP.PayloadTypes, events); got != want {
			t.Errorf("%s: content %s offers telephone events: %v, answered: %v", file, c.Name, want, got)
		}
		if len(c.RTP.PayloadTypes) == 0 {
			t.Errorf("%s: content %s answered without a codec", file, c.Name)
		} else if got := c.RTP.PayloadTypes[0]; got.ID != first.ID || got.Name != first.Name {
			t.Errorf("%s: content %s prefers %s as %d, answered with %s as %d", file, c.Name, first.Name, first.ID, got.Name, got.ID)
		}
		if c.ICE.Ufrag != legs[0].ufrag || c.ICE.Pwd != legs[0].pwd || len(c.ICE.Fingerprints) == 0 {
			t.Errorf("%s: content %s has another transport", file, c.Name)
		}
	}
}

func TestTransports(t *testing.T) {
	content := func(name string) jingle.Content {
		return jingle.Content{Name: name, RTP: &jingle.RTP{Media: "audio"}, ICE: &jingle.Transport{}}
	}
	bundle := func(names ...string) jingle.Group { return jingle.Group{Semantics: "BUNDLE", Names: names} }
	a, b, c, files := content("a"), content("b"), content("c"), jingle.Content{Name: "f"}
	for name, row := range map[string]struct {
		contents []jingle.Content
		groups   []jingle.Group
		want     [][]string
	}{
		"nothing":           {nil, nil, nil},
		"no media":          {[]jingle.Content{files}, []jingle.Group{bundle("f")}, nil},
		"none bundled":      {[]jingle.Content{a, b}, nil, [][]string{{"a"}, {"b"}}},
		"all bundled":       {[]jingle.Content{a, b}, []jingle.Group{bundle("a", "b")}, [][]string{{"a", "b"}}},
		"some bundled":      {[]jingle.Content{a, b, c}, []jingle.Group{bundle("a", "c", "f")}, [][]string{{"a", "c"}, {"b"}}},
		"two bundles":       {[]jingle.Content{a, b, c}, []jingle.Group{bundle("c"), bundle("a", "b", "c")}, [][]string{{"c"}, {"a", "b"}}},
		"only lip-synched":  {[]jingle.Content{a, b}, []jingle.Group{{Semantics: "LS", Names: []string{"a", "b"}}}, [][]string{{"a"}, {"b"}}},
		"names of no media": {[]jingle.Content{a, files}, []jingle.Group{bundle("f", "x", "a")}, [][]string{{"a"}}},
	} {
		var got [][]string
		for _, p := range transports(jingle.Description{Contents: row.contents, Groups: row.groups}) {
			var names []string
			for _, c := range p.contents {
				names = append(names, c.Name)
			}
			got = append(got, names)
		}
		if !slices.EqualFunc(got, row.want, slices.Equal) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}
