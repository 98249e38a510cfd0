package main

import (
	"errors"
	"slices"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/sdpconv"
)

// candidates gives the peer's candidates to the legs they belong to.
func (s *session) candidates(contents []jingle.Content) {
	for _, c := range contents {
		for _, l := range s.legs {
			if c.ICE == nil || l.content != c.Name {
				continue
			}
			if err := l.add(c.ICE); err != nil {
				s.log.Debug("candidate dropped", "err", err)
			}
		}
	}
}

// trickle sends one of our candidates: one content, one candidate, with the credentials, as the strictest clients want it.
func (s *session) trickle(l *leg, line string) {
	if l.restartID != "" { // Conversations takes candidates after the acknowledgement only
		l.held = append(l.held, line)
		return
	}
	candidate, ufrag, err := sdpconv.ParseCandidate(line)
	if err != nil || !sdpconv.Sendable(candidate) || ufrag != "" && ufrag != l.ufrag {
		return
	}
	candidate.ID, candidate.Generation = newID(), l.generation
	if l.owed {
		l.owed = false
		s.send(s.credentials(l, candidate))
		return
	}
	s.send(jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{{
		Creator: l.creator, Name: l.content, ICE: &jingle.Transport{Ufrag: l.ufrag, Pwd: l.pwd, Candidates: []jingle.Candidate{candidate}},
	}}})
}

// credentials is a transport-info with our credentials for all contents of a leg, in their order, and candidates for the first.
// Conversations (2.19) takes it for its peer's ICE restart without candidates, and for the answer to its own with some.
func (s *session) credentials(l *leg, candidates ...jingle.Candidate) jingle.Stanza {
	info := jingle.Stanza{Action: jingle.TransportInfo}
	for i, c := range l.remote {
		ice := &jingle.Transport{Ufrag: l.ufrag, Pwd: l.pwd}
		if i == 0 {
			ice.Candidates = candidates
		}
		info.Contents = append(info.Contents, jingle.Content{Creator: c.Creator, Name: c.Name, ICE: ice})
	}
	s.mine(info)
	return info
}

// mine applies an action of ours to what is agreed on.
func (s *session) mine(a jingle.Stanza) {
	next, err := sdpconv.Apply(s.agreed, a, s.role)
	if err != nil {
		s.log.Warn("an action of ours does not fit", "action", a.Action, "err", err)
		return
	}
	s.agreed = next
}

func (s *session) connection(e connection) *ending {
	e.leg.connected = e.state == webrtc.PeerConnectionStateConnected
	if !slices.Contains(s.legs, e.leg) {
		return nil // replaced or removed meanwhile
	}
	switch e.state {
	case webrtc.PeerConnectionStateFailed:
		return &ending{jingle.ConnectivityError, "media failed"}
	case webrtc.PeerConnectionStateClosed: // a peer that was loaded anew says so and may replace the transport
		s.patience.Reset(connectLimit)
	case webrtc.PeerConnectionStateConnected:
		s.log.Info("transport connected", "content", e.leg.content)
		s.settled()
	}
	return nil
}

// settled ends the wait for media when nothing is missing.
func (s *session) settled() {
	for _, l := range s.legs {
		if len(l.remote) > 0 && (!l.connected || l.restarting) {
			return
		}
	}
	s.patience.Stop()
	s.log.Info("media connected", "transports", len(s.legs))
}

// restart begins an ICE restart (XEP-0176 section 5.7) of one transport.  Its candidates follow when the peer has acknowledged it.
func (s *session) restart(l *leg) *ending {
	if err := l.restart(); err != nil {
		return &ending{jingle.GeneralError, err.Error()}
	}
	s.patience.Reset(connectLimit)
	l.restartID = s.ask(s.credentials(l), func(err *jingle.Error) *ending {
		return s.restartAnswered(l, err)
	})
	return nil
}

func (s *session) restartAnswered(l *leg, err *jingle.Error) *ending {
	held := l.held
	l.restartID, l.held = "", nil
	switch {
	case err == nil:
	case err.Jingle == jingle.ErrTieBreak.Jingle:
		// The peer, as initiator, goes on with its own; ours has become the answer to it, or will.
		l.owed = true
	default:
		// pion has given up the old path, so there is none.
		return &ending{jingle.ConnectivityError, "the peer refused an ICE restart: " + err.Error()}
	}
	for _, line := range held {
		s.trickle(l, line)
	}
	return nil
}

