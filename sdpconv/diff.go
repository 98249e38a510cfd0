package sdpconv

import (
	"slices"

	"carillon/jingle"
)

// Diff returns the actions by which a party leads a session from one state to another, in the order in which they are to be sent, and
// what no action can say, or not to this client.  Besides session-initiate (from a session without contents), session-accept
// (from one of which nothing is accepted) and an ICE restart, each is about a single content.  Where to has what the other party
// answers, the actions assume that it will.
//
// Law: the actions applied to from, with the answers that to foresees, lead to to less the losses.
//
// A client that nothing is known of, which is one whose profile has no Version, is taken to do what the XEPs say.
func Diff(from, to jingle.Session, by jingle.Role, p jingle.Profile) ([]jingle.Stanza, []Loss) {
	d := &differ{at: from, to: to, by: by, profile: assumed(p), told: map[string]string{}}
	switch {
	case len(from.Contents) == 0:
		d.initiate()
		d.candidates()
	case d.opening():
		d.acceptWhole(jingle.SessionAccept)
		d.candidates()
	default:
		d.removals()
		d.additions()
		d.directions()
		d.accepts()
		d.descriptions()
		d.transports()
		d.restarts()
		d.candidates()
	}
	d.sweep()
	return d.out, d.remains()
}

// assumed returns the profile with what is tried where nothing is known.
func assumed(p jingle.Profile) jingle.Profile {
	if p.Version == "" {
		p.Rejects, p.Removes, p.Withdraws, p.Modifies, p.ModifiesBoth, p.Informed = true, true, true, true, true, true
		p.Restart = jingle.RestartInfo
	}
	return p
}

// differ goes from one session to another.
type differ struct {
	at      jingle.Session // where the actions so far lead
	to      jingle.Session
	by      jingle.Role
	profile jingle.Profile
	out     []jingle.Stanza
	told    map[string]string // why something was not said, by what and content
}

// do takes an action, unless it is none that could be applied.
func (d *differ) do(a jingle.Stanza) bool {
	next, err := Apply(d.at, a, d.by)
	if err != nil {
		return false
	}
	d.at = next
	d.out = append(d.out, a)
	return true
}

// answered takes the answer of the other party that the target foresees.
func (d *differ) answered(a jingle.Stanza) {
	if next, err := Apply(d.at, a, d.by.Other()); err == nil {
		d.at = next
	}
}

// tell remembers why something is not said.  What is "content", "senders", "ice" or "fingerprint".
func (d *differ) tell(what, name, why string) { d.told[what+" "+name] = why }

// pair returns the index in the target of a content of the session reached, or -1.
func (d *differ) pair(i int) int { return indexOf(d.to, d.at.Contents[i]) }

func indexOf(s jingle.Session, x jingle.Shared) int {
	return slices.IndexFunc(s.Contents, func(y jingle.Shared) bool { return y.Creator == x.Creator && y.Name == x.Name })
}

// each does something with the contents that both sessions have and that actions can name.
func (d *differ) each(do func(i, j int)) {
	for i := range d.at.Contents {
		if j := d.pair(i); j >= 0 && !d.at.Contents[i].Implied {
			do(i, j)
		}
	}
}

// keyOf is a content that names another and says nothing.
func keyOf(x jingle.Shared) jingle.Content {
	return jingle.Content{Creator: x.Creator, Name: x.Name, Senders: x.Senders}
}

// stub names a content, with its media and the kind of its transport: Conversations (2.19) ends the call over a content without.
func (d *differ) stub(i int) jingle.Content {
	c := keyOf(d.at.Contents[i])
	for r := range d.at.Of {
		if said := d.at.Said(i, jingle.Role(r)); said != nil {
			c = said.Stub()
		}
	}
	c.Senders = d.at.Contents[i].Senders
	return c
}

// opening tells whether nothing of the session was accepted so far, and the party is to.
func (d *differ) opening() bool {
	if d.by != jingle.Responder {
		return false
	}
	for i := range d.at.Contents {
		if !d.at.Proposed(i, jingle.Initiator) {
			return false
		}
	}
	return true
}

func (d *differ) initiate() {
	a := jingle.Stanza{Action: jingle.SessionInitiate, Groups: d.groups(d.to)}
	for j, x := range d.to.Contents {
		if c := d.to.Said(j, d.by); c != nil && !x.Implied {
			a.Contents = append(a.Contents, d.written(said(*c, x), d.profile.Version == ""))
		}
	}
	if len(a.Contents) == 0 || !d.do(a) {
		return
	}
	accept := jingle.Stanza{Action: jingle.SessionAccept, Groups: d.to.Of[d.by.Other()].Groups}
	for j, x := range d.to.Contents {
		if c := d.to.Said(j, d.by.Other()); c != nil && !x.Pending {
			accept.Contents = append(accept.Contents, said(*c, x))
		}
	}
	if len(accept.Contents) > 0 {
		d.answered(accept)
	}
}

// said is a party's content as it stands in a stanza.
func said(c jingle.Content, x jingle.Shared) jingle.Content {
	c.Senders, c.Disposition = x.Senders, x.Disposition
	return c
}

