package jingle

import (
	"strings"

	"carillon/jingle/element"
)

func (d *decoder) rtp(e element.Node) *RTP {
	r := &RTP{Media: e.Attr("media"), SSRC: e.Attr("ssrc")}
	r.reserve(e)
	for c := e.First(); c.Exists(); c = c.Next() {
		switch c.Local() {
		case "payload-type", "rtcp-fb", "rtcp-fb-trr-int", "rtp-hdrext":
			d.codecChild(r, c)
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
	types, extensions := 0, 0
	for c := e.First(); c.Exists(); c = c.Next() {
		switch c.Local() {
		case "payload-type":
			types++
		case "rtp-hdrext":
			extensions++
		}
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

func (d *decoder) codecChild(r *RTP, c element.Node) {
	switch {
	case d.is(c, NSRTP, "payload-type"):
		if d.room("payload types", len(r.PayloadTypes), maxPayloadTypes) {
			r.PayloadTypes = append(r.PayloadTypes, d.payloadType(c))
		}
	case d.is(c, NSFeedback, "rtcp-fb"):
		d.feedback(&r.Feedback, &r.TRRInt, c)
	case d.is(c, NSFeedback, "rtcp-fb-trr-int"):
		r.TRRInt = c.Attr("value")
	case d.is(c, NSHdrExt, "rtp-hdrext"):
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

func (d *decoder) payloadType(e element.Node) PayloadType {
	p := PayloadType{
		ID: number(e.Attr("id"), 0, 127, -1), Name: e.Attr("name"),
		ClockRate: number(e.Attr("clockrate"), 1, 1<<30, 0), Channels: number(e.Attr("channels"), 1, 255, 0),
		PTime: number(e.Attr("ptime"), 1, 10000, 0), MaxPTime: number(e.Attr("maxptime"), 1, 10000, 0),
	}
	if p.ID < 0 {
		d.fail("payload-type with id %s: it is a number from 0 to 127", quote(e.Attr("id")))
	}
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
		p.Feedback = cut(&d.slabs.feedback, feedback)
	}
	var list []Parameter
	if parameters > 0 && parameters <= maxParameters {
		list = cut(&d.slabs.parameters, parameters)
	}
	for c := e.First(); c.Exists(); c = c.Next() {
		switch {
		case d.is(c, NSRTP, "parameter"):
			if !d.room("parameters of a payload type", len(list), maxParameters) {
				return p
			}
			if x, ok := d.formatParameter(c); ok {
				list = append(list, x)
			} else {
				d.skip(c)
			}
		case d.is(c, NSFeedback, "rtcp-fb"):
			d.feedback(&p.Feedback, &p.TRRInt, c)
		case d.is(c, NSFeedback, "rtcp-fb-trr-int"):
			p.TRRInt = c.Attr("value")
		default:
			d.skip(c)
		}
	}
	p.Parameters = d.plainParameters(p.Name, list)
	if len(p.Feedback) == 0 {
		p.Feedback = nil
	}
	return p
}

func (d *decoder) feedback(list *[]Feedback, trr *string, e element.Node) {
	f := Feedback{Type: e.Attr("type"), Subtype: e.Attr("subtype")}
	if f.Type == "trr-int" && d.takes(FeedbackTRRInt) {
		if *trr == "" {
			*trr = e.Attr("value") + f.Subtype
		}
		return
	}
	f.Parameters = d.parameters(e, NSFeedback)
	switch {
	case f.Type == "":
		d.skip(e)
	case d.room("feedback types", len(*list), maxFeedback):
		*list = append(*list, f)
	}
}

// parameters reads the <parameter/> children of feedback, header extensions and sources as they are.
func (d *decoder) parameters(e element.Node, space string) []Parameter {
	if e.Children() == 0 {
		return nil
	}
	list := cut(&d.slabs.parameters, min(e.Children(), maxParameters))
	for c := e.First(); c.Exists(); c = c.Next() {
		if c.Local() != "parameter" || !(d.is(c, space, "parameter") || d.takes(ParameterNamespace)) {
			d.skip(c)
			continue
		}
		if !d.room("parameters", len(list), maxParameters) {
			return nil
		}
		value, has := c.LookupAttr("value")
		list = append(list, Parameter{Name: c.Attr("name"), Value: value, HasValue: has})
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

func (d *decoder) hdrExt(r *RTP, e element.Node) {
	id, direction, _ := strings.Cut(e.Attr("id"), "/")
	x := HdrExt{ID: number(id, 1, 4351, 0), URI: e.Attr("uri"), Senders: d.senders(e), Parameters: d.parameters(e, NSHdrExt)}
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
