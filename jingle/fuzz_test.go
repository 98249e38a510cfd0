package jingle

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"carillon/jingle/element"
)

// What is read is written, all that is written is read, and writing it again after reading changes nothing.
func FuzzParseStanza(f *testing.F) {
	f.Add(offer)
	for _, e := range corpus(f) {
		if j := e.Child(NS, "jingle"); j != nil {
			f.Add(j.String())
		}
	}
	for _, q := range Quirks {
		f.Add(parseXML(f, "quirks/"+q.Name+".xml").Child("", "written").Children[0].String())
	}
	for _, c := range profileCases(f) {
		for _, part := range c.e.Children {
			for _, e := range part.Children {
				f.Add(e.String())
			}
		}
	}
	for _, e := range recordedStanzas(f) {
		f.Add(e.String())
	}
	f.Fuzz(func(t *testing.T, xml string) {
		e, err := element.Parse([]byte(xml), element.Limits{})
		if err != nil {
			return
		}
		s, serr := ParseStanza(e)
		sameRead(t, xml, s, serr)
		if serr != nil {
			return
		}
		Unread(e)
		text := written(s)
		if whole, parts := Unread(mustParse(t, text)); len(whole)+len(parts) > 0 {
			t.Fatalf("%v and %v are not read in what was written: %s", whole, parts, text)
		}
		again, serr := ParseStanza(mustParse(t, text))
		if serr != nil {
			t.Fatalf("%v in what was written: %s", serr, text)
		}
		if got := written(again); got != text {
			t.Fatalf("written as\n%s\nthen as\n%s", text, got)
		}
		for _, p := range Profiles {
			for _, by := range []Role{Initiator, Responder} {
				text := writtenFor(t, p, s, by)
				read, err := ParseStanza(mustParse(t, text))
				if err != nil {
					t.Fatalf("%v in what was written for %s: %s", err, p.Name, text)
				}
				p.Read(read, by)
			}
		}
	})
}

// sameRead: the text is read as the tree is, with and without keeping the memory of it.
func sameRead(t *testing.T, xml string, want Stanza, wantErr *Error) {
	t.Helper()
	n, err := new(element.Reader).Read([]byte(xml), nil, element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []element.Node{n, n.Detached()} {
		if s, err := ReadStanza(n); !reflect.DeepEqual(err, wantErr) || !reflect.DeepEqual(s, want) {
			t.Fatalf("%s\nread from the text as %+v, %v\nfrom a tree as %+v, %v", xml, s, err, want, wantErr)
		}
	}
}

// A peer that pads its stanzas does not fill the memory with what a call keeps of them.
func TestLongTextIsNotKept(t *testing.T) {
	candidate := "<candidate component='1' foundation='1' generation='0' id='c' ip='192.0.2.1' network='0' port='9' priority='1' protocol='udp' type='host'/>"
	for _, tt := range []struct {
		action  Action
		padding int
		kept    bool
	}{{TransportInfo, 0, true}, {TransportInfo, 8 << 10, false}, {SessionInitiate, 8 << 10, true}, {SessionInitiate, 64 << 10, false}} {
		xml := "<jingle xmlns='" + NS + "' action='" + string(tt.action) + "' sid='s'><content creator='initiator' name='0'><transport xmlns='" + NSICE + "'>" +
			candidate + "</transport></content>" + strings.Repeat(" ", tt.padding) + "</jingle>"
		n, err := new(element.Reader).Read([]byte(xml), nil, element.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		s, serr := ReadStanza(n)
		if serr != nil {
			t.Fatal(serr)
		}
		ip := s.Contents[0].ICE.Candidates[0].IP
		again := n.Child(NS, "content").Child(NSICE, "transport").Child(NSICE, "candidate").Attr("ip")
		if kept := unsafe.StringData(ip) == unsafe.StringData(again); ip != again || kept != tt.kept {
			t.Errorf("%s padded by %d bytes: its text is kept: %v", tt.action, tt.padding, kept)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, m := range messages {
		f.Add(m.xml)
	}
	for _, i := range invites {
		f.Add(i.xml)
	}
	f.Fuzz(func(t *testing.T, xml string) {
		e, err := element.Parse([]byte(xml), element.Limits{})
		if err != nil {
			return
		}
		ParseError(e)
		ParseInfo(e)
		MujiIn(e)
		if i, ok, err := ParseInvite(e); ok && err == nil {
			written := string(i.AppendTo(nil, ""))
			again, ok, err := ParseInvite(mustParse(t, written))
			if !ok || err != nil || string(again.AppendTo(nil, "")) != written {
				t.Fatalf("%s is read as %+v, %v, %v", written, again, ok, err)
			}
		}
		m, ok, err := ParseMessage(e)
		if !ok || err != nil {
			return
		}
		written := m.Element().String()
		again, ok, err := ParseMessage(mustParse(t, written))
		if !ok || err != nil || again.Element().String() != written {
			t.Fatalf("%s is read as %+v, %v, %v", written, again, ok, err)
		}
	})
}
