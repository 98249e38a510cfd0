package sdpconv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"carillon/jingle"
)

// states makes random sessions, and others that a party could want of them.
type states struct {
	*rand.Rand
	n int // makes credentials unique
}

func (g *states) chance(n int) bool { return g.IntN(n) == 0 }

func pick[T any](g *states, list ...T) T { return list[g.IntN(len(list))] }

func (g *states) unique(prefix string) string {
	g.n++
	return fmt.Sprintf("%s%04d", prefix, g.n)
}

func (g *states) rtp() *jingle.RTP {
	r := &jingle.RTP{Media: pick(g, "audio", "video"), RTCPMux: true}
	for id := 96; id < 100; id++ {
		if id == 96 || g.chance(2) {
			r.PayloadTypes = append(r.PayloadTypes, g.codec(id))
		}
	}
	if g.chance(2) {
		r.HdrExts = []jingle.HdrExt{{ID: 1, URI: "urn:ietf:params:rtp-hdrext:sdes:mid", Senders: jingle.SendersBoth}}
	}
	if g.chance(2) {
		r.Sources = []jingle.Source{{SSRC: strconv.Itoa(1 + g.IntN(1e6)), Parameters: []jingle.Parameter{{Name: "cname", Value: "c", HasValue: true}}}}
	}
	return r
}

func (g *states) codec(id int) jingle.PayloadType {
	p := jingle.PayloadType{ID: id, Name: pick(g, "opus", "VP8", "VP9", "H264"), ClockRate: 90000}
	if g.chance(2) {
		p.Parameters = []jingle.Parameter{{Name: "x", Value: strconv.Itoa(g.IntN(9)), HasValue: true}}
	}
	if g.chance(3) {
		p.Feedback = []jingle.Feedback{{Type: "nack", Subtype: pick(g, "", "pli")}}
	}
	return p
}

func (g *states) ice(role jingle.Setup) *jingle.Transport {
	print := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("%02X:", g.IntN(256)), 32), ":")
	return &jingle.Transport{
		Ufrag: g.unique("uf"), Pwd: g.unique("passwordpasswordpass"), Candidates: g.candidates(),
		Fingerprints: []jingle.Fingerprint{{Hash: "sha-256", Setup: role, Value: print}},
	}
}

func (g *states) candidates() []jingle.Candidate {
	var out []jingle.Candidate
	for range g.IntN(3) {
		g.n++
		out = append(out, jingle.Candidate{
			ID: g.unique("c"), Component: 1, Foundation: "1", IP: "192.0.2.1", Port: 1024 + g.n, Priority: uint32(1 + g.IntN(1e6)), Protocol: "udp", Type: "host",
		})
	}
	return out
}

// session returns a random session: bundled or not, with all or some contents accepted.
func (g *states) session() jingle.Session {
	var s jingle.Session
	bundled := g.chance(2)
	own := [2]*jingle.Transport{g.ice(jingle.SetupPassive), g.ice(jingle.SetupActive)}
	for range 1 + g.IntN(4) {
		x := g.fresh(s, pick(g, jingle.Initiator, jingle.Responder))
		x.Pending = len(s.Contents) > 0 && g.chance(4)
		g.enter(&s, x, own, bundled)
	}
	if bundled {
		g.group(&s)
	}
	return s
}

func (g *states) fresh(s jingle.Session, creator jingle.Role) jingle.Shared {
	name := pick(g, "0", "1", "audio", "my video")
	for s.Find(creator, name) >= 0 {
		name = g.unique("n")
	}
	return jingle.Shared{
		Creator: creator, Name: name,
		Senders: pick(g, jingle.SendersBoth, jingle.SendersInitiator, jingle.SendersResponder, jingle.SendersNone),
	}
}

