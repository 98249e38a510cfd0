package jingle

// Session is what two parties have agreed on, and what is still proposed: the state that actions change (XEP-0166 section 5).  It is a
// plain value; keeping the old one is a rollback.
type Session struct {
	Contents []Shared       // in the order in which they were proposed
	Groups   []Group        // as the last offer had them
	Of       [2]Description // by Role: what each party says of its side of the contents
}

// Shared is what both parties' descriptions of a content have in common.
type Shared struct {
	Creator     Role
	Name        string
	Senders     Senders
	Disposition string
	Pending     bool // proposed by its creator, not accepted yet
}
