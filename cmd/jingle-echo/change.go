package main

import (
	"errors"
	"slices"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/sdpconv"
)

// change takes an action of the peer that changes what is agreed on.
func (s *session) change(r request) *ending {
	if s.changes++; s.changes > maxChanges && r.stanza.Action != jingle.TransportInfo {
		s.account.refuse(r.iq, errOverloaded)
		return nil
	}
	if s.restarting() && renegotiates(r.stanza.Action) {
		if len(s.later) >= maxAsked {
			s.account.refuse(r.iq, errOverloaded)
			return nil
		}
		s.later = append(s.later, r)
		return nil
	}
	next, err := sdpconv.Apply(s.agreed, r.stanza, s.them())
	if err != nil && r.stanza.Action == jingle.TransportInfo {
		// It may be late for its content, and Conversations (2.19) ends the call over an error.
		s.log.Debug("transport-info dropped", "err", err)
		s.account.result(r.iq, nil)
		return nil
	}
	if err != nil {
		s.account.refuse(r.iq, stanzaError(err))
		return nil
	}
	if s.tied(r.stanza, next) {
		s.account.refuse(r.iq, jingle.ErrTieBreak)
		return nil
	}
	s.account.result(r.iq, nil)
	s.log.Info("the peer changes the call", "action", r.stanza.Action)
	before := s.agreed
	s.agreed = next
	end := s.carryOut(r.stanza, before)
	s.letSenders()
	if end == nil && len(s.agreed.Contents) == 0 {
		return &ending{jingle.Success, "no content is left"}
	}
	return end
}

// renegotiates tells the actions that a peer connection cannot take in the middle of an ICE restart.
func renegotiates(a jingle.Action) bool {
	return slices.Contains([]jingle.Action{
		jingle.ContentAdd, jingle.ContentAccept, jingle.ContentRemove, jingle.TransportReplace, jingle.DescriptionInfo,
	}, a)
}

func (s *session) restarting() bool {
	return slices.ContainsFunc(s.legs, func(l *leg) bool { return l.restarting })
}

// carryOut does in the peer connections what has been applied.
func (s *session) carryOut(a jingle.Stanza, before jingle.Session) *ending {
	switch a.Action {
	case jingle.TransportInfo:
		return s.transportInfo(a)
	case jingle.ContentAdd:
		return s.each(a, s.contentAdd)
	case jingle.ContentAccept:
		return s.each(a, s.contentAccepted)
	case jingle.ContentReject:
		s.log.Info("the peer rejects a content", "reason", reasonText(a.Reason))
		return s.removed()
	case jingle.ContentRemove:
		return s.removed()
	case jingle.TransportReplace:
		return s.each(a, s.transportReplace)
	case jingle.DescriptionInfo:
		return s.described(a, before)
	}
	return nil
}

func (s *session) each(a jingle.Stanza, do func(i int) *ending) *ending {
	for _, c := range a.Contents {
		if i := s.agreed.Find(c.Creator, c.Name); i >= 0 {
			if end := do(i); end != nil {
				return end
			}
		}
	}
	s.candidates(a.Contents)
	return nil
}

// says returns what the peer says of the contents of a leg that are still agreed on.
func (s *session) says(l *leg) []jingle.Content {
	var all []jingle.Content
	for _, c := range l.remote {
		i := s.agreed.Find(c.Creator, c.Name)
		if i < 0 {
			continue
		}
		if said := s.agreed.Said(i, s.them()); said != nil && said.ICE != nil {
			all = append(all, *said)
		}
	}
	return all
}

// letSenders lets the echoes send that may.
func (s *session) letSenders() {
	for _, l := range s.legs {
		l.let(func(creator jingle.Role, content string, kind webrtc.RTPCodecType) bool {
			i := s.agreed.Find(creator, content)
			return i >= 0 && !s.agreed.Contents[i].Pending && s.agreed.Contents[i].Senders.Sends(s.role) &&
				!s.held && !(s.muted && kind == webrtc.RTPCodecTypeAudio)
		})
	}
}

func (s *session) transportInfo(a jingle.Stanza) *ending {
	for _, l := range s.legs {
		if end := s.renewed(l); end != nil {
			return end
		}
	}
	s.candidates(a.Contents)
	if s.restarting() || len(s.later) == 0 {
		return nil
	}
	waiting := s.later
	s.later = nil
	for i, r := range waiting {
		if end := s.change(r); end != nil {
			s.later = append(s.later, waiting[i+1:]...)
			return end
		}
	}
	return nil
}

