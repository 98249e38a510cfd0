package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// Bounds of a section, those that reading Jingle has.
const (
	maxParameters = 64
	maxFeedback   = 64
	maxHdrExts    = 64
	maxSources    = 128
)

func (m *mediaReader) payloadType(id int) *jingle.PayloadType {
	for i := range m.rtp.PayloadTypes {
		if m.rtp.PayloadTypes[i].ID == id {
			return &m.rtp.PayloadTypes[i]
		}
	}
	return nil
}

// perFormat cuts "111 rest" and finds the payload type.  It returns nil for one that is not in the m-line, which is a loss.
func (m *mediaReader) perFormat(a attr) (*jingle.PayloadType, string) {
	id, rest, ok := strings.Cut(a.value, " ")
	n, err := strconv.Atoi(id)
	if !ok || err != nil {
		m.lose(a.line, "no payload type")
		return nil, ""
	}
	p := m.payloadType(n)
	if p == nil {
		m.lose(a.line, "the m-line has no such payload type")
	}
	return p, strings.TrimSpace(rest)
}

func (m *mediaReader) rtpmap(a attr) error {
	p, rest := m.perFormat(a)
	if p == nil {
		return nil
	}
	f := strings.Split(rest, "/")
	if len(f) < 2 || len(f) > 3 || !isToken(f[0]) {
		return m.bad(a, "no rtpmap")
	}
	rate, err := strconv.ParseUint(f[1], 10, 30)
	if err != nil || rate == 0 {
		return m.bad(a, "no clock rate")
	}
	if m.mapped[p.ID] {
		m.lose(a.line, "second rtpmap of a payload type")
		return nil
	}
	m.mapped[p.ID] = true
	p.Name, p.ClockRate = f[0], int(rate)
	if len(f) == 3 {
		channels, err := strconv.ParseUint(f[2], 10, 8)
		if err != nil {
			return m.bad(a, "no number of channels")
		}
		if channels != 1 { // the default; a video codec has none
			p.Channels = int(channels)
		}
	}
	return nil
}

// fmtp splits the parameters at semicolons and at the first equals sign; values such as base64 have more of them.
func (m *mediaReader) fmtp(a attr) error {
	p, rest := m.perFormat(a)
	if p == nil {
		return nil
	}
	for item := range strings.SplitSeq(rest, ";") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		if len(p.Parameters) >= maxParameters {
			m.lose(a.line, "too many parameters")
			return nil
		}
		name, value, pair := strings.Cut(item, "=")
		if !pair {
			name, value = "", item
		}
		p.Parameters = append(p.Parameters, jingle.Parameter{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value), HasValue: true})
	}
	m.strictParameters(p, a)
	return nil
}

// strictParameters leaves out what Conversations ends the call over: blanks, and a value without a name beside others.
func (m *mediaReader) strictParameters(p *jingle.PayloadType, a attr) {
	named := slices.ContainsFunc(p.Parameters, func(x jingle.Parameter) bool { return x.Name != "" })
	p.Parameters = slices.DeleteFunc(p.Parameters, func(x jingle.Parameter) bool {
		switch {
		case strings.ContainsAny(x.Name+x.Value, " \t"):
			m.lose(a.line, "a parameter with a blank")
		case x.Name == "" && named:
			m.lose(a.line, "a value without a name beside parameters with one")
		default:
			return false
		}
		return true
	})
}

// feedback reads a=rtcp-fb (RFC 4585 section 4.2, XEP-0293).
func (m *mediaReader) feedback(a attr) error {
	list, trr, rest := &m.rtp.Feedback, &m.rtp.TRRInt, strings.TrimPrefix(a.value, "* ")
	if rest == a.value {
		p, r := m.perFormat(a)
		if p == nil {
			return nil
		}
		list, trr, rest = &p.Feedback, &p.TRRInt, r
	}
	f := strings.Fields(rest)
	switch {
	case len(f) == 0:
		return m.bad(a, "no feedback")
	case f[0] == "trr-int":
		if len(f) != 2 || !isNumber(f[1]) {
			return m.bad(a, "trr-int without a number")
		}
		*trr = f[1]
		return nil
	case len(*list) >= maxFeedback:
		m.lose(a.line, "too many feedback types")
		return nil
	}
	fb := jingle.Feedback{Type: f[0]}
	if len(f) > 1 {
		fb.Subtype = f[1]
	}
	for i := 2; i < len(f) && i < maxParameters; i++ {
		fb.Parameters = append(fb.Parameters, pair(f[i]))
	}
	*list = append(*list, fb)
	return nil
}

// pair reads "name=value" or "name".
func pair(s string) jingle.Parameter {
	name, value, has := strings.Cut(s, "=")
	if name == "" {
		return jingle.Parameter{Name: s}
	}
	return jingle.Parameter{Name: name, Value: value, HasValue: has}
}

