package sdpconv

import (
	"slices"
	"strconv"

	"carillon/jingle"
)

// MaxCandidates is how many candidates of a transport are kept.
const MaxCandidates = 128

// Apply returns the session after a party took an action.  Contents may be named with a wrong creator if the name alone is plain; a
// transport that is a stub (Conversations, 2.19) is filled from the content whose transport the group uses.  Whether the
// session is in a state for the action is not asked: that is jingle.State.Next.
//
// An error is a *jingle.Error, ready to be sent, and leaves the session as it was.  Nobody needs to send all of them: a
// transport-info that comes too late for its content is better answered with a result, because Conversations ends the call over
// an error, and so is a content-remove that crossed another.
func Apply(s jingle.Session, a jingle.Stanza, by jingle.Role) (jingle.Session, error) {
	apply, known := effects[a.Action]
	switch {
	case !known:
		return s, because(jingle.ErrBadRequest, "unknown action "+strconv.Quote(clip(string(a.Action))))
	case len(a.Contents) > MaxLines:
		return s, because(jingle.ErrTooMuch, "more than "+strconv.Itoa(MaxLines)+" contents")
	}
	c := begin(s, by)
	c.stanza = a
	if err := apply(c); err != nil {
		return s, err
	}
	return c.Session, nil
}

// effects is what each action does.
var effects = map[jingle.Action]func(*change) error{
	jingle.SessionInitiate:  (*change).sessionInitiate,
	jingle.SessionAccept:    (*change).sessionAccept,
	jingle.SessionTerminate: func(c *change) error { c.Session = jingle.Session{}; return nil },
	jingle.SessionInfo:      func(*change) error { return nil },
	jingle.SecurityInfo:     func(*change) error { return nil },
	jingle.ContentAdd:       (*change).contentAdd,
	jingle.ContentAccept:    func(c *change) error { return c.each(c.contentAccept) },
	jingle.ContentReject:    func(c *change) error { return c.each(c.contentReject) },
	jingle.ContentRemove:    func(c *change) error { return c.each(c.contentRemove) },
	jingle.ContentModify:    func(c *change) error { return c.each(c.contentModify) },
	jingle.DescriptionInfo:  func(c *change) error { return c.each(c.descriptionInfo) },
	jingle.TransportInfo:    func(c *change) error { return c.each(c.transportInfo) },
	jingle.TransportReplace: func(c *change) error { return c.each(c.transportReplace) },
	jingle.TransportAccept:  func(c *change) error { return c.each(c.transportAccept) },
	jingle.TransportReject:  func(c *change) error { return c.each(c.transportReject) },
	jingle.SourceAdd:        func(c *change) error { return c.each(c.sourceAdd) },
	jingle.SourceRemove:     func(c *change) error { return c.each(c.sourceRemove) },
}

// because returns a copy of an error with a text.
func because(e *jingle.Error, text string) error {
	c := *e
	c.Text = text
	return &c
}

func outOfOrder(name, why string) error {
	return because(jingle.ErrOutOfOrder, "content "+strconv.Quote(clip(name))+" "+why)
}

func badContent(name, why string) error {
	return because(jingle.ErrBadRequest, "content "+strconv.Quote(clip(name))+" "+why)
}

// change is a session in the making: its lists are its own, what they point to is replaced and never changed.
type change struct {
	jingle.Session
	by     jingle.Role
	stanza jingle.Stanza
}

func begin(s jingle.Session, by jingle.Role) *change {
	c := &change{Session: s, by: by}
	c.Contents = slices.Clone(s.Contents)
	for r := range c.Of {
		c.Of[r].Contents, c.Of[r].Groups = slices.Clone(s.Of[r].Contents), slices.Clone(s.Of[r].Groups)
	}
	return c
}

// said is Said for changing.
func (c *change) said(i int, by jingle.Role) *jingle.Content { return c.Said(i, by) }

// each does something with each content of the stanza, which the session must have.
func (c *change) each(do func(i int, x jingle.Content) error) error {
	if len(c.stanza.Contents) == 0 {
		return because(jingle.ErrBadRequest, "no content is named")
	}
	for _, x := range c.stanza.Contents {
		i := c.Find(x.Creator, x.Name)
		if i < 0 {
			return because(jingle.ErrNoContent, "the session has no content "+strconv.Quote(clip(x.Name)))
		}
		if err := do(i, x); err != nil {
			return err
		}
	}
	return nil
}

// add takes a content of the acting party up into the session.
func (c *change) add(x jingle.Content, pending bool) {
	x.Senders = plainSenders(x.Senders)
	c.Contents = append(c.Contents, jingle.Shared{
		Creator: x.Creator, Name: x.Name, Senders: x.Senders, Disposition: x.Disposition, Pending: pending,
	})
	c.Of[c.by].Contents = append(c.Of[c.by].Contents, x)
}

