package jingle

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle/element"
)

// rtp writes a <description/>.  SDES and ZRTP are written only where the content has no other encryption: clients that find both may take
// the one that browsers lack.
func (x *encoder) rtp(r *RTP, unencrypted bool) *element.Element {
	e := x.element(NSRTP, "description", "media", r.Media, "ssrc", r.SSRC)
	x.room(e, len(r.PayloadTypes)+len(r.Feedback)+len(r.HdrExts)+len(r.Bandwidths)+len(r.Sources)+len(r.SourceGroups)+len(r.Streams)+
		len(r.Categories)+len(r.Other)+5)
	everywhere, trr := r.Feedback, r.TRRInt
	if x.profile.CodecFeedback {
		everywhere, trr = nil, ""
	}
	for i := range r.PayloadTypes {
		e.Children = append(e.Children, x.payloadType(r, &r.PayloadTypes[i]))
	}
	x.feedback(e, everywhere, trr)
	for i := range r.HdrExts {
		e.Children = append(e.Children, x.hdrExt(&r.HdrExts[i]))
	}
	if r.AllowMixed {
		e.Children = append(e.Children, x.element(NSHdrExt, "extmap-allow-mixed"))
	}
	if r.Encryption != nil && unencrypted {
		e.Children = append(e.Children, x.encryption(r.Encryption))
	}
	for _, b := range r.Bandwidths {
		e.Children = append(e.Children, x.text(x.element(NSRTP, "bandwidth", "type", b.Type), b.Value))
	}
	x.sources(e, r)
	if r.RTCPMux {
		e.Children = append(e.Children, x.element(NSRTP, "rtcp-mux"))
	}
	if r.RTCPReducedSize {
		e.Children = append(e.Children, x.element(NSRTP, "rtcp-reduced-size"))
	}
	for _, name := range r.Categories {
		e.Children = append(e.Children, x.element(NSCategory, "category", "name", name))
	}
	return e.Append(r.Other...)
}

func (x *encoder) encryption(c *Encryption) *element.Element {
	required := ""
	if c.Required {
		required = "1"
	}
	e := x.element(NSRTP, "encryption", "required", required)
	x.room(e, len(c.Crypto)+len(c.ZRTP))
	for _, k := range c.Crypto {
		e.Children = append(e.Children, x.element(NSRTP, "crypto",
			"tag", k.Tag, "crypto-suite", k.Suite, "key-params", k.KeyParams, "session-params", k.SessionParams))
	}
	for _, h := range c.ZRTP {
		e.Children = append(e.Children, x.text(x.element(NSZRTP, "zrtp-hash", "version", h.Version), h.Value))
	}
	return e
}

func (x *encoder) sources(e *element.Element, r *RTP) {
	for i := range r.Sources {
		s := &r.Sources[i]
		if s.SSRC == "" && !x.profile.RIDs {
			continue
		}
		source := x.element(NSSources, "source", "ssrc", s.SSRC, "rid", s.RID)
		x.parameters(source, NSSources, s.Parameters)
		e.Children = append(e.Children, source)
	}
	for i := range r.SourceGroups {
		switch g := &r.SourceGroups[i]; {
		case len(g.RIDs) == 0:
			e.Children = append(e.Children, x.sourceGroup("ssrc-group", "ssrc", g.Semantics, g.SSRCs))
		case x.profile.RIDs:
			e.Children = append(e.Children, x.sourceGroup("rid-group", "rid", g.Semantics, g.RIDs))
		}
	}
	for _, s := range r.Streams {
		e.Children = append(e.Children, x.element(NSMsid, "stream", "id", s.ID, "track", s.Track))
	}
}

func (x *encoder) sourceGroup(local, attr, semantics string, names []string) *element.Element {
	e := x.element(NSSources, local, "semantics", semantics)
	x.room(e, len(names))
	for _, name := range names {
		e.Children = append(e.Children, x.element(NSSources, "source", attr, name))
	}
	return e
}

