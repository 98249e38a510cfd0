package call

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/jingle/element"
)

// A Mask takes out of recorded inputs who and where people are: the addresses of XMPP and of machines, and the passwords of ICE.  The
// same address always becomes the same pseudonym, so that a masked call goes as the real one did.  The zero value is ready.
type Mask struct {
	names map[string]string // pseudonym of each name, by its kind and itself
	count map[string]int    // names of each kind
}

// name returns the pseudonym of a name of some kind; format has a verb for its number.
func (m *Mask) name(format, name string) string {
	if m.names == nil {
		m.names, m.count = map[string]string{}, map[string]int{}
	}
	key := format + name
	if m.names[key] == "" {
		m.count[format]++
		m.names[key] = fmt.Sprintf(format, m.count[format])
	}
	return m.names[key]
}

func (m *Mask) jid(j jid.JID) jid.JID {
	if j.Equal(jid.JID{}) {
		return j
	}
	part := func(format, s string) string {
		if s == "" {
			return ""
		}
		return m.name(format, s)
	}
	masked, err := jid.New(part("user%d", j.Localpart()), m.name("domain%d.example", j.Domainpart()), part("r%d", j.Resourcepart()))
	if err != nil { // cannot be: the parts are plain words
		return jid.JID{}
	}
	return masked
}

// address masks an address as an attribute has it, which need not be one.
func (m *Mask) address(s string) string {
	if s == "" {
		return ""
	}
	j, err := jid.Parse(s)
	if err != nil {
		return m.name("word%d", s)
	}
	return m.jid(j).String()
}

// host masks the address of a machine.  One that says nothing about where it is, such as 0.0.0.0, stays.
func (m *Mask) host(s string) string {
	switch {
	case s == "" || s == "0.0.0.0" || s == "::" || s == "127.0.0.1":
		return s
	case strings.Contains(s, ":"):
		return m.name("2001:db8::%x", s)
	case strings.Trim(s, "0123456789.") == "":
		return m.ipv4(s)
	case strings.HasSuffix(s, ".local"):
		return m.name("host%d.local", s)
	}
	return m.name("host%d.example", s)
}

// ipv4 gives an address out of those of RFC 5737 and, when they are used up, of RFC 2544.
func (m *Mask) ipv4(s string) string {
	n, _ := strconv.Atoi(m.name("%d", s))
	switch {
	case n < 255:
		return fmt.Sprintf("192.0.2.%d", n)
	case n < 510:
		return fmt.Sprintf("198.51.100.%d", n-255)
	}
	return fmt.Sprintf("198.18.%d.%d", n>>8&255, n&255)
}

// Input returns the input with pseudonyms.
func (m *Mask) Input(in Input) Input {
	switch in := in.(type) {
	case BrowserOffer:
		in.Tab, in.SDP = m.jid(in.Tab), m.sdp(in.SDP)
		return in
	case BrowserAnswer:
		in.Tab, in.SDP = m.jid(in.Tab), m.sdp(in.SDP)
		return in
	case BrowserCandidate:
		in.Tab, in.Candidate = m.jid(in.Tab), m.candidate(in.Candidate)
		return in
	case PeerMessage:
		in.From, in.To, in.Message.Reason = m.jid(in.From), m.jid(in.To), m.reason(in.Message.Reason)
		return in
	case PeerBounce:
		in.From, in.Err = m.jid(in.From), *m.failure(&in.Err)
		return in
	case PeerRequest:
		in.From, in.To, in.Jingle = m.jid(in.From), m.jid(in.To), m.stanza(in.Jingle)
		return in
	case PeerReply:
		in.From, in.Err = m.jid(in.From), m.failure(in.Err)
		return in
	case PeerUnavailable:
		in.From = m.jid(in.From)
		return in
	case Opening:
		return m.opening(in)
	}
	return m.plainFrame(in)
}

// plainFrame masks the inputs that have no address but the tab's.
func (m *Mask) plainFrame(in Input) Input {
	switch in := in.(type) {
	case BrowserAccept:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserCross:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserDecline:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserHangUp:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserMedia:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserInfo:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserLost:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserBack:
		in.Tab = m.jid(in.Tab)
		return in
	case BrowserGone:
		in.Tab = m.jid(in.Tab)
		return in
	}
	return in
}

func (m *Mask) opening(o Opening) Opening {
	o.Tab, o.Peer = m.jid(o.Tab), m.jid(o.Peer)
	tabs, known := o.Tabs, o.Known
	o.Tabs, o.Known = nil, nil
	for _, t := range tabs {
		o.Tabs = append(o.Tabs, m.jid(t))
	}
	for _, k := range known {
		k.JID = m.jid(k.JID)
		o.Known = append(o.Known, k)
	}
	if o.First != nil {
		o.First = m.Input(o.First)
	}
	return o
}

// reason drops the words of a reason, which may name anybody.
func (m *Mask) reason(r *jingle.Reason) *jingle.Reason {
	if r == nil || r.Text == "" {
		return r
	}
	return &jingle.Reason{Condition: r.Condition, Text: "masked"}
}

