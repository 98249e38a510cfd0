package sdpconv

import (
	"strings"

	"carillon/jingle"
)

// rawAddress returns the address of a component where there is no ICE, or nil.
func (s *mediaWriter) rawAddress(component int) *jingle.RawCandidate {
	if s.content.ICE != nil || s.content.RawUDP == nil {
		return nil
	}
	for i := range s.content.RawUDP.Candidates {
		c := &s.content.RawUDP.Candidates[i]
		if c.Component == component && isIP(c.IP) && c.Port > 0 && c.Port <= 65535 {
			return c
		}
	}
	return nil
}

// writeAddress writes the default address: with ICE, what RFC 9429 section 5.2.1 has where none is known.
func (s *mediaWriter) writeAddress() {
	s.writeIP("c=", s.rawAddress(1))
	s.end()
	if c := s.rawAddress(2); c != nil && !s.content.RTP.RTCPMux {
		s.add("a=rtcp:")
		s.addInt(c.Port)
		s.writeIP(" ", c)
		s.end()
	}
}

func (s *mediaWriter) writeIP(prefix string, c *jingle.RawCandidate) {
	switch {
	case c == nil:
		s.add(prefix, "IN IP4 0.0.0.0")
	case strings.Contains(c.IP, ":"):
		s.add(prefix, "IN IP6 ", c.IP)
	default:
		s.add(prefix, "IN IP4 ", c.IP)
	}
}

// writeSecurity writes SDES keys and ZRTP hashes where there is nothing better.
func (s *mediaWriter) writeSecurity() {
	e := s.content.RTP.Encryption
	switch {
	case e == nil:
		return
	case len(s.ice.Fingerprints) > 0:
		for _, c := range e.Crypto {
			s.lose("a=crypto:"+c.Tag+" "+c.Suite, repairSDES) // without the key
		}
		for _, h := range e.ZRTP {
			s.lose("a=zrtp-hash:"+h.Version+" "+h.Value, repairZRTP)
		}
		return
	}
	for _, c := range e.Crypto {
		s.add("a=crypto:", c.Tag, " ", c.Suite, " ", c.KeyParams)
		if c.SessionParams != "" {
			s.add(" ", c.SessionParams)
		}
		if !isNumber(c.Tag) || !isWord(c.Suite) || !isWord(c.KeyParams) {
			s.back("no key of RFC 4568")
			continue
		}
		s.end()
	}
	for _, h := range e.ZRTP {
		s.add("a=zrtp-hash:", h.Version, " ", h.Value)
		if !isWord(h.Version) || !isWord(h.Value) {
			s.back("no hash of RFC 6189")
			continue
		}
		s.end()
	}
}
