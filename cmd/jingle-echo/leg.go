package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/sdpconv"
)

const startLimit = 5 * time.Second // from a description to the beginning of ICE, which needs no answer of anybody

// leg is one transport of a call with the contents it carries.
//
// Its peer connection is told that both parties send all contents, always: pion stops a line for good that is inactive once.  Who
// sends is kept to by the echoes.
type leg struct {
	role    jingle.Role // ours
	stream  string      // of the tracks it adds
	grouped bool        // its contents are a BUNDLE group of the session, not one that is made up for pion

	content      string // the one whose ICE counts, the first (RFC 9143 section 7.1: the offerer tagged section)
	creator      jingle.Role
	ufrag, pwd   string // ours
	prints       []jingle.Fingerprint
	remoteUfrag  string
	remotePrints []jingle.Fingerprint
	generation   int // of our candidates
	connected    bool

	// What the session waits for in an ICE restart.
	restarting bool     // by us: the peer's credentials are missing
	restartID  string   // by us: the request is not acknowledged
	owed       bool     // by the peer: our credentials are to be sent with the first candidate
	held       []string // candidates that have to wait for that

	pc      *webrtc.PeerConnection
	started <-chan struct{}
	remote  []jingle.Content // what the peer says
	lines   sdpconv.Lines
	version int
	tasks   sync.WaitGroup
	ctx     context.Context // of the pictures
	stop    context.CancelFunc
	post    func(event)
	log     *slog.Logger

	mu       sync.Mutex
	echoes   []*echo
	pictures []*picture
}

func (m *media) newLeg(role jingle.Role, stream string, post func(event)) (*leg, error) {
	pc, err := m.api.NewPeerConnection(m.config)
	if err != nil {
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	l := &leg{role: role, stream: stream, pc: pc, post: post, log: m.log}
	l.ctx, l.stop = context.WithCancel(context.Background())
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c != nil { // the end is told within calls of ours too, which must not wait for themselves
			post(gathered{l, c.ToJSON().Candidate})
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { post(connection{l, s}) })
	l.started = started(pc)
	pc.OnTrack(l.play)
	return l, nil
}

// started returns a channel that is closed when ICE has begun.  It does so in the background, and before that pion takes every description
// for an ICE restart: it does not know the credentials of the one before yet.
func started(pc *webrtc.PeerConnection) <-chan struct{} {
	begun := make(chan struct{})
	var once sync.Once
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		if s != webrtc.ICEConnectionStateNew {
			once.Do(func() { close(begun) })
		}
	})
	return begun
}

// ready waits until the peer connection can be negotiated anew.
func (l *leg) ready() error {
	if l.lines == nil {
		return nil
	}
	timer := time.NewTimer(startLimit)
	defer timer.Stop()
	select {
	case <-l.started:
		return nil
	case <-timer.C:
		return errors.New("ICE does not begin")
	}
}

// answer describes our side of what the peer says now: of a part made by transports, or of all that the leg carries after a change.
// Credentials that are new to it restart ICE.  A content that is missing in the result has no codec that we have.
func (l *leg) answer(offer []jingle.Content) (jingle.Description, error) {
	var none jingle.Description
	if err := l.ready(); err != nil {
		return none, err
	}
	sdp, lines, _, err := sdpconv.ToSDP(forPion(offer), l.role.Other(), sdpconv.Offer, retired(l.lines, offer), l.origin())
	if err != nil {
		return none, fmt.Errorf("offer: %w", err)
	}
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return none, fmt.Errorf("apply offer: %w", err)
	}
	if err := l.addEchoes(lines); err != nil {
		return none, err
	}
	answer, err := l.pc.CreateAnswer(nil)
	if err != nil {
		return none, fmt.Errorf("create answer: %w", err)
	}
	described, lines, _, err := sdpconv.FromSDP(answer.SDP, l.role, lines)
	if err != nil {
		return none, fmt.Errorf("answer: %w", err)
	}
	if err := l.pc.SetLocalDescription(answer); err != nil {
		return none, fmt.Errorf("apply answer: %w", err)
	}
	l.remote, l.lines = offer, lines
	l.tag(described.Contents[0].ICE)
	return ours(described, offer), nil
}

func (l *leg) origin() sdpconv.Origin {
	l.version++
	return sdpconv.Origin{ID: 1, Version: l.version}
}

// forPion is a description with everything sent by both, in one BUNDLE group with the transport of its first content.  Candidates are
// missing: they are added one by one, after a look at each.
func forPion(contents []jingle.Content) jingle.Description {
	group := jingle.Group{Semantics: "BUNDLE"}
	contents = slices.Clone(contents)
	tagged := *contents[0].ICE
	tagged.Candidates = nil
	for i := range contents {
		contents[i].ICE, contents[i].Senders = &tagged, jingle.SendersBoth
		group.Names = append(group.Names, contents[i].Name)
	}
	return jingle.Description{Contents: contents, Groups: []jingle.Group{group}}
}

