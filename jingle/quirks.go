package jingle

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle/element"
)

// Quirk is a departure from the XEPs that reading accepts.  Each has an entry in Quirks and a fixture of the same name.
type Quirk int

// The quirks.
const (
	_ Quirk = iota
	RelPortUnderscore
	TypedParameters
	NamelessParameter
	PackedParameters
	ParameterNamespace
	BandwidthAttribute
	BandwidthElements
	AllowMixedNamespace
	ExtmapDirection
	DescriptionPTime
	FeedbackTRRInt
	SourceMsid
	GroupType
	RejectedSenders
	MissingCreator
	EmptyNamespace
	CandidateDefaults
	ProtocolCase
	SSLTCP
	TCPType
	DraftDTLS
	FingerprintPlace
	FingerprintSpelling
	FingerprintHash
	ReasonSpelling
	LitePlace
	SCTPPort
	DataDescription
	SeveralEncryptions
	EmptyRejected
	MujiContent
	CallMessage
	TransportMux
	EventsParameter
)

const nsDTLSDraft = "urn:xmpp:tmp:jingle:apps:dtls:0"

// QuirkInfo describes a quirk: who has it, what is written and what it is read as.
type QuirkInfo struct {
	Quirk             Quirk
	Name, Client, Doc string
}

// Quirks lists the accepted departures.
var Quirks = []QuirkInfo{
	{RelPortUnderscore, "rel-port-underscore", "Monal 2024-10",
		"rel_port of a candidate is rel-port"},
	{TypedParameters, "typed-parameters", "Monal 2024-10",
		"underscores in fmtp names are hyphens, true and false are 1 and 0, profile_level_id is decimal and strays into other codecs, encodings is a RED list"},
	{NamelessParameter, "nameless-parameter", "stanza 12.22 (name alone), JSXC 2024-08 (value alone), XEP-0517 (name fmtp)",
		"a parameter with one half is a bare fmtp value"},
	{PackedParameters, "packed-parameters", "Jicofo (jbg/gst-meet issue 11)",
		"a value with semicolons holds further parameters"},
	{ParameterNamespace, "parameter-namespace", "lib-jitsi-meet 2026-08",
		"parameters of sources stand in any namespace"},
	{BandwidthAttribute, "bandwidth-attribute", "Movim 0.34",
		"bandwidth has its value in an attribute"},
	{BandwidthElements, "bandwidth-elements", "Monal 2024-10",
		"bandwidth has type and value as elements"},
	{AllowMixedNamespace, "allow-mixed-namespace", "Monal 2024-10",
		"extmap-allow-mixed stands in the namespace of the description"},
	{ExtmapDirection, "extmap-direction", "Conversations 2.12",
		"the direction of a=extmap stands behind the id; it is the author's, known in session-initiate and session-accept"},
	{DescriptionPTime, "description-ptime", "Movim 0.34, Jicofo",
		"ptime and maxptime on the description hold for every payload type"},
	{FeedbackTRRInt, "feedback-trr-int", "Movim 0.34",
		"rtcp-fb of type trr-int is rtcp-fb-trr-int"},
	{SourceMsid, "source-msid", "Movim 0.34",
		"several msid of a source are one, the longest; blanks at its ends are dropped, libwebrtc refuses them"},
	{GroupType, "group-type", "strophe.jingle 2015, lib-jitsi-meet",
		"type of a group is its semantics"},
	{RejectedSenders, "rejected-senders", "lib-jitsi-meet 2026-08",
		"senders rejected says that an answer has no such content"},
	{MissingCreator, "missing-creator", "Movim 0.34 in session-info, and old clients",
		"a content without creator is the initiator's"},
	{EmptyNamespace, "empty-namespace", "unnamed clients whose XML library resets the namespace",
		"a child in no namespace stands in the one it is expected in"},
	{CandidateDefaults, "candidate-defaults", "stanza 12.22 and Movim 0.34 (no id, network, generation)",
		"missing attributes of a candidate have defaults"},
	{ProtocolCase, "protocol-case", "stanza 12.22 with Firefox",
		"UDP is udp"},
	{SSLTCP, "ssltcp", "old Jitsi Videobridge",
		"ssltcp is tcp"},
	{TCPType, "tcptype", "lib-jitsi-meet 2026-08 (null), Conversations 2.12 (none)",
		"a TCP candidate without tcptype is active at the discard port, else passive"},
	{DraftDTLS, "draft-dtls", "clients of early drafts of XEP-0320",
		"the fingerprint has the namespace of the draft"},
	{FingerprintPlace, "fingerprint-place", "clients of early drafts of XEP-0320",
		"the fingerprint stands in the content, the description or its encryption"},
	{FingerprintSpelling, "fingerprint-spelling", "XEP-0320's examples, SIP gateways",
		"white space in a fingerprint is dropped, digits are upper case, the hash's name lower case"},
	{FingerprintHash, "fingerprint-hash", "SIP gateways",
		"a missing hash is told by the fingerprint's length"},
	{ReasonSpelling, "reason-spelling", "Dino 0.4.2 (failed_application), Monal 2024-10 (application-error)",
		"an unknown condition is the one it resembles, else general-error"},
	{LitePlace, "lite-place", "Borogove 2025-12",
		"ice-lite stands in the description"},
	{SCTPPort, "sctp-port", "readers of the text of XEP-0343, whose schema and examples say number",
		"port of an sctpmap is its number"},
	{DataDescription, "data-description", "Movim 0.34",
		"a description of media application without codecs says that the content is data channels"},
	{SeveralEncryptions, "several-encryptions", "Movim 0.34",
		"each key has an encryption of its own"},
	{EmptyRejected, "empty-rejected", "stanza 12.22",
		"senders none and an empty transport in a session-accept say that the answer has no such content"},
	{MujiContent, "muji-content", "Dino 0.5",
		"contents of a muji stand in the namespace of Jingle"},
	{CallMessage, "call-message", "Dino 0.5, which writes it beside XEP-0482",
		"call invites have a namespace and names of their own: propose is invite, finish is left"},
	{TransportMux, "transport-mux", "Jicofo 1.0 and Jitsi Videobridge 2",
		"rtcp-mux stands in the transport too, or only there"},
	{EventsParameter, "events-parameter", "Farstream 0.2 (Gajim 1.3, Pidgin 2.14), QXmpp 1.6",
		"events of a telephone-event, as RFC 4733 names it, is the bare value that it is in SDP"},
}

