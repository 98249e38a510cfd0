//go:build e2e

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"carillon/component/gateway"
)

// A goPage is a page without a browser: the protocol of the door, with pion for the media.  It is light enough for many at a time, and proves
// nothing about browsers.
type goPage struct {
	t      *testing.T
	s      *stack
	name   string
	key    *ecdsa.PrivateKey
	ws     *websocket.Conn
	frames chan goFrame // closed with the socket
	resume string
	seen   int
	bare   string
	inst   string

	call    string
	pc      *webrtc.PeerConnection
	heard   atomic.Int64 // RTP packets
	ended   string       // reason
	pending []webrtc.ICECandidateInit
	mu      sync.Mutex // writes to ws
	stop    context.CancelFunc
}

// goFrame is any frame of the server.
type goFrame struct {
	Event, Nonce, Domain, Bare, Resume, Call, To, From, Reason, Code, Description, Candidate, Info, Body, Name string
	Sdpmid                                                                                                     *string
	Sdpmlineindex                                                                                              *uint16
	SDP                                                                                                        struct{ Type, SDP string }
	Seq                                                                                                        int
	Resumed                                                                                                    bool
	Up                                                                                                         *bool
}

// openGoPage attaches a page under a name.
func (s *stack) openGoPage(name string) *goPage {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &goPage{t: s.t, s: s, name: name, key: key, inst: rand.Text()}
	p.connect()
	s.t.Cleanup(func() {
		p.hangUpMedia()
		p.ws.CloseNow()
	})
	return p
}

// connect opens a socket and attaches: anew, or as the page that it was.
func (p *goPage) connect() goFrame {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, strings.Replace(p.s.url, "http", "ws", 1)+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {p.s.url}}})
	if err != nil {
		p.t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	p.mu.Lock() // its peer connection may be sending just now
	p.ws, p.frames = ws, make(chan goFrame, 1024)
	p.mu.Unlock()
	go func(frames chan<- goFrame) {
		defer close(frames)
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			var f goFrame
			if err := json.Unmarshal(data, &f); err != nil {
				f.Event = "unreadable " + string(data)
			}
			frames <- f
		}
	}(p.frames)
	hello := p.await("hello", 10*time.Second)
	point, err := p.key.PublicKey.Bytes()
	if err != nil {
		p.t.Fatal(err)
	}
	sum := sha256.Sum256(gateway.SigningInput(hello.Domain, p.s.url, hello.Nonce, p.name))
	r, v, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(map[string]any{
		"event": "attach", "id": 1, "name": p.name, "instance": p.inst, "resume": p.resume, "seen": p.seen,
		"key":       base64.RawURLEncoding.EncodeToString(point),
		"signature": base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)),
	})
	attached := p.await("attached", 10*time.Second)
	p.resume, p.bare = attached.Resume, attached.Bare
	return attached
}

func (p *goPage) send(frame map[string]any) {
	text, err := json.Marshal(frame)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p.ws.Write(ctx, websocket.MessageText, text) // a broken socket shows in what does not come back
}

// await handles frames until one of that event has come, and returns it.
func (p *goPage) await(event string, within time.Duration) goFrame {
	p.t.Helper()
	limit := time.NewTimer(within)
	defer limit.Stop()
	for {
		select {
		case f, open := <-p.frames:
			if !open {
				p.t.Fatalf("%s: the socket ended before %s", p.name, event)
			}
			p.handle(f)
			if f.Event == event {
				return f
			}
			if f.Event == "error" && f.Code != "unknown_call" { // what crossed the end of a call
				p.t.Fatalf("%s: waiting for %s: error %s: %s", p.name, event, f.Code, f.Description)
			}
		case <-limit.C:
			p.t.Fatalf("%s: no %s within %v", p.name, event, within)
		}
	}
}

// handle does what a page does with a frame.
func (p *goPage) handle(f goFrame) {
	p.t.Helper()
	p.seen = max(p.seen, f.Seq)
	if f.Call != "" && f.Call != p.call && f.Event != "admitted" && f.Event != "incoming" {
		return
	}
	switch f.Event {
	case "answer":
		p.must(p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: f.SDP.SDP}))
		p.flush()
	case "offer":
		p.must(p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: f.SDP.SDP}))
		p.flush()
		answer, err := p.pc.CreateAnswer(nil)
		p.must(err)
		p.must(p.pc.SetLocalDescription(answer))
		p.send(map[string]any{"event": "answer", "call": p.call, "sdp": map[string]string{"type": "answer", "sdp": answer.SDP}})
	case "ice_candidate":
		c := webrtc.ICECandidateInit{Candidate: f.Candidate, SDPMid: f.Sdpmid, SDPMLineIndex: f.Sdpmlineindex}
		if p.pc.RemoteDescription() == nil {
			p.pending = append(p.pending, c)
		} else {
			p.must(p.pc.AddICECandidate(c))
		}
	case "ended":
		p.ended = f.Reason
	}
}

func (p *goPage) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

func (p *goPage) flush() {
	for _, c := range p.pending {
		p.must(p.pc.AddICECandidate(c))
	}
	p.pending = nil
}