// retired gives the lines of no content the one format that pion lets pass without a description of the codec.
func retired(lines sdpconv.Lines, contents []jingle.Content) sdpconv.Lines {
	lines = slices.Clone(lines)
	for i := range lines {
		if named(contents, lines[i].Creator, lines[i].Name) == nil {
			lines[i].Formats = []string{"0"}
		}
	}
	return lines
}

// ours is what the peer gets to read of a description: who sends is what it said.
func ours(d jingle.Description, offer []jingle.Content) jingle.Description {
	for i := range d.Contents {
		c := &d.Contents[i]
		if o := named(offer, c.Creator, c.Name); o != nil {
			c.Senders = o.Senders
		}
		c.RTP = withoutNameless(c.RTP)
	}
	return d
}

// named returns the content of that name, or nil.
func named(contents []jingle.Content, creator jingle.Role, name string) *jingle.Content {
	for i := range contents {
		if contents[i].Creator == creator && contents[i].Name == name {
			return &contents[i]
		}
	}
	return nil
}

// withoutNameless drops the events that a telephone-event may have, for there are clients that end the call at the sight of them.
// Without, it is 0 to 15 (RFC 4733 section 2.4.1).
func withoutNameless(r *jingle.RTP) *jingle.RTP {
	if r == nil {
		return nil
	}
	out := *r
	out.PayloadTypes = slices.Clone(r.PayloadTypes)
	for i := range out.PayloadTypes {
		p := &out.PayloadTypes[i]
		p.Parameters = slices.DeleteFunc(slices.Clone(p.Parameters), func(p jingle.Parameter) bool { return p.Name == "" || !p.HasValue })
	}
	return &out
}

// tag notes whose transport counts, and the credentials on both sides.  pion has one transport for all contents.
func (l *leg) tag(ice *jingle.Transport) {
	first := l.remote[0]
	l.content, l.creator, l.remoteUfrag = first.Name, first.Creator, first.ICE.Ufrag
	if l.ufrag != "" && l.ufrag != ice.Ufrag {
		l.generation++
	}
	l.ufrag, l.pwd, l.prints, l.remotePrints = ice.Ufrag, ice.Pwd, ice.Fingerprints, first.ICE.Fingerprints
}

// restart gives up our credentials and candidates and begins to gather anew.  conclude goes on with the peer's.
func (l *leg) restart() error {
	if err := l.ready(); err != nil {
		return err
	}
	offer, err := l.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	described, _, _, err := sdpconv.FromSDP(offer.SDP, l.role, nil)
	if err != nil {
		return fmt.Errorf("restart ICE: %w", err)
	}
	l.restarting = true
	l.tag(described.Contents[0].ICE)
	return nil
}

// conclude makes what the peer says the answer to an offer of ours: new credentials after restart, or a content that we proposed.  The
// peer connection has no offer out in between, so that it can take one of the peer.
func (l *leg) conclude(says []jingle.Content) error {
	if err := l.ready(); err != nil {
		return err
	}
	offer, err := l.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("create offer: %w", err)
	}
	described, offered, _, err := sdpconv.FromSDP(offer.SDP, l.role, l.lines)
	if err != nil {
		return fmt.Errorf("our offer: %w", err)
	}
	// pion has lines of its own making for sources that nobody announced.
	lines := slices.Clone(l.lines)
	for _, line := range offered[len(lines):] {
		if named(says, line.Creator, line.Name) != nil {
			lines = append(lines, line)
		}
	}
	sdp, lines, _, err := sdpconv.ToSDP(forPion(says), l.role.Other(), sdpconv.Answer, retired(lines, says), l.origin())
	if err != nil {
		return fmt.Errorf("the peer's answer: %w", err)
	}
	if err := l.pc.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("apply our offer: %w", err)
	}
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		return fmt.Errorf("apply the peer's answer: %w", err)
	}
	l.remote, l.lines = says, lines
	l.tag(described.Contents[0].ICE)
	return nil
}

// add gives the peer's candidates to ICE: UDP with literal addresses, of our component and of this generation.
func (l *leg) add(t *jingle.Transport) error {
	if t.Ufrag != "" && t.Ufrag != l.remoteUfrag {
		return fmt.Errorf("candidates for ufrag %q, the session has %q", t.Ufrag, l.remoteUfrag)
	}
	var errs []error
	for _, c := range t.Candidates {
		if !sdpconv.Sendable(c) {
			continue
		}
		line := sdpconv.FormatCandidate(c, l.remoteUfrag)
		if err := l.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: line}); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// has tells whether the leg carries a content.
func (l *leg) has(c jingle.Content) bool { return named(l.remote, c.Creator, c.Name) != nil }

// close ends the media and returns when nothing of it runs any more.
func (l *leg) close() {
	l.stop()
	if err := l.pc.GracefulClose(); err != nil {
		l.log.Debug("peer connection closed", "err", err)
	}
	l.tasks.Wait()
}
