package jingle

import "slices"

// Read returns what the client means by a stanza of its own, in the words of the XEPs.  by is the role of the client.  The stanza
// itself stays as it is.
func (p Profile) Read(s Stanza, by Role) Stanza {
	s.Contents = slices.Clone(s.Contents)
	for i := range s.Contents {
		c := &s.Contents[i]
		if p.mirrors(by, s.Action, c.RTP) {
			c.Senders = c.Senders.swapped()
		}
		if p.AlwaysInitiator && s.Action == ContentAdd {
			c.Creator = by // who adds a content is its creator (XEP-0166 section 7.3)
		}
		c.RTP = p.readExtensions(c.RTP, by)
	}
	return s
}

// mirrors tells whether the senders of a content are to be exchanged: where they were made from SDP.  A content-modify without description
// never was.
func (p Profile) mirrors(by Role, a Action, r *RTP) bool {
	return p.MirroredSenders && by == Responder && (a != ContentModify || r != nil)
}

// readExtensions returns a description with the senders of its header extensions as the XEPs have them.
func (p Profile) readExtensions(r *RTP, by Role) *RTP {
	if r == nil || len(r.HdrExts) == 0 || p.extSenders(SendersInitiator, by) == SendersInitiator {
		return r
	}
	out := *r
	out.HdrExts = slices.Clone(r.HdrExts)
	for i := range out.HdrExts {
		out.HdrExts[i].Senders = p.extSenders(out.HdrExts[i].Senders, by)
	}
	return &out
}

// extSenders turns the senders of a header extension that the party of the given role writes into what the client means by it, or back.
func (p Profile) extSenders(s Senders, by Role) Senders {
	if p.InvertedExtmap && by == Initiator || !p.InvertedExtmap && p.MirroredSenders && by == Responder {
		return s.swapped()
	}
	return s
}
