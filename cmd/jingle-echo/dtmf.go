package main

import (
	"strings"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// telephoneEvents is the named events of RFC 4733 at the clock rates of the audio codecs.  The numbers only count in our own offers.
var telephoneEvents = []webrtc.RTPCodecParameters{
	{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mimeTelephoneEvent, ClockRate: 48000}, PayloadType: 110},
	{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mimeTelephoneEvent, ClockRate: 8000}, PayloadType: 126},
}

const mimeTelephoneEvent = "audio/telephone-event"

func isTelephoneEvent(c webrtc.RTPCodecParameters) bool {
	return strings.EqualFold(c.MimeType, mimeTelephoneEvent)
}

// digits is the DTMF events by number (RFC 4733 section 3.2).
const digits = "0123456789*#ABCD"

// tones recognises DTMF in the packets of one track.  One event is several packets with one timestamp (RFC 4733 section 2.5.1).
type tones struct {
	payloads map[uint8]bool // payload types of telephone-event
	heard    bool
	last     uint32 // timestamp of the last event
}

func newTones(codecs []webrtc.RTPCodecParameters) *tones {
	t := &tones{payloads: map[uint8]bool{}}
	for _, c := range codecs {
		if isTelephoneEvent(c) {
			t.payloads[uint8(c.PayloadType)] = true
		}
	}
	return t
}

// digit returns the digit that a packet is the first one of, or "".
func (t *tones) digit(p *rtp.Packet) string {
	if !t.payloads[p.PayloadType] || len(p.Payload) < 4 || int(p.Payload[0]) >= len(digits) {
		return ""
	}
	if t.heard && p.Timestamp == t.last {
		return ""
	}
	t.heard, t.last = true, p.Timestamp
	return digits[p.Payload[0] : p.Payload[0]+1]
}
