// # Sessions that change
//
// A jingle.Session is what was agreed on and what is proposed.  [Apply] changes it by an action, [Diff] is the inverse: the actions that
// lead one party from a session to another, and what no action can say.  Between them and SDP stand four functions:
// [Propose] is the session that a party's new offer asks for, [Respond] the one that its answer leads to, [Describe] is a
// party's description for the SDP that the other's browser gets, and [Settle] closes an exchange.  Everything is a value: keep
// the session and the Lines from before an exchange, and a rollback is going on with them.
//
// A browser ("us") makes an offer; the peer is "them", what is known of its client is p:
//
//	d, offered, losses, err := FromSDP(offer, us, lines)
//	want, unasked := Propose(session, us, d)
//	actions, unsaid := Diff(session, want, us, p)
//	// For each action in order: send it, wait for its result, then
//	session, err = Apply(session, action, us) // not if it was answered with an error: then nothing has changed
//	// and for each answer of the peer (content-accept, content-modify, content-reject, session-accept by Movim)
//	session, err = Apply(session, answer, them)
//	// until no action is left, session.Pending(us) is false and, after an ICE restart, no content says that they owe theirs
//	// (jingle.Generation).  Then, or when the time for it is over,
//	session = Settle(session, want, us)
//	answer, lines, losses, err := ToSDP(Describe(session, them, Answer), them, Answer, offered, origin)
//
// No action at all is the same thing with no round: a re-offer that differs in nothing, or in what the client cannot be told, is
// answered at once with what is known of the peer.  An accept may arrive before the result of the action that it answers;
// it is then the result too.  To withdraw a proposal, send what Diff gives from the session to one without it (content-remove).
//
// The peer takes an action:
//
//	next, err := Apply(session, action, them)  // err is a *jingle.Error to answer with, and nothing has changed; else answer result
//	if !Renegotiates(session, next, them) {
//		session = next // and candidates that are new in next.Said(i, them) go to the browser, one by one
//	}
//	offer, offered, losses, err := ToSDP(Describe(next, them, Offer), them, Offer, lines, origin)
//	// and when the browser has answered:
//	d, lines, losses, err := FromSDP(answer, us, offered)
//	want := Respond(next, us, d)
//	actions, unsaid := Diff(next, want, us, p) // content-modify, content-accept, content-reject, credentials after an ICE restart
//	// send them, apply them (Apply(next, action, us)), and
//	session = Settle(next, want, us)
//
// Without an answer of the browser (it failed, or was not worth asking), Respond(next, us, Describe(next, us, Answer)) rejects what the
// peer proposed and keeps the rest.  A client with jingle.RestartEmpty takes new credentials without candidates for an offer: an
// answer to its restart is to be held until the browser has its first candidate, and goes with it.
//
// When actions cross, [Tie] tells whether they are the same: the initiator's counts then (XEP-0166 section 7.2.18).  The initiator answers
// ErrTieBreak and goes on; the responder takes the other's, goes on with the session and Lines from before its own, and begins anew.
// Other actions that cross are applied in the order of their results, because nothing is applied before it is acknowledged.
package sdpconv

import (
	"slices"

	"carillon/jingle"
)

// Propose returns the session that a party asks for by an SDP offer, which FromSDP gave as d: contents that are new are
// pending, those that are gone are removed, and what the other party has proposed stays.  Directions count by what changed since
// the party's last SDP, because an offer repeats the wish that was not granted.  The losses are ICE restarts that nobody wished
// for: in a session without BUNDLE Chromium (156) puts the credentials of the first m-line on the others when it offers again.
func Propose(s jingle.Session, by jingle.Role, d jingle.Description) (jingle.Session, []Loss) {
	p := &proposal{change: begin(s, by), d: d}
	unasked := p.unasked(s)
	for i := range s.Contents {
		if find(d, s.Contents[i].Creator, s.Contents[i].Name) == nil && !s.Proposed(i, by.Other()) {
			p.remove(p.Find(s.Contents[i].Creator, s.Contents[i].Name))
		}
	}
	var losses []Loss
	for _, c := range d.Contents {
		i := p.at(c)
		switch {
		case i < 0:
			p.add(c, true)
		case p.Proposed(i, by.Other()):
		case slices.Contains(unasked, c.Name):
			losses = append(losses, Loss{Line: "a=ice-ufrag:" + c.ICE.Ufrag, Reason: "changed unasked in content " + c.Name + ", no restart"})
			c.ICE = p.Said(i, by).ICE
			p.update(i, c)
		default:
			p.update(i, c)
		}
	}
	p.Of[by].Groups = live(d.Groups, p.Session)
	return p.Session, losses
}

