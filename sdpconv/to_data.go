package sdpconv

import (
	"strconv"

	"carillon/jingle"
)

const dataProto = "UDP/DTLS/SCTP"

// format is what the m-line of data channels says: the protocol or, in an answer to what was usual before RFC 8841, the port.
func (s *mediaWriter) format() string {
	sctp := s.ice.SCTP
	switch {
	case s.oldData():
		return strconv.Itoa(portOf(sctp))
	case s.plain && isToken(sctp.Protocol) && !isNumber(sctp.Protocol):
		return sctp.Protocol
	}
	return dataProtocol
}

// oldData tells whether the offer that is answered has the port in its m-line and explains it with a=sctpmap.
func (s *mediaWriter) oldData() bool {
	return s.typ == Answer && len(s.line.Formats) > 0 && isNumber(s.line.Formats[0])
}

func portOf(sctp *jingle.SCTP) int {
	if sctp.Port < 1 || sctp.Port > 65535 {
		return sctpPort
	}
	return sctp.Port
}

func (s *mediaWriter) writeData() {
	sctp := s.ice.SCTP
	s.writeHead("application")
	s.add(" ", s.format())
	s.end()
	s.writeAddress()
	s.attr("mid:", s.line.Mid)
	if dir := direction(s.senders, s.author); dir != "sendrecv" {
		s.attr(dir)
	}
	s.writeTransport()
	if s.oldData() {
		s.add("a=sctpmap:", s.format(), " ", dataProtocol)
		if sctp.Streams > 0 {
			s.add(" ")
			s.addInt(sctp.Streams)
		}
		s.end()
	} else {
		s.attr("sctp-port:", strconv.Itoa(portOf(sctp)))
		if sctp.Streams > 0 {
			s.lose("a=sctpmap:"+strconv.Itoa(portOf(sctp))+" "+s.format()+" "+strconv.Itoa(sctp.Streams), "no number of streams since RFC 8841")
		}
	}
	if sctp.MaxMessageSize > 0 {
		s.attr("max-message-size:", strconv.Itoa(sctp.MaxMessageSize))
	}
	for _, c := range sctp.Channels {
		s.writeChannel(c)
	}
	s.writeCandidates()
}

// writeChannel writes a=dcmap (RFC 8864 section 5.1).
func (s *mediaWriter) writeChannel(c jingle.DataChannel) {
	s.add("a=dcmap:")
	s.addInt(c.ID)
	if c.ID < 0 || c.ID > 65534 {
		s.back("no stream of a data channel")
		return
	}
	separator := " "
	item := func(name string) {
		s.add(separator, name, "=")
		separator = ";"
	}
	if c.Label != "" {
		item("label")
		s.out = appendQuoted(s.out, c.Label)
	}
	if c.Protocol != "" {
		item("subprotocol")
		s.out = appendQuoted(s.out, c.Protocol)
	}
	if c.Unordered {
		item("ordered")
		s.add("false")
	}
	if c.MaxRetransmits >= 0 {
		item("max-retr")
		s.addInt(c.MaxRetransmits)
	}
	if c.MaxPacketLifeTime >= 0 {
		item("max-time")
		s.addInt(c.MaxPacketLifeTime)
	}
	s.end()
}
