package sdpconv

import (
	"slices"

	"carillon/jingle"
)

// transports proposes, accepts and rejects transports.  A new fingerprint needs a new transport, which few clients take inside a
// session.
func (d *differ) transports() {
	d.each(func(i, j int) {
		had, has := d.at.Contents[i].Replacement, d.to.Contents[j].Replacement
		old, new := d.at.Said(i, d.by), d.to.Said(j, d.by)
		switch {
		case had != nil && had.By != d.by && has == nil:
			d.answerReplacement(i, j)
		case has != nil && has.By == d.by && (had == nil || !equal(*had, *has)):
			d.replace(i, has.ICE, has.RawUDP)
		case old == nil || new == nil || old.ICE == nil || new.ICE == nil || len(old.ICE.Fingerprints) == 0:
		case sameFingerprints(old.ICE.Fingerprints, new.ICE.Fingerprints) || d.at.Contents[i].Pending:
		case !d.profile.NewCredential:
			d.tell("fingerprint", old.Name, "the client takes no new fingerprint inside a session")
		case d.replace(i, new.ICE, nil):
			if theirs := d.to.Said(j, d.by.Other()); theirs != nil && has == nil {
				d.answered(jingle.Stanza{Action: jingle.TransportAccept, Contents: []jingle.Content{withICE(keyOf(d.at.Contents[i]), theirs.ICE)}})
			}
		}
	})
}

func withICE(c jingle.Content, t *jingle.Transport) jingle.Content {
	c.ICE = t
	return c
}

func (d *differ) replace(i int, ice *jingle.Transport, raw *jingle.RawUDP) bool {
	c := withICE(keyOf(d.at.Contents[i]), ice)
	c.RawUDP = raw
	return d.do(jingle.Stanza{Action: jingle.TransportReplace, Contents: []jingle.Content{c}})
}

// answerReplacement accepts a transport if the target has it, and rejects it else.
func (d *differ) answerReplacement(i, j int) {
	r := d.at.Contents[i].Replacement
	mine, theirs := d.to.Said(j, d.by), d.to.Said(j, d.by.Other())
	c := keyOf(d.at.Contents[i])
	if r.ICE != nil && mine != nil && mine.ICE != nil && theirs != nil && sameCredentials(theirs.ICE, r.ICE) {
		if d.do(jingle.Stanza{Action: jingle.TransportAccept, Contents: []jingle.Content{withICE(c, mine.ICE)}}) {
			return
		}
	}
	c.ICE, c.RawUDP = &jingle.Transport{}, nil
	if r.ICE == nil {
		c.ICE, c.RawUDP = nil, &jingle.RawUDP{}
	}
	d.do(jingle.Stanza{Action: jingle.TransportReject, Contents: []jingle.Content{c}})
}

// restarts tells new ICE credentials: as a restart, in the client's form, or as the answer to one.  The stanza has all contents that
// share a transport: stanza (12.21) goes by index, and Conversations (2.19) by the credentials that are common to all.
func (d *differ) restarts() {
	var offer, answer []jingle.Content
	d.each(func(i, j int) {
		old, new := d.at.Said(i, d.by), d.to.Said(j, d.by)
		switch {
		case old == nil || new == nil || old.ICE == nil || new.ICE == nil || old.ICE.Ufrag == "" || new.ICE.Ufrag == "":
		case sameCredentials(old.ICE, new.ICE):
		case d.at.Contents[i].ICE[d.by].Owed:
			answer = append(answer, withICE(keyOf(d.at.Contents[i]), credentials(new.ICE, true)))
		case d.profile.Restart == jingle.RestartNone, d.profile.InitiatorRestart && d.by == jingle.Responder:
			d.tell("ice", old.Name, "the client takes no ICE restart")
		default:
			offer = append(offer, withICE(keyOf(d.at.Contents[i]), credentials(new.ICE, d.profile.Restart == jingle.RestartInfo)))
		}
	})
	for _, contents := range [][]jingle.Content{answer, offer} {
		if len(contents) > 0 {
			d.do(jingle.Stanza{Action: jingle.TransportInfo, Contents: contents})
		}
	}
}

// credentials is a transport as a restart has it.
func credentials(t *jingle.Transport, candidates bool) *jingle.Transport {
	out := &jingle.Transport{TCP: t.TCP, ICE2: t.ICE2, Ufrag: t.Ufrag, Pwd: t.Pwd, Options: t.Options}
	if candidates {
		out.Candidates, out.GatheringComplete = t.Candidates, t.GatheringComplete
	}
	return out
}

// candidates tells those that are new.
func (d *differ) candidates() {
	d.each(func(i, j int) {
		old, new := d.at.Said(i, d.by), d.to.Said(j, d.by)
		if old == nil || new == nil || !sameCredentials(old.ICE, new.ICE) {
			return
		}
		t := credentials(new.ICE, true)
		t.Candidates = slices.DeleteFunc(slices.Clone(new.ICE.Candidates), func(c jingle.Candidate) bool {
			return slices.ContainsFunc(old.ICE.Candidates, func(y jingle.Candidate) bool { return sameCandidate(c, y) })
		})
		t.GatheringComplete = new.ICE.GatheringComplete && !old.ICE.GatheringComplete
		if !equal(new.ICE.RemoteCandidates, old.ICE.RemoteCandidates) {
			t.RemoteCandidates = new.ICE.RemoteCandidates
		}
		if len(t.Candidates) > 0 || t.GatheringComplete || len(t.RemoteCandidates) > 0 {
			d.do(jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{withICE(keyOf(d.at.Contents[i]), t)}})
		}
	})
}
