package jingle

import (
	"slices"
	"strings"
)

// rtp writes a <description/>.  SDES and ZRTP are written only where the content has no other encryption: clients that find both may take
// the one that browsers lack.
func (x *encoder) rtp(r *RTP, unencrypted bool) {
	x.begin(NSRTP, "description")
	x.optional("media", r.Media)
	x.optional("ssrc", r.SSRC)
	for i := range r.PayloadTypes {
		x.payloadType(r, &r.PayloadTypes[i])
	}
	if !x.profile.CodecFeedback {
		x.feedback(r.Feedback, r.TRRInt)
	}
	for i := range r.HdrExts {
		x.hdrExt(&r.HdrExts[i])
	}
	if r.AllowMixed {
		x.empty(NSHdrExt, "extmap-allow-mixed")
	}
	if r.Encryption != nil && unencrypted {
		x.encryption(r.Encryption)
	}
	for _, b := range r.Bandwidths {
		x.begin(NSRTP, "bandwidth")
		x.optional("type", b.Type)
		x.text(b.Value)
		x.end()
	}
	x.sources(r)
	if r.RTCPMux {
		x.empty(NSRTP, "rtcp-mux")
	}
	if r.RTCPReducedSize {
		x.empty(NSRTP, "rtcp-reduced-size")
	}
	for _, name := range r.Categories {
		x.begin(NSCategory, "category")
		x.optional("name", name)
		x.end()
	}
	x.pass(r.Other...)
	x.end()
}

func (x *encoder) encryption(c *Encryption) {
	x.begin(NSRTP, "encryption")
	if c.Required {
		x.attr("required", "1")
	}
	for _, k := range c.Crypto {
		x.begin(NSRTP, "crypto")
		x.optional("tag", k.Tag)
		x.optional("crypto-suite", k.Suite)
		x.optional("key-params", k.KeyParams)
		x.optional("session-params", k.SessionParams)
		x.end()
	}
	for _, h := range c.ZRTP {
		x.begin(NSZRTP, "zrtp-hash")
		x.optional("version", h.Version)
		x.text(h.Value)
		x.end()
	}
	x.end()
}

func (x *encoder) sources(r *RTP) {
	for i := range r.Sources {
		s := &r.Sources[i]
		if s.SSRC == "" && !x.profile.RIDs {
			continue
		}
		x.begin(NSSources, "source")
		x.optional("ssrc", s.SSRC)
		x.optional("rid", s.RID)
		x.parameters(NSSources, s.Parameters)
		x.end()
	}
	for i := range r.SourceGroups {
		switch g := &r.SourceGroups[i]; {
		case len(g.RIDs) == 0:
			x.sourceGroup("ssrc-group", "ssrc", g.Semantics, g.SSRCs)
		case x.profile.RIDs:
			x.sourceGroup("rid-group", "rid", g.Semantics, g.RIDs)
		}
	}
	for _, s := range r.Streams {
		x.begin(NSMsid, "stream")
		x.optional("id", s.ID)
		x.optional("track", s.Track)
		x.end()
	}
}

func (x *encoder) sourceGroup(local, attr, semantics string, names []string) {
	x.begin(NSSources, local)
	x.optional("semantics", semantics)
	for _, name := range names {
		x.begin(NSSources, "source")
		x.optional(attr, name)
		x.end()
	}
	x.end()
}

func (x *encoder) payloadType(r *RTP, p *PayloadType) {
	x.begin(NSRTP, "payload-type")
	x.number("id", p.ID)
	x.optional("name", p.Name)
	x.positive("clockrate", p.ClockRate)
	x.positive("channels", p.Channels)
	x.positive("ptime", p.PTime)
	x.positive("maxptime", p.MaxPTime)
	for i := range p.Parameters {
		if !x.profile.StrictValues || isStrict(p.Parameters, i) {
			x.formatParameter(&p.Parameters[i])
		}
	}
	feedback, trr := p.Feedback, p.TRRInt
	if x.profile.CodecFeedback {
		feedback, trr = everyFeedback(r, p)
	}
	x.feedback(feedback, trr)
	x.end()
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
func (x *encoder) formatParameter(p *Parameter) {
	if p.Name == "" && x.profile.NamelessForm == NamelessDropped {
		return
	}
	x.begin(NSRTP, "parameter")
	if p.Name == "" && x.profile.NamelessForm == NamelessName {
		x.attr("name", p.Value)
	} else {
		x.attr("name", p.Name)
		x.attr("value", p.Value)
	}
	x.end()
}

// oldFeedback is the types of rtcp-fb that Monal knows.
var oldFeedback = []string{"ack", "ccm", "nack", "goog-remb", "transport-cc"}

// feedback writes that of a description or payload type.
func (x *encoder) feedback(list []Feedback, trr string) {
	for i := range list {
		f := &list[i]
		if x.profile.ClosedFeedback && !slices.Contains(oldFeedback, f.Type) {
			continue
		}
		x.begin(NSFeedback, "rtcp-fb")
		x.optional("type", f.Type)
		x.optional("subtype", f.Subtype)
		x.parameters(NSFeedback, f.Parameters)
		x.end()
	}
	if trr != "" {
		x.begin(NSFeedback, "rtcp-fb-trr-int")
		x.attr("value", trr)
		x.end()
	}
}

func (x *encoder) parameters(space string, list []Parameter) {
	for i := range list {
		p := &list[i]
		if x.profile.StrictValues && !p.HasValue && space == NSSources {
			continue
		}
		x.begin(space, "parameter")
		x.attr("name", p.Name)
		if p.HasValue {
			x.attr("value", p.Value)
		}
		x.end()
	}
}

func (x *encoder) hdrExt(h *HdrExt) {
	x.begin(NSHdrExt, "rtp-hdrext")
	x.number("id", h.ID)
	x.optional("uri", h.URI)
	if s := x.profile.extSenders(h.Senders, x.by); s != SendersBoth {
		x.optional("senders", string(s))
	}
	x.parameters(NSHdrExt, h.Parameters)
	x.end()
}
