package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/jingle"
)

// recordedLog returns a log of two calls that run at the same time, and of other things.
func recordedLog(t *testing.T, handler func(*bytes.Buffer, *slog.HandlerOptions) slog.Handler) string {
	t.Helper()
	var b bytes.Buffer
	log := slog.New(handler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))
	anna, phone := jid.MustParse("anna@call.example.org/w1"), jid.MustParse("bob@secret.example/phone")
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	input := func(id string, in call.Input) {
		at = at.Add(time.Second)
		log.Debug("call input", "call", id, "input", string(call.Record(at, in)))
	}
	propose := func(id string) call.PeerMessage {
		return call.PeerMessage{From: phone, To: anna.Bare(), Message: jingle.Message{Kind: jingle.Propose, ID: id, Media: []string{"audio"}}}
	}
	log.Info("started", "input", "none")
	input("one", call.Opening{Kind: call.KindIncoming, Tabs: []jid.JID{anna}, First: propose("C1")})
	input("two", call.Opening{Kind: call.KindIncoming, Tabs: []jid.JID{anna}, First: propose("C2")})
	log.Info("call started", "call", "one")
	input("one", call.BrowserOffer{Tab: anna, SDP: "v=0\r\ns=\"quoted\" \x1b[31m\r\n"})
	input("one", call.BrowserDecline{Tab: anna})
	input("two", call.PeerUnavailable{From: phone})
	return b.String()
}

func textLog(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewTextHandler(b, o) }
func jsonLog(b *bytes.Buffer, o *slog.HandlerOptions) slog.Handler { return slog.NewJSONHandler(b, o) }

const replayOfOne = `    0.000 call incoming anna@call.example.org/w1 X> bob@secret.example/phone anna@call.example.org propose C1 audio
    X< anna@call.example.org/w1 bob@secret.example/phone message jm-ringing-C1 ringing C1
    T< ring 1m0s
    B< anna@call.example.org/w1 incoming from bob@secret.example: audio
    2.000 B> anna@call.example.org/w1 offer "v=0\r\ns=\"quoted\" \x1b[31m\r\n"
    B< anna@call.example.org/w1 refused "The call does not expect an offer now."
    3.000 B> anna@call.example.org/w1 decline
    X< anna@call.example.org/w1 bob@secret.example/phone message jm-reject-C1 reject C1 decline
    B< anna@call.example.org/w1 finished declined
    T< ring off
    = unanswered, declined
`

// run replays a text as a file.
func runReplay(t *testing.T, text string, args ...string) (stdout string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	err = run(context.Background(), append(append([]string{"replay"}, args...), file), &out, &errs)
	return out.String(), err
}

func TestReplayOfLogs(t *testing.T) {
	for name, handler := range map[string]func(*bytes.Buffer, *slog.HandlerOptions) slog.Handler{"text": textLog, "json": jsonLog} {
		log := recordedLog(t, handler)
		got, err := runReplay(t, log, "-call", "one")
		if want := "# call one\n" + replayOfOne; err != nil || got != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
		}
		both, err := runReplay(t, log)
		if err != nil || !strings.HasPrefix(both, "# call one\n"+replayOfOne+"# call two\n") || !strings.Contains(both, "= unanswered, peer-cancelled") {
			t.Errorf("%s: %v\n%s", name, err, both)
		}
	}
}

// TestReplayOfMasked masks a log, finds no address in it, and replays what was printed.
func TestReplayOfMasked(t *testing.T) {
	masked, err := runReplay(t, recordedLog(t, textLog), "-mask")
	if err != nil || strings.Count(masked, "\n") != 5 {
		t.Fatalf("%v\n%s", err, masked)
	}
	for _, word := range []string{"anna", "bob", "secret", "phone", "quoted"} {
		if strings.Contains(masked, word) {
			t.Errorf("%q is left in\n%s", word, masked)
		}
	}
	got, err := runReplay(t, masked)
	if err != nil || strings.Count(got, "= unanswered") != 2 || !strings.Contains(got, "user1@domain1.example/r1 finished declined") {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestReplayRefuses(t *testing.T) {
	_, log, _ := strings.Cut(recordedLog(t, textLog), "call=two")
	for text, want := range map[string]string{
		"":               "no inputs",
		"nothing here\n": "no inputs",
		log:              "input 1: call: an input before the call began; the log begins in the middle of the call",
		`{"input":"x"}`:  "input 1: call: record of an input",
	} {
		if _, err := runReplay(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	var out, errs bytes.Buffer
	if err := run(context.Background(), []string{"replay"}, &out, &errs); !errors.Is(err, errUsage) || !strings.Contains(errs.String(), "one FILE is needed") {
		t.Errorf("%v %s", err, errs.String())
	}
}

// TestReplayAsTheREADMEHasIt runs the commands of the README as they stand there: the log replays to the transcript beside it, and so does what
// -mask makes of it, with other names.
func TestReplayAsTheREADMEHasIt(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Replay\n")
	_, block, _ := strings.Cut(section, "```sh\n")
	block, _, _ = strings.Cut(block, "```")
	commands := strings.Split(strings.TrimSpace(block), "\n")
	if len(commands) != 2 {
		t.Fatalf("the README has the commands %q", commands)
	}
	t.Chdir("../..")
	want, err := os.ReadFile("testdata/replay/call.txt")
	if err != nil {
		t.Fatal(err)
	}
	var masked, out bytes.Buffer
	for i, line := range commands {
		out.Reset()
		f := strings.Fields(line)
		if f[0] != "carillon" {
			t.Fatalf("%q is no command of ours", line)
		}
		if err := run(context.Background(), f[1:], &out, os.Stderr); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if i == 0 && out.String() != string(want) {
			t.Errorf("%s: got\n%s", line, out.String())
		}
	}
	masked.Write(out.Bytes())
	again, err := runReplay(t, masked.String())
	if err != nil || strings.Count(again, "\n") != strings.Count(string(want), "\n")-1 { // the name of the call is not told again
		t.Errorf("%v: got\n%s", err, again)
	}
	if strings.Contains(again, "192.0.2.9") || strings.Contains(again, "anna") {
		t.Errorf("masked, it says\n%s", again)
	}
}