// renewed deals with credentials of the peer that are new to a leg: the answer to our restart or a restart of its own.
func (s *session) renewed(l *leg) *ending {
	says := s.says(l)
	if len(says) == 0 || says[0].ICE.Ufrag == l.remoteUfrag {
		return nil
	}
	s.patience.Reset(connectLimit)
	if l.restarting {
		s.log.Info("the peer answers our ICE restart", "content", l.content, "crossed", l.restartID != "")
		if err := l.conclude(says); err != nil {
			return &ending{jingle.FailedTransport, err.Error()}
		}
		// Unacknowledged, ours crossed one of the peer: the initiator's counts, and our credentials are the answer to it.
		l.restarting, l.owed = false, l.owed || l.restartID != ""
		return nil
	}
	s.log.Info("the peer restarts ICE", "content", l.content)
	if _, err := l.answer(says); err != nil {
		return &ending{jingle.FailedTransport, err.Error()}
	}
	l.owed = true
	return nil
}

// transportReplace takes another ICE transport.  The same certificate means an ICE restart; a new one a new association, and so a new
// peer connection for all that the transport carries.
func (s *session) transportReplace(i int) *ending {
	shared, said := s.agreed.Contents[i], s.agreed.Said(i, s.them())
	at := slices.IndexFunc(s.legs, func(l *leg) bool { return l.has(*said) })
	ice := shared.Replacement.ICE
	answer := jingle.Content{Creator: shared.Creator, Name: shared.Name, ICE: ice, RawUDP: shared.Replacement.RawUDP}
	if ice == nil || at < 0 {
		s.answer(jingle.Stanza{
			Action: jingle.TransportReject, Contents: []jingle.Content{answer}, Reason: &jingle.Reason{Condition: jingle.UnsupportedTransports},
		})
		return nil
	}
	l, described := s.legs[at], jingle.Description{}
	known := ice.Ufrag == l.remoteUfrag && (len(ice.Fingerprints) == 0 || slices.EqualFunc(ice.Fingerprints, l.remotePrints, sameFingerprint))
	if l.content == shared.Name && !known {
		var err error
		if l, described, err = s.replace(l, ice); err != nil {
			return &ending{jingle.FailedTransport, err.Error()}
		}
		s.patience.Reset(connectLimit)
	}
	answer.ICE = &jingle.Transport{Ufrag: l.ufrag, Pwd: l.pwd, Fingerprints: l.prints}
	s.answer(jingle.Stanza{Action: jingle.TransportAccept, Contents: []jingle.Content{answer}})
	if l != s.legs[at] {
		s.legs[at], l = l, s.legs[at]
		s.closing.Go(l.close)
		s.sendSources(described)
	}
	return nil
}

// replace moves a leg to another transport of the peer.  The leg it returns is another one if the certificate is.
func (s *session) replace(l *leg, ice *jingle.Transport) (*leg, jingle.Description, error) {
	says := s.says(l)
	moved, same := *ice, slices.EqualFunc(ice.Fingerprints, l.remotePrints, sameFingerprint)
	if len(ice.Fingerprints) == 0 {
		moved.Fingerprints, same = l.remotePrints, true
	}
	says[0].ICE = &moved
	s.log.Info("the peer replaces a transport", "content", l.content, "restart", same)
	if same {
		described, err := l.answer(says)
		if !errors.Is(err, webrtc.ErrConnectionClosed) {
			return l, described, err
		}
	}
	to, err := s.account.media.newLeg(s.role, l.stream, s.post)
	if err != nil {
		return nil, jingle.Description{}, err
	}
	to.grouped = l.grouped
	described, err := to.answer(says)
	if err != nil {
		s.closing.Go(to.close)
	}
	return to, described, err
}

func sameFingerprint(a, b jingle.Fingerprint) bool { return a.Hash == b.Hash && a.Value == b.Value }

// sendSources tells the sources of a new peer connection (XEP-0339): a transport-accept has no room for them.
func (s *session) sendSources(d jingle.Description) {
	for _, c := range d.Contents {
		s.answer(jingle.Stanza{Action: jingle.DescriptionInfo, Contents: []jingle.Content{{
			Creator: c.Creator, Name: c.Name, Senders: c.Senders,
			RTP: &jingle.RTP{Media: c.RTP.Media, Sources: c.RTP.Sources, SourceGroups: c.RTP.SourceGroups},
		}}})
	}
}

// answer takes and sends an action of ours that needs no consent.
func (s *session) answer(a jingle.Stanza) {
	s.mine(a)
	s.send(a)
}
