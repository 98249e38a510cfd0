package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"

	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
)

const nsBind = "urn:ietf:params:xml:ns:xmpp-bind"

// bindIQ is the request for a resource and its answer (RFC 6120 section 7.7).
type bindIQ struct {
	XMLName xml.Name `xml:"jabber:client iq"`
	Type    string   `xml:"type,attr"`
	ID      string   `xml:"id,attr"`
	Bind    struct {
		Resource string `xml:"resource,omitempty"`
		JID      string `xml:"jid,omitempty"`
	} `xml:"urn:ietf:params:xml:ns:xmpp-bind bind"`
}

// bindAs asks for a resource.  mellium's BindResource (v0.22.0) sends an empty name, for which every server makes up another one at every login.
func bindAs(resource string) xmpp.StreamFeature {
	feature := xmpp.BindResource()
	feature.Negotiate = func(_ context.Context, session *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
		w := session.TokenWriter()
		defer w.Close()
		request := bindIQ{Type: "set", ID: newID()}
		request.Bind.Resource = resource
		for _, token := range request.tokens() {
			if err := w.EncodeToken(token); err != nil {
				return 0, nil, err
			}
		}
		if err := w.Flush(); err != nil {
			return 0, nil, err
		}
		r := session.TokenReader()
		defer r.Close()
		var reply bindIQ
		if err := xml.NewTokenDecoder(r).Decode(&reply); err != nil {
			return 0, nil, fmt.Errorf("bind: %w", err)
		}
		bound, err := jid.Parse(reply.Bind.JID)
		if err != nil || reply.Type != "result" || reply.ID != request.ID || bound.Resourcepart() == "" {
			return 0, nil, fmt.Errorf("bind: the server gave no resource (%s)", reply.Type)
		}
		session.UpdateAddr(bound)
		return xmpp.Ready, nil, nil
	}
	return feature
}

// tokens is the request.
func (b bindIQ) tokens() []xml.Token {
	iq := xml.StartElement{Name: xml.Name{Space: nsClient, Local: "iq"}, Attr: []xml.Attr{
		{Name: xml.Name{Local: "type"}, Value: b.Type}, {Name: xml.Name{Local: "id"}, Value: b.ID},
	}}
	bind, resource := xml.StartElement{Name: xml.Name{Space: nsBind, Local: "bind"}}, xml.StartElement{Name: xml.Name{Local: "resource"}}
	return []xml.Token{iq, bind, resource, xml.CharData(b.Bind.Resource), resource.End(), bind.End(), iq.End()}
}