// enter adds a content with what the parties say: both of one that is accepted, its creator of one that is proposed.
func (g *states) enter(s *jingle.Session, x jingle.Shared, own [2]*jingle.Transport, bundled bool) {
	rtp := g.rtp()
	if g.chance(5) {
		rtp = nil
	}
	s.Contents = append(s.Contents, x)
	for r := range s.Of {
		if x.Pending && jingle.Role(r) != x.Creator {
			continue
		}
		ice := *own[r]
		if !bundled {
			ice = *g.ice(own[r].Fingerprints[0].Setup)
			ice.Fingerprints = own[r].Fingerprints
		}
		if rtp == nil {
			ice.SCTP = &jingle.SCTP{Port: 5000, Protocol: "webrtc-datachannel"}
		}
		s.Of[r].Contents = append(s.Of[r].Contents, jingle.Content{Creator: x.Creator, Name: x.Name, Senders: x.Senders, RTP: rtp, ICE: &ice})
	}
}

func (g *states) group(s *jingle.Session) {
	for r := range s.Of {
		var names []string
		for _, c := range s.Of[r].Contents {
			names = append(names, c.Name)
		}
		s.Of[r].Groups = nil
		if len(names) > 0 {
			s.Of[r].Groups = []jingle.Group{{Semantics: "BUNDLE", Names: names}}
		}
	}
}

// mutate changes a session as a party could wish.  Without hard it wishes nothing that no action can say.
func (g *states) mutate(s jingle.Session, by jingle.Role, hard bool) jingle.Session {
	c := begin(s, by)
	for range g.IntN(5) {
		if len(c.Contents) == 0 {
			break
		}
		i := g.IntN(len(c.Contents))
		switch g.IntN(6) {
		case 0:
			c.remove(i)
		case 1:
			g.added(c)
		case 2:
			if !c.Contents[i].Pending {
				c.Contents[i].Senders = pick(g, jingle.SendersBoth, jingle.SendersInitiator, jingle.SendersResponder, jingle.SendersNone)
			}
		case 3:
			g.accepted(c, i)
		case 4:
			g.described(c, i)
		case 5:
			g.transported(c, i)
		}
	}
	for range 3 {
		if hard && len(c.Contents) > 0 {
			g.hard(c, g.IntN(len(c.Contents)))
		}
	}
	return c.Session
}

// added adds a content on the transport of the group, or on its own.
func (g *states) added(c *change) {
	x := g.fresh(c.Session, c.by)
	x.Name = g.unique("n") // another kind under an old name is another content, but the same kind is a change
	x.Pending = g.chance(2)
	own := [2]*jingle.Transport{g.ice(jingle.SetupPassive), g.ice(jingle.SetupActive)}
	bundled := c.tagged(c.by) != nil && (x.Pending || c.tagged(c.by.Other()) != nil)
	for r := range own {
		if t := c.tagged(jingle.Role(r)); t != nil && bundled {
			own[r] = t.ICE
		}
	}
	g.enter(&c.Session, x, own, bundled)
	if bundled {
		for r := range c.Of {
			if len(c.Of[r].Groups) > 0 && find(c.Of[r], x.Creator, x.Name) != nil {
				c.Of[r].Groups = []jingle.Group{{Semantics: "BUNDLE", Names: append(slices.Clone(c.Of[r].Groups[0].Names), x.Name)}}
			}
		}
	}
}

// accepted accepts what the other party proposed.
func (g *states) accepted(c *change, i int) {
	if !c.Proposed(i, c.by.Other()) {
		return
	}
	theirs := c.said(i, c.by.Other())
	mine := jingle.Content{Creator: theirs.Creator, Name: theirs.Name, Senders: c.Contents[i].Senders, RTP: theirs.RTP}
	mine.ICE = g.ice(pick(g, jingle.SetupActive, jingle.SetupPassive))
	if t := c.tagged(c.by); t != nil {
		mine.ICE = t.ICE
		c.Of[c.by].Groups = []jingle.Group{{Semantics: "BUNDLE", Names: append(slices.Clone(bundle(c.Of[c.by].Groups)), mine.Name)}}
	}
	c.Contents[i].Pending = false
	c.Of[c.by].Contents = append(c.Of[c.by].Contents, mine)
	c.settleRoles(i)
}

