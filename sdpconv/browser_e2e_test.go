//go:build e2e

package sdpconv

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/jingle"
)

// driver is a real browser, one request at a time (testdata/browser/driver.mjs).
type driver struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
	n   int
}

func startDriver(t *testing.T, kind string) *driver {
	t.Helper()
	cmd := exec.Command("node", filepath.Join("..", "testdata", "browser", "driver.mjs"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("driver: %v", err)
		}
	})
	d := &driver{t: t, in: in, out: bufio.NewScanner(out)}
	d.out.Buffer(nil, 4<<20)
	d.do(map[string]any{
		"op": "launch", "browser": kind,
		// Literal host addresses, as pages with a camera have them: names are not Sendable.
		"args": map[string][]string{"chromium": {"--disable-features=WebRtcHideLocalIpsWithMdns"}}[kind],
		"preferences": map[string]any{
			"media.peerconnection.ice.obfuscate_host_addresses": false, "media.peerconnection.ice.default_address_only": false,
		},
	}, nil)
	return d
}

func (d *driver) do(request map[string]any, result any) {
	d.t.Helper()
	d.n++
	request["id"] = d.n
	b, err := json.Marshal(request)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.in.Write(append(b, '\n')); err != nil {
		d.t.Fatal(err)
	}
	for d.out.Scan() {
		var reply struct {
			ID     int
			Error  string
			Result json.RawMessage
		}
		if err := json.Unmarshal(d.out.Bytes(), &reply); err != nil {
			d.t.Fatal(err)
		}
		switch {
		case reply.ID != d.n: // an event
		case reply.Error != "":
			d.t.Fatalf("%s: %s", request["op"], reply.Error)
		default:
			if result != nil {
				if err := json.Unmarshal(reply.Result, result); err != nil {
					d.t.Fatal(err)
				}
			}
			return
		}
	}
	d.t.Fatalf("the driver ended: %v", d.out.Err())
}

// peer is a peer connection in a page of its own.
type peer struct {
	*driver
	page int
}

func (d *driver) newPeer() *peer {
	d.t.Helper()
	var made struct{ Page int }
	d.do(map[string]any{"op": "newPage"}, &made)
	p := &peer{d, made.Page}
	p.eval(nil, `globalThis.pc = new RTCPeerConnection();
		globalThis.found = [];
		pc.onicecandidate = (e) => found.push(e.candidate ? e.candidate.toJSON() : null);`)
	return p
}

func (p *peer) eval(result any, body string, args ...any) {
	p.t.Helper()
	p.do(map[string]any{"op": "eval", "page": p.page, "body": body, "args": args}, result)
}

// describe adds media (offer) or takes what was offered (answer) and returns the local SDP.
func (p *peer) describe(typ Type, media ...string) string {
	p.t.Helper()
	var sdp string
	p.eval(&sdp, `for (const kind of args[1]) pc.addTransceiver(kind);
		for (const one of pc.getTransceivers()) one.direction = 'sendrecv';
		await pc.setLocalDescription(args[0] === 'offer' ? await pc.createOffer() : await pc.createAnswer());
		return pc.localDescription.sdp;`, typ.String(), append([]string{}, media...))
	return sdp
}

func (p *peer) local() string {
	p.t.Helper()
	var sdp string
	p.eval(&sdp, "return pc.localDescription.sdp;")
	return sdp
}

func (p *peer) set(typ Type, sdp string) {
	p.t.Helper()
	p.eval(nil, `await pc.setRemoteDescription({type: args[0], sdp: args[1]});`, typ.String(), sdp)
}

// candidates waits until gathering has ended.
func (p *peer) candidates() []found {
	p.t.Helper()
	var list []*found
	p.do(map[string]any{
		"op": "waitFor", "page": p.page, "timeout": 20000, "body": "return found.includes(null) && found;",
	}, &list)
	var out []found
	for _, f := range list {
		if f != nil && f.Candidate != "" {
			out = append(out, *f)
		}
	}
	return out
}

type found struct{ Candidate, SDPMid string }

