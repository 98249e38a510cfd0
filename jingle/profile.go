package jingle

import "strings"

// Profile is what one client can do and needs: the one place where clients differ.  The zero value is the profile of a client that
// nothing is known of, and suits the strictest.
//
// Client and version, and what the entries were proven with, stand in Profiles; each quirk has a fixture in testdata/stanzas/quirks.
type Profile struct {
	Name    string // as people know it: "Dino"
	Version string // what the entries were proven with; "" says that nothing is known
	node    string // of its capabilities, as software returns it; several with blanks between, and those that go on with an asterisk
	feature string // that tells this version from an older one
	traits  string // features, with blanks between, that no other client has together

	// How stanzas are written for it, and what its stanzas mean: AppendTo and Read know these.
	MirroredSenders bool     // senders repeats the direction of its own SDP, whoever it is, as if it were the initiator (Movim, Jitsi)
	InvertedExtmap  bool     // senders of <rtp-hdrext/> does so as if it were the responder (Jitsi)
	AlwaysInitiator bool     // keeps creator initiator for every content, and wants to be addressed so
	RefusesNone     bool     // senders none is a bad-request to it
	NamelessForm    Nameless // how a bare fmtp value is written
	CodecFeedback   bool     // overlooks feedback for all payload types: each is given its own (stanza)
	ClosedFeedback  bool     // fails at feedback of a type that it has not heard of (Monal)
	StrictValues    bool     // ends the call at a parameter without value, with white space in it, or without name among others (Conversations)
	SCTP            SCTPForm // how data channels are written
	RIDs            bool     // knows <source rid=''/> for simulcast (Jitsi)
	Cryptex         bool     // knows the attribute cryptex of a fingerprint (Jitsi)

	// What may be sent to it.
	TCP, MDNS       bool // takes TCP candidates, and names in .local
	SingleCandidate bool // reads only the first candidate of a transport-info
	BatchCandidates bool // wants candidates together (disco feature urn:ietf:rfc:3264, XEP-0176)
	NoBundle        bool // each content has a transport of its own
	NoDTLS          bool // knows no DTLS-SRTP: no browser can take its calls
	WholeAccept     bool // session-accept must have every kind of media of the offer: what is rejected stands there with the other party as the only sender
	StubTransport   bool // an added content of a bundled session has an empty transport

	// What it does in a session.
	Add              Addition // what becomes of our content-add
	AcceptsWhole     bool     // answers content-add, -modify and -remove with a session-accept, and waits for one (Movim)
	Rejects          bool     // understands content-reject
	Removes          bool     // understands content-remove of a content in use; Conversations ends the call
	Withdraws        bool     // understands content-remove of a content still proposed
	Modifies         bool     // understands content-modify of our sending
	ModifiesBoth     bool     // understands content-modify of its own sending too
	Informed         bool     // does something with description-info: of those listed none does
	Restart          Restart  // the form of an ICE restart it understands
	InitiatorRestart bool     // only the initiator may restart (stanza)
	NewCredential    bool     // takes a new fingerprint inside a session
	Mutes, Holds     bool     // shows session-info mute and hold
}

// Nameless is a way to write the bare value of an fmtp line, such as "0-15" of telephone-event.
type Nameless int

// The ways.
const (
	NamelessEmpty   Nameless = iota // <parameter name='' value='0-15'/>
	NamelessName                    // <parameter name='0-15'/> (stanza)
	NamelessDropped                 // left out: the client ends the session at sight of it
)

// Addition is what a client does with a content-add.
type Addition int

// The kinds.
const (
	AddUnknown  Addition = iota // nothing known: try it, with a time limit
	AddTaken                    // accepted without asking
	AddAsked                    // its user is asked, which takes as long as it takes
	AddRejected                 // always rejected, by content-reject or by an error
	AddIgnored                  // never answered
)

// Restart is a form of ICE restart.
type Restart int

// The forms.
const (
	RestartNone  Restart = iota // the client is not known to have one: see Restarts
	RestartEmpty                // transport-info of all contents with new credentials and no candidates (Conversations)
	RestartInfo                 // transport-info with new credentials, candidates of the next generation (XEP-0176 section 5.7, stanza)
)

// known tells whether the entries were proven with a client: those of nobody in particular are not taken for granted.
func (p Profile) known() bool { return p.Version != "" }

// Restarts tells whether an ICE restart is worth trying: also with a client that nothing is known of, because XEP-0176 has one.
func (p Profile) Restarts() bool { return p.Restart != RestartNone || !p.known() }

// Takes tells whether the client can use a candidate: TCP and the names of mDNS only if it is known to.
func (p Profile) Takes(c Candidate) bool {
	return (p.TCP || c.Protocol != "tcp") && (p.MDNS || !isMDNS(c.IP))
}

// isMDNS tells whether s is a name that only the same network can resolve (RFC 6762).
func isMDNS(s string) bool {
	const local = ".local"
	return len(s) > len(local) && strings.EqualFold(s[len(s)-len(local):], local)
}
