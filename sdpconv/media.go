package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// part is what is read of one section, or of the session.
type part struct {
	section   *section
	content   *jingle.Content // nil for the session, and for what is not translated
	rtp       *jingle.RTP
	ice       *jingle.Transport
	mid       string
	direction string
	setup     jingle.Setup
	ptime     int
	maxptime  int
	cryptex   bool
	rtcp      string // value of a=rtcp
	sdes      []line // a=crypto and a=zrtp-hash
	security  *jingle.Encryption
	msids     []jingle.Stream
	msid      string   // the last of msids as one word or two
	rids      []string // that are sent
	ufrags    []string // that candidates name, in their order
}

// once is what a section can say once.  The last line holds; one before that says it otherwise is a loss.
type once int

const (
	onceDirection once = iota
	onceUfrag
	oncePwd
	onceSetup
	oncePTime
	onceMaxPTime
	onceSCTPPort
	onceMessageSize
	onceSCTPMap
	numOnce
)

func (r *reader) attribute(a attr, at level) error {
	switch {
	case levels[a.known]&at != 0:
		return r.known(a)
	case at == atSession:
		r.lose(a.line, "no Jingle for it at session level")
	default:
		r.lose(a.line, "no Jingle for it")
	}
	return nil
}

// replace reports a line that another takes the place of.
func (r *reader) replace(what once, by attr) {
	if i := int(r.said[what]) - 1; i >= 0 {
		if before := r.doc.at(i); before.text != by.text {
			r.lose(before.line, "the section says another")
		}
	}
	r.said[what] = uint32(r.reading + 1)
}

// otherMid reports a second mid: the first, which holds, was read before.
func (r *reader) otherMid(a attr) error {
	if first := r.doc.at(r.section.mid - 1); first.value() != a.value() {
		r.lose(a.line, "the section says another")
	}
	return nil
}

func (r *reader) bad(a attr, msg string) error {
	return &Error{Line: a.number, Text: a.text, Msg: msg + form(a.key())}
}

func (r *reader) fail(msg string) error {
	return &Error{Line: r.section.head.number, Text: r.section.head.text, Msg: msg}
}

// readPart reads the section's own lines.
func (r *reader) readPart() error {
	at, begin := inRTP, r.beginRTP
	if r.section.isData() {
		at, begin = inData, r.beginData
	}
	if err := begin(); err != nil {
		return err
	}
	for i := r.section.begin; i < r.section.end; i++ {
		r.reading = i
		if err := r.attribute(r.doc.at(i), at); err != nil {
			return err
		}
	}
	for _, b := range r.section.bands {
		if at == inData {
			r.lose(b.line, "no Jingle for the bandwidth of data channels")
			continue
		}
		if len(r.rtp.Bandwidths) >= maxFeedback {
			r.lose(b.line, "too many bandwidths")
			continue
		}
		r.rtp.Bandwidths = append(r.rtp.Bandwidths, jingle.Bandwidth{Type: b.kind, Value: b.value})
	}
	for _, l := range r.section.other {
		r.lose(l, "no Jingle for it")
	}
	if r.section.ranged {
		r.lose(r.section.head, "no Jingle for a range of ports")
	}
	return nil
}

// inherit takes from the session level what the section does not say, each on its own.
func (r *reader) inherit() {
	r.inheritTransport(&r.common.ice, r.session.setup)
	if r.direction == "" {
		r.direction = r.session.direction
	}
	r.ice.Lite = r.common.ice.Lite || r.ice.Lite
	r.cryptex = r.session.cryptex || r.cryptex
	r.ice.GatheringComplete = r.common.ice.GatheringComplete || r.ice.GatheringComplete
	r.rtp.AllowMixed = r.common.rtp.AllowMixed || r.rtp.AllowMixed
	for _, x := range r.common.rtp.HdrExts {
		switch {
		case slices.ContainsFunc(r.rtp.HdrExts, func(o jingle.HdrExt) bool { return o.ID == x.ID }):
		case len(r.rtp.HdrExts) >= maxHdrExts:
			r.lose(r.section.head, "too many header extensions")
			return
		default:
			r.rtp.HdrExts = append(r.rtp.HdrExts, x)
		}
	}
}

