package call

import (
	"mellium.im/xmpp/jid"

	"carillon/jingle"
)

// An Attempt is a call that one party has begun and the other has not answered: a propose (XEP-0353), a session-initiate that nothing
// announced, or what is about to become one of them.
type Attempt struct {
	SID    string
	From   jid.JID // who calls
	Direct bool    // by session-initiate alone
	Unsent bool    // the other party has not been told yet
}

// Yields tells whether the attempt gives way to one in the other direction at the same moment: the lower id goes first (XEP-0353 section
// "Tie Breaking"), and of equal ones the lower address (XEP-0166 section 7.2.16).  A propose yields to a session-initiate in any case:
// a client that sends one knows no propose and has not heard ours.  What nobody has been told yields to everything.
func (a Attempt) Yields(to Attempt) bool {
	switch {
	case a.Unsent, to.Direct && !a.Direct:
		return true
	case to.SID != a.SID:
		return to.SID < a.SID
	}
	return to.From.String() < a.From.String()
}

// A Caller is a Machine that calls an XMPP address, as those of NewOutgoing do.  Attempt returns what it calls with until that is
// answered: the time in which a call of the peer makes a tie.  Like Handle, it belongs to the Machine's owner.
type Caller interface {
	Machine
	Attempt() (Attempt, bool)
}

// Attempt implements Caller.
func (o *outgoing) Attempt() (Attempt, bool) {
	a := Attempt{SID: o.sid, From: o.tab, Direct: o.state == Calling, Unsent: o.state == Offering || o.state == Probing}
	return a, a.Unsent || a.Direct || o.state == Proposed
}

// tieLost takes our attempt back in favour of the peer's.
func (o *outgoing) tieLost(in TieLost) {
	switch {
	case o.state == Offering || o.state == Probing:
		o.conclude(TieBreak)
	case o.state == Proposed:
		o.emit(SendMessage{
			From: o.tab,
			To:   o.peer.Bare(),
			ID:   o.messageID(jingle.Retract),
			Message: jingle.Message{
				Kind:     jingle.Retract,
				ID:       o.sid,
				Reason:   &jingle.Reason{Condition: TieBreak.Reason()},
				TieBreak: true,
			},
		})
		o.conclude(TieBreak)
	case o.state == Calling && in.SID != o.sid:
		o.giveUp(TieBreak) // to a client that breaks no ties ours rings; others do not know the session any more
	case o.state == Calling: // a session-terminate would end theirs, which has the same name
		o.conclude(TieBreak)
	}
}
