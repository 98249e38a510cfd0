package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/intervalpli"
	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/sdpconv"
)

// maxLegs bounds the peer connections of a call.
const maxLegs = 4

// media makes the peer connections of calls.
type media struct {
	api    *webrtc.API
	config webrtc.Configuration
	log    *slog.Logger
}

// newMedia prepares pion with its default codecs.  With loopback it offers loopback addresses as well.
func newMedia(servers []webrtc.ICEServer, loopback bool, log *slog.Logger) (*media, error) {
	engine, interceptors, settings := &webrtc.MediaEngine{}, &interceptor.Registry{}, webrtc.SettingEngine{}
	if err := engine.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: orientationURI}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	if err := webrtc.RegisterDefaultInterceptors(engine, interceptors); err != nil {
		return nil, err
	}
	// An echo decodes nothing, so nothing else notices that a picture is broken.
	keyFrames, err := intervalpli.NewReceiverInterceptor()
	if err != nil {
		return nil, err
	}
	interceptors.Add(keyFrames)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	settings.SetIncludeLoopbackCandidate(loopback)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(interceptors), webrtc.WithSettingEngine(settings))
	return &media{api: api, config: webrtc.Configuration{ICEServers: servers}, log: log}, nil
}

// answer answers all RTP contents of an offer that can be echoed.  The legs are the caller's to close, with an error too.  What
// happens to them is posted from other goroutines, beginning at once.
func (m *media) answer(offer jingle.Description, post func(event)) ([]*leg, jingle.Description, error) {
	var legs []*leg
	var answer jingle.Description
	parts := transports(offer)
	if len(parts) > maxLegs {
		return nil, answer, fmt.Errorf("%d transports are too many", len(parts))
	}
	stream := newID()
	for _, part := range parts {
		l, err := m.newLeg(post)
		if err != nil {
			return legs, answer, err
		}
		legs = append(legs, l)
		described, err := l.answer(part.Description, stream)
		if errors.Is(err, sdpconv.ErrNoMedia) { // no codec in common: the answer leaves it out
			l.close()
			legs = legs[:len(legs)-1]
			continue
		}
		if err != nil {
			return legs, answer, err
		}
		answer.Contents = append(answer.Contents, described.Contents...)
		if part.grouped {
			answer.Groups = append(answer.Groups, described.Groups...)
		}
	}
	if len(legs) == 0 {
		return nil, answer, sdpconv.ErrNoMedia
	}
	return legs, inOrderOf(offer, answer), nil
}

// part is what one transport carries.  It is a BUNDLE group, if only of itself, as pion knows no other form; grouped tells
// whether the offer has it so.
type part struct {
	jingle.Description
	grouped bool
}

// transports splits an offer into parts: one for each BUNDLE group, one for each content in none.  Contents that are not RTP over
// ICE are left out.
func transports(offer jingle.Description) []part {
	var parts []part
	place := map[string]int{} // content to part
	for _, g := range offer.Groups {
		if g.Semantics != "BUNDLE" {
			continue
		}
		for _, name := range g.Names {
			if _, taken := place[name]; !taken {
				place[name] = len(parts)
			}
		}
		parts = append(parts, part{grouped: true})
	}
	for _, c := range offer.Contents {
		if c.RTP == nil || c.ICE == nil {
			continue
		}
		i, grouped := place[c.Name]
		if !grouped {
			i = len(parts)
			parts = append(parts, part{})
		}
		transport := *c.ICE
		transport.Candidates = nil // they are added one by one, after a look at each
		c.ICE = &transport
		parts[i].Contents = append(parts[i].Contents, c)
	}
	parts = slices.DeleteFunc(parts, func(p part) bool { return len(p.Contents) == 0 })
	for i := range parts {
		group := jingle.Group{Semantics: "BUNDLE"}
		for _, c := range parts[i].Contents {
			group.Names = append(group.Names, c.Name)
		}
		parts[i].Groups = []jingle.Group{group}
	}
	return parts
}

// inOrderOf sorts the answer's contents as the offer has them.
func inOrderOf(offer, answer jingle.Description) jingle.Description {
	place := map[string]int{}
	for i, c := range offer.Contents {
		place[c.Name] = i
	}
	slices.SortStableFunc(answer.Contents, func(a, b jingle.Content) int { return place[a.Name] - place[b.Name] })
	return answer
}

// leg is one transport of a call with the contents it carries.
type leg struct {
	content     string // the one whose ICE counts, the first (RFC 9143 section 7.1: the offerer tagged section)
	ufrag, pwd  string // ours
	remoteUfrag string
	connected   bool // the session's note

	pc     *webrtc.PeerConnection
	echoes []*echo
	tasks  sync.WaitGroup
	log    *slog.Logger
}

func (m *media) newLeg(post func(event)) (*leg, error) {
	pc, err := m.api.NewPeerConnection(m.config)
	if err != nil {
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	l := &leg{pc: pc, log: m.log}
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c != nil {
			post(gathered{l, c.ToJSON().Candidate})
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { post(connection{l, s}) })
	pc.OnTrack(l.play)
	return l, nil
}

// answer describes our side of the offer, a part made by transports.  The tracks it adds are of the stream that is named.
func (l *leg) answer(offer jingle.Description, stream string) (jingle.Description, error) {
	var none jingle.Description
	sdp, lines, _, err := sdpconv.ToSDP(offer, jingle.Initiator, sdpconv.Offer, nil, sdpconv.Origin{ID: 1})
	if err != nil {
		return none, fmt.Errorf("offer: %w", err)
	}
	first := offer.Contents[slices.IndexFunc(offer.Contents, func(c jingle.Content) bool { return c.Name == lines[0].Name })]
	l.content, l.remoteUfrag = first.Name, first.ICE.Ufrag
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return none, fmt.Errorf("apply offer: %w", err)
	}
	if err := l.addEchoes(stream); err != nil {
		return none, err
	}
	answer, err := l.pc.CreateAnswer(nil)
	if err != nil {
		return none, fmt.Errorf("create answer: %w", err)
	}
	described, _, _, err := sdpconv.FromSDP(answer.SDP, jingle.Responder, lines)
	if err != nil {
		return none, fmt.Errorf("answer: %w", err)
	}
	l.ufrag, l.pwd = described.Contents[0].ICE.Ufrag, described.Contents[0].ICE.Pwd // pion has one transport for all
	if err := l.pc.SetLocalDescription(answer); err != nil {
		return none, fmt.Errorf("apply answer: %w", err)
	}
	return described, nil
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

// close ends the media and returns when nothing of it runs any more.
func (l *leg) close() {
	if err := l.pc.GracefulClose(); err != nil {
		l.log.Debug("peer connection closed", "err", err)
	}
	l.tasks.Wait()
}
