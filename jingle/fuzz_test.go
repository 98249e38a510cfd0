package jingle

import (
	"reflect"
	"testing"

	"carillon/jingle/element"
)

// What is read is written, all that is written is read, and writing it again after reading changes nothing.
func FuzzParseStanza(f *testing.F) {
	f.Add(offer)
	f.Add(`<jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='0'><content><transport xmlns=''><fingerprint A=''/></transport></content></jingle>`)
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

// sameRead: the text is read as the tree is.
func sameRead(t *testing.T, xml string, want Stanza, wantErr *Error) {
	t.Helper()
	n, err := new(element.Reader).Read([]byte(xml), nil, element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := ReadStanza(n); !reflect.DeepEqual(err, wantErr) || !reflect.DeepEqual(s, want) {
		t.Fatalf("%s\nread from the text as %+v, %v\nfrom a tree as %+v, %v", xml, s, err, want, wantErr)
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
