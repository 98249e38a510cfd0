package sdpconv

import (
	"cmp"
	"slices"
	"strings"

	"carillon/jingle"
)

// writeSources writes a=msid, a=ssrc and a=ssrc-group.  A section is one track: of sources that belong to several, libwebrtc
// refuses all, so those of the first are taken.
func (s *mediaWriter) writeSources() {
	msid := ""
	var rids []string // that were written
	sources := s.declared()
	kept := make([]*jingle.Source, 0, len(sources))
	has := func(ssrc string) bool {
		return slices.ContainsFunc(kept, func(x *jingle.Source) bool { return x.SSRC == ssrc })
	}
	for i := range sources {
		src := &sources[i]
		own := msidOf(src)
		switch {
		case src.SSRC == "" && src.RID != "":
			if s.writeRID(src, rids) {
				rids = append(rids, src.RID)
				msid = cmp.Or(msid, own)
			}
			continue
		case !isNumber(src.SSRC) || has(src.SSRC):
			s.lose("a=ssrc:"+src.SSRC, "no source with a number of its own")
			continue
		case msid == "":
			msid = own
		case own != "" && own != msid:
			s.lose("a=ssrc:"+src.SSRC+" msid:"+own, repairTrack)
			continue
		}
		if reason := s.refusedSource(src, len(kept)); reason != "" {
			s.lose("a=ssrc:"+src.SSRC, reason)
			continue
		}
		kept = append(kept, src)
	}
	if main := s.content.RTP.SSRC; main != "" && !has(main) {
		s.lose("a=ssrc:"+main, "the main source has no parameters")
	}
	if !s.senders.Sends(s.author) {
		msid = ""
	}
	for _, src := range kept {
		s.sources = append(s.sources, src.SSRC)
	}
	s.writeMsid(msid)
	groups := s.content.RTP.SourceGroups
	if !s.plain {
		groups = s.validGroups(groups, has)
	}
	isSimulcast := func(g jingle.SourceGroup) bool { return len(g.SSRCs) == 0 && len(g.RIDs) > 0 }
	for i := range groups {
		if isSimulcast(groups[i]) {
			s.writeSimulcast(&groups[i], rids, slices.IndexFunc(groups, isSimulcast) == i)
			continue
		}
		s.writeSourceGroup(groups[i], has)
	}
	for _, src := range kept {
		s.writeSource(src)
	}
}

// refusedSource tells why Chromium 156 fails at a source beside so many others of the section, or "".
func (s *mediaWriter) refusedSource(src *jingle.Source, others int) string {
	said := func(p jingle.Parameter) bool { return isToken(p.Name) && strings.TrimSpace(p.Value) != "" }
	switch {
	case s.plain:
		return ""
	case !slices.ContainsFunc(src.Parameters, said):
		return "source of which nothing is said"
	case s.content.RTP.Media == "audio" && others > 0:
		return "a second source of one sound"
	}
	for _, o := range s.writer.sections {
		switch {
		case o == s:
			return ""
		case o != nil && slices.ContainsFunc(o.sources, func(ssrc string) bool { return sameNumber(ssrc, src.SSRC) }):
			return "source of another content"
		}
	}
	return ""
}

func sameNumber(a, b string) bool { return strings.TrimLeft(a, "0") == strings.TrimLeft(b, "0") }

// maxSimulcast is how many sources of one simulcast there can be.
const maxSimulcast = 3

// validGroups returns the groups that Chromium 156 does not refuse the SDP for: each source leads one of a kind, retransmission
// and redundancy are pairs, and of several streams all are repeated or none.
func (s *mediaWriter) validGroups(groups []jingle.SourceGroup, has func(string) bool) []jingle.SourceGroup {
	kept := make([]jingle.SourceGroup, 0, len(groups))
	var streams []string // of a simulcast
	for i := range groups {
		g := &groups[i]
		reason := ""
		leads := func(o jingle.SourceGroup) bool {
			return len(o.SSRCs) > 0 && len(g.SSRCs) > 0 && o.Semantics == g.Semantics && sameNumber(o.SSRCs[0], g.SSRCs[0])
		}
		pair := g.Semantics == "FID" || g.Semantics == "FEC-FR"
		switch {
		case len(g.SSRCs) == 0:
		case slices.ContainsFunc(g.SSRCs, func(x string) bool { return !has(x) }):
		case s.content.RTP.Media == "audio":
			reason = "group of sources of a sound"
		case pair && len(g.SSRCs) != 2:
			reason = "group that is no pair of sources"
		case slices.ContainsFunc(kept, leads):
			reason = "source that leads two such groups"
		case repeats(g.SSRCs):
			reason = "group that has a source twice"
		case g.Semantics == "SIM" && len(g.SSRCs) > maxSimulcast:
			reason = "simulcast of more than three streams"
		case g.Semantics == "SIM" && streams != nil:
			reason = "second simulcast of a section"
		case g.Semantics == "SIM":
			streams = g.SSRCs
		}
		if reason != "" {
			s.loseGroup(g, reason)
			continue
		}
		kept = append(kept, *g)
	}
	return s.coveringGroups(kept, streams)
}

