package call

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"carillon/jingle"
	"carillon/sdpconv"
)

const modelPrint = "1F:A7:E2:8B:0E:85:18:92:FA:58:66:B4:E9:B1:B1:BD:9E:73:FB:0E:2B:CA:2C:DF:34:E3:8E:0D:31:3A:30:A8"

// section is an m-line of a browser's.
type section struct {
	mid, kind, dir string
	closed         bool
	remote         string // ufrag of the other side
}

// browser is a peer connection that keeps to JSEP, polite in perfect negotiation.
type browser struct {
	rng      *rand.Rand
	sections []section
	before   []section // to roll back to
	old      int       // ufrag to roll back to
	offering bool
	mids     int
	ufrag    int
	bundled  bool // the other side bundles
}

func (b *browser) clone() []section { return slices.Clone(b.sections) }

// offer changes something, or nothing, and returns the SDP.
func (b *browser) offer() string {
	b.before, b.old, b.offering = b.clone(), b.ufrag, true
	switch at := b.rng.IntN(max(len(b.sections), 1)); b.rng.IntN(6) {
	case 0, 1:
		s := section{mid: fmt.Sprint(b.mids), kind: "video", dir: []string{"sendrecv", "sendonly"}[b.rng.IntN(2)]}
		b.mids++
		if i := slices.IndexFunc(b.sections, func(s section) bool { return s.closed }); i >= 0 {
			b.sections[i] = s
		} else if len(b.sections) < 6 {
			b.sections = append(b.sections, s)
		}
	case 2:
		if !b.sections[at].closed {
			b.sections[at].dir = []string{"sendrecv", "sendonly", "recvonly", "inactive"}[b.rng.IntN(4)]
		}
	case 3:
		if at > 0 {
			b.sections[at].closed = true
		}
	case 4:
		b.ufrag++
	}
	return b.sdp("actpass", true, nil)
}

// answer takes an offer and returns the answer, or says what is wrong with the offer.
func (b *browser) answer(sdp string) (string, error) {
	b.rollBack()
	remote := readSections(sdp)
	if len(remote) < len(b.sections) {
		return "", fmt.Errorf("%d m-lines after %d", len(remote), len(b.sections))
	}
	restart := false
	var dirs []string
	for i, r := range remote {
		switch {
		case i == len(b.sections):
			b.sections = append(b.sections, section{mid: r.mid, kind: r.kind, dir: "recvonly"})
			b.sections[i].closed = r.closed || b.rng.IntN(8) == 0
		case b.sections[i].closed && !r.closed:
			b.sections[i] = section{mid: r.mid, kind: r.kind, dir: "recvonly"}
		case b.sections[i].mid != r.mid || b.sections[i].kind != r.kind:
			return "", fmt.Errorf("m-line %d changed from %+v to %+v", i, b.sections[i], r)
		case r.closed:
			b.sections[i].closed = true
		}
		if r.closed {
			b.sections[i].closed = true
		}
		if s := &b.sections[i]; !s.closed {
			restart = restart || s.remote != "" && s.remote != r.remote
			s.remote = r.remote
		}
		dirs = append(dirs, narrowed(b.sections[i].dir, r.dir))
		n := 0
		if _, err := fmt.Sscanf(r.mid, "%d", &n); err == nil {
			b.mids = max(b.mids, n+1)
		}
	}
	if restart {
		b.ufrag++
	}
	b.bundled = strings.Contains(sdp, "a=group:BUNDLE")
	return b.sdp("active", b.bundled, dirs), nil
}

// rollBack takes an offer that is out back.
func (b *browser) rollBack() {
	if b.offering {
		b.sections, b.ufrag, b.offering = b.before, b.old, false
	}
}

