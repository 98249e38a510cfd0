package sdpconv

import (
	"slices"

	"carillon/jingle"
)

// bundle returns the names in the BUNDLE group.
func bundle(groups []jingle.Group) []string {
	for _, g := range groups {
		if g.Semantics == "BUNDLE" {
			return g.Names
		}
	}
	return nil
}

// tagged returns the content whose transport a party's bundled contents use (RFC 9143 section 7.1), nil without BUNDLE.
func (c *change) tagged(by jingle.Role) *jingle.Content {
	for _, groups := range [][]jingle.Group{c.Of[by].Groups, c.stanza.Groups} {
		for _, name := range bundle(groups) {
			for i := range c.Of[by].Contents {
				if x := &c.Of[by].Contents[i]; x.Name == name && x.ICE != nil && x.ICE.Ufrag != "" {
					return x
				}
			}
		}
	}
	return nil
}

// bundled tells whether both parties have the contents in their BUNDLE group.  A browser offers the group again in a session where
// the peer did not take it (Dino): each content has a transport of its own then, though the credentials may be the same.
func (c *change) bundled(names ...string) bool {
	for _, name := range names {
		for r := range c.Of {
			if !slices.Contains(bundle(c.Of[r].Groups), name) {
				return false
			}
		}
	}
	return true
}

// filled returns the content with what its transport leaves out because the group's says it.  Contents of a session-initiate look
// for it in the stanza.
func (c *change) filled(x jingle.Content) jingle.Content {
	if x.ICE == nil {
		return x
	}
	from := c.tagged(c.by)
	for _, name := range bundle(c.stanza.Groups) {
		for j := range c.stanza.Contents {
			if y := &c.stanza.Contents[j]; from == nil && y.Name == name && y.ICE != nil && y.ICE.Ufrag != "" {
				from = y
			}
		}
	}
	grouped := bundle(c.stanza.Groups)
	if grouped == nil {
		grouped = bundle(c.Of[c.by].Groups)
	}
	if from == nil || x.ICE.Ufrag != "" && !slices.Contains(grouped, x.Name) {
		return x
	}
	ice := *x.ICE
	if ice.Ufrag == "" {
		ice.Ufrag, ice.Pwd = from.ICE.Ufrag, from.ICE.Pwd
		ice.Lite = ice.Lite || from.ICE.Lite
		if ice.Options == nil {
			ice.Options = from.ICE.Options
		}
	}
	if len(ice.Fingerprints) == 0 && !ice.Protected {
		ice.Fingerprints = from.ICE.Fingerprints
	}
	if c.bundled(from.Name) && sameCredentials(&ice, from.ICE) && sameFingerprints(ice.Fingerprints, from.ICE.Fingerprints) {
		ice.Fingerprints = from.ICE.Fingerprints // one association has one DTLS role
	}
	x.ICE = &ice
	return x
}

// hasCredentials tells whether a transport has credentials that a browser takes.
func hasCredentials(t *jingle.Transport) bool { return isUfrag(t.Ufrag) && isPwd(t.Pwd) }

func sameCredentials(a, b *jingle.Transport) bool {
	return a != nil && b != nil && a.Ufrag == b.Ufrag && a.Pwd == b.Pwd
}

// sameFingerprints compares without the DTLS role.
func sameFingerprints(a, b []jingle.Fingerprint) bool {
	return slices.EqualFunc(a, b, func(x, y jingle.Fingerprint) bool { return x.Hash == y.Hash && x.Value == y.Value })
}

// roleOf returns the DTLS role that a transport states, if it is decided.
func roleOf(t *jingle.Transport) jingle.Setup {
	if t == nil || len(t.Fingerprints) == 0 || t.Fingerprints[0].Setup == jingle.SetupActpass {
		return ""
	}
	return t.Fingerprints[0].Setup
}

