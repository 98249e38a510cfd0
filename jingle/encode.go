package jingle

import (
	"strconv"

	"carillon/jingle/element"
)

// Element returns the stanza as a <jingle/> element.
//
// It is written for the strictest clients: creator and, in session-initiate and session-accept, senders always stand there; Dino and Monal
// refuse senders none in those, so the value that lets only the other party send takes its place.
func (s Stanza) Element() *element.Element {
	e := element.New(NS, "jingle", "action", string(s.Action), "sid", s.SID, "initiator", s.Initiator, "responder", s.Responder)
	for _, c := range s.Contents {
		e.Append(c.element(s.Action))
	}
	for _, g := range s.Groups {
		e.Append(g.element())
	}
	if s.Reason != nil {
		e.Append(s.Reason.Element())
	}
	return e.Append(s.Info...)
}

func (g Group) element() *element.Element {
	e := element.New(NSGrouping, "group", "semantics", g.Semantics)
	for _, name := range g.Names {
		e.Append(element.New(NSGrouping, "content").SetAttr("name", name))
	}
	return e
}

func (c Content) element(a Action) *element.Element {
	e := element.New(NS, "content").SetAttr("creator", c.Creator.String()).SetAttr("name", c.Name)
	if senders := c.writtenSenders(a); senders != "" {
		e.SetAttr("senders", string(senders))
	}
	if c.Disposition != "" {
		e.SetAttr("disposition", c.Disposition)
	}
	if c.RTP != nil {
		e.Append(c.RTP.element())
	}
	if c.ICE != nil {
		e.Append(c.ICE.element())
	}
	return e.Append(c.Other...)
}

func (c Content) writtenSenders(a Action) Senders {
	senders := c.Senders
	switch senders {
	case "":
		senders = SendersBoth
	case SendersRejected:
		senders = SendersNone
	}
	switch {
	case a == SessionInitiate && senders == SendersNone:
		return SendersResponder
	case a == SessionAccept && senders == SendersNone:
		return SendersInitiator
	case a == SessionInitiate, a == SessionAccept, a == ContentAdd, a == ContentAccept, a == ContentModify:
		return senders
	case senders == SendersBoth:
		return "" // of no interest to a transport-info
	}
	return senders
}

func (r *RTP) element() *element.Element {
	e := element.New(NSRTP, "description", "media", r.Media, "ssrc", r.SSRC)
	for _, p := range r.PayloadTypes {
		e.Append(p.element())
	}
	appendFeedback(e, r.Feedback, r.TRRInt)
	for _, x := range r.HdrExts {
		e.Append(x.element())
	}
	if r.AllowMixed {
		e.Append(element.New(NSHdrExt, "extmap-allow-mixed"))
	}
	for _, b := range r.Bandwidths {
		e.Append(element.New(NSRTP, "bandwidth", "type", b.Type).WithText(b.Value))
	}
	r.appendSources(e)
	if r.RTCPMux {
		e.Append(element.New(NSRTP, "rtcp-mux"))
	}
	if r.RTCPReducedSize {
		e.Append(element.New(NSRTP, "rtcp-reduced-size"))
	}
	return e.Append(r.Other...)
}

func (r *RTP) appendSources(e *element.Element) {
	for _, s := range r.Sources {
		source := element.New(NSSources, "source", "ssrc", s.SSRC, "rid", s.RID)
		appendParameters(source, NSSources, s.Parameters)
		e.Append(source)
	}
	for _, g := range r.SourceGroups {
		group := element.New(NSSources, "ssrc-group", "semantics", g.Semantics)
		for _, ssrc := range g.SSRCs {
			group.Append(element.New(NSSources, "source", "ssrc", ssrc))
		}
		e.Append(group)
	}
	for _, s := range r.Streams {
		e.Append(element.New(NSMsid, "stream", "id", s.ID, "track", s.Track))
	}
}

func (p PayloadType) element() *element.Element {
	e := element.New(NSRTP, "payload-type", "id", strconv.Itoa(p.ID), "name", p.Name,
		"clockrate", positive(p.ClockRate), "channels", positive(p.Channels),
		"ptime", positive(p.PTime), "maxptime", positive(p.MaxPTime))
	for _, param := range p.Parameters {
		// Conversations and the schema want both attributes, also of a bare value.
		e.Append(element.New(NSRTP, "parameter").SetAttr("name", param.Name).SetAttr("value", param.Value))
	}
	appendFeedback(e, p.Feedback, p.TRRInt)
	return e
}

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func appendFeedback(e *element.Element, list []Feedback, trr string) {
	for _, f := range list {
		fb := element.New(NSFeedback, "rtcp-fb", "type", f.Type, "subtype", f.Subtype)
		appendParameters(fb, NSFeedback, f.Parameters)
		e.Append(fb)
	}
	if trr != "" {
		e.Append(element.New(NSFeedback, "rtcp-fb-trr-int", "value", trr))
	}
}

func appendParameters(e *element.Element, space string, list []Parameter) {
	for _, p := range list {
		param := element.New(space, "parameter").SetAttr("name", p.Name)
		if p.HasValue {
			param.SetAttr("value", p.Value)
		}
		e.Append(param)
	}
}

func (x HdrExt) element() *element.Element {
	e := element.New(NSHdrExt, "rtp-hdrext", "id", strconv.Itoa(x.ID), "uri", x.URI)
	if x.Senders != "" && x.Senders != SendersBoth {
		e.SetAttr("senders", string(x.Senders))
	}
	appendParameters(e, NSHdrExt, x.Parameters)
	return e
}

func (t *Transport) element() *element.Element {
	e := element.New(NSICE, "transport", "ufrag", t.Ufrag, "pwd", t.Pwd)
	for _, o := range t.Options {
		e.Append(element.New(NSICEOption, o))
	}
	if t.Lite {
		e.Append(element.New(NSICEOption, "ice-lite"))
	}
	for _, f := range t.Fingerprints {
		e.Append(element.New(NSDTLS, "fingerprint", "hash", f.Hash, "setup", string(f.Setup)).WithText(f.Value))
	}
	if t.Protected {
		// Empty: what it protected cannot be told again, but that it was there must not be forgotten.
		e.Append(element.New(NSOMEMODTLS, "fingerprint"))
	}
	for _, c := range t.Candidates {
		e.Append(c.element())
	}
	if t.GatheringComplete {
		e.Append(element.New(NSICE, "gathering-complete"))
	}
	return e
}

// element writes every attribute that XEP-0176 section 5.4 requires; Monal cannot read a candidate without generation.
func (c Candidate) element() *element.Element {
	c = c.complete()
	e := element.New(NSICE, "candidate",
		"component", strconv.Itoa(c.Component), "foundation", c.Foundation, "generation", strconv.Itoa(c.Generation),
		"id", c.ID, "ip", c.IP, "network", c.Network, "port", strconv.Itoa(c.Port),
		"priority", strconv.FormatUint(uint64(c.Priority), 10), "protocol", c.Protocol, "type", c.Type)
	if c.RelAddr != "" {
		e.SetAttr("rel-addr", c.RelAddr).SetAttr("rel-port", strconv.Itoa(c.RelPort))
	}
	if c.Protocol == "tcp" {
		e.SetAttr("tcptype", c.tcpType())
	}
	return e
}
