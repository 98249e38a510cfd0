package jingle

import "fmt"

// State is how far a session has come (XEP-0166 section 5.1).  The zero value is None.
type State int

// The states.  A session is pending from its session-initiate until its session-accept.
const (
	None State = iota
	Pending
	Active
	Ended
)

func (s State) String() string {
	if s < None || s > Ended {
		return fmt.Sprintf("state(%d)", int(s))
	}
	return [...]string{"none", "pending", "active", "ended"}[s]
}

// rule is who may take an action in a pending and in an active session, and whether one without contents is malformed rather than of no
// effect.
type rule struct {
	pending, active parties
	contents        bool
}

// actions is every action of XEP-0166 section 7.2 and those of Jitsi.  The state diagram of section 5.1 lets contents and transports be
// changed while the session is still pending.
var actions = map[Action]rule{
	SessionInitiate:  {nobody, nobody, true},
	SessionAccept:    {onlyResponder, nobody, true},
	SessionTerminate: {both, both, false},
	SessionInfo:      {both, both, false},
	ContentAccept:    {both, both, true},
	ContentAdd:       {both, both, true},
	ContentModify:    {both, both, true},
	ContentReject:    {both, both, true},
	ContentRemove:    {both, both, true},
	DescriptionInfo:  {both, both, false},
	SecurityInfo:     {both, both, false},
	TransportAccept:  {both, both, false},
	TransportInfo:    {both, both, false},
	TransportReject:  {both, both, false},
	TransportReplace: {both, both, false},
	// A conference tells of others' sources from its session-initiate on; what they stand for is nothing before the session is active.
	SourceAdd:    {both, both, true},
	SourceRemove: {both, both, true},
}

type parties int

const (
	nobody parties = iota
	onlyResponder
	both
)

func (p parties) include(r Role) bool {
	return p == both || p == onlyResponder && r == Responder
}

// Next returns the state after the party took the action.  An action that is not legal gives an *Error that is ErrOutOfOrder
// (errors.Is) or, if XEP-0166 knows no such action, ErrBadRequest; the state is then unchanged.
func (s State) Next(a Action, by Role) (State, error) {
	rule, known := actions[a]
	if !known {
		return s, ErrBadRequest.because("unknown action " + quote(string(a)))
	}
	switch {
	case s == None && a == SessionInitiate && by == Initiator:
		return Pending, nil
	case s == Pending && rule.pending.include(by), s == Active && rule.active.include(by):
	default:
		return s, ErrOutOfOrder.because(fmt.Sprintf("no %s by the %s in a session in state %s", a, by, s))
	}
	switch a {
	case SessionAccept:
		return Active, nil
	case SessionTerminate:
		return Ended, nil
	}
	return s, nil
}
