package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// mediaReader reads one section.
type mediaReader struct {
	*reader
	section   *section
	content   *jingle.Content
	rtp       jingle.RTP
	ice       jingle.Transport
	mid       string
	direction string
	setup     jingle.Setup
	ptime     int
	maxptime  int
	mapped    map[int]bool // payload types with a=rtpmap
	msids     []jingle.Stream
	sources   []line // a=ssrc and a=ssrc-group
}

func newMediaReader(r *reader, s *section) *mediaReader {
	m := &mediaReader{reader: r, section: s, mapped: map[int]bool{}}
	if a, ok := s.attr("mid"); ok {
		m.mid = a.value
	}
	return m
}

// mediaAttrs reads the attributes that Jingle has words for.  All others are losses.
var mediaAttrs map[string]func(*mediaReader, attr) error

func init() {
	flag := func(set func(m *mediaReader)) func(*mediaReader, attr) error {
		return func(m *mediaReader, _ attr) error { set(m); return nil }
	}
	direction := func(m *mediaReader, a attr) error { m.direction = a.key; return nil }
	mediaAttrs = map[string]func(*mediaReader, attr) error{
		// Structure, read before or written anew.
		"mid": flag(func(*mediaReader) {}), "bundle-only": flag(func(*mediaReader) {}), "rtcp": flag(func(*mediaReader) {}),
		"msid-semantic": flag(func(*mediaReader) {}),

		"sendrecv": direction, "sendonly": direction, "recvonly": direction, "inactive": direction,

		"ice-ufrag":         func(m *mediaReader, a attr) error { return m.credential(&m.ice.Ufrag, a) },
		"ice-pwd":           func(m *mediaReader, a attr) error { return m.credential(&m.ice.Pwd, a) },
		"ice-options":       (*mediaReader).iceOptions,
		"ice-lite":          flag(func(m *mediaReader) { m.ice.Lite = true }),
		"fingerprint":       (*mediaReader).fingerprint,
		"setup":             (*mediaReader).readSetup,
		"candidate":         (*mediaReader).candidate,
		"end-of-candidates": flag(func(m *mediaReader) { m.ice.GatheringComplete = true }),

		"rtpmap":             (*mediaReader).rtpmap,
		"fmtp":               (*mediaReader).fmtp,
		"rtcp-fb":            (*mediaReader).feedback,
		"ptime":              func(m *mediaReader, a attr) error { return m.packetTime(&m.ptime, a) },
		"maxptime":           func(m *mediaReader, a attr) error { return m.packetTime(&m.maxptime, a) },
		"extmap":             (*mediaReader).extmap,
		"extmap-allow-mixed": flag(func(m *mediaReader) { m.rtp.AllowMixed = true }),
		"rtcp-mux":           flag(func(m *mediaReader) { m.rtp.RTCPMux = true }),
		"rtcp-mux-only":      flag(func(m *mediaReader) { m.rtp.RTCPMux = true }),
		"rtcp-rsize":         flag(func(m *mediaReader) { m.rtp.RTCPReducedSize = true }),
		"ssrc":               (*mediaReader).ssrc,
		"ssrc-group":         (*mediaReader).ssrcGroup,
		"msid":               (*mediaReader).msid,
	}
}

func (m *mediaReader) bad(a attr, msg string) error {
	return &Error{Line: a.number, Text: a.text, Msg: msg}
}

