package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

// convertOffers are recordings whose first offer is converted.
var convertOffers = []string{
	"audio-firefox-chromium", "audio-video-chromium-firefox", "audio-video-firefox-chromium", "gathered-chromium-chromium", "audio-video-data-chromium-chromium",
	"eight-videos-firefox-firefox",
}

func BenchmarkConvert(b *testing.B) {
	for _, name := range convertOffers {
		offer := firstOffer(b, name)
		xml := string(toXML(b, offer))
		b.Run(name+"/SDP-to-XML", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(offer)))
			for b.Loop() {
				toXML(b, offer)
			}
		})
		b.Run(name+"/XML-to-SDP", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(xml)))
			for b.Loop() {
				toSDP(b, xml)
			}
		})
	}
}

func firstOffer(b *testing.B, name string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("../../testdata/sdp", name+".json"))
	if err != nil {
		b.Fatal(err)
	}
	var recording struct {
		Steps []struct{ Type, SDP string }
	}
	if err := json.Unmarshal(text, &recording); err != nil && !strings.Contains(err.Error(), "cannot unmarshal") {
		b.Fatal(err)
	}
	for _, s := range recording.Steps {
		if s.Type == "offer" {
			return s.SDP
		}
	}
	b.Fatalf("%s has no offer", name)
	return ""
}

// convertQueue and convertFrame are used again, as the stream's queue of what it sends and its buffer of what it receives are.
var convertQueue, convertFrame []byte

// toXML returns text that is valid until the next call.
func toXML(b *testing.B, offer string) []byte {
	d, _, _, err := sdpconv.FromSDP(offer, jingle.Initiator, nil)
	if err != nil {
		b.Fatal(err)
	}
	s := jingle.Stanza{Action: jingle.SessionInitiate, SID: "s1", Contents: d.Contents, Groups: d.Groups}
	iq := element.New("", "iq", "type", "set", "id", "1", "to", "bob@example.org/x", "from", "alice@example.org/y")
	convertQueue = iq.AppendAround(convertQueue[:0], "", s.AppendTo)
	return convertQueue
}

// convertReader is used again, as the stream does for all of its stanzas.
var convertReader element.Reader

func toSDP(b *testing.B, xml string) string {
	convertFrame = append(convertFrame[:0], xml...)
	iq, err := convertReader.Read(convertFrame, nil, element.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	s, jerr := jingle.ReadStanza(iq.Child(jingle.NS, "jingle"))
	if jerr != nil {
		b.Fatal(jerr)
	}
	d := jingle.Description{Contents: s.Contents, Groups: s.Groups}
	out, _, _, err := sdpconv.ToSDP(d, jingle.Initiator, sdpconv.Offer, nil, sdpconv.Origin{ID: 1, Version: 1})
	if err != nil {
		b.Fatal(err)
	}
	return out
}
