//go:build e2e

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/webclient"
)

// A shop is a site of somebody else's, with a policy of its own as strict as the button allows.
type shop struct {
	url    string
	files  map[string]string // by path, added before a page asks for them
	policy string
}

func startShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{files: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := s.files[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNoContent) // favicon.ico
			return
		}
		w.Header().Set("Content-Type", "text/html")
		if strings.HasSuffix(r.URL.Path, ".js") {
			w.Header().Set("Content-Type", "text/javascript")
		}
		w.Header().Set("Content-Security-Policy", s.policy)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// sell fills the shop with a page that embeds the button of that Carillon.
func (s *shop) sell(carillon, to, attributes string) {
	s.policy = fmt.Sprintf("default-src 'none'; img-src 'self'; script-src 'self' %s; connect-src %s %s", carillon, carillon, strings.Replace(carillon, "http", "ws", 1))
	s.files["/"] = fmt.Sprintf(`<!doctype html><html lang="de"><title>Shop</title><script type="module" src="%s/carillon-call.js"></script>
		<script type="module" src="/log.js"></script><p><a href="#">A link</a> <carillon-call to="%s" %s></carillon-call>`, carillon, to, attributes)
	s.files["/log.js"] = `globalThis.heard = [];
		for (const type of ['carillon-state', 'carillon-ended', 'carillon-error']) {
			document.addEventListener(type, ({detail}) => heard.push([type.slice(9), detail.state ?? detail.reason ?? detail.code].join(' ')));
		}`
}

// inButton is an expression for a part of the button.
func inButton(part string) string {
	return fmt.Sprintf("document.querySelector('carillon-call').shadowRoot.querySelector('[part=%s]')", part)
}

func heard(p *page) (events []string) {
	p.Eval("return heard", &events)
	return events
}

