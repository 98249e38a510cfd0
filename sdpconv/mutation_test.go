package sdpconv

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
)

// Recordings with lines left out, doubled, moved and altered have the properties that the fuzz targets state.
func TestMutatedSDP(t *testing.T) {
	var texts []string
	wild, _ := filepath.Glob("../testdata/sdp/wild/*.sdp")
	for _, f := range wild {
		texts = append(texts, readFile(t, f))
	}
	all := scenarios(t)
	for _, name := range []string{"audio-video-data-chromium-chromium", "audio-video-firefox-chromium", "simulcast-firefox-firefox", "gathered-firefox-firefox"} {
		for _, s := range all[name] {
			if s.SDP != "" {
				texts = append(texts, s.SDP)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 2000 {
		checkFromSDP(t, mutate(r, oneOf(r, texts), oneOf(r, texts), "\r\n"), i%2 == 0)
	}
}

// The same for stanzas, cut at their tags.
func TestMutatedStanzas(t *testing.T) {
	var texts []string
	files, _ := filepath.Glob("../testdata/stanzas/stanza-js/*.json")
	for _, f := range append(files, "../testdata/stanzas/dino-0.4.2/video-answered.caller.xml", "../testdata/stanzas/dino-browser/chromium.page-calls.video.xml") {
		for _, c := range capture(t, f) {
			if c.stanza.Action == jingle.SessionInitiate || c.stanza.Action == jingle.SessionAccept {
				texts = append(texts, strings.ReplaceAll(string(c.stanza.AppendTo(nil, "")), "><", ">\n<"))
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 2000 {
		checkToSDP(t, mutate(r, oneOf(r, texts), oneOf(r, texts), "\n"), i%2 == 0)
	}
}

func oneOf[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// fragments are what values are altered to and with.
var fragments = []string{
	"", " ", "0", "-1", "65536", "4294967296", ":", ";", "=", "/", "*", "a b", "\u00e9", "\uFFFD", "9999999999999999999999", "%22", "\"", "BUNDLE",
	"none", "actpass", "passive", "recvonly", "inactive", "audio", "text", "application", "webrtc-datachannel", "RTP/AVP", "UDP/DTLS/SCTP", "apt=96", "255",
}

// mutate alters a text in a few places; other lends lines.
func mutate(r *rand.Rand, text, other, end string) string {
	lines, lent := strings.Split(text, end), strings.Split(other, end)
	for range 1 + r.IntN(6) {
		i, j := r.IntN(len(lines)), r.IntN(len(lines))
		switch r.IntN(7) {
		case 0:
			lines = slices.Delete(lines, i, i+1)
		case 1:
			lines = slices.Insert(lines, i, lines[j])
		case 2:
			lines[i], lines[j] = lines[j], lines[i]
		case 3:
			lines = slices.Insert(lines, i, oneOf(r, lent))
		case 4:
			at := r.IntN(len(lines[i]) + 1)
			lines[i] = lines[i][:at] + oneOf(r, fragments) + lines[i][at:]
		case 5:
			words := strings.FieldsFunc(lines[i], func(c rune) bool { return strings.ContainsRune(" :;=/'", c) })
			if len(words) > 0 {
				lines[i] = strings.Replace(lines[i], oneOf(r, words), oneOf(r, fragments), 1)
			}
		case 6:
			end := i + 1 + r.IntN(len(lines)-i)
			lines = slices.Delete(lines, i, min(end, i+12))
		}
		if len(lines) == 0 {
			return ""
		}
	}
	return strings.Join(lines, end)
}
