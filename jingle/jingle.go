// Package jingle is Jingle as Go values: the stanzas of a session (XEP-0166) with RTP (XEP-0167 and its extensions 0262, 0293, 0294, 0339, 0507),
// data channels (XEP-0343) and what encrypts and carries them (XEP-0176, 0177, 0320, 0338, 0371); message initiation (XEP-0353), call invites
// (XEP-0482) and conferences (XEP-0272); their errors, and which action is legal when.
//
// Values are read from elements and written as text, small ones as elements.  Reading takes what the known clients really send, as Quirks lists it;
// writing suits the strictest of them.  What only one client does otherwise is in its Profile: Read turns its stanzas into what the XEPs say, AppendTo
// turns ours into what it understands.  Nothing here does I/O.
package jingle

import "carillon/jingle/element"

// Namespaces of the extensions that are read and written.
const (
	NS          = "urn:xmpp:jingle:1"
	NSErrors    = "urn:xmpp:jingle:errors:1"
	NSMessage   = "urn:xmpp:jingle-message:0"
	NSRTP       = "urn:xmpp:jingle:apps:rtp:1"
	NSRTPInfo   = "urn:xmpp:jingle:apps:rtp:info:1"
	NSRTPAudio  = "urn:xmpp:jingle:apps:rtp:audio"
	NSRTPVideo  = "urn:xmpp:jingle:apps:rtp:video"
	NSICE       = "urn:xmpp:jingle:transports:ice-udp:1"
	NSICETCP    = "urn:xmpp:jingle:transports:ice:0"
	NSRawUDP    = "urn:xmpp:jingle:transports:raw-udp:1"
	NSSCTP      = "urn:xmpp:jingle:transports:dtls-sctp:1"
	NSChannel   = "urn:xmpp:jingle:transports:webrtc-datachannel:0"
	NSDataICE   = "urn:xmpp:jingle:transports:webrtc-datachannel:1"
	NSZRTP      = "urn:xmpp:jingle:apps:rtp:zrtp:1"
	NSCategory  = "urn:xmpp:jingle:apps:category:0"
	NSMuji      = "urn:xmpp:jingle:muji:0"
	NSInvites   = "urn:xmpp:call-invites:0"
	NSDTLS      = "urn:xmpp:jingle:apps:dtls:0"
	NSFeedback  = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"
	NSHdrExt    = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"
	NSSources   = "urn:xmpp:jingle:apps:rtp:ssma:0"
	NSGrouping  = "urn:xmpp:jingle:apps:grouping:0"
	NSICEOption = "http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option"
	NSOMEMODTLS = "http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification"
	NSMsid      = "urn:xmpp:jingle:apps:rtp:msid:0"
	NSStanzas   = "urn:ietf:params:xml:ns:xmpp-stanzas"
	NSHints     = "urn:xmpp:hints"
	NSRTPErrors = "urn:xmpp:jingle:apps:rtp:errors:1"
	NSFocus     = "http://jitsi.org/protocol/focus"
)

// Role is a party of a session: who sent session-initiate and who received it (XEP-0166 section 3).
type Role int

// The two roles.
const (
	Initiator Role = iota
	Responder
)

// Other returns the opposite role.
func (r Role) Other() Role { return 1 - r }

func (r Role) String() string {
	if r == Responder {
		return "responder"
	}
	return "initiator"
}

// Action is the action attribute of a Jingle stanza (XEP-0166 section 7.2).
type Action string

// The actions of XEP-0166.
const (
	ContentAccept    Action = "content-accept"
	ContentAdd       Action = "content-add"
	ContentModify    Action = "content-modify"
	ContentReject    Action = "content-reject"
	ContentRemove    Action = "content-remove"
	DescriptionInfo  Action = "description-info"
	SecurityInfo     Action = "security-info"
	SessionAccept    Action = "session-accept"
	SessionInfo      Action = "session-info"
	SessionInitiate  Action = "session-initiate"
	SessionTerminate Action = "session-terminate"
	TransportAccept  Action = "transport-accept"
	TransportInfo    Action = "transport-info"
	TransportReject  Action = "transport-reject"
	TransportReplace Action = "transport-replace"
)

// The actions that Jitsi added: the sources of a content's description are more, or fewer, by those listed.  They are read and never
// written.
const (
	SourceAdd    Action = "source-add"
	SourceRemove Action = "source-remove"
)

// Stanza is one <jingle/> element (XEP-0166 section 7.1).  Initiator and Responder are the attributes as written; they are never
// used to decide who is who (section 11.3, redirection).
type Stanza struct {
	Action    Action
	SID       string
	Initiator string
	Responder string
	Contents  []Content
	Groups    []Group
	Reason    *Reason            // session-terminate, content-reject ...
	Muji      *Muji              // the conference that the session belongs to (XEP-0272)
	Info      []*element.Element // payloads of session-info, and children this package does not know
}

// Description is what one party says of its side: the contents with their codecs, transports and sources.
type Description struct {
	Contents []Content
	Groups   []Group
}

// Group is a <group/> of contents (XEP-0338), most often BUNDLE.
type Group struct {
	Semantics string
	Names     []string
}

// Senders says which parties send media of a content (XEP-0166 section 7.3).  It names roles, not directions.
type Senders string

// The values of the senders attribute.  The zero value means both.
const (
	SendersBoth      Senders = "both"
	SendersInitiator Senders = "initiator"
	SendersResponder Senders = "responder"
	SendersNone      Senders = "none"
	// SendersRejected is no value of the XEP: Jitsi writes it for a content that an answer rejects.  It is never written.
	SendersRejected Senders = "rejected"
)

// Sends tells whether the party of the given role sends.
func (s Senders) Sends(r Role) bool {
	return s == "" || s == SendersBoth || string(s) == r.String()
}

// SendersOf returns the value for which exactly the given parties send.
func SendersOf(initiator, responder bool) Senders {
	switch {
	case initiator && responder:
		return SendersBoth
	case initiator:
		return SendersInitiator
	case responder:
		return SendersResponder
	}
	return SendersNone
}

// Content is one <content/>.  Creator and Name identify it for the life of the session.
type Content struct {
	Creator     Role
	Name        string
	Senders     Senders
	Disposition string     // "" means session
	RTP         *RTP       // nil when absent or not RTP
	ICE         *Transport // nil when absent or not ICE
	RawUDP      *RawUDP    // nil when absent or not raw UDP
	Other       []*element.Element
}

// Stub returns what tells a content from others and says what it is, and nothing more: creator, name and senders, media, and the kinds of its
// description and transport.  It is what content-reject and transport-reject send back; Conversations compares it with what it asked for.
func (c Content) Stub() Content {
	stub := Content{Creator: c.Creator, Name: c.Name, Senders: c.Senders}
	if c.RTP != nil {
		stub.RTP = &RTP{Media: c.RTP.Media}
	}
	if c.ICE != nil {
		stub.ICE = &Transport{TCP: c.ICE.TCP}
		if c.ICE.SCTP != nil {
			stub.ICE.SCTP = &SCTP{Form: c.ICE.SCTP.Form, Port: c.ICE.SCTP.Port, Protocol: c.ICE.SCTP.Protocol}
		}
	}
	if c.RawUDP != nil {
		stub.RawUDP = &RawUDP{}
	}
	for _, e := range c.Other {
		if e.Local == "description" || e.Local == "transport" {
			stub.Other = append(stub.Other, element.New(e.Space, e.Local))
		}
	}
	return stub
}