// answered takes an answer to the offer that is out.
func (b *browser) answered(sdp string) error {
	remote := readSections(sdp)
	if !b.offering || len(remote) != len(b.sections) {
		return fmt.Errorf("offering %v, an answer of %d m-lines to %d", b.offering, len(remote), len(b.sections))
	}
	for i, r := range remote {
		s := &b.sections[i]
		switch {
		case r.mid != s.mid || r.kind != s.kind:
			return fmt.Errorf("m-line %d is %+v and is answered by %+v", i, *s, r)
		case s.closed && !r.closed:
			return fmt.Errorf("m-line %d was rejected and is answered", i)
		case r.closed:
			s.closed = true
		case narrowed(r.dir, s.dir) != r.dir:
			return fmt.Errorf("m-line %d: %s is answered by %s", i, s.dir, r.dir)
		default:
			s.remote = r.remote
		}
	}
	b.offering = false
	return nil
}

// narrowed returns the direction of an answer by somebody who would like dir to an offer.
func narrowed(dir, offer string) string {
	send := strings.HasPrefix(dir, "send") && (offer == "sendrecv" || offer == "recvonly")
	recv := strings.HasSuffix(dir, "recv") || dir == "recvonly"
	recv = recv && strings.HasPrefix(offer, "send")
	switch {
	case send && recv:
		return "sendrecv"
	case send:
		return "sendonly"
	case recv:
		return "recvonly"
	}
	return "inactive"
}

func (b *browser) sdp(setup string, group bool, dirs []string) string {
	var out strings.Builder
	out.WriteString("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")
	var live []string
	for _, s := range b.sections {
		if !s.closed {
			live = append(live, s.mid)
		}
	}
	if group && len(live) > 0 {
		out.WriteString("a=group:BUNDLE " + strings.Join(live, " ") + "\r\n")
	}
	for i, s := range b.sections {
		codec, pt := "VP8/90000", "96"
		if s.kind == "audio" {
			codec, pt = "opus/48000/2", "111"
		}
		if s.closed {
			fmt.Fprintf(&out, "m=%s 0 UDP/TLS/RTP/SAVPF %s\r\na=mid:%s\r\na=inactive\r\n", s.kind, pt, s.mid)
			continue
		}
		dir := s.dir
		if dirs != nil {
			dir = dirs[i]
		}
		fmt.Fprintf(&out, "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\na=%s\r\na=ice-ufrag:%s\r\na=ice-pwd:pagepwd00000000000000%d\r\n"+
			"a=fingerprint:sha-256 %s\r\na=setup:%s\r\na=rtcp-mux\r\na=rtpmap:%s %s\r\n", s.kind, pt, s.mid, dir, b.name(), b.ufrag, modelPrint, setup, pt, codec)
	}
	return out.String()
}

func (b *browser) name() string { return fmt.Sprintf("page%d", b.ufrag) }

// readSections reads what matters of an SDP.
func readSections(sdp string) []section {
	var list []section
	for line := range strings.SplitSeq(sdp, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		last := len(list) - 1
		switch {
		case strings.HasPrefix(line, "m="):
			f := strings.Fields(line[2:])
			list = append(list, section{kind: f[0], closed: f[1] == "0"})
		case last < 0:
		case name == "a=mid":
			list[last].mid = value
		case name == "a=ice-ufrag":
			list[last].remote = value
		case line == "a=sendrecv" || line == "a=sendonly" || line == "a=recvonly" || line == "a=inactive":
			list[last].dir = line[2:]
		}
	}
	return list
}

// party is an XMPP client that keeps to XEP-0166, as far as its profile lets it.
type party struct {
	rng     *rand.Rand
	role    jingle.Role
	profile jingle.Profile
	sid     string
	session jingle.Session
	sent    map[string]jingle.Stanza // by id, until it is answered
	ids     int
	names   int
	ufrag   int
	faulty  bool
	out     []Input // towards the call, in order
	from    func(PeerRequest) PeerRequest
}

func (p *party) credentials() *jingle.Transport {
	return &jingle.Transport{
		Ufrag: fmt.Sprintf("peer%d", p.ufrag), Pwd: fmt.Sprintf("peerpwd00000000000000%d", p.ufrag),
		Fingerprints: []jingle.Fingerprint{{Hash: "sha-256", Value: modelPrint, Setup: jingle.SetupActpass}},
	}
}

