package jingle

import (
	"strings"

	"carillon/jingle/element"
)

func (d *decoder) rtp(e element.Node) *RTP {
	r := &RTP{Media: e.Attr("media"), SSRC: e.Attr("ssrc")}
	r.reserve(e)
	d.parameters, d.feedbacks = room(d, d.parameters, "parameter"), room(d, d.feedbacks, "rtcp-fb")
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
		d.feedback(&r.Feedback, 0, &r.TRRInt, c)
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
	parameters, feedbacks := len(d.parameters), len(d.feedbacks)
	for c := e.First(); c.Exists(); c = c.Next() {
		switch local := c.Local(); {
		case local == "parameter" && d.in(c, NSRTP):
			if !d.room("parameters of a payload type", len(d.parameters)-parameters, maxParameters) {
				return
			}
			if x, ok := d.formatParameter(c); ok {
				d.parameters = append(d.parameters, x)
			} else {
				d.skip(c)
			}
		case local == "rtcp-fb" && d.in(c, NSFeedback):
			d.feedback(&d.feedbacks, feedbacks, &p.TRRInt, c)
		case local == "rtcp-fb-trr-int" && d.in(c, NSFeedback):
			p.TRRInt = c.Attr("value")
		default:
			d.skip(c)
		}
	}
	p.Parameters = d.plainParameters(p.Name, since(d.parameters, parameters))
	p.Feedback = since(d.feedbacks, feedbacks)
}

// feedback reads an <rtcp-fb/> into the list, of which the first so many are not of the same description or payload type.
func (d *decoder) feedback(list *[]Feedback, before int, trr *string, e element.Node) {
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
	if e.Children() > 0 {
		f.Parameters = d.appendParameters(nil, e, NSFeedback) // not from the slab: a payload type is cutting its own from it
	}
	switch {
	case f.Type == "":
		d.skip(e)
	case d.room("feedback types", len(*list)-before, maxFeedback):
		*list = append(*list, f)
	}
}

// parameterList reads the <parameter/> children of header extensions and sources as they are.
func (d *decoder) parameterList(e element.Node, space string) []Parameter {
	if e.Children() == 0 {
		return nil
	}
	before := len(d.parameters)
	d.parameters = d.appendParameters(d.parameters, e, space)
	return since(d.parameters, before)
}

// appendParameters adds the <parameter/> children of e to the list.
func (d *decoder) appendParameters(list []Parameter, e element.Node, space string) []Parameter {
	before := len(list)
	for c := e.First(); c.Exists(); c = c.Next() {
		if c.Local() != "parameter" || !(d.in(c, space) || d.takes(ParameterNamespace)) {
			d.skip(c)
			continue
		}
		if !d.room("parameters", len(list)-before, maxParameters) {
			return list
		}
		x := Parameter{}
		x.Name, _, x.Value, x.HasValue = parameter(c)
		list = append(list, x)
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
