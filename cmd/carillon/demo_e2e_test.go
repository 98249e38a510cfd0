//go:build e2e

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDemo runs make demo, calls the echo account from its page, and presses Ctrl-C.
func TestDemo(t *testing.T) {
	temporary := t.TempDir()
	cmd := exec.Command("make", "demo")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	url := make(chan string, 1)
	var printed strings.Builder
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			printed.WriteString(lines.Text() + "\n")
			if u := regexp.MustCompile(`http://localhost:\d+/\S*`).FindString(lines.Text()); u != "" {
				url <- u
			}
		}
	}()
	var address string
	select {
	case address = <-url:
	case <-finished:
		t.Fatalf("make demo ended:\n%s", printed.String())
	case <-time.After(3 * time.Minute):
		t.Fatal("make demo printed no address of a page")
	}

	b := startBrowser(t, "chromium", pageTone)
	page := &caller{page: b.NewPage(address), t: t}
	page.attach("anna")
	page.Click("#call-video")
	page.waitState("in-call", 30*time.Second)
	page.hears(pageTone) // one's own, come back
	page.sees("motion")
	page.Click("#hang-up")
	page.waitState("ended", 5*time.Second)
	b.Close()

	// Ctrl-C reaches make and what it runs alike.
	syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
	<-finished
	cmd.Wait()
	left, err := filepath.Glob(filepath.Join(temporary, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("files left: %v, %v", left, err)
	}
	if ps, _ := exec.Command("pgrep", "-f", temporary).Output(); len(ps) > 0 {
		t.Errorf("processes left: %s", ps)
	}
	if !strings.Contains(printed.String(), "alice@") || !strings.Contains(printed.String(), "certificate") {
		t.Errorf("make demo printed\n%s", printed.String())
	}
}
