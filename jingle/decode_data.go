package jingle

import (
	"strconv"
	"strings"

	"carillon/jingle/element"
)

const (
	maxChannels         = 64
	maxRemoteCandidates = 16
	maxMessageSize      = 1<<31 - 1 // bytes; larger ones are as good as this
)

// dataTransport reads a <transport/> of webrtc-datachannel:1: SCTP around an ICE transport.
func (d *decoder) dataTransport(e element.Node) *Transport {
	t := &Transport{}
	for c := e.First(); c.Exists(); c = c.Next() {
		if d.isICE(c) {
			t = d.transport(c)
			break
		}
	}
	s := t.association()
	s.Form = SCTPTransport
	s.Port = number(e.Attr("sctp-port"), 1, 65535, s.Port)
	s.MaxMessageSize = messageSize(e)
	for c := e.First(); c.Exists(); c = c.Next() {
		if d.is(c, NSChannel, "channel") {
			d.channel(t, c)
		}
	}
	return t
}

// association returns the SCTP of t, made up from the defaults if there is none yet.
func (t *Transport) association() *SCTP {
	if t.SCTP == nil {
		t.SCTP = &SCTP{Port: DefaultSCTPPort, Protocol: DefaultSCTPProtocol}
	}
	return t.SCTP
}

// sctpmap reads an <sctpmap/> (XEP-0343 section 4.2).  The port is called number in the schema and the examples, port in the text.
func (d *decoder) sctpmap(t *Transport, e element.Node) {
	s := t.association()
	port := e.Attr("number")
	if port == "" && d.takes(SCTPPort) {
		port = e.Attr("port")
	}
	s.Port = number(port, 1, 65535, DefaultSCTPPort)
	if protocol := e.Attr("protocol"); isToken(protocol) {
		s.Protocol = protocol
	}
	s.Streams = number(e.Attr("streams"), 1, 65535, 0)
	s.MaxMessageSize = messageSize(e)
}

// messageSize reads the longest message in bytes, 0 when it is not given.
func messageSize(e element.Node) int {
	n, err := strconv.ParseUint(strings.TrimSpace(e.Attr("max-message-size")), 10, 64)
	if err != nil {
		return 0
	}
	return int(min(n, maxMessageSize))
}

// channel reads a <channel/> (XEP-0343 section 4.1): the members of RTCDataChannelInit.
func (d *decoder) channel(t *Transport, e element.Node) {
	s := t.association()
	if !d.room("data channels", len(s.Channels), maxChannels) {
		return
	}
	s.Channels = append(s.Channels, DataChannel{
		ID: number(e.Attr("id"), 0, 65535, -1), Label: e.Attr("label"), Protocol: e.Attr("protocol"),
		InBand: !isTrue(e.Attr("negotiated")), Unordered: isFalse(e.Attr("ordered")),
		MaxPacketLifeTime: number(e.Attr("maxPacketLifeTime"), 0, 65535, -1),
		MaxRetransmits:    number(e.Attr("maxRetransmits"), 0, 65535, -1),
	})
}

// isTrue and isFalse read the booleans of XML Schema.
func isTrue(s string) bool  { return s == "true" || s == "1" }
func isFalse(s string) bool { return s == "false" || s == "0" }

// isDataDescription tells whether e is the description that Movim gives to data channels: RTP without a codec.
func (d *decoder) isDataDescription(e element.Node) bool {
	return e.Attr("media") == "application" && !e.Child(NSRTP, "payload-type").Exists() && d.takes(DataDescription)
}

// rawUDP reads a raw-udp <transport/> (XEP-0177).
func (d *decoder) rawUDP(e element.Node) *RawUDP {
	r := &RawUDP{}
	for c := e.First(); c.Exists(); c = c.Next() {
		switch {
		case d.is(c, NSRawUDP, "candidate"):
			d.rawCandidate(r, c)
		case d.room("unknown elements in a transport", len(r.Other), maxOther):
			r.Other = append(r.Other, c.Element())
		}
	}
	return r
}

func (d *decoder) rawCandidate(r *RawUDP, e element.Node) {
	c := RawCandidate{
		ID: e.Attr("id"), Component: number(e.Attr("component"), 1, 256, 1), Generation: number(e.Attr("generation"), 0, 1<<30, 0),
		IP: strings.TrimSpace(e.Attr("ip")), Port: number(e.Attr("port"), 0, 65535, -1), Type: e.Attr("type"),
	}
	if c.Port < 0 || !isAddress(c.IP) || len(r.Candidates) >= maxCandidates {
		d.skip(e)
		return
	}
	r.Candidates = append(r.Candidates, c)
}
