package jingle

// Disco is what a client says of itself in service discovery (XEP-0030) and entity capabilities (XEP-0115).  The zero value says nothing.
type Disco struct {
	Node       string // of its capabilities, which names the software; "" when unknown
	Identities []Identity
	Features   []string // nil when unknown
}

// Identity is an <identity/> of XEP-0030, such as client, pc, Dino.
type Identity struct{ Category, Type, Name string }
