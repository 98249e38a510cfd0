package sdpconv

import (
	"slices"
	"strconv"

	"carillon/jingle"
)

func (s *mediaWriter) writeRTP() {
	rtp := s.content.RTP
	if !rtp.RTCPMux && !s.plain {
		s.lose("a=rtcp-mux", repairMux)
	}
	if rtp.RTCPMux || !s.plain {
		s.attr("rtcp-mux")
	}
	if rtp.RTCPReducedSize {
		s.attr("rtcp-rsize")
	}
	switch offered := s.offered(); {
	case !rtp.AllowMixed:
	case offered != nil && !offered.AllowMixed:
		s.lose("a=extmap-allow-mixed", "not in the offer")
	default:
		s.attr("extmap-allow-mixed")
	}
	for i := range s.exts {
		s.writeExtmap(&s.exts[i])
		s.addWords(s.exts[i].Parameters)
		s.end()
	}
	s.writePacketTime(rtp.PayloadTypes)
	s.writeCategories(rtp.Categories)
}

// bundledBefore returns the sections of an offer that stand before this one and share its transport.  An answer has the offer's numbers.
func (s *mediaWriter) bundledBefore() (list []*mediaWriter) {
	bundle := s.bundle(s.content.Name)
	for _, o := range s.sections {
		switch {
		case o == s || s.plain || s.typ == Answer || len(bundle) < 2:
			return list
		case o != nil && o.content.RTP != nil && slices.Contains(bundle, o.content.Name):
			list = append(list, o)
		}
	}
	return list
}

// chooseExtensions settles the header extensions, to which an answer is held too.
func (s *mediaWriter) chooseExtensions() {
	list, bundled := s.content.RTP.HdrExts, s.bundledBefore()
	s.exts = list
	for i := range list {
		if reason := s.refusedExtension(&list[i], list[:i], bundled); reason != "" {
			s.exts = s.someExtensions(list, i, bundled)
			return
		}
	}
}

// someExtensions returns those that a browser takes, of which the first so many are known to be.
func (s *mediaWriter) someExtensions(list []jingle.HdrExt, known int, bundled []*mediaWriter) []jingle.HdrExt {
	kept := slices.Clone(list[:known])
	for i := known; i < len(list); i++ {
		x := &list[i]
		reason := s.refusedExtension(x, kept, bundled)
		if reason == "" {
			kept = append(kept, *x)
			continue
		}
		begun := len(s.out)
		s.writeExtmap(x)
		s.lose(string(s.out[begun:]), reason)
		s.out = s.out[:begun]
	}
	return kept
}

const encrypted = "urn:ietf:params:rtp-hdrext:encrypt" // RFC 6904 section 4

// refusedExtension tells why a section cannot have a header extension, given those before it and the sections that share its transport.
func (s *mediaWriter) refusedExtension(x *jingle.HdrExt, before []jingle.HdrExt, bundled []*mediaWriter) string {
	offered := s.offered()
	switch {
	case !isWord(x.URI) || x.ID < 1 || x.ID > 4351:
		return "no URI and number"
	case offered != nil && !wasOffered(x, offered.HdrExts):
		return "not in the offer"
	case s.plain:
		return ""
	case x.ID > 255: // no packet has them (RFC 8285 section 5)
		return "number that no header extension has"
	case x.URI == encrypted && (len(x.Parameters) == 0 || x.Parameters[0].Name == "" || x.Parameters[0].Name == encrypted):
		return "encrypts no header extension"
	}
	for i := range before {
		switch o := &before[i]; {
		case o.ID == x.ID:
			return "number is taken"
		case o.URI == x.URI && x.URI != encrypted: // Firefox 153 cannot answer that
			return "has a number"
		}
	}
	if s.typ == Offer && collides(x, s.line.HdrExts) {
		return "number is in use for another" // and browsers do not take that back
	}
	for _, o := range bundled {
		if collides(x, o.exts) {
			return "number is taken in the bundle"
		}
	}
	return ""
}

func wasOffered(x *jingle.HdrExt, offered []jingle.HdrExt) bool {
	for i := range offered {
		if o := &offered[i]; o.URI == x.URI && (o.ID == x.ID || o.ID >= 4096) {
			return true
		}
	}
	return false
}

// collides tells whether a section has the number for another extension: Chromium 156 refuses a bundle with that, though neither it nor
// Firefox 153 minds a payload type that is another codec in another section.
func collides(x *jingle.HdrExt, list []jingle.HdrExt) bool {
	for i := range list {
		if list[i].ID == x.ID && list[i].URI != x.URI {
			return true
		}
	}
	return false
}

