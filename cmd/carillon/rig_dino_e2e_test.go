//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/component/xmppserver"
)

// dino is one real Dino with a profile, X server, sound and camera of its own, driven by testdata/dino/dinoctl.
// A method that cannot do what it is named for ends the test.
type dino struct {
	t    *testing.T
	name string
	jid  string // bare
	root string // DINO_HARNESS_DIR
	down bool
}

type dinoOptions struct {
	Name     string // of the instance, default: the user; two Dinos of one account need two
	Resource string // default: dino.NAME
	Tone     int    // what the microphone hears, Hz; default 440, negative: silence
	Camera   bool
	Pattern  string // what the camera sees: a videotestsrc pattern such as red, blue, ball
	Keep     bool   // go on with the profile that a Dino of this name had earlier in this test
}

type dinoCall struct {
	ID         int    `json:"id"`
	Peer       string `json:"peer"`
	Direction  string `json:"direction"`    // in, out
	Stored     string `json:"stored_state"` // ended, declined, missed, failed ...; final once the phase is idle
	Encryption string `json:"encryption"`   // none, dtls-srtp ...
}

type dinoState struct {
	Phase   string `json:"phase"` // down offline idle ringing calling remote-ringing connecting connected over
	PID     int    `json:"pid"`
	Online  bool   `json:"online"`
	Ringing []struct {
		From string `json:"from"`
		Body string `json:"body"`
	} `json:"ringing"`
	LastCall *dinoCall                    `json:"last_call"`
	Labels   []string                     `json:"labels"`
	Stats    map[string]map[string]string `json:"stats"` // "audio", "video": codec, sent, received, rtp ...
}

type dinoTone struct {
	RMS   float64            `json:"rms"`
	Share map[string]float64 `json:"share"` // frequency to its part of the energy
	After float64            `json:"after_s"`
}

type dinoColour struct{ R, G, B int }

var dinoRoots struct {
	sync.Mutex
	of map[*testing.T]string
}