func (g *states) described(c *change, i int) {
	mine := c.said(i, c.by)
	if mine == nil || mine.RTP == nil {
		return
	}
	rtp := *mine.RTP
	switch g.IntN(3) {
	case 0:
		rtp.PayloadTypes = append(slices.Clone(rtp.PayloadTypes), g.codec(100+len(rtp.PayloadTypes)))
	case 1:
		rtp.PayloadTypes = slices.Clone(rtp.PayloadTypes)
		rtp.PayloadTypes[0] = g.codec(rtp.PayloadTypes[0].ID)
	case 2:
		rtp.Sources = []jingle.Source{{SSRC: strconv.Itoa(1 + g.IntN(1e6)), Parameters: []jingle.Parameter{{Name: "cname", Value: "d", HasValue: true}}}}
	}
	mine.RTP = &rtp
}

// transported brings candidates, or new credentials for all that share them.
func (g *states) transported(c *change, i int) {
	mine := c.said(i, c.by)
	if mine == nil || mine.ICE == nil {
		return
	}
	if g.chance(2) {
		mine.ICE = withCandidates(*mine.ICE, g.candidates(), g.chance(4))
		return
	}
	old, fresh := mine.ICE, g.ice("")
	for j := range c.Contents {
		x := c.said(j, c.by)
		if x == nil || !sameCredentials(x.ICE, old) {
			continue
		}
		ice := *x.ICE
		ice.Ufrag, ice.Pwd, ice.Candidates, ice.GatheringComplete = fresh.Ufrag, fresh.Pwd, fresh.Candidates, false
		x.ICE = &ice
	}
}

// hard wishes what no action can say.
func (g *states) hard(c *change, i int) {
	mine, theirs := c.said(i, c.by), c.said(i, c.by.Other())
	switch g.IntN(6) {
	case 0:
		if mine != nil {
			ice := *g.ice("")
			ice.SCTP = mine.ICE.SCTP
			mine.ICE = &ice
		}
	case 1:
		if mine != nil && mine.RTP != nil && len(mine.RTP.PayloadTypes) > 1 {
			rtp := *mine.RTP
			rtp.PayloadTypes, rtp.Sources = rtp.PayloadTypes[1:], nil
			mine.RTP = &rtp
		}
	case 2:
		if theirs != nil && theirs.RTP != nil {
			rtp := g.rtp()
			rtp.Media = theirs.RTP.Media
			theirs.RTP = rtp
		}
	case 3:
		if mine != nil && len(mine.ICE.Candidates) > 0 {
			ice := *mine.ICE
			ice.Candidates = ice.Candidates[1:]
			mine.ICE = &ice
		}
	case 4:
		if mine != nil {
			ice := *mine.ICE
			ice.Options, ice.Lite = []string{g.unique("o")}, true
			mine.ICE = &ice
		}
	case 5:
		c.Of[c.by].Groups = nil
	}
}

// facts is what a session says, by what it says it of.
func facts(s jingle.Session) map[string]string {
	out := map[string]string{}
	for i, x := range s.Contents {
		put := func(what, value string) { out[strconv.Quote(x.Name)+" "+what] = value }
		put("content", fmt.Sprint(x.Creator, x.Pending))
		put("senders", string(x.Senders))
		for r := range s.Of {
			c := s.Said(i, jingle.Role(r))
			if c == nil {
				continue
			}
			put(fmt.Sprint("content of ", r), "")
			if c.RTP != nil {
				put(fmt.Sprint("codecs of ", r), fmt.Sprint(c.RTP.PayloadTypes))
				put(fmt.Sprint("sources of ", r), fmt.Sprint(c.RTP.Media, c.RTP.Sources, c.RTP.HdrExts))
			}
			if c.ICE != nil {
				var list []string
				for _, x := range c.ICE.Candidates {
					list = append(list, fmt.Sprintf("%s:%d", x.IP, x.Port))
				}
				slices.Sort(list)
				put(fmt.Sprint("credentials of ", r), c.ICE.Ufrag+c.ICE.Pwd)
				put(fmt.Sprint("candidates of ", r), fmt.Sprint(list, c.ICE.GatheringComplete))
				put(fmt.Sprint("fingerprint of ", r), c.ICE.Fingerprints[0].Value)
				put(fmt.Sprint("transport of ", r), fmt.Sprint(c.ICE.Options, c.ICE.Lite, c.ICE.SCTP != nil))
			}
		}
	}
	return out
}

