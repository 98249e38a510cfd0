package jingle

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle/element"
)

// Unread returns what ParseStanza reads of a <jingle/> as nothing and does not keep either.  The whole ones are elements that have no meaning
// where they stand, or are malformed and can be done without, such as a candidate without an address or a fingerprint that is no hash.
// The parts stand for elements that are read but for attributes which nobody knows or whose value is none: each has these attributes and
// nothing else.
//
// What SDP does without is not among them: id and network of a candidate, who initiated the session and who responds, required of a
// fingerprint, which a draft of XEP-0320 had and Jitsi writes, and the id that Movim repeats in the feedback of a payload type.
func Unread(e *element.Element) (whole, parts []*element.Element) {
	d := decoder{}
	if _, err := d.tree(e); err != nil {
		return nil, nil
	}
	u := unread{noted: map[*element.Element]bool{}}
	for _, n := range d.unread {
		e := n.Element()
		u.whole = append(u.whole, e)
		u.noted[e] = true
	}
	u.look(stanzaGrammar, e)
	return u.whole, u.parts
}

// grammar is what is read of an element.
type grammar struct {
	spaces, locals []string // none for any
	attrs          map[string]value
	children       []*grammar
	// keeps: the decoder itself keeps or notes children that are not listed.
	keeps bool
	// first: of several such elements in one parent the decoder reads the first and keeps the others.
	first bool
	// spaced: in no namespace it is another element.
	spaced bool
	// when: it is such an element only if this attribute has the value that it can have.
	when string
}

// value tells whether an attribute has one that is read; nil for any.
type value func(string) bool

func within(lo, hi int) value {
	return func(s string) bool { return s == "" || number(s, lo, hi, hi+1) <= hi }
}

func boolean(s string) bool { return s == "" || isTrue(s) || isFalse(s) }

func unsigned(s string) bool {
	_, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	return s == "" || err == nil
}

func isSetup(s string) bool {
	return s == "" || s == string(SetupActpass) || s == string(SetupActive) || s == string(SetupPassive)
}

// leaf is an element whose attributes have any value.
func leaf(space, local string, attrs ...string) *grammar {
	g := &grammar{spaces: []string{space}, locals: []string{local}, attrs: map[string]value{}}
	for _, a := range attrs {
		g.attrs[a] = nil
	}
	return g
}

// with gives attributes the values that they can have.
func (g *grammar) with(v value, attrs ...string) *grammar {
	for _, a := range attrs {
		g.attrs[a] = v
	}
	return g
}

func (g *grammar) of(children ...*grammar) *grammar {
	g.children = children
	return g
}

func (g *grammar) keeping() *grammar {
	g.keeps = true
	return g
}

func (g *grammar) once() *grammar {
	g.first = true
	return g
}

// stanzaGrammar is all that is read, with the departures that Quirks lists.
var stanzaGrammar = leaf(NS, "jingle", "action", "sid", "initiator", "responder").keeping().of(
	leaf(NS, "content", "creator", "name", "senders", "disposition").keeping().of(
		descriptionGrammar(), transportGrammar(), dataGrammar(), rawGrammar(), fingerprintGrammar()),
	leaf(NSGrouping, "group", "semantics", "type").of(leaf(NSGrouping, "content", "name")))

func descriptionGrammar() *grammar {
	milliseconds := within(1, 10000)
	parameter := &grammar{locals: []string{"parameter"}, attrs: map[string]value{"name": nil, "value": nil}}
	feedback := leaf(NSFeedback, "rtcp-fb", "id", "type", "subtype").keeping().of(parameter)
	movim := leaf(NSFeedback, "rtcp-fb", "id", "subtype", "value").with(func(s string) bool { return s == "trr-int" }, "type") // FeedbackTRRInt
	movim.when = "type"
	interval := leaf(NSFeedback, "rtcp-fb-trr-int", "id", "value")
	return leaf(NSRTP, "description", "media", "ssrc").with(milliseconds, "ptime", "maxptime").keeping().once().of(
		leaf(NSRTP, "payload-type", "id", "name").with(within(1, 1<<30), "clockrate").with(within(0, 255), "channels").
			with(milliseconds, "ptime", "maxptime").keeping().of(parameter, movim, feedback, interval),
		movim, feedback, interval, &grammar{locals: []string{"ice-lite"}}, // LitePlace
		leaf(NSHdrExt, "rtp-hdrext", "id", "uri", "senders").keeping().of(parameter),
		leaf(NSSources, "source", "ssrc", "rid").keeping().of(parameter),
		leaf(NSSources, "ssrc-group", "semantics").of(leaf(NSSources, "source", "ssrc")),
		leaf(NSSources, "rid-group", "semantics").of(leaf(NSSources, "source", "rid")),
		leaf(NSMsid, "stream", "id", "track"),
		leaf(NSRTP, "bandwidth", "type", "value").of(&grammar{locals: []string{"type", "value"}}),
		leaf(NSRTP, "encryption").with(boolean, "required").of(
			leaf(NSRTP, "crypto", "tag", "crypto-suite", "key-params", "session-params"), leaf(NSZRTP, "zrtp-hash", "version"), fingerprintGrammar()),
		leaf(NSCategory, "category", "name"), fingerprintGrammar(),
		&grammar{spaces: []string{NSRTP, NSHdrExt}, locals: []string{"rtcp-mux", "rtcp-reduced-size", "extmap-allow-mixed"}})
}

