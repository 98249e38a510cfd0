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
	maxGroups     = 16 // of the session
)

// beginRTP reads the m-line.
func (m *mediaReader) beginRTP() error {
	m.rtp.Media = m.section.media
	m.rtp.PayloadTypes = make([]jingle.PayloadType, 0, len(m.section.formats))
	for _, f := range m.section.formats {
		id, ok := number(f, 7)
		if !ok || m.at[id] != 0 {
			return m.fail("payload type " + strconv.Quote(f) + " is no number below 128, or stands twice")
		}
		m.rtp.PayloadTypes = append(m.rtp.PayloadTypes, jingle.PayloadType{ID: id})
		m.at[id] = uint8(len(m.rtp.PayloadTypes))
	}
	return nil
}

// perFormat cuts "111 rest" and finds the payload type.  It returns nil for one that is not in the m-line, which is a loss.
func (m *mediaReader) perFormat(a attr) (*jingle.PayloadType, string) {
	value := a.value()
	if len(value) > 0 && value[0] == ' ' {
		value = strings.TrimLeft(value, " ")
	}
	n, i := uint(0), 0
	for i < len(value) && n < 256 && value[i] >= '0' && value[i] <= '9' {
		n = 10*n + uint(value[i]-'0')
		i++
	}
	if i == 0 || n > 255 || i < len(value) && value[i] != ' ' {
		m.lose(a.line, "no payload type")
		return nil, ""
	}
	if i == len(value) {
		return nil, "" // says nothing
	}
	if n > 127 || m.at[n] == 0 {
		m.lose(a.line, "the m-line has no such payload type")
		return nil, ""
	}
	return &m.rtp.PayloadTypes[m.at[n]-1], trim(value[i:])
}

