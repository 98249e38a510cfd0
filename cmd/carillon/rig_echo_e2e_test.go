//go:build e2e

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An echo is a jingle-echo that runs as bob.
type echo struct {
	address string // bare
	log     rigBuffer
	online  chan bool // each time it logged in; closed when it ended
}

// startEcho runs jingle-echo on the stack's server and returns its address, bare.
func startEcho(t *testing.T, s *stack) string { return startEchoProcess(t, s).address }

func startEchoProcess(t *testing.T, s *stack) *echo {
	t.Helper()
	program := filepath.Join(t.TempDir(), "jingle-echo")
	if out, err := exec.Command("go", "build", "-o", program, "carillon/cmd/jingle-echo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	e := &echo{address: "bob@" + testDomain, online: make(chan bool, 64)}
	cmd := exec.Command(program, "-v", "-jid", "bob@"+testDomain, "-server", s.server.ClientAddr, "-ca", s.server.CAFile)
	cmd.Env = append(os.Environ(), "JINGLE_ECHO_PASSWORD=pw-bob")
	cmd.Stderr = &e.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			text := e.log.String()
			t.Logf("jingle-echo's log:\n%s", text[max(0, len(text)-4000):])
		}
	})
	go func() {
		defer close(e.online)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "online") {
				e.online <- true
			}
		}
	}()
	e.waitOnline(t)
	return e
}

// waitOnline returns once it has logged in again.
func (e *echo) waitOnline(t *testing.T) {
	t.Helper()
	select {
	case ok := <-e.online:
		if !ok {
			t.Fatalf("jingle-echo ended:\n%s", e.log.String())
		}
	case <-time.After(60 * time.Second):
		t.Fatalf("jingle-echo is not online:\n%s", e.log.String())
	}
}

// ended counts the calls that the echo was told are over.
func (e *echo) ended() int {
	log := e.log.String()
	return strings.Count(log, "the peer hung up") + strings.Count(log, "the peer finished")
}
