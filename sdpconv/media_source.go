package sdpconv

import (
	"slices"
	"strings"

	"carillon/jingle"
)

// onlyJitsi is the reason for what is kept in the description and, of all clients, only Jitsi's read.
const onlyJitsi = "no Jingle for simulcast, but in Jitsi's form"

// ssrc collects a=ssrc lines (RFC 5576 section 4.1, XEP-0339) by source.
func (r *reader) ssrc(a attr) error {
	id, rest, ok := cut(a.value(), ' ')
	if !ok || !isNumber(id) {
		return r.bad(a, "no source")
	}
	name, value, has := cut(rest, ':')
	if !has {
		r.lose(a.line, "a parameter of a source without a value, which Conversations refuses")
		return nil
	}
	i := slices.IndexFunc(r.rtp.Sources, func(s jingle.Source) bool { return s.SSRC == id })
	if i < 0 {
		if len(r.rtp.Sources) >= maxSources {
			r.lose(a.line, "too many sources")
			return nil
		}
		i = len(r.rtp.Sources)
		r.rtp.Sources = r.sources.add(r.rtp.Sources, jingle.Source{SSRC: id})
	}
	s := &r.rtp.Sources[i]
	value = trim(value)
	before := slices.IndexFunc(s.Parameters, func(p jingle.Parameter) bool { return p.Name == name })
	switch {
	case before >= 0 && s.Parameters[before].Value == value:
	case before >= 0:
		r.lose(a.line, "said twice")
	case len(s.Parameters) >= maxParameters || !isWord(name):
		r.lose(a.line, "no parameter of a source")
	default:
		s.Parameters = r.parameters.add(s.Parameters, jingle.Parameter{Name: name, Value: value, HasValue: true})
	}
	return nil
}

func (r *reader) ssrcGroup(a attr) error {
	f := strings.Fields(a.value())
	if len(f) < 2 || slices.ContainsFunc(f[1:], func(s string) bool { return !isNumber(s) }) {
		return r.bad(a, "no group of sources")
	}
	if len(r.rtp.SourceGroups) >= maxSources || len(f) > maxSources {
		r.lose(a.line, "too many sources")
		return nil
	}
	r.rtp.SourceGroups = append(r.rtp.SourceGroups, jingle.SourceGroup{Semantics: f[0], SSRCs: f[1:]})
	return nil
}

func (r *reader) readMsid(a attr) error {
	value := trim(a.value())
	id, rest := field(value)
	track, rest := field(rest)
	if id == "" || rest != "" {
		return r.bad(a, "no msid")
	}
	if len(r.msids) >= maxSources {
		r.lose(a.line, "too many streams")
		return nil
	}
	r.msids = r.streams.add(r.msids, jingle.Stream{ID: id, Track: track})
	if r.msid = value; track != "" && (len(value) != len(id)+1+len(track) || value[len(id)] != ' ') {
		r.msid = id + " " + track
	}
	return nil
}

// rid keeps the streams of a simulcast (RFC 8851) as Jitsi has them, by name alone.
func (r *reader) rid(a attr) error {
	id, rest := field(a.value())
	dir, _ := field(rest)
	if !isToken(id) || dir != "send" && dir != "recv" {
		r.lose(a.line, "no restriction of a stream") // to be ignored (RFC 8851 section 6)
		return nil
	}
	r.lose(a.line, onlyJitsi)
	if dir == "send" && len(r.rids) < maxSources && !slices.Contains(r.rids, id) {
		r.rids = append(r.rids, id)
	}
	return nil
}

// simulcast keeps the streams that are sent (RFC 8853) as Jitsi has them.
func (r *reader) simulcast(a attr) error {
	r.lose(a.line, onlyJitsi)
	f := strings.Fields(a.value())
	for ; len(f) >= 2; f = f[2:] {
		if f[0] != "send" {
			continue
		}
		list := strings.TrimPrefix(f[1], "rid=") // drafts of RFC 8853, Firefox before 63
		ids := strings.FieldsFunc(list, func(r rune) bool { return r == ';' || r == ',' || r == '~' })
		if len(ids) > 0 && len(ids) <= maxSources && len(r.rtp.SourceGroups) < maxSources {
			r.rtp.SourceGroups = append(r.rtp.SourceGroups, jingle.SourceGroup{Semantics: "SIM", RIDs: ids})
		}
	}
	return nil
}

// category reads a=content (RFC 4796, XEP-0507).
func (r *reader) category(a attr) error {
	for c := range strings.SplitSeq(a.value(), ",") {
		c = strings.TrimSpace(c)
		switch {
		case !isToken(c) || len(r.rtp.Categories) >= maxOptions:
			r.lose(a.line, "no category of content")
		case !slices.Contains(r.rtp.Categories, c):
			r.rtp.Categories = append(r.rtp.Categories, c)
		}
	}
	return nil
}

// finishSources puts a=msid where clients look for it: into each source or, where there is none, beside them.  A party that does not
// send has no source to announce, though Firefox writes some.
func (r *reader) finishSources() {
	if !r.content.Senders.Sends(r.author) {
		for i := r.section.begin; i < r.section.end; i++ {
			if a := r.doc.at(i); a.key() == "ssrc" || a.key() == "ssrc-group" {
				r.lose(a.line, "source of a party that does not send")
			}
		}
		r.rtp.Sources, r.rtp.SourceGroups, r.rids = nil, nil, nil
	}
	if len(r.rtp.Sources) == 0 || len(r.msids) > 1 {
		r.rtp.Streams = r.msids
	}
	if len(r.msids) == 1 {
		other := false
		for i := range r.rtp.Sources {
			s := &r.rtp.Sources[i]
			if !slices.ContainsFunc(s.Parameters, func(p jingle.Parameter) bool { return p.Name == "msid" }) {
				s.Parameters = r.parameters.add(s.Parameters, jingle.Parameter{Name: "msid", Value: r.msid, HasValue: true})
			} else if msidOf(s) != r.msid {
				other = true
			}
		}
		if other {
			a, _ := r.doc.attr(r.section, "msid")
			r.lose(a.line, "its sources say another")
		}
	}
	for _, id := range r.rids[:min(len(r.rids), maxSources-len(r.rtp.Sources))] {
		r.rtp.Sources = append(r.rtp.Sources, jingle.Source{RID: id})
	}
	r.rtp.SourceGroups = slices.DeleteFunc(r.rtp.SourceGroups, func(g jingle.SourceGroup) bool {
		return slices.ContainsFunc(g.RIDs, func(id string) bool { return !slices.Contains(r.rids, id) })
	})
}
