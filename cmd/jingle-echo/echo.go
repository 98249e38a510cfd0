package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	orientationURI = "urn:3gpp:video-orientation"
	keyFramePause  = 300 * time.Millisecond // between two key frame requests passed on
)

// echo sends back what one content receives.
type echo struct {
	transceiver *webrtc.RTPTransceiver
	track       *webrtc.TrackLocalStaticRTP
	source      atomic.Uint32 // SSRC of what we receive, 0 before its first packet
}

// addEchoes gives each media line of the applied offer a track of the one codec that its sender prefers and we have.  With one
// codec the peer gets back the payload type it sends.
func (l *leg) addEchoes(stream string) error {
	for _, t := range l.pc.GetTransceivers() {
		codecs := t.Receiver().GetParameters().Codecs
		i := slices.IndexFunc(codecs, playable)
		if i < 0 {
			continue
		}
		codec := codecs[i]
		if err := t.SetCodecPreferences([]webrtc.RTPCodecParameters{codec}); err != nil {
			return fmt.Errorf("choose %s: %w", codec.MimeType, err)
		}
		track, err := webrtc.NewTrackLocalStaticRTP(codec.RTPCodecCapability, newID(), stream)
		if err != nil {
			return fmt.Errorf("track: %w", err)
		}
		sender, err := l.pc.AddTrack(track)
		if err != nil {
			return fmt.Errorf("add track: %w", err)
		}
		e := &echo{transceiver: t, track: track}
		l.echoes = append(l.echoes, e)
		l.tasks.Go(func() { l.passKeyFrameRequests(e, sender) })
	}
	return nil
}

// playable tells a codec that carries media of its own from retransmission and redundancy.
func playable(c webrtc.RTPCodecParameters) bool {
	_, name, _ := strings.Cut(strings.ToLower(c.MimeType), "/")
	return !slices.Contains([]string{"rtx", "red", "ulpfec", "flexfec-03", "cn", "telephone-event"}, name)
}

// play sends back the packets of one remote track.  pion calls it on a goroutine of its own when the first packet came.
func (l *leg) play(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	e := l.echoOf(remote, receiver)
	if e == nil {
		l.log.Debug("track of no media line", "kind", remote.Kind().String())
		return
	}
	e.source.Store(uint32(remote.SSRC()))
	orientation := extensionID(receiver, orientationURI)
	l.log.Debug("echo begins", "codec", remote.Codec().MimeType)
	for {
		packet, _, err := remote.ReadRTP()
		if err != nil {
			return // the peer connection was closed
		}
		keepExtension(&packet.Header, orientation)
		if err := e.track.WriteRTP(packet); err != nil {
			l.log.Debug("packet not sent", "err", err)
		}
	}
}

// echoOf finds the media line of a remote track.  A source that was not announced, as Dino's, comes with a receiver of pion's
// own making, but then it is the leg's only line.
func (l *leg) echoOf(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) *echo {
	for _, e := range l.echoes {
		if e.transceiver.Receiver() == receiver {
			return e
		}
	}
	if len(l.echoes) == 1 && l.echoes[0].track.Kind() == remote.Kind() {
		return l.echoes[0]
	}
	return nil
}

func extensionID(receiver *webrtc.RTPReceiver, uri string) uint8 {
	for _, x := range receiver.GetParameters().HeaderExtensions {
		if x.URI == uri {
			return uint8(x.ID)
		}
	}
	return 0
}

// keepExtension drops all header extensions but one: the others speak of the path the packet took to us.
func keepExtension(h *rtp.Header, id uint8) {
	var kept []byte
	if id != 0 {
		kept = h.GetExtension(id)
	}
	h.Extension, h.Extensions = false, nil
	if kept != nil {
		_ = h.SetExtension(id, kept) // it was one, so it is valid
	}
}

// passKeyFrameRequests asks the peer for the key frames that it asks us for (RFC 4585 section 6.3.1, RFC 5104 section 4.3.1).
func (l *leg) passKeyFrameRequests(e *echo, sender *webrtc.RTPSender) {
	var last time.Time
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return // the peer connection was closed
		}
		source := e.source.Load()
		if source == 0 || !slices.ContainsFunc(packets, isKeyFrameRequest) || time.Since(last) < keyFramePause {
			continue
		}
		last = time.Now()
		if err := l.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: source}}); err != nil {
			l.log.Debug("key frame request not sent", "err", err)
		}
	}
}

func isKeyFrameRequest(p rtcp.Packet) bool {
	switch p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		return true
	}
	return false
}
