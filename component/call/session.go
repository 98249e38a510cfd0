package call

import (
	"errors"
	"hash/fnv"
	"slices"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/sdpconv"
)

// session is a call between one of our tabs and an XMPP peer: what outgoing and incoming calls share.
//
// It is the triple (tab, peer, sid) once the peer's device is fixed.  A stanza of any other triple does not belong to it
// and is answered as if the session did not exist.
type session struct {
	core
	sid      string
	tab      jid.JID     // speaks for us: full JID
	peer     jid.JID     // who was called, then the device that proceeded; or who calls
	pages    pages       // the tabs that have a part in the call
	proposed bool        // the call began with a XEP-0353 propose
	role     jingle.Role // ours
	jingle   jingle.State

	agreed  jingle.Session // what both parties have acknowledged
	lines   sdpconv.Lines  // of the tab's peer connection
	version int            // of the last SDP written for the tab
	neg     *negotiation   // nil while nothing changes

	overdueOffer sdpconv.Lines // after an offer that the tab has not answered in time; nil for none
	queue        []jingle.Stanza
	forsaken     map[int]jingle.Stanza // by tag: actions whose replies nothing waits for any more
	withdrawn    []string              // names of contents that we took back
	shown        map[key]shown

	up uplink
	pulse

	rang          bool
	warnedRestart bool
	kept          int // bytes that the peer has this call keep, no less than it does
	unsaid        infos
	tags          int            // the last tag given to a request; they begin with 1
	disco         int            // tag of our disco#info request; 0 for none
	profile       jingle.Profile // of the peer's device
	opening       int            // tag of our session-initiate or session-accept, whose error ends the call; 0 for none
}

// speaks tells whether a stanza from one address to another belongs to the session.
func (s *session) speaks(from, to jid.JID) bool {
	return s.jingle != jingle.None && from.Equal(s.peer) && to.Equal(s.tab)
}

// request sends a Jingle action to the peer and returns its tag.
func (s *session) request(j jingle.Stanza) int {
	j.SID = s.sid
	s.tags++
	s.emit(SendRequest{Tag: s.tags, From: s.tab, To: s.peer, Jingle: j, For: s.profile, By: s.role})
	return s.tags
}

// ask asks the peer's device what it is.  A call goes on without the answer.
func (s *session) ask() {
	s.tags++
	s.disco = s.tags
	s.emit(SendDisco{Tag: s.disco, From: s.tab, To: s.peer})
}

// advance takes the Jingle session through an action.  The error is what the peer is answered.
func (s *session) advance(a jingle.Action, by jingle.Role) *jingle.Error {
	next, err := s.jingle.Next(a, by)
	if err != nil {
		var refusal *jingle.Error
		if errors.As(err, &refusal) {
			return refusal
		}
		return jingle.ErrOutOfOrder
	}
	s.jingle = next
	return nil
}

// handle takes the inputs that mean the same in every state and direction.
func (s *session) handle(in Input) {
	switch in := in.(type) {
	case BrowserOffer:
		s.browserOffer(in)
	case BrowserAnswer:
		s.browserAnswer(in)
	case BrowserAccept:
		s.refuse(in.Tab, refusedAccept)
	case BrowserCross:
		s.refuse(in.Tab, refusedAccept)
	case BrowserDecline:
		s.refuse(in.Tab, refusedAccept)
	case BrowserCandidate:
		s.browserCandidate(in)
	case BrowserHangUp:
		s.hangUp()
	case BrowserMedia:
		s.media(in)
	case BrowserInfo:
		s.browserInfo(in)
	case BrowserLost:
		s.pageLost(in.Tab)
	case BrowserBack:
		s.pageBack(in.Tab)
	case BrowserGone:
		s.pageGone(in.Tab)
	case PeerMessage:
		s.message(in)
	case PeerRequest:
		s.peerRequest(in)
	case PeerReply:
		s.reply(in)
	case PeerUnavailable:
		s.unavailable(in)
	case Timeout:
		s.timeout(in.Timer)
	case Shutdown:
		s.giveUp(in.outcome())
	}
}

