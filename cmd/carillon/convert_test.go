package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asCarillon in the environment makes this test program a Carillon.  It must not begin as the variables of the configuration do.
const asCarillon = "RUN_CARILLON"

// environment is that of such a program; with the race detector it would wait for a second before it ends.
func environment(more ...string) []string {
	return append(append(os.Environ(), asCarillon+"=1", "GORACE=atexit_sleep_ms=0"), more...)
}

func init() {
	if os.Getenv(asCarillon) != "" {
		os.Args[0] = "carillon"
		main()
		os.Exit(0)
	}
}

var updateConverted = flag.Bool("update", false, "rewrite the golden files of carillon convert")

const converted = "../../testdata/convert"

// ran is what became of a run of the program.
type ran struct {
	out, err string
	code     int
}

// carillon runs the program in testdata/convert.
func carillon(t *testing.T, stdin string, args ...string) ran {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Env = converted, environment()
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errOut
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return ran{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

const bareContent = "<content creator='initiator' name='0'/>"

func bareJingle(action, children string) string {
	return "<jingle xmlns='urn:xmpp:jingle:1' action='" + action + "' sid='s'>" + children + "</jingle>"
}

// TestConvert runs the command.  Standard output is that of a golden file, or empty where none is named; standard error has each of the lines, and no
// other losses.
func TestConvert(t *testing.T) {
	offer, answer := testFile(t, "offer.sdp"), testFile(t, "answer.sdp")
	xr := "loss: 25: a=rtcp-xr:rcvr-rtt=all: no Jingle for it\nloss: 63: a=rtcp-xr:rcvr-rtt=all: no Jingle for it"
	rejected := "loss: 32: m=video 0 UDP/TLS/RTP/SAVPF 120: rejected; Jingle says so by leaving out what was offered, and the offer is not known"
	movieTop := "loss: 0: <meeting xmlns='urn:example:meeting'/>: no SDP for it\nloss: 0: a=mid:Media call: no token"
	movie := "loss: 0: <meeting xmlns='urn:example:meeting'/>: no SDP for it\nloss: 0: <thumbnail xmlns='urn:example:thumbnail'/>: no SDP for it\n" +
		"loss: 0: a=candidate:1 2 udp 2122194686 2001:db8::7 4001 typ host generation 0: component of RTCP" +
		"\nloss: 0: a=mid:Media call: no token of at most 16 bytes, or taken; the m-line has a number"
	inactive := regexp.MustCompile("a=ssrc:1514112751.*\r\n").ReplaceAllString(strings.Replace(offer, "a=sendrecv", "a=inactive", 1), "")
	xrSooner := strings.Replace(xr, "63", "61", 1)
	for _, tt := range []struct {
		name   string
		args   string
		stdin  string
		golden string
		stderr string
		code   int
	}{
		{"offer", "-sid s1 offer.sdp", "", "offer.xml", xr, 0},
		{"offer, strictly", "-sid s1 -strict offer.sdp", "", "offer.xml", xr, 3},
		{"flags behind the file", "offer.sdp -sid s1", "", "offer.xml", xr, 0},
		{"standard input", "-sid s1 -", offer, "offer.xml", xr, 0},
		{"byte order mark, blanks and line feeds", "-sid s1 -", "\uFEFF" + strings.ReplaceAll("  "+offer, "\r\n", "\n    ") + "\n \n", "offer.xml", xr, 0},
		{"answer to an offer", "-sid s1 -author responder -offer offer.sdp answer.sdp", "", "answer.xml", "", 0},
		{"answer to an offer, strictly", "-sid s1 -strict -author responder -offer offer.sdp answer.sdp", "", "answer.xml", "", 0},
		{"answer to an offer in Jingle", "-sid s1 -author responder -offer offer.xml answer.sdp", "", "answer.xml", "", 0},
		{"an answer is the responder's", "-sid s1 -offer offer.sdp answer.sdp", "", "answer.xml", "", 0},
		{"session-accept is the responder's", "-sid s1 -action session-accept -offer offer.sdp answer.sdp", "", "answer.xml", "", 0},
		{"answer without its offer", "-sid s1 -author responder answer.sdp", "", "answer-alone.xml", rejected, 0},
		{"answer without its offer, strictly", "-sid s1 -strict -author responder answer.sdp", "", "answer-alone.xml", rejected, 3},
		{"content-add", "-sid s1 -author responder -action content-add -", offer, "content-add.xml", xr, 0},

		{"session-initiate", "offer.xml", "", "offer-again.sdp", "", 0},
		{"session-accept", "-offer offer.xml answer.xml", "", "answer-again.sdp", "", 0},
		{"session-accept to an SDP", "-offer offer.sdp -strict answer.xml", "", "answer-again.sdp", "", 0},
		{"session-accept alone", "answer.xml", "", "answer-alone.sdp", "", 0},
		{"iq with prefixes, pretty-printed, from a console", "movie.xml", "", "movie.sdp", movie, 0},
		{"from the responder", "-author responder -", testFile(t, "movie.xml"), "movie-responder.sdp", movie, 0},

		{"inactive, for any client", "-sid s1 -", inactive, "inactive.xml", "loss: 21: a=inactive: written as senders responder: strict clients take no senders none\n" + xrSooner, 0},
		{"inactive, for Dino", "-sid s1 -client dino -", inactive, "inactive.xml", "loss: 21: a=inactive: written as senders responder: strict clients take no senders none\n" + xrSooner, 0},
		{"inactive, for stanza", "-sid s1 -client stanza -", inactive, "inactive-stanza.xml", xrSooner, 0},
		{"from stanza", "-client stanza inactive-stanza.xml", "", "inactive-again.sdp", "", 0},
		{"mirrored senders, from the responder", "-client Movim -author responder movie.xml", "", "movie-mirrored.sdp", movie, 0},

		{"candidates", "-sid s1 candidates.sdp", "", "candidates.xml", "", 0},
		{"candidates, named by the offer", "-sid s1 -offer movie.xml -", "a=mid:0\ncandidate:1 1 udp 5 192.0.2.7 4000 typ host ufrag Kq3z", "candidates-named.xml", "", 0},
		{"transport-info", "candidates.xml", "", "candidates.sdp", "", 0},
		{"transport-info, strictly", "-strict candidates.xml", "", "candidates.sdp", "", 0},
		{"transport-info, named by the offer", "-offer movie.xml -", testFile(t, "candidates-named.xml"), "candidates-named.sdp", "", 0},
		{"another generation", "-sid s1 -", testFile(t, "candidates.sdp") + "a=candidate:1 1 udp 5 192.0.2.7 4000 typ host ufrag old", "candidates.xml",
			"loss: 7: a=candidate:1 1 udp 5 192.0.2.7 4000 typ host ufrag old: of another ICE generation than ufrag oQS8", 0},

		{"no twin of session-terminate", "-", bareJingle("session-terminate", "<reason><success/></reason>"), "", "session-terminate has no SDP", 1},
		{"no twin of session-info", "-", bareJingle("session-info", ""), "", "session-info has no SDP", 1},
		{"no twin of content-remove", "-", bareJingle("content-remove", bareContent), "", "content-remove has no SDP", 1},
		{"an action that no SDP becomes", "-action session-info offer.sdp", "", "", "session-info has no SDP", 1},
		{"whole SDP as transport-info", "-action transport-info offer.sdp", "", "", "expected a=mid and a=candidate lines", 1},
		{"candidates as session-initiate", "-action session-initiate candidates.sdp", "", "", "expected a whole SDP (v=0)", 1},

		{"empty", "-", " \n", "", "standard input: empty, expected an SDP (v=0)", 1},
		{"neither", "-", "\n\nhello\nworld", "", `line 3: expected an SDP (v=0), a=mid and a=candidate lines, or a <jingle/> or an <iq/> with one, got "hello"`, 1},
		{"too long", "-", strings.Repeat(" ", maxDocument+1), "", "longer than 1048576 bytes", 1},
		{"line that is none", "-", strings.Replace(offer, "a=setup:actpass", "setup:actpass", 1), "", "line 15: ", 1},
		{"candidate that is none", "-", "a=mid:0\n\na=candidate:1 1 udp x", "", "line 3: expected a candidate of RFC 8839", 1},
		{"candidate without mid", "-", "\ncandidate:1 1 udp 5 192.0.2.7 4000 typ host", "", "line 2: expected an a=mid line before the candidates", 1},
		{"mid twice", "-", "a=mid:0\na=mid:0", "", "line 2: expected each mid once", 1},
		{"mid of no offered line", "-offer offer.sdp -", "a=mid:7", "", "line 1: expected a mid of the offer", 1},
		{"no mid at all", "-", "a=ice-ufrag:x", "", "expected an a=mid line, got none", 1},
		{"no line of a fragment", "-", "a=mid:0\nhello", "", `line 2: expected a=mid, a=candidate, a=ice-ufrag, a=ice-pwd or a=end-of-candidates, got "hello"`, 1},
		{"XML that breaks off", "-", "\n<jingle", "", "line 2, byte 9: tag not closed", 1},
		{"no jingle", "-", "<message><propose xmlns='urn:xmpp:jingle-message:0' id='1'/></message>", "",
			"line 1, byte 1: expected <jingle xmlns='urn:xmpp:jingle:1'/> or an <iq/> with it, got <message/>", 1},
		{"Google Talk from before Jingle", "../stanzas/wild/google-talk.initiate.xml", "", "",
			"line 1, byte 1: expected <jingle xmlns='urn:xmpp:jingle:1'/> or an <iq/> with it, got <iq/> with <session xmlns=\"http://www.google.com/session\"/>", 1},
		{"Google's transport", "../stanzas/wild/libjingle-gmail.initiate.xml", "", "", `content "audio": sdpconv: no ICE transport`, 1},
		{"transport of a content that is not there", "../stanzas/wild/conversations-2.19.add.xml", "", "",
			`line 3, byte 149: content "1": sdpconv: no usable DTLS fingerprint; it uses the transport of content "0", which the stanza does not have`, 1},
		{"two stanzas", "-", bareJingle("session-info", "") + bareJingle("session-info", ""), "", "data after the element", 1},
		{"unknown action", "-", "\n\n" + bareJingle("session-dance", ""), "", `line 3, byte 3: <jingle>: unknown action "session-dance"`, 1},
		{"refused by Jingle", "-", bareJingle("session-initiate", "\n"+bareContent+"<x><![CDATA[<y>]]></x>\n <content name='1' creator='me'/>"), "",
			`line 3, byte 133: <content>: content "1": creator is neither initiator nor responder`, 1},
		{"not encrypted", "-", strings.Replace(testFile(t, "movie.xml"), "hash='SHA-256'", "hash='md5'", 1), "",
			movieTop + "\nloss: 0: a=fingerprint:md5 C9:E9:BC:D1:61:42:8E:AA:CE:57:6F:82:95:16:48:7C:21:D7:47:2F:AC:01:E9:99:C2:96:ED:0D:FE:8C:43:E3: no hash\n" +
				"standard input: line 5, byte 260: content \"Media call\": sdpconv: no usable DTLS fingerprint", 1},
		{"malformed offer", "-offer - answer.sdp", "v=1", "", "the offer standard input", 1},
		{"offer of another answer", "-offer movie.xml answer.sdp", "", "", "the offer has no such m-line", 1},
		{"no file of that name", "none.sdp", "", "", "none.sdp", 1},
		{"directory", ".", "", "", "directory", 1},
		{"candidates as the offer", "-offer candidates.sdp answer.sdp", "", "", "as the offer", 1},
		{"answer cut in the middle", "-offer offer.sdp -", answer[:600], "", "has fewer m-lines than were negotiated", 1},

		{"no file", "", "", "", "one FILE is needed", 2},
		{"two files", "offer.sdp answer.sdp", "", "", "one FILE is needed", 2},
		{"unknown flag", "-dance offer.sdp", "", "", "-dance", 2},
		{"unknown author", "-author me offer.sdp", "", "", "neither initiator nor responder", 2},
		{"unknown action of an SDP", "-action session-dance offer.sdp", "", "", "no action of XEP-0166", 2},
		{"unknown client", "-client skype offer.sdp", "", "", "those that are known: Unknown, Dino 0.4.2, 0.5.1, Conversations", 2},
		{"standard input twice", "-offer - -", offer, "", "cannot both be standard input", 2},
		{"action for a stanza", "-action session-initiate offer.xml", "", "", "-action and -sid are for an SDP", 2},
		{"help", "-help", "", "", "usage: carillon convert [FLAGS] FILE", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := carillon(t, tt.stdin, append([]string{"convert"}, strings.Fields(tt.args)...)...)
			if got.code != tt.code {
				t.Errorf("ended with %d, want %d", got.code, tt.code)
			}
			for line := range strings.SplitSeq(tt.stderr, "\n") {
				if !strings.Contains(got.err, line) {
					t.Errorf("standard error %q, want %q", got.err, line)
				}
			}
			if got, want := strings.Count("\n"+got.err, "\nloss: "), strings.Count("\n"+tt.stderr, "\nloss: "); got != want {
				t.Errorf("%d losses, want %d", got, want)
			}
			compareConverted(t, tt.golden, got.out)
		})
	}
}

func testFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(converted, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// compareConverted compares with a golden file, nothing with "".
func compareConverted(t *testing.T, golden, got string) {
	t.Helper()
	want := ""
	if golden != "" {
		file := filepath.Join(converted, golden)
		if *updateConverted {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want = string(b)
	}
	if got != want {
		t.Errorf("standard output\n%s\nwant\n%s", got, want)
	}
}

// A conversion to and fro and to again says the same both times: every recorded offer, and the answers to them.
func TestConvertToAndFro(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/sdp/*.json")
	n := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var recording struct{ Steps []json.RawMessage }
		if err := json.Unmarshal(b, &recording); err != nil {
			t.Fatal(err)
		}
		for i, raw := range recording.Steps {
			var s struct{ From, Type, SDP string }
			if json.Unmarshal(raw, &s) != nil || s.Type != "offer" {
				continue
			}
			n++
			toAndFro(t, fmt.Sprintf("%s step %d", filepath.Base(f), i), s.SDP)
		}
	}
	if n < 100 {
		t.Errorf("only %d offers", n)
	}
}

func toAndFro(t *testing.T, name, sdp string) {
	t.Helper()
	lost := 0
	convert := func(in string) (string, error) {
		doc, err := parseDocument([]byte(in))
		if err != nil {
			return "", err
		}
		c := conversion{}
		if doc.stanza == nil {
			c.sid = "s1"
		}
		out, err := c.convert(doc)
		lost = len(c.losses)
		return out, err
	}
	xml, err := convert(sdp)
	if err != nil {
		if !strings.Contains(err.Error(), "no audio or video") {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	back, err := convert(xml)
	if err != nil {
		t.Errorf("%s: back: %v", name, err)
		return
	}
	may := lost
	again, err := convert(back)
	if err != nil {
		t.Errorf("%s: again: %v", name, err)
		return
	}
	missing, added := differing(xml, again), differing(again, xml)
	if len(added) > 0 || len(missing) > may {
		t.Errorf("%s: %d losses, but\n- %s\n+ %s", name, may, strings.Join(missing, "\n- "), strings.Join(added, "\n+ "))
	}
}

// differing returns the lines of a that b has not.
func differing(a, b string) (out []string) {
	has := map[string]int{}
	for l := range strings.Lines(b) {
		has[l]++
	}
	for l := range strings.Lines(a) {
		if has[l]--; has[l] < 0 {
			out = append(out, l)
		}
	}
	return out
}

// TestConvertAsTheREADMEHasIt runs the commands of the README as they stand there.
func TestConvertAsTheREADMEHasIt(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Convert\n")
	section, _, _ = strings.Cut(section, "\n## ")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1)
	if len(blocks) == 0 {
		t.Fatal("the README has no commands under Convert")
	}
	program, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "carillon")); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		cmd := exec.Command("sh", "-ec", b[1])
		cmd.Dir = "../.."
		cmd.Env = environment("PATH=" + bin + ":" + os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s\n%v\n%s", b[1], err, out)
		}
		for _, want := range []string{"action='session-initiate'", "action='session-accept'", "action='transport-info'", "m=video 0", "loss: 25: a=rtcp-xr"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the commands print no %s:\n%s", want, out)
			}
		}
	}
}

// FuzzConvert: nothing panics, and what comes out is read again as the other kind.
func FuzzConvert(f *testing.F) {
	files, _ := filepath.Glob(converted + "/*")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), false)
	}
	f.Add("a=mid:0\na=end-of-candidates", true)
	f.Add(bareJingle("transport-info", bareContent), true)
	f.Add("<?xml version='1.0'?><!----><a/><!-- -->", false)
	f.Fuzz(func(t *testing.T, in string, responder bool) {
		doc, err := parseDocument([]byte(in))
		if err != nil {
			return
		}
		var c conversion
		if responder {
			c.author, c.authored = 1, true
		}
		if doc.stanza == nil {
			c.sid = "s"
		}
		out, err := c.convert(doc)
		if err != nil || out == "" {
			return
		}
		again, err := parseDocument([]byte(out))
		if err != nil || (again.stanza == nil) == (doc.stanza == nil) {
			t.Fatalf("%q, read again: %v", out, err)
		}
		for _, l := range c.losses {
			if strings.ContainsAny(printable(l.String()), "\n\r\x1b") {
				t.Fatalf("loss %q", l)
			}
		}
	})
}