// dinoRoot is short on purpose: the sockets below it have paths of at most 107 bytes, too few for t.TempDir.
func dinoRoot(t *testing.T) string {
	dinoRoots.Lock()
	defer dinoRoots.Unlock()
	if root, ok := dinoRoots.of[t]; ok {
		return root
	}
	root, err := os.MkdirTemp("", "dino")
	if err != nil {
		t.Fatal(err)
	}
	if dinoRoots.of == nil {
		dinoRoots.of = make(map[*testing.T]string)
	}
	dinoRoots.of[t] = root
	t.Cleanup(func() {
		dinoRoots.Lock()
		defer dinoRoots.Unlock()
		delete(dinoRoots.of, t)
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	return root
}

// startDino returns once a fresh Dino is logged in; it goes down with the test.
func startDino(t *testing.T, srv *xmppserver.Server, user, password string, o dinoOptions) *dino {
	t.Helper()
	d := &dino{t: t, name: o.Name, jid: user + "@" + srv.Domain, root: dinoRoot(t)}
	if d.name == "" {
		d.name = user
	}
	args := []string{"up", user, "-", srv.Domain, "--name", d.name,
		"--server", srv.ClientAddr, "--ca", srv.CAFile, "--owner", strconv.Itoa(os.Getpid())}
	if o.Resource != "" {
		args = append(args, "--resource", o.Resource)
	}
	if o.Tone != 0 {
		args = append(args, "--tone", strconv.Itoa(max(o.Tone, 0)))
	}
	if o.Camera {
		args = append(args, "--camera")
	}
	if o.Pattern != "" {
		args = append(args, "--pattern", o.Pattern)
	}
	if o.Keep {
		args = append(args, "--keep")
	}
	t.Cleanup(d.Down)
	if _, err := d.tryWith(password+"\n", args...); err != nil {
		t.Fatal(err)
	}
	return d
}

// Call rings peer once Dino offers to, which CanCall tells.
func (d *dino) Call(peer string, video bool) {
	d.t.Helper()
	args := []string{"call", d.name, peer}
	if video {
		args = append(args, "--video")
	}
	d.ctl(nil, args...)
}

// CanCall waits until Dino shows the call button for peer.
func (d *dino) CanCall(peer string, timeout time.Duration) {
	d.t.Helper()
	d.ctl(nil, "can-call", d.name, peer, "--timeout", dinoSeconds(timeout))
}

// OffersCall tells whether Dino shows the call button for peer within the time.
func (d *dino) OffersCall(peer string, timeout time.Duration) bool {
	d.t.Helper()
	_, err := d.try("can-call", d.name, peer, "--timeout", dinoSeconds(timeout))
	return err == nil
}

// Accept presses the button of the notification, for which it waits.
func (d *dino) Accept() { d.t.Helper(); d.ctl(nil, "accept", d.name) }

// Reject presses the button of the notification, for which it waits, and returns when it did.
func (d *dino) Reject() time.Time { d.t.Helper(); return d.at("reject", d.name) }

// Hangup returns when it pressed the button.
func (d *dino) Hangup() time.Time { d.t.Helper(); return d.at("hangup", d.name) }

// Awaits starts to wait for a phase, or one of several with commas between.  What it returns waits for that wait and tells when it came.
func (d *dino) Awaits(phase string, timeout time.Duration) func() time.Time {
	var answer []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		answer, err = d.try("wait", d.name, phase, dinoSeconds(timeout))
	}()
	return func() time.Time {
		d.t.Helper()
		if <-done; err != nil {
			d.t.Fatal(err)
		}
		return d.moment(answer)
	}
}

// at runs a command that tells when it did what it is named for.
func (d *dino) at(args ...string) time.Time {
	d.t.Helper()
	answer, err := d.try(args...)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.moment(answer)
}

func (d *dino) moment(answer []byte) time.Time {
	d.t.Helper()
	var m struct{ At float64 }
	if err := json.Unmarshal(answer, &m); err != nil || m.At == 0 {
		d.t.Fatalf("no time in %s: %v", answer, err)
	}
	return time.UnixMicro(int64(m.At * 1e6))
}

// Mute toggles the microphone.
func (d *dino) Mute() { d.t.Helper(); d.ctl(nil, "mute", d.name) }

// Camera toggles the camera; in an audio call that adds video.
func (d *dino) Camera() { d.t.Helper(); d.ctl(nil, "camera", d.name) }

// Wait waits for a phase, or for one of several with commas between.
func (d *dino) Wait(phase string, timeout time.Duration) {
	d.t.Helper()
	d.ctl(nil, "wait", d.name, phase, dinoSeconds(timeout))
}

// State tells what Dino is doing; with stats also codecs and bit rates, for which Dino opens a window of its own.
func (d *dino) State(stats bool) dinoState {
	d.t.Helper()
	var s dinoState
	args := []string{"state", d.name}
	if stats {
		args = append(args, "--stats")
	}
	d.ctl(&s, args...)
	return s
}

// Hear waits until the loudspeaker plays a tone of freq Hz.
func (d *dino) Hear(freq int, timeout time.Duration) dinoTone {
	d.t.Helper()
	var m dinoTone
	d.ctl(&m, "hear", d.name, strconv.Itoa(freq), dinoSeconds(timeout))
	return m
}

// Hears tells whether the loudspeaker plays a tone of freq Hz within the time.
func (d *dino) Hears(freq int, timeout time.Duration) bool {
	d.t.Helper()
	_, err := d.try("hear", d.name, strconv.Itoa(freq), dinoSeconds(timeout))
	return err == nil
}

// Pixel returns the mean colour of a part of the screen, WIDTHxHEIGHT+X+Y. The call window is at 0,0, 704x528 large.
func (d *dino) Pixel(area string) dinoColour {
	d.t.Helper()
	var c dinoColour
	d.ctl(&c, "pixel", d.name, area)
	return c
}

// Screenshot writes the screen as PNG.
func (d *dino) Screenshot(path string) { d.t.Helper(); d.ctl(nil, "shot", d.name, path) }

// Mark returns the present end of Dino's log, for XML.
func (d *dino) Mark() int {
	d.t.Helper()
	var mark int
	d.ctl(&mark, "mark", d.name)
	return mark
}

// XML returns the call stanzas Dino sent and received, those after a Mark if one is given.
func (d *dino) XML(since ...int) string {
	d.t.Helper()
	args := []string{"xml", d.name, "--calls"}
	for _, mark := range since {
		args = append(args, "--since", strconv.Itoa(mark))
	}
	out, err := d.try(args...)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(out)
}

// Kill ends Dino without a goodbye, as a crash does.
func (d *dino) Kill() { d.t.Helper(); d.end("--kill") }

// Down quits Dino and ends all that belongs to it.
func (d *dino) Down() { d.t.Helper(); d.end() }

func (d *dino) end(options ...string) {
	d.t.Helper()
	if d.down {
		return
	}
	d.down = true
	if d.t.Failed() {
		d.t.Logf("%s's log ends with\n%s", d.jid, d.logTail())
	}
	if _, err := d.try(append([]string{"down", d.name}, options...)...); err != nil {
		d.t.Errorf("cannot end Dino: %v", err)
	}
}

func (d *dino) ctl(out any, args ...string) {
	d.t.Helper()
	answer, err := d.try(args...)
	if err == nil && out != nil {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *dino) try(args ...string) ([]byte, error) { return d.tryWith("", args...) }

// tryWith runs dinoctl. Its own time-outs come first; ours is for a dinoctl that hangs.
func (d *dino) tryWith(stdin string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join("..", "..", "testdata", "dino", "dinoctl"), args...)
	cmd.Env = append(os.Environ(), "DINO_HARNESS_DIR="+d.root)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Stdin = strings.NewReader(stdin)
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("dinoctl %q: %w: %s", args, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

func (d *dino) logTail() string {
	text, err := os.ReadFile(filepath.Join(d.root, d.name, "dino.err"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-6000):])
}

func dinoSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) }