// remove takes a content out of the session and its groups.
func (c *change) remove(i int) {
	x := c.Contents[i]
	c.Contents = slices.Delete(c.Contents, i, i+1)
	for r := range c.Of {
		c.Of[r].Contents = slices.DeleteFunc(c.Of[r].Contents, func(y jingle.Content) bool {
			return y.Creator == x.Creator && y.Name == x.Name
		})
		c.Of[r].Groups = live(c.Of[r].Groups, c.Session)
	}
}

// live returns the groups with the names that the session has.
func live(groups []jingle.Group, s jingle.Session) []jingle.Group {
	var kept []jingle.Group
	for _, g := range groups {
		left := jingle.Group{Semantics: g.Semantics}
		for _, name := range g.Names {
			if slices.ContainsFunc(s.Contents, func(x jingle.Shared) bool { return x.Name == name }) {
				left.Names = append(left.Names, name)
			}
		}
		if len(left.Names) > 0 {
			kept = append(kept, left)
		}
	}
	return kept
}

// plainSenders returns senders without its second spelling.
func plainSenders(s jingle.Senders) jingle.Senders {
	if s == jingle.SendersRejected {
		return jingle.SendersNone
	}
	return jingle.SendersOf(s.Sends(jingle.Initiator), s.Sends(jingle.Responder))
}

// common returns what a and b allow alike.
func common(a, b jingle.Senders) jingle.Senders {
	return jingle.SendersOf(a.Sends(jingle.Initiator) && b.Sends(jingle.Initiator), a.Sends(jingle.Responder) && b.Sends(jingle.Responder))
}

func (c *change) sessionInitiate() error {
	switch {
	case c.by != jingle.Initiator || len(c.Contents) > 0:
		return because(jingle.ErrOutOfOrder, "the session was initiated before")
	case len(c.stanza.Contents) == 0:
		return because(jingle.ErrBadRequest, "no content")
	}
	for _, x := range c.stanza.Contents {
		x.Creator = jingle.Initiator
		if c.Has(x.Creator, x.Name) {
			return badContent(x.Name, "stands twice")
		}
		c.add(c.filled(x), true)
	}
	c.Of[c.by].Groups = live(c.stanza.Groups, c.Session)
	return nil
}

// sessionAccept accepts the contents it has and rejects the others that the other party proposed.  Movim answers every action with
// one: contents that were accepted before are then what the party says of them now.
func (c *change) sessionAccept() error {
	if len(c.Contents) == 0 {
		return because(jingle.ErrOutOfOrder, "the session was not initiated")
	}
	named := map[string]bool{}
	key := func(x jingle.Shared) string { return x.Creator.String() + " " + x.Name }
	if len(c.stanza.Groups) > 0 {
		c.Of[c.by].Groups = c.stanza.Groups // names are checked at the end
	}
	err := c.each(func(i int, x jingle.Content) error {
		switch {
		case c.rejects(x):
			return nil
		case named[key(c.Contents[i])]:
			return badContent(x.Name, "stands twice")
		}
		named[key(c.Contents[i])] = true
		if c.Proposed(i, c.by.Other()) {
			return c.contentAccept(i, x)
		}
		return c.contentModify(i, x)
	})
	if err != nil {
		return err
	}
	for i := len(c.Contents) - 1; i >= 0; i-- {
		if c.Proposed(i, c.by.Other()) {
			c.remove(i)
		}
	}
	c.Of[c.by].Groups = live(c.Of[c.by].Groups, c.Session)
	return nil
}

// rejects tells a content that an accept does not take: Jitsi writes senders rejected for it, stanza (12.21) senders none and an empty
// transport.
func (c *change) rejects(x jingle.Content) bool {
	stub := x.ICE == nil || x.ICE.Ufrag == "" && len(x.ICE.Fingerprints) == 0 && !x.ICE.Protected
	return x.Senders == jingle.SendersRejected || x.Senders == jingle.SendersNone && stub && !slices.Contains(bundle(c.stanza.Groups), x.Name)
}

