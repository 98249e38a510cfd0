package sdpconv

import (
	"slices"

	"carillon/jingle"
)

// proposal is a change by SDP instead of an action.
type proposal struct {
	*change
	d jingle.Description
}

// at returns the index of a content of the SDP, or -1.
func (p *proposal) at(c jingle.Content) int {
	return slices.IndexFunc(p.Contents, func(x jingle.Shared) bool { return x.Creator == c.Creator && x.Name == c.Name })
}

// unasked returns the names whose credentials changed without anybody's wish: each had its own and now has those of the first
// content, which are the same as before.
func (p *proposal) unasked(s jingle.Session) []string {
	var names []string
	var first *jingle.Transport
	for _, c := range p.d.Contents {
		old := find(s.Of[p.by], c.Creator, c.Name)
		switch {
		case old == nil || old.ICE == nil || c.ICE == nil:
		case first == nil && !sameCredentials(old.ICE, c.ICE):
			return nil
		case first == nil:
			first = c.ICE
		case !sameCredentials(old.ICE, c.ICE) && sameCredentials(c.ICE, first):
			names = append(names, c.Name)
		}
	}
	return names
}

// update takes over what an offer says of a content that is known.
func (p *proposal) update(i int, c jingle.Content) {
	shared, mine := &p.Contents[i], p.said(i, p.by)
	if mine == nil { // of the other party's making, and not answered before
		p.Of[p.by].Contents = append(p.Of[p.by].Contents, c)
		return
	}
	bit := func(r jingle.Role) bool {
		if shared.Pending || c.Senders.Sends(r) != mine.Senders.Sends(r) {
			return c.Senders.Sends(r)
		}
		return shared.Senders.Sends(r) && c.Senders.Sends(r)
	}
	shared.Senders = jingle.SendersOf(bit(jingle.Initiator), bit(jingle.Responder))
	mine.Senders = plainSenders(c.Senders)
	mine.Other = c.Other
	var theirs *jingle.RTP
	if x := p.said(i, p.by.Other()); x != nil {
		theirs = x.RTP
	}
	mine.RTP = within(c.RTP, mine.RTP, theirs)
	p.transport(i, c.ICE)
}

// transport takes over what an SDP says of a transport.
func (p *proposal) transport(i int, t *jingle.Transport) {
	mine := p.said(i, p.by)
	if t == nil || mine.ICE == nil {
		mine.ICE = t
		return
	}
	next := *t
	if sameFingerprints(t.Fingerprints, mine.ICE.Fingerprints) {
		next.Fingerprints = mine.ICE.Fingerprints // with the role in force: an offer leaves it open again
	}
	if sameCredentials(t, mine.ICE) {
		next.Candidates = mine.ICE.Candidates
		mine.ICE = withCandidates(next, t.Candidates, mine.ICE.GatheringComplete)
		return
	}
	next.Candidates = slices.Clone(t.Candidates)
	for j := range next.Candidates {
		next.Candidates[j].Generation = max(next.Candidates[j].Generation, p.Contents[i].ICE[p.by].Number+1)
	}
	mine.ICE = &next
}

// respond takes over what an answer says of a content.
func (p *proposal) respond(i int, c jingle.Content) {
	shared, mine := &p.Contents[i], p.said(i, p.by)
	wish := c.Senders
	if mine != nil {
		bit := func(r jingle.Role) bool {
			if shared.Senders.Sends(r) {
				return c.Senders.Sends(r)
			}
			return mine.Senders.Sends(r) // it was not offered, and so not refused
		}
		wish = jingle.SendersOf(bit(jingle.Initiator), bit(jingle.Responder))
	}
	shared.Senders = common(shared.Senders, c.Senders)
	shared.Pending = false
	if mine == nil {
		c.Senders = plainSenders(wish)
		p.Of[p.by].Contents = append(p.Of[p.by].Contents, c)
		p.settleRoles(i)
		return
	}
	mine.Senders = wish
	mine.RTP = widened(mine.RTP, c.RTP)
	if r := shared.Replacement; r != nil && r.By != p.by && r.ICE != nil {
		theirs := p.said(i, p.by.Other())
		theirs.ICE, mine.ICE = complete(r.ICE, theirs.ICE), c.ICE
		shared.Replacement = nil
		p.settleRoles(i)
		return
	}
	p.transport(i, c.ICE)
}

// within returns what an offer says anew of a content, without what neither party has used so far and the other does not know: a
// browser that answered with what was common offers everything again.
func within(offer, old, theirs *jingle.RTP) *jingle.RTP {
	if offer == nil || old == nil || theirs == nil {
		return offer
	}
	out := *offer
	out.PayloadTypes = nil
	for _, x := range offer.PayloadTypes {
		was, known := payloadType(old, x.ID), codecLike(theirs, x)
		switch {
		case was == nil && known == nil:
			continue
		case was != nil:
			var feedback []jingle.Feedback
			if known != nil {
				feedback = known.Feedback
			}
			x.Feedback = knownFeedback(x.Feedback, was.Feedback, feedback)
		}
		out.PayloadTypes = append(out.PayloadTypes, x)
	}
	out.Feedback = knownFeedback(offer.Feedback, old.Feedback, theirs.Feedback)
	out.HdrExts = slices.DeleteFunc(slices.Clone(offer.HdrExts), func(x jingle.HdrExt) bool {
		like := func(y jingle.HdrExt) bool { return y.URI == x.URI }
		return !slices.ContainsFunc(old.HdrExts, like) && !slices.ContainsFunc(theirs.HdrExts, like)
	})
	out.AllowMixed = offer.AllowMixed && (old.AllowMixed || theirs.AllowMixed)
	out.RTCPReducedSize = offer.RTCPReducedSize && (old.RTCPReducedSize || theirs.RTCPReducedSize)
	return &out
}

