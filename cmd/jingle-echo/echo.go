package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/sdpconv"
)

const (
	orientationURI = "urn:3gpp:video-orientation"
	keyFramePause  = 300 * time.Millisecond // between two key frame requests passed on
)

// echo sends back what one content receives.
type echo struct {
	creator     jingle.Role
	content     string
	transceiver *webrtc.RTPTransceiver
	track       *echoTrack
	source      atomic.Uint32 // SSRC of what we receive, 0 before its first packet
}

// addEchoes gives each new media line a track of the one codec that its sender prefers and we have, and its telephone events.  With
// one codec the peer gets back the payload type it sends.
func (l *leg) addEchoes(lines sdpconv.Lines) error {
	for _, t := range l.pc.GetTransceivers() {
		if t.Sender() != nil || t.Receiver() == nil {
			continue
		}
		at := lines.FindMid(t.Mid())
		codecs := t.Receiver().GetParameters().Codecs
		i := slices.IndexFunc(codecs, playable)
		if i < 0 || at < 0 {
			continue
		}
		codec := codecs[i]
		chosen := append([]webrtc.RTPCodecParameters{codec}, keep(codecs, isTelephoneEvent)...)
		if err := t.SetCodecPreferences(chosen); err != nil {
			return fmt.Errorf("choose %s: %w", codec.MimeType, err)
		}
		track := &echoTrack{id: newID(), stream: l.stream, kind: t.Kind(), mime: codec.MimeType}
		sender, err := l.pc.AddTrack(track)
		if err != nil {
			return fmt.Errorf("add track: %w", err)
		}
		if t.Sender() != sender {
			return fmt.Errorf("add track: another line than %s got it", t.Mid())
		}
		e := &echo{creator: lines[at].Creator, content: lines[at].Name, transceiver: t, track: track}
		l.mu.Lock()
		l.echoes = append(l.echoes, e)
		l.mu.Unlock()
		l.tasks.Go(func() { l.passKeyFrameRequests(e, sender) })
	}
	return nil
}

func keep(codecs []webrtc.RTPCodecParameters, wanted func(webrtc.RTPCodecParameters) bool) []webrtc.RTPCodecParameters {
	return slices.DeleteFunc(slices.Clone(codecs), func(c webrtc.RTPCodecParameters) bool { return !wanted(c) })
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
	e.track.follow()
	orientation := extensionID(receiver, orientationURI)
	tones := newTones(receiver.GetParameters().Codecs)
	l.log.Debug("echo begins", "content", e.content, "codec", remote.Codec().MimeType)
	for {
		packet, _, err := remote.ReadRTP()
		if errors.Is(err, webrtc.ErrCodecNotFound) {
			continue // comfort noise and the like that nobody negotiated
		}
		if err != nil {
			return // the track was stopped or the peer connection closed
		}
		if digit := tones.digit(packet); digit != "" {
			l.post(dialled{e.content, digit})
		}
		keepExtension(&packet.Header, orientation)
		if err := e.track.write(packet); err != nil {
			l.log.Debug("packet not sent", "err", err)
		}
	}
}

// echoOf finds the media line of a remote track.  A source that was not announced, as Dino's, comes with a receiver of pion's
// own making, but then it is the leg's only line.
func (l *leg) echoOf(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) *echo {
	l.mu.Lock()
	defer l.mu.Unlock()
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

// let opens and closes the echoes: one is open when open says so of its content.
func (l *leg) let(open func(creator jingle.Role, content string, kind webrtc.RTPCodecType) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.echoes {
		if opened := e.track.let(open(e.creator, e.content, e.track.kind)); opened && e.track.kind == webrtc.RTPCodecTypeVideo {
			l.requestKeyFrame(e)
		}
	}
	for _, p := range l.pictures {
		p.open.Store(open(l.role, p.content, webrtc.RTPCodecTypeVideo))
	}
}

// requestKeyFrame asks the peer for a picture that does not build on others.
func (l *leg) requestKeyFrame(e *echo) {
	source := e.source.Load()
	if source == 0 {
		return
	}
	if err := l.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: source}}); err != nil {
		l.log.Debug("key frame request not sent", "err", err)
	}
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
		if !slices.ContainsFunc(packets, isKeyFrameRequest) || time.Since(last) < keyFramePause {
			continue
		}
		last = time.Now()
		l.requestKeyFrame(e)
	}
}

func isKeyFrameRequest(p rtcp.Packet) bool {
	switch p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		return true
	}
	return false
}
