package jingle

import "carillon/jingle/element"

func (d *decoder) sourceChild(r *RTP, c element.Node) {
	switch {
	case d.is(c, NSSources, "source"):
		if d.room("sources", len(r.Sources), maxSources) {
			r.Sources = append(r.Sources, d.source(c))
		}
	case d.is(c, NSSources, "ssrc-group"):
		if d.room("source groups", len(r.SourceGroups), maxSources) {
			r.SourceGroups = append(r.SourceGroups, d.sourceGroup(c))
		}
	case d.is(c, NSSources, "rid-group"):
		if d.room("source groups", len(r.SourceGroups), maxSources) {
			r.SourceGroups = append(r.SourceGroups, d.ridGroup(c))
		}
	case d.is(c, NSMsid, "stream"):
		if d.room("streams", len(r.Streams), maxSources) {
			r.Streams = append(r.Streams, Stream{ID: c.Attr("id"), Track: c.Attr("track")})
		}
	default:
		d.other(r, c)
	}
}

func (d *decoder) source(e element.Node) Source {
	s := Source{SSRC: e.Attr("ssrc"), Parameters: d.parameterList(e, NSSources)}
	if s.SSRC == "" {
		s.RID = e.Attr("rid")
	}
	if d.takes(SourceMsid) {
		s.Parameters = oneMsid(s.Parameters)
	}
	return s
}

func (d *decoder) sourceGroup(e element.Node) SourceGroup {
	g := SourceGroup{Semantics: e.Attr("semantics")}
	for c := e.First(); c.Exists(); c = c.Next() {
		if d.is(c, NSSources, "source") && d.room("sources of a group", len(g.SSRCs), maxSources) {
			if g.SSRCs == nil {
				g.SSRCs = make([]string, 0, min(e.Children(), maxSources))
			}
			g.SSRCs = append(g.SSRCs, c.Attr("ssrc"))
		}
	}
	return g
}

// ridGroup reads Jitsi's <rid-group/>.
func (d *decoder) ridGroup(e element.Node) SourceGroup {
	g := SourceGroup{Semantics: e.Attr("semantics")}
	for c := e.First(); c.Exists(); c = c.Next() {
		if d.is(c, NSSources, "source") && d.room("sources of a group", len(g.RIDs), maxSources) {
			g.RIDs = append(g.RIDs, c.Attr("rid"))
		}
	}
	return g
}
