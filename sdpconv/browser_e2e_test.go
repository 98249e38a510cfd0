//go:build e2e

package sdpconv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/jingle"
)

var browsers = []string{"chromium", "firefox"}

// flow is what one side is to receive.
type flow struct {
	Audio int  `json:"audio"`
	Video int  `json:"video"`
	Data  bool `json:"data"`
}

// call is two peer connections that know of each other only what passed through Jingle.
type call struct {
	t    *testing.T
	a, b *peer
}

// add has a side add media, by kind.
func (c *call) add(p *peer, kinds ...string) {
	c.t.Helper()
	for _, kind := range kinds {
		p.eval(nil, "add(args[0]);", kind)
	}
}

func (c *call) do(p *peer, body string, args ...any) {
	c.t.Helper()
	p.eval(nil, body, args...)
}

// offer negotiates what a side has changed.
func (c *call) offer(p *peer) {
	c.t.Helper()
	if p == c.a {
		negotiate(c.t, c.a, c.b)
	} else {
		negotiate(c.t, c.b, c.a)
	}
}

// flows waits until both sides receive anew.
func (c *call) flows(a, b flow) {
	c.t.Helper()
	for _, p := range []*peer{c.a, c.b} {
		p.eval(nil, "globalThis.before = await received(); if (globalThis.channel?.readyState === 'open') { echoed = 0; channel.send('call'); }")
	}
	c.a.waitFor("return await flows(args[0]);", a)
	c.b.waitFor("return await flows(args[0]);", b)
}

func (c *call) both(f flow) {
	c.t.Helper()
	c.flows(f, f)
}

// credentials are those of a side, as the other side has them.
func (c *call) credentials(p *peer) string {
	c.t.Helper()
	other := c.a
	if p == c.a {
		other = c.b
	}
	var ufrag string
	other.eval(&ufrag, "return pc.remoteDescription.sdp.match(/a=ice-ufrag:(.*)/)[1];")
	return ufrag
}

// direction is what the browser says came of a transceiver.
func (c *call) direction(p *peer, index int, want string) {
	c.t.Helper()
	var got string
	p.eval(&got, "return pc.getTransceivers()[args[0]].currentDirection;", index)
	if got != want {
		c.t.Errorf("transceiver %d of %s is %s, want %s", index, p.role, got, want)
	}
}

type scenario struct {
	name   string
	config map[string]any
	run    func(c *call)
}