// writeExtmap writes the line of a header extension up to its parameters.
func (s *mediaWriter) writeExtmap(x *jingle.HdrExt) {
	b := strconv.AppendInt(append(s.out, "a=extmap:"...), int64(x.ID), 10)
	if dir := direction(x.Senders, s.author); dir != "sendrecv" {
		b = append(append(b, '/'), dir...)
	}
	s.out = append(append(b, ' '), x.URI...)
}

// addWords writes parameters as " name=value name".
func (s *mediaWriter) addWords(list []jingle.Parameter) {
	for i := range list {
		p := &list[i]
		if !isWord(p.Name) && p.Name != "" || !isWord(p.Value) && p.Value != "" || p.Name == "" && (!p.HasValue || p.Value == "") {
			s.lose(string(s.out[s.begun:])+" "+p.Name+"="+p.Value, "no word for the last parameter")
			continue
		}
		s.add(" ", p.Name)
		if p.HasValue {
			s.add("=", p.Value)
		}
	}
}

// writePacketTime writes the one value that a section can have: that of the first payload type that says one.
func (s *mediaWriter) writePacketTime(list []jingle.PayloadType) {
	ptime, maxptime := 0, 0
	one := func(name string, value *int, said int) {
		switch {
		case *value == 0:
			*value = said
		case said != 0 && said != *value:
			s.lose("a="+name+":"+strconv.Itoa(said), "another payload type says another, and a section has one")
		}
	}
	for i := range list {
		one("ptime", &ptime, list[i].PTime)
		one("maxptime", &maxptime, list[i].MaxPTime)
	}
	if ptime > 0 {
		s.attr("ptime:", strconv.Itoa(ptime))
	}
	if maxptime > 0 {
		s.attr("maxptime:", strconv.Itoa(maxptime))
	}
}

func (s *mediaWriter) writeCategories(list []string) {
	separator := "a=content:"
	for _, c := range list {
		if !isToken(c) {
			s.lose("a=content:"+c, "no token")
			continue
		}
		s.add(separator, c)
		separator = ","
	}
	if separator == "," {
		s.end()
	}
}

// anyFormat stands for all payload types.
const anyFormat = -1

func appendFormat(b []byte, id int) []byte {
	if id == anyFormat {
		return append(b, '*')
	}
	return strconv.AppendInt(b, int64(id), 10)
}

func (s *mediaWriter) writeCodecs() {
	s.writeFeedback(anyFormat, s.content.RTP.Feedback, s.content.RTP.TRRInt)
	for i := range s.codecs {
		p := &s.codecs[i]
		b := append(s.out, "a=rtpmap:"...)
		b = append(appendFormat(b, p.ID), ' ')
		b = append(append(b, p.Name...), '/')
		b = strconv.AppendInt(b, int64(p.ClockRate), 10)
		if p.Channels > 1 {
			b = strconv.AppendInt(append(b, '/'), int64(p.Channels), 10)
		}
		s.out = b
		s.end()
		s.writeFeedback(p.ID, p.Feedback, p.TRRInt)
		s.writeFmtp(p.ID, p.Parameters)
	}
}

// writeFmtp joins the parameters; browsers refuse a line with none.
func (s *mediaWriter) writeFmtp(id int, list []jingle.Parameter) {
	if len(list) == 0 {
		return
	}
	b := append(appendFormat(append(s.out, "a=fmtp:"...), id), ' ')
	begun := len(b)
	for i := range list {
		x := &list[i]
		ok := consistsOf(x.Value, inFormatValue) && (x.Name != "" && consistsOf(x.Name, inFormatName) || x.Name == "" && x.Value != "")
		if !ok {
			s.lose("a=fmtp:"+strconv.Itoa(id)+" "+x.Name+"="+x.Value, "no parameter of a format")
			continue
		}
		if len(b) > begun {
			b = append(b, ';')
		}
		if x.Name != "" {
			b = append(append(b, x.Name...), '=')
		}
		b = append(b, x.Value...)
	}
	if len(b) == begun {
		return
	}
	s.out = b
	s.end()
}

func (s *mediaWriter) writeFeedback(id int, list []jingle.Feedback, trr string) {
	for i := range list {
		f := &list[i]
		b := append(appendFormat(append(s.out, "a=rtcp-fb:"...), id), ' ')
		b = append(b, f.Type...)
		if f.Subtype != "" {
			b = append(append(b, ' '), f.Subtype...)
		}
		s.out = b
		if !isWord(f.Type) || f.Subtype != "" && !isWord(f.Subtype) {
			s.back("no feedback")
			continue
		}
		s.addWords(f.Parameters)
		s.end()
	}
	if trr == "" {
		return
	}
	s.out = append(append(appendFormat(append(s.out, "a=rtcp-fb:"...), id), " trr-int "...), trr...)
	if !isNumber(trr) {
		s.back("no feedback")
		return
	}
	s.end()
}
