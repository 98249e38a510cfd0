package jingle

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/jingle/element"
)

// recordedStanzas returns every <jingle/> of the recordings and fixtures that are XML.
func recordedStanzas(t testing.TB) (all []*element.Element) {
	t.Helper()
	files, _ := filepath.Glob("../testdata/stanzas/*/*.xml")
	more, _ := filepath.Glob("../testdata/stanzas/*/*/*.xml")
	var walk func(e *element.Element)
	walk = func(e *element.Element) {
		if e.Space == NS && e.Local == "jingle" {
			all = append(all, e)
			return
		}
		for _, c := range e.Children {
			walk(c)
		}
	}
	for _, f := range append(files, more...) {
		rel, _ := filepath.Rel("../testdata/stanzas", f)
		walk(parseXML(t, rel))
	}
	if len(all) < 100 {
		t.Fatalf("only %d stanzas", len(all))
	}
	return all
}

// kept tells whether a stanza keeps the element, or one around it, as it is.
func kept(s *Stanza, path []*element.Element) bool {
	lists := [][]*element.Element{s.Info}
	for _, c := range s.Contents {
		lists = append(lists, c.Other)
		if c.RTP != nil {
			lists = append(lists, c.RTP.Other)
		}
		if c.ICE != nil {
			lists = append(lists, c.ICE.Other)
		}
		if c.RawUDP != nil {
			lists = append(lists, c.RawUDP.Other)
		}
	}
	return slices.ContainsFunc(lists, func(list []*element.Element) bool {
		return slices.ContainsFunc(list, func(e *element.Element) bool { return slices.Contains(path, e) })
	})
}

// An attribute, and a child, that nobody knows is reported wherever it stands: it is kept, or Unread has it.
func TestUnreadIsNotSilent(t *testing.T) {
	for _, root := range recordedStanzas(t) {
		if _, err := ParseStanza(root); err != nil {
			continue
		}
		var visit func(path []*element.Element)
		visit = func(path []*element.Element) {
			e := path[len(path)-1]
			if e.Local == "reason" || e.Local == "muji" || e.Space == NSOMEMODTLS {
				return // reported or refused as a whole
			}
			attrs, children := e.Attrs, e.Children
			e.Attrs = append(slices.Clip(attrs), element.Attr{Local: "odd", Value: "1"})
			if s, err := ParseStanza(root); err != nil {
				t.Errorf("%s: %v", e, err)
			} else if whole, parts := Unread(root); !kept(&s, path) && !has(whole, path) &&
				!slices.ContainsFunc(parts, func(x *element.Element) bool { return x.Local == e.Local && x.Attr("odd") == "1" }) {
				t.Errorf("attribute odd of <%s xmlns='%s'/> is lost in silence", e.Local, e.Space)
			}
			e.Attrs = attrs
			child := element.New("urn:example:odd", "odd")
			e.Children = append(slices.Clip(children), child)
			if s, err := ParseStanza(root); err != nil {
				t.Errorf("%s: %v", e, err)
			} else if whole, _ := Unread(root); !kept(&s, append(slices.Clip(path), child)) && !has(whole, append(slices.Clip(path), child)) {
				t.Errorf("child odd of <%s xmlns='%s'/> is lost in silence", e.Local, e.Space)
			}
			e.Children = children
			for _, c := range children {
				visit(append(slices.Clip(path), c))
			}
		}
		visit([]*element.Element{root})
	}
}

func has(list, path []*element.Element) bool {
	return slices.ContainsFunc(list, func(e *element.Element) bool { return slices.Contains(path, e) })
}

// What the recorded clients write is known, but for what these say.
func TestUnreadOfRecordings(t *testing.T) {
	var got []string
	for _, root := range recordedStanzas(t) {
		_, parts := Unread(root)
		for _, e := range parts {
			for _, a := range e.Attrs {
				if text := e.Local + " " + a.Local + "=" + a.Value; !slices.Contains(got, text) {
					got = append(got, text)
				}
			}
		}
	}
	slices.Sort(got)
	want := []string{ // Movim, the drafts of XEP-0167, Jitsi
		"candidate network-cost=10", "candidate network-id=1", "description profile=RTP/AVP", "source name=a1b2-a0", "source name=a1b2c3-v0",
		"source name=d4e5f6-v1", "source name=jvb-a0", "source videoType=camera", "source videoType=desktop",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestUnreadParts(t *testing.T) {
	const before = "<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'><content creator='initiator' name='0'>"
	for _, tt := range []struct{ xml, parts string }{
		{"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio' profile='RTP/AVP' xml:lang='de'/>",
			"<description xmlns='urn:xmpp:jingle:apps:rtp:1' profile='RTP/AVP'/>"},
		{"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' xmlns:x='urn:x' ufrag='u' pwd='p' ice-generation='2' x:a='b'/>",
			"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ice-generation='2' xmlns:ns0='urn:x' ns0:a='b'/>"},
		{"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'><candidate id='1' network='3' ip='192.0.2.1' port='1' generation='x' priority='-1' network-cost='10'/></transport>",
			"<candidate xmlns='urn:xmpp:jingle:transports:ice-udp:1' generation='x' priority='-1' network-cost='10'/>"},
		{"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'><sctpmap xmlns='urn:xmpp:jingle:transports:dtls-sctp:1' number='70000' streams='0'/></transport>",
			"<sctpmap xmlns='urn:xmpp:jingle:transports:dtls-sctp:1' number='70000'/>"},
		{"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type id='0' channels='one' clockrate=''/><payload-type id='8' channels='0'/><source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='1' name='a-v0' videoType='camera'/></description>",
			"<payload-type xmlns='urn:xmpp:jingle:apps:rtp:1' channels='one'/><source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' name='a-v0' videoType='camera'/>"},
		{"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-1' setup='holdconn' required='false'>" +
			strings.TrimSuffix(strings.Repeat("AA:", 20), ":") + "</fingerprint></transport>",
			"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' setup='holdconn'/>"},
	} {
		e, err := element.Parse([]byte(before+tt.xml+"</content></jingle>"), element.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		whole, parts := Unread(e)
		got := ""
		for _, p := range parts {
			got += p.String()
		}
		if got != tt.parts || len(whole) > 0 {
			t.Errorf("%s: %s and %v, want %s", tt.xml, got, whole, tt.parts)
		}
	}
}
