package jingle

import (
	"strconv"

	"carillon/jingle/element"
)

// form is how the data channels of a transport are written: as a known client wants them, else as they were read.
func (x *encoder) form(t *Transport) SCTPForm {
	switch {
	case t.SCTP == nil:
		return SCTPMap
	case x.profile.known():
		return x.profile.SCTP
	}
	return t.SCTP.Form
}

func (x *encoder) transport(t *Transport) *element.Element {
	ice2 := ""
	if t.ICE2 {
		ice2 = "true"
	}
	e := x.element(t.namespace(), "transport", "ufrag", t.Ufrag, "pwd", t.Pwd, "ice2", ice2)
	x.room(e, len(t.Options)+len(t.Fingerprints)+len(t.Candidates)+len(t.RemoteCandidates)+len(t.Other)+5)
	for _, o := range t.Options {
		e.Children = append(e.Children, x.element(NSICEOption, o))
	}
	if t.Lite {
		e.Children = append(e.Children, x.element(NSICEOption, "ice-lite"))
	}
	if t.SCTP != nil && x.action != TransportInfo {
		x.sctp(e, t)
	}
	for i := range t.Fingerprints {
		e.Children = append(e.Children, x.fingerprint(&t.Fingerprints[i]))
	}
	if t.Protected {
		// Empty: what it protected cannot be told again, but that it was there must not be forgotten.
		e.Children = append(e.Children, x.element(NSOMEMODTLS, "fingerprint"))
	}
	for i := range t.Candidates {
		e.Children = append(e.Children, x.candidate(t, &t.Candidates[i]))
	}
	for _, c := range t.RemoteCandidates {
		e.Children = append(e.Children, x.element(t.namespace(), "remote-candidate",
			"component", strconv.Itoa(c.Component), "ip", c.IP, "port", strconv.Itoa(c.Port)))
	}
	if t.GatheringComplete {
		e.Children = append(e.Children, x.element(t.namespace(), "gathering-complete"))
	}
	return e.Append(t.Other...)
}

func (x *encoder) fingerprint(f *Fingerprint) *element.Element {
	e := x.element(NSDTLS, "fingerprint", "hash", f.Hash, "setup", string(f.Setup))
	if f.Cryptex && x.profile.Cryptex {
		x.attr(e, "cryptex", "true")
	}
	return x.text(e, f.Value)
}

// candidate writes every attribute that XEP-0176 section 5.4 requires; Monal cannot read a candidate without generation.
func (x *encoder) candidate(t *Transport, c *Candidate) *element.Element {
	full := c.complete()
	e := x.element(t.namespace(), "candidate",
		"component", strconv.Itoa(full.Component), "foundation", full.Foundation, "generation", strconv.Itoa(full.Generation),
		"id", full.ID, "ip", full.IP, "network", full.Network, "port", strconv.Itoa(full.Port),
		"priority", strconv.FormatUint(uint64(full.Priority), 10), "protocol", full.Protocol, "type", full.Type)
	if full.RelAddr != "" {
		x.attr(e, "rel-addr", full.RelAddr)
		x.attr(e, "rel-port", strconv.Itoa(full.RelPort))
	}
	if full.Protocol == "tcp" {
		x.attr(e, "tcptype", full.tcpType())
	}
	return e
}

// sctp adds what a transport says of its data channels, unless the transport around it does.
func (x *encoder) sctp(e *element.Element, t *Transport) {
	s := t.SCTP
	if x.form(t) != SCTPTransport {
		e.Append(x.element(NSSCTP, "sctpmap", "number", strconv.Itoa(s.port()), "protocol", s.protocol(),
			"streams", positive(s.Streams), "max-message-size", positive(s.MaxMessageSize)))
	}
	for i := range s.Channels {
		e.Append(x.channel(&s.Channels[i]))
	}
}

func (s *SCTP) port() int {
	if s.Port == 0 {
		return DefaultSCTPPort
	}
	return s.Port
}

func (s *SCTP) protocol() string {
	if s.Protocol == "" {
		return DefaultSCTPProtocol
	}
	return s.Protocol
}

func (x *encoder) channel(c *DataChannel) *element.Element {
	e := x.element(NSChannel, "channel")
	if c.ID >= 0 {
		x.attr(e, "id", strconv.Itoa(c.ID))
	}
	if !c.InBand {
		x.attr(e, "negotiated", "true")
	}
	if c.Unordered {
		x.attr(e, "ordered", "false")
	}
	if c.MaxPacketLifeTime >= 0 {
		x.attr(e, "maxPacketLifeTime", strconv.Itoa(c.MaxPacketLifeTime))
	}
	if c.MaxRetransmits >= 0 {
		x.attr(e, "maxRetransmits", strconv.Itoa(c.MaxRetransmits))
	}
	if c.Protocol != "" {
		x.attr(e, "protocol", c.Protocol)
	}
	if c.Label != "" {
		x.attr(e, "label", c.Label)
	}
	return e
}

// dataTransport writes the transport of Conversations' data channels.  In a transport-info it only says where the candidates belong.
func (x *encoder) dataTransport(t *Transport) *element.Element {
	e := x.element(NSDataICE, "transport")
	if x.action != TransportInfo {
		x.attr(e, "sctp-port", strconv.Itoa(t.SCTP.port()))
		if t.SCTP.MaxMessageSize > 0 {
			x.attr(e, "max-message-size", strconv.Itoa(t.SCTP.MaxMessageSize))
		}
	}
	return e.Append(x.transport(t))
}

func (x *encoder) rawUDP(r *RawUDP) *element.Element {
	e := x.element(NSRawUDP, "transport")
	x.room(e, len(r.Candidates)+len(r.Other))
	for _, c := range r.Candidates {
		e.Children = append(e.Children, x.element(NSRawUDP, "candidate",
			"component", strconv.Itoa(c.Component), "generation", strconv.Itoa(c.Generation), "id", c.ID, "ip", c.IP,
			"port", strconv.Itoa(c.Port), "type", c.Type))
	}
	return e.Append(r.Other...)
}
