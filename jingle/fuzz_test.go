package jingle

import (
	"testing"

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
		if serr != nil {
			return
		}
		Unread(e)
		written := s.Element().String()
		if whole, parts := Unread(mustParse(t, written)); len(whole)+len(parts) > 0 {
			t.Fatalf("%v and %v are not read in what was written: %s", whole, parts, written)
		}
		again, serr := ParseStanza(mustParse(t, written))
		if serr != nil {
			t.Fatalf("%v in what was written: %s", serr, written)
		}
		if got := again.Element().String(); got != written {
			t.Fatalf("written as\n%s\nthen as\n%s", written, got)
		}
		for _, p := range Profiles {
			for _, by := range []Role{Initiator, Responder} {
				written := sameText(t, p, s, by)
				read, err := ParseStanza(mustParse(t, written))
				if err != nil {
					t.Fatalf("%v in what was written for %s: %s", err, p.Name, written)
				}
				p.Read(read, by)
			}
		}
	})
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
			written := i.Element().String()
			again, ok, err := ParseInvite(mustParse(t, written))
			if !ok || err != nil || again.Element().String() != written {
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
