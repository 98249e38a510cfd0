package call

import (
	"fmt"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
)

// reader reads the addresses of a record, and keeps the first error.
type reader struct{ err error }

func (p *reader) jid(s string) jid.JID {
	if s == "" {
		return jid.JID{}
	}
	j, err := jid.Parse(s)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("%q: %w", s, err)
	}
	return j
}

func (p *reader) jids(list []string) []jid.JID {
	var all []jid.JID
	for _, s := range list {
		all = append(all, p.jid(s))
	}
	return all
}

func (r record) read() (Input, error) {
	var p reader
	in, err := r.readFrame(&p)
	if in == nil && err == nil {
		in, err = r.readOther(&p)
	}
	if err == nil {
		err = p.err
	}
	return in, err
}

// readFrame reads what a tab did.  It returns nil for anything else.
func (r record) readFrame(p *reader) (Input, error) {
	tab := p.jid(r.Tab)
	switch r.Input {
	case "offer":
		return BrowserOffer{tab, r.SDP}, nil
	case "answer":
		return BrowserAnswer{tab, r.SDP}, nil
	case "candidate":
		return BrowserCandidate{Tab: tab, Candidate: r.Candidate, Mid: r.Mid, Line: r.Line, Ufrag: r.Ufrag}, nil
	case "media":
		return BrowserMedia{tab, MediaState(r.State)}, nil
	case "info":
		return BrowserInfo{tab, jingle.InfoKind(r.State), r.Mid}, nil
	case "accept":
		return BrowserAccept{tab}, nil
	case "cross":
		return BrowserCross{tab}, nil
	case "decline":
		return BrowserDecline{tab}, nil
	case "hang-up":
		return BrowserHangUp{tab}, nil
	case "lost":
		return BrowserLost{tab}, nil
	case "back":
		return BrowserBack{tab}, nil
	case "gone":
		return BrowserGone{tab}, nil
	}
	return nil, nil
}

func (r record) readOther(p *reader) (Input, error) {
	from, to := p.jid(r.From), p.jid(r.To)
	switch r.Input {
	case "message":
		m, err := r.message()
		return PeerMessage{from, to, m}, err
	case "request":
		j, err := r.jingle()
		return PeerRequest{from, to, r.ID, j}, err
	case "bounce":
		if r.Error == nil {
			return nil, fmt.Errorf("a bounce without its error")
		}
		return PeerBounce{from, r.ID, *r.Error}, nil
	case "reply":
		in := PeerReply{Tag: r.Tag, From: from, Err: r.Error}
		if r.Disco != nil {
			in.Disco = *r.Disco
		}
		return in, nil
	case "unavailable":
		return PeerUnavailable{from}, nil
	case "timeout":
		for t := range timerCount {
			if t.String() == r.State {
				return Timeout{t}, nil
			}
		}
		return nil, fmt.Errorf("no such timer: %q", r.State)
	case "tie-lost":
		return TieLost{r.ID}, nil
	case "shutdown":
		return Shutdown{Outcome(r.State)}, nil
	}
	return r.readOpening(p)
}

func (r record) readOpening(p *reader) (Input, error) {
	o := Opening{Kind: Kind(r.Input), SID: r.ID, Tab: p.jid(r.Tab), Peer: p.jid(r.To), Tabs: p.jids(r.Tabs), TURN: r.TURN}
	switch o.Kind {
	case KindOutgoing, KindIncoming, KindDirect, KindLocal:
	default:
		return nil, fmt.Errorf("no such input: %q", r.Input)
	}
	for _, k := range r.Known {
		o.Known = append(o.Known, Resource{JID: p.jid(k.JID), Priority: k.Priority, Disco: k.Disco})
	}
	if r.Durations != nil {
		o.Durations = *r.Durations
	}
	if r.First == nil {
		return o, nil
	}
	if r.First.First != nil { // no opening begins with an opening
		return nil, fmt.Errorf("an opening within an opening")
	}
	first, err := r.First.read()
	o.First = first
	return o, err
}
