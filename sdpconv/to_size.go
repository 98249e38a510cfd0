package sdpconv

import "carillon/jingle"

// size returns about how many bytes the SDP is: what it has most of to the byte, and a guess for the rest.
func (w *writer) size() int {
	n := 192
	for i, s := range w.sections {
		n += 256
		if s == nil {
			n += 8 * len(w.lines[i].Formats)
			continue
		}
		n += len(s.content.Name)
		for i := range s.ice.Fingerprints {
			n += len("a=fingerprint:sha-256 \r\n") + len(s.ice.Fingerprints[i].Value)
		}
		n += len(s.ice.Ufrag) + len(s.ice.Pwd) + 160*len(s.ice.Candidates)
		if rtp := s.content.RTP; rtp != nil {
			n += s.sizeRTP(rtp)
		}
	}
	return n
}

func (s *mediaWriter) sizeRTP(rtp *jingle.RTP) int {
	n := 48*len(rtp.Streams) + 24*len(rtp.Feedback)
	for i := range s.codecs {
		p := &s.codecs[i]
		n += len(" 111a=rtpmap:111 /90000\r\n") + len(p.Name)
		for j := range p.Feedback {
			n += len("a=rtcp-fb:111  \r\n") + len(p.Feedback[j].Type) + len(p.Feedback[j].Subtype)
		}
		if len(p.Parameters) > 0 {
			n += len("a=fmtp:111 \r\n")
		}
		for j := range p.Parameters {
			n += len("=;") + len(p.Parameters[j].Name) + len(p.Parameters[j].Value)
		}
	}
	for i := range rtp.HdrExts {
		n += len("a=extmap:15/recvonly \r\n") + len(rtp.HdrExts[i].URI)
	}
	for i := range rtp.Sources {
		for j := range rtp.Sources[i].Parameters {
			x := &rtp.Sources[i].Parameters[j]
			n += len("a=ssrc:4294967295 :\r\n") + len(x.Name) + len(x.Value)
			if x.Name == "msid" && i == 0 {
				n += len("a=msid:\r\n") + len(x.Value)
			}
		}
	}
	return n + 40*len(rtp.SourceGroups)
}