// content is what the client says of its side of a content.
func (p *party) content(creator jingle.Role, name, media string, senders jingle.Senders, setup jingle.Setup) jingle.Content {
	pt := jingle.PayloadType{ID: 96, Name: "VP8", ClockRate: 90000}
	if media == "audio" {
		pt = jingle.PayloadType{ID: 111, Name: "opus", ClockRate: 48000, Channels: 2}
	}
	ice := p.credentials()
	ice.Fingerprints[0].Setup = setup
	return jingle.Content{Creator: creator, Name: name, Senders: senders, RTP: &jingle.RTP{Media: media, PayloadTypes: []jingle.PayloadType{pt}, RTCPMux: true}, ICE: ice}
}

func (p *party) groups(extra ...string) []jingle.Group {
	if p.profile.NoBundle {
		return nil
	}
	var names []string
	for _, c := range p.session.Contents {
		names = append(names, c.Name)
	}
	return []jingle.Group{{Semantics: "BUNDLE", Names: append(names, extra...)}}
}

func (p *party) send(a jingle.Stanza) {
	a.SID = p.sid
	p.ids++
	id := fmt.Sprint("p", p.ids)
	p.sent[id] = a
	p.out = append(p.out, p.from(PeerRequest{ID: id, Jingle: a}))
}

func (p *party) reply(tag int, err *jingle.Error) {
	p.out = append(p.out, PeerReply{Tag: tag, Err: err})
}

// answered takes the answer to a request of its own.
func (p *party) answered(a Answer) {
	said, ok := p.sent[a.Request.ID]
	delete(p.sent, a.Request.ID)
	if !ok || a.Err != nil {
		return
	}
	if said.Action == jingle.TransportInfo { // some of its contents may be gone meanwhile
		said.Contents = slices.DeleteFunc(slices.Clone(said.Contents), func(c jingle.Content) bool { return p.session.Find(c.Creator, c.Name) < 0 })
	}
	if next, err := sdpconv.Apply(p.session, said, p.role); err == nil {
		p.session = next
	}
}

// take takes a request of the call's.
func (p *party) take(r SendRequest) {
	a := r.Jingle
	if p.faulty && a.Action != jingle.SessionAccept && p.rng.IntN(12) == 0 {
		if p.rng.IntN(2) == 0 {
			p.reply(r.Tag, []*jingle.Error{jingle.ErrNotImplemented, jingle.ErrBadRequest, jingle.ErrTieBreak}[p.rng.IntN(3)])
		}
		return
	}
	if p.role == jingle.Initiator {
		for _, mine := range p.sent {
			if sdpconv.Tie(p.session, a, mine, p.role.Other()) {
				p.reply(r.Tag, jingle.ErrTieBreak)
				return
			}
		}
	}
	before := p.session
	next, err := sdpconv.Apply(p.session, a, p.role.Other())
	if err != nil {
		p.reply(r.Tag, refusalOf(err))
		return
	}
	p.session = next
	p.reply(r.Tag, nil)
	switch {
	case a.Action == jingle.ContentAdd:
		p.consider(a.Contents[0])
	case a.Action == jingle.TransportInfo && sdpconv.Restarts(before, next, p.role.Other()) && !owed(before, p.role.Other()):
		p.restarted()
	}
}

// owed tells whether a party owes the other the answer to an ICE restart.
func owed(s jingle.Session, by jingle.Role) bool {
	return slices.ContainsFunc(s.Contents, func(c jingle.Shared) bool { return c.ICE[by].Owed })
}

// consider answers a content-add.
func (p *party) consider(c jingle.Content) {
	senders := c.Senders
	switch p.rng.IntN(6) {
	case 0:
		p.send(jingle.Stanza{Action: jingle.ContentReject, Contents: []jingle.Content{{Creator: c.Creator, Name: c.Name}}})
		return
	case 1:
		if p.faulty {
			return // its user does not decide
		}
	case 2:
		senders = jingle.SendersOf(p.role != jingle.Initiator, p.role != jingle.Responder) // only the one who adds sends, as Dino has it
		p.send(jingle.Stanza{Action: jingle.ContentModify, Contents: []jingle.Content{{Creator: c.Creator, Name: c.Name, Senders: senders}}})
	}
	accept := p.content(c.Creator, c.Name, c.RTP.Media, senders, jingle.SetupActive)
	p.send(jingle.Stanza{Action: jingle.ContentAccept, Contents: []jingle.Content{accept}, Groups: p.groups()})
}