func (x *encoder) payloadType(r *RTP, p *PayloadType) *element.Element {
	e := x.element(NSRTP, "payload-type", "id", strconv.Itoa(p.ID), "name", p.Name,
		"clockrate", positive(p.ClockRate), "channels", positive(p.Channels),
		"ptime", positive(p.PTime), "maxptime", positive(p.MaxPTime))
	feedback, trr := p.Feedback, p.TRRInt
	if x.profile.CodecFeedback {
		feedback, trr = everyFeedback(r, p)
	}
	x.room(e, len(p.Parameters)+len(feedback)+1)
	for i := range p.Parameters {
		if !x.profile.StrictValues || isStrict(p.Parameters, i) {
			e.Append(x.formatParameter(&p.Parameters[i]))
		}
	}
	x.feedback(e, feedback, trr)
	return e
}

// everyFeedback returns what holds for a payload type: its own and that of the description.
func everyFeedback(r *RTP, p *PayloadType) ([]Feedback, string) {
	feedback, trr := slices.Clip(p.Feedback), p.TRRInt
	for _, f := range r.Feedback {
		if !slices.ContainsFunc(p.Feedback, func(o Feedback) bool { return o.Type == f.Type && o.Subtype == f.Subtype }) {
			feedback = append(feedback, f)
		}
	}
	if trr == "" {
		trr = r.TRRInt
	}
	return feedback, trr
}

// isStrict tells whether Conversations can read a parameter of an fmtp line: it takes a bare value only alone, and no white space.
func isStrict(list []Parameter, i int) bool {
	return (list[i].Name != "" || len(list) == 1) && !strings.ContainsAny(list[i].Name+list[i].Value, " \t\r\n")
}

// formatParameter writes a parameter of an fmtp line.  Conversations and the schema want both attributes, also of a bare value.
func (x *encoder) formatParameter(p *Parameter) *element.Element {
	if p.Name == "" && x.profile.NamelessForm == NamelessDropped {
		return nil
	}
	e := x.element(NSRTP, "parameter")
	if p.Name == "" && x.profile.NamelessForm == NamelessName {
		x.attr(e, "name", p.Value)
		return e
	}
	x.attr(e, "name", p.Name)
	x.attr(e, "value", p.Value)
	return e
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// oldFeedback is the types of rtcp-fb that Monal knows.
var oldFeedback = []string{"ack", "ccm", "nack", "goog-remb", "transport-cc"}

// feedback adds to a description or payload type.  There is room for it.
func (x *encoder) feedback(e *element.Element, list []Feedback, trr string) {
	for i := range list {
		if x.profile.ClosedFeedback && !slices.Contains(oldFeedback, list[i].Type) {
			continue
		}
		fb := x.element(NSFeedback, "rtcp-fb", "type", list[i].Type, "subtype", list[i].Subtype)
		x.parameters(fb, NSFeedback, list[i].Parameters)
		e.Children = append(e.Children, fb)
	}
	if trr != "" {
		e.Children = append(e.Children, x.element(NSFeedback, "rtcp-fb-trr-int", "value", trr))
	}
}

func (x *encoder) parameters(e *element.Element, space string, list []Parameter) {
	x.room(e, len(list))
	for i := range list {
		if x.profile.StrictValues && !list[i].HasValue && space == NSSources {
			continue
		}
		p := x.element(space, "parameter")
		x.attr(p, "name", list[i].Name)
		if list[i].HasValue {
			x.attr(p, "value", list[i].Value)
		}
		e.Children = append(e.Children, p)
	}
}

func (x *encoder) hdrExt(h *HdrExt) *element.Element {
	e := x.element(NSHdrExt, "rtp-hdrext", "id", strconv.Itoa(h.ID), "uri", h.URI)
	if s := x.profile.extSenders(h.Senders, x.by); s != "" && s != SendersBoth {
		x.attr(e, "senders", string(s))
	}
	x.parameters(e, NSHdrExt, h.Parameters)
	return e
}
