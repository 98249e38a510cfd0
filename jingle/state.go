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

// actions is every action of XEP-0166 section 7.2 and the parties that may take it in a pending and in an active session.
// The state diagram of section 5.1 lets contents and transports be changed while the session is still pending.
var actions = map[Action]struct{ pending, active parties }{
	SessionInitiate:  {nobody, nobody},
	SessionAccept:    {onlyResponder, nobody},
	SessionTerminate: {both, both},
	SessionInfo:      {both, both},
	ContentAccept:    {both, both},
	ContentAdd:       {both, both},
	ContentModify:    {both, both},
	ContentReject:    {both, both},
	ContentRemove:    {both, both},
	DescriptionInfo:  {both, both},
	SecurityInfo:     {both, both},
	TransportAccept:  {both, both},
	TransportInfo:    {both, both},
	TransportReject:  {both, both},
	TransportReplace: {both, both},
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
