package sdpconv

import (
	"strings"
)

// readPlain reads a line as browsers write it, and tells whether it is one: those in the order v, o, s, t and per section m, c, without what
// is optional but an address.  It accepts nothing that pion does not, and reads the same; pion took 7 % of
// the time of SDP to XML.
func (d *document) readPlain(text string) bool {
	after := d.last
	d.last = text[0]
	switch text[0] {
	case 'v':
		return after == 0 && text == "v=0"
	case 'o':
		return after == 'v' && isPlainOrigin(text)
	case 's':
		return after == 'o'
	case 't':
		return (after == 's' || after == 'c' && len(d.media) == 0) && text == "t=0 0"
	case 'c':
		address, ok := plainAddress(text)
		d.section.address = address
		return ok && (after == 's' || after == 'm')
	case 'm':
		d.section.address = d.session.address
		return (after == 't' || after == 'm' || after == 'c') && d.section.readPlainHead()
	}
	return false
}

// isPlainOrigin tells whether text is "o=- 4611731400430051336 2 IN IP4 127.0.0.1" or like it.
func isPlainOrigin(text string) bool {
	user, rest, _ := cut(text[2:], ' ')
	id, rest, _ := cut(rest, ' ')
	version, rest, _ := cut(rest, ' ')
	const most = 19 // digits, which 64 bits always have
	if user == "" || strings.IndexByte(user, '\t') >= 0 || !isDigits(id, most) || !isDigits(version, most) {
		return false
	}
	_, ok := plainAddress("c=" + rest)
	return ok
}

// plainAddress reads "c=IN IP4 127.0.0.1".
func plainAddress(text string) (string, bool) {
	const ip4, ip6 = "c=IN IP4 ", "c=IN IP6 "
	if !strings.HasPrefix(text, ip4) && !strings.HasPrefix(text, ip6) {
		return "", false
	}
	address := text[len(ip4):]
	return address, address != "" && wordEnd(address, 0) == len(address) && byteIn(address, '/') == len(address)
}

// readPlainHead reads the port of an m-line of a kind and protocol that pion knows.
func (s *section) readPlainHead() bool {
	known := s.media == "audio" || s.media == "video" || s.media == "application"
	if !known || s.proto != "UDP/TLS/RTP/SAVPF" && s.proto != dataProto || !isDigits(s.said, 5) {
		return false
	}
	port, ok := number(s.said, 16)
	s.port = port
	return ok
}
