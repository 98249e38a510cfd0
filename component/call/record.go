package call

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/jingle/element"
)

// An Opening is how a call begins: the arguments of its constructor as a value, which Record writes like an input.
type Opening struct {
	Kind      Kind
	SID       string     // outgoing
	Tab       jid.JID    // outgoing, local: who calls
	Peer      jid.JID    // outgoing, local: who is called
	Known     []Resource // outgoing
	Tabs      []jid.JID  // incoming, local: those that ring
	First     Input      // incoming: its PeerMessage; direct: its PeerRequest
	TURN      bool
	Durations Durations
}

// Kind is the kind of a call.
type Kind string

// The kinds, each with a constructor of its own.
const (
	KindOutgoing Kind = "outgoing"
	KindIncoming Kind = "incoming"
	KindDirect   Kind = "direct"
	KindLocal    Kind = "local"
)

func (Opening) input() {}

// Start makes the call.  Durations and TURN of cfg give way to those of the opening.
func (o Opening) Start(cfg Config) (Machine, []Output, error) {
	cfg.TURN, cfg.Durations = o.TURN, o.Durations
	propose, isMessage := o.First.(PeerMessage)
	initiate, isRequest := o.First.(PeerRequest)
	var m Machine
	var out []Output
	switch {
	case o.Kind == KindOutgoing:
		m, out = NewOutgoing(cfg, o.SID, o.Tab, o.Peer, o.Known)
	case o.Kind == KindIncoming && isMessage:
		m, out = NewIncoming(cfg, propose, o.Tabs)
	case o.Kind == KindDirect && isRequest:
		m, out = NewDirect(cfg, initiate)
	case o.Kind == KindLocal:
		m, out = NewLocal(cfg, o.Tab, o.Peer, o.Tabs)
	default:
		return nil, nil, fmt.Errorf("call: an opening of kind %q with a first input of type %T", o.Kind, o.First)
	}
	return m, out, nil
}

// record is an input as JSON.  Which fields it has depends on the kind of input.
type record struct {
	At        time.Time     `json:"at,omitzero"`
	Input     string        `json:"input"`
	Tab       string        `json:"tab,omitempty"`
	From      string        `json:"from,omitempty"`
	To        string        `json:"to,omitempty"`
	ID        string        `json:"id,omitempty"`
	SDP       string        `json:"sdp,omitempty"`
	Candidate string        `json:"candidate,omitempty"`
	Mid       string        `json:"mid,omitempty"`
	Ufrag     string        `json:"ufrag,omitempty"`
	Line      int           `json:"line,omitempty"`
	State     string        `json:"state,omitempty"`
	XML       string        `json:"xml,omitempty"` // the <jingle/>, or the element of XEP-0353
	Tag       int           `json:"tag,omitempty"`
	Error     *jingle.Error `json:"error,omitempty"`
	Disco     *jingle.Disco `json:"disco,omitempty"`
	Known     []knownRecord `json:"known,omitempty"`
	Tabs      []string      `json:"tabs,omitempty"`
	First     *record       `json:"first,omitempty"`
	TURN      bool          `json:"turn,omitempty"`
	Durations *Durations    `json:"durations,omitempty"`
}

type knownRecord struct {
	JID      string       `json:"jid"`
	Priority int8         `json:"priority"`
	Disco    jingle.Disco `json:"disco"`
}

// verbatim writes a stanza as it was read, with nothing adapted to a client.
var verbatim = jingle.Profile{Version: "any", RIDs: true, Cryptex: true}

// Record writes an input as one line of JSON, without an end of line, from which ParseRecord makes the same input.  SDP and stanzas
// are in it, and with them the addresses of people and machines: it belongs into a log at debug level.
func Record(now time.Time, in Input) []byte {
	r := recordOf(in)
	r.At = now.UTC()
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false) // it is for people too
	if err := e.Encode(r); err != nil {
		return []byte(`{"input":""}`) // a clock past the year 9999
	}
	return bytes.TrimSuffix(line.Bytes(), []byte("\n"))
}

