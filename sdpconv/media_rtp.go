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
func (r *reader) beginRTP() error {
	r.rtp.Media = r.section.media
	r.rtp.PayloadTypes = make([]jingle.PayloadType, 0, len(r.section.formats))
	for _, f := range r.section.formats {
		id, ok := number(f, 7)
		if !ok || r.at[id] != 0 {
			return r.fail("payload type " + strconv.Quote(f) + " is no number below 128, or stands twice")
		}
		r.rtp.PayloadTypes = append(r.rtp.PayloadTypes, jingle.PayloadType{ID: id})
		r.at[id] = uint8(len(r.rtp.PayloadTypes))
	}
	return nil
}

// perFormat cuts "111 rest" and finds the payload type.  It returns nil for one that is not in the m-line, which is a loss.
func (r *reader) perFormat(a attr) (*jingle.PayloadType, string) {
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
		r.lose(a.line, "no payload type")
		return nil, ""
	}
	if i == len(value) {
		return nil, "" // says nothing
	}
	if n > 127 || r.at[n] == 0 {
		r.lose(a.line, "the m-line has no such payload type")
		return nil, ""
	}
	return &r.rtp.PayloadTypes[r.at[n]-1], trim(value[i+1:])
}

func (r *reader) rtpmap(a attr) error {
	p, rest := r.perFormat(a)
	if p == nil {
		return nil
	}
	name, rest, ok := cut(rest, '/')
	clock, said, more := cut(rest, '/')
	if !ok || byteIn(said, '/') < len(said) || !isToken(name) {
		return r.bad(a, "no rtpmap")
	}
	rate, ok := number(clock, 30)
	if !ok || rate == 0 {
		return r.bad(a, "no clock rate")
	}
	if p.Name != "" {
		r.lose(a.line, "second rtpmap of a payload type")
		return nil
	}
	p.Name, p.ClockRate = name, rate
	if more {
		channels, ok := number(said, 8)
		if !ok {
			return r.bad(a, "no number of channels")
		}
		switch {
		case channels == 1: // the default
		case r.rtp.Media == "audio":
			p.Channels = channels
		default:
			r.lose(a.line, "only audio has channels")
		}
	}
	return nil
}

// fmtp splits the parameters at semicolons and at the first equals sign; values such as base64 have more of them.
func (r *reader) fmtp(a attr) error {
	p, rest := r.perFormat(a)
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
			r.lose(a.line, "too many parameters")
			return nil
		}
		name, value, pair := cut(item, '=')
		if !pair {
			name, value = "", item
		}
		x := jingle.Parameter{Name: trim(name), Value: trim(value), HasValue: true}
		strange = strange || x.Name == ""
		p.Parameters = r.parameters.add(p.Parameters, x)
	}
	if strange {
		r.strictParameters(p, a)
	}
	return nil
}

// strictParameters leaves out what Conversations ends the call over: blanks, and a value without a name beside others.
func (r *reader) strictParameters(p *jingle.PayloadType, a attr) {
	named := slices.ContainsFunc(p.Parameters, func(x jingle.Parameter) bool { return x.Name != "" })
	p.Parameters = slices.DeleteFunc(p.Parameters, func(x jingle.Parameter) bool {
		switch {
		case hasBlank(x.Name) || hasBlank(x.Value):
			r.lose(a.line, "a parameter with a blank")
		case x.Name == "" && named:
			r.lose(a.line, "a value without a name beside parameters with one")
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
func (r *reader) feedback(a attr) error {
	list, trr, rest := &r.rtp.Feedback, &r.rtp.TRRInt, strings.TrimPrefix(a.value(), "* ")
	if rest == a.value() {
		p, r := r.perFormat(a)
		if p == nil {
			return nil
		}
		list, trr, rest = &p.Feedback, &p.TRRInt, r
	}
	kind, rest := field(rest)
	subtype, rest := field(rest)
	switch {
	case kind == "":
		return r.bad(a, "no feedback")
	case kind == "trr-int":
		if !isNumber(subtype) || rest != "" {
			return r.bad(a, "trr-int without a number")
		}
		*trr = subtype
		return nil
	case len(*list) >= maxFeedback:
		r.lose(a.line, "too many feedback types")
		return nil
	}
	*list = r.feedbacks.add(*list, jingle.Feedback{Type: kind, Subtype: subtype, Parameters: r.words(a, rest)}, sameFeedback)
	return nil
}

func isDirectionWord(s string) bool {
	return s == "sendrecv" || s == "sendonly" || s == "recvonly" || s == "inactive"
}

// words reads what stands behind a feedback type or a header extension.
func (r *reader) words(a attr, rest string) (list []jingle.Parameter) {
	for rest != "" {
		if len(list) >= maxParameters {
			r.lose(a.line, "too many parameters")
			break
		}
		var word string
		word, rest = field(rest)
		list = append(list, pair(word))
	}
	return list
}

// muxOnly reads a=rtcp-mux-only (RFC 8858), of which Jingle has the half that says rtcp-mux.
func (r *reader) muxOnly(a attr) error {
	r.rtp.RTCPMux = true
	r.lose(a.line, "no Jingle for it, but for rtcp-mux")
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

func (r *reader) packetTime(field *int, a attr) error {
	n, ok := number(trim(a.value()), 16)
	if !ok || n == 0 || n > 10000 {
		r.lose(a.line, "no packet time in whole milliseconds")
		return nil
	}
	*field = n
	return nil
}

// extmap reads a=extmap (RFC 8285 section 8, XEP-0294).
func (r *reader) extmap(a attr) error {
	head, rest := field(a.value())
	uri, rest := field(rest)
	if uri == "" {
		return r.bad(a, "no extmap")
	}
	id, dir, _ := cut(head, '/')
	n, ok := number(id, 16)
	if !ok || n == 0 || n > 4351 {
		return r.bad(a, "no id of a header extension")
	}
	if len(r.rtp.HdrExts) >= maxHdrExts {
		r.lose(a.line, "too many header extensions")
		return nil
	}
	if dir != "" && !isDirectionWord(dir) {
		r.lose(a.line, "no direction "+strconv.Quote(dir))
	}
	x := jingle.HdrExt{ID: n, URI: uri, Senders: senders(dir, r.author), Parameters: r.words(a, rest)}
	r.rtp.HdrExts = r.extensions.add(r.rtp.HdrExts, x, sameExtension)
	return nil
}

// finishCodecs fills in what static payload types leave out and drops those that have no name.
func (r *reader) finishCodecs() {
	list := r.rtp.PayloadTypes
	kept := 0
	for i := range list {
		p := &list[i] // they are large to copy
		switch {
		case p.Name != "":
		case static[p.ID].Name == "":
			r.lose(r.section.head, "payload type "+strconv.Itoa(p.ID)+" without a=rtpmap")
			continue
		default:
			*p = completeCodec(*p, r.rtp.Media)
		}
		p.PTime, p.MaxPTime = r.ptime, r.maxptime
		if kept < i {
			list[kept] = *p
		}
		kept++
	}
	clear(list[kept:])
	r.rtp.PayloadTypes = list[:kept]
}