// restarted answers an ICE restart of the call's.
func (p *party) restarted() {
	if p.faulty && p.rng.IntN(4) == 0 {
		return
	}
	p.ufrag++
	p.restart(true)
}

func (p *party) restart(candidate bool) {
	var contents []jingle.Content
	for i, c := range p.session.Contents {
		if p.session.Said(i, p.role) == nil {
			continue
		}
		t := p.credentials()
		t.Fingerprints = nil
		if candidate {
			t.Candidates = []jingle.Candidate{{Component: 1, Foundation: "1", Protocol: "udp", IP: "192.0.2.7", Port: 1000 + p.ufrag, Type: "host", Generation: p.ufrag}}
		}
		contents = append(contents, jingle.Content{Creator: c.Creator, Name: c.Name, ICE: t})
	}
	if len(contents) > 0 {
		p.send(jingle.Stanza{Action: jingle.TransportInfo, Contents: contents})
	}
}

// busy tells whether a name is in use or, with a minus before it, about to be removed.
func (p *party) busy(name string) bool {
	bare, removes := strings.CutPrefix(name, "-")
	for _, a := range p.sent {
		if (a.Action == jingle.ContentRemove) == removes && slices.ContainsFunc(a.Contents, func(c jingle.Content) bool { return c.Name == bare }) {
			return true
		}
	}
	return !removes && slices.ContainsFunc(p.session.Contents, func(c jingle.Shared) bool { return c.Name == bare })
}

// act changes something on its own.
func (p *party) act() {
	some := func() (jingle.Content, bool) {
		i := p.rng.IntN(max(len(p.session.Contents), 1))
		if i >= len(p.session.Contents) || p.session.Contents[i].Pending {
			return jingle.Content{}, false
		}
		c := p.session.Contents[i]
		return jingle.Content{Creator: c.Creator, Name: c.Name}, i > 0
	}
	all := []jingle.Senders{jingle.SendersBoth, jingle.SendersInitiator, jingle.SendersResponder, jingle.SendersNone}
	switch p.rng.IntN(8) {
	case 0, 1:
		p.names++
		name := fmt.Sprint("p", p.names)
		if p.faulty && p.rng.IntN(2) == 0 {
			name = fmt.Sprint(p.names) // as the browser may have chosen it
		}
		if p.busy(name) {
			return
		}
		c := p.content(p.role, name, "video", all[p.rng.IntN(3)], jingle.SetupActpass)
		p.send(jingle.Stanza{Action: jingle.ContentAdd, Contents: []jingle.Content{c}, Groups: p.groups(name)})
	case 2:
		if c, ok := some(); ok || c.Name != "" {
			c.Senders = all[p.rng.IntN(4)]
			p.send(jingle.Stanza{Action: jingle.ContentModify, Contents: []jingle.Content{c}})
		}
	case 3, 6, 7:
		if c, ok := some(); ok && !p.busy("-"+c.Name) {
			p.send(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{c}})
		}
	case 4:
		waiting := owed(p.session, p.role.Other())
		for _, a := range p.sent {
			waiting = waiting || a.Action == jingle.TransportInfo
		}
		if p.profile.Restart != jingle.RestartNone && !waiting {
			p.ufrag++
			p.restart(p.profile.Restart != jingle.RestartEmpty)
		}
	case 5:
		if c, _ := some(); c.Name != "" {
			c.RTP = &jingle.RTP{Media: "video", PayloadTypes: []jingle.PayloadType{{ID: 96, Name: "VP8", ClockRate: 90000}}}
			p.send(jingle.Stanza{Action: jingle.DescriptionInfo, Contents: []jingle.Content{c}})
		}
	}
}
