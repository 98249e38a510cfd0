package jingle

// Profile is what one client can do and needs: the one place where clients differ.  The zero value is the profile of a client that
// nothing is known of, and suits the strictest.
type Profile struct {
	Name    string // as people know it: "Dino"
	Version string // the version the entries were proven with

	// How stanzas are written for it, and what its stanzas mean.
	MirroredSenders bool     // senders repeats the direction of its own SDP, whoever it is (Movim, Jitsi)
	InvertedExtmap  bool     // senders of <rtp-hdrext/> is the other way round (Jitsi)
	AlwaysInitiator bool     // keeps creator initiator for every content, and wants to be addressed so
	RefusesNone     bool     // senders none is a bad-request to it
	WholeAccept     bool     // session-accept must have every content of the offer: a rejected one is written with senders none
	NamelessForm    Nameless // how a bare fmtp value is written
	SCTP            SCTPForm // how data channels are written
	StubTransport   bool     // an added content of a bundled session has an empty transport
	RIDs            bool     // knows <source rid=''/> for simulcast (Jitsi)
	Cryptex         bool     // knows the attribute cryptex of a fingerprint (Jitsi)
	CodecFeedback   bool     // overlooks feedback for all payload types: each is given its own (stanza)
	TCP, MDNS       bool     // takes TCP candidates, and names in .local
	SingleCandidate bool     // reads only the first candidate of a transport-info
	BatchCandidates bool     // wants candidates together (XEP-0176 urn:ietf:rfc:3264)
	NoBundle        bool     // each content has a transport of its own
	OptionElements  bool     // knows the elements of NSICEOption

	// What it does in a session.
	Add           Addition // what becomes of our content-add
	AcceptsWhole  bool     // answers content-add, -modify and -remove with a session-accept (Movim)
	Rejects       bool     // understands content-reject
	Removes       bool     // understands content-remove
	Modifies      bool     // understands content-modify of our sending
	Restart       Restart  // the form of an ICE restart it understands
	NewCredential bool     // takes a new fingerprint inside a session
	Mutes, Holds  bool     // shows session-info mute and hold
	Categories    bool     // tells a screen from a camera by XEP-0507
}

// known tells whether the entries were proven with a client: those of nobody in particular are not taken for granted.
func (p Profile) known() bool { return p.Version != "" }

// extSenders turns the senders of a header extension that the party of the given role writes into what the client means by it, or back.
func (p Profile) extSenders(s Senders, by Role) Senders {
	if p.InvertedExtmap && by == Initiator || !p.InvertedExtmap && p.MirroredSenders && by == Responder {
		return s.swapped()
	}
	return s
}

// Disco is what a client tells of itself by service discovery (XEP-0030) and entity capabilities (XEP-0115).
type Disco struct {
	Node       string // of its capabilities, without the verification string
	Identities []Identity
	Features   []string
}

// Identity is an <identity/> of XEP-0030.
type Identity struct{ Category, Type, Name string }

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
	AddRejected                 // always rejected
	AddIgnored                  // never answered
)

// Restart is a form of ICE restart.
type Restart int

// The forms.
const (
	RestartNone  Restart = iota // the client has none: the call ends
	RestartEmpty                // transport-info of all contents with new credentials and no candidates (Conversations)
	RestartInfo                 // transport-info with new credentials, candidates of the next generation (XEP-0176 section 5.7, stanza)
)
