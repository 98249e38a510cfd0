package jingle

import (
	"strings"

	"carillon/jingle/element"
)

func (d *decoder) rtp(e element.Node) *RTP {
	r := &RTP{Media: e.Attr("media"), SSRC: e.Attr("ssrc")}
	r.reserve(e)
	for c := e.First(); c.Exists(); c = c.Next() {
		switch local := c.Local(); local {
		case "payload-type", "rtcp-fb", "rtcp-fb-trr-int", "rtp-hdrext":
			d.codecChild(r, c, local)
		case "source", "ssrc-group", "rid-group", "stream":
			d.sourceChild(r, c)
		default:
			d.flagChild(r, c)
		}
	}
	if d.takes(DescriptionPTime) {
		r.spreadPTime(number(e.Attr("ptime"), 1, 10000, 0), number(e.Attr("maxptime"), 1, 10000, 0))
	}
	return r
}

// reserve makes room for the lists that are long.
func (r *RTP) reserve(e element.Node) {
	types, extensions, sources := 0, 0, 0
	for c := e.First(); c.Exists(); c = c.Next() {
		switch c.Local() {
		case "payload-type":
			types++
		case "rtp-hdrext":
			extensions++
		case "source":
			sources++
		}
	}
	if sources > 0 {
		r.Sources = make([]Source, 0, min(sources, maxSources))
	}
	if types > 0 {
		r.PayloadTypes = make([]PayloadType, 0, min(types, maxPayloadTypes))
	}
	if extensions > 0 {
		r.HdrExts = make([]HdrExt, 0, min(extensions, maxHdrExts))
	}
}

// other keeps an element that means nothing here, so that its loss can be reported.
func (d *decoder) other(r *RTP, e element.Node) {
	if d.room("unknown elements in a description", len(r.Other), maxOther) {
		r.Other = append(r.Other, e.Element())
	}
}

func (d *decoder) codecChild(r *RTP, c element.Node, local string) {
	switch {
	case local == "payload-type" && d.in(c, NSRTP):
		if d.room("payload types", len(r.PayloadTypes), maxPayloadTypes) {
			r.PayloadTypes = append(r.PayloadTypes, PayloadType{ID: -1})
			d.payloadType(&r.PayloadTypes[len(r.PayloadTypes)-1], c)
		}
	case local == "rtcp-fb" && d.in(c, NSFeedback):
		d.feedback(&r.Feedback, &r.TRRInt, c)
	case local == "rtcp-fb-trr-int" && d.in(c, NSFeedback):
		r.TRRInt = c.Attr("value")
	case local == "rtp-hdrext" && d.in(c, NSHdrExt):
		if d.room("header extensions", len(r.HdrExts), maxHdrExts) {
			d.hdrExt(r, c)
		}
	default:
		d.other(r, c)
	}
}

func (d *decoder) flagChild(r *RTP, c element.Node) {
	switch {
	case d.is(c, NSRTP, "rtcp-mux"):
		r.RTCPMux = true
	case d.is(c, NSRTP, "rtcp-reduced-size"):
		r.RTCPReducedSize = true
	case c.Local() == "extmap-allow-mixed" && (c.Space() == NSHdrExt || c.Space() == NSRTP && d.takes(AllowMixedNamespace)):
		r.AllowMixed = true
	case d.is(c, NSRTP, "bandwidth"):
		if d.room("bandwidths", len(r.Bandwidths), maxFeedback) {
			d.bandwidth(r, c)
		}
	case d.is(c, NSRTP, "encryption"):
		d.encryption(r, c)
	case d.is(c, NSCategory, "category") && isToken(c.Attr("name")):
		if d.room("categories", len(r.Categories), maxCategories) {
			r.Categories = append(r.Categories, c.Attr("name"))
		}
	case d.isFingerprint(c): // read with the transport
	default:
		d.other(r, c)
	}
}

// payloadType reads a <payload-type/> into p, which is new.
func (d *decoder) payloadType(p *PayloadType, e element.Node) {
	for i := range e.Attrs() {
		switch name, value := e.AttrAt(i); name {
		case "id":
			p.ID = number(value, 0, 127, -1)
		case "name":
			p.Name = value
		case "clockrate":
			p.ClockRate = number(value, 1, 1<<30, 0)
		case "channels":
			p.Channels = number(value, 1, 255, 0)
		case "ptime":
			p.PTime = number(value, 1, 10000, 0)
		case "maxptime":
			p.MaxPTime = number(value, 1, 10000, 0)
		}
	}
	if p.ID < 0 {
		d.fail("payload-type with id %s: it is a number from 0 to 127", quote(e.Attr("id")))
	}
	list := d.payloadLists(p, e)
	for c := e.First(); c.Exists(); c = c.Next() {
		switch local := c.Local(); {
		case local == "parameter" && d.in(c, NSRTP):
			if !d.room("parameters of a payload type", len(list), maxParameters) {
				return
			}
			if x, ok := d.formatParameter(c); ok {
				list = append(list, x)
			} else {
				d.skip(c)
			}
		case local == "rtcp-fb" && d.in(c, NSFeedback):
			d.feedback(&p.Feedback, &p.TRRInt, c)
		case local == "rtcp-fb-trr-int" && d.in(c, NSFeedback):
			p.TRRInt = c.Attr("value")
		default:
			d.skip(c)
		}
	}
	p.Parameters = d.plainParameters(p.Name, list)
	if len(p.Feedback) == 0 {
		p.Feedback = nil
	}
}