func (r *reader) inheritTransport(t *jingle.Transport, setup jingle.Setup) {
	if r.ice.Ufrag == "" {
		r.ice.Ufrag = t.Ufrag
	}
	if r.ice.Pwd == "" {
		r.ice.Pwd = t.Pwd
	}
	if r.ice.Options == nil {
		r.ice.Options, r.ice.ICE2 = slices.Clip(t.Options), t.ICE2
	}
	if r.ice.Fingerprints == nil {
		for _, f := range t.Fingerprints { // a copy, which gets a setup of its own
			r.ice.Fingerprints = r.prints.add(r.ice.Fingerprints, f)
		}
	}
	if r.setup == "" {
		r.setup = setup
	}
}

// finish checks the section and puts together what several lines say.
func (r *reader) finish(line *Line) error {
	if err := r.finishTransport(line); err != nil {
		return err
	}
	r.content.Senders = senders(r.direction, r.author)
	if r.section.isData() {
		return nil
	}
	r.finishSecurity()
	r.finishProto()
	r.finishCodecs()
	r.finishSources()
	if len(r.rtp.PayloadTypes) == 0 {
		return r.fail("m-line without a codec")
	}
	r.content.RTP = r.rtp
	return nil
}

// finishTransport chooses between ICE and, for RTP that asks for neither ICE nor DTLS, the plain address.
func (r *reader) finishTransport(line *Line) error {
	dtls := r.section.isData() || strings.Contains(r.section.proto, "TLS/")
	switch {
	case r.ice.Ufrag == "" && r.ice.Pwd == "" && !dtls && len(r.ice.Fingerprints) == 0:
		return r.finishRawUDP()
	case r.ice.Ufrag == "":
		return r.fail("m-line without a=ice-ufrag")
	case r.ice.Pwd == "":
		return r.fail("m-line without a=ice-pwd")
	case len(r.ice.Fingerprints) == 0 && dtls:
		return r.fail("m-line without a=fingerprint")
	}
	r.content.ICE = r.ice
	r.finishCandidates()
	if len(r.ice.Fingerprints) == 0 {
		return nil
	}
	r.finishSetup(line)
	for i := range r.ice.Fingerprints {
		r.ice.Fingerprints[i].Setup, r.ice.Fingerprints[i].Cryptex = r.setup, r.cryptex
	}
	return nil
}

// finishSetup settles the DTLS role.
func (r *reader) finishSetup(line *Line) {
	if tagged := r.tagged(r.bundle(r.mid)); r.answer && tagged != nil && tagged.mid != r.mid {
		line.DTLS = r.lines[slices.Index(r.mids, tagged.mid)].DTLS // Firefox 153 says another role in a section that joins a bundle
	}
	line.DTLS.describe(r.author, r.ice.Fingerprints)
	if !r.answer {
		if r.setup == "" {
			r.setup = jingle.SetupActpass
		}
		return
	}
	if r.setup == "" || r.setup == jingle.SetupActpass {
		open := r.setup
		r.setup = answerSetup(line.Offered.Setup, "")
		if open != "" {
			r.lose(r.setupLine(), fmt.Sprintf(repairSetup, Answer, r.setup))
		}
	}
	said := r.setup
	if r.setup = line.DTLS.answered(r.author, said); r.setup != said {
		r.lose(r.setupLine(), fmt.Sprintf(repairRole, r.setup))
	}
}

// setupLine is the line that says the DTLS role, the m-line where none does.
func (r *reader) setupLine() line {
	for _, s := range []*section{r.section, r.session.section} {
		if a, ok := r.doc.attr(s, "setup"); ok {
			return a.line
		}
	}
	return r.section.head
}

