package sdpconv

import (
	"slices"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

// able is a client that can do all there is.
var able = jingle.Profile{
	Version: "1",
	Add:     jingle.AddTaken, Rejects: true, Removes: true, Withdraws: true, Modifies: true, ModifiesBoth: true, Informed: true, Restart: jingle.RestartInfo,
}

// leg is the gateway between one browser of a recording and the Jingle session with the other's.
type leg struct {
	us      jingle.Role
	profile jingle.Profile
	session jingle.Session
	lines   Lines
	// While an exchange is under way:
	want   jingle.Session
	open   Lines
	before jingle.Session
	losses []Loss // of all steps between the two SDPs
	unsaid []Loss // those of Diff
}

// wire carries a stanza as text, written and read as a client wants it.
func wire(t testing.TB, p jingle.Profile, a jingle.Stanza, by jingle.Role) jingle.Stanza {
	t.Helper()
	a.SID = "s1"
	e, err := element.Parse(p.AppendTo(nil, "", a, by), element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	read, jerr := jingle.ParseStanza(e)
	if jerr != nil {
		t.Fatalf("%v in %s", jerr, a.AppendTo(nil, ""))
	}
	return p.Read(read, by)
}

// replay is a recording between two legs.
type replay struct {
	*testing.T
	name string
	legs [2]*leg

	rolledBack int
	turned     bool // the party that answered first has offered
}

// send takes actions at both legs.
func (r *replay) send(from *leg, actions []jingle.Stanza) {
	r.Helper()
	to := r.legs[from.us.Other()]
	for _, a := range actions {
		var err error
		if from.session, err = Apply(from.session, a, from.us); err != nil {
			r.Fatalf("%s: own %s: %v", r.name, a.Action, err)
		}
		if to.session, err = Apply(to.session, wire(r, from.profile, a, from.us), from.us); err != nil {
			r.Fatalf("%s: %s: %v\n%s", r.name, a.Action, err, a.AppendTo(nil, ""))
		}
	}
}

// offer takes a browser's offer to the other, and returns what that one gets.
func (r *replay) offer(s step) string {
	from, to := r.legs[s.author()], r.legs[s.author().Other()]
	r.turned = r.turned || from.us == jingle.Responder
	d, open, losses, err := FromSDP(s.SDP, from.us, from.lines)
	if err != nil {
		r.Fatalf("%s: %v", r.name, err)
	}
	want, unasked := Propose(from.session, from.us, d)
	from.before, to.before = from.session, to.session
	actions, unsaid := Diff(from.session, want, from.us, from.profile)
	from.open, from.want, from.losses, from.unsaid = open, want, slices.Concat(losses, unasked, unsaid), slices.Concat(unasked, unsaid)
	r.send(from, actions)
	if len(actions) > 0 && !Renegotiates(to.before, to.session, from.us) {
		r.Errorf("%s: %d actions and nothing to negotiate", r.name, len(actions))
	}
	text, open, more, err := ToSDP(Describe(to.session, from.us, Offer), from.us, Offer, to.lines, Origin{1, 1})
	if err != nil {
		r.Fatalf("%s: to the other: %v", r.name, err)
	}
	to.open, from.losses = open, append(from.losses, more...)
	return text
}

// answer takes the answer back.
func (r *replay) answer(s step) string {
	from, to := r.legs[s.author()], r.legs[s.author().Other()]
	d, lines, losses, err := FromSDP(s.SDP, from.us, from.open)
	if err != nil {
		r.Fatalf("%s: %v", r.name, err)
	}
	want := Respond(from.session, from.us, d)
	actions, unsaid := Diff(from.session, want, from.us, from.profile)
	from.losses, from.unsaid = slices.Concat(losses, unsaid), unsaid
	r.send(from, actions)
	from.session, from.lines = Settle(from.session, want, from.us), lines
	to.session = Settle(to.session, to.want, to.us)
	if to.session.Pending(to.us) {
		r.Errorf("%s: still pending", r.name)
	}
	text, lines, more, err := ToSDP(Describe(to.session, from.us, Answer), from.us, Answer, to.open, Origin{1, 1})
	if err != nil {
		r.Fatalf("%s: to the other: %v", r.name, err)
	}
	to.lines, from.losses = lines, append(from.losses, more...)
	return text
}

// crossed makes the actions of an offer that is rolled back.  They are sent and never acknowledged, so nothing is changed by them.
func (r *replay) crossed(s step) {
	from := r.legs[s.author()]
	before := from.session
	d, _, _, err := FromSDP(s.SDP, from.us, from.lines)
	if err != nil {
		r.Fatalf("%s: %v", r.name, err)
	}
	want, _ := Propose(from.session, from.us, d)
	if actions, _ := Diff(from.session, want, from.us, from.profile); len(actions) == 0 {
		r.Errorf("%s: nothing to cross", r.name)
	}
	if !equal(before, from.session) {
		r.Errorf("%s: the session changed by asking", r.name)
	}
	r.rolledBack++
}

// trickle takes a candidate across.
func (r *replay) trickle(s step) {
	c, ufrag, err := ParseCandidate(s.Candidate.Candidate)
	if err != nil {
		return // Firefox's end of candidates
	}
	from, to := r.legs[s.author()], r.legs[s.author().Other()]
	for i := range from.session.Contents {
		said := from.session.Said(i, from.us)
		if said == nil || said.ICE == nil || said.ICE.Ufrag != ufrag {
			continue
		}
		before := to.session
		content := keyOf(from.session.Contents[i])
		content.ICE = &jingle.Transport{Ufrag: ufrag, Pwd: said.ICE.Pwd, Candidates: []jingle.Candidate{c}}
		r.send(from, []jingle.Stanza{{Action: jingle.TransportInfo, Contents: []jingle.Content{content}}})
		if at := to.session.Said(i, from.us).ICE.Candidates; !equal(before, to.session) && (len(at) == 0 || !sameCandidate(at[len(at)-1], c)) {
			r.Errorf("%s: candidate %v arrived as %v", r.name, c, at)
		}
		return
	}
}

// compare tells what is different at the other end.  Sources stay when the direction changes, because no action takes them
// back; a browser that answered first offers again what the other never had.
func (r *replay) compare(s step, text string, again bool) {
	r.Helper()
	losses := r.legs[s.author()].losses
	for _, l := range strings.Split(meaningOf(s.SDP, lostLines(losses)).compare(meaningOf(text, nil), losses, nil), "\n") {
		f := strings.Fields(l)
		switch {
		case len(f) < 4:
		case (f[3] == "candidate" || f[3] == "end-of-candidates") && !strings.HasPrefix(r.name, "gathered"):
		case r.turned && slices.Contains([]string{"formats", "rtpmap", "fmtp", "rtcp-fb", "extmap", "rtcp-rsize"}, f[3]):
		case f[3] == "setup" && again: // the content shares a transport whose role is in force, whatever the browser repeats
		case f[2] == "gained" && slices.Contains([]string{"ssrc", "msid", "ssrc-group"}, f[3]) && slices.ContainsFunc(losses, func(x Loss) bool {
			return strings.HasPrefix(x.Line, "a=ssrc") || strings.HasPrefix(x.Line, "a=msid")
		}):
		default:
			r.Errorf("%s %s: %s", s.Name, s.Type, l)
		}
	}
}

// Every recording of several steps is replayed between two sessions that know of each other by stanzas only: each browser gets what the
// other wrote, in meaning.  What no action could say is golden.
func TestReplayRecordings(t *testing.T) {
	golden := ledger{}
	crossed := 0
	for name, steps := range scenarios(t) {
		r := &replay{T: t, name: name, legs: [2]*leg{{us: jingle.Initiator, profile: able}, {us: jingle.Responder, profile: able}}}
		for k, s := range steps {
			again := k > 0
			r.name = s.Name
			switch s.Type {
			case "offer":
				if rolledBack(steps[k+1:], s.From) {
					r.crossed(s)
					continue
				}
				r.compare(s, r.offer(s), again)
			case "answer":
				r.compare(s, r.answer(s), again)
			case "candidate":
				r.trickle(s)
				continue
			default:
				continue
			}
			for _, l := range r.legs[s.author()].unsaid {
				_, reason, _ := strings.Cut(l.Reason, "\": ")
				golden.add([]Loss{{Line: l.Line, Reason: reason}})
			}
		}
		crossed += r.rolledBack
	}
	if crossed != 2 {
		t.Errorf("%d offers were rolled back", crossed)
	}
	golden.compare(t, "testdata/replay-losses.txt", "What no action can say when recorded sessions of browsers change, how often, and why.\n")
}

// rolledBack tells whether an offer is rolled back by who made it before anything is answered.
func rolledBack(rest []step, from string) bool {
	for _, s := range rest {
		switch s.Type {
		case "rollback":
			return s.From == from
		case "answer":
			return false
		}
	}
	return false
}

func init() {
	explanations = append(explanations, [][2]string{
		{"a=msid: no action takes it back", "a browser leaves out its sources while it does not send; they are the same when it sends again"},
		{"a=ssrc: no action takes it back", "a browser leaves out its sources while it does not send; they are the same when it sends again"},
		{"a=ssrc-group: no action takes it back", "a browser leaves out its sources while it does not send; they are the same when it sends again"},
		{"a=extmap: no action takes it back", "Firefox offers again only the extensions that were agreed on"},
	}...)
}