// payloadLists makes room for the feedback of a payload type and for its parameters, which it returns.
func (d *decoder) payloadLists(p *PayloadType, e element.Node) []Parameter {
	parameters, feedback := 0, 0
	for c := e.First(); c.Exists(); c = c.Next() {
		switch c.Local() {
		case "parameter":
			parameters++
		case "rtcp-fb":
			feedback++
		}
	}
	if feedback > 0 && feedback <= maxFeedback {
		p.Feedback = cut(d, &d.feedbacks, feedback, "rtcp-fb")
	}
	if parameters > 0 && parameters <= maxParameters {
		return cut(d, &d.parameters, parameters, "parameter")
	}
	return nil
}

func (d *decoder) feedback(list *[]Feedback, trr *string, e element.Node) {
	f := Feedback{}
	for i := range e.Attrs() {
		switch name, value := e.AttrAt(i); name {
		case "type":
			f.Type = value
		case "subtype":
			f.Subtype = value
		}
	}
	if f.Type == "trr-int" && d.takes(FeedbackTRRInt) {
		if *trr == "" {
			*trr = e.Attr("value") + f.Subtype
		}
		return
	}
	f.Parameters = d.parameterList(e, NSFeedback)
	switch {
	case f.Type == "":
		d.skip(e)
	case d.room("feedback types", len(*list), maxFeedback):
		*list = append(*list, f)
	}
}

// parameterList reads the <parameter/> children of feedback, header extensions and sources as they are.
func (d *decoder) parameterList(e element.Node, space string) []Parameter {
	if e.Children() == 0 {
		return nil
	}
	list := cut(d, &d.parameters, min(e.Children(), maxParameters), "parameter")
	for c := e.First(); c.Exists(); c = c.Next() {
		if c.Local() != "parameter" || !(d.in(c, space) || d.takes(ParameterNamespace)) {
			d.skip(c)
			continue
		}
		if !d.room("parameters", len(list), maxParameters) {
			return nil
		}
		x := Parameter{}
		x.Name, _, x.Value, x.HasValue = parameter(c)
		list = append(list, x)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// parameter returns the attributes of a <parameter/>, and whether it has them.
func parameter(e element.Node) (name string, hasName bool, value string, hasValue bool) {
	for i := range e.Attrs() {
		switch local, v := e.AttrAt(i); local {
		case "name":
			name, hasName = v, true
		case "value":
			value, hasValue = v, true
		}
	}
	return name, hasName, value, hasValue
}

func (d *decoder) hdrExt(r *RTP, e element.Node) {
	x := HdrExt{Senders: SendersBoth}
	direction := ""
	for i := range e.Attrs() {
		switch name, value := e.AttrAt(i); name {
		case "id":
			value, direction, _ = strings.Cut(value, "/")
			x.ID = number(value, 1, 4351, 0)
		case "uri":
			x.URI = value
		case "senders":
			x.Senders = d.senders(Senders(value))
		}
	}
	x.Parameters = d.parameterList(e, NSHdrExt)
	if direction != "" {
		if !d.takes(ExtmapDirection) {
			d.skip(e)
			return
		}
		x.Senders = d.gluedDirection(direction)
	}
	if x.ID == 0 || x.URI == "" {
		d.skip(e)
		return
	}
	r.HdrExts = append(r.HdrExts, x)
}

func (d *decoder) bandwidth(r *RTP, e element.Node) {
	b := Bandwidth{Type: e.Attr("type"), Value: strings.TrimSpace(e.Text())}
	if b.Value == "" && d.takes(BandwidthAttribute) {
		b.Value = e.Attr("value")
	}
	if b.Type == "" && d.takes(BandwidthElements) {
		b.Type, b.Value = childText(e, "type"), childText(e, "value")
	}
	if b.Type == "" || b.Value == "" {
		d.skip(e)
		return
	}
	r.Bandwidths = append(r.Bandwidths, b)
}

func childText(e element.Node, local string) string {
	for c := e.First(); c.Exists(); c = c.Next() {
		if c.Local() == local {
			return strings.TrimSpace(c.Text())
		}
	}
	return ""
}
