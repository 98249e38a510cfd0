package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

// enough is how many of its own packets a caller wants to hear on each track.
const enough = 25

// caller is the other end of a test's call: Jingle over send and handle, media by pion.  Bundled, it has one peer connection as a
// browser has; otherwise one for each content, as Dino has.
type caller struct {
	t         *testing.T
	send      func(*element.Element) error
	sid       string
	legs      []*callerLeg
	bundled   bool
	ctx       context.Context
	tasks     sync.WaitGroup
	proceeded chan string // who proceeded
	ended     chan string // the condition of session-terminate

	turn      sync.Mutex // guards what changes with the session; taken before mu
	session   jingle.Session
	profile   jingle.Profile     // of the echo
	changing  *changing          // the change that is under way
	tries     map[string]string  // requests that may be refused: id to what became of them
	settled   chan struct{}      // changes that are complete
	restarted chan struct{}      // ICE restarts of the echo
	byHand    bool               // the test itself gives the peer connections what the echo says
	rejects   bool               // what the echo adds
	told      chan jingle.Stanza // what the echo asked for on its own
	said      chan string        // chat messages of the echo

	mu       sync.Mutex
	peer     string           // full JID, once known
	accepted bool             // session-accept was applied
	initiate bool             // session-initiate is out
	held     []jingle.Content // our candidates, as long as it is not
}

type callerLeg struct {
	pc          *webrtc.PeerConnection
	description jingle.Description
	lines       sdpconv.Lines
	version     int
	keyFrames   chan struct{} // the echo asked for one
	restarts    int
	started     <-chan struct{}
	news        chan struct{} // something came back

	mu     sync.Mutex
	kinds  []string // what the tracks say is "audio", "video", "video2" ...
	tracks map[string]*callerTrack
	heard  map[string]chan int // enough was heard
	counts map[string]int
}

func newCaller(t *testing.T, send func(*element.Element) error, kinds []string, bundled bool) *caller {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &caller{t: t, send: send, sid: newID(), bundled: bundled, ctx: ctx, proceeded: make(chan string, 1), ended: make(chan string, 1),
		profile: jingle.Profile{Removes: true, Modifies: true, ModifiesBoth: true, Rejects: true, Restart: jingle.RestartEmpty, NewCredential: true},
		tries:   map[string]string{}, settled: make(chan struct{}, 10), restarted: make(chan struct{}, 100), told: make(chan jingle.Stanza, 100), said: make(chan string, 100)}
	t.Cleanup(func() {
		cancel()
		for _, l := range c.legs {
			_ = l.pc.GracefulClose()
		}
		c.tasks.Wait()
	})
	if bundled {
		c.addLeg(kinds)
		return c
	}
	for _, kind := range kinds {
		c.addLeg([]string{kind})
	}
	return c
}

func (c *caller) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// capability is what a caller sends: Opus and VP8, with bytes that are neither.
func capability(kind string) webrtc.RTPCodecCapability {
	if kind == "audio" {
		return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	}
	return webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
}

func (c *caller) addLeg(kinds []string) *callerLeg {
	c.t.Helper()
	l := c.newLeg()
	for _, kind := range kinds {
		c.addTrack(l, kind)
	}
	offer, err := l.pc.CreateOffer(nil)
	c.must(err)
	l.description, l.lines, _, err = sdpconv.FromSDP(offer.SDP, jingle.Initiator, nil)
	c.must(err)
	if !c.bundled {
		l.likeDino(kinds[0])
	}
	c.must(l.pc.SetLocalDescription(offer))
	return l
}

func (c *caller) newLeg() *callerLeg {
	c.t.Helper()
	m, err := newMedia(nil, true, quiet())
	c.must(err)
	l := &callerLeg{tracks: map[string]*callerTrack{}, heard: map[string]chan int{}, counts: map[string]int{}, keyFrames: make(chan struct{}, 100), news: make(chan struct{}, 1)}
	c.legs = append(c.legs, l)
	l.pc, err = m.api.NewPeerConnection(webrtc.Configuration{})
	c.must(err)
	l.started = started(l.pc)
	l.pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { c.listen(l, remote) })
	l.pc.OnICECandidate(func(candidate *webrtc.ICECandidate) {
		if candidate != nil {
			c.trickle(l, candidate.ToJSON().Candidate)
		}
	})
	return l
}