// dial calls an address with sound and returns when media comes back.
func (p *goPage) dial(to string) {
	p.t.Helper()
	p.ended = ""
	p.begin(to)
	p.await("answer", 20*time.Second)
	p.flows("the echo")
}

func (p *goPage) offer() {
	p.send(map[string]any{"event": "offer", "call": p.call, "sdp": map[string]string{"type": "offer", "sdp": p.pc.LocalDescription().SDP}})
}

// openMedia makes a peer connection that sends silence and counts what comes.
func (p *goPage) openMedia() {
	p.t.Helper()
	settings, engine := webrtc.SettingEngine{}, &webrtc.MediaEngine{}
	p.must(engine.RegisterDefaultCodecs())
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(engine)).NewPeerConnection(webrtc.Configuration{})
	p.must(err)
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "sound", "page")
	p.must(err)
	_, err = pc.AddTrack(track)
	p.must(err)
	call := p.call
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c == nil {
			return
		}
		init := c.ToJSON()
		p.send(map[string]any{"event": "ice_candidate", "call": call, "candidate": init.Candidate, "sdpmid": init.SDPMid, "sdpmlineindex": init.SDPMLineIndex})
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		p.send(map[string]any{"event": "media", "call": call, "state": s.String()})
	})
	pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			if _, _, err := remote.ReadRTP(); err != nil {
				return
			}
			p.heard.Add(1)
		}
	})
	ctx, stop := context.WithCancel(context.Background())
	p.pc, p.stop = pc, stop
	p.heard.Store(0)
	go speak(ctx, track)
}

// speak sends silence in Opus until ctx ends.
func speak(ctx context.Context, track *webrtc.TrackLocalStaticSample) {
	const frame = 20 * time.Millisecond
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			track.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: frame})
		}
	}
}

// flows waits until half a second of sound more has come.
func (p *goPage) flows(what string) { p.t.Helper(); allFlow([]*goPage{p}, what) }

// allFlow is flows for several, in the same half second.
func allFlow(pages []*goPage, what string) {
	before := make([]int64, len(pages))
	for i, p := range pages {
		before[i] = p.heard.Load()
	}
	for i, p := range pages {
		p.t.Helper()
		p.pump(what+" at "+p.name, 20*time.Second, func() bool { return p.heard.Load() >= before[i]+25 })
	}
}

// pump handles frames until something has come about.
func (p *goPage) pump(what string, within time.Duration, condition func() bool) {
	p.t.Helper()
	limit, again := time.NewTimer(within), time.NewTicker(10*time.Millisecond)
	defer limit.Stop()
	defer again.Stop()
	for !condition() {
		select {
		case f, open := <-p.frames:
			if !open {
				p.t.Fatalf("%s: the socket ended before %s", p.name, what)
			}
			p.handle(f)
			if f.Event == "ended" && !condition() {
				p.t.Fatalf("%s: the call ended (%s) before %s", p.name, f.Reason, what)
			}
		case <-again.C:
		case <-limit.C:
			p.t.Fatalf("no %s within %v", what, within)
		}
	}
}

// hangUp ends the call and returns how long the server took to say so.
func (p *goPage) hangUp() time.Duration {
	p.t.Helper()
	began := time.Now()
	p.send(map[string]any{"event": "hang_up", "call": p.call})
	p.await("ended", 10*time.Second)
	took := time.Since(began)
	p.hangUpMedia()
	return took
}

func (p *goPage) hangUpMedia() {
	if p.pc != nil {
		p.stop()
		p.pc.GracefulClose()
		p.pc = nil
	}
}

// TestGoPage holds the rig to a whole call.
func TestGoPage(t *testing.T) {
	s := startStack(t)
	echo := startEcho(t, s)
	p := s.openGoPage("anna")
	p.dial(echo)
	if took := p.hangUp(); p.ended != "hung-up" || took > 2*time.Second {
		t.Errorf("ended %s after %v", p.ended, took)
	}
	s.waitFor("the call's end", 5*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}

// begin calls an address and does not wait for an answer.
func (p *goPage) begin(to string) {
	p.t.Helper()
	p.send(map[string]any{"event": "dial", "id": 2, "to": to})
	p.call = p.await("admitted", 10*time.Second).Call
	p.openMedia()
	offer, err := p.pc.CreateOffer(nil)
	p.must(err)
	p.must(p.pc.SetLocalDescription(offer))
	p.offer()
}

// reoffer changes the call and waits for the answer.
func (p *goPage) reoffer(o *webrtc.OfferOptions) {
	p.t.Helper()
	offer, err := p.pc.CreateOffer(o)
	p.must(err)
	p.must(p.pc.SetLocalDescription(offer))
	p.offer()
	p.await("answer", 20*time.Second)
}

// say tells the other side of the call something about this one.
func (p *goPage) say(info string) {
	p.send(map[string]any{"event": "session_info", "call": p.call, "info": info})
}

// order has the echo do something by a word in the chat, and waits for what comes of it.
func (p *goPage) order(e *echo, word, event string) {
	p.t.Helper()
	p.send(map[string]any{"event": "text", "to": e.address, "body": word})
	p.await(event, 20*time.Second)
}

// goodbye closes the page.
func (p *goPage) goodbye() { p.ws.Close(websocket.StatusNormalClosure, "") }
