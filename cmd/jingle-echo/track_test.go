package main

import (
	"fmt"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// callerTrack sends one stream of packets of several payload types.
type callerTrack struct {
	*webrtc.TrackLocalStaticRTP

	mu        sync.Mutex
	writer    webrtc.TrackLocalWriter
	ssrc      uint32
	types     map[string]uint8 // payload types by MIME type and clock rate
	sequence  uint16
	timestamp uint32
	said      chan struct{} // a packet was sent, if somebody waits for that
}

func (t *callerTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec, err := t.TrackLocalStaticRTP.Bind(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer, t.ssrc, t.types = c.WriteStream(), uint32(c.SSRC()), map[string]uint8{"": uint8(codec.PayloadType)}
	for _, p := range c.CodecParameters() {
		t.types[fmt.Sprintf("%s/%d", p.MimeType, p.ClockRate)] = uint8(p.PayloadType)
	}
	return codec, err
}

// say sends a packet.  The timestamp goes on by itself unless one is given.
func (t *callerTrack) say(codec string, timestamp uint32, marker bool, payload []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.writer == nil {
		return
	}
	t.sequence++
	t.timestamp += t.Codec().ClockRate / 50
	if timestamp == 0 {
		timestamp = t.timestamp
	}
	_, _ = t.writer.WriteRTP(&rtp.Header{
		Version: 2, SSRC: t.ssrc, PayloadType: t.types[codec], SequenceNumber: t.sequence, Timestamp: timestamp, Marker: marker,
	}, payload)
}
