package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// echoTrack is what one echo sends.  pion's own tracks give every packet the payload type of their codec; this one keeps what the peer
// chose, so that telephone events come back as such.  It can be closed and opened; nobody misses what was closed off.
type echoTrack struct {
	id, stream string
	kind       webrtc.RTPCodecType
	mime       string

	mu       sync.Mutex
	open     bool
	writer   webrtc.TrackLocalWriter // nil while nothing is negotiated
	ssrc     uint32
	payloads [128]bool // payload types that the peer takes
	shift    uint16    // from the peer's sequence numbers to ours
	last     uint16    // our last sequence number
	sent     bool
	gap      bool // the next packet follows the last one, whatever its number
}

// let opens or closes the track and tells whether it was opened by that.
func (t *echoTrack) let(open bool) (opened bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	opened = open && !t.open
	t.open, t.gap = open, t.gap || opened
	return opened
}

// follow lets the next packet follow the last one, because it is another source's.
func (t *echoTrack) follow() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gap = true
}

// write sends a packet of the peer.
func (t *echoTrack) write(p *rtp.Packet) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.open || t.writer == nil || p.PayloadType > 127 || !t.payloads[p.PayloadType] {
		return nil
	}
	// Numbers go on behind a pause: SRTP counts their wrap-arounds and must not miss one (RFC 3711 section 3.3.1).
	if t.gap && t.sent {
		t.shift = t.last + 1 - p.SequenceNumber
	}
	t.gap = false
	p.SequenceNumber += t.shift
	if !t.sent || int16(p.SequenceNumber-t.last) > 0 {
		t.last = p.SequenceNumber
	}
	t.sent = true
	p.SSRC = t.ssrc
	if p.PaddingSize != 0 {
		p.Header.PaddingSize = p.PaddingSize // the writer takes header and payload apart
	}
	_, err := t.writer.WriteRTP(&p.Header, p.Payload)
	return err
}

// Bind is called by pion when the codecs are negotiated.
func (t *echoTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var codec webrtc.RTPCodecParameters
	t.payloads = [128]bool{}
	for _, p := range c.CodecParameters() {
		ours := strings.EqualFold(p.MimeType, t.mime)
		if ours && codec.MimeType == "" {
			codec = p
		}
		if p.PayloadType < 128 && (ours || isTelephoneEvent(p)) {
			t.payloads[p.PayloadType] = true
		}
	}
	if codec.MimeType == "" {
		return codec, fmt.Errorf("%s: %w", t.mime, webrtc.ErrUnsupportedCodec)
	}
	t.writer, t.ssrc, t.gap = c.WriteStream(), uint32(c.SSRC()), true
	return codec, nil
}

// Unbind is called by pion when the line is stopped.
func (t *echoTrack) Unbind(webrtc.TrackLocalContext) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer = nil
	return nil
}

// ID is that of the track in its stream.
func (t *echoTrack) ID() string { return t.id }

// RID is empty: there is one encoding.
func (t *echoTrack) RID() string { return "" }

// StreamID is that of the stream.
func (t *echoTrack) StreamID() string { return t.stream }

// Kind is audio or video.
func (t *echoTrack) Kind() webrtc.RTPCodecType { return t.kind }