func (m *mediaReader) packetTime(field *int, a attr) error {
	n, err := strconv.ParseUint(strings.TrimSpace(a.value), 10, 16)
	if err != nil || n == 0 || n > 10000 {
		m.lose(a.line, "no packet time in whole milliseconds")
		return nil
	}
	*field = int(n)
	return nil
}

// extmap reads a=extmap (RFC 8285 section 8, XEP-0294).
func (m *mediaReader) extmap(a attr) error {
	f := strings.Fields(a.value)
	if len(f) < 2 {
		return m.bad(a, "no extmap")
	}
	id, dir, _ := strings.Cut(f[0], "/")
	n, err := strconv.ParseUint(id, 10, 16)
	if err != nil || n == 0 || n > 4351 {
		return m.bad(a, "no id of a header extension")
	}
	if len(m.rtp.HdrExts) >= maxHdrExts {
		m.lose(a.line, "too many header extensions")
		return nil
	}
	x := jingle.HdrExt{ID: int(n), URI: f[1], Senders: senders(dir, m.author)}
	for i := 2; i < len(f) && i < maxParameters; i++ {
		x.Parameters = append(x.Parameters, pair(f[i]))
	}
	m.rtp.HdrExts = append(m.rtp.HdrExts, x)
	return nil
}

// ssrc collects a=ssrc lines (RFC 5576 section 4.1, XEP-0339) by source.
func (m *mediaReader) ssrc(a attr) error {
	id, rest, ok := strings.Cut(a.value, " ")
	if !ok || !isNumber(id) {
		return m.bad(a, "no source")
	}
	m.sources = append(m.sources, a.line)
	name, value, has := strings.Cut(rest, ":")
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
		m.rtp.Sources = append(m.rtp.Sources, jingle.Source{SSRC: id})
	}
	s := &m.rtp.Sources[i]
	switch {
	case slices.ContainsFunc(s.Parameters, func(p jingle.Parameter) bool { return p.Name == name }):
		m.lose(a.line, "said twice")
	case len(s.Parameters) >= maxParameters || !isWord(name):
		m.lose(a.line, "no parameter of a source")
	default:
		s.Parameters = append(s.Parameters, jingle.Parameter{Name: name, Value: strings.TrimSpace(value), HasValue: true})
	}
	return nil
}

func (m *mediaReader) ssrcGroup(a attr) error {
	f := strings.Fields(a.value)
	if len(f) < 2 || slices.ContainsFunc(f[1:], func(s string) bool { return !isNumber(s) }) {
		return m.bad(a, "no group of sources")
	}
	m.sources = append(m.sources, a.line)
	if len(m.rtp.SourceGroups) >= maxSources || len(f) > maxSources {
		m.lose(a.line, "too many sources")
		return nil
	}
	m.rtp.SourceGroups = append(m.rtp.SourceGroups, jingle.SourceGroup{Semantics: f[0], SSRCs: f[1:]})
	return nil
}

func (m *mediaReader) msid(a attr) error {
	f := strings.Fields(a.value)
	if len(f) == 0 || len(f) > 2 {
		return m.bad(a, "no msid")
	}
	if len(m.msids) >= maxSources {
		m.lose(a.line, "too many streams")
		return nil
	}
	f = append(f, "")
	m.msids = append(m.msids, jingle.Stream{ID: f[0], Track: f[1]})
	return nil
}

// finishCodecs fills in what static payload types leave out and drops those that have no name.
func (m *mediaReader) finishCodecs() {
	m.rtp.PayloadTypes = slices.DeleteFunc(m.rtp.PayloadTypes, func(p jingle.PayloadType) bool {
		_, assigned := static[p.ID]
		if p.Name == "" && !assigned {
			m.lose(m.section.head, "payload type "+strconv.Itoa(p.ID)+" without a=rtpmap")
			return true
		}
		return false
	})
	for i := range m.rtp.PayloadTypes {
		p := &m.rtp.PayloadTypes[i]
		if p.Name == "" {
			*p = completeCodec(*p, m.rtp.Media)
		}
		p.PTime, p.MaxPTime = m.ptime, m.maxptime
	}
}

// finishSources puts a=msid where clients look for it: into each source or, where there is none, beside them.  A party that does not
// send has no source to announce, though Firefox writes some.
func (m *mediaReader) finishSources() {
	if !m.content.Senders.Sends(m.author) {
		for _, l := range m.sources {
			m.lose(l, "source of a party that does not send")
		}
		m.rtp.Sources, m.rtp.SourceGroups = nil, nil
	}
	if len(m.rtp.Sources) == 0 || len(m.msids) > 1 {
		m.rtp.Streams = m.msids
	}
	if len(m.msids) != 1 {
		return
	}
	value := strings.TrimSpace(m.msids[0].ID + " " + m.msids[0].Track)
	for i := range m.rtp.Sources {
		s := &m.rtp.Sources[i]
		if !slices.ContainsFunc(s.Parameters, func(p jingle.Parameter) bool { return p.Name == "msid" }) {
			s.Parameters = append(s.Parameters, jingle.Parameter{Name: "msid", Value: value, HasValue: true})
		}
	}
}
