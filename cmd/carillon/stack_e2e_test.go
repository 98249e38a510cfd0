//go:build e2e

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"carillon/component"
	"carillon/component/xmppserver"
)

const (
	testDomain    = "xmpp.test"
	testComponent = "call." + testDomain
	testSecret    = "secret-of-the-component"
	pageTone      = 880 // Hz, what the page's microphone hears
	dinoTone440   = 440 // Hz, what Dino's does
)

// A stack is a real XMPP server with Carillon attached to it as the README says.
type stack struct {
	t         *testing.T
	server    *xmppserver.Server
	component *component.Component
	url       string
	network   *cuttable // between the pages and Carillon
	log       string
	stop      func()
}

// startStack runs Prosody and Carillon.  The lines are added to Carillon's configuration.
func startStack(t *testing.T, lines ...string) *stack {
	t.Helper()
	return startStackOn(t, xmppserver.StartProsody, xmppserver.Options{WebSocket: true}, lines...)
}

func startStackOn(t *testing.T, start func(context.Context, xmppserver.Options) (*xmppserver.Server, error), o xmppserver.Options, lines ...string) *stack {
	t.Helper()
	o.Domain, o.Component, o.Secret = testDomain, testComponent, testSecret
	o.Users = map[string]string{"alice": "pw-alice", "bob": "pw-bob"}
	if o.External.Host == "" {
		o.External = xmppserver.TURN{Host: "127.0.0.1", Port: 9, Secret: "none"} // or Dino looks for its vendor's
	}
	srv, err := start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() })
	return attachTo(t, srv, lines...)
}

// attachTo runs Carillon on a server that is there.
func attachTo(t *testing.T, srv *xmppserver.Server, lines ...string) *stack {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return attachOn(t, srv, l, lines...)
}

// attachOn is attachTo with the pages at that listener.
func attachOn(t *testing.T, srv *xmppserver.Server, l net.Listener, lines ...string) *stack {
	t.Helper()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s := &stack{t: t, server: srv, url: "http://localhost:" + port, network: newCuttable(l), log: filepath.Join(t.TempDir(), "carillon.log")}
	file := filepath.Join(t.TempDir(), "carillon.toml")
	text := fmt.Sprintf("domain = %q\nserver = %q\nsecret = %q\npublic_url = %q\nstate_dir = %q\nguests.may_call = [%q, %q]\n"+
		"limits.dials_per_callee = 1000\nlimits.dials_per_ip = 1000\n%s\n", // tests dial faster than people
		testComponent, srv.ComponentAddr, testSecret, s.url, t.TempDir(), testDomain, testComponent, strings.Join(lines, "\n"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := readConfig(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := cfg.settings(file)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	settings.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if s.component, err = component.New(settings); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serveComponent(ctx, s.component, s.network, settings.Log) }()
	s.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("carillon ended: %v", err)
		}
		done <- nil
		log.Close()
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			text, _ := os.ReadFile(s.log)
			t.Logf("carillon's log:\n%s", text[max(0, len(text)-6000):])
		}
	})
	s.waitFor("readiness", 20*time.Second, func() bool { return s.component.Stats().Linked })
	return s
}

// in returns the stack for a part of the test.
func (s *stack) in(t *testing.T) *stack {
	part := *s
	part.t = t
	return &part
}

// waitFor polls what other processes bring about.
func (s *stack) waitFor(what string, within time.Duration, condition func() bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !condition() {
		if time.Since(began) > within {
			s.t.Fatalf("%s did not come about within %v", what, within)
		}
		<-again.C
	}
	return time.Since(began)
}

// noCalls checks that nothing of the calls is left, goroutines included.
func (s *stack) noCalls(goroutines int) {
	s.t.Helper()
	s.waitFor("the registry's emptiness", 10*time.Second, func() bool { return s.component.Stats().Calls == 0 })
	s.waitFor("the goroutines' end", 10*time.Second, func() bool { return s.goroutines() <= goroutines })
}