// contentAdd echoes a content that the peer adds: in the leg of its BUNDLE group or in one of its own.
func (s *session) contentAdd(i int) *ending {
	c := *s.agreed.Said(i, s.them())
	if c.RTP == nil {
		return s.reject(c, jingle.UnsupportedApplications)
	}
	if c.ICE == nil {
		return s.reject(c, jingle.UnsupportedTransports)
	}
	l := s.legOf(c.Name)
	joins := l != nil
	if !joins && len(s.legs) >= maxLegs {
		return s.reject(c, jingle.FailedApplication)
	}
	if !joins {
		var err error
		if l, err = s.newLeg(); err != nil {
			return s.reject(c, jingle.GeneralError)
		}
	}
	described, err := l.answer(append(s.says(l), c))
	ours := named(described.Contents, c.Creator, c.Name)
	switch {
	case err != nil && joins:
		return &ending{refusal(err), err.Error()} // the other contents of the leg are lost as well
	case ours == nil:
		s.log.Info("a content cannot be echoed", "content", c.Name, "err", err)
		if !joins {
			s.drop(l)
		} else if _, err := l.answer(slices.DeleteFunc(s.says(l), func(x jingle.Content) bool { return x.Creator == c.Creator && x.Name == c.Name })); err != nil {
			return &ending{refusal(err), err.Error()}
		}
		return s.reject(c, jingle.UnsupportedApplications)
	}
	accept := jingle.Stanza{Action: jingle.ContentAccept, Contents: []jingle.Content{*ours}}
	if joins {
		accept.Groups = described.Groups
	} else {
		s.patience.Reset(connectLimit)
	}
	s.answer(accept)
	s.sendToo(i)
	return nil
}

// sendToo asks to send in a content in which only the peer sends: Dino (0.4.2) adds its camera so.
func (s *session) sendToo(i int) {
	if c := s.agreed.Contents[i]; c.Senders == only(s.them()) {
		s.modify(c, jingle.SendersBoth)
	}
}

// modify asks for another direction of a content, which counts once the peer agrees.
func (s *session) modify(c jingle.Shared, senders jingle.Senders) {
	a := jingle.Stanza{Action: jingle.ContentModify, Contents: []jingle.Content{{Creator: c.Creator, Name: c.Name, Senders: senders}}}
	s.ask(a, func(err *jingle.Error) *ending {
		if err != nil {
			s.log.Info("the peer refused another direction", "content", c.Name, "err", err)
			return nil
		}
		s.mine(a)
		s.letSenders()
		return nil
	})
}

func (s *session) reject(c jingle.Content, reason jingle.Condition) *ending {
	s.answer(jingle.Stanza{
		Action: jingle.ContentReject, Reason: &jingle.Reason{Condition: reason},
		Contents: []jingle.Content{{Creator: c.Creator, Name: c.Name, Senders: c.Senders}},
	})
	return nil
}

// legOf returns the leg that a content shares by the peer's BUNDLE group, or nil.
func (s *session) legOf(name string) *leg {
	for _, g := range s.agreed.Of[s.them()].Groups {
		if g.Semantics != "BUNDLE" || !slices.Contains(g.Names, name) {
			continue
		}
		for _, l := range s.legs {
			if l.grouped && slices.ContainsFunc(l.remote, func(c jingle.Content) bool { return slices.Contains(g.Names, c.Name) }) {
				return l
			}
		}
	}
	return nil
}

func (s *session) newLeg() (*leg, error) {
	l, err := s.account.media.newLeg(s.role, s.legs[0].stream, s.post)
	if err != nil {
		s.log.Warn("no peer connection", "err", err)
		return nil, err
	}
	s.legs = append(s.legs, l)
	return l, nil
}

// drop closes a leg.  That waits for what it posts, so it is not done here.
func (s *session) drop(l *leg) {
	s.legs = slices.DeleteFunc(s.legs, func(x *leg) bool { return x == l })
	s.closing.Go(l.close)
}

// removed takes the contents that are gone out of the peer connections.
func (s *session) removed() *ending {
	for _, l := range slices.Clone(s.legs) {
		l.keepPictures(func(content string) bool { return s.agreed.Has(s.role, content) })
		left := s.says(l)
		switch {
		case len(left) == 0 && !l.proposes():
			s.drop(l)
		case len(left) == len(l.remote), len(left) == 0:
		default:
			if _, err := l.answer(left); err != nil {
				return &ending{refusal(err), err.Error()}
			}
		}
	}
	return nil
}

// described deals with sources that are new: pion has to be told of them.
func (s *session) described(a jingle.Stanza, before jingle.Session) *ending {
	for _, c := range a.Contents {
		i, j := s.agreed.Find(c.Creator, c.Name), before.Find(c.Creator, c.Name)
		if i < 0 || j < 0 {
			continue
		}
		now, then := s.agreed.Said(i, s.them()), before.Said(j, s.them())
		if now == nil || then == nil || now.RTP == nil || then.RTP == nil || slices.EqualFunc(now.RTP.Sources, then.RTP.Sources, sameSource) {
			continue
		}
		for _, l := range s.legs {
			if !l.has(*now) {
				continue
			}
			_, err := l.answer(s.says(l))
			if err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) { // then its transport may be replaced next
				return &ending{refusal(err), err.Error()}
			}
		}
	}
	return nil
}

func sameSource(a, b jingle.Source) bool { return a.SSRC == b.SSRC }
