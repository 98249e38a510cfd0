package sdpconv

import (
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"

	"github.com/pion/sdp/v3"
)

// offerOfCorpus is what a browser offers with audio, video and a data channel.
func offerOfCorpus(b testing.TB, name string) string {
	b.Helper()
	for _, s := range scenarios(b)[name] {
		if s.Type == "offer" {
			return s.SDP
		}
	}
	b.Fatal("no offer")
	return ""
}

func xmlOf(d jingle.Description) string {
	return string(jingle.Stanza{Action: jingle.SessionInitiate, SID: "s1", Contents: d.Contents, Groups: d.Groups}.AppendTo(nil, ""))
}

var benchmarked = []string{"audio-video-data-chromium-chromium", "audio-firefox-firefox"}

// The floor is pion/sdp's parse alone.
func BenchmarkPionParse(b *testing.B) {
	for _, name := range benchmarked {
		text := offerOfCorpus(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var d sdp.SessionDescription
				if err := d.UnmarshalString(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFromSDP(b *testing.B) {
	for _, name := range benchmarked {
		text := offerOfCorpus(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := FromSDP(text, jingle.Initiator, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSDPToXML(b *testing.B) {
	for _, name := range benchmarked {
		text := offerOfCorpus(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, _, _, err := FromSDP(text, jingle.Initiator, nil)
				if err != nil || xmlOf(d) == "" {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkToSDP(b *testing.B) {
	for _, name := range benchmarked {
		d, _, _, err := FromSDP(offerOfCorpus(b, name), jingle.Initiator, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkXMLToSDP(b *testing.B) {
	for _, name := range benchmarked {
		d, _, _, err := FromSDP(offerOfCorpus(b, name), jingle.Initiator, nil)
		if err != nil {
			b.Fatal(err)
		}
		xml := []byte(xmlOf(d))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e, err := element.Parse(xml, element.Limits{})
				if err != nil {
					b.Fatal(err)
				}
				s, jerr := jingle.ParseStanza(e)
				if jerr != nil {
					b.Fatal(jerr)
				}
				if _, _, _, err := ToSDP(jingle.Description{Contents: s.Contents, Groups: s.Groups}, jingle.Initiator, Offer, nil, Origin{1, 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