var sessions = []scenario{
	{"audio", nil, func(c *call) {
		c.add(c.a, "audio")
		c.offer(c.a)
		c.both(flow{Audio: 1})
	}},
	{"audio and video", nil, func(c *call) {
		c.add(c.a, "audio", "video")
		c.offer(c.a)
		c.both(flow{Audio: 1, Video: 1})
	}},
	{"data", nil, func(c *call) {
		c.add(c.a, "data")
		c.offer(c.a)
		c.both(flow{Data: true})
	}},
	{"audio, video and data", nil, func(c *call) {
		c.add(c.a, "audio", "video", "data")
		c.offer(c.a)
		c.both(flow{Audio: 1, Video: 1, Data: true})
	}},
	{"added later", nil, func(c *call) {
		c.add(c.a, "audio")
		c.offer(c.a)
		c.both(flow{Audio: 1})
		c.add(c.a, "video")
		c.offer(c.a)
		c.both(flow{Audio: 1, Video: 1})
		c.add(c.b, "data")
		c.offer(c.b)
		c.both(flow{Audio: 1, Video: 1, Data: true})
		c.add(c.b, "video")
		c.offer(c.b)
		c.both(flow{Audio: 1, Video: 2, Data: true})
	}},
	{"removed and recycled", nil, func(c *call) {
		c.add(c.a, "audio", "video")
		c.offer(c.a)
		c.both(flow{Audio: 1, Video: 1})
		c.do(c.a, "pc.getTransceivers()[1].stop();")
		c.offer(c.a)
		c.both(flow{Audio: 1})
		if c.a.lines[1].State != Free || c.b.lines[1].State != Free {
			c.t.Errorf("after removal %v and %v", c.a.lines, c.b.lines)
		}
		c.add(c.b, "video") // the other side uses the line again
		c.offer(c.b)
		c.both(flow{Audio: 1, Video: 1})
		c.do(c.a, "pc.getTransceivers().find((one) => !one.stopped && one.receiver.track.kind === 'video').stop();")
		c.offer(c.a)
		c.add(c.a, "audio") // and another kind
		c.offer(c.a)
		c.both(flow{Audio: 2})
		if c.b.lines[1].Kind != "audio" || c.b.lines[1].Mid == "1" || len(c.b.lines) != 2 {
			c.t.Errorf("the line that is free is not used again: %+v", c.b.lines)
		}
	}},
	{"hold and resume", nil, func(c *call) {
		c.add(c.a, "audio", "video")
		c.offer(c.a)
		c.both(flow{Audio: 1, Video: 1})
		c.do(c.a, "for (const one of pc.getTransceivers()) one.direction = 'sendonly';")
		c.offer(c.a)
		c.direction(c.a, 0, "sendonly")
		c.direction(c.b, 0, "recvonly")
		c.flows(flow{}, flow{Audio: 1, Video: 1})
		c.do(c.a, "for (const one of pc.getTransceivers()) one.direction = 'sendrecv';")
		c.offer(c.a)
		c.both(flow{Audio: 1, Video: 1})
		c.do(c.b, "for (const one of pc.getTransceivers()) one.direction = 'recvonly';")
		c.offer(c.b)
		c.direction(c.b, 1, "recvonly")
		c.flows(flow{}, flow{Audio: 1, Video: 1})
	}},
	{"ICE restart", nil, func(c *call) {
		c.add(c.a, "audio", "data")
		c.offer(c.a)
		c.both(flow{Audio: 1, Data: true})
		for _, p := range []*peer{c.a, c.b} {
			before := c.credentials(p)
			c.do(p, "pc.restartIce();")
			c.offer(p)
			if after := c.credentials(p); after == before {
				c.t.Errorf("the ICE credentials of %s are still %s", p.role, after)
			}
			c.a.waitFor("return pc.connectionState === 'connected' && pc.iceConnectionState !== 'checking';")
			c.both(flow{Audio: 1, Data: true})
		}
	}},
	{"simulcast", nil, func(c *call) {
		c.do(c.a, "add('video', {sendEncodings: [{rid: 'h'}, {rid: 'l', scaleResolutionDownBy: 2}]});")
		c.offer(c.a)
		c.both(flow{Video: 1})
	}},
	{"two videos", nil, func(c *call) {
		c.add(c.a, "video", "video", "audio")
		c.offer(c.a)
		c.both(flow{Audio: 1, Video: 2})
	}},
	{"max-bundle", map[string]any{"bundlePolicy": "max-bundle"}, allThree},
	{"max-compat", map[string]any{"bundlePolicy": "max-compat"}, allThree},
	{"balanced", map[string]any{"bundlePolicy": "balanced"}, allThree},
}

func allThree(c *call) {
	c.add(c.a, "audio", "video", "data")
	c.offer(c.a)
	c.both(flow{Audio: 1, Video: 1, Data: true})
}

// pairings are the browsers of a scenario: one pair, by turns, or all.
func pairings(turn int) [][2]string {
	all := [][2]string{{"chromium", "firefox"}, {"firefox", "chromium"}, {"chromium", "chromium"}, {"firefox", "firefox"}}
	if os.Getenv("E2E_REPETITIONS") != "" {
		return all
	}
	return all[turn%2 : turn%2+1]
}