func knownFeedback(list, old, theirs []jingle.Feedback) []jingle.Feedback {
	return slices.DeleteFunc(slices.Clone(list), func(x jingle.Feedback) bool {
		like := func(y jingle.Feedback) bool { return y.Type == x.Type && y.Subtype == x.Subtype }
		return !slices.ContainsFunc(old, like) && !slices.ContainsFunc(theirs, like)
	})
}

// widened returns what a party has said of a content with what an answer adds.  What an answer leaves out is not taken back: it
// only has what the offer had.
func widened(old, answer *jingle.RTP) *jingle.RTP {
	if old == nil || answer == nil {
		return answer
	}
	out := *old
	out.PayloadTypes = slices.Clone(old.PayloadTypes)
	for _, x := range answer.PayloadTypes {
		if payloadType(old, x.ID) == nil {
			out.PayloadTypes = append(out.PayloadTypes, x)
		}
	}
	if len(answer.Sources) > 0 {
		out.Sources, out.SourceGroups = answer.Sources, answer.SourceGroups
	}
	if len(answer.Streams) > 0 {
		out.Streams = answer.Streams
	}
	return &out
}

func payloadType(r *jingle.RTP, id int) *jingle.PayloadType {
	for i := range r.PayloadTypes {
		if r.PayloadTypes[i].ID == id {
			return &r.PayloadTypes[i]
		}
	}
	return nil
}

// codecLike returns the payload type for the same codec, whatever its number.
func codecLike(r *jingle.RTP, x jingle.PayloadType) *jingle.PayloadType {
	for i := range r.PayloadTypes {
		y := &r.PayloadTypes[i]
		if equalFold(y.Name, x.Name) && (y.ClockRate == x.ClockRate || y.ClockRate == 0) && max(y.Channels, 1) == max(x.Channels, 1) {
			return y
		}
	}
	return nil
}

// Renegotiates tells whether a change by a party has to be offered to the other's browser: whether more than candidates differ in
// what is described.
func Renegotiates(before, after jingle.Session, by jingle.Role) bool {
	a, b := Describe(before, by, Offer), Describe(after, by, Offer)
	for _, d := range []*jingle.Description{&a, &b} {
		for i := range d.Contents {
			c := &d.Contents[i]
			c.Senders = plainSenders(c.Senders)
			if c.ICE != nil {
				ice := *c.ICE
				ice.Candidates, ice.GatheringComplete, ice.RemoteCandidates = nil, false, nil
				c.ICE = &ice
			}
		}
	}
	return !equal(a, b)
}

// Restarts tells whether a session has other ICE credentials of a party than another has for the same content, which is an ICE
// restart, and Rekeys whether it has another fingerprint, which no action can say.
func Restarts(from, to jingle.Session, by jingle.Role) bool {
	return differs(from, to, by, func(a, b *jingle.Transport) bool { return a.Ufrag != "" && !sameCredentials(a, b) })
}

// Rekeys tells whether the two have different fingerprints of a party for the same content.
func Rekeys(from, to jingle.Session, by jingle.Role) bool {
	return differs(from, to, by, func(a, b *jingle.Transport) bool { return !sameFingerprints(a.Fingerprints, b.Fingerprints) })
}

func differs(from, to jingle.Session, by jingle.Role, different func(a, b *jingle.Transport) bool) bool {
	for _, c := range to.Of[by].Contents {
		old := find(from.Of[by], c.Creator, c.Name)
		if old != nil && old.ICE != nil && c.ICE != nil && different(old.ICE, c.ICE) {
			return true
		}
	}
	return false
}

// Tie tells whether two actions of the two parties that cross are the same, so that only the initiator's counts (XEP-0166
// section 7.2.18): the same change of the same content, or two ICE restarts.  Candidates and content-remove are never a tie.
func Tie(s jingle.Session, ours, theirs jingle.Stanza, us jingle.Role) bool {
	if ours.Action != theirs.Action {
		return false
	}
	switch ours.Action {
	case jingle.SessionInitiate:
		return true
	case jingle.ContentAdd, jingle.ContentModify, jingle.TransportReplace:
		for _, a := range ours.Contents {
			if slices.ContainsFunc(theirs.Contents, func(b jingle.Content) bool { return a.Name == b.Name }) {
				return true
			}
		}
	case jingle.TransportInfo:
		return restarting(s, ours, us) && restarting(s, theirs, us.Other())
	}
	return false
}

// restarting tells whether a transport-info starts an ICE restart.
func restarting(s jingle.Session, a jingle.Stanza, by jingle.Role) bool {
	next, err := Apply(s, a, by)
	if err != nil {
		return false
	}
	for i, x := range next.Contents {
		if x.ICE[by.Other()].Owed && i < len(s.Contents) && !s.Contents[i].ICE[by.Other()].Owed {
			return true
		}
	}
	return false
}