// addTrack adds one that says kind, "audio", "video", "video2" ...
func (c *caller) addTrack(l *callerLeg, kind string) {
	c.t.Helper()
	static, err := webrtc.NewTrackLocalStaticRTP(capability(kind), "t-"+kind, "stream")
	c.must(err)
	track := &callerTrack{TrackLocalStaticRTP: static, said: make(chan struct{})}
	sender, err := l.pc.AddTrack(track)
	c.must(err)
	l.mu.Lock()
	l.kinds, l.tracks[kind], l.heard[kind] = append(l.kinds, kind), track, make(chan int, 1)
	l.mu.Unlock()
	c.tasks.Go(func() { c.talk(track, kind) })
	c.tasks.Go(func() { l.listenRTCP(sender) })
}

// likeDino turns the only content into one of several that have a name and a transport of their own, and announces no source.
func (l *callerLeg) likeDino(name string) {
	l.description.Groups = nil
	content := &l.description.Contents[0]
	rtp := *content.RTP
	rtp.Sources, rtp.SourceGroups = nil, nil
	content.Name, content.RTP = name, &rtp
	l.lines[0].Name = name
}

// payload marks what a caller says so that it knows its own words.
func payload(kind string) []byte { return []byte("\x10\x00" + kind + " of the caller") }

// talk sends a packet every 20 ms until the call ends.
func (c *caller) talk(track *callerTrack, kind string) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-c.ctx.Done():
			return
		}
		track.say("", 0, true, payload(kind))
		select {
		case track.said <- struct{}{}:
		default:
		}
	}
}

// listen counts the caller's own packets as they come back.
func (c *caller) listen(l *callerLeg, remote *webrtc.TrackRemote) {
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		if kind := l.hears(packet); kind == "video" {
			_ = l.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}})
		}
	}
}

// hears counts a packet and returns whose it is if enough have come now.
func (l *callerLeg) hears(packet *rtp.Packet) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	kind := string(packet.Payload)
	if i := slices.IndexFunc(l.kinds, func(k string) bool { return bytes.Equal(payload(k), packet.Payload) }); i >= 0 {
		kind = l.kinds[i]
	} else {
		kind = "other " + packetKind(packet)
	}
	l.counts[kind]++
	select {
	case l.news <- struct{}{}:
	default:
	}
	if l.counts[kind] != enough {
		return ""
	}
	select {
	case l.heard[kind] <- enough:
	default:
	}
	return kind
}

// packetKind names what is not the caller's own words: a digit by its event, else "picture".
func packetKind(packet *rtp.Packet) string {
	if len(packet.Payload) == 4 {
		return fmt.Sprintf("event %d", packet.Payload[0])
	}
	return "picture"
}

func (l *callerLeg) listenRTCP(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		if slices.ContainsFunc(packets, isKeyFrameRequest) {
			select {
			case l.keyFrames <- struct{}{}:
			default:
			}
		}
	}
}

func (c *caller) request(s jingle.Stanza) string {
	s.SID = c.sid
	id := newID()
	_ = c.send(element.New("", "iq", "type", "set", "id", id, "to", c.peer).Append(stanza(c.t, string(s.AppendTo(nil, "")))))
	return id
}

func (c *caller) tell(to string, m jingle.Message) {
	m.ID = c.sid
	_ = c.send(element.New("", "message", "type", "chat", "id", newID(), "to", to).Append(m.Element()))
}

// propose begins a call as XEP-0353 has it; initiate follows once the echo proceeded.
func (c *caller) propose(to string) {
	var media []string
	for _, l := range c.legs {
		media = append(media, l.kinds...)
	}
	c.tell(bare(to), jingle.Message{Kind: jingle.Propose, Media: media})
}

// start sends session-initiate to a full JID.
func (c *caller) start(peer string) {
	var all jingle.Description
	for _, l := range c.legs {
		all.Contents = append(all.Contents, l.description.Contents...)
		all.Groups = append(all.Groups, l.description.Groups...)
	}
	initiate := jingle.Stanza{Action: jingle.SessionInitiate, Contents: all.Contents, Groups: all.Groups}
	c.turn.Lock()
	defer c.turn.Unlock()
	c.apply(initiate, jingle.Initiator)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peer = peer
	c.request(initiate)
	c.initiate = true
	for _, content := range c.held {
		c.request(jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{content}})
	}
	c.held = nil
}