// Two browsers that know of each other only what passed through Jingle connect, and media or data flows.
func TestBrowsersThroughJingle(t *testing.T) {
	running := map[string]*driver{}
	for _, kind := range browsers {
		running[kind] = startDriver(t, kind)
	}
	for i, s := range sessions {
		for _, pair := range pairings(i) {
			t.Run(s.name+"/"+pair[0]+"-"+pair[1], func(t *testing.T) {
				running[pair[0]].t, running[pair[1]].t = t, t
				config := s.config
				if config == nil {
					config = map[string]any{}
				}
				c := &call{t, running[pair[0]].newPeer(jingle.Initiator, config), running[pair[1]].newPeer(jingle.Responder, config)}
				s.run(c)
				c.a.close()
				c.b.close()
			})
		}
	}
	for _, d := range running {
		d.t = t
	}
}

// Browsers take the offer made of every recorded session-initiate and of the SDP of every other browser and stack, and their answers become
// a session-accept.
func TestBrowsersTakeRecordedOffers(t *testing.T) {
	offers := recordedOffers(t)
	if len(offers) < 150 {
		t.Errorf("only %d offers", len(offers))
	}
	for _, kind := range browsers {
		t.Run(kind, func(t *testing.T) {
			p := startDriver(t, kind).newPeer(jingle.Responder, map[string]any{})
			for name, o := range offers {
				if kind == "firefox" && firefoxRefuses(o.text) {
					continue
				}
				p.set(Offer, o.text)
				answer := p.describe(Answer)
				d, lines, _, err := FromSDP(answer, jingle.Responder, o.lines)
				if err != nil || len(d.Contents) == 0 || len(lines) != len(o.lines) {
					t.Errorf("%s: %d contents of %d lines, %v\n%s", name, len(d.Contents), len(o.lines), err, answer)
				}
				p.eval(nil, "pc.close(); globalThis.pc = new RTCPeerConnection();")
			}
		})
	}
}

// firefoxRefuses tells whether Firefox 153 refuses an SDP as a whole: it knows neither text nor header extensions of two bytes.
func firefoxRefuses(text string) bool {
	return strings.Contains(text, "\nm=text") || strings.Contains(text, "\na=extmap:16 ")
}

// recordedOffers translates all offers of the corpus that a browser can take.
func recordedOffers(t *testing.T) map[string]recordedOffer {
	t.Helper()
	all := map[string]recordedOffer{}
	files, _ := filepath.Glob("../testdata/stanzas/*/*")
	for _, f := range files {
		if strings.HasSuffix(f, ".md") || strings.Contains(f, "/quirks/") || strings.Contains(f, "dino-browser/") && strings.HasSuffix(f, ".json") {
			continue
		}
		for _, c := range capture(t, f) {
			if c.stanza.Action == jingle.SessionInitiate {
				if o, _ := offerOf(t, filepath.Base(f), c); o.text != "" {
					all[f] = o
				}
			}
		}
	}
	stanzas, _ := filepath.Glob("../testdata/stanzas/wild/*.xml")
	for _, f := range stanzas {
		if _, s := wildStanza(t, f); s != nil && s.Action == jingle.SessionInitiate {
			d := jingle.Description{Contents: s.Contents, Groups: s.Groups}
			if out, lines, _, err := ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1}); err == nil {
				all[f] = recordedOffer{out, lines}
			}
		}
	}
	wild, _ := filepath.Glob("../testdata/sdp/wild/*.offer.sdp")
	texts := map[string]string{}
	for _, f := range wild {
		texts[f] = readFile(t, f)
	}
	for name, steps := range scenarios(t) {
		for _, step := range steps {
			if step.Type == "offer" && texts[name] == "" {
				texts[name] = step.SDP
			}
		}
	}
	for name, text := range texts {
		d, _, _, err := FromSDP(text, jingle.Initiator, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if out, lines, _, err := ToSDP(throughXML(t, d, Offer), jingle.Initiator, Offer, nil, Origin{1, 1}); err == nil {
			all[name] = recordedOffer{out, lines}
		}
	}
	return all
}
