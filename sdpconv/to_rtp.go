package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

func (s *mediaWriter) writeRTP() {
	rtp := s.content.RTP
	if !rtp.RTCPMux {
		s.lose("a=rtcp-mux", repairMux)
	}
	s.attr("rtcp-mux")
	if rtp.RTCPReducedSize {
		s.attr("rtcp-rsize")
	}
	offered := s.offered()
	switch {
	case !rtp.AllowMixed:
	case offered != nil && !offered.AllowMixed:
		s.lose("a=extmap-allow-mixed", "not in the offer")
	default:
		s.attr("extmap-allow-mixed")
	}
	for _, x := range rtp.HdrExts {
		s.writeExtmap(x, offered)
	}
	s.writePacketTime(rtp.PayloadTypes)
}

func (s *mediaWriter) writeExtmap(x jingle.HdrExt, offered *jingle.RTP) {
	text := "extmap:" + strconv.Itoa(x.ID)
	if dir := direction(x.Senders, s.author); dir != "sendrecv" {
		text += "/" + dir
	}
	text += " " + x.URI + words(x.Parameters)
	same := func(o jingle.HdrExt) bool { return o.URI == x.URI && (o.ID == x.ID || o.ID >= 4096) }
	switch {
	case !isWord(x.URI):
		s.lose("a="+text, "no URI")
	case offered != nil && !slices.ContainsFunc(offered.HdrExts, same):
		s.lose("a="+text, "not in the offer")
	default:
		s.attr(text)
	}
}

// words writes parameters as " name=value name".
func words(list []jingle.Parameter) string {
	var b strings.Builder
	for _, p := range list {
		item := p.Name
		if p.HasValue {
			item += "=" + p.Value
		}
		if isWord(item) {
			b.WriteString(" " + item)
		}
	}
	return b.String()
}

// writePacketTime writes the one value that a section can have: that of the first payload type that says one.
func (s *mediaWriter) writePacketTime(list []jingle.PayloadType) {
	ptime, maxptime := 0, 0
	for _, p := range list {
		if ptime == 0 {
			ptime = p.PTime
		}
		if maxptime == 0 {
			maxptime = p.MaxPTime
		}
	}
	if ptime > 0 {
		s.attr("ptime:" + strconv.Itoa(ptime))
	}
	if maxptime > 0 {
		s.attr("maxptime:" + strconv.Itoa(maxptime))
	}
}

func (s *mediaWriter) writeCodecs() {
	s.writeFeedback("*", s.content.RTP.Feedback, s.content.RTP.TRRInt)
	for _, p := range s.codecs {
		id := strconv.Itoa(p.ID)
		text := "rtpmap:" + id + " " + p.Name + "/" + strconv.Itoa(p.ClockRate)
		if p.Channels > 1 {
			text += "/" + strconv.Itoa(p.Channels)
		}
		s.attr(text)
		s.writeFeedback(id, p.Feedback, p.TRRInt)
		if fmtp := s.fmtp(p); fmtp != "" {
			s.attr("fmtp:" + id + " " + fmtp)
		}
	}
}

// fmtp joins the parameters; browsers refuse a line with none.
func (s *mediaWriter) fmtp(p jingle.PayloadType) string {
	var items []string
	for _, x := range p.Parameters {
		item := x.Value
		if x.Name != "" {
			item = x.Name + "=" + x.Value
		}
		if !isWord(item) || strings.Contains(item, ";") || strings.Contains(x.Name, "=") {
			s.lose("a=fmtp:"+strconv.Itoa(p.ID)+" "+item, "no parameter of a format")
			continue
		}
		items = append(items, item)
	}
	return strings.Join(items, ";")
}

func (s *mediaWriter) writeFeedback(id string, list []jingle.Feedback, trr string) {
	for _, f := range list {
		text := "rtcp-fb:" + id + " " + f.Type
		if f.Subtype != "" {
			text += " " + f.Subtype
		}
		if !isWord(f.Type) || f.Subtype != "" && !isWord(f.Subtype) {
			s.lose("a="+text, "no feedback")
			continue
		}
		s.attr(text + words(f.Parameters))
	}
	if trr != "" && isNumber(trr) {
		s.attr("rtcp-fb:" + id + " trr-int " + trr)
	}
}

// writeSources writes a=msid, a=ssrc and a=ssrc-group.  A section is one track: of sources that belong to several, libwebrtc
// refuses all, so those of the first are taken.
func (s *mediaWriter) writeSources() {
	msid := ""
	var kept []string
	var lines []string
	for _, src := range s.declared() {
		own := msidOf(src)
		switch {
		case !isNumber(src.SSRC) || slices.Contains(kept, src.SSRC):
			s.lose("a=ssrc:"+src.SSRC+src.RID, "no source with a number of its own")
			continue
		case msid == "":
			msid = own
		case own != "" && own != msid:
			s.lose("a=ssrc:"+src.SSRC+" msid:"+own, repairTrack)
			continue
		}
		kept = append(kept, src.SSRC)
		lines = append(lines, s.sourceLines(src)...)
	}
	if !s.senders.Sends(s.author) {
		msid = ""
	}
	s.writeMsid(msid)
	for _, g := range s.content.RTP.SourceGroups {
		text := "ssrc-group:" + g.Semantics + " " + strings.Join(g.SSRCs, " ")
		if len(g.SSRCs) == 0 || !isToken(g.Semantics) || slices.ContainsFunc(g.SSRCs, func(x string) bool { return !slices.Contains(kept, x) }) {
			s.lose("a="+text, "group of sources that are not there")
			continue
		}
		s.attr(text)
	}
	for _, l := range lines {
		s.attr(l)
	}
}

// declared returns the sources, with those that only a group names: stanza 12.22 answers so, and libwebrtc refuses a group of sources that
// it does not know.
func (s *mediaWriter) declared() []jingle.Source {
	list := slices.Clone(s.content.RTP.Sources)
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
			list = append(list, jingle.Source{SSRC: g.SSRCs[1], Parameters: list[primary].Parameters})
		}
	}
	return list
}

func msidOf(src jingle.Source) string {
	for _, p := range src.Parameters {
		if p.Name == "msid" {
			return strings.Join(strings.Fields(p.Value), " ")
		}
	}
	return ""
}

func (s *mediaWriter) sourceLines(src jingle.Source) []string {
	var lines []string
	for _, p := range src.Parameters {
		text := "ssrc:" + src.SSRC + " " + p.Name
		value := strings.TrimSpace(p.Value)
		if p.Name == "msid" {
			value = msidOf(src)
		}
		if value != "" {
			text += ":" + value
		}
		if !isToken(p.Name) || value == "" && p.HasValue {
			s.lose("a="+text, "no parameter of a source")
			continue
		}
		lines = append(lines, text)
	}
	return lines
}

// writeMsid writes the streams that the content names, else the msid on which its sources agree.
func (s *mediaWriter) writeMsid(common string) {
	var values []string
	for _, stream := range s.content.RTP.Streams {
		values = append(values, strings.TrimSpace(stream.ID+" "+stream.Track))
	}
	if len(values) == 0 && common != "" {
		values = []string{common}
	}
	for _, v := range values {
		f := strings.Fields(v)
		if len(f) == 0 || len(f) > 2 {
			s.lose("a=msid:"+v, "no stream and track")
			continue
		}
		s.attr("msid:" + strings.Join(f, " "))
	}
}
