package jingle

import "slices"

// Session is what two parties have agreed on, and what is still proposed: the state that actions change (XEP-0166 section 5).  It is a
// plain value whose parts are never changed in place; keeping the old one is a rollback.
type Session struct {
	Contents []Shared       // in the order in which they were proposed
	Of       [2]Description // by Role: what each party says of its side of the contents, and of their groups
}

// Shared is what both parties' descriptions of a content have in common.
type Shared struct {
	Creator     Role
	Name        string
	Senders     Senders // as agreed on; those in Session.Of are what each party would like
	Disposition string
	Pending     bool          // proposed, not accepted yet; only the party that proposed it describes it
	Implied     bool          // made of a Jitsi source: no action names it
	Early       *Transport    // what a party sent of its transport ahead of accepting the content
	Replacement *Replacement  // proposed by transport-replace, not accepted yet
	ICE         [2]Generation // by Role
}

// Replacement is the transport of a transport-replace (XEP-0166 section 7.2.16).
type Replacement struct {
	By     Role
	ICE    *Transport // nil when it is not ICE
	RawUDP *RawUDP
}

// Generation is where a party's transport stands in its ICE restarts (RFC 8445 section 9).
type Generation struct {
	Number int    // of its candidates, 0 before the first restart
	Before string // ufrag of the generation before: a candidate under it is late, and no restart
	Owed   bool   // the other party restarted ICE, and this one has not answered with credentials of its own
}

// Errors of a session's contents, beside those of XEP-0166 section 10.
var (
	ErrNoContent     = &Error{Type: "cancel", Condition: "item-not-found"}
	ErrTooMuch       = &Error{Type: "wait", Condition: "resource-constraint"}
	ErrNotAcceptable = &Error{Type: "modify", Condition: "not-acceptable"}
)

// Find returns the index of a content, by creator and name or, if only one content has the name, by name: the creator that
// clients write is not reliable.  It returns -1 when there is none.
func (s Session) Find(creator Role, name string) int {
	found, same := -1, 0
	for i := range s.Contents {
		if s.Contents[i].Name != name {
			continue
		}
		if s.Contents[i].Creator == creator {
			return i
		}
		found = i
		same++
	}
	if same != 1 {
		return -1
	}
	return found
}

// Has tells whether there is a content of exactly that creator and name.
func (s Session) Has(creator Role, name string) bool {
	return slices.ContainsFunc(s.Contents, func(c Shared) bool { return c.Creator == creator && c.Name == name })
}

// Said returns what a party says of the content with that index, nil if nothing.  It is not to be changed.
func (s Session) Said(i int, by Role) *Content {
	x := s.Contents[i]
	return s.Of[by].find(x.Creator, x.Name)
}

// Proposed tells whether a content waits to be accepted by the other party.
func (s Session) Proposed(i int, by Role) bool {
	return s.Contents[i].Pending && s.Said(i, by) != nil
}

// Pending tells whether anything that a party proposed waits to be accepted or rejected by the other.
func (s Session) Pending(by Role) bool {
	for i, c := range s.Contents {
		if s.Proposed(i, by) || c.Replacement != nil && c.Replacement.By == by {
			return true
		}
	}
	return false
}

func (d Description) find(creator Role, name string) *Content {
	for i := range d.Contents {
		if c := &d.Contents[i]; c.Creator == creator && c.Name == name {
			return c
		}
	}
	return nil
}
