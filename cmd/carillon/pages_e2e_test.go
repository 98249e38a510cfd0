//go:build e2e

package main

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPageCallsPage is a call within our own domain: SDP is relayed, the XMPP server hears nothing of it.
func TestPageCallsPage(t *testing.T) {
	s := startStack(t)
	anna := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	berta := s.openPage(startBrowser(t, "chromium", dinoTone440), "berta")
	anna.dial(berta.address(), true)
	berta.waitState("incoming", 10*time.Second)
	berta.Click("#incoming-accept-video")
	for _, p := range []*caller{anna, berta} {
		p.waitState("in-call", 20*time.Second)
		p.sees("motion")
	}
	anna.hears(dinoTone440)
	berta.hears(pageTone)
	berta.Click("#hang-up")
	anna.waitState("ended", 2*time.Second)
	s.waitFor("the call's end", 5*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}

// TestFirefoxCallsDino is the other browser: it has no address to offer but mDNS names, and calls all the same.
func TestFirefoxCallsDino(t *testing.T) {
	s := startStack(t, "limits.cool_down = \"1ms\"")
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "red"})
	page := s.openPage(startBrowser(t, "firefox", pageTone), "anna")
	callDino(t, page, alice, true)
	endCall(t, s, page, alice, true)

	tellDino(t, page, alice)
	answerDino(t, page, alice, true)
	endCall(t, s, page, alice, false)
}

// TestAddressSurvives reloads the page, duplicates it and restarts Carillon.
func TestAddressSurvives(t *testing.T) {
	s := startStack(t)
	b := startBrowser(t, "chromium", pageTone)
	page := s.openPage(b, "anna")
	var before, after string
	page.Eval("return carillon.account.address", &before)
	page.Reload()
	page.WaitFor("return globalThis.carillon?.account?.address", 15*time.Second)
	page.Eval("return carillon.account.address", &after)
	if after != before {
		t.Errorf("after a reload the page is %s, was %s", after, before)
	}
	page.Eval(`
		const field = document.querySelector('#name');
		field.focus();
		field.value = '';
		carillon.emit('attached', carillon.account);
		if (field.value) throw new Error('what is being typed anew was filled in');
		field.value = 'anna'`, nil)
	second := s.openPage(b, "anna")
	var other string
	second.Eval("return carillon.account.address", &other)
	if other == before || second.address() != page.address() {
		t.Errorf("a second page is %s beside %s", other, before)
	}
	s.server.Kill()
	page.WaitFor("return document.body.dataset.link === 'down'", 10*time.Second)
	if err := s.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	page.WaitFor("return document.body.dataset.link === 'attached'", 30*time.Second)
	page.Eval("return carillon.account.address", &after)
	if after != before {
		t.Errorf("after the XMPP server's restart the page is %s, was %s", after, before)
	}
}

// TestSampleClient runs the protocol's sample client against the whole: it gets an address, and a page rings it.
func TestSampleClient(t *testing.T) {
	s := startStack(t)
	program := filepath.Join(t.TempDir(), "sample")
	if out, err := exec.Command("go", "build", "-o", program, "carillon/component/gateway/sample").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "-url", strings.Replace(s.url, "http", "ws", 1)+"/ws", "-origin", s.url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	until := func(what string) string {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), what) {
				return lines.Text()
			}
		}
		t.Fatalf("the sample printed no %s", what)
		return ""
	}
	line := until(`"attached"`)
	_, rest, _ := strings.Cut(line, `"bare":"`)
	address, _, _ := strings.Cut(rest, `"`)
	page := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	page.dial(address, false)
	until(`"incoming"`)
	page.Click("#hang-up")
	until("peer-cancelled")
}
