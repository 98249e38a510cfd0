package sdpconv

import (
	"slices"
	"strings"

	"carillon/jingle"
)

// onlyJitsi is the reason for what is kept in the description and, of all clients, only Jitsi's read.
const onlyJitsi = "no Jingle for simulcast, but in Jitsi's form"

// ssrc collects a=ssrc lines (RFC 5576 section 4.1, XEP-0339) by source.
func (m *mediaReader) ssrc(a attr) error {
	id, rest, ok := cut(a.value(), ' ')
	if !ok || !isNumber(id) {
		return m.bad(a, "no source")
	}
	name, value, has := cut(rest, ':')
	if !has {
		m.lose(a.line, "a parameter of a source without a value, which Conversations refuses")
		return nil
	}
	i := slices.IndexFunc(m.rtp.Sources, func(s jingle.Source) bool { return s.SSRC == id })
	if i < 0 {
		if len(m.rtp.Sources) >= maxSources {
			m.lose(a.line, "too many sources")
			return nil
		}
		i = len(m.rtp.Sources)
		m.rtp.Sources = m.sources.add(m.rtp.Sources, jingle.Source{SSRC: id})
	}
	s := &m.rtp.Sources[i]
	value = trim(value)
	before := slices.IndexFunc(s.Parameters, func(p jingle.Parameter) bool { return p.Name == name })
	switch {
	case before >= 0 && s.Parameters[before].Value == value:
	case before >= 0:
		m.lose(a.line, "said twice")
	case len(s.Parameters) >= maxParameters || !isWord(name):
		m.lose(a.line, "no parameter of a source")
	default:
		s.Parameters = m.parameters.add(s.Parameters, jingle.Parameter{Name: name, Value: value, HasValue: true})
	}
	return nil
}

func (m *mediaReader) ssrcGroup(a attr) error {
	f := strings.Fields(a.value())
	if len(f) < 2 || slices.ContainsFunc(f[1:], func(s string) bool { return !isNumber(s) }) {
		return m.bad(a, "no group of sources")
	}
	if len(m.rtp.SourceGroups) >= maxSources || len(f) > maxSources {
		m.lose(a.line, "too many sources")
		return nil
	}
	m.rtp.SourceGroups = append(m.rtp.SourceGroups, jingle.SourceGroup{Semantics: f[0], SSRCs: f[1:]})
	return nil
}

func (m *mediaReader) readMsid(a attr) error {
	value := trim(a.value())
	id, rest := field(value)
	track, rest := field(rest)
	if id == "" || rest != "" {
		return m.bad(a, "no msid")
	}
	if len(m.msids) >= maxSources {
		m.lose(a.line, "too many streams")
		return nil
	}
	m.msids = m.streams.add(m.msids, jingle.Stream{ID: id, Track: track})
	if m.msid = value; track != "" && (len(value) != len(id)+1+len(track) || value[len(id)] != ' ') {
		m.msid = id + " " + track
	}
	return nil
}

// rid keeps the streams of a simulcast (RFC 8851) as Jitsi has them, by name alone.
func (m *mediaReader) rid(a attr) error {
	id, rest := field(a.value())
	dir, _ := field(rest)
	if !isToken(id) || dir != "send" && dir != "recv" {
		m.lose(a.line, "no restriction of a stream") // to be ignored (RFC 8851 section 6)
		return nil
	}
	m.lose(a.line, onlyJitsi)
	if dir == "send" && len(m.rids) < maxSources && !slices.Contains(m.rids, id) {
		m.rids = append(m.rids, id)
	}
	return nil
}

// simulcast keeps the streams that are sent (RFC 8853) as Jitsi has them.
func (m *mediaReader) simulcast(a attr) error {
	m.lose(a.line, onlyJitsi)
	f := strings.Fields(a.value())
	for ; len(f) >= 2; f = f[2:] {
		if f[0] != "send" {
			continue
		}
		list := strings.TrimPrefix(f[1], "rid=") // drafts of RFC 8853, Firefox before 63
		ids := strings.FieldsFunc(list, func(r rune) bool { return r == ';' || r == ',' || r == '~' })
		if len(ids) > 0 && len(ids) <= maxSources && len(m.rtp.SourceGroups) < maxSources {
			m.rtp.SourceGroups = append(m.rtp.SourceGroups, jingle.SourceGroup{Semantics: "SIM", RIDs: ids})
		}
	}
	return nil
}

// category reads a=content (RFC 4796, XEP-0507).
func (m *mediaReader) category(a attr) error {
	for c := range strings.SplitSeq(a.value(), ",") {
		c = strings.TrimSpace(c)
		switch {
		case !isToken(c) || len(m.rtp.Categories) >= maxOptions:
			m.lose(a.line, "no category of content")
		case !slices.Contains(m.rtp.Categories, c):
			m.rtp.Categories = append(m.rtp.Categories, c)
		}
	}
	return nil
}

// finishSources puts a=msid where clients look for it: into each source or, where there is none, beside them.  A party that does not
// send has no source to announce, though Firefox writes some.
func (m *mediaReader) finishSources() {
	if !m.content.Senders.Sends(m.author) {
		for i := range m.section.attrs {
			if a := m.section.at(i); a.key() == "ssrc" || a.key() == "ssrc-group" {
				m.lose(a.line, "source of a party that does not send")
			}
		}
		m.rtp.Sources, m.rtp.SourceGroups, m.rids = nil, nil, nil
	}
	if len(m.rtp.Sources) == 0 || len(m.msids) > 1 {
		m.rtp.Streams = m.msids
	}
	if len(m.msids) == 1 {
		other := false
		for i := range m.rtp.Sources {
			s := &m.rtp.Sources[i]
			if !slices.ContainsFunc(s.Parameters, func(p jingle.Parameter) bool { return p.Name == "msid" }) {
				s.Parameters = m.parameters.add(s.Parameters, jingle.Parameter{Name: "msid", Value: m.msid, HasValue: true})
			} else if msidOf(s) != m.msid {
				other = true
			}
		}
		if a, ok := m.section.attr("msid"); other && ok {
			m.lose(a.line, "its sources say another")
		}
	}
	for _, id := range m.rids[:min(len(m.rids), maxSources-len(m.rtp.Sources))] {
		m.rtp.Sources = append(m.rtp.Sources, jingle.Source{RID: id})
	}
	m.rtp.SourceGroups = slices.DeleteFunc(m.rtp.SourceGroups, func(g jingle.SourceGroup) bool {
		return slices.ContainsFunc(g.RIDs, func(id string) bool { return !slices.Contains(m.rids, id) })
	})
}