// trickle hands the Sendable candidates on, as a call does.
func trickle(t *testing.T, from, to *peer, lines Lines) {
	t.Helper()
	sent := 0
	for _, f := range from.candidates() {
		c, ufrag, err := ParseCandidate(f.Candidate)
		if err != nil {
			t.Fatal(err)
		}
		at := lines.FindMid(f.SDPMid)
		if at < 0 || lines[at].State != Live || !Sendable(c) {
			continue
		}
		d := throughXML(t, jingle.Description{Contents: []jingle.Content{{
			Name: lines[at].Name, ICE: &jingle.Transport{Candidates: []jingle.Candidate{c}},
		}}}, Offer)
		sent++
		to.eval(nil, `await pc.addIceCandidate({candidate: args[0], sdpMid: args[1]})`,
			FormatCandidate(d.Contents[0].ICE.Candidates[0], ufrag), f.SDPMid)
	}
	if sent == 0 {
		t.Fatal("no candidate may be sent")
	}
}

var browsers = []string{"chromium", "firefox"}

// Two browsers that know of each other only what passed through Jingle connect.
func TestBrowsersThroughJingle(t *testing.T) {
	running := map[string]*driver{}
	for _, kind := range browsers {
		running[kind] = startDriver(t, kind)
	}
	for _, a := range browsers {
		for _, b := range browsers {
			for _, media := range [][]string{{"audio"}, {"audio", "video"}} {
				t.Run(fmt.Sprintf("%s-%s-%s", a, b, strings.Join(media, "-")), func(t *testing.T) {
					running[a].t, running[b].t = t, t
					connect(t, running[a].newPeer(), running[b].newPeer(), media)
				})
			}
		}
	}
}

func connect(t *testing.T, a, b *peer, media []string) {
	d, ours, _, err := FromSDP(a.describe(Offer, media...), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	offer, theirs, _, err := ToSDP(throughXML(t, d, Offer), jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	b.set(Offer, offer)
	d, theirs, _, err = FromSDP(b.describe(Answer), jingle.Responder, theirs)
	if err != nil {
		t.Fatal(err)
	}
	answer, ours, _, err := ToSDP(throughXML(t, d, Answer), jingle.Responder, Answer, ours, Origin{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	checkAnswer(t, "through Jingle", a.local(), answer)
	a.set(Answer, answer)
	trickle(t, a, b, ours)
	trickle(t, b, a, theirs)
	for _, p := range []*peer{a, b} {
		p.do(map[string]any{"op": "waitFor", "page": p.page, "timeout": 20000, "body": "return pc.connectionState === 'connected';"}, nil)
	}
	for _, p := range []*peer{a, b} {
		p.do(map[string]any{"op": "closePage", "page": p.page}, nil)
	}
}

// Browsers take the offer made of every recorded session-initiate, and their answers become a session-accept of as many contents.
func TestBrowsersTakeRecordedOffers(t *testing.T) {
	files, _ := filepath.Glob("../testdata/stanzas/*/*")
	for _, kind := range browsers {
		t.Run(kind, func(t *testing.T) {
			p := startDriver(t, kind).newPeer()
			n := 0
			for _, f := range files {
				if strings.HasSuffix(f, ".md") || strings.Contains(f, "/quirks/") || strings.Contains(f, "dino-browser/") && strings.HasSuffix(f, ".json") {
					continue
				}
				for _, c := range capture(t, f) {
					if c.stanza.Action != jingle.SessionInitiate {
						continue
					}
					if o, _ := offerOf(t, filepath.Base(f), c); o.text != "" {
						n++
						answerRecorded(t, p, filepath.Base(f), o)
					}
				}
			}
			if n < 45 {
				t.Errorf("only %d offers", n)
			}
		})
	}
}

func answerRecorded(t *testing.T, p *peer, name string, o recordedOffer) {
	t.Helper()
	p.set(Offer, o.text)
	d, _, _, err := FromSDP(p.describe(Answer), jingle.Responder, o.lines)
	if err != nil || len(d.Contents) != len(o.lines) {
		t.Errorf("%s: %d contents of %d lines, %v", name, len(d.Contents), len(o.lines), err)
	}
	p.eval(nil, "pc.close(); globalThis.pc = new RTCPeerConnection();")
}