// finishRawUDP makes candidates of the addresses in c= and a=rtcp (XEP-0177 section 4).
func (r *reader) finishRawUDP() error {
	if r.section.address == "" || r.section.port == 0 {
		return r.fail("m-line with neither ICE nor an address")
	}
	for i := r.section.begin; i < r.section.end; i++ {
		a := r.doc.at(i)
		switch a.key() {
		case "candidate", "remote-candidates", "end-of-candidates", "ice-options", "setup":
			r.lose(a.line, "neither ICE nor DTLS that it is said for")
		}
	}
	raw := &jingle.RawUDP{Candidates: []jingle.RawCandidate{{ID: "rtp", Component: 1, IP: r.section.address, Port: r.section.port}}}
	if f := strings.Fields(r.rtcp); len(f) > 0 && !r.rtp.RTCPMux {
		if port, err := strconv.ParseUint(f[0], 10, 16); err == nil && port > 0 {
			c := jingle.RawCandidate{ID: "rtcp", Component: 2, IP: r.section.address, Port: int(port)}
			if len(f) == 4 {
				c.IP = f[3]
			}
			raw.Candidates = append(raw.Candidates, c)
		} else if a, ok := r.doc.attr(r.section, "rtcp"); ok {
			r.lose(a.line, "no port for RTCP")
		}
	}
	r.content.RawUDP = raw
	return nil
}

// finishSecurity keeps SDES and ZRTP where there is no DTLS: answered beside it, media would be encrypted twice.
func (r *reader) finishSecurity() {
	if len(r.sdes) == 0 {
		return
	}
	if len(r.ice.Fingerprints) > 0 {
		for _, l := range r.sdes {
			r.lose(l, "keys beside DTLS, which is taken")
		}
		return
	}
	r.security.Required = strings.Contains(r.section.proto, "SAVP")
	r.rtp.Encryption = r.security
}

// finishProto reports an RTP profile that ToSDP and ToPlainSDP would not infer from the description.
func (r *reader) finishProto() {
	if said := r.section.proto; said != protoOf(r.content, r.rtp) {
		r.lose(r.section.head, "no Jingle for the profile "+said)
	}
}

// protoOf infers the RTP profile (XEP-0167 section 7, XEP-0293, XEP-0320): Jingle does not say it.
func protoOf(c *jingle.Content, rtp *jingle.RTP) string {
	proto := "RTP/AVP"
	switch {
	case c.ICE != nil && (len(c.ICE.Fingerprints) > 0 || c.ICE.Protected):
		return "UDP/TLS/RTP/SAVPF"
	case rtp.Encryption != nil && len(rtp.Encryption.Crypto) > 0 && rtp.Encryption.Required:
		proto = "RTP/SAVP"
	}
	if len(rtp.Feedback) > 0 || rtp.TRRInt != "" ||
		slices.ContainsFunc(rtp.PayloadTypes, func(p jingle.PayloadType) bool { return len(p.Feedback) > 0 || p.TRRInt != "" }) {
		proto += "F"
	}
	return proto
}

// senders reads a direction of the author's SDP (XEP-0167 section 7.1, RFC 3264 section 5.1).
func senders(direction string, author jingle.Role) jingle.Senders {
	send, receive := true, true
	switch direction {
	case "sendonly":
		receive = false
	case "recvonly":
		send = false
	case "inactive":
		send, receive = false, false
	}
	if author == jingle.Responder {
		send, receive = receive, send
	}
	return jingle.SendersOf(send, receive)
}

// direction is the inverse of senders.
func direction(s jingle.Senders, author jingle.Role) string {
	switch send, receive := s.Sends(author), s.Sends(author.Other()); {
	case send && receive:
		return "sendrecv"
	case send:
		return "sendonly"
	case receive:
		return "recvonly"
	}
	return "inactive"
}