// written is a content with the direction that the client is really told: the strict ones refuse senders none, and get what the other
// party sends in its place.
func (d *differ) written(c jingle.Content, strict bool) jingle.Content {
	if c.Senders == jingle.SendersNone && (strict || d.profile.RefusesNone) {
		c.Senders = sendersFor(d.by, false, true)
		d.tell("senders", c.Name, "the client refuses senders none")
	}
	return c
}

// groups returns the groups of the acting party, with the names of the session and no others.
func (d *differ) groups(s jingle.Session) []jingle.Group {
	if d.profile.NoBundle {
		return nil
	}
	return live(d.to.Of[d.by].Groups, s)
}

// removals removes, withdraws and rejects.  A client without content-remove is told that we no longer send.
func (d *differ) removals() {
	for _, x := range slices.Clone(d.at.Contents) {
		if d.stays(x) || x.Implied {
			continue
		}
		i := indexOf(d.at, x)
		switch {
		case d.at.Proposed(i, d.by.Other()) && d.profile.AcceptsWhole: // its session-accept goes without it
		case d.at.Proposed(i, d.by.Other()):
			reason := &jingle.Reason{Condition: jingle.FailedApplication}
			d.do(jingle.Stanza{Action: jingle.ContentReject, Contents: []jingle.Content{d.stub(i)}, Reason: reason})
		case d.profile.Removes || x.Pending:
			d.do(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{d.stub(i)}})
		default:
			d.tell("content", x.Name, "the client has no content-remove")
			d.direct(i, common(x.Senders, jingle.SendersOf(d.by != jingle.Initiator, d.by != jingle.Responder)))
		}
	}
}

// stays tells whether the target has the content, and of the same kind: another kind under the same name is another content.
func (d *differ) stays(x jingle.Shared) bool {
	j := indexOf(d.to, x)
	if j < 0 {
		return false
	}
	old, new := d.at.Said(indexOf(d.at, x), d.by), d.to.Said(j, d.by)
	return old == nil || new == nil || !d.profile.Removes || kindOf(old) == kindOf(new)
}

func (d *differ) additions() {
	for j, x := range d.to.Contents {
		c := d.to.Said(j, d.by)
		if c == nil || x.Implied || indexOf(d.at, x) >= 0 {
			continue
		}
		if d.profile.Add == jingle.AddRejected || d.profile.Add == jingle.AddIgnored {
			d.tell("content", x.Name, "the client takes no content-add")
			continue
		}
		grown := d.at
		grown.Contents = append(slices.Clone(d.at.Contents), x)
		add := jingle.Stanza{Action: jingle.ContentAdd, Contents: []jingle.Content{d.outgoing(d.written(said(*c, x), false))}, Groups: d.groups(grown)}
		if !d.do(add) {
			continue
		}
		if theirs := d.to.Said(j, d.by.Other()); theirs != nil {
			groups := live(d.to.Of[d.by.Other()].Groups, d.at)
			d.answered(jingle.Stanza{Action: jingle.ContentAccept, Contents: []jingle.Content{said(*theirs, x)}, Groups: groups})
		}
	}
}

// outgoing is a content as an accept or an addition has it: its DTLS role open in an addition, its transport a stub where the client
// has it so and it is that of the group.
func (d *differ) outgoing(c jingle.Content) jingle.Content {
	if !d.profile.StubTransport || c.ICE == nil || c.ICE.SCTP != nil || len(c.ICE.Candidates) > 0 || c.ICE.GatheringComplete {
		return c
	}
	tagged := begin(d.at, d.by).tagged(d.by)
	if tagged == nil || !slices.Contains(bundle(d.to.Of[d.by].Groups), c.Name) || !equal(filledStub(c.ICE, tagged.ICE), *c.ICE) {
		return c
	}
	c.ICE = &jingle.Transport{TCP: c.ICE.TCP}
	return c
}

// filledStub is what the other party makes of a stub.
func filledStub(stub, tagged *jingle.Transport) jingle.Transport {
	return jingle.Transport{
		TCP: stub.TCP, Ufrag: tagged.Ufrag, Pwd: tagged.Pwd, Lite: tagged.Lite, Options: tagged.Options, Fingerprints: tagged.Fingerprints,
	}
}

func (d *differ) directions() {
	d.each(func(i, j int) {
		if d.at.Contents[i].Senders != plainSenders(d.to.Contents[j].Senders) {
			d.direct(i, plainSenders(d.to.Contents[j].Senders))
		}
	})
}

// direct changes the direction of a content as far as the client can be told.
func (d *differ) direct(i int, want jingle.Senders) {
	x := d.at.Contents[i]
	them := d.by.Other()
	next := want
	switch {
	case !d.profile.Modifies:
		d.tell("senders", x.Name, "the client takes no content-modify")
		return
	case want.Sends(them) != x.Senders.Sends(them) && !d.profile.ModifiesBoth:
		d.tell("senders", x.Name, "the client takes no content-modify of its own sending")
		next = sendersFor(d.by, want.Sends(d.by), x.Senders.Sends(them))
	}
	if next == jingle.SendersNone && d.profile.RefusesNone {
		d.tell("senders", x.Name, "the client refuses senders none")
		next = sendersFor(d.by, want.Sends(d.by), x.Senders.Sends(them))
	}
	if next == x.Senders || next == jingle.SendersNone && d.profile.RefusesNone {
		return
	}
	c := keyOf(x)
	c.Senders = next
	a := jingle.Stanza{Action: jingle.ContentModify, Contents: []jingle.Content{c}}
	if d.profile.AcceptsWhole && !x.Pending {
		a.Contents = d.whole(i, next)
	}
	d.do(a)
}

