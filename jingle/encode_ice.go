package jingle

import "carillon/jingle/element"

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

func (x *encoder) transport(t *Transport) {
	space := t.namespace()
	x.begin(space, "transport")
	x.optional("ufrag", t.Ufrag)
	x.optional("pwd", t.Pwd)
	if t.ICE2 {
		x.attr("ice2", "true")
	}
	for _, o := range t.Options {
		x.option(o)
	}
	if t.Lite {
		x.empty(NSICEOption, "ice-lite")
	}
	if t.SCTP != nil && x.action != TransportInfo {
		x.sctp(t)
	}
	for i := range t.Fingerprints {
		x.fingerprint(&t.Fingerprints[i])
	}
	if t.Protected {
		// Empty: what it protected cannot be told again, but that it was there must not be forgotten.
		x.empty(NSOMEMODTLS, "fingerprint")
	}
	for i := range t.Candidates {
		x.candidate(space, &t.Candidates[i])
	}
	for _, c := range t.RemoteCandidates {
		x.begin(space, "remote-candidate")
		x.number("component", c.Component)
		x.optional("ip", c.IP)
		x.number("port", c.Port)
		x.end()
	}
	if t.GatheringComplete {
		x.empty(space, "gathering-complete")
	}
	x.pass(t.Other...)
	x.end()
}

// option writes an ICE option, which has its name from a stranger; what is no name is left out.
func (x *encoder) option(name string) {
	if element.IsName(name) {
		x.empty(NSICEOption, name)
	}
}

func (x *encoder) fingerprint(f *Fingerprint) {
	x.begin(NSDTLS, "fingerprint")
	x.optional("hash", f.Hash)
	x.optional("setup", string(f.Setup))
	if f.Cryptex && x.profile.Cryptex {
		x.attr("cryptex", "true")
	}
	x.text(f.Value)
	x.end()
}

// candidate writes every attribute that XEP-0176 section 5.4 requires; Monal cannot read a candidate without generation.
func (x *encoder) candidate(space string, c *Candidate) {
	full := c.complete()
	x.begin(space, "candidate")
	x.number("component", full.Component)
	x.attr("foundation", full.Foundation)
	x.number("generation", full.Generation)
	x.attr("id", full.ID)
	x.optional("ip", full.IP)
	x.attr("network", full.Network)
	x.number("port", full.Port)
	x.number("priority", int(full.Priority))
	x.attr("protocol", full.Protocol)
	x.attr("type", full.Type)
	if full.RelAddr != "" {
		x.attr("rel-addr", full.RelAddr)
		x.number("rel-port", full.RelPort)
	}
	if full.Protocol == "tcp" {
		x.attr("tcptype", full.tcpType())
	}
	x.end()
}

// sctp writes what a transport says of its data channels, unless the transport around it does.
func (x *encoder) sctp(t *Transport) {
	s := t.SCTP
	if x.form(t) != SCTPTransport {
		x.begin(NSSCTP, "sctpmap")
		x.number("number", s.port())
		x.attr("protocol", s.protocol())
		x.positive("streams", s.Streams)
		x.positive("max-message-size", s.MaxMessageSize)
		x.end()
	}
	for i := range s.Channels {
		x.channel(&s.Channels[i])
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

func (x *encoder) channel(c *DataChannel) {
	x.begin(NSChannel, "channel")
	if c.ID >= 0 {
		x.number("id", c.ID)
	}
	if !c.InBand {
		x.attr("negotiated", "true")
	}
	if c.Unordered {
		x.attr("ordered", "false")
	}
	if c.MaxPacketLifeTime >= 0 {
		x.number("maxPacketLifeTime", c.MaxPacketLifeTime)
	}
	if c.MaxRetransmits >= 0 {
		x.number("maxRetransmits", c.MaxRetransmits)
	}
	x.optional("protocol", c.Protocol)
	x.optional("label", c.Label)
	x.end()
}

// dataTransport writes the transport of Conversations' data channels.  In a transport-info it only says where the candidates belong.
func (x *encoder) dataTransport(t *Transport) {
	x.begin(NSDataICE, "transport")
	if x.action != TransportInfo {
		x.number("sctp-port", t.SCTP.port())
		x.positive("max-message-size", t.SCTP.MaxMessageSize)
	}
	x.transport(t)
	x.end()
}

func (x *encoder) rawUDP(r *RawUDP) {
	x.begin(NSRawUDP, "transport")
	for i := range r.Candidates {
		c := &r.Candidates[i]
		x.begin(NSRawUDP, "candidate")
		x.number("component", c.Component)
		x.number("generation", c.Generation)
		x.optional("id", c.ID)
		x.optional("ip", c.IP)
		x.number("port", c.Port)
		x.optional("type", c.Type)
		x.end()
	}
	x.pass(r.Other...)
	x.end()
}
