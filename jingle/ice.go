package jingle

import "carillon/jingle/element"

// Transport is an ICE <transport/> (XEP-0176, or XEP-0371 when TCP is set) with its DTLS fingerprints (XEP-0320) and, for data
// channels, its SCTP association (XEP-0343).
type Transport struct {
	TCP               bool // namespace urn:xmpp:jingle:transports:ice:0 (XEP-0371) instead of ice-udp:1
	ICE2              bool // attribute ice2 of XEP-0371
	Ufrag, Pwd        string
	Fingerprints      []Fingerprint
	Candidates        []Candidate
	RemoteCandidates  []RemoteCandidate
	GatheringComplete bool     // <gathering-complete/>
	Options           []string // ICE options in the field's namespace: trickle, renomination
	Lite              bool     // <ice-lite/>
	Protected         bool     // the fingerprint is wrapped in OMEMO: nobody but the peer's contact can read it
	SCTP              *SCTP    // nil when no data channels run over it
	Other             []*element.Element
}

// RemoteCandidate is the peer's candidate that a component uses (XEP-0176 section 5.6).
type RemoteCandidate struct {
	Component int
	IP        string
	Port      int
}

// SCTP is the association that carries data channels over a transport.  A content with one and without RTP is an SDP section of
// kind application.  In a transport-info only its Form matters: it says where the transport stands.
type SCTP struct {
	Port           int    // DefaultSCTPPort when absent
	Protocol       string // DefaultSCTPProtocol when absent
	Streams        int    // 0 when absent
	MaxMessageSize int    // bytes; 0 when absent
	Form           SCTPForm
	Channels       []DataChannel
}

// What an association has where the stanza does not say.
const (
	DefaultSCTPPort     = 5000
	DefaultSCTPProtocol = "webrtc-datachannel"
)

// SCTPForm is how an association is written.
type SCTPForm int

// The forms in the field.
const (
	SCTPMap         SCTPForm = iota // <sctpmap/> in the ICE transport (XEP-0343)
	SCTPTransport                   // <transport xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:1'/> around it (Conversations 2.13)
	SCTPDescription                 // <description media='application'/> beside the <sctpmap/> that Movim reads and does not write
)

// DataChannel is a channel agreed on outside of it, <channel/> (XEP-0343) or a=dcmap (RFC 8864).
type DataChannel struct {
	ID                int // the SCTP stream, -1 when absent
	Label, Protocol   string
	InBand            bool // opened by its own protocol (RFC 8832) rather than agreed on: attribute negotiated is not true
	Unordered         bool
	MaxPacketLifeTime int // ms; -1 when absent
	MaxRetransmits    int // -1 when absent
}

// RawUDP is a raw-udp <transport/> (XEP-0177).  It is read, to be refused politely, and written for what is not ICE.
type RawUDP struct {
	Candidates []RawCandidate
	Other      []*element.Element
}

// RawCandidate is an address for a component of a RawUDP.
type RawCandidate struct {
	ID         string
	Component  int
	Generation int
	IP         string
	Port       int
	Type       string
}

// Fingerprint is a certificate's hash and the DTLS role of the party (XEP-0320).
type Fingerprint struct {
	Hash  string // lower case, "sha-256"
	Setup Setup
	Value string // upper-case hex pairs with colons
	// Cryptex says that the party encrypts RTP header extensions (RFC 9335).  Jitsi has an attribute for it, nobody else.
	Cryptex bool
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