// TestDinoCallsDino proves the rig itself: two Dinos and a Prosody, nothing of ours between them.
func TestDinoCallsDino(t *testing.T) {
	users := map[string]string{"alice": "pw-alice", "bob": "pw-bob"}
	srv, err := xmppserver.StartProsody(t.Context(), xmppserver.Options{
		Domain: "xmpp.test", Users: users, Contacts: true,
		External: xmppserver.TURN{Host: "127.0.0.1", Port: 9, Secret: "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() })
	began := time.Now()
	alice := startDino(t, srv, "alice", users["alice"], dinoOptions{Tone: 440, Camera: true, Pattern: "red"})
	bob := startDino(t, srv, "bob", users["bob"], dinoOptions{Tone: 880, Camera: true, Pattern: "blue"})
	t.Logf("two Dinos after %v", time.Since(began))

	alice.CanCall(bob.jid, 20*time.Second)
	alice.Call(bob.jid, true)
	bob.Wait("ringing", 10*time.Second)
	bob.Accept()
	alice.Wait("connected", 20*time.Second)
	bob.Wait("connected", 20*time.Second)
	bob.hearsDino(alice, 440)
	alice.hearsDino(bob, 880)
	s := alice.State(true)
	for end := time.Now().Add(20 * time.Second); s.Stats["audio"]["codec"] == "" || s.Stats["video"]["codec"] == ""; s = alice.State(true) {
		if time.Now().After(end) {
			t.Fatalf("statistics without codecs: %v", s.Stats)
		}
	}
	t.Logf("alice's statistics %v", s.Stats)
	t.Logf("bob sees %+v", bob.Pixel("100x100+300+250"))
	if s.LastCall == nil || s.LastCall.Encryption != "dtls-srtp" {
		t.Errorf("call %+v is not encrypted", s.LastCall)
	}
	alice.Hangup()
	alice.Wait("idle", 5*time.Second)
	bob.Wait("over,idle", 5*time.Second)
}