// settleRoles enters the DTLS roles that an accept by the acting party decides (RFC 5763 section 5): its own if it says one, else the
// one that the offer leaves it.
func (c *change) settleRoles(i int) {
	mine, theirs := c.said(i, c.by), c.said(i, c.by.Other())
	if mine == nil || theirs == nil || mine.ICE == nil || theirs.ICE == nil {
		return
	}
	role := answerSetup(roleOf(theirs.ICE), roleOf(mine.ICE))
	set := func(x *jingle.Content, role jingle.Setup) {
		ice := withSetup(*x.ICE, role)
		x.ICE = &ice
	}
	set(mine, role)
	if role == jingle.SetupActive {
		set(theirs, jingle.SetupPassive)
	} else {
		set(theirs, jingle.SetupActive)
	}
}

// withCandidates returns the transport with more candidates, each once and not more than MaxCandidates.
func withCandidates(t jingle.Transport, more []jingle.Candidate, complete bool) *jingle.Transport {
	t.Candidates = slices.Clone(t.Candidates)
	for _, x := range more {
		if len(t.Candidates) < MaxCandidates && !slices.ContainsFunc(t.Candidates, func(y jingle.Candidate) bool { return sameCandidate(x, y) }) {
			t.Candidates = append(t.Candidates, x)
		}
	}
	t.GatheringComplete = t.GatheringComplete || complete
	return &t
}

// sameCandidate compares candidates but for the names that writers give them.
func sameCandidate(a, b jingle.Candidate) bool {
	a.ID, a.Network = b.ID, b.Network
	return a == b
}

// transportInfo takes candidates, an ICE restart, or a fingerprint that comes ahead (XEP-0320 section 4).
func (c *change) transportInfo(i int, x jingle.Content) error {
	if x.ICE == nil {
		return badContent(x.Name, "has no ICE transport")
	}
	shared, mine := &c.Contents[i], c.said(i, c.by)
	switch {
	case mine == nil:
		early := jingle.Transport{}
		if shared.Early != nil && (x.ICE.Ufrag == "" || shared.Early.Ufrag == x.ICE.Ufrag) {
			early = *shared.Early
		}
		if x.ICE.Ufrag != "" {
			early.Ufrag, early.Pwd = x.ICE.Ufrag, x.ICE.Pwd
		}
		shared.Early = withCandidates(early, x.ICE.Candidates, x.ICE.GatheringComplete)
		return nil
	case mine.ICE == nil:
		return badContent(x.Name, "has no ICE transport")
	}
	if r := shared.Replacement; r != nil && r.By == c.by && r.ICE != nil && x.ICE.Ufrag == r.ICE.Ufrag {
		shared.Replacement = &jingle.Replacement{By: r.By, ICE: withCandidates(*r.ICE, x.ICE.Candidates, x.ICE.GatheringComplete)}
		return nil
	}
	if len(x.ICE.Fingerprints) > 0 && len(mine.ICE.Fingerprints) > 0 && !sameFingerprints(x.ICE.Fingerprints, mine.ICE.Fingerprints) {
		return because(jingle.ErrNotAcceptable, "a fingerprint cannot change")
	}
	return c.refresh(i, x.ICE)
}

// refresh takes over what a transport says anew.  Credentials that are neither those in use nor those before are an ICE restart
// (RFC 8445 section 9), complete ones only: stanza (12.21) trickles with the ufrag alone.
func (c *change) refresh(i int, t *jingle.Transport) error {
	mine := c.said(i, c.by)
	old := *mine.ICE
	switch {
	case old.Ufrag == "":
		old.Ufrag, old.Pwd = t.Ufrag, t.Pwd
	case t.Ufrag == "" || t.Ufrag == old.Ufrag && (t.Pwd == "" || t.Pwd == old.Pwd):
	case t.Pwd == "" || t.Ufrag == c.Contents[i].ICE[c.by].Before:
		return nil
	case !hasCredentials(t):
		return badContent(c.Contents[i].Name, "has ICE credentials that are none")
	default:
		c.restart(i, t)
		return nil
	}
	if len(old.Fingerprints) == 0 || !sameFingerprints(old.Fingerprints, t.Fingerprints) && len(t.Fingerprints) > 0 {
		old.Fingerprints = t.Fingerprints
	}
	if len(t.RemoteCandidates) > 0 {
		old.RemoteCandidates = t.RemoteCandidates
	}
	mine.ICE = withCandidates(old, t.Candidates, t.GatheringComplete)
	return nil
}