// goroutines counts all but those that serve the connections of browsers, which keep and drop them as they like.
func (s *stack) goroutines() int { return runtime.NumGoroutine() - s.network.open() }

// repetitions is how often a call is repeated: twice, or as often as make soak wants.
func repetitions(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("E2E_REPETITIONS"))
	if err != nil || n < 1 {
		return 2
	}
	return n
}

// openPage opens the page under a name and waits until it has an address.
func (s *stack) openPage(b *browser, name string) *caller {
	s.t.Helper()
	p := b.NewPage(s.url)
	c := &caller{page: p, t: s.t}
	c.attach(name)
	return c
}

// A caller is the person at a page.
type caller struct {
	*page
	t *testing.T
}

func (c *caller) attach(name string) {
	c.t.Helper()
	c.Type("#name", name)
	c.Press("Tab")
	c.WaitFor("return document.querySelector('#my-address').textContent.includes('@')", 15*time.Second)
}

func (c *caller) address() string {
	c.t.Helper()
	var a string
	c.Eval("return document.querySelector('#my-address').textContent.trim()", &a)
	return a
}

func (c *caller) dial(to string, video bool) {
	c.t.Helper()
	c.waitState("idle", 10*time.Second)
	c.Eval("document.querySelector('#address').value = ''", nil)
	c.Type("#address", to)
	if video {
		c.Click("#call-video")
	} else {
		c.Click("#call-audio")
	}
}

func (c *caller) waitState(state string, within time.Duration) {
	c.t.Helper()
	c.WaitFor("return args[0].split(',').includes(document.body.dataset.state)", within, state)
}

func (c *caller) reason() string {
	c.t.Helper()
	c.waitState("ended", 10*time.Second)
	var r string
	c.Eval("return document.querySelector('#ended-reason').textContent", &r)
	return r
}

// clickAt clicks and returns when the click reached the page: a busy machine takes its time before that.
func (c *caller) clickAt(selector string) time.Time {
	c.t.Helper()
	c.Eval(`
		globalThis.clickedAt = 0;
		document.querySelector(args[0]).addEventListener('click', () => { globalThis.clickedAt = Date.now(); }, {once: true, capture: true})`, nil, selector)
	c.Click(selector)
	var at int64
	c.WaitFor("return clickedAt", 5*time.Second)
	c.Eval("return clickedAt", &at)
	return time.UnixMilli(at)
}

// notes lets the page note when it comes to a state.  What it returns waits for that and tells when it was: by then other tools may have
// taken their time.
func (c *caller) notes(states string) func() time.Time {
	c.t.Helper()
	c.Eval(`
		globalThis.notedAt = 0;
		const states = args[0].split(',');
		new MutationObserver((_, observer) => {
			if (!states.includes(document.body.dataset.state)) return;
			globalThis.notedAt = Date.now();
			observer.disconnect();
		}).observe(document.body, {attributeFilter: ['data-state']})`, nil, states)
	return func() time.Time {
		c.t.Helper()
		var at int64
		c.WaitFor("return notedAt", 10*time.Second)
		c.Eval("return notedAt", &at)
		return time.UnixMilli(at)
	}
}

// back leaves the screen that shows how a call ended.
func (c *caller) back() {
	c.t.Helper()
	c.waitState("ended", 10*time.Second)
	c.Click("#back")
	c.waitState("idle", 5*time.Second)
}

// hears waits for a tone in the remote sound.
func (c *caller) hears(hz int) { c.t.Helper(); c.Hear("'#remote-video'", hz, 20*time.Second) }

// sees waits until the remote picture moves or has a colour: red is what Dino's camera shows.
func (c *caller) sees(what string) {
	c.t.Helper()
	js := map[string]string{
		"red":    "const s = rig.see('#remote-video'); return s && s.r > 200 && s.g < 60 && s.b < 60",
		"lime":   "const s = rig.see('#remote-video'); return s && s.g > 200 && s.r < 60 && s.b < 60",
		"motion": "const s = rig.see('#remote-video'); return s && s.changed && s.frames > 10",
	}[what]
	c.WaitFor(js, 20*time.Second)
}