// read reads the section's own lines.
func (m *mediaReader) read() error {
	m.rtp.Media = m.section.name.Media
	for _, f := range m.section.name.Formats {
		id, err := strconv.ParseUint(f, 10, 7)
		if err != nil || m.payloadType(int(id)) != nil {
			return &Error{Line: m.section.head.number, Text: m.section.head.text, Msg: "payload type " + strconv.Quote(f) + " is no number below 128, or stands twice"}
		}
		m.rtp.PayloadTypes = append(m.rtp.PayloadTypes, jingle.PayloadType{ID: int(id)})
	}
	for _, a := range m.section.attrs {
		read, known := mediaAttrs[a.key]
		if !known {
			m.lose(a.line, "no Jingle for it")
			continue
		}
		if err := read(m, a); err != nil {
			return err
		}
	}
	for _, b := range m.section.bands {
		m.rtp.Bandwidths = append(m.rtp.Bandwidths, jingle.Bandwidth{Type: b.kind, Value: b.value})
	}
	for _, l := range m.section.other {
		m.lose(l, "no Jingle for it")
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
	m.ice.GatheringComplete = s.ice.GatheringComplete || m.ice.GatheringComplete
	m.rtp.AllowMixed = s.rtp.AllowMixed || m.rtp.AllowMixed
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
		m.ice.Options = slices.Clone(s.ice.Options)
	}
	if m.ice.Fingerprints == nil {
		m.ice.Fingerprints = slices.Clone(s.ice.Fingerprints)
	}
	if m.setup == "" {
		m.setup = s.setup
	}
}

// finish checks the section and puts together what several lines say.
func (m *mediaReader) finish(offered Offered, answer bool) error {
	fail := func(msg string) error {
		return &Error{Line: m.section.head.number, Text: m.section.head.text, Msg: msg}
	}
	switch {
	case m.ice.Ufrag == "":
		return fail("m-line without a=ice-ufrag")
	case m.ice.Pwd == "":
		return fail("m-line without a=ice-pwd")
	case len(m.ice.Fingerprints) == 0:
		return fail("m-line without a=fingerprint")
	}
	if m.setup == "" || answer && m.setup == jingle.SetupActpass {
		m.setup = jingle.SetupActpass
		if answer {
			m.setup = answerSetup(offered.Setup, "")
		}
	}
	for i := range m.ice.Fingerprints {
		m.ice.Fingerprints[i].Setup = m.setup
	}
	m.content.Senders = senders(m.direction, m.author)
	m.finishCodecs()
	m.finishSources()
	if len(m.rtp.PayloadTypes) == 0 {
		return fail("m-line without a codec")
	}
	return nil
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

func (m *mediaReader) credential(field *string, a attr) error {
	if !isWord(a.value) || len(a.value) > 256 {
		return m.bad(a, "no ICE credential")
	}
	*field = a.value
	return nil
}

// iceOptions reads the tokens that can be the name of an element.  google-ice is obsolete and means nothing.
func (m *mediaReader) iceOptions(a attr) error {
	for _, o := range strings.Fields(a.value) {
		if !isName(o) || len(m.ice.Options) >= 16 {
			m.lose(a.line, "ICE option that cannot be an element")
			continue
		}
		if o != "google-ice" && !slices.Contains(m.ice.Options, o) {
			m.ice.Options = append(m.ice.Options, o)
		}
	}
	return nil
}

// isName tells whether s is an XML name of letters, digits, hyphens, dots and underscores.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z' || s[i] == '_'
		if !letter && (i == 0 || !(s[i] >= '0' && s[i] <= '9') && s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	return s != ""
}

func (m *mediaReader) fingerprint(a attr) error {
	hash, value, _ := strings.Cut(a.value, " ")
	f, ok := jingle.NewFingerprint(hash, value, "")
	if !ok || hash == "" {
		return m.bad(a, "no fingerprint")
	}
	if len(m.ice.Fingerprints) >= 8 {
		m.lose(a.line, "too many fingerprints")
		return nil
	}
	m.ice.Fingerprints = append(m.ice.Fingerprints, f)
	return nil
}

func (m *mediaReader) readSetup(a attr) error {
	switch s := jingle.Setup(a.value); s {
	case jingle.SetupActpass, jingle.SetupActive, jingle.SetupPassive:
		m.setup = s
	case "holdconn":
		m.lose(a.line, "XEP-0320 does not define it")
	default:
		return m.bad(a, "unknown setup")
	}
	return nil
}

func (m *mediaReader) candidate(a attr) error {
	c, _, err := ParseCandidate(a.text)
	switch {
	case err != nil:
		m.lose(a.line, "no candidate of RFC 8839")
	case len(m.ice.Candidates) >= 128:
		m.lose(a.line, "too many candidates")
	default:
		m.ice.Candidates = append(m.ice.Candidates, c)
	}
	return nil
}
