package sdpconv

import (
	"slices"
	"strings"

	"carillon/jingle"
)

// writeRID writes a stream of a simulcast, which Jitsi's clients name by a rid instead of a number.  It returns whether it was written.
func (s *mediaWriter) writeRID(src *jingle.Source, written []string) bool {
	s.add("a=rid:", src.RID, " send")
	switch {
	case !isRID(src.RID) || slices.Contains(written, src.RID):
		s.back("no stream with a name of its own")
		return false
	case s.typ == Answer:
		s.back(repairSimulcast)
		return false
	case !s.senders.Sends(s.author):
		s.back("source of a party that does not send")
		return false
	}
	s.end()
	for i := range src.Parameters {
		if p := &src.Parameters[i]; p.Name != "msid" {
			s.lose("a=rid:"+src.RID+" "+p.Name+":"+p.Value, "a source without a number has no place for it")
		}
	}
	return true
}

// writeSimulcast writes the streams of a <rid-group/>; a section has one a=simulcast (RFC 8853 section 5.1).
func (s *mediaWriter) writeSimulcast(g *jingle.SourceGroup, written []string, first bool) {
	s.add("a=simulcast:send ", strings.Join(g.RIDs, ";"))
	if s.typ == Answer {
		s.back(repairSimulcast)
		return
	}
	unknown := func(rid string) bool { return !slices.Contains(written, rid) }
	if g.Semantics != "SIM" || !first || slices.ContainsFunc(g.RIDs, unknown) {
		s.back("group of sources that are not there")
		return
	}
	s.end()
}

// isRID tells whether s is a rid-id (RFC 8851 section 10).
func isRID(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || s[i] >= '0' && s[i] <= '9' || s[i] == '-' || s[i] == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