func (m *Mask) failure(e *jingle.Error) *jingle.Error {
	if e == nil || e.Text == "" {
		return e
	}
	masked := *e
	masked.Text = "masked"
	return &masked
}

// sdp masks an SDP line by line.
func (m *Mask) sdp(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		bare := strings.TrimSuffix(line, "\r")
		lines[i] = m.sdpLine(bare) + line[len(bare):]
	}
	return strings.Join(lines, "\n")
}

func (m *Mask) sdpLine(line string) string {
	name, value, _ := strings.Cut(line, ":")
	switch {
	case name == "a=candidate":
		return m.candidate(line)
	case name == "a=crypto", name == "a=identity", name == "a=remote-candidates", name == "a=source-filter":
		return name + ":-"
	case name == "a=ice-pwd":
		return name + ":" + m.pwd(value)
	case name == "a=rtcp", strings.HasPrefix(line, "c="), strings.HasPrefix(line, "o="):
		return m.connection(line)
	case len(line) > 1 && line[1] == '=' && strings.ContainsRune("siuepk", rune(line[0])):
		return line[:2] + "-"
	case strings.HasPrefix(line, "a=ssrc:") && strings.Contains(line, " cname:"):
		head, cname, _ := strings.Cut(line, " cname:")
		return head + " cname:" + m.name("cname%d", cname)
	}
	return line
}

// connection masks what follows IN IP4 or IN IP6.
func (m *Mask) connection(line string) string {
	f := strings.Split(line, " ")
	if n := len(f); n >= 3 && f[n-3] == "IN" || n >= 3 && strings.HasSuffix(f[n-3], "IN") {
		f[n-1] = m.host(f[n-1])
	}
	return strings.Join(f, " ")
}

// candidate masks a candidate line: its fifth field, and the related address.
func (m *Mask) candidate(line string) string {
	f := strings.Fields(line)
	for i := range f {
		if i == 4 || i > 0 && f[i-1] == "raddr" {
			f[i] = m.host(f[i])
		}
	}
	return strings.Join(f, " ")
}

// pwd makes a password that is one for ICE, which wants 22 characters at least (RFC 8839 section 5.4).
func (m *Mask) pwd(s string) string {
	if s == "" {
		return ""
	}
	return m.name("masked-%020d", s)
}

// stanza masks a copy of a stanza.
func (m *Mask) stanza(j jingle.Stanza) jingle.Stanza {
	j.Initiator, j.Responder = m.address(j.Initiator), m.address(j.Responder)
	j.Reason = m.reason(j.Reason)
	j.Info = m.elements(j.Info)
	if j.Muji != nil {
		j.Muji = &jingle.Muji{Room: m.address(j.Muji.Room), Preparing: j.Muji.Preparing}
	}
	contents := j.Contents
	j.Contents = nil
	for _, c := range contents {
		c.ICE = m.transport(c.ICE)
		c.Other = m.elements(c.Other)
		c.RTP = m.rtp(c.RTP)
		if c.RawUDP != nil {
			c.RawUDP = &jingle.RawUDP{}
		}
		j.Contents = append(j.Contents, c)
	}
	return j
}

// rtp masks the keys of SRTP, and the cnames of sources, which are user@host at some clients.
func (m *Mask) rtp(r *jingle.RTP) *jingle.RTP {
	if r == nil {
		return nil
	}
	masked := *r
	masked.Sources = nil
	masked.Other = m.elements(r.Other)
	if r.Encryption != nil {
		masked.Encryption = &jingle.Encryption{Required: r.Encryption.Required}
		for _, c := range r.Encryption.Crypto {
			c.KeyParams = "inline:masked"
			masked.Encryption.Crypto = append(masked.Encryption.Crypto, c)
		}
	}
	for _, source := range r.Sources {
		source.Parameters = slices.Clone(source.Parameters)
		for i := range source.Parameters {
			if p := &source.Parameters[i]; p.Name == "cname" {
				p.Value = m.name("cname%d", p.Value)
			}
		}
		masked.Sources = append(masked.Sources, source)
	}
	return &masked
}

func (m *Mask) transport(t *jingle.Transport) *jingle.Transport {
	if t == nil {
		return nil
	}
	masked := *t
	masked.Pwd = m.pwd(t.Pwd)
	masked.Other = m.elements(t.Other)
	masked.Candidates, masked.RemoteCandidates = nil, nil
	for _, c := range t.Candidates {
		c.IP, c.RelAddr = m.host(c.IP), m.host(c.RelAddr)
		masked.Candidates = append(masked.Candidates, c)
	}
	for _, c := range t.RemoteCandidates {
		c.IP = m.host(c.IP)
		masked.RemoteCandidates = append(masked.RemoteCandidates, c)
	}
	return &masked
}

// elements keeps of elements that are not understood their names, and of session-info what names a content.
func (m *Mask) elements(list []*element.Element) []*element.Element {
	var masked []*element.Element
	for _, e := range list {
		if info, ok := jingle.ParseInfo(e); ok {
			masked = append(masked, info.Element())
		} else {
			masked = append(masked, element.New(e.Space, e.Local))
		}
	}
	return masked
}
