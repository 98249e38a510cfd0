package main

import (
	"crypto/sha1"
	"runtime/debug"

	"mellium.im/xmpp/disco"
	"mellium.im/xmpp/disco/info"

	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	nsPing    = "urn:xmpp:ping"
	nsVersion = "jabber:iq:version"
	capsNode  = "urn:carillon:jingle-echo"
)

var identity = info.Identity{Category: "client", Type: "bot", Name: "jingle-echo"}

// features are those that clients look for before they offer their call buttons: Dino wants Jingle, RTP and ICE-UDP, Movim the
// media and message initiation, Conversations all of them with DTLS.
var features = []string{
	disco.NSCaps, disco.NSInfo, disco.NSItems, nsPing, nsVersion,
	jingle.NS, jingle.NSMessage, jingle.NSRTP, jingle.NSRTPAudio, jingle.NSRTPVideo, jingle.NSICE, jingle.NSDTLS,
	jingle.NSFeedback, jingle.NSHdrExt,
	"urn:ietf:rfc:5888", // XEP-0338: grouping
	"urn:ietf:rfc:5576", // XEP-0339: sources
}

// capsVersion is the verification string of XEP-0115 section 5.1.
var capsVersion = func() string {
	i := disco.Info{Identity: []info.Identity{identity}}
	for _, f := range features {
		i.Features = append(i.Features, info.Feature{Var: f})
	}
	return i.Hash(sha1.New())
}()

func capabilities() *element.Element {
	return element.New(disco.NSCaps, "c", "hash", "sha-1", "node", capsNode, "ver", capsVersion)
}

// query answers the payload of an IQ get; unknown tells that there is no answer.
func query(payload *element.Element) (answer *element.Element, err *jingle.Error) {
	switch {
	case payload.Space == disco.NSInfo && payload.Local == "query":
		node := payload.Attr("node")
		if node != "" && node != capsNode+"#"+capsVersion {
			return nil, errItemNotFound
		}
		return discoInfo(node), nil
	case payload.Space == disco.NSItems && payload.Local == "query":
		return element.New(disco.NSItems, "query", "node", payload.Attr("node")), nil
	case payload.Space == nsPing && payload.Local == "ping":
		return nil, nil
	case payload.Space == nsVersion && payload.Local == "query":
		return element.New(nsVersion, "query").Append(
			element.New(nsVersion, "name").WithText(identity.Name),
			element.New(nsVersion, "version").WithText(version())), nil
	}
	return nil, errServiceUnavailable
}

func discoInfo(node string) *element.Element {
	q := element.New(disco.NSInfo, "query", "node", node)
	q.Append(element.New(disco.NSInfo, "identity", "category", identity.Category, "type", identity.Type, "name", identity.Name))
	for _, f := range features {
		q.Append(element.New(disco.NSInfo, "feature", "var", f))
	}
	return q
}

// version is that of the module the program was built from.
func version() string {
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		return build.Main.Version
	}
	return "unknown"
}
