package jingle

// MessageKind is the element of a Jingle Message Initiation (XEP-0353).
type MessageKind string

// The elements of XEP-0353.
const (
	Propose MessageKind = "propose"
	Ringing MessageKind = "ringing"
	Proceed MessageKind = "proceed"
	Accept  MessageKind = "accept" // to one's own devices
	Reject  MessageKind = "reject"
	Retract MessageKind = "retract"
	Finish  MessageKind = "finish"
)

// Message is one message-initiation element.  ID is the id of the call and becomes the sid of the session.
type Message struct {
	Kind     MessageKind
	ID       string
	Media    []string // propose: media of its RTP descriptions, in order
	Others   []string // propose: namespaces of its other descriptions, such as file transfers
	Reason   *Reason  // reject, retract, finish
	TieBreak bool     // <tie-break/> in a reject or retract
	Migrated string   // finish: the id of the call that goes on in its place (XEP-0353 section 5.2)
}
