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

// startEcho runs jingle-echo as bob on the stack's server and returns its address, bare.
func startEcho(t *testing.T, s *stack) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "jingle-echo")
	if out, err := exec.Command("go", "build", "-o", program, "carillon/cmd/jingle-echo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "-jid", "bob@"+testDomain, "-server", s.server.ClientAddr, "-ca", s.server.CAFile)
	cmd.Env = append(os.Environ(), "JINGLE_ECHO_PASSWORD=pw-bob")
	var log rigBuffer
	cmd.Stderr = &log
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
			t.Logf("jingle-echo's log:\n%s", log.String())
		}
	})
	online := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "online") {
				online <- true
			}
		}
		close(online)
	}()
	select {
	case ok := <-online:
		if !ok {
			t.Fatalf("jingle-echo ended:\n%s", log.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("jingle-echo is not online:\n%s", log.String())
	}
	return "bob@" + testDomain
}