func (s *session) browserOffer(in BrowserOffer) {
	if !s.state.accepted() {
		s.refuse(in.Tab, refusedOffer)
		return
	}
	s.reoffer(in)
}

func (s *session) browserAnswer(in BrowserAnswer) {
	if !s.state.accepted() {
		s.refuse(in.Tab, refusedAnswer)
		return
	}
	s.reanswer(in)
}

// over answers what needs no look at the call: inputs after its end, and frames of tabs that have no part in it.
func (s *session) over(in Input) bool {
	if tab, ok := tabOf(in); ok && s.pages.find(tab) == nil {
		s.turnAway(in, refusedOver)
		return true
	}
	if s.state == Over {
		s.afterwards(in)
		return true
	}
	return false
}

func (s *session) hangUp() {
	switch {
	case s.state.accepted():
		s.giveUp(HungUp)
	case s.role == jingle.Initiator:
		s.giveUp(Cancelled)
	default: // accepted by the person, not yet by the session: Dino shows any other reason as a failure
		s.giveUpWith(HungUp, jingle.Reason{Condition: jingle.Decline})
	}
}

// timeout ends the call where the state's own time is over.  A timer that does not run is one that was stopped too late.
func (s *session) timeout(t Timer) {
	if !s.fired(t) {
		return
	}
	switch t {
	case TimerPing:
		s.pingDue()
	case TimerOutage:
		s.giveUp(ConnectionLost)
	case TimerChange, TimerAsk:
		s.overdue()
	case TimerGrace:
		s.giveUp(PageLost)
	case TimerAnswer:
		if s.state.accepted() {
			s.unanswered()
			return
		}
		s.giveUp(deadlines[s.state].outcome)
	default:
		s.giveUp(deadlines[s.state].outcome)
	}
}

// message takes XEP-0353 once a device is fixed; what comes before is the business of outgoing and incoming.
func (s *session) message(in PeerMessage) {
	if in.Message.ID != s.sid || in.Message.Kind != jingle.Finish || !s.speaks(in.From, in.To) {
		return
	}
	s.conclude(s.verdict(in.Message.Reason))
}

// peerRequest answers a Jingle IQ, whatever it is.
func (s *session) peerRequest(in PeerRequest) {
	if in.Jingle.SID != s.sid || !s.speaks(in.From, in.To) {
		s.answer(in, jingle.ErrUnknownSession)
		return
	}
	a, fits := s.admit(in.Jingle)
	switch {
	case !fits && a.Action == jingle.TransportInfo:
		s.answer(in, nil)
		return
	case !fits:
		s.answer(in, jingle.ErrTooMuch)
		return
	}
	in.Jingle = s.profile.Read(a, s.role.Other())
	whole := s.profile.AcceptsWhole || s.profile.Version == "" // Movim (0.34) answers every change with a session-accept
	if whole && in.Jingle.Action == jingle.SessionAccept && s.state.accepted() {
		s.peerChange(in)
		return
	}
	if err := s.advance(in.Jingle.Action, s.role.Other()); err != nil {
		s.answer(in, err)
		return
	}
	switch in.Jingle.Action {
	case jingle.SessionAccept:
		s.peerAccept(in)
	case jingle.SessionTerminate:
		s.answer(in, nil)
		s.conclude(s.verdict(in.Jingle.Reason))
	case jingle.SessionInfo:
		s.peerInfo(in)
	case jingle.SecurityInfo:
		s.answer(in, nil)
	default:
		if !s.state.accepted() {
			s.peerEarly(in)
			return
		}
		s.peerChange(in)
	}
}

// peerAccept takes the session-accept.
func (s *session) peerAccept(in PeerRequest) {
	next, err := sdpconv.Apply(s.agreed, in.Jingle, s.role.Other())
	if err != nil {
		s.unusable(in, err)
		return
	}
	s.agreed = next
	sdp, d, err := s.first(sdpconv.Answer)
	if err != nil {
		s.unusable(in, err)
		return
	}
	s.answer(in, nil)
	s.opening = 0
	s.show(RemoteAnswer{SDP: sdp}, d)
	s.move(accept)
	s.sayHeld()
	s.ping()
	s.drain()
}