func (q Quirk) String() string {
	for _, info := range Quirks {
		if info.Quirk == q {
			return info.Name
		}
	}
	return "quirk(" + strconv.Itoa(int(q)) + ")"
}

// misspelled reads a condition that XEP-0166 does not have.
func misspelled(s string) Condition {
	c := Condition(strings.ReplaceAll(strings.ToLower(s), "_", "-"))
	switch {
	case slices.Contains(conditions, c):
		return c
	case c == "application-error":
		return FailedApplication
	}
	return GeneralError
}

// gluedDirection reads the SDP direction that Conversations leaves in the id of a header extension.  It is that of the stanza's
// author, who is known for the two actions that carry whole descriptions.
func (d *decoder) gluedDirection(direction string) Senders {
	author := Initiator
	switch d.action {
	case SessionInitiate:
	case SessionAccept:
		author = Responder
	default:
		return SendersBoth
	}
	us, them := true, true
	switch direction {
	case "sendonly":
		them = false
	case "recvonly":
		us = false
	case "inactive":
		us, them = false, false
	}
	if author == Responder {
		us, them = them, us
	}
	return SendersOf(us, them)
}

func (r *RTP) spreadPTime(ptime, maxptime int) {
	for i := range r.PayloadTypes {
		if ptime != 0 {
			r.PayloadTypes[i].PTime = ptime
		}
		if maxptime != 0 {
			r.PayloadTypes[i].MaxPTime = maxptime
		}
	}
}

// oneMsid keeps the longest msid of a source, at the place of the first.
func oneMsid(list []Parameter) []Parameter {
	first := -1
	out := list[:0]
	for _, p := range list {
		if p.Name != "msid" {
			out = append(out, p)
			continue
		}
		p.Value = strings.TrimSpace(p.Value)
		if first < 0 {
			first = len(out)
			out = append(out, p)
		} else if len(p.Value) > len(out[first].Value) {
			out[first] = p
		}
	}
	return out
}

// formatParameter reads a <parameter/> of a payload type as a part of an fmtp line: a name and a value, or a bare value without a name.  It
// returns false for an empty one.
func (d *decoder) formatParameter(e element.Node) (Parameter, bool) {
	name, hasName, value, hasValue := parameter(e)
	name = strings.TrimSpace(name)
	switch {
	case hasName && hasValue && name != "fmtp":
	case !d.takes(NamelessParameter):
		return Parameter{}, false
	case hasValue:
		name = ""
	default:
		name, value = "", name
	}
	return Parameter{Name: name, Value: value, HasValue: true}, name != "" || value != ""
}

