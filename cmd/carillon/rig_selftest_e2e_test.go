//go:build e2e

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// connectOnePage connects two RTCPeerConnections of one page, the first of which sends microphone and camera. args[0]
// are their options.
const connectOnePage = `
	const [configuration] = args;
	const stream = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}, video: true});
	const [from, to] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
	window.from = from;
	window.remote = new MediaStream();
	to.ontrack = ({track}) => remote.addTrack(track);
	from.onicecandidate = ({candidate}) => to.addIceCandidate(candidate);
	to.onicecandidate = ({candidate}) => from.addIceCandidate(candidate);
	for (const track of stream.getTracks()) from.addTrack(track, stream);
	await from.setLocalDescription();
	await to.setRemoteDescription(from.localDescription);
	await to.setLocalDescription();
	await from.setRemoteDescription(to.localDescription);
	const video = document.querySelector('video');
	video.srcObject = remote;
	video.muted = true;
	await video.play();
`

// rigPage serves a page with a strict policy, as the real one has.
func rigPage(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><meta name=viewport content=width=device-width><input value=old><button>b</button><video></video>"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestPageCallsItself proves the rig itself: tone and picture of the fake devices go through WebRTC and are recognised.
func TestPageCallsItself(t *testing.T) {
	for _, kind := range []string{"chromium", "firefox"} {
		t.Run(kind, func(t *testing.T) {
			const tone = 880
			began := time.Now()
			b := startBrowser(t, kind, tone)
			t.Logf("%s after %v", b.Version, time.Since(began))
			p := b.NewPage(rigPage(t))
			p.Eval(connectOnePage, nil, map[string]any{})
			p.WaitFor("from.connectionState === 'connected'", 15*time.Second)
			p.Hear("remote", tone, 15*time.Second)
			if err := p.TryEval("if (Math.abs(rig.hear(remote).hz - args[0]) < 50) throw new Error('heard')", nil, 440); err != nil {
				t.Errorf("440 Hz while 880 are played: %v", err)
			}
			p.WaitFor("rig.see('video')?.changed", 15*time.Second)
			first := p.Picture("'video'")
			p.WaitFor("rig.see('video').frames > args[0]", 10*time.Second, first.Frames+5)
			t.Logf("sound %+v, picture %+v", *p.Sound("remote"), *p.Picture("'video'"))
			var stats map[string]any
			p.Eval("return rig.stats()", &stats)
			t.Logf("%v", stats)
			if len(p.Errors()) != 0 {
				t.Errorf("the page has errors: %q", p.Errors())
			}
		})
	}
}

// TestBrowserRig proves what the other operations promise, the failures above all.
func TestBrowserRig(t *testing.T) {
	for _, kind := range []string{"chromium", "firefox"} {
		t.Run(kind, func(t *testing.T) {
			b := startBrowser(t, kind, 0)
			url := rigPage(t)
			p, other, same := b.NewPage(url), b.NewPrivatePage(url), b.NewPage(url)
			p.Eval("localStorage.setItem('key', args[0].value)", nil, map[string]string{"value": "quote \" and \u2028"})
			var kept, alone *string
			same.Eval("return localStorage.getItem('key')", &kept)
			other.Eval("return localStorage.getItem('key')", &alone)
			if kept == nil || *kept != "quote \" and \u2028" || alone != nil {
				t.Errorf("storage of the same person %v, of another %v", kept, alone)
			}
			p.Type("input", "new text")
			p.WaitFor("document.querySelector('input').value === 'new text'", time.Second)
			p.Eval("document.querySelector('button').onclick = () => { window.clicked = true }", nil)
			p.Click("button")
			p.WaitFor("window.clicked", time.Second)
			p.Viewport(390, 844, true)
			p.WaitFor("innerWidth === 390", 2*time.Second)
			picture := filepath.Join(t.TempDir(), "page.png")
			p.Screenshot(picture)
			if info, err := os.Stat(picture); err != nil || info.Size() == 0 {
				t.Errorf("screenshot: %v", err)
			}
			if err := p.TryEval("throw new Error('as expected')", nil); err == nil || !strings.Contains(err.Error(), "as expected") {
				t.Errorf("error of the page: %v", err)
			}
			if err := b.try(10*time.Second, "waitFor", p.with(map[string]any{"body": "return 0", "timeout": 100}), nil); err == nil {
				t.Error("waitFor of what never comes has succeeded")
			}
			p.Eval("setTimeout(() => { console.log('line'); throw new Error('uncaught') })", nil)
			p.WaitFor("fetch('/missing').then(() => true)", 5*time.Second)
			for deadline := time.Now().Add(5 * time.Second); !strings.Contains(strings.Join(p.Errors(), "\n"), "uncaught"); {
				if time.Now().After(deadline) {
					t.Fatalf("no word of an uncaught error in %q", p.Console())
				}
				p.Eval("", nil)
			}
			same.Close()
			b.Kill()
			if err := p.TryEval("return 1", nil); err == nil {
				t.Error("a killed browser answers")
			}
		})
	}
}

// TestStanzaLoads: the independent Jingle implementation runs in a page.
func TestStanzaLoads(t *testing.T) {
	b := startBrowser(t, "chromium", 0)
	p := b.NewPage("")
	p.Eval(b.Bundle("stanza.mjs"), nil)
	var kind string
	p.Eval("return typeof stanza.createClient", &kind)
	if kind != "function" {
		t.Errorf("stanza.createClient is %s", kind)
	}
}