// sendersFor returns senders for what a party and the other send.
func sendersFor(r jingle.Role, own, other bool) jingle.Senders {
	if r == jingle.Initiator {
		return jingle.SendersOf(own, other)
	}
	return jingle.SendersOf(other, own)
}

// whole is the party's whole description with one direction changed, which Movim takes for a new offer.
func (d *differ) whole(i int, senders jingle.Senders) []jingle.Content {
	var list []jingle.Content
	for k, x := range d.at.Contents {
		mine := d.at.Said(k, d.by)
		if mine == nil || x.Pending || x.Implied {
			continue
		}
		c := said(*mine, x)
		if k == i {
			c.Senders = senders
		}
		list = append(list, c)
	}
	return list
}

// accepts accepts what the other party proposed.
func (d *differ) accepts() {
	if d.profile.AcceptsWhole && d.at.Pending(d.by.Other()) {
		d.acceptWhole(jingle.SessionAccept)
		return
	}
	d.each(func(i, j int) {
		mine := d.to.Said(j, d.by)
		if !d.at.Proposed(i, d.by.Other()) || d.to.Contents[j].Pending || mine == nil {
			return
		}
		c := said(*mine, d.at.Contents[i])
		c.Senders = common(c.Senders, d.to.Contents[j].Senders)
		d.do(jingle.Stanza{Action: jingle.ContentAccept, Contents: []jingle.Content{d.outgoing(d.written(c, false))}, Groups: d.groups(d.at)})
	})
}

// acceptWhole accepts with the whole description.  Conversations ends the call where a medium that it offered is missing: what is
// rejected is then there and sends nothing.
func (d *differ) acceptWhole(action jingle.Action) {
	a := jingle.Stanza{Action: action, Groups: d.groups(d.at)}
	for i, x := range d.at.Contents {
		j := d.pair(i)
		switch {
		case x.Implied:
		case j >= 0 && d.to.Said(j, d.by) != nil && !d.to.Contents[j].Pending:
			c := said(*d.to.Said(j, d.by), x)
			c.Senders = common(x.Senders, d.to.Contents[j].Senders)
			a.Contents = append(a.Contents, d.written(c, d.profile.Version == ""))
		case j < 0 && d.profile.WholeAccept:
			if c, ok := d.refused(i); ok {
				a.Contents = append(a.Contents, d.written(c, false))
			}
		}
	}
	if len(a.Contents) > 0 {
		d.do(a)
	}
}

// refused is a content that is accepted and sends nothing, on the transport of the first that is taken.
func (d *differ) refused(i int) (jingle.Content, bool) {
	theirs := d.at.Said(i, d.by.Other())
	for _, c := range d.to.Of[d.by].Contents {
		if theirs == nil || c.ICE == nil || c.ICE.Ufrag == "" {
			continue
		}
		ice := *c.ICE
		ice.Candidates, ice.GatheringComplete, ice.SCTP = nil, false, nil
		out := jingle.Content{Creator: theirs.Creator, Name: theirs.Name, Senders: jingle.SendersNone, ICE: &ice}
		if theirs.RTP != nil {
			out.RTP = &jingle.RTP{Media: theirs.RTP.Media, PayloadTypes: theirs.RTP.PayloadTypes, RTCPMux: theirs.RTP.RTCPMux}
		}
		if theirs.ICE != nil {
			ice.SCTP = theirs.ICE.SCTP
		}
		d.tell("content", theirs.Name, "the client ends the call over a content that is not accepted")
		return out, true
	}
	return jingle.Content{}, false
}

// descriptions tells codecs and sources that changed.  It is advice: nothing waits for an answer but its result.
func (d *differ) descriptions() {
	d.each(func(i, j int) {
		old, new := d.at.Said(i, d.by), d.to.Said(j, d.by)
		if old == nil || new == nil {
			return
		}
		if info := newsOf(old.RTP, new.RTP); info != nil {
			if !d.profile.Informed {
				d.tell("rtp", old.Name, "the client does nothing with description-info")
				return
			}
			c := keyOf(d.at.Contents[i])
			c.RTP = info
			d.do(jingle.Stanza{Action: jingle.DescriptionInfo, Contents: []jingle.Content{c}})
		}
	})
}

// sweep takes over what needs no action: contents of the other's application that come and go with its sources.
func (d *differ) sweep() {
	c := begin(d.at, d.by)
	for i := len(c.Contents) - 1; i >= 0; i-- {
		if c.Contents[i].Implied && indexOf(d.to, c.Contents[i]) < 0 {
			c.remove(i)
		}
	}
	d.at = Settle(c.Session, d.to, d.by)
}
