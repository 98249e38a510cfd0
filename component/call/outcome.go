package call

import "carillon/jingle"

// Outcome is how a call ended, seen from one tab.  It is stable: dialects and logs carry it.
type Outcome string

// The outcomes.  Those that begin with Peer were the other side's doing.
const (
	HungUp            Outcome = "hung-up"            // this tab hung up an answered call
	PeerHungUp        Outcome = "peer-hung-up"       // the peer did
	Declined          Outcome = "declined"           // this tab declined
	PeerDeclined      Outcome = "peer-declined"      // the peer did
	PeerBusy          Outcome = "peer-busy"          // the peer is in another call
	TieBreak          Outcome = "tie-break"          // the peer was calling us, and its call goes before ours
	Cancelled         Outcome = "cancelled"          // this tab gave up before an answer
	PeerCancelled     Outcome = "peer-cancelled"     // the caller gave up: a missed call
	NoAnswer          Outcome = "no-answer"          // nobody answered our call
	Missed            Outcome = "missed"             // we did not answer in time
	AnsweredElsewhere Outcome = "answered-elsewhere" // another tab of the address took or declined the call
	PeerUnreachable   Outcome = "peer-unreachable"   // no such user, or nobody online
	ServerUnreachable Outcome = "server-unreachable" // the peer's server, or ours, cannot be reached
	PeerLost          Outcome = "peer-lost"          // the peer vanished in the call
	PageLost          Outcome = "page-lost"          // this tab vanished in the call
	NoConnection      Outcome = "no-connection"      // no media path was found
	ConnectionLost    Outcome = "connection-lost"    // the media path broke and was not repaired
	NoMedia           Outcome = "no-media"           // this tab did not produce its offer or answer
	Incompatible      Outcome = "incompatible"       // no common codec, or the peer's app cannot do such calls
	NotEncrypted      Outcome = "not-encrypted"      // the peer offers no DTLS-SRTP that we can use
	Failed            Outcome = "failed"             // the peer's app reported an error, or broke the protocol
	ShuttingDown      Outcome = "shutting-down"      // this component ends
)

// outcomes is the one catalogue: the sentence that a person reads, and the reason that the XMPP peer is given.
var outcomes = map[Outcome]struct {
	sentence string
	reason   jingle.Condition
}{
	HungUp:            {"You ended the call.", jingle.Success},
	PeerHungUp:        {"The call has ended.", jingle.Success},
	Declined:          {"You declined the call.", jingle.Decline},
	PeerDeclined:      {"Your contact declined the call.", jingle.Decline},
	PeerBusy:          {"Your contact is busy in another call.", jingle.Busy},
	TieBreak:          {"Your contact was calling you at the same moment.", jingle.Expired},
	Cancelled:         {"You cancelled the call.", jingle.Cancel},
	PeerCancelled:     {"The caller hung up before you answered.", jingle.Cancel},
	NoAnswer:          {"Nobody answered.", jingle.TimedOut},
	Missed:            {"You did not answer in time.", jingle.TimedOut},
	AnsweredElsewhere: {"The call was taken in another window.", jingle.Success},
	PeerUnreachable:   {"Your contact cannot be reached: the address does not exist or nobody is online there.", jingle.Gone},
	ServerUnreachable: {"The XMPP server of your contact cannot be reached.", jingle.ConnectivityError},
	PeerLost:          {"The connection to your contact was lost.", jingle.ConnectivityError},
	PageLost:          {"The page was closed or lost its connection.", jingle.ConnectivityError},
	NoConnection:      {"No connection for sound and picture could be made between you and your contact.", jingle.ConnectivityError},
	ConnectionLost:    {"The connection for sound and picture broke and could not be repaired.", jingle.ConnectivityError},
	NoMedia:           {"Your browser did not set up sound or picture in time.", jingle.MediaError},
	Incompatible:      {"Your contact's app and your browser have no way of calling in common.", jingle.IncompatibleParameters},
	NotEncrypted:      {"Your contact's app does not offer the encryption that browsers require.", jingle.SecurityError},
	Failed:            {"Your contact's app reported an error.", jingle.GeneralError},
	ShuttingDown:      {"The call service is being restarted.", jingle.Gone},
}

// Outcomes returns every outcome, for catalogues and tests.
func Outcomes() []Outcome {
	list := make([]Outcome, 0, len(outcomes))
	for o := range outcomes {
		list = append(list, o)
	}
	return list
}

// Sentence is the outcome in words for the person at the tab.
func (o Outcome) Sentence() string { return outcomes[o].sentence }

// Reason is what the XMPP peer is told when the call ends so (XEP-0166 section 7.4).
func (o Outcome) Reason() jingle.Condition { return outcomes[o].reason }