// plainParameters undoes what Jicofo and Monal do to the parameters of a codec.  Most lists need nothing and are returned as they are.
func (d *decoder) plainParameters(codec string, list []Parameter) []Parameter {
	if d.takes(PackedParameters) && isPacked(list) {
		list = unpack(list)
	}
	if d.takes(TypedParameters) && isTyped(list) {
		list = untype(codec, list)
	}
	if len(list) == 1 && list[0].Name == "events" && d.takes(EventsParameter) && strings.EqualFold(codec, "telephone-event") {
		list[0].Name = ""
	}
	if len(list) > maxParameters {
		d.fail("more than %d parameters of a payload type", maxParameters)
		return nil
	}
	if len(list) == 0 {
		return nil
	}
	for i := range list {
		if list[i].Name == "" && list[i].Value == "" {
			return slices.DeleteFunc(list, func(p Parameter) bool { return p.Name == "" && p.Value == "" })
		}
	}
	return list
}

func isPacked(list []Parameter) bool {
	for i := range list {
		if strings.IndexByte(list[i].Value, ';') >= 0 {
			return true
		}
	}
	return false
}

func unpack(list []Parameter) []Parameter {
	var out []Parameter
	for _, p := range list {
		first, rest, packed := strings.Cut(p.Value, ";")
		if !packed {
			out = append(out, p)
			continue
		}
		p.Value = strings.TrimSpace(first)
		out = append(out, p)
		for item := range strings.SplitSeq(rest, ";") {
			name, value, pair := strings.Cut(strings.TrimSpace(item), "=")
			if !pair {
				name, value = "", name
			}
			out = append(out, Parameter{Name: name, Value: value, HasValue: true})
		}
	}
	return out
}

// typedNames is the names that Monal's fmtp writer turns into identifiers.
var typedNames = map[string]string{
	"profile_level_id": "profile-level-id", "packetization_mode": "packetization-mode",
	"level_asymmetry_allowed": "level-asymmetry-allowed", "max_fs": "max-fs", "max_fr": "max-fr", "max_br": "max-br",
	"max_cpb": "max-cpb", "max_dpb": "max-dpb", "max_mbps": "max-mbps",
}

// typedDefault is the profile-level-id that Monal writes when there is none: 0x420010.
const typedDefault = "420010"

// isTyped tells whether anything in the list can come from Monal's writer.
func isTyped(list []Parameter) bool {
	profiles := 0
	for i := range list {
		switch p := &list[i]; {
		case p.Name == "profile-level-id":
			profiles++
		case p.Value == "true", p.Value == "false", p.Name == "encodings", strings.IndexByte(p.Name, '_') >= 0:
			return true
		}
	}
	return profiles > 1
}

// untype restores the parameters that Monal prints from typed fields.
func untype(codec string, list []Parameter) []Parameter {
	var out []Parameter
	var encodings []string
	seen := map[Parameter]bool{}
	profiles := 0
	for _, p := range list {
		hyphened, typed := typedNames[p.Name]
		switch {
		case p.Name == "encodings":
			encodings = append(encodings, p.Value)
			continue
		case p.Name == "dtmp_tones":
			p.Name = ""
		case p.Name == "profile_level_id":
			n, err := strconv.ParseUint(p.Value, 10, 24)
			if err != nil || !strings.EqualFold(codec, "H264") {
				continue
			}
			p.Value = strconv.FormatUint(1<<24|n, 16)[1:]
		}
		if typed {
			p.Name = hyphened
		}
		p.Value = untyped(p.Name, p.Value)
		if typed && seen[p] {
			continue
		}
		seen[p] = true
		if p.Name == "profile-level-id" {
			profiles++
		}
		out = append(out, p)
	}
	if len(encodings) > 0 {
		out = append(out, Parameter{Value: strings.Join(encodings, "/"), HasValue: true})
	}
	if profiles > 1 {
		out = slices.DeleteFunc(out, func(p Parameter) bool { return p.Name == "profile-level-id" && p.Value == typedDefault })
	}
	return out
}

func untyped(name, value string) string {
	switch name {
	case "useinbandfec", "usedtx", "stereo", "sprop-stereo", "cbr", "level-asymmetry-allowed":
		switch value {
		case "true":
			return "1"
		case "false":
			return "0"
		}
	}
	return value
}
