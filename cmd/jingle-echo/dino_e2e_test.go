//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"carillon/component/xmppserver"
)

const dinoctl = "../../testdata/dino/dinoctl"

// dino runs dinoctl against one server and returns its one line of JSON.
func dino(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, dinoctl, args...)
	cmd.Env = append(os.Environ(), env...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("dinoctl %s: %w: %s", args[0], err, errs.String())
	}
	return string(out), err
}

// dinoRates are what Dino shows: "24 kbps", or nothing yet.
type dinoRates struct {
	Audio, Video struct{ Sent, Received string }
}

func dinoStats(t *testing.T, env []string) dinoRates {
	t.Helper()
	out, err := dino(t, env, "state", "alice", "--stats")
	var state struct{ Stats dinoRates }
	if err = errors.Join(err, json.Unmarshal([]byte(out), &state)); err != nil {
		t.Fatal(err)
	}
	return state.Stats
}

// pressMute presses the mute button and waits until Dino says so to the other side.
func pressMute(t *testing.T, env []string, says string) {
	t.Helper()
	mark, err := dino(t, env, "mark", "alice")
	if err == nil {
		_, err = dino(t, env, "mute", "alice")
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		var said string
		if err == nil {
			said, err = dino(t, env, "xml", "alice", "--calls", "--since", strings.TrimSpace(mark))
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("Dino does not say %s>: %v", says, err)
		}
		if strings.Contains(said, says) {
			return
		}
	}
}

// TestDinoMeetsItself calls with a real Dino, which has a transport for each content.
func TestDinoMeetsItself(t *testing.T) {
	s, err := xmppserver.StartProsody(t.Context(), xmppserver.Options{Domain: "xmpp.test", Users: passwords, Contacts: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	address := await(t, "jingle-echo online", startEcho(t, s))
	env := []string{"DINO_SERVER=" + s.ClientAddr, "DINO_CA=" + s.CAFile, "DINO_HARNESS_DIR=" + t.TempDir()}
	steps := func(all ...[]string) {
		t.Helper()
		for _, args := range all {
			out, err := dino(t, env, args...)
			if err != nil {
				xml, _ := dino(t, env, "xml", "alice", "--calls")
				t.Fatalf("%v\n%s", err, xml)
			}
			t.Logf("%s: %s", strings.Join(args, " "), out)
		}
	}
	defer func() { _, _ = dino(t, env, "down", "alice") }()
	steps(
		[]string{"up", "alice", passwords["alice"], s.Domain, "--tone", "440", "--camera", "--pattern", "red", "--owner", fmt.Sprint(os.Getpid())},
		[]string{"call", "alice", bare(address), "--video"},
		[]string{"wait", "alice", "connected"},
	)
	// Dino 0.4.2 sometimes starts with a dead microphone: it sends nothing until it is muted and unmuted.
	for tries := 3; ; tries-- {
		_, err := dino(t, env, "hear", "alice", "440", "6")
		if err == nil {
			break
		}
		if sent := dinoStats(t, env).Audio.Sent; sent != "0 kbps" || tries == 0 {
			t.Fatalf("%v while it sends %s", err, sent)
		}
		t.Log("its microphone is dead")
		pressMute(t, env, "<mute")
		pressMute(t, env, "<unmute")
	}
	// By its statistics: Dino's window sometimes stays black.
	for deadline := time.Now().Add(30 * time.Second); ; {
		received := dinoStats(t, env).Video.Received
		if received != "" && received != "0 kbps" {
			t.Logf("its picture comes back with %s", received)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no picture: %q", received)
		}
	}
	steps([]string{"hangup", "alice"}, []string{"wait", "alice", "idle"})
}
