//go:build e2e

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is one real Chromium or Firefox with a fresh profile, driven by testdata/browser/driver.mjs.
// A method that cannot do what it is named for ends the test; call them on the test's goroutine only.
type browser struct {
	t       *testing.T
	kind    string
	Version string
	driver  *exec.Cmd
	stdin   io.WriteCloser
	stderr  rigBuffer
	read    chan struct{} // closed once the driver's output has ended

	mu      sync.Mutex
	lastID  int
	waiting map[int]chan driverLine
	pages   map[int]*page
	closed  bool
}

// page is a tab. Its rig object (testdata/browser/{peers,hear,see}.js) is there before the page's own scripts.
type page struct {
	b      *browser
	number int

	mu      sync.Mutex
	console []string
	errors  []string
}

// driverLine is an answer (ID set) or an event.
type driverLine struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`

	Event string `json:"event"` // console, error, dialog
	Page  int    `json:"page"`
	Type  string `json:"type"`
	Text  string `json:"text"`
	At    string `json:"at"`
}

// pageSound is what rig.hear measures.
type pageSound struct {
	Hz    int
	DB    int
	Heard int // seconds
}

// pagePicture is what rig.see measures; Changed compares with the call before.
type pagePicture struct {
	Width, Height, R, G, B, Frames int
	Changed                        bool
}

// startBrowser starts "chromium" or "firefox" with a fake camera and a microphone that hears tone Hz (0: the browser's
// own). extra are flags for Chromium and preferences as name=value for Firefox. It ends with the test.
func startBrowser(t *testing.T, kind string, tone int, extra ...string) *browser {
	t.Helper()
	b := &browser{t: t, kind: kind, read: make(chan struct{}), waiting: make(map[int]chan driverLine), pages: make(map[int]*page)}
	b.driver = exec.Command("node", filepath.Join("..", "..", "testdata", "browser", "driver.mjs"))
	b.driver.Stderr = &b.stderr
	stdin, err := b.driver.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := b.driver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.driver.Start(); err != nil {
		t.Fatalf("node: %v (testdata/install all)", err)
	}
	b.stdin = stdin
	go b.listen(stdout)
	t.Cleanup(b.Close)
	launch := map[string]any{"browser": kind, "tone": tone}
	if kind == "firefox" {
		launch["preferences"] = firefoxPreferences(t, extra)
	} else {
		launch["args"] = extra
	}
	var started struct{ Version string }
	b.do(90*time.Second, "launch", launch, &started)
	b.Version = started.Version
	return b
}

// firefoxPreferences reads name=value, where value is JSON.
func firefoxPreferences(t *testing.T, settings []string) map[string]any {
	t.Helper()
	all := make(map[string]any)
	for _, setting := range settings {
		name, text, _ := strings.Cut(setting, "=")
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatalf("preference %q: %v", setting, err)
		}
		all[name] = value
	}
	return all
}

// NewPage opens url in a new tab; an empty url leaves it blank.
func (b *browser) NewPage(url string) *page { b.t.Helper(); return b.newPage(url, false) }

// NewPrivatePage is NewPage with storage and keys of its own, as in another person's browser.
func (b *browser) NewPrivatePage(url string) *page { b.t.Helper(); return b.newPage(url, true) }

// second opens url in a tab beside this one, with the same storage.
func (p *page) second(url string) *page {
	p.b.t.Helper()
	var made struct{ Page int }
	p.do(40*time.Second, "newPage", map[string]any{"beside": p.number}, &made)
	other := p.b.page(made.Page)
	other.Goto(url)
	return other
}

func (b *browser) newPage(url string, private bool) *page {
	b.t.Helper()
	var made struct{ Page int }
	b.do(40*time.Second, "newPage", map[string]any{"private": private}, &made)
	p := b.page(made.Page)
	if url != "" {
		p.Goto(url)
	}
	return p
}

// Bundle makes one script out of a module in testdata/browser and all it imports.
func (b *browser) Bundle(file string) string {
	b.t.Helper()
	var script string
	b.do(60*time.Second, "bundle", map[string]any{"file": file}, &script)
	return script
}

// Kill ends the browser as a crash does.
func (b *browser) Kill() { b.t.Helper(); b.do(10*time.Second, "kill", nil, nil) }

// Close ends the browser and its driver and removes the profile. A failed test gets the pages' consoles first.
func (b *browser) Close() {
	b.t.Helper()
	if b.closed {
		return
	}
	b.closed = true
	b.stdin.Close()
	timer := time.AfterFunc(20*time.Second, func() { _ = b.driver.Process.Kill() })
	defer timer.Stop()
	<-b.read
	if err := b.driver.Wait(); err != nil || b.stderr.String() != "" {
		b.t.Logf("driver of %s: %v\n%s", b.kind, err, b.stderr.String())
	}
	if !b.t.Failed() {
		return
	}
	for number, p := range b.pages {
		b.t.Logf("%s, page %d:\n%s", b.kind, number, strings.Join(p.Console(), "\n"))
	}
}

func (p *page) Goto(url string) {
	p.b.t.Helper()
	p.do(40*time.Second, "goto", map[string]any{"url": url}, nil)
}

func (p *page) Reload() { p.b.t.Helper(); p.do(40*time.Second, "reload", nil, nil) }

// Eval runs the body of an async JavaScript function, which finds the arguments in args, and decodes what it returns
// into out unless that is nil.
func (p *page) Eval(js string, out any, args ...any) {
	p.b.t.Helper()
	p.do(60*time.Second, "eval", map[string]any{"body": js, "args": args}, out)
}

// TryEval is Eval that returns what the page throws.
func (p *page) TryEval(js string, out any, args ...any) error {
	return p.b.try(60*time.Second, "eval", p.with(map[string]any{"body": js, "args": args}), out)
}

// WaitFor evaluates an expression, or the body of a function if it contains "return", until its value counts as true.
func (p *page) WaitFor(js string, timeout time.Duration, args ...any) {
	p.b.t.Helper()
	p.do(timeout+30*time.Second, "waitFor", map[string]any{"body": pageFunction(js), "args": args, "timeout": timeout.Milliseconds()}, nil)
}

// Click clicks on an element once it is visible.
func (p *page) Click(selector string) {
	p.b.t.Helper()
	p.do(30*time.Second, "click", map[string]any{"selector": selector}, nil)
}

// Type replaces what a field holds.
func (p *page) Type(selector, text string) {
	p.b.t.Helper()
	p.do(30*time.Second, "type", map[string]any{"selector": selector, "text": text}, nil)
}

// Press presses a key by its name: Enter, Tab, Escape, a ...
func (p *page) Press(key string) {
	p.b.t.Helper()
	p.do(10*time.Second, "press", map[string]any{"key": key}, nil)
}

// Screenshot writes a PNG.
func (p *page) Screenshot(path string) {
	p.b.t.Helper()
	absolute, err := filepath.Abs(path)
	if err != nil {
		p.b.t.Fatal(err)
	}
	p.do(30*time.Second, "screenshot", map[string]any{"path": absolute}, nil)
}

// Viewport sets the size of the page, with touch as on a phone if so wished.
func (p *page) Viewport(width, height int, phone bool) {
	p.b.t.Helper()
	size := map[string]any{"width": width, "height": height}
	if phone {
		size["isMobile"], size["hasTouch"], size["deviceScaleFactor"] = p.b.kind == "chromium", true, 2
	}
	p.do(10*time.Second, "setViewport", map[string]any{"viewport": size}, nil)
}

// Emulate sets CSS media features, such as prefers-color-scheme.
func (p *page) Emulate(feature, value string) {
	p.b.t.Helper()
	p.do(10*time.Second, "emulate", map[string]any{"media": map[string]string{feature: value}}, nil)
}

// Permission grants or takes back what a page of Chromium may do: name is camera or microphone, setting granted, denied or prompt.
func (p *page) Permission(name, setting string) {
	p.b.t.Helper()
	p.do(10*time.Second, "permission", map[string]any{"name": name, "setting": setting}, nil)
}

// Close closes the tab as a person does, without asking the page.
func (p *page) Close() { p.b.t.Helper(); p.do(20*time.Second, "closePage", nil, nil) }

// Hear waits until source, an expression for a stream, track or media element or a selector in quotes, sounds with hz.
func (p *page) Hear(source string, hz int, timeout time.Duration) {
	p.b.t.Helper()
	js := fmt.Sprintf("const s = rig.hear(%s); return s && s.db > -60 && Math.abs(s.hz - args[0]) <= 15", source)
	if err := p.b.try(timeout+30*time.Second, "waitFor", p.with(map[string]any{
		"body": js, "args": []any{hz}, "timeout": timeout.Milliseconds()}), nil); err != nil {
		var stats map[string]any
		p.Eval("return rig.stats()", &stats)
		p.b.t.Fatalf("%d Hz not heard (%+v): %v\n%v", hz, p.Sound(source), err, stats)
	}
}

// Sound tells what source sounds like just now; nil: there is nothing to listen to.
func (p *page) Sound(source string) *pageSound {
	p.b.t.Helper()
	var s *pageSound
	p.Eval("return rig.hear("+source+")", &s)
	return s
}

// Picture tells what a video element (an expression, or a selector in quotes) shows just now; nil: nothing yet.
func (p *page) Picture(video string) *pagePicture {
	p.b.t.Helper()
	var s *pagePicture
	p.Eval("return rig.see("+video+")", &s)
	return s
}

// Console returns the lines the page has written so far, errors among them.
func (p *page) Console() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.console...)
}

// Errors returns the exceptions nobody caught and the error lines of the console.
func (p *page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.errors...)
}

func pageFunction(js string) string {
	if strings.Contains(js, "return") {
		return js
	}
	return "return (" + js + ")"
}

func (p *page) with(request map[string]any) map[string]any {
	if request == nil {
		request = make(map[string]any)
	}
	request["page"] = p.number
	return request
}

func (p *page) do(timeout time.Duration, op string, request map[string]any, out any) {
	p.b.t.Helper()
	p.b.do(timeout, op, p.with(request), out)
}

func (b *browser) do(timeout time.Duration, op string, request map[string]any, out any) {
	b.t.Helper()
	if err := b.try(timeout, op, request, out); err != nil {
		b.t.Fatalf("%s: %v", b.kind, err)
	}
}

// try sends a request and waits for its answer. The driver has time limits of its own; ours is for one that hangs.
func (b *browser) try(timeout time.Duration, op string, request map[string]any, out any) error {
	message := map[string]any{"op": op}
	for key, value := range request {
		message[key] = value
	}
	answer := make(chan driverLine, 1)
	b.mu.Lock()
	b.lastID++
	id := b.lastID
	b.waiting[id] = answer
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.waiting, id)
		b.mu.Unlock()
	}()
	message["id"] = id
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if _, err := b.stdin.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("%s: driver: %w: %s", op, err, b.stderr.String())
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case got := <-answer:
		if got.Error != "" {
			return errors.New(got.Error)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(got.Result, out)
	case <-b.read:
		return fmt.Errorf("%s: the driver has ended: %s", op, b.stderr.String())
	case <-timer.C:
		return fmt.Errorf("%s: no answer within %v", op, timeout)
	}
}

func (b *browser) listen(stdout io.Reader) {
	defer close(b.read)
	r := bufio.NewReader(stdout)
	for {
		text, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		var line driverLine
		if json.Unmarshal(text, &line) != nil {
			fmt.Fprintf(&b.stderr, "not an answer: %s", text)
			continue
		}
		if line.Event != "" {
			b.page(line.Page).note(line)
			continue
		}
		b.mu.Lock()
		answer := b.waiting[line.ID]
		b.mu.Unlock()
		if answer != nil {
			answer <- line
		}
	}
}

func (b *browser) page(number int) *page {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[number] == nil {
		b.pages[number] = &page{b: b, number: number}
	}
	return b.pages[number]
}

func (p *page) note(line driverLine) {
	text := fmt.Sprintf("%s %s: %s (%s)", line.Event, line.Type, line.Text, line.At)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.console = append(p.console, text)
	if line.Event == "error" || line.Type == "error" {
		p.errors = append(p.errors, text)
	}
}

// rigBuffer is a buffer that a process and a test may use at the same time.
type rigBuffer struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *rigBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *rigBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