func (c *change) contentAdd() error {
	if len(c.stanza.Contents) == 0 {
		return because(jingle.ErrBadRequest, "no content is named")
	}
	for _, x := range c.stanza.Contents {
		if i := c.Find(x.Creator, x.Name); i >= 0 && c.Has(x.Creator, x.Name) {
			if !c.Proposed(i, c.by.Other()) {
				return badContent(x.Name, "exists")
			}
			if c.by == jingle.Responder {
				return jingle.ErrTieBreak
			}
			c.remove(i)
		}
		if len(c.Contents) >= MaxLines {
			return because(jingle.ErrTooMuch, "more than "+strconv.Itoa(MaxLines)+" contents")
		}
		x = c.filled(x)
		if x.ICE != nil && (!hasCredentials(x.ICE) || len(x.ICE.Fingerprints) == 0) {
			return because(jingle.ErrNotAcceptable, "content "+strconv.Quote(clip(x.Name))+" has no usable credentials or fingerprint")
		}
		c.add(x, true)
	}
	if len(c.stanza.Groups) > 0 {
		c.Of[c.by].Groups = live(c.stanza.Groups, c.Session)
	}
	return nil
}

// contentAccept accepts what the other party proposed.  It may narrow the direction, as Dino (0.4.2) does, not widen it.
func (c *change) contentAccept(i int, x jingle.Content) error {
	shared := &c.Contents[i]
	if !c.Proposed(i, c.by.Other()) {
		return outOfOrder(x.Name, "waits for no acceptance of the "+c.by.String())
	}
	theirs := c.said(i, c.by.Other())
	switch {
	case c.rejects(x):
		c.remove(i)
		return nil
	case (theirs.RTP == nil) != (x.RTP == nil), theirs.RTP != nil && theirs.RTP.Media != x.RTP.Media:
		return badContent(x.Name, "is accepted with another description than proposed")
	}
	x.Creator, x.Name = shared.Creator, shared.Name
	x = c.filled(x)
	if x.ICE != nil && x.ICE.Ufrag != "" && x.ICE.Pwd != "" && !hasCredentials(x.ICE) {
		return badContent(x.Name, "has ICE credentials that are none")
	}
	x.Senders = common(shared.Senders, plainSenders(x.Senders))
	if early := shared.Early; early != nil && x.ICE != nil && (early.Ufrag == "" || early.Ufrag == x.ICE.Ufrag) {
		x.ICE = withCandidates(*x.ICE, early.Candidates, early.GatheringComplete)
	}
	shared.Senders, shared.Pending, shared.Early = x.Senders, false, nil
	c.Of[c.by].Contents = append(c.Of[c.by].Contents, x)
	c.settleRoles(i)
	c.regroup(x)
	return nil
}

// regroup takes over the groups of an accept.  Where it has none and uses the transport of a group, it belongs to that.
func (c *change) regroup(x jingle.Content) {
	if len(c.stanza.Groups) > 0 {
		c.Of[c.by].Groups = live(c.stanza.Groups, c.Session)
		return
	}
	tagged := c.tagged(c.by)
	if tagged == nil || x.ICE == nil || !sameCredentials(tagged.ICE, x.ICE) {
		return
	}
	groups := c.Of[c.by].Groups
	for i, g := range groups {
		if g.Semantics == "BUNDLE" && !slices.Contains(g.Names, x.Name) {
			groups[i].Names = append(slices.Clone(g.Names), x.Name)
			return
		}
	}
}

func (c *change) contentReject(i int, x jingle.Content) error {
	if !c.Proposed(i, c.by.Other()) {
		return outOfOrder(x.Name, "waits for no acceptance of the "+c.by.String())
	}
	c.remove(i)
	return nil
}

func (c *change) contentRemove(i int, _ jingle.Content) error {
	c.remove(i)
	return nil
}

// contentModify changes the direction of a content.  With a description it is a whole new offer for it (Movim).
func (c *change) contentModify(i int, x jingle.Content) error {
	shared, mine := &c.Contents[i], c.said(i, c.by)
	before, after := shared.Senders, plainSenders(x.Senders)
	if c.stanza.Action == jingle.SessionAccept {
		after = common(before, after)
	}
	shared.Senders = after
	if mine == nil {
		return nil
	}
	mine.Senders = wished(mine.Senders, before, after)
	if x.RTP != nil {
		mine.RTP = x.RTP
	}
	switch {
	case x.ICE == nil || x.ICE.Ufrag == "":
	case mine.ICE == nil:
		mine.ICE = c.filled(x).ICE
	default:
		return c.refresh(i, c.filled(x).ICE)
	}
	return nil
}

// wished returns what a party would like after it changed the direction: what it did not change it still wishes as before.
func wished(wish, before, after jingle.Senders) jingle.Senders {
	bit := func(r jingle.Role) bool {
		if before.Sends(r) != after.Sends(r) {
			return after.Sends(r)
		}
		return wish.Sends(r)
	}
	return jingle.SendersOf(bit(jingle.Initiator), bit(jingle.Responder))
}