// TestCallButton has visitors of another site call a page with the button, by mouse and by keyboard.
func TestCallButton(t *testing.T) {
	site := startShop(t)
	s := startStack(t, fmt.Sprintf("origins = [%q]", site.url))
	berta := s.openPage(startBrowser(t, "chromium", dinoTone440), "berta")
	site.sell(s.url, berta.address(), `label="Call us" media="video"`)
	for _, kind := range []string{"chromium", "firefox"} {
		t.Run(kind, func(t *testing.T) {
			visitor := startBrowser(t, kind, pageTone).NewPage(site.url)
			visitor.WaitFor(inButton("button")+".textContent === 'Call us'", 10*time.Second)
			visitor.Click("a")
			visitor.Press("Tab")
			visitor.Press("Enter")
			berta.waitState("incoming", 20*time.Second)
			visitor.WaitFor(inButton("status")+".textContent === 'Es klingelt'", 5*time.Second)
			berta.Click("#incoming-accept-video")
			berta.waitState("in-call", 20*time.Second)
			visitor.WaitFor("document.querySelector('carillon-call').state === 'connected'", 20*time.Second)
			visitor.Hear(inButton("remote"), dinoTone440, 20*time.Second)
			visitor.WaitFor("const s = rig.see("+inButton("remote")+"); return s && s.changed && s.frames > 5", 20*time.Second)
			berta.hears(pageTone)
			berta.sees("motion")
			visitor.WaitFor("document.querySelector('carillon-call').shadowRoot.activeElement === "+inButton("hang-up"), 5*time.Second)
			berta.Click("#hang-up")
			visitor.WaitFor(inButton("status")+".textContent === 'Die Gegenseite hat aufgelegt.'", 10*time.Second)
			berta.back()

			visitor.Click("carillon-call >>> [part=button]")
			berta.waitState("incoming", 20*time.Second)
			visitor.WaitFor("document.querySelector('carillon-call').state === 'ringing'", 5*time.Second) // which comes by a way of its own
			visitor.Click("carillon-call >>> [part=hang-up]")
			berta.back()
			want := []string{"state asking", "state attaching", "state dialing", "state ringing", "state connecting", "state connected", "state idle", "ended peer-hung-up",
				"state asking", "state attaching", "state dialing", "state ringing", "state idle", "ended cancelled"}
			visitor.WaitFor("return heard.length >= args[0]", 5*time.Second, len(want))
			if got := slices.Compact(heard(visitor)); !slices.Equal(got, want) {
				t.Errorf("events %q, want %q", got, want)
			}
			if errors := visitor.Errors(); len(errors) > 0 {
				t.Errorf("errors of the site: %q", errors)
			}
		})
	}
	s.waitFor("the visitors' leaving", 10*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}

// TestUnlistedSite has the button on a site that the operator did not list: it shows the key to set.
func TestUnlistedSite(t *testing.T) {
	site := startShop(t)
	s := startStack(t)
	site.sell(s.url, "berta@"+testComponent, "")
	for _, kind := range []string{"chromium", "firefox"} {
		t.Run(kind, func(t *testing.T) {
			visitor := startBrowser(t, kind, pageTone).NewPage(site.url)
			visitor.Click("carillon-call >>> [part=button]")
			visitor.WaitFor("return heard.includes('error origin-refused')", 10*time.Second)
			var shown string
			visitor.Eval("return "+inButton("status")+".textContent", &shown)
			if want := fmt.Sprintf("origins = [%q]", site.url); !strings.Contains(shown, want) {
				t.Errorf("shown is %q, without %s", shown, want)
			}
			var tracks int
			visitor.Eval("return rig.peers.length", &tracks)
			if state := fmt.Sprint(heard(visitor)); tracks != 0 || !strings.HasPrefix(state, "[state asking state attaching state idle error") {
				t.Errorf("%d connections, events %s", tracks, state)
			}
		})
	}
}

// TestLibraryStart runs the start of the library's README on another site.
func TestLibraryStart(t *testing.T) {
	readme, err := os.ReadFile("../../webclient/README.md")
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile("(?s)```js\n(import .*?)```").FindSubmatch(readme)
	site := startShop(t)
	s := startStack(t, fmt.Sprintf("origins = [%q]", site.url))
	berta := s.openPage(startBrowser(t, "chromium", dinoTone440), "berta")
	site.sell(s.url, "", "")
	site.files["/"] = `<!doctype html><title>Start</title><audio autoplay></audio><script type="module" src="/start.js"></script>`
	site.files["/start.js"] = strings.NewReplacer("'carillon-webclient'", "'"+s.url+"/carillon.js'", "wss://call.example.org/ws", strings.Replace(s.url, "http", "ws", 1)+"/ws",
		"alice@example.org", berta.address()).Replace(string(start[1]))
	page := startBrowser(t, "chromium", pageTone).NewPage(site.url)
	berta.waitState("incoming", 20*time.Second)
	berta.Click("#incoming-accept-audio")
	berta.waitState("in-call", 20*time.Second)
	page.Hear("'audio'", dinoTone440, 20*time.Second)
	berta.hears(pageTone)
	berta.Click("#hang-up")
	s.waitFor("the last line", 10*time.Second, func() bool { return strings.Contains(strings.Join(page.Console(), "\n"), "The call has ended.") })
}

// TestNegotiation has two calls of the library in one real browser change in every way, with a peer that bundles and one that does not.
func TestNegotiation(t *testing.T) {
	site := startShop(t)
	served := httptest.NewServer(webclient.Handler())
	t.Cleanup(served.Close)
	script, err := os.ReadFile(filepath.Join(browserFiles, "negotiate.js"))
	if err != nil {
		t.Fatal(err)
	}
	site.policy = "default-src 'none'; img-src 'self'; script-src 'self' " + served.URL
	site.files["/"] = "<!doctype html><title>Negotiation</title>"
	site.files["/negotiate.js"] = string(script)
	for _, kind := range []string{"chromium", "firefox"} {
		b := startBrowser(t, kind, pageTone)
		for _, unbundled := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s unbundled %v", kind, unbundled), func(t *testing.T) {
				p := b.NewPage(site.url)
				var done []string
				if err := p.TryEval("return (await import('/negotiate.js')).walk(args[0], {unbundled: args[1]})", &done, served.URL, unbundled); err != nil {
					t.Fatal(err)
				}
				t.Log(strings.Join(done, "; "))
			})
		}
	}
}

