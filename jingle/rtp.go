package jingle

import "carillon/jingle/element"

// RTP is an RTP <description/> (XEP-0167) with the extensions of XEP-0293, 0294, 0339 and 0262.
type RTP struct {
	Media           string // "audio", "video", "text"
	SSRC            string // attribute ssrc, decimal
	PayloadTypes    []PayloadType
	Feedback        []Feedback // for all payload types (a=rtcp-fb:*)
	TRRInt          string     // <rtcp-fb-trr-int value=''/> in ms, for all payload types
	HdrExts         []HdrExt
	AllowMixed      bool // <extmap-allow-mixed/>
	Sources         []Source
	SourceGroups    []SourceGroup
	Streams         []Stream // msid as an element, stanza.js
	Bandwidths      []Bandwidth
	RTCPMux         bool
	RTCPReducedSize bool
	Encryption      *Encryption
	Categories      []string // <category/> (XEP-0507): slides, speaker, sl, main, alt
	Other           []*element.Element
}

// PayloadType is one codec (XEP-0167 section 6).
type PayloadType struct {
	ID         int // 0..127
	Name       string
	ClockRate  int // Hz, 0 when absent
	Channels   int // 0 when absent
	PTime      int // ms, 0 when absent
	MaxPTime   int // ms, 0 when absent
	Parameters []Parameter
	Feedback   []Feedback
	TRRInt     string // ms
}

// Parameter is one name and value.  An empty Name is a bare value such as the "0-15" of telephone-event.
type Parameter struct {
	Name, Value string
	HasValue    bool // tells value='' from a missing value
}

// Feedback is an <rtcp-fb/> (XEP-0293).
type Feedback struct {
	Type, Subtype string
	Parameters    []Parameter
}

// HdrExt is an <rtp-hdrext/> (XEP-0294).
type HdrExt struct {
	ID         int
	URI        string
	Senders    Senders
	Parameters []Parameter
}

// Source is a <source/> (XEP-0339): one SSRC with its attributes.
type Source struct {
	SSRC       string // decimal
	RID        string // Jitsi: a source named by rid instead of ssrc
	Parameters []Parameter
}

// SourceGroup is an <ssrc-group/> (XEP-0339 section 3), or Jitsi's <rid-group/>; the order matters.
type SourceGroup struct {
	Semantics string
	SSRCs     []string
	RIDs      []string // Jitsi: sources named by rid; then there are no SSRCs
}

// Stream is <stream xmlns='urn:xmpp:jingle:apps:rtp:msid:0'/>, the msid of a description without sources.
type Stream struct{ ID, Track string }

// Bandwidth is <bandwidth/>: an SDP b= line.  Value keeps the unit of its type.
type Bandwidth struct{ Type, Value string }

// Encryption is <encryption/>: SDES keys (XEP-0167 section 7) and ZRTP hashes (XEP-0262).  Browsers know neither; it is written only where
// the transport has no fingerprint.
type Encryption struct {
	Required bool
	Crypto   []Crypto
	ZRTP     []ZRTPHash
}

// Crypto is one SDES key, an a=crypto line (RFC 4568).
type Crypto struct{ Tag, Suite, KeyParams, SessionParams string }

// ZRTPHash is the hash of a ZRTP Hello (XEP-0262), an a=zrtp-hash line.
type ZRTPHash struct{ Version, Value string }