func transportGrammar() *grammar {
	port, component := within(0, 65535), within(1, 256)
	candidate := leaf(NSICE, "candidate", "id", "foundation", "network", "ip", "protocol", "type", "rel-addr", "tcptype").with(port, "port", "rel-port", "rel_port").
		with(component, "component").with(within(0, 1<<30), "generation").with(within(0, 1<<32-1), "priority")
	remote := leaf(NSICE, "remote-candidate", "ip").with(port, "port").with(component, "component")
	complete := leaf(NSICE, "gathering-complete")
	g := leaf(NSICE, "transport", "ufrag", "pwd").with(boolean, "ice2").keeping().once().of(candidate, remote, complete, fingerprintGrammar(),
		leaf(NSSCTP, "sctpmap", "protocol").with(port, "number", "port", "streams").with(unsigned, "max-message-size"), channelGrammar(),
		&grammar{spaces: []string{NSICEOption}}, &grammar{locals: []string{"rtcp-mux"}}) // TransportMux
	for _, x := range []*grammar{g, candidate, remote, complete} {
		x.spaces = []string{NSICE, NSICETCP}
	}
	return g
}

func channelGrammar() *grammar {
	return leaf(NSChannel, "channel", "label", "protocol").with(boolean, "negotiated", "ordered").
		with(within(0, 65535), "id", "maxPacketLifeTime", "maxRetransmits")
}

func dataGrammar() *grammar {
	return leaf(NSDataICE, "transport").with(within(1, 65535), "sctp-port").with(unsigned, "max-message-size").once().of(transportGrammar(), channelGrammar())
}

func rawGrammar() *grammar {
	return leaf(NSRawUDP, "transport").keeping().once().of(
		leaf(NSRawUDP, "candidate", "id", "ip", "type").with(within(0, 65535), "port").with(within(1, 256), "component").with(within(0, 1<<30), "generation"))
}

func fingerprintGrammar() *grammar {
	g := leaf(NSDTLS, "fingerprint", "hash").with(isSetup, "setup").with(boolean, "cryptex", "required").in(nsDTLSDraft)
	g.spaced = true
	return g
}

func (g *grammar) in(more ...string) *grammar {
	g.spaces = append(g.spaces, more...)
	return g
}

func (g *grammar) has(e *element.Element) bool {
	return (g.locals == nil || slices.Contains(g.locals, e.Local)) &&
		(g.spaces == nil || slices.Contains(g.spaces, e.Space) || e.Space == "" && g.locals != nil && !g.spaced) &&
		(g.when == "" || g.attrs[g.when](e.Attr(g.when)))
}

// unread collects what is not in the grammar.
type unread struct {
	whole, parts []*element.Element
	noted        map[*element.Element]bool // by the decoder
}

func (u *unread) look(g *grammar, e *element.Element) {
	var rest *element.Element
	for _, a := range e.Attrs {
		valid, known := g.attrs[a.Local]
		if a.Space == element.NSXML || known && a.Space == "" && (valid == nil || valid(a.Value)) {
			continue
		}
		if rest == nil {
			rest = &element.Element{Space: e.Space, Local: e.Local}
			u.parts = append(u.parts, rest)
		}
		rest.Attrs = append(rest.Attrs, a)
	}
	isData := e.Space == NSRTP && e.Local == "description" && (&decoder{}).isDataDescription(e.Node())
	read := map[string]bool{}
	for _, c := range e.Children {
		if u.noted[c] {
			continue
		}
		i := slices.IndexFunc(g.children, func(g *grammar) bool { return g.has(c) })
		switch {
		case i < 0 && g.keeps && !isData:
		case i < 0, isData && c.Local != "fingerprint":
			u.whole = append(u.whole, c)
		case g.children[i].first && read[c.Local]: // kept
		default:
			read[c.Local] = true
			u.look(g.children[i], c)
		}
	}
}
