package sdpconv

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Offers and answers of other stacks go through Jingle and mean the same but for what is reported.
func TestWildRoundTrip(t *testing.T) {
	files, _ := filepath.Glob("../testdata/sdp/wild/*.offer.sdp")
	if len(files) < 20 {
		t.Fatalf("only %d offers", len(files))
	}
	golden := ledger{}
	for _, file := range files {
		name := filepath.Base(file)
		offer := step{Name: name, From: "a", Type: "offer", SDP: readFile(t, file)}
		lines, losses := roundTrip(t, offer, nil, anySDP)
		golden.add(losses)
		answer := strings.Replace(file, ".offer.", ".answer.", 1)
		if _, err := os.Stat(answer); err == nil {
			_, losses = roundTrip(t, step{Name: filepath.Base(answer), From: "b", Type: "answer", SDP: readFile(t, answer)}, lines, anySDP)
			golden.add(losses)
		}
	}
	golden.compare(t, "testdata/wild-losses.txt", "What is lost between SDP, Jingle and SDP over the composed SDP of other stacks, how often, and why.\n")
}

// anySDP writes for a browser what a browser can take, else for others.
func anySDP(d jingle.Description, author jingle.Role, typ Type, l Lines, o Origin) (string, Lines, []Loss, error) {
	text, after, losses, err := ToSDP(d, author, typ, l, o)
	if errors.Is(err, ErrNotEncrypted) || errors.Is(err, ErrNoICE) {
		return ToPlainSDP(d, author, typ, l, o)
	}
	return text, after, losses, err
}

func TestMalformed(t *testing.T) {
	want := map[string]struct {
		line int
		msg  string
	}{
		"control-characters": {24, "no line of an SDP"},
		"cut-in-the-middle":  {29, "not as RFC 8866 has it"},
		"escaped":            {1, "not as RFC 8866 has it"},
		"half-ice":           {10, "m-line without a=ice-pwd"},
		"html":               {1, "no line of an SDP"},
		"json":               {1, "no line of an SDP"},
		"no-fingerprint":     {9, "m-line without a=fingerprint"},
		"no-media":           {0, "no m-line"},
		"no-time":            {9, "not as RFC 8866 has it"},
		"no-version":         {1, "an SDP begins with v=0"},
		"payload-types":      {10, "payload type \"opus\""},
		"port":               {29, "not as RFC 8866 has it"},
		"same-mid":           {32, "mid is used twice"},
	}
	files, _ := filepath.Glob("../testdata/sdp/wild/malformed-*.sdp")
	if len(files) != len(want) {
		t.Errorf("%d files", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "malformed-"), ".sdp")
		_, _, _, err := FromSDP(readFile(t, file), jingle.Initiator, nil)
		var e *Error
		if !errors.As(err, &e) || e.Line != want[name].line || !strings.Contains(e.Msg, want[name].msg) {
			t.Errorf("%s: %v, want line %d: %s", name, err, want[name].line, want[name].msg)
		}
	}
}

// What a camera tells of itself over RTSP has ports only once it is set up: nobody is offered anything.
func TestRTSPIsNoOffer(t *testing.T) {
	_, _, losses, err := FromSDP(readFile(t, "../testdata/sdp/wild/rtsp-camera.sdp"), jingle.Initiator, nil)
	if err != ErrNoMedia || !lossOf(losses, "m=video 0 RTP/AVP 96: rejected") {
		t.Errorf("%v, %v", err, losses)
	}
}

// Stanzas of other clients go through SDP and say the same but for what is reported, and what has no SDP is refused for the reason.
func TestWildStanzas(t *testing.T) {
	files, _ := filepath.Glob("../testdata/stanzas/wild/*.xml")
	if len(files) < 20 {
		t.Fatalf("only %d stanzas", len(files))
	}
	refused := map[string]error{
		"swift-4.initiate.xml": ErrNoMedia, "libjingle-gmail.initiate.xml": ErrNoICE, "conversations-2.19.add.xml": ErrNotEncrypted,
	}
	golden := ledger{}
	for _, file := range files {
		name := filepath.Base(file)
		j, stanza := wildStanza(t, file)
		if stanza == nil {
			if name != "google-talk.initiate.xml" {
				t.Errorf("%s is no Jingle", name)
			}
			continue
		}
		d := jingle.Description{Contents: stanza.Contents, Groups: stanza.Groups}
		author, typ, lines := jingle.Initiator, Offer, Lines(nil)
		if stanza.Action == jingle.SessionAccept {
			author, typ, lines = jingle.Responder, Answer, offeredTo(t, d)
		}
		if want := refused[name]; want != nil {
			if _, _, _, err := ToSDP(d, author, typ, lines, Origin{1, 1}); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
			continue
		}
		text, _, losses, err := anySDP(d, author, typ, lines, Origin{1, 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden.add(losses)
		s := step{Name: name, From: "a", Type: typ.String(), SDP: text}
		if author == jingle.Responder {
			s.From = "b"
		}
		_, losses = roundTrip(t, s, lines, anySDP)
		golden.add(losses)
		whole, parts := jingle.Unread(j)
		for _, e := range append(whole, parts...) {
			for _, a := range e.Attrs {
				golden["<"+e.Local+" "+a.Local+"='...'/>: not understood"]++
			}
		}
	}
	golden.compare(t, "testdata/wild-stanza-losses.txt", "What is lost or repaired between Jingle, SDP and Jingle over the composed stanzas of other clients, how often, and why.\n")
}

// wildStanza reads a file, nil for what is no Jingle.
func wildStanza(t testing.TB, file string) (*element.Element, *jingle.Stanza) {
	t.Helper()
	e, err := element.Parse([]byte(readFile(t, file)), element.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if e.Local == "iq" {
		e = e.Child(jingle.NS, "jingle")
	}
	if e == nil {
		return nil, nil
	}
	s, jerr := jingle.ParseStanza(e)
	if jerr != nil {
		t.Fatalf("%s: %v", file, jerr)
	}
	return e, &s
}

// offeredTo returns the lines of an offer that has just what an answer has.
func offeredTo(t *testing.T, d jingle.Description) Lines {
	t.Helper()
	_, lines, _, err := anySDP(d, jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