// coveringGroups leaves out the retransmissions of a simulcast of which not every stream has one.
func (s *mediaWriter) coveringGroups(groups []jingle.SourceGroup, streams []string) []jingle.SourceGroup {
	repeated := func(ssrc string) bool {
		return slices.ContainsFunc(groups, func(g jingle.SourceGroup) bool { return g.Semantics == "FID" && g.SSRCs[0] == ssrc })
	}
	if !slices.ContainsFunc(streams, func(ssrc string) bool { return !repeated(ssrc) }) {
		return groups
	}
	return slices.DeleteFunc(groups, func(g jingle.SourceGroup) bool {
		gone := g.Semantics == "FID"
		if gone {
			s.loseGroup(&g, "retransmission of some streams of a simulcast")
		}
		return gone
	})
}

func (s *mediaWriter) loseGroup(g *jingle.SourceGroup, reason string) {
	s.lose("a=ssrc-group:"+g.Semantics+" "+strings.Join(g.SSRCs, " "), reason)
}

func repeats(list []string) bool {
	for i, x := range list {
		if slices.ContainsFunc(list[:i], func(y string) bool { return sameNumber(x, y) }) {
			return true
		}
	}
	return false
}

func (s *mediaWriter) writeSourceGroup(g jingle.SourceGroup, has func(string) bool) {
	s.add("a=ssrc-group:", g.Semantics)
	for _, ssrc := range g.SSRCs {
		s.add(" ", ssrc)
	}
	if len(g.SSRCs) == 0 || !isToken(g.Semantics) || slices.ContainsFunc(g.SSRCs, func(x string) bool { return !has(x) }) {
		s.back("group of sources that are not there")
		return
	}
	s.end()
}

// declared returns the sources, with those that only a group names: stanza 12.22 answers so, and libwebrtc refuses a group of sources that
// it does not know.
func (s *mediaWriter) declared() []jingle.Source {
	list := s.content.RTP.Sources
	if s.content.RTP.Media == "audio" && !s.plain {
		return list // a sound has one
	}
	find := func(ssrc string) int {
		return slices.IndexFunc(list, func(x jingle.Source) bool { return x.SSRC == ssrc })
	}
	for _, g := range s.content.RTP.SourceGroups {
		if g.Semantics != "FID" || len(g.SSRCs) != 2 || len(list) >= maxSources {
			continue
		}
		primary := find(g.SSRCs[0])
		if primary >= 0 && find(g.SSRCs[1]) < 0 {
			s.lose("a=ssrc:"+g.SSRCs[1], repairSource)
			list = append(slices.Clip(list), jingle.Source{SSRC: g.SSRCs[1], Parameters: list[primary].Parameters})
		}
	}
	return list
}

func msidOf(src *jingle.Source) string {
	for i := range src.Parameters {
		if src.Parameters[i].Name == "msid" {
			return oneBlank(src.Parameters[i].Value)
		}
	}
	return ""
}

// oneBlank trims and leaves one blank between words.
func oneBlank(s string) string {
	stream, rest := field(s)
	track, rest := field(rest)
	if rest == "" && len(stream)+1+len(track) == len(s) {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

func (s *mediaWriter) writeSource(src *jingle.Source) {
	for i := range src.Parameters {
		p := &src.Parameters[i]
		value := strings.TrimSpace(p.Value)
		if p.Name == "msid" {
			value = oneBlank(value)
		}
		if p.Name == "msid" && s.isElsewhere(value) {
			s.lose("a=ssrc:"+src.SSRC+" msid:"+value, trackElsewhere)
			continue
		}
		s.add("a=ssrc:", src.SSRC, " ", p.Name)
		if value != "" {
			s.add(":", value)
		}
		if !isToken(p.Name) || value == "" && (p.HasValue || !s.plain) || p.Name == "msid" && !s.plain && !isMsid(value) {
			s.back("no parameter of a source")
			continue
		}
		s.end()
	}
}

// isMsid tells whether s, which has single blanks, is a stream and perhaps a track.
func isMsid(s string) bool { return strings.Count(s, " ") < 2 }

// writeMsid writes the streams that the content names, else the msid on which its sources agree.
func (s *mediaWriter) writeMsid(common string) {
	if len(s.content.RTP.Streams) == 0 && common != "" {
		s.writeStream(common)
	}
	for _, stream := range s.content.RTP.Streams {
		s.writeStream(stream.ID + " " + stream.Track)
	}
}

const trackElsewhere = "track of another content"

// isElsewhere tells whether an msid was written for another section already.
func (s *mediaWriter) isElsewhere(msid string) bool {
	stream, rest := field(msid)
	track, _ := field(rest)
	return !s.plain && slices.ContainsFunc(s.writer.sections, func(o *mediaWriter) bool {
		return o != nil && o != s && slices.Contains(o.streams, jingle.Stream{ID: stream, Track: track})
	})
}

// writeStream writes an a=msid.  Chromium 156 refuses two tracks in a section, and one of a stream in two.
func (s *mediaWriter) writeStream(value string) {
	stream, rest := field(value)
	track, rest := field(rest)
	other := func(x jingle.Stream) bool { return x.Track != track }
	switch {
	case stream == "" || rest != "":
		s.lose("a=msid:"+value, "no stream and track")
		return
	case !s.plain && slices.ContainsFunc(s.streams, other):
		s.lose("a=msid:"+value, "a second track")
		return
	case s.isElsewhere(value):
		s.lose("a=msid:"+value, trackElsewhere)
		return
	}
	s.streams = append(s.streams, jingle.Stream{ID: stream, Track: track})
	s.add("a=msid:", stream)
	if track != "" {
		s.add(" ", track)
	}
	s.end()
}
