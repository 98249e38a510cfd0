package call

import (
	"carillon/jingle"
	"carillon/jingle/element"
)

// reject acknowledges a content-add or transport-replace, which this version does not follow, and rejects it.  An error in its
// place would end the call at Conversations (2.19.5).  The contents come back together as stubs, because Conversations compares
// name, media and senders with what it asked for, and ends the call over a content without a transport.  Dino (0.4.2) answers
// content-reject with feature-not-implemented, which is passed over: its content stays pending.
func (s *session) reject(in PeerRequest, with jingle.Action, reason *jingle.Reason) {
	if len(in.Jingle.Contents) == 0 {
		s.answer(in, badRequest("no content is named"))
		return
	}
	s.answer(in, nil)
	stubs := make([]jingle.Content, 0, len(in.Jingle.Contents))
	for _, c := range in.Jingle.Contents {
		stubs = append(stubs, stubOf(c))
	}
	s.request(jingle.Stanza{Action: with, Contents: stubs, Reason: reason})
}

// stubOf is what tells a content from others: who created it, its name, senders and media, and the kind of its transport.
func stubOf(c jingle.Content) jingle.Content {
	stub := jingle.Content{Creator: c.Creator, Name: c.Name, Senders: c.Senders}
	if c.RTP != nil {
		stub.RTP = &jingle.RTP{Media: c.RTP.Media}
	}
	if c.ICE != nil {
		stub.ICE = &jingle.Transport{}
	}
	for _, e := range c.Other {
		if e.Local == "description" || e.Local == "transport" {
			stub.Other = append(stub.Other, element.New(e.Space, e.Local))
		}
	}
	return stub
}

// contentRemove takes contents out of the session, and ends the call with the last one (XEP-0166 section 7.2.7).  The tab is not
// told: its peer connection keeps the section, on which nothing comes any more.  Contents that the session does not have are
// those of a content-add that we rejected: Conversations takes a pending one back so.
func (s *session) contentRemove(in PeerRequest) {
	if len(in.Jingle.Contents) == 0 {
		s.answer(in, badRequest("no content is named"))
		return
	}
	s.answer(in, nil)
	agreed := &s.theirs
	if len(agreed.Contents) == 0 { // not accepted yet
		agreed = &s.ours
	}
	for _, c := range in.Jingle.Contents {
		s.theirs.Contents = without(s.theirs, c)
		s.ours.Contents = without(s.ours, c)
	}
	if len(agreed.Contents) == 0 {
		s.giveUp(s.verdict(in.Jingle.Reason))
	}
}

// without returns the contents of a description but the one named.
func without(d jingle.Description, named jingle.Content) []jingle.Content {
	found := find(d, named.Creator, named.Name)
	if found == nil {
		return d.Contents
	}
	var rest []jingle.Content
	for i := range d.Contents {
		if c := &d.Contents[i]; c != found {
			rest = append(rest, *c)
		}
	}
	return rest
}
