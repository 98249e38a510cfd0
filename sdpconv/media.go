package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// mediaReader reads one section.
type mediaReader struct {
	*reader
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

func (m *mediaReader) attribute(a attr, at level) error {
	switch known := &attributes[a.known]; {
	case known.levels&at != 0:
		return known.read(m, a)
	case at == atSession:
		m.lose(a.line, "no Jingle for it at session level")
	default:
		m.lose(a.line, "no Jingle for it")
	}
	return nil
}

// replace reports a line that another takes the place of.
func (m *mediaReader) replace(what once, by attr) {
	if i := int(m.said[what]) - 1; i >= 0 {
		if before := m.section.at(i); before.text != by.text {
			m.lose(before.line, "the section says another")
		}
	}
	m.said[what] = uint32(m.reading + 1)
}

// otherMid reports a second mid: the first, which holds, was read before.
func (m *mediaReader) otherMid(a attr) error {
	if first := m.section.at(m.section.mid - 1); first.value() != a.value() {
		m.lose(a.line, "the section says another")
	}
	return nil
}

func (m *mediaReader) bad(a attr, msg string) error {
	return &Error{Line: a.number, Text: a.text, Msg: msg + form(a.key())}
}

func (m *mediaReader) fail(msg string) error {
	return &Error{Line: m.section.head.number, Text: m.section.head.text, Msg: msg}
}

// read reads the section's own lines.
func (m *mediaReader) read() error {
	at, begin := inRTP, m.beginRTP
	if m.section.isData() {
		at, begin = inData, m.beginData
	}
	if err := begin(); err != nil {
		return err
	}
	for i := range m.section.attrs {
		m.reading = i
		if err := m.attribute(m.section.at(i), at); err != nil {
			return err
		}
	}
	for _, b := range m.section.bands {
		if at == inData {
			m.lose(b.line, "no Jingle for the bandwidth of data channels")
			continue
		}
		if len(m.rtp.Bandwidths) >= maxFeedback {
			m.lose(b.line, "too many bandwidths")
			continue
		}
		m.rtp.Bandwidths = append(m.rtp.Bandwidths, jingle.Bandwidth{Type: b.kind, Value: b.value})
	}
	for _, l := range m.section.other {
		m.lose(l, "no Jingle for it")
	}
	if m.section.ranged {
		m.lose(m.section.head, "no Jingle for a range of ports")
	}
	return nil
}

// inherit takes from the session level what the section does not say, each on its own.
func (m *mediaReader) inherit(s *mediaReader) {
	m.inheritTransport(s)
	if m.direction == "" {
		m.direction = s.direction
	}
	m.ice.Lite = s.ice.Lite || m.ice.Lite
	m.cryptex = s.cryptex || m.cryptex
	m.ice.GatheringComplete = s.ice.GatheringComplete || m.ice.GatheringComplete
	if s.rtp == nil {
		return
	}
	m.rtp.AllowMixed = s.rtp.AllowMixed || m.rtp.AllowMixed
	for _, x := range s.rtp.HdrExts {
		switch {
		case slices.ContainsFunc(m.rtp.HdrExts, func(o jingle.HdrExt) bool { return o.ID == x.ID }):
		case len(m.rtp.HdrExts) >= maxHdrExts:
			m.lose(m.section.head, "too many header extensions")
			return
		default:
			m.rtp.HdrExts = append(m.rtp.HdrExts, x)
		}
	}
}

func (m *mediaReader) inheritTransport(s *mediaReader) {
	if s == nil {
		return
	}
	if m.ice.Ufrag == "" {
		m.ice.Ufrag = s.ice.Ufrag
	}
	if m.ice.Pwd == "" {
		m.ice.Pwd = s.ice.Pwd
	}
	if m.ice.Options == nil {
		m.ice.Options, m.ice.ICE2 = slices.Clip(s.ice.Options), s.ice.ICE2
	}
	if m.ice.Fingerprints == nil {
		for _, f := range s.ice.Fingerprints { // a copy, which gets a setup of its own
			m.ice.Fingerprints = m.prints.add(m.ice.Fingerprints, f)
		}
	}
	if m.setup == "" {
		m.setup = s.setup
	}
}

// finish checks the section and puts together what several lines say.
func (m *mediaReader) finish(line *Line) error {
	if err := m.finishTransport(line); err != nil {
		return err
	}
	m.content.Senders = senders(m.direction, m.author)
	if m.section.isData() {
		return nil
	}
	m.finishSecurity()
	m.finishProto()
	m.finishCodecs()
	m.finishSources()
	if len(m.rtp.PayloadTypes) == 0 {
		return m.fail("m-line without a codec")
	}
	m.content.RTP = m.rtp
	return nil
}

// finishTransport chooses between ICE and, for RTP that asks for neither ICE nor DTLS, the plain address.
func (m *mediaReader) finishTransport(line *Line) error {
	dtls := m.section.isData() || strings.Contains(m.section.proto, "TLS/")
	switch {
	case m.ice.Ufrag == "" && m.ice.Pwd == "" && !dtls && len(m.ice.Fingerprints) == 0:
		return m.finishRawUDP()
	case m.ice.Ufrag == "":
		return m.fail("m-line without a=ice-ufrag")
	case m.ice.Pwd == "":
		return m.fail("m-line without a=ice-pwd")
	case len(m.ice.Fingerprints) == 0 && dtls:
		return m.fail("m-line without a=fingerprint")
	}
	m.content.ICE = m.ice
	m.finishCandidates()
	if len(m.ice.Fingerprints) == 0 {
		return nil
	}
	m.finishSetup(line)
	for i := range m.ice.Fingerprints {
		m.ice.Fingerprints[i].Setup, m.ice.Fingerprints[i].Cryptex = m.setup, m.cryptex
	}
	return nil
}

// finishSetup settles the DTLS role.
func (m *mediaReader) finishSetup(line *Line) {
	if tagged := m.tagged(m.bundle(m.mid)); m.answer && tagged != nil && tagged != m {
		line.DTLS = m.lines[slices.Index(m.mids, tagged.mid)].DTLS // Firefox 153 says another role in a section that joins a bundle
	}
	line.DTLS.describe(m.author, m.ice.Fingerprints)
	if !m.answer {
		if m.setup == "" {
			m.setup = jingle.SetupActpass
		}
		return
	}
	if m.setup == "" || m.setup == jingle.SetupActpass {
		open := m.setup
		m.setup = answerSetup(line.Offered.Setup, "")
		if open != "" {
			m.lose(m.setupLine(), fmt.Sprintf(repairSetup, Answer, m.setup))
		}
	}
	said := m.setup
	if m.setup = line.DTLS.answered(m.author, said); m.setup != said {
		m.lose(m.setupLine(), fmt.Sprintf(repairRole, m.setup))
	}
}

// setupLine is the line that says the DTLS role, the m-line where none does.
func (m *mediaReader) setupLine() line {
	for _, s := range []*section{m.section, m.session.section} {
		if a, ok := s.attr("setup"); ok {
			return a.line
		}
	}
	return m.section.head
}

// finishRawUDP makes candidates of the addresses in c= and a=rtcp (XEP-0177 section 4).
func (m *mediaReader) finishRawUDP() error {
	if m.section.address == "" || m.section.port == 0 {
		return m.fail("m-line with neither ICE nor an address")
	}
	for i := range m.section.attrs {
		a := m.section.at(i)
		switch a.key() {
		case "candidate", "remote-candidates", "end-of-candidates", "ice-options", "setup":
			m.lose(a.line, "neither ICE nor DTLS that it is said for")
		}
	}
	raw := &jingle.RawUDP{Candidates: []jingle.RawCandidate{{ID: "rtp", Component: 1, IP: m.section.address, Port: m.section.port}}}
	if f := strings.Fields(m.rtcp); len(f) > 0 && !m.rtp.RTCPMux {
		if port, err := strconv.ParseUint(f[0], 10, 16); err == nil && port > 0 {
			c := jingle.RawCandidate{ID: "rtcp", Component: 2, IP: m.section.address, Port: int(port)}
			if len(f) == 4 {
				c.IP = f[3]
			}
			raw.Candidates = append(raw.Candidates, c)
		} else if a, ok := m.section.attr("rtcp"); ok {
			m.lose(a.line, "no port for RTCP")
		}
	}
	m.content.RawUDP = raw
	return nil
}

// finishSecurity keeps SDES and ZRTP where there is no DTLS: answered beside it, media would be encrypted twice.
func (m *mediaReader) finishSecurity() {
	if len(m.sdes) == 0 {
		return
	}
	if len(m.ice.Fingerprints) > 0 {
		for _, l := range m.sdes {
			m.lose(l, "keys beside DTLS, which is taken")
		}
		return
	}
	m.security.Required = strings.Contains(m.section.proto, "SAVP")
	m.rtp.Encryption = m.security
}

// finishProto reports an RTP profile that ToSDP and ToPlainSDP would not infer from the description.
func (m *mediaReader) finishProto() {
	if said := m.section.proto; said != protoOf(m.content, m.rtp) {
		m.lose(m.section.head, "no Jingle for the profile "+said)
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
