package call

import (
	"slices"
	"strings"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

// maxID bounds the ids of calls, which strangers choose, in bytes.
const maxID = 256

// incoming is a call from an XMPP client to our tabs.
type incoming struct {
	session
	media []string // that were proposed
	offer *written // nil before the peer's session-initiate, and once the tab has it
}

// written is the offer for the tab, and the session that it was made of.
type written struct {
	sdp string
	d   jingle.Description
	of  jingle.Session
}

// NewIncoming makes the call of a propose to an address of ours: tabs are its full JIDs that can ring.
func NewIncoming(cfg Config, propose PeerMessage, tabs []jid.JID) (Machine, []Output) {
	i := &incoming{media: slices.Clone(propose.Message.Media)}
	for n := range i.media {
		i.media[n] = strings.Clone(i.media[n])
	}
	i.session = session{
		core:     core{cfg: cfg, state: Ringing},
		sid:      strings.Clone(propose.Message.ID),
		tab:      propose.To,
		peer:     propose.From,
		pages:    newPages(tabs...),
		role:     jingle.Responder,
		proposed: true,
	}
	if len(tabs) > 0 {
		i.tab = tabs[0]
	}
	switch {
	case i.sid == "" || len(i.sid) > maxID:
		i.conclude(Failed) // not a call that could be answered
	case len(tabs) == 0:
		i.giveUp(PeerUnreachable)
	case len(propose.Message.Media) == 0:
		i.giveUp(Incompatible)
	default:
		i.send(i.peer, jingle.Ringing, nil)
		i.ring(i.media)
	}
	return i, i.flush()
}

// NewDirect makes the call of a session-initiate that nothing announced, addressed to the full JID of a tab.
func NewDirect(cfg Config, initiate PeerRequest) (Machine, []Output) {
	i := &incoming{}
	i.session = session{
		core:  core{cfg: cfg, state: Ringing},
		sid:   strings.Clone(initiate.Jingle.SID),
		tab:   initiate.To,
		peer:  initiate.From,
		pages: newPages(initiate.To),
		role:  jingle.Responder,
	}
	switch {
	case i.sid == "" || len(i.sid) > maxID:
		i.answer(initiate, badRequest("the sid is empty or longer than 256 bytes"))
		i.conclude(Failed)
	case i.established(initiate):
		i.request(jingle.Stanza{Action: jingle.SessionInfo, Info: ringingInfo()})
		i.ring(mediaOf(i.agreed.Of[jingle.Initiator].Contents))
	}
	return i, i.flush()
}

// Handle is described at Machine.
func (i *incoming) Handle(_ time.Time, in Input) []Output {
	if i.over(in) {
		return i.flush()
	}
	switch in := in.(type) {
	case BrowserAccept:
		i.take(in.Tab)
	case BrowserDecline:
		i.decline(in.Tab)
	case BrowserHangUp:
		i.hungUp(in.Tab)
	case BrowserAnswer:
		i.answered(in)
	case PeerMessage:
		i.peerMessage(in)
	case PeerBounce:
		i.bounce(in)
	case PeerRequest:
		i.peerInitiate(in)
	default:
		i.handle(in)
	}
	return i.flush()
}

func (i *incoming) ring(media []string) {
	i.begin(Ringing)
	for _, p := range i.pages {
		i.tell(p.tab, Incoming{From: i.peer.Bare(), Media: media})
	}
}

// take gives the call to the first tab that accepts.  That tab may say so again, not knowing whether it was heard before its socket
// broke.
func (i *incoming) take(tab jid.JID) {
	switch i.state {
	case Ringing:
	case Proceeded, Answering:
		i.tell(tab, Admitted{})
		return
	default:
		i.refuse(tab, refusedAccept)
		return
	}
	i.keep(tab)
	i.tell(tab, Admitted{})
	if !i.proposed {
		i.present()
		i.ask()
		return
	}
	i.move(proceed)
	i.send(i.peer, jingle.Proceed, nil)
	i.ask()
}

// keep leaves the call to one tab; the others stop ringing.
func (i *incoming) keep(tab jid.JID) {
	for _, p := range i.pages.others(tab) {
		i.tell(p.tab, Finished{Outcome: AnsweredElsewhere})
	}
	i.pages = newPages(tab)
	i.tab = tab
	i.stop(TimerGrace)
}

// decline by one tab is the person's word for all.
func (i *incoming) decline(tab jid.JID) {
	if i.state != Ringing {
		i.refuse(tab, refusedAccept)
		return
	}
	i.keep(tab)
	i.giveUp(Declined)
}

func (i *incoming) hungUp(tab jid.JID) {
	if i.state == Ringing {
		i.decline(tab)
		return
	}
	i.hangUp()
}

// present gives the offer to the tab.
func (i *incoming) present() {
	sdp, d, err := i.opened()
	if err != nil { // it was good when the peer sent it, and has changed since
		i.giveUp(Incompatible)
		return
	}
	i.move(present)
	i.show(RemoteOffer{SDP: sdp}, d)
}

// opened returns the first offer, as it was written when the peer's came, or anew where the peer has said more since.
func (i *incoming) opened() (string, jingle.Description, error) {
	o := i.offer
	i.offer = nil
	if o != nil && &o.of.Contents[0] == &i.agreed.Contents[0] { // a change is a copy
		return o.sdp, o.d, nil
	}
	i.lines, i.version = nil, 0
	return i.first(sdpconv.Offer)
}

// peerInitiate takes the session-initiate that our proceed asked for; every other request is the session's.
func (i *incoming) peerInitiate(in PeerRequest) {
	expected := i.state == Proceeded && in.Jingle.Action == jingle.SessionInitiate && in.Jingle.SID == i.sid &&
		in.From.Equal(i.peer) && in.To.Equal(i.tab)
	if !expected {
		i.peerRequest(in)
		return
	}
	if i.established(in) {
		i.present()
	}
}

// established takes a session-initiate.  It reports false when that ended the call.
func (i *incoming) established(in PeerRequest) bool {
	if err := i.advance(in.Jingle.Action, jingle.Initiator); err != nil {
		i.answer(in, err)
		i.conclude(Failed)
		return false
	}
	if kind := i.unproposed(in.Jingle.Contents); kind != "" {
		i.answer(in, nil)
		i.giveUpWith(Failed, jingle.Reason{Condition: jingle.IncompatibleParameters, Text: kind + " was not proposed"})
		return false
	}
	a, fits := i.admit(in.Jingle)
	if !fits {
		i.answer(in, jingle.ErrTooMuch)
		i.conclude(Failed)
		return false
	}
	agreed, err := sdpconv.Apply(jingle.Session{}, i.profile.Read(a, jingle.Initiator), jingle.Initiator)
	if err == nil {
		i.agreed = agreed
		i.offer = &written{of: agreed}
		i.offer.sdp, i.offer.d, err = i.first(sdpconv.Offer)
	}
	if err != nil {
		i.unusable(in, err)
		return false
	}
	i.answer(in, nil)
	return true
}

// unproposed returns a kind of media that the propose did not have, or "": the person has agreed to what rang, and a call for sound
// is not to bring a picture.  Less than was proposed is taken.
func (i *incoming) unproposed(contents []jingle.Content) string {
	for _, kind := range mediaOf(contents) {
		if i.proposed && !slices.Contains(i.media, kind) {
			return kind
		}
	}
	return ""
}

// answered accepts the session.  An answer that cannot be used leaves the tab the rest of its time for another.
func (i *incoming) answered(in BrowserAnswer) {
	if i.state != Answering {
		i.browserAnswer(in)
		return
	}
	ours, lines, err := i.describe(in.SDP, i.lines)
	if err != nil {
		i.refuse(in.Tab, unusableSDP("answer", err))
		return
	}
	want := sdpconv.Respond(i.agreed, i.role, ours)
	actions := i.changes(want)
	if len(actions) == 0 || actions[0].Action != jingle.SessionAccept {
		i.giveUp(Failed)
		return
	}
	i.lines = lines
	i.advance(jingle.SessionAccept, i.role)
	actions[0].Responder = i.tab.String()
	i.opening = i.request(actions[0])
	i.up.open = true
	i.apply(actions[0])
	i.carry(actions[1:])
	i.agreed = sdpconv.Settle(i.agreed, want, i.role)
	i.warn()
	i.move(accept)
	i.sayHeld()
	i.ping()
	i.drain()
}

// peerMessage takes XEP-0353 from the address that proposed.
func (i *incoming) peerMessage(in PeerMessage) {
	if !i.proposed || in.Message.ID != i.sid || !in.From.Bare().Equal(i.peer.Bare()) {
		return
	}
	switch i.state {
	case Ringing, Proceeded:
	case Answering:
		i.takenBack(in)
		return
	default:
		i.message(in)
		return
	}
	switch in.Message.Kind {
	case jingle.Propose: // sent again
		if i.state == Ringing && in.From.Equal(i.peer) {
			i.send(i.peer, jingle.Ringing, nil)
		}
	case jingle.Retract, jingle.Reject, jingle.Finish: // Siskin cancels its own call with reject
		i.conclude(PeerCancelled)
	}
}

// takenBack takes what a caller says who hangs up when its session-initiate has left: Siskin does so by reject.
func (i *incoming) takenBack(in PeerMessage) {
	switch in.Message.Kind {
	case jingle.Retract, jingle.Reject:
		i.giveUp(PeerCancelled)
	default:
		i.message(in)
	}
}

// bounce takes the error for our proceed: Conversations turns down a late device so, servers say that the caller is gone.
func (i *incoming) bounce(in PeerBounce) {
	if i.state == Proceeded && in.ID == i.messageID(jingle.Proceed) && in.From.Equal(i.peer) {
		i.conclude(PeerCancelled)
	}
}

// ringingInfo is the payload that tells a caller without XEP-0353 that we ring (XEP-0167 section 9.5).
func ringingInfo() []*element.Element {
	return []*element.Element{jingle.Info{Kind: jingle.InfoRinging}.Element()}
}
