package main

import (
	"bytes"
	"context"
	_ "embed" // for the recorded picture
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
	samples "github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"

	"carillon/jingle"
	"carillon/sdpconv"
)

// pictureIVF is three seconds of a ball that circles before coloured bars: VP8, 320x240, 15 frames a second, the first of which is the
// key frame.  picture.html makes it.
//
//go:embed picture.ivf
var pictureIVF []byte

const pictureRate = 15 // frames a second

// readPicture returns the frames of pictureIVF.
func readPicture() ([][]byte, error) {
	r, _, err := ivfreader.NewWith(bytes.NewReader(pictureIVF))
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	var frames [][]byte
	for {
		frame, _, err := r.ParseNextFrame()
		if errors.Is(err, io.EOF) && len(frames) > 0 {
			return frames, nil
		}
		if err != nil {
			return nil, fmt.Errorf("picture: %w", err)
		}
		frames = append(frames, frame)
	}
}

// picture plays the recorded picture in a content of ours.
type picture struct {
	content     string
	transceiver *webrtc.RTPTransceiver
	track       *webrtc.TrackLocalStaticSample
	frames      [][]byte
	ctx         context.Context
	stop        context.CancelFunc
	open        atomic.Bool // the content is accepted, and nothing is on hold
	again       atomic.Bool // the peer asked for a key frame
}

// addPicture describes a content of that name in which we send the picture, for content-add.
func (l *leg) addPicture(name string) (jingle.Content, error) {
	var none jingle.Content
	frames, err := readPicture()
	if err != nil {
		return none, err
	}
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	track, err := webrtc.NewTrackLocalStaticSample(vp8, newID(), newID())
	if err != nil {
		return none, fmt.Errorf("track: %w", err)
	}
	t, err := l.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
	if err != nil {
		return none, fmt.Errorf("add picture: %w", err)
	}
	codecs := keep(t.Receiver().GetParameters().Codecs, func(c webrtc.RTPCodecParameters) bool { return c.MimeType == webrtc.MimeTypeVP8 })
	if err := errors.Join(t.SetMid(name), t.SetCodecPreferences(codecs)); err != nil {
		return none, fmt.Errorf("add picture: %w", err)
	}
	offer, err := l.pc.CreateOffer(nil)
	if err != nil {
		return none, fmt.Errorf("offer picture: %w", err)
	}
	described, _, _, err := sdpconv.FromSDP(offer.SDP, l.role, l.lines)
	if err != nil {
		return none, fmt.Errorf("offer picture: %w", err)
	}
	c := named(described.Contents, l.role, name)
	if c == nil {
		return none, errors.New("offer picture: no such line")
	}
	c.Senders = only(l.role)
	p := &picture{content: name, transceiver: t, track: track, frames: frames}
	p.ctx, p.stop = context.WithCancel(l.ctx)
	l.mu.Lock()
	l.pictures = append(l.pictures, p)
	l.mu.Unlock()
	l.tasks.Go(func() { l.show(p) })
	l.tasks.Go(func() { p.listen(t.Sender()) })
	return *c, nil
}

// keepPictures ends those of other contents.
func (l *leg) keepPictures(wanted func(content string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pictures = slices.DeleteFunc(l.pictures, func(p *picture) bool {
		if wanted(p.content) {
			return false
		}
		p.stop()
		if err := p.transceiver.Stop(); err != nil {
			l.log.Debug("picture stopped", "err", err)
		}
		return true
	})
}

// proposes tells whether the leg has a content of ours, perhaps not accepted yet.
func (l *leg) proposes() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pictures) > 0
}

// shows tells whether a content of ours is the leg's.
func (l *leg) shows(content string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.pictures, func(p *picture) bool { return p.content == content })
}

// show plays the picture over and over until it is dropped or the leg closed.
func (l *leg) show(p *picture) {
	ticker := time.NewTicker(time.Second / pictureRate)
	defer ticker.Stop()
	for i := 0; ; {
		select {
		case <-ticker.C:
		case <-p.ctx.Done():
			return
		}
		if !p.open.Load() || p.again.Swap(false) {
			i = 0
		}
		if !p.open.Load() {
			continue
		}
		if err := p.track.WriteSample(samples.Sample{Data: p.frames[i], Duration: time.Second / pictureRate}); err != nil {
			l.log.Debug("frame not sent", "err", err)
		}
		i = (i + 1) % len(p.frames)
	}
}

// listen begins anew with the key frame when the peer asks for one.
func (p *picture) listen(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return // the line was stopped or the peer connection closed
		}
		if slices.ContainsFunc(packets, isKeyFrameRequest) {
			p.again.Store(true)
		}
	}
}
