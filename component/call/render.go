package call

import (
	"fmt"
	"strings"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
)

// Render writes an output as a line of a transcript: what a person wants to see of it.  name writes an address.  What is of no
// interest in a transcript, such as Untranslated, gives "".
func Render(o Output, name func(jid.JID) string) string {
	r := renderer{name}
	switch o := o.(type) {
	case ToBrowser:
		return "B< " + r.name(o.Tab) + " " + r.event(o.Event)
	case SendMessage:
		return fmt.Sprintf("X< %s %s message %s %s", r.name(o.From), r.name(o.To), o.ID, message(o.Message))
	case SendRequest:
		return fmt.Sprintf("X< %s %s #%d %s", r.name(o.From), r.name(o.To), o.Tag, stanza(o.Jingle))
	case SendPing:
		return fmt.Sprintf("X< %s %s #%d ping", r.name(o.From), r.name(o.To), o.Tag)
	case SendDisco:
		return fmt.Sprintf("X< %s %s #%d disco", r.name(o.From), r.name(o.To), o.Tag)
	case Answer:
		return fmt.Sprintf("X< %s %s answer %s %s", r.name(o.Request.To), r.name(o.Request.From), o.Request.ID, verdictOf(o.Err))
	case SetTimer:
		if o.After == 0 {
			return fmt.Sprintf("T< %v off", o.Timer)
		}
		return fmt.Sprintf("T< %v %v", o.Timer, o.After)
	case Ended:
		if o.Answered {
			return "= answered, " + string(o.Outcome)
		}
		return "= unanswered, " + string(o.Outcome)
	}
	return ""
}

type renderer struct{ name func(jid.JID) string }

func verdictOf(e *jingle.Error) string {
	if e == nil {
		return "result"
	}
	s := "error " + e.Condition
	if e.Jingle != "" {
		s += " " + e.Jingle
	}
	if e.Text != "" {
		s += fmt.Sprintf(" %q", e.Text)
	}
	return s
}

func (r renderer) event(e Event) string {
	switch e := e.(type) {
	case Admitted:
		return "admitted"
	case Incoming:
		return "incoming from " + r.name(e.From) + ": " + strings.Join(e.Media, " ")
	case RemoteRinging:
		return "ringing"
	case Proceeding:
		return "proceeding " + r.name(e.Peer)
	case RemoteOffer:
		return "offer " + sdpSummary(e.SDP)
	case RemoteAnswer:
		return "answer " + sdpSummary(e.SDP)
	case RemoteCandidate:
		return strings.TrimSpace(fmt.Sprintf("candidate %s %d %s", e.Mid, e.Line, e.Candidate))
	case RemoteInfo:
		return strings.TrimSpace("info " + string(e.Info) + " " + e.Mid)
	case Warning:
		return "warning " + string(e.Code)
	case Refused:
		return fmt.Sprintf("refused %q", e.Sentence)
	case Finished:
		return "finished " + string(e.Outcome)
	}
	return fmt.Sprintf("%T", e)
}

func message(m jingle.Message) string {
	parts := append([]string{string(m.Kind), m.ID}, m.Media...)
	if m.Reason != nil {
		parts = append(parts, reason(*m.Reason))
	}
	if m.TieBreak {
		parts = append(parts, "tie-break")
	}
	return strings.Join(parts, " ")
}

func reason(r jingle.Reason) string {
	if r.Text == "" {
		return string(r.Condition)
	}
	return fmt.Sprintf("%s %q", r.Condition, r.Text)
}

// stanza sums a Jingle stanza up: action, sid and what tells one from another.
func stanza(j jingle.Stanza) string {
	parts := []string{string(j.Action), j.SID}
	if j.Initiator != "" {
		parts = append(parts, "initiator="+j.Initiator)
	}
	if j.Responder != "" {
		parts = append(parts, "responder="+j.Responder)
	}
	for _, c := range j.Contents {
		parts = append(parts, content(c))
	}
	for _, g := range j.Groups {
		parts = append(parts, g.Semantics+"("+strings.Join(g.Names, " ")+")")
	}
	for _, e := range j.Info {
		parts = append(parts, strings.TrimSpace(e.Local+" "+e.Attr("name")))
	}
	if j.Reason != nil {
		parts = append(parts, reason(*j.Reason))
	}
	return strings.Join(parts, " ")
}

func content(c jingle.Content) string {
	parts := []string{c.Name, "by " + c.Creator.String()}
	if c.RTP != nil {
		parts = append(parts, c.RTP.Media)
		for _, p := range c.RTP.PayloadTypes {
			parts = append(parts, fmt.Sprintf("%d/%s", p.ID, p.Name))
		}
	}
	if c.Senders != "" && c.Senders != jingle.SendersBoth {
		parts = append(parts, "senders="+string(c.Senders))
	}
	for _, e := range c.Other {
		parts = append(parts, e.Space)
	}
	if c.ICE != nil && c.ICE.Ufrag == "" {
		parts = append(parts, "ice")
	} else if c.ICE != nil {
		parts = append(parts, c.ICE.Ufrag)
		for _, f := range c.ICE.Fingerprints {
			parts = append(parts, string(f.Setup))
		}
		for _, x := range c.ICE.Candidates {
			parts = append(parts, fmt.Sprintf("%s:%s/%d", x.ID, x.IP, x.Port))
		}
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// sdpSummary lists an SDP's m-lines with what matters to a call, or quotes its first line where it is none.
func sdpSummary(sdp string) string {
	var parts []string
	group := ""
	for line := range strings.SplitSeq(sdp, "\r\n") {
		switch name, value, _ := strings.Cut(strings.TrimPrefix(line, "a="), ":"); {
		case strings.HasPrefix(line, "m="):
			f := append(strings.Fields(line[2:]), "", "", "")
			parts = append(parts, fmt.Sprintf("[%s %s", f[0], strings.Trim(strings.Join(f[3:], ","), ",")))
			if f[1] == "0" {
				parts[len(parts)-1] += " rejected"
			}
		case name == "group":
			group = " group " + value
		case len(parts) == 0:
		case name == "mid", name == "setup", name == "ice-ufrag":
			parts[len(parts)-1] += " " + name + "=" + value
		case name == "sendrecv", name == "sendonly", name == "recvonly", name == "inactive", name == "rtcp-mux":
			parts[len(parts)-1] += " " + name
		case name == "candidate":
			f := append(strings.Fields(value), make([]string, 6)...)
			parts[len(parts)-1] += " " + f[4] + "/" + f[5] + "/" + f[1]
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%q", sdp)
	}
	return strings.Join(parts, "] ") + "]" + group
}