// TestPagesChangeTheirCall has two pages add cameras at once, share a screen, mute, hold, restart ICE and write to each other by the library.
func TestPagesChangeTheirCall(t *testing.T) {
	s := startStack(t)
	anna := s.openPage(startBrowser(t, "chromium", pageTone), "anna")
	// With addresses in its candidates, as pages with a real microphone have them: Chromium may resolve names too late for an ICE restart.
	berta := s.openPage(startBrowser(t, "firefox", dinoTone440, "media.peerconnection.ice.obfuscate_host_addresses=false"), "berta")
	anna.dial(berta.address(), false)
	berta.waitState("incoming", 10*time.Second)
	berta.Click("#incoming-accept-audio")
	for _, p := range []*caller{anna, berta} {
		p.waitState("in-call", 20*time.Second)
		p.Eval(`globalThis.warned = []; globalThis.texts = []; const [call] = carillon.calls; globalThis.call = call;
			call.on('warning', (warning) => warned.push(warning)); call.on('text', ({body}) => texts.push(body))`, nil)
	}
	for _, p := range []*caller{anna, berta} {
		p.Eval("globalThis.added = call.addVideo().then(() => 'added', (error) => error.code)", nil)
	}
	for _, p := range []*caller{anna, berta} {
		p.WaitFor("return await added === 'added' && call.hasRemoteVideo", 20*time.Second)
		p.sees("motion")
	}
	anna.Eval(`const canvas = document.createElement('canvas'); const context = canvas.getContext('2d');
		setInterval(() => { context.fillStyle = 'hsl(' + Date.now() / 10 % 360 + ' 90% 50%)'; context.fillRect(0, 0, 300, 150); }, 50);
		await call.shareScreen(canvas.captureStream(20))`, nil)
	berta.WaitFor("call.remoteScreen?.getVideoTracks().length === 1 && call.hasRemoteVideo", 20*time.Second)
	anna.Eval("await call.stopScreen()", nil)
	berta.WaitFor("!call.remoteScreen", 10*time.Second)
	anna.Eval("call.mute(true); call.turnCameraOff(true); call.hold(true); await call.sendText('good day')", nil)
	berta.WaitFor("call.remote.muted && call.remote.cameraOff && call.remote.held && texts[0] === 'good day'", 10*time.Second)
	anna.Eval("call.mute(false); call.turnCameraOff(false); call.hold(false)", nil)
	berta.WaitFor("!call.remote.muted && !call.remote.cameraOff && !call.remote.held", 10*time.Second)
	// By Firefox: Chromium (156), in control, may go on from its new ports to the candidates that Firefox (153) had before and check no others, on a
	// busy machine after one of four restarts of its own; Firefox then takes nothing of what comes.
	before := credentials(berta.page)
	berta.Eval("call.restart()", nil)
	berta.WaitFor("return rig.peers.at(-1).signalingState === 'stable' && args[0] !== /a=ice-ufrag:.*/.exec(rig.peers.at(-1).currentLocalDescription.sdp)[0]", 10*time.Second, before)
	berta.Eval("await call.removeVideo()", nil)
	anna.WaitFor("!call.hasRemoteVideo", 10*time.Second)
	anna.hears(dinoTone440)
	berta.hears(pageTone)
	berta.sees("motion")
	for _, p := range []*caller{anna, berta} {
		var warned []any
		if p.Eval("return warned", &warned); len(warned) > 0 {
			t.Errorf("warnings %v", warned)
		}
	}
	berta.Eval("call.hangUp()", nil)
	anna.waitState("ended", 5*time.Second)
}

func credentials(p *page) (name string) {
	p.Eval("return /a=ice-ufrag:.*/.exec(rig.peers.at(-1).currentLocalDescription.sdp)[0]", &name)
	return name
}
