package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

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
	for _, event := range telephoneEvents {
		if err := engine.RegisterCodec(event, webrtc.RTPCodecTypeAudio); err != nil {
			return nil, err
		}
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
	settings.SetHandleUndeclaredSSRCWithoutAnswer(true) // Dino announces none, and is the answerer after an ICE restart of ours
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
		l, err := m.newLeg(jingle.Responder, stream, post)
		if err != nil {
			return legs, answer, err
		}
		l.grouped = part.grouped
		legs = append(legs, l)
		described, err := l.answer(part.contents)
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

// part is what one transport carries; grouped tells whether the offer has it as a BUNDLE group.
type part struct {
	contents []jingle.Content
	grouped  bool
}

// transports splits an offer into parts: one for each BUNDLE group, one for each content in none.  Contents that are not RTP over
// ICE, and those that are only there to be rejected, are left out.
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
		if c.RTP == nil || c.ICE == nil || c.Senders == jingle.SendersRejected {
			continue
		}
		i, grouped := place[c.Name]
		if !grouped {
			i = len(parts)
			parts = append(parts, part{})
		}
		parts[i].contents = append(parts[i].contents, c)
	}
	for _, p := range parts {
		slices.SortStableFunc(p.contents, func(a, b jingle.Content) int { return inGroup(offer, a.Name) - inGroup(offer, b.Name) })
	}
	return slices.DeleteFunc(parts, func(p part) bool { return len(p.contents) == 0 })
}

// inGroup returns the place of a content in its BUNDLE group.
func inGroup(d jingle.Description, name string) int {
	for _, g := range d.Groups {
		if i := slices.Index(g.Names, name); g.Semantics == "BUNDLE" && i >= 0 {
			return i
		}
	}
	return 0
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