// Respond returns the session to which a party's SDP answer leads, which FromSDP gave as d.  It answers the description of the
// other party with all that it has proposed: what has a section in the answer is accepted, what was rejected there is removed.
func Respond(s jingle.Session, by jingle.Role, d jingle.Description) jingle.Session {
	p := &proposal{change: begin(s, by), d: d}
	unasked := p.unasked(s)
	for i := range s.Contents {
		x := s.Contents[i]
		c := find(d, x.Creator, x.Name)
		switch at := p.Find(x.Creator, x.Name); {
		case s.Proposed(i, by):
		case c == nil:
			p.remove(at)
		case slices.Contains(unasked, c.Name):
			kept := *c
			kept.ICE = find(s.Of[by], x.Creator, x.Name).ICE
			p.respond(at, kept)
		default:
			p.respond(at, *c)
		}
	}
	if len(d.Groups) > 0 || len(p.Of[by].Groups) > 0 {
		p.Of[by].Groups = live(d.Groups, p.Session)
	}
	return p.Session
}

// Settle closes an exchange: it takes over into s, where the applied actions led, what no action says of want, where they were to
// lead: the directions that a party would like, and its side of what the peer's application added on its own.  What the other party still
// owes of an ICE restart is no longer waited for.
func Settle(s, want jingle.Session, by jingle.Role) jingle.Session {
	c := begin(s, by)
	for i := range c.Contents {
		x := c.Contents[i]
		c.Contents[i].ICE[by.Other()].Owed = false
		mine, theirs := c.said(i, by), find(want.Of[by], x.Creator, x.Name)
		switch {
		case theirs == nil:
		case mine != nil:
			mine.Senders = theirs.Senders
		case x.Implied:
			c.Of[by].Contents = append(c.Of[by].Contents, *theirs)
		}
	}
	return c.Session
}

// Describe returns what a party says, for an SDP of that type which the other's browser gets.  In an offer everything that it
// proposed is contained, DTLS roles are open and candidates from before an ICE restart that is under way are left out; an answer
// has what is agreed on, and the DTLS roles in force (RFC 8842 section 5.5).
func Describe(s jingle.Session, author jingle.Role, t Type) jingle.Description {
	d := jingle.Description{Groups: s.Of[author].Groups}
	for i, x := range s.Contents {
		said := s.Said(i, author)
		if said == nil || t == Answer && x.Pending {
			continue
		}
		c := *said
		c.Senders = x.Senders
		if r := x.Replacement; r != nil && r.By == author && r.ICE != nil && t == Offer {
			c.ICE = r.ICE
		}
		if c.ICE != nil && t == Offer {
			ice := withSetup(*c.ICE, jingle.SetupActpass)
			if x.ICE[author.Other()].Owed {
				ice.Candidates, ice.GatheringComplete = nil, false
			}
			c.ICE = &ice
		}
		d.Contents = append(d.Contents, c)
	}
	return d
}

// find returns the content of exactly that creator and name, or nil.
func find(d jingle.Description, creator jingle.Role, name string) *jingle.Content {
	for i := range d.Contents {
		if c := &d.Contents[i]; c.Creator == creator && c.Name == name {
			return c
		}
	}
	return nil
}

// withSetup returns the transport with another DTLS role.
func withSetup(t jingle.Transport, role jingle.Setup) jingle.Transport {
	t.Fingerprints = slices.Clone(t.Fingerprints)
	for i := range t.Fingerprints {
		t.Fingerprints[i].Setup = role
	}
	return t
}
