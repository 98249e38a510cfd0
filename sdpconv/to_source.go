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
		kept = append(kept, src)
	}
	if main := s.content.RTP.SSRC; main != "" && !has(main) {
		s.lose("a=ssrc:"+main, "the main source has no parameters")
	}
	if !s.senders.Sends(s.author) {
		msid = ""
	}
	s.writeMsid(msid)
	groups := s.content.RTP.SourceGroups
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
		s.add("a=ssrc:", src.SSRC, " ", p.Name)
		if value != "" {
			s.add(":", value)
		}
		if !isToken(p.Name) || value == "" && p.HasValue {
			s.back("no parameter of a source")
			continue
		}
		s.end()
	}
}

// writeMsid writes the streams that the content names, else the msid on which its sources agree.
func (s *mediaWriter) writeMsid(common string) {
	if len(s.content.RTP.Streams) == 0 && common != "" {
		s.writeStream(common)
	}
	for _, stream := range s.content.RTP.Streams {
		s.writeStream(stream.ID + " " + stream.Track)
	}
}

func (s *mediaWriter) writeStream(value string) {
	stream, rest := field(value)
	track, rest := field(rest)
	if stream == "" || rest != "" {
		s.lose("a=msid:"+value, "no stream and track")
		return
	}
	s.add("a=msid:", stream)
	if track != "" {
		s.add(" ", track)
	}
	s.end()
}