// peerEarly takes an action about contents while the session is not accepted.  What adds to it waits until it is, and so does everything
// while a tab has an offer to answer.
func (s *session) peerEarly(in PeerRequest) {
	a, them := s.known(in.Jingle), s.role.Other()
	next, err := sdpconv.Apply(s.agreed, a, them)
	waits := a.Action == jingle.ContentAdd || a.Action == jingle.TransportReplace || s.state == Answering
	switch {
	case a.Action == jingle.TransportInfo && (err != nil || !sdpconv.Restarts(s.agreed, next, them)):
		s.answer(in, nil)
		s.agreed = next
		s.tellCandidates()
	case a.Action == jingle.ContentRemove && (err != nil && len(a.Contents) > 0 || err == nil && len(next.Contents) == 0):
		s.answer(in, nil)
		if err == nil {
			s.giveUp(s.verdict(a.Reason))
		}
	case err != nil:
		s.answer(in, refusalOf(err))
	case waits && len(s.queue) >= maxQueue:
		s.answer(in, jingle.ErrTooMuch)
	case waits:
		s.answer(in, nil)
		s.enqueue(a)
	default:
		s.answer(in, nil)
		s.agreed = next
	}
}

// tellRinging says once that a device of the peer rings.
func (s *session) tellRinging() {
	if !s.rang {
		s.rang = true
		s.tell(s.tab, RemoteRinging{})
	}
}

// reply takes the reply of a request.  Those of transport-info, session-info and session-terminate do not matter: Monal
// answers single bad candidates with errors and goes on.
func (s *session) reply(in PeerReply) {
	switch {
	case in.Tag <= 0: // none of ours
	case in.Tag == s.pingTag:
		s.pong(in)
	case in.Tag == s.disco:
		s.disco = 0
		if in.Err == nil {
			s.profile = jingle.ProfileOf(in.Disco)
		}
	case in.Tag == s.opening && in.Err != nil:
		s.giveUp(s.refusal(in.Err))
	case s.local() && s.neg.current != nil && in.Tag == s.neg.tag:
		s.acknowledged(in)
	case s.forsaken[in.Tag].Action != "":
		s.late(in)
	}
}

// first writes the SDP with which the tab learns of the peer: its answer, or the offer of a peer that calls.
func (s *session) first(t sdpconv.Type) (string, jingle.Description, error) {
	d := sdpconv.Describe(s.agreed, s.role.Other(), t)
	d.Contents = slices.DeleteFunc(d.Contents, func(c jingle.Content) bool { return !audible(c) })
	s.keepOneByte(d, t)
	for i := range d.Contents {
		if c := &d.Contents[i]; c.ICE != nil {
			ice := *c.ICE
			ice.Candidates = slices.DeleteFunc(slices.Clone(ice.Candidates), func(x jingle.Candidate) bool { return x.Component != 1 })
			ice.Candidates = ice.Candidates[:min(len(ice.Candidates), sdpconv.MaxCandidates)]
			c.ICE = &ice
		}
	}
	sdp, lines, losses, err := sdpconv.ToSDP(d, s.role.Other(), t, s.lines, s.origin())
	if err != nil {
		return "", d, err
	}
	s.lines = lines
	s.note(losses)
	return sdp, sdpconv.Describe(s.agreed, s.role.Other(), t), nil
}

// audible tells whether a content is sound or picture.  Firefox refuses a whole SDP for a section of text.
func audible(c jingle.Content) bool { return c.RTP != nil && c.RTP.Media != "text" }