// lines says how the loss of each fact reads.
var lossLines = map[string][]string{
	"content": {"m="}, "senders": {"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive", "m="}, "codecs": {"a=rtpmap", "m="},
	"sources": {"a=ssrc", "a=extmap", "m="}, "credentials": {"a=ice-ufrag", "m="}, "candidates": {"a=candidate", "a=end-of", "a=ice-ufrag", "m="},
	"fingerprint": {"a=fingerprint", "m="}, "transport": {"a=ice-options", "a=ice-lite", "a=sctp", "m="},
}

// unreported returns the facts that differ though no loss says so.
func unreported(got, want jingle.Session, losses []Loss) []string {
	a, b := facts(got), facts(want)
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	var out []string
	for k := range keys {
		if x, ok := a[k]; ok && x == b[k] {
			continue
		}
		name, what, _ := strings.Cut(k[1:], "\" ")
		kind, _, _ := strings.Cut(what, " ")
		told := slices.ContainsFunc(losses, func(l Loss) bool {
			return strings.HasPrefix(l.Reason, "content \""+name+"\"") && slices.ContainsFunc(lossLines[kind], func(p string) bool { return strings.HasPrefix(l.Line, p) })
		})
		if !told {
			out = append(out, fmt.Sprintf("%s: %q instead of %q", k, a[k], b[k]))
		}
	}
	slices.Sort(out)
	return out
}

// connection is the m-lines of both parties' browsers through the states of a session.
type connection [2]Lines

// check tells that both parties' SDP of a state is accepted: the browser of each reads what the other's says, offer and answer, and the
// m-lines stay in order.
func (n *connection) check(t testing.TB, s jingle.Session) {
	t.Helper()
	for r := range n {
		author := jingle.Role(r)
		offer, lines, _, err := ToSDP(Describe(s, author, Offer), author, Offer, n[r], Origin{1, 1})
		if errors.Is(err, ErrNoMedia) {
			continue
		}
		if err != nil {
			t.Fatalf("offer of the %s: %v\n%+v", author, err, s)
		}
		for i := range n[r] {
			if n[r][i].State == Live && lines[i].Mid != n[r][i].Mid {
				t.Fatalf("line %d was %+v and is %+v", i, n[r][i], lines[i])
			}
		}
		if _, _, _, err := FromSDP(offer, author, n[r]); err != nil {
			t.Fatalf("offer of the %s: %v\n%s", author, err, offer)
		}
		answer, after, _, err := ToSDP(Describe(s, author.Other(), Answer), author.Other(), Answer, lines, Origin{1, 1})
		if errors.Is(err, ErrNoMedia) {
			continue
		}
		if err != nil {
			t.Fatalf("answer of the %s: %v\n%+v", author.Other(), err, s)
		}
		if _, _, _, err := FromSDP(answer, author.Other(), lines); err != nil && !errors.Is(err, ErrNoMedia) {
			t.Fatalf("answer of the %s: %v\n%s", author.Other(), err, answer)
		}
		n[r] = after
	}
}

// answerTo is what the other party answers to an action, as the target foresees it.
func answerTo(a jingle.Stanza, to jingle.Session, by jingle.Role) (jingle.Stanza, bool) {
	out := jingle.Stanza{Action: map[jingle.Action]jingle.Action{
		jingle.ContentAdd: jingle.ContentAccept, jingle.SessionInitiate: jingle.SessionAccept, jingle.TransportReplace: jingle.TransportAccept,
	}[a.Action]}
	for _, c := range a.Contents {
		i := to.Find(c.Creator, c.Name)
		if out.Action == "" || i < 0 || to.Contents[i].Pending {
			continue
		}
		if theirs := to.Said(i, by.Other()); theirs != nil {
			x := *theirs
			x.Senders = to.Contents[i].Senders
			out.Contents = append(out.Contents, x)
			if slices.Contains(bundle(to.Of[by.Other()].Groups), x.Name) && out.Action != jingle.TransportAccept {
				out.Groups = to.Of[by.Other()].Groups
			}
		}
	}
	return out, len(out.Contents) > 0
}

