package call

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"mellium.im/xmpp/jid"
)

// A Replay takes recorded inputs through the engine again.  The zero value is ready; an Opening begins a call, of which there may be
// several, one after another.
type Replay struct {
	machine Machine
	began   time.Time
	ids     int
}

// Step takes one input and returns lines as transcripts have them: the input, and indented below it what the call does.  It fails
// where no call has begun.
func (r *Replay) Step(at time.Time, in Input) ([]string, error) {
	o, opens := in.(Opening)
	if opens {
		r.began, r.ids = at, 0
	}
	lines := []string{fmt.Sprintf("%9.3f %s", at.Sub(r.began).Seconds(), describe(in))}
	var out []Output
	switch {
	case opens:
		var err error
		if r.machine, out, err = o.Start(Config{NewID: r.newID}); err != nil {
			return nil, err
		}
	case r.machine == nil:
		return nil, fmt.Errorf("call: an input before the call began")
	default:
		out = r.machine.Handle(at, in)
	}
	for _, o := range out {
		if text := Render(o, jid.JID.String); text != "" {
			lines = append(lines, "    "+text)
		}
	}
	return lines, nil
}

func (r *Replay) newID() string {
	r.ids++
	return "id" + strconv.Itoa(r.ids)
}

// describe writes an input as a line of a transcript.
func describe(in Input) string {
	if tab, ok := tabOf(in); ok {
		return "B> " + tab.String() + " " + describeFrame(in)
	}
	switch in := in.(type) {
	case PeerMessage:
		return fmt.Sprintf("X> %s %s %s", in.From, in.To, message(in.Message))
	case PeerBounce:
		return fmt.Sprintf("X> %s bounce %s %s", in.From, in.ID, in.Err.Condition)
	case PeerRequest:
		return fmt.Sprintf("X> %s %s iq %s %s", in.From, in.To, in.ID, stanza(in.Jingle))
	case PeerReply:
		return strings.TrimSpace(fmt.Sprintf("X> reply #%d %s %s", in.Tag, verdictOf(in.Err), in.Disco.Node))
	case PeerUnavailable:
		return fmt.Sprintf("X> %s unavailable", in.From)
	case Timeout:
		return fmt.Sprintf("T! %v", in.Timer)
	case TieLost:
		return "X> tie-lost " + in.SID
	case Shutdown:
		return strings.TrimSpace("S> " + string(in.Outcome))
	case Opening:
		return describeOpening(in)
	}
	return fmt.Sprintf("%T", in)
}

func describeFrame(in Input) string {
	switch in := in.(type) {
	case BrowserOffer:
		return "offer " + sdpSummary(in.SDP)
	case BrowserAnswer:
		return "answer " + sdpSummary(in.SDP)
	case BrowserCandidate:
		return strings.TrimSpace(fmt.Sprintf("candidate %s %d %s", in.Mid, in.Line, in.Candidate))
	case BrowserMedia:
		return "media " + string(in.State)
	case BrowserInfo:
		return strings.TrimSpace("info " + string(in.Info) + " " + in.Mid)
	}
	return recordOf(in).Input
}

func describeOpening(o Opening) string {
	parts := []string{"call", string(o.Kind)}
	switch o.Kind {
	case KindOutgoing:
		parts = append(parts, o.SID, o.Tab.String(), o.Peer.String())
	case KindLocal:
		parts = append(parts, o.Tab.String(), o.Peer.String())
	}
	for _, t := range o.Tabs {
		parts = append(parts, t.String())
	}
	if o.First != nil {
		parts = append(parts, describe(o.First))
	}
	return strings.Join(parts, " ")
}