func (c *caller) trickle(l *callerLeg, line string) {
	candidate, _, err := sdpconv.ParseCandidate(line)
	if err != nil || !sdpconv.Sendable(candidate) {
		return
	}
	candidate.ID = newID()
	c.turn.Lock() // a restart is to be told first
	defer c.turn.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	first := l.description.Contents[0]
	content := jingle.Content{Name: first.Name, ICE: &jingle.Transport{
		Ufrag: first.ICE.Ufrag, Pwd: first.ICE.Pwd, Candidates: []jingle.Candidate{candidate},
	}}
	if !c.initiate || c.changing != nil && len(c.changing.todo) > 0 {
		c.held = append(c.held, content)
		return
	}
	c.request(jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{content}})
}

// handle takes what the echo sends.
func (c *caller) handle(e *element.Element) {
	if m, err := jingle.MessageIn(e); err == nil && m != nil && m.Kind == jingle.Proceed && m.ID == c.sid {
		c.proceeded <- e.Attr("from")
	}
	c.turn.Lock()
	defer c.turn.Unlock()
	body := e.Child(nsClient, "body")
	switch {
	case e.Local == "message" && body != nil:
		c.said <- body.Text
		return
	case e.Local != "iq":
		return
	case e.Attr("type") == "error", e.Attr("type") == "result":
		c.reply(e)
		return
	case e.Attr("type") != "set" || len(e.Children) != 1:
		return
	}
	s, err := jingle.ParseStanza(e.Children[0])
	if err != nil {
		c.t.Errorf("%s: %v", e, err)
		return
	}
	if c.refuses(e, s) {
		return
	}
	_ = c.send(element.New("", "iq", "type", "result", "id", e.Attr("id"), "to", e.Attr("from")))
	switch s.Action {
	case jingle.SessionAccept:
		c.accept(s)
	case jingle.SessionTerminate:
		c.ended <- string(s.Reason.Condition)
	default:
		c.take(s)
	}
}

func (c *caller) accept(s jingle.Stanza) {
	c.apply(s, jingle.Responder)
	for _, l := range c.legs {
		if c.bundled != (len(s.Groups) > 0) {
			c.t.Errorf("session-accept has groups %v, the offer has: %v", s.Groups, c.bundled)
		}
		if n := len(c.says(l, s.Contents)); n != len(l.description.Contents) {
			c.t.Errorf("session-accept has %d of %d contents", n, len(l.description.Contents))
		}
		c.answered(l, l.lines)
	}
	c.mu.Lock()
	c.accepted = true
	c.mu.Unlock()
}

func (c *caller) candidates(s jingle.Stanza) {
	if !c.accepted {
		c.t.Error("transport-info before session-accept")
		return
	}
	content := s.Contents[0]
	if len(content.ICE.Candidates) != 1 || content.ICE.Ufrag == "" || content.ICE.Pwd == "" {
		c.t.Errorf("transport-info has to have one candidate and credentials: %+v", s)
	}
	for _, l := range c.legs {
		if l.pc.RemoteDescription() == nil {
			continue // they come with it
		}
		if len(l.description.Contents) > 0 && l.description.Contents[0].Name == content.Name {
			line := sdpconv.FormatCandidate(content.ICE.Candidates[0], content.ICE.Ufrag)
			if err := l.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: line}); err != nil {
				c.t.Errorf("candidate %s: %v", line, err)
			}
		}
	}
}

// hear waits until each track has come back, and the requests for key frames with it.
func (c *caller) hear() {
	c.t.Helper()
	limit := time.After(30 * time.Second)
	for _, l := range c.legs {
		for _, kind := range l.kinds {
			select {
			case n := <-l.heard[kind]:
				c.t.Logf("heard %d packets of our own %s", n, kind)
			case reason := <-c.ended:
				c.t.Fatalf("the echo ended the call: %s", reason)
			case <-limit:
				c.t.Fatalf("nothing of our own %s came back", kind)
			}
		}
	}
}

func (c *caller) hangUp() {
	c.request(jingle.Stanza{Action: jingle.SessionTerminate, Reason: &jingle.Reason{Condition: jingle.Success}})
}

func (c *caller) String() string {
	var kinds []string
	for _, l := range c.legs {
		kinds = append(kinds, strings.Join(l.kinds, "+"))
	}
	return fmt.Sprint(kinds)
}