// law checks one pair of states.
func law(t testing.TB, g *states, hard bool) {
	by, p := pick(g, jingle.Initiator, jingle.Responder), able
	p.NewCredential = g.chance(2)
	from := g.session()
	if g.chance(8) {
		from = jingle.Session{}
		by = jingle.Initiator
	}
	to := g.mutate(from, by, hard)
	if len(from.Contents) == 0 {
		to = g.session()
		for i := len(to.Contents) - 1; i >= 0; i-- {
			if to.Contents[i].Creator != by || to.Contents[i].Pending { // a session-accept leaves none pending
				c := begin(to, by)
				c.remove(i)
				to = c.Session
			}
		}
	}
	if hard && g.chance(2) {
		p = jingle.Profiles[g.IntN(len(jingle.Profiles))]
	}
	actions, losses := Diff(from, to, by, p)
	if !hard && len(losses) > 0 {
		t.Fatalf("lost %v\nfrom %+v\nto %+v", losses, from, to)
	}
	var net connection
	net.check(t, from)
	at := from
	for _, a := range actions {
		next, err := Apply(at, wire(t, p, a, by), by)
		if err != nil {
			t.Fatalf("%s: %v\n%s", a.Action, err, a.AppendTo(nil, ""))
		}
		spoilt(t, p, net, at, next, a, by)
		if answer, ok := answerTo(a, to, by); ok {
			if next, err = Apply(next, wire(t, p, answer, by.Other()), by.Other()); err != nil {
				t.Fatalf("%s: %v\n%s", answer.Action, err, answer.AppendTo(nil, ""))
			}
		}
		at = next
		net.check(t, at)
	}
	if bad := unreported(at, to, losses); len(bad) > 0 {
		t.Fatalf("%s (%s, %v)\nlosses %v\nactions %v", strings.Join(bad, "\n"), by, p.Name, losses, texts(actions))
	}
}

func texts(list []jingle.Stanza) []string {
	var out []string
	for _, a := range list {
		out = append(out, string(a.AppendTo(nil, ""))+"\n")
	}
	return out
}

// spoilt lets the other party refuse an action, in each way there is, and checks the state that is left.
func spoilt(t testing.TB, p jingle.Profile, net connection, before, after jingle.Session, a jingle.Stanza, by jingle.Role) {
	t.Helper()
	net.check(t, before) // an error or a tie: nothing was applied
	refusal := map[jingle.Action]jingle.Action{jingle.ContentAdd: jingle.ContentReject, jingle.TransportReplace: jingle.TransportReject}[a.Action]
	if refusal == "" {
		return
	}
	named := jingle.Stanza{Action: refusal, Contents: []jingle.Content{{Creator: a.Contents[0].Creator, Name: a.Contents[0].Name, ICE: &jingle.Transport{}}}}
	left, err := Apply(after, wire(t, p, named, by.Other()), by.Other())
	if err != nil {
		t.Fatalf("%s: %v", refusal, err)
	}
	net.check(t, left)
	if bad := unreported(left, before, nil); len(bad) > 0 {
		t.Fatalf("after %s: %v", refusal, bad)
	}
}

// Applying the actions of Diff and the answers to them leads to the target less the losses; a refusal at any step leaves a state from
// which both sides' SDP is accepted.
func TestLaw(t *testing.T) {
	for seed := range uint64(500) {
		g := &states{Rand: rand.New(rand.NewPCG(seed, 1))}
		law(t, g, seed%2 == 1)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzDiffApply(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, seed, seed%2 == 1)
	}
	f.Fuzz(func(t *testing.T, a, b uint64, hard bool) {
		law(t, &states{Rand: rand.New(rand.NewPCG(a, b))}, hard)
	})
}
