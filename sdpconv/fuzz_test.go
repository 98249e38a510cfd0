package sdpconv

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

// Whatever converts, converts back and again, to the same.
func FuzzFromSDP(f *testing.F) {
	for _, steps := range scenarios(f) {
		for _, s := range steps[:min(2, len(steps))] {
			if s.SDP != "" {
				f.Add(s.SDP, s.From == "b")
			}
		}
	}
	f.Add(browserSDP(audio("0", "actpass")...), false)
	wild, _ := filepath.Glob("../testdata/sdp/wild/*.sdp")
	for _, file := range wild {
		f.Add(readFile(f, file), false)
	}
	f.Fuzz(checkFromSDP)
}

func authorOf(responder bool) jingle.Role {
	if responder {
		return jingle.Responder
	}
	return jingle.Initiator
}

func checkFromSDP(t *testing.T, sdp string, responder bool) {
	t.Helper()
	author := authorOf(responder)
	d, lines, losses, err := FromSDP(sdp, author, nil)
	if err != nil {
		var e *Error
		if !errors.Is(err, ErrNoMedia) && (!errors.As(err, &e) || e.Line < 0 || e.Line > strings.Count(sdp, "\n")+1) {
			t.Fatalf("error %#v", err)
		}
		return
	}
	for _, l := range losses {
		if l.Number < 1 || l.Number > strings.Count(sdp, "\n")+1 {
			t.Fatalf("loss %+v", l)
		}
	}
	d = throughXML(t, d, Offer)
	plain(t, d, author, sdp)
	text, _, _, err := ToSDP(d, author, Offer, nil, Origin{1, 1})
	if err != nil {
		reject(t, err, sdp)
		return
	}
	again(t, text, author)
	if _, _, _, err := ToSDP(d, author.Other(), Answer, lines, Origin{1, 1}); err != nil {
		reject(t, err, sdp)
	}
}

// reject checks that what a browser could say was refused for a reason that a browser's SDP can have: hashes, codecs and credentials that are none.
func reject(t *testing.T, err error, sdp string) {
	t.Helper()
	var e *Error
	short := errors.As(err, &e) && strings.HasPrefix(e.Msg, "ICE credentials that are none") // FromSDP does not count the bytes
	if !errors.Is(err, ErrNotEncrypted) && !errors.Is(err, ErrNoMedia) && !errors.Is(err, ErrNoICE) && !short {
		t.Fatalf("%v from\n%s", err, sdp)
	}
}

// plain checks that what is written for no browser reads as well.
func plain(t *testing.T, d jingle.Description, author jingle.Role, sdp string) {
	t.Helper()
	text, lines, _, err := ToPlainSDP(d, author, Offer, nil, Origin{1, 1})
	if err != nil {
		reject(t, err, sdp)
		return
	}
	if _, _, _, err := FromSDP(text, author, nil); err != nil {
		t.Fatalf("written SDP: %v\n%s", err, text)
	}
	if _, _, _, err := ToPlainSDP(d, author.Other(), Answer, lines, Origin{1, 1}); err != nil {
		reject(t, err, sdp)
	}
}

// again checks that written SDP reads, and is written the same once more.
func again(t *testing.T, text string, author jingle.Role) {
	t.Helper()
	d, _, _, err := FromSDP(text, author, nil)
	if err != nil {
		t.Fatalf("written SDP: %v\n%s", err, text)
	}
	second, _, _, err := ToSDP(throughXML(t, d, Offer), author, Offer, nil, Origin{1, 1})
	if err != nil {
		t.Fatalf("written SDP: %v\n%s", err, text)
	}
	if d, _, _, err = FromSDP(second, author, nil); err != nil {
		t.Fatal(err)
	}
	third, _, _, err := ToSDP(throughXML(t, d, Offer), author, Offer, nil, Origin{1, 1})
	if err != nil || third != second {
		t.Fatalf("%v: written as\n%s\nthen as\n%s", err, second, third)
	}
}

// Whatever a peer sends either is refused or gives an SDP that reads again; an answer to it keeps to its lines.
func FuzzToSDP(f *testing.F) {
	for _, name := range []string{
		"dino-0.4.2/video-answered.caller.xml", "dino-0.4.2/audio-with-turn.caller.xml", "dino-browser/chromium.page-calls.video.xml",
		"stanza-js/audio-video-data-chromium-firefox.json", "stanza-js/two-videos-firefox-chromium.json",
	} {
		for _, c := range capture(f, "../testdata/stanzas/"+name) {
			if len(c.stanza.Contents) > 0 && c.stanza.Contents[0].RTP != nil {
				f.Add(string(c.stanza.AppendTo(nil, "")), false)
				f.Add(string(c.stanza.AppendTo(nil, "")), true)
			}
		}
	}
	wild, _ := filepath.Glob("../testdata/stanzas/wild/*.xml")
	for _, file := range wild {
		if e, s := wildStanza(f, file); s != nil {
			f.Add(e.String(), s.Action == jingle.SessionAccept)
		}
	}
	f.Fuzz(checkToSDP)
}

func checkToSDP(t *testing.T, xml string, responder bool) {
	t.Helper()
	e, err := element.Parse([]byte(xml), element.Limits{})
	if err != nil {
		return
	}
	s, jerr := jingle.ParseStanza(e)
	if jerr != nil {
		return
	}
	author := authorOf(responder)
	d := jingle.Description{Contents: s.Contents, Groups: s.Groups}
	text, lines, _, err := ToSDP(d, author, Offer, nil, Origin{1, 1})
	if err != nil {
		return
	}
	again(t, text, author)
	answer, after, _, err := ToSDP(d, author.Other(), Answer, lines, Origin{1, 1})
	if err != nil {
		t.Fatalf("offer\n%s\nanswered by the same: %v", text, err)
	}
	checkAnswer(t, "echo", text, answer)
	if _, _, _, err := FromSDP(answer, author.Other(), lines); err != nil || len(after) != len(lines) {
		t.Fatalf("answer %v\n%s", err, answer)
	}
}

// What is read as a candidate is written and read as the same.
func FuzzParseCandidate(f *testing.F) {
	for _, s := range []string{
		"candidate:1 1 udp 2122252543 192.0.2.1 54132 typ host generation 0 ufrag abcd network-id 1", "a=candidate:2 1 tcp 1 fd00::2 9 typ host tcptype active",
		"candidate:3 2 UDP 1 203.0.113.7 1 typ srflx raddr 192.0.2.2 rport 2",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, ufrag, err := ParseCandidate(s)
		if err != nil {
			return
		}
		line := FormatCandidate(c, ufrag)
		again, u, err := ParseCandidate(line)
		if err != nil || u != ufrag || FormatCandidate(again, u) != line {
			t.Fatalf("%q: %q, %q, %v", s, line, FormatCandidate(again, u), err)
		}
		Sendable(c)
	})
}
