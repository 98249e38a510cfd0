package jingle

import "carillon/jingle/element"

// Muji is a <muji/> (XEP-0272).  In <jingle/> and in a call invite it names the conference's room; in the presence of a participant it lists
// the contents that the participant takes part in, with their codecs.
type Muji struct {
	Room      string // bare JID; empty in presence
	Preparing bool   // the participant is about to change its contents: others wait
	Contents  []Content
}

// MujiIn finds the <muji/> of a presence.  It returns nil when there is none, or one beyond the bounds of a stanza.
func MujiIn(presence *element.Element) *Muji {
	if presence == nil {
		return nil
	}
	e := presence.Child(NSMuji, "muji")
	if e == nil {
		return nil
	}
	d := decoder{}
	if m := d.muji(e.Node()); d.err == nil {
		return m
	}
	return nil
}

func (d *decoder) muji(e element.Node) *Muji {
	m := &Muji{Room: e.Attr("room")}
	if len(m.Room) > maxJID {
		d.fail("room of a conference is longer than %d bytes", maxJID)
	}
	for c := e.First(); c.Exists(); c = c.Next() {
		switch {
		case d.is(c, NSMuji, "preparing"):
			m.Preparing = true
		case d.isMujiContent(c):
			if d.room("contents", len(m.Contents), maxContents) {
				m.Contents = append(m.Contents, d.content(c))
			}
		}
	}
	return m
}

// isMujiContent takes the element in the namespace of the conference, where the examples of XEP-0272 have it, and in that of Jingle, where
// Dino writes and expects it.
func (d *decoder) isMujiContent(e element.Node) bool {
	return d.is(e, NSMuji, "content") || e.Local() == "content" && e.Space() == NS && d.takes(MujiContent)
}

// AppendTo appends the <muji/> to dst, to stand where the default namespace is parentSpace.  Its contents are in Jingle's namespace: Dino sees no
// others.
func (m Muji) AppendTo(dst []byte, parentSpace string) []byte {
	x := encoder{action: SessionInfo, out: dst, space: parentSpace}
	x.muji(&m)
	return x.out
}

func (x *encoder) muji(m *Muji) {
	x.begin(NSMuji, "muji")
	x.optional("room", m.Room)
	for i := range m.Contents {
		x.content(&m.Contents[i])
	}
	if m.Preparing {
		x.empty(NSMuji, "preparing")
	}
	x.end()
}
