package component

import (
	"crypto/sha1"
	"strings"

	"mellium.im/xmpp/disco"
	"mellium.im/xmpp/disco/info"
	"mellium.im/xmpp/jid"

	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	nsDiscoInfo  = "http://jabber.org/protocol/disco#info"
	nsDiscoItems = "http://jabber.org/protocol/disco#items"
	nsCaps       = "http://jabber.org/protocol/caps"
	nsVersion    = "jabber:iq:version"
	nsLast       = "jabber:iq:last"
	nsPing       = "urn:xmpp:ping"
	nsVCard      = "vcard-temp"
	nsVCardPhoto = "vcard-temp:x:update"
	nsNick       = "http://jabber.org/protocol/nick"
	nsPubSub     = "http://jabber.org/protocol/pubsub"
)

// ghostInfo is what a ghost can do.  Every call-capable client decides by it whether to show its call button, and the identity must
// not be a conference: Dino and Conversations throw away calls from rooms.
var ghostInfo = discoInfo("client", "web", "Carillon",
	nsCaps, nsDiscoInfo, nsVersion, nsLast, nsPing, nsReceipts,
	jingle.NS, jingle.NSMessage, jingle.NSRTP, jingle.NSRTPAudio, jingle.NSRTPVideo,
	jingle.NSFeedback, jingle.NSHdrExt, "urn:ietf:rfc:5888", "urn:ietf:rfc:5576",
	jingle.NSICE, jingle.NSDTLS)

// serviceInfo is what the component's own address can do.
var serviceInfo = discoInfo("component", "generic", "Carillon", nsDiscoInfo, nsDiscoItems, nsVersion, nsPing)

func discoInfo(category, kind, name string, features ...string) disco.Info {
	i := disco.Info{Identity: []info.Identity{{Category: category, Type: kind, Name: name}}}
	for _, f := range features {
		i.Features = append(i.Features, info.Feature{Var: f})
	}
	i.Hash(sha1.New()) // sorts what it hashes
	return i
}

// capsVersion is the verification string of ghostInfo (XEP-0115 section 5).
var capsVersion = ghostInfo.Hash(sha1.New())

// caps is the entity capabilities element of a ghost's presence.
func (c *Component) caps() *element.Element {
	return element.New(nsCaps, "c", "hash", "sha-1", "node", c.cfg.PublicURL, "ver", capsVersion)
}

// answerQuery answers the gets that every XMPP entity is expected to answer, or returns an error.
func (c *Component) answerQuery(st stream.Stanza, query *element.Element) (*element.Element, *jingle.Error) {
	service := st.To.Localpart() == ""
	if !service && st.To.Resourcepart() != "" && !c.attached(st.To) {
		return nil, errUnavailable
	}
	switch query.Space + " " + query.Local {
	case nsDiscoInfo + " query":
		return c.answerInfo(query.Attr("node"), service)
	case nsDiscoItems + " query":
		if node := query.Attr("node"); node != "" {
			return nil, errNoItem
		}
		return element.New(nsDiscoItems, "query"), nil
	case nsPing + " ping":
		return nil, nil
	case nsVersion + " query":
		return element.New(nsVersion, "query").Append(
			element.New(nsVersion, "name").WithText("Carillon"),
			element.New(nsVersion, "version").WithText(c.cfg.Version)), nil
	case nsLast + " query":
		return element.New(nsLast, "query", "seconds", "0"), nil
	case nsVCard + " vCard":
		return c.vCard(st.To), nil
	}
	if query.Space == nsPubSub {
		// OMEMO keys, avatars, nicks: there are none, and the quicker that is known the sooner clients go on.
		return nil, errNoItem
	}
	return nil, errUnavailable
}

func (c *Component) answerInfo(node string, service bool) (*element.Element, *jingle.Error) {
	i := ghostInfo
	if service {
		i = serviceInfo
	}
	if node != "" && (service || node != c.cfg.PublicURL+"#"+capsVersion) {
		return nil, errNoItem
	}
	query := element.New(nsDiscoInfo, "query", "node", node)
	for _, id := range i.Identity {
		query.Append(element.New(nsDiscoInfo, "identity", "category", id.Category, "type", id.Type, "name", id.Name))
	}
	for _, f := range i.Features {
		query.Append(element.New(nsDiscoInfo, "feature", "var", f.Var))
	}
	return query, nil
}

// vCard says who claims to be at an address.  The name is the guest's own word, and the card says so.
func (c *Component) vCard(to jid.JID) *element.Element {
	card := element.New(nsVCard, "vCard")
	text := func(local, s string) *element.Element { return element.New(nsVCard, local).WithText(s) }
	if to.Localpart() == "" {
		return card.Append(text("FN", "Carillon"), text("URL", c.cfg.PublicURL))
	}
	nick := c.nickOf(to)
	return card.Append(
		text("FN", nick),
		text("NICKNAME", nick),
		text("URL", c.cfg.PublicURL),
		text("DESC", "A guest who calls from a web page. The name is the guest's own claim; nobody has verified it."))
}

// maxDiscoWord bounds what a client says of itself, word by word, in bytes.
const maxDiscoWord = 256

// discoWord returns an attribute without the stanza that it is a part of, "" for one that is too long.
func discoWord(s string) string {
	if len(s) > maxDiscoWord {
		return ""
	}
	return strings.Clone(s)
}

// discoIn reads a disco#info result of a client.  node is that of its capabilities, where they are known.
func discoIn(reply *element.Element, node string) jingle.Disco {
	query := reply.Child(nsDiscoInfo, "query")
	if query == nil {
		return jingle.Disco{}
	}
	d := jingle.Disco{Node: discoWord(node), Features: []string{}}
	if said, _, _ := strings.Cut(query.Attr("node"), "#"); d.Node == "" {
		d.Node = discoWord(said)
	}
	for _, e := range query.Children {
		switch {
		case len(e.Attr("var")) > maxDiscoWord || len(e.Attr("name")) > maxDiscoWord:
		case e.Local == "feature" && len(d.Features) < 200:
			d.Features = append(d.Features, discoWord(e.Attr("var")))
		case e.Local == "identity" && len(d.Identities) < 20:
			d.Identities = append(d.Identities, jingle.Identity{
				Category: discoWord(e.Attr("category")), Type: discoWord(e.Attr("type")), Name: discoWord(e.Attr("name")),
			})
		}
	}
	return d
}
