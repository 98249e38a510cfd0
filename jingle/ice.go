package jingle

// Transport is an ICE-UDP <transport/> (XEP-0176) with its DTLS fingerprints (XEP-0320).
type Transport struct {
	Ufrag, Pwd        string
	Fingerprints      []Fingerprint
	Candidates        []Candidate
	GatheringComplete bool     // <gathering-complete/>
	Options           []string // ICE options in the field's namespace: trickle, renomination
	Lite              bool     // <ice-lite/>
	Protected         bool     // the fingerprint is wrapped in OMEMO: nobody but the peer's contact can read it
}

// Fingerprint is a certificate's hash and the DTLS role of the party (XEP-0320).
type Fingerprint struct {
	Hash  string // lower case, "sha-256"
	Setup Setup
	Value string // upper-case hex pairs with colons
}

// Setup is the a=setup of RFC 4145 as used by RFC 5763.
type Setup string

// The values of setup.
const (
	SetupActpass Setup = "actpass"
	SetupActive  Setup = "active"
	SetupPassive Setup = "passive"
)

// Candidate is one ICE candidate (XEP-0176 section 5.4, RFC 8839 section 5.1).
type Candidate struct {
	ID         string
	Component  int
	Foundation string
	Generation int
	Network    string
	IP         string
	Port       int
	Priority   uint32
	Protocol   string // lower case: "udp", "tcp"
	Type       string // host, srflx, prflx, relay
	RelAddr    string
	RelPort    int
	TCPType    string
}