// forTab is what the peer says, for a later SDP.  It leaves out what the tab has closed and a peer without content-remove keeps, and
// the candidates, which go one by one: libwebrtc drops the working pair when an ICE restart comes with new ones at once.
func (s *session) forTab(t sdpconv.Type, lines sdpconv.Lines) jingle.Description {
	d := sdpconv.Describe(s.agreed, s.role.Other(), t)
	d.Contents = slices.DeleteFunc(d.Contents, func(c jingle.Content) bool {
		i, at := s.agreed.Find(c.Creator, c.Name), lines.Find(c.Creator, c.Name)
		fresh := i >= 0 && (s.agreed.Contents[i].Pending || s.agreed.Contents[i].Implied)
		return !audible(c) || !fresh && (at < 0 || lines[at].State != sdpconv.Live)
	})
	s.keepOneByte(d, t)
	for i := range d.Contents {
		if c := &d.Contents[i]; c.ICE != nil {
			ice := *c.ICE
			ice.Candidates, ice.GatheringComplete = nil, false
			c.ICE = &ice
		}
	}
	return d
}

// keepOneByte leaves out of an offer the header extensions whose numbers need two bytes (RFC 8285 section 4.3): Firefox 153 refuses a whole SDP
// for one, and an answer has those that the tab has offered itself.
func (s *session) keepOneByte(d jingle.Description, t sdpconv.Type) {
	const most = 14
	long := func(x jingle.HdrExt) bool { return x.ID > most }
	for i := range d.Contents {
		c := &d.Contents[i]
		if t != sdpconv.Offer || c.RTP == nil || !slices.ContainsFunc(c.RTP.HdrExts, long) {
			continue
		}
		rtp := *c.RTP
		rtp.HdrExts = slices.DeleteFunc(slices.Clone(rtp.HdrExts), long)
		c.RTP = &rtp
		s.note([]sdpconv.Loss{{Line: "a=extmap", Reason: "number above 14 in content " + c.Name + ", which Firefox does not take"}})
	}
}

// describe makes our description from SDP of the tab: encrypted RTP contents only, with the candidates that may be sent.
func (s *session) describe(sdp string, lines sdpconv.Lines) (jingle.Description, sdpconv.Lines, error) {
	d, lines, losses, err := sdpconv.FromSDP(sdp, s.role, lines)
	if err != nil {
		return d, nil, err
	}
	ours := jingle.Description{}
	for _, c := range d.Contents {
		if c.RTP != nil && c.ICE != nil && len(c.ICE.Fingerprints) > 0 {
			ours.Contents = append(ours.Contents, s.forPeer(c))
		}
	}
	if len(ours.Contents) == 0 {
		return ours, nil, sdpconv.ErrNoMedia
	}
	ours.Groups = groupsOf(d.Groups, ours.Contents)
	s.note(losses)
	return ours, lines, nil
}

// groupsOf leaves out of the groups the names that are no content.
func groupsOf(groups []jingle.Group, contents []jingle.Content) []jingle.Group {
	var kept []jingle.Group
	for _, g := range groups {
		group := jingle.Group{Semantics: g.Semantics}
		for _, name := range g.Names {
			if slices.ContainsFunc(contents, func(c jingle.Content) bool { return c.Name == name }) {
				group.Names = append(group.Names, name)
			}
		}
		if len(group.Names) > 0 {
			kept = append(kept, group)
		}
	}
	return kept
}

// mediaOf lists the media of a description, each once, in order.
func mediaOf(contents []jingle.Content) []string {
	var media []string
	for _, c := range contents {
		if c.RTP != nil && !slices.Contains(media, c.RTP.Media) {
			media = append(media, c.RTP.Media)
		}
	}
	return media
}

// origin makes the o= line of the SDP that we write towards the tab.
func (s *session) origin() sdpconv.Origin {
	h := fnv.New64a()
	h.Write([]byte(s.sid))
	s.version++
	return sdpconv.Origin{ID: h.Sum64() >> 1, Version: s.version + 1}
}

// note reports what a translation could not express.
func (s *session) note(losses []sdpconv.Loss) {
	if len(losses) > 0 {
		s.emit(Untranslated{Losses: losses})
	}
}
