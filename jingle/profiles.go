package jingle

import (
	"slices"
	"strings"
)

// Profiles is the clients that something is known of, the first being nobody in particular.  Of several versions the newest stands first.
var Profiles = []Profile{
	{Name: "Unknown"},
	// Native Jabber over libnice and GStreamer, never SDP.  Keeps initiator as the creator of every content, answers bad-request to a
	// content-modify that says otherwise, and feature-not-implemented to content-reject and content-remove.  Gathers two components.
	{
		Name: "Dino", Version: "0.4.2, 0.5.1", node: "dino.im",
		AlwaysInitiator: true, RefusesNone: true, NoBundle: true,
		Add: AddTaken, Modifies: true, Mutes: true,
	},
	// libwebrtc.  Its forks Snikket, Cheogram, monocles and blabber share the node.  Ends the call at a content-modify to none, at a
	// content-remove of what is in use, and where a session-accept lacks a kind of media.
	{
		Name: "Conversations", Version: "2.19.5", node: "conversations.im", feature: NSDataICE,
		AlwaysInitiator: true, RefusesNone: true, StrictValues: true, SCTP: SCTPTransport,
		WholeAccept: true, StubTransport: true,
		Add: AddAsked, Rejects: true, Withdraws: true, Modifies: true, Restart: RestartEmpty,
	},
	// Before data channels.  Acknowledges content-modify and does nothing.
	{
		Name: "Conversations", Version: "2.12.8", node: "conversations.im",
		AlwaysInitiator: true, RefusesNone: true, StrictValues: true,
		WholeAccept: true, StubTransport: true,
		Add: AddAsked, Rejects: true, Withdraws: true, Restart: RestartEmpty,
	},
	// A browser behind a converter of regular expressions.
	{
		Name: "Movim", Version: "0.34.1", node: "movim.eu",
		MirroredSenders: true, AlwaysInitiator: true, SCTP: SCTPDescription, TCP: true,
		Add: AddTaken, AcceptsWhole: true, Removes: true, Withdraws: true, Modifies: true, ModifiesBoth: true, Mutes: true,
	},
	// libwebrtc behind a strict parser in Rust.  No content action at all.
	{
		Name: "Monal", Version: "2024-10", node: "monal-im.org",
		AlwaysInitiator: true, RefusesNone: true, ClosedFeedback: true, SingleCandidate: true,
		Add: AddIgnored,
	},
	// Siskin IM and Beagle IM: libwebrtc.  content-accept and content-reject are feature-not-implemented.
	{
		Name: "Siskin", Version: "7.4.0", node: "tigase.org/tigaseswift*",
		Add: AddTaken, Removes: true, Withdraws: true, Modifies: true, ModifiesBoth: true, Mutes: true,
	},
	{
		Name: "Beagle", Version: "5.3.6", node: "tigase.org/tigaseswift*",
		Add: AddTaken, Removes: true, Withdraws: true, Modifies: true, ModifiesBoth: true, Mutes: true,
	},
	// A library for browsers, without message initiation.  content-modify and content-remove are bad-request.
	{
		Name: "stanza", Version: "12.22.1", node: "stanzajs.org", traits: "urn:xmpp:json:0 urn:xmpp:psa urn:xmpp:media-element",
		NamelessForm: NamelessName, CodecFeedback: true, TCP: true, MDNS: true,
		Add: AddRejected, Restart: RestartInfo, InitiatorRestart: true, Mutes: true, Holds: true,
	},
	// lib-jitsi-meet, Jicofo and their bridge.
	{
		Name: "Jitsi Meet", Version: "2026-08", node: "jitsi.org/j*",
		MirroredSenders: true, InvertedExtmap: true, RIDs: true, Cryptex: true, TCP: true, MDNS: true,
		Add: AddTaken, Removes: true, Withdraws: true, Modifies: true,
	},
	// Farstream.  Later versions have no calls.
	{
		Name: "Gajim", Version: "1.7.3", node: "gajim.org",
		NoBundle: true, NoDTLS: true,
		Add: AddTaken,
	},
	// Answers bad-request to every child of a description that is no payload-type.
	{
		Name: "Psi", Version: "2026-08", node: "psi-im.org psi-plus.com psi-plus.org",
		NoBundle: true, NoDTLS: true,
	},
	// The test account of this project, over pion.
	{
		Name: "jingle-echo", Version: "2", node: "urn:carillon:jingle-echo",
		Add: AddTaken, Rejects: true, Removes: true, Withdraws: true, Modifies: true, ModifiesBoth: true,
		Restart: RestartEmpty, NewCredential: true, Mutes: true, Holds: true,
	},
}

// ProfileOf tells the client by what it says of itself: by the name of an identity, else by the node of its capabilities, else by what it
// can do: programs over a library have names of their own, or none.  Where versions differ, the newest is taken whose feature it has.  A client that is not listed has the profile Unknown.
func ProfileOf(d Disco) Profile {
	p := d.client()
	p.BatchCandidates = p.BatchCandidates || slices.Contains(d.Features, featureBatch)
	return p
}

// featureBatch is the feature of a client that wants all candidates in the description (XEP-0176 section 9).
const featureBatch = "urn:ietf:rfc:3264"

func (d Disco) client() Profile {
	if slices.ContainsFunc(d.Identities, func(i Identity) bool { return named(i.Name, "Carillon") }) {
		return Profiles[0] // its node is wherever it is served
	}
	for _, i := range d.Identities {
		for _, p := range Profiles[1:] {
			if p.feature == "" || slices.Contains(d.Features, p.feature) {
				if named(i.Name, p.Name) {
					return p
				}
			}
		}
	}
	node := software(d.Node)
	for _, p := range Profiles[1:] {
		if (p.feature == "" || slices.Contains(d.Features, p.feature)) && p.hasNode(node) {
			return p
		}
	}
	for _, p := range Profiles[1:] {
		if p.traits != "" && d.hasAll(strings.Fields(p.traits)) {
			return p
		}
	}
	return Profiles[0]
}

// software returns the node of capabilities as the profiles have it: in lower case, without scheme, www. and what ends it.
func software(node string) string {
	node = strings.ToLower(node)
	for _, prefix := range []string{"https://", "http://", "www."} {
		node = strings.TrimPrefix(node, prefix)
	}
	return strings.TrimRight(node, "/#")
}

// hasNode tells whether the client has the node, which is that of software.
func (p *Profile) hasNode(node string) bool {
	for known := range strings.FieldsSeq(p.node) {
		if prefix, open := strings.CutSuffix(known, "*"); node == prefix || open && strings.HasPrefix(node, prefix) {
			return true
		}
	}
	return false
}

func (d Disco) hasAll(features []string) bool {
	return !slices.ContainsFunc(features, func(f string) bool { return !slices.Contains(d.Features, f) })
}

// ProfileNamed finds a profile by its name in any case, "dino", or by name and version, "Conversations 2.12".  Of several the newest is
// taken.
func ProfileNamed(name string) (Profile, bool) {
	for _, p := range Profiles {
		if named(p.Name+" "+p.Version, strings.Join(strings.Fields(name), " ")) {
			return p, true
		}
	}
	return Profile{}, false
}

// named tells whether full is the name, or begins with it and goes on with something else than a letter or digit.
func named(full, name string) bool {
	if name == "" || len(full) < len(name) || !strings.EqualFold(full[:len(name)], name) {
		return false
	}
	rest := strings.ToLower(full[len(name):])
	return rest == "" || !strings.ContainsAny(rest[:1], "abcdefghijklmnopqrstuvwxyz0123456789")
}
