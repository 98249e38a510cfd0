package call

import (
	"slices"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
)

// Resource is what is known of an online resource of the called address.
type Resource struct {
	JID      jid.JID
	Priority int8
	Disco    jingle.Disco // Features nil where it is not known
}

// outgoing is a call from a tab to an XMPP address.
type outgoing struct {
	session
	known []Resource
	offer jingle.Description // the tab's, until it has left
}

// NewOutgoing makes the call of a tab (full JID) to an address as dialled, bare or full.  sid is a fresh random id, known what
// presence and service discovery have told about the address.
func NewOutgoing(cfg Config, sid string, tab, peer jid.JID, known []Resource) (Machine, []Output) {
	o := &outgoing{known: known}
	o.session = session{
		core:  core{cfg: cfg},
		sid:   sid,
		tab:   tab,
		peer:  peer,
		pages: newPages(tab),
		role:  jingle.Initiator,
	}
	o.tell(tab, Admitted{})
	o.begin(Offering)
	return o, o.flush()
}

// Handle is described at Machine.
func (o *outgoing) Handle(_ time.Time, in Input) []Output {
	if o.over(in) {
		return o.flush()
	}
	switch in := in.(type) {
	case BrowserOffer:
		o.firstOffer(in)
	case PeerMessage:
		o.peerMessage(in)
	case PeerBounce:
		o.bounce(in)
	case PeerReply:
		o.peerReply(in)
	case Timeout:
		o.timedOut(in)
	case TieLost:
		o.tieLost(in)
	default:
		o.handle(in)
	}
	return o.flush()
}

// firstOffer takes the tab's first offer.  One that cannot be used leaves the tab the rest of its time for another.
func (o *outgoing) firstOffer(in BrowserOffer) {
	if o.state != Offering {
		o.browserOffer(in)
		return
	}
	ours, lines, err := o.describe(in.SDP, nil)
	if err != nil {
		o.refuse(in.Tab, unusableSDP("offer", err))
		return
	}
	o.offer, o.lines = ours, lines
	o.warn()
	o.route()
}

// route decides how the peer is called.  A resource that was dialled is asked what it can do.  A bare address is proposed to,
// unless resources that can take a call are known and none of them knows XEP-0353.
func (o *outgoing) route() {
	if o.peer.Resourcepart() != "" {
		o.move(probe)
		o.ask()
		return
	}
	if best := direct(o.known); best != nil {
		o.dial(best.JID)
		return
	}
	o.propose()
}

// direct returns the resource to be called without XEP-0353, or nil when a propose is better.
func direct(known []Resource) *Resource {
	var best *Resource
	for i, r := range known {
		if !takesCalls(r.Disco.Features) {
			continue
		}
		if slices.Contains(r.Disco.Features, jingle.NSMessage) {
			return nil
		}
		if best == nil || r.Priority > best.Priority {
			best = &known[i]
		}
	}
	return best
}

// takesCalls tells whether a client with these features can take a call over Jingle.
func takesCalls(features []string) bool {
	return slices.Contains(features, jingle.NS) && slices.Contains(features, jingle.NSICE) &&
		(slices.Contains(features, jingle.NSRTP) || slices.Contains(features, jingle.NSRTPAudio))
}

func (o *outgoing) propose() {
	o.proposed = true
	o.move(propose)
	o.emit(SendMessage{
		From:    o.tab,
		To:      o.peer.Bare(),
		ID:      o.messageID(jingle.Propose),
		Message: jingle.Message{Kind: jingle.Propose, ID: o.sid, Media: mediaOf(o.offer.Contents)},
	})
}

// dial calls a device without a propose.
func (o *outgoing) dial(device jid.JID) {
	o.move(dial)
	o.initiate(device)
}

// initiate sends the session-initiate and whatever candidates have come so far.
func (o *outgoing) initiate(device jid.JID) {
	o.peer = device
	o.recognise()
	o.advance(jingle.SessionInitiate, o.role)
	initiate := jingle.Stanza{
		Action:    jingle.SessionInitiate,
		Initiator: o.tab.String(),
		Contents:  o.offer.Contents,
		Groups:    o.offer.Groups,
	}
	o.opening = o.request(initiate)
	o.up.open = true
	o.apply(initiate)
	if o.profile.Name == "" {
		o.ask()
	}
}

// recognise takes what is known of the device.
func (o *outgoing) recognise() {
	for _, r := range o.known {
		if r.JID.Equal(o.peer) && r.Disco.Features != nil {
			o.profile = jingle.ProfileOf(r.Disco)
		}
	}
}

// peerReply takes what the probed resource says; the rest is the session's.
func (o *outgoing) peerReply(in PeerReply) {
	probed := o.state == Probing && in.Tag == o.disco
	o.reply(in)
	if !probed {
		return
	}
	switch {
	case in.Err != nil && in.Err.Condition == "remote-server-timeout":
		o.propose()
	case in.Err != nil:
		o.conclude(o.refusal(in.Err))
	case slices.Contains(in.Disco.Features, jingle.NSMessage):
		o.propose()
	case takesCalls(in.Disco.Features):
		o.dial(o.peer)
	default:
		o.conclude(Incompatible)
	}
}

func (o *outgoing) timedOut(in Timeout) {
	if in.Timer == TimerProbe && o.fired(TimerProbe) {
		o.propose()
		return
	}
	o.timeout(in.Timer)
}

// peerMessage takes XEP-0353 from any device of the address that was called.
func (o *outgoing) peerMessage(in PeerMessage) {
	if !o.proposed || in.Message.ID != o.sid || !in.From.Bare().Equal(o.peer.Bare()) || !o.addresses(in.To) {
		return
	}
	switch {
	case in.Message.Kind == jingle.Proceed:
		o.peerProceed(in.From)
	case in.Message.Kind == jingle.Reject && o.state == Initiated && in.From.Equal(o.peer):
		// It may have our session-initiate by now, and would ring again for it: the session is taken back as well.
		o.giveUp(o.rejection(in.Message))
	case o.state != Proposed:
		o.message(in)
	case in.Message.Kind == jingle.Ringing:
		o.tellRinging()
	case in.Message.Kind == jingle.Reject:
		o.conclude(o.rejection(in.Message))
	}
}

// addresses tells whether a message may be meant for this call: clients before XEP-0353 0.8 write to our bare JID.
func (o *outgoing) addresses(to jid.JID) bool { return to.Equal(o.tab) || to.Equal(o.tab.Bare()) }

// peerProceed fixes the device.  One that comes later is told that it was too late: Dino and Conversations listen for retract,
// Monal for finish.
func (o *outgoing) peerProceed(device jid.JID) {
	switch {
	case device.Resourcepart() == "": // no device: a session is between full JIDs
	case o.state == Proposed && o.move(initiate):
		o.tell(o.tab, Proceeding{Peer: device})
		o.initiate(device)
	case !device.Equal(o.peer):
		reason := jingle.Reason{Condition: jingle.Cancel}
		o.send(device, jingle.Retract, &reason)
		o.send(device, jingle.Finish, &reason)
	}
}

// rejection is what a reject of our propose says.
func (o *outgoing) rejection(m jingle.Message) Outcome {
	if m.TieBreak { // it is calling us
		return TieBreak
	}
	return o.verdict(m.Reason)
}

// bounce takes an error for our propose.  Those of later messages say nothing that the session does not notice.
func (o *outgoing) bounce(in PeerBounce) {
	if o.state == Proposed && in.ID == o.messageID(jingle.Propose) && in.From.Bare().Equal(o.peer.Bare()) {
		o.conclude(o.refusal(&in.Err))
	}
}