// ParseRecord reads a line that Record wrote.
func ParseRecord(line []byte) (time.Time, Input, error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return time.Time{}, nil, fmt.Errorf("call: no record of an input: %w", err)
	}
	in, err := r.read()
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("call: record of an input: %w", err)
	}
	return r.At, in, nil
}

func recordOf(in Input) record {
	if tab, ok := tabOf(in); ok {
		return tabRecord(in, tab)
	}
	switch in := in.(type) {
	case PeerMessage:
		return record{Input: "message", From: in.From.String(), To: in.To.String(), XML: in.Message.Element().String()}
	case PeerBounce:
		return record{Input: "bounce", From: in.From.String(), ID: in.ID, Error: &in.Err}
	case PeerRequest:
		return record{Input: "request", From: in.From.String(), To: in.To.String(), ID: in.ID, XML: string(verbatim.AppendTo(nil, "", in.Jingle, jingle.Initiator))}
	case PeerReply:
		r := record{Input: "reply", Tag: in.Tag, From: in.From.String(), Error: in.Err}
		if in.Disco.Features != nil || in.Disco.Identities != nil || in.Disco.Node != "" {
			r.Disco = &in.Disco
		}
		return r
	case PeerUnavailable:
		return record{Input: "unavailable", From: in.From.String()}
	case Timeout:
		return record{Input: "timeout", State: in.Timer.String()}
	case TieLost:
		return record{Input: "tie-lost", ID: in.SID}
	case Shutdown:
		return record{Input: "shutdown", State: string(in.Outcome)}
	case Opening:
		return openingRecord(in)
	}
	return record{}
}

func tabRecord(in Input, tab jid.JID) record {
	r := record{Tab: tab.String()}
	switch in := in.(type) {
	case BrowserOffer:
		r.Input, r.SDP = "offer", in.SDP
	case BrowserAnswer:
		r.Input, r.SDP = "answer", in.SDP
	case BrowserCandidate:
		r.Input, r.Candidate, r.Mid, r.Line, r.Ufrag = "candidate", in.Candidate, in.Mid, in.Line, in.Ufrag
	case BrowserMedia:
		r.Input, r.State = "media", string(in.State)
	case BrowserInfo:
		r.Input, r.State, r.Mid = "info", string(in.Info), in.Mid
	case BrowserAccept:
		r.Input = "accept"
	case BrowserCross:
		r.Input = "cross"
	case BrowserDecline:
		r.Input = "decline"
	case BrowserHangUp:
		r.Input = "hang-up"
	case BrowserLost:
		r.Input = "lost"
	case BrowserBack:
		r.Input = "back"
	case BrowserGone:
		r.Input = "gone"
	}
	return r
}

func openingRecord(o Opening) record {
	r := record{Input: string(o.Kind), ID: o.SID, Tab: o.Tab.String(), To: o.Peer.String(), TURN: o.TURN}
	for _, t := range o.Tabs {
		r.Tabs = append(r.Tabs, t.String())
	}
	for _, k := range o.Known {
		r.Known = append(r.Known, knownRecord{JID: k.JID.String(), Priority: k.Priority, Disco: k.Disco})
	}
	if o.First != nil {
		first := recordOf(o.First)
		r.First = &first
	}
	if o.Durations != (Durations{}) {
		r.Durations = &o.Durations
	}
	return r
}

var errNoXML = errors.New("its xml is none that belongs to a call")

// element parses the XML of a record.
func (r record) element() (*element.Element, error) {
	return element.Parse([]byte(r.XML), element.Limits{})
}

func (r record) message() (jingle.Message, error) {
	e, err := r.element()
	if err != nil {
		return jingle.Message{}, err
	}
	m, ok, err := jingle.ParseMessage(e)
	if err == nil && !ok {
		err = errNoXML
	}
	return m, err
}

func (r record) jingle() (jingle.Stanza, error) {
	e, err := r.element()
	if err != nil {
		return jingle.Stanza{}, err
	}
	s, refusal := jingle.ParseStanza(e)
	if refusal != nil {
		return s, refusal
	}
	return s, nil
}