// restart gives a content of the acting party new credentials, and with it those that share its transport and are not named by
// the stanza themselves.
func (c *change) restart(i int, t *jingle.Transport) {
	old := c.said(i, c.by).ICE
	named := func(x jingle.Shared) bool {
		return slices.ContainsFunc(c.stanza.Contents, func(y jingle.Content) bool { return y.Name == x.Name })
	}
	for j := range c.Contents {
		mine := c.said(j, c.by)
		if mine == nil || mine.ICE == nil {
			continue
		}
		shares := sameCredentials(mine.ICE, old) && !named(c.Contents[j]) && c.bundled(mine.Name, c.Contents[i].Name)
		if j != i && !shares {
			continue
		}
		ice := *mine.ICE
		ice.Ufrag, ice.Pwd, ice.Candidates, ice.GatheringComplete = t.Ufrag, t.Pwd, nil, false
		if len(t.Fingerprints) > 0 && !sameFingerprints(ice.Fingerprints, t.Fingerprints) {
			ice.Fingerprints = t.Fingerprints
		}
		if j == i {
			if len(t.Options) > 0 {
				ice.Options = t.Options
			}
			mine.ICE = withCandidates(ice, t.Candidates, t.GatheringComplete)
		} else {
			mine.ICE = &ice
		}
		c.countRestart(j, old.Ufrag)
	}
}

// countRestart enters that the acting party has new credentials: an answer if it owed one, else it is owed one.
func (c *change) countRestart(i int, before string) {
	mine, theirs := &c.Contents[i].ICE[c.by], &c.Contents[i].ICE[c.by.Other()]
	theirs.Owed = !mine.Owed && !c.Contents[i].Pending
	*mine = jingle.Generation{Number: mine.Number + 1, Before: before}
}

// transportReplace proposes another transport.  Where both did, the initiator's counts.
func (c *change) transportReplace(i int, x jingle.Content) error {
	shared := &c.Contents[i]
	r := shared.Replacement
	switch {
	case c.said(i, c.by) == nil || shared.Pending:
		return outOfOrder(x.Name, "is not accepted yet")
	case r != nil && r.By != c.by && c.by == jingle.Responder:
		return jingle.ErrTieBreak
	case x.RawUDP == nil && (x.ICE == nil || !hasCredentials(x.ICE)):
		return badContent(x.Name, "has no transport to replace with")
	}
	shared.Replacement = &jingle.Replacement{By: c.by, ICE: x.ICE, RawUDP: x.RawUDP}
	return nil
}

func (c *change) transportAccept(i int, x jingle.Content) error {
	shared := &c.Contents[i]
	r := shared.Replacement
	mine, theirs := c.said(i, c.by), c.said(i, c.by.Other())
	switch {
	case r == nil || r.By == c.by || mine == nil || theirs == nil:
		return outOfOrder(x.Name, "waits for no transport of the "+c.by.String())
	case r.ICE == nil || x.ICE == nil || !hasCredentials(x.ICE):
		return badContent(x.Name, "is accepted with another kind of transport")
	}
	theirs.ICE, mine.ICE = complete(r.ICE, theirs.ICE), complete(x.ICE, mine.ICE)
	shared.Replacement = nil
	shared.ICE = [2]jingle.Generation{}
	c.settleRoles(i)
	return nil
}

// complete returns a replacement with what it need not repeat.
func complete(t, old *jingle.Transport) *jingle.Transport {
	full := *t
	if len(full.Fingerprints) == 0 && old != nil {
		full.Fingerprints = old.Fingerprints
	}
	if full.SCTP == nil && old != nil {
		full.SCTP = old.SCTP
	}
	return &full
}

func (c *change) transportReject(i int, x jingle.Content) error {
	shared := &c.Contents[i]
	if shared.Replacement == nil || shared.Replacement.By == c.by {
		return outOfOrder(x.Name, "waits for no transport of the "+c.by.String())
	}
	shared.Replacement = nil
	return nil
}