func (m *mediaReader) rtpmap(a attr) error {
	p, rest := m.perFormat(a)
	if p == nil {
		return nil
	}
	name, rest, ok := cut(rest, '/')
	clock, said, more := cut(rest, '/')
	if !ok || byteIn(said, '/') < len(said) || !isToken(name) {
		return m.bad(a, "no rtpmap")
	}
	rate, ok := number(clock, 30)
	if !ok || rate == 0 {
		return m.bad(a, "no clock rate")
	}
	if p.Name != "" {
		m.lose(a.line, "second rtpmap of a payload type")
		return nil
	}
	p.Name, p.ClockRate = name, rate
	if more {
		channels, ok := number(said, 8)
		if !ok {
			return m.bad(a, "no number of channels")
		}
		switch {
		case channels == 1: // the default
		case m.rtp.Media == "audio":
			p.Channels = channels
		default:
			m.lose(a.line, "only audio has channels")
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
	strange := len(p.Parameters) > 0 || hasBlank(rest) // or a value without a name
	for rest != "" {
		var item string
		item, rest, _ = cut(rest, ';')
		item = trim(item)
		if item == "" {
			continue
		}
		if len(p.Parameters) >= maxParameters {
			m.lose(a.line, "too many parameters")
			return nil
		}
		name, value, pair := cut(item, '=')
		if !pair {
			name, value = "", item
		}
		x := jingle.Parameter{Name: trim(name), Value: trim(value), HasValue: true}
		strange = strange || x.Name == ""
		p.Parameters = m.parameters.add(p.Parameters, x)
	}
	if strange {
		m.strictParameters(p, a)
	}
	return nil
}

// strictParameters leaves out what Conversations ends the call over: blanks, and a value without a name beside others.
func (m *mediaReader) strictParameters(p *jingle.PayloadType, a attr) {
	named := slices.ContainsFunc(p.Parameters, func(x jingle.Parameter) bool { return x.Name != "" })
	p.Parameters = slices.DeleteFunc(p.Parameters, func(x jingle.Parameter) bool {
		switch {
		case hasBlank(x.Name) || hasBlank(x.Value):
			m.lose(a.line, "a parameter with a blank")
		case x.Name == "" && named:
			m.lose(a.line, "a value without a name beside parameters with one")
		default:
			return false
		}
		return true
	})
}

func hasBlank(s string) bool {
	return strings.IndexByte(s, ' ') >= 0 || strings.IndexByte(s, '\t') >= 0
}

// feedback reads a=rtcp-fb (RFC 4585 section 4.2, XEP-0293).
func (m *mediaReader) feedback(a attr) error {
	list, trr, rest := &m.rtp.Feedback, &m.rtp.TRRInt, strings.TrimPrefix(a.value(), "* ")
	if rest == a.value() {
		p, r := m.perFormat(a)
		if p == nil {
			return nil
		}
		list, trr, rest = &p.Feedback, &p.TRRInt, r
	}
	kind, rest := field(rest)
	subtype, rest := field(rest)
	switch {
	case kind == "":
		return m.bad(a, "no feedback")
	case kind == "trr-int":
		if !isNumber(subtype) || rest != "" {
			return m.bad(a, "trr-int without a number")
		}
		*trr = subtype
		return nil
	case len(*list) >= maxFeedback:
		m.lose(a.line, "too many feedback types")
		return nil
	}
	*list = m.feedbacks.add(*list, jingle.Feedback{Type: kind, Subtype: subtype, Parameters: m.words(a, rest)}, sameFeedback)
	return nil
}

func isDirectionWord(s string) bool {
	return s == "sendrecv" || s == "sendonly" || s == "recvonly" || s == "inactive"
}

// words reads what stands behind a feedback type or a header extension.
func (m *mediaReader) words(a attr, rest string) (list []jingle.Parameter) {
	for rest != "" {
		if len(list) >= maxParameters {
			m.lose(a.line, "too many parameters")
			break
		}
		var word string
		word, rest = field(rest)
		list = append(list, pair(word))
	}
	return list
}

// muxOnly reads a=rtcp-mux-only (RFC 8858), of which Jingle has the half that says rtcp-mux.
func (m *mediaReader) muxOnly(a attr) error {
	m.rtp.RTCPMux = true
	m.lose(a.line, "no Jingle for it, but for rtcp-mux")
	return nil
}

// pair reads "name=value" or "name".
func pair(s string) jingle.Parameter {
	name, value, has := cut(s, '=')
	if name == "" {
		return jingle.Parameter{Name: s}
	}
	return jingle.Parameter{Name: name, Value: value, HasValue: has}
}

func (m *mediaReader) packetTime(field *int, a attr) error {
	n, ok := number(trim(a.value()), 16)
	if !ok || n == 0 || n > 10000 {
		m.lose(a.line, "no packet time in whole milliseconds")
		return nil
	}
	*field = n
	return nil
}

// extmap reads a=extmap (RFC 8285 section 8, XEP-0294).
func (m *mediaReader) extmap(a attr) error {
	head, rest := field(a.value())
	uri, rest := field(rest)
	if uri == "" {
		return m.bad(a, "no extmap")
	}
	id, dir, _ := cut(head, '/')
	n, ok := number(id, 16)
	if !ok || n == 0 || n > 4351 {
		return m.bad(a, "no id of a header extension")
	}
	if len(m.rtp.HdrExts) >= maxHdrExts {
		m.lose(a.line, "too many header extensions")
		return nil
	}
	if dir != "" && !isDirectionWord(dir) {
		m.lose(a.line, "no direction "+strconv.Quote(dir))
	}
	x := jingle.HdrExt{ID: n, URI: uri, Senders: senders(dir, m.author), Parameters: m.words(a, rest)}
	m.rtp.HdrExts = m.extensions.add(m.rtp.HdrExts, x, sameExtension)
	return nil
}

// finishCodecs fills in what static payload types leave out and drops those that have no name.
func (m *mediaReader) finishCodecs() {
	list := m.rtp.PayloadTypes
	kept := 0
	for i := range list {
		p := &list[i] // they are large to copy
		switch {
		case p.Name != "":
		case static[p.ID].Name == "":
			m.lose(m.section.head, "payload type "+strconv.Itoa(p.ID)+" without a=rtpmap")
			continue
		default:
			*p = completeCodec(*p, m.rtp.Media)
		}
		p.PTime, p.MaxPTime = m.ptime, m.maxptime
		if kept < i {
			list[kept] = *p
		}
		kept++
	}
	clear(list[kept:])
	m.rtp.PayloadTypes = list[:kept]
}
