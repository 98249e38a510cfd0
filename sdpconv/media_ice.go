package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// Bounds of a transport, those that reading Jingle has.
const (
	maxCandidates   = 128
	maxFingerprints = 8
	maxOptions      = 16
)

func (m *mediaReader) credential(field *string, a attr) error {
	value := trim(a.value())
	if !isWord(value) || len(value) > 256 {
		return m.bad(a, "no ICE credential")
	}
	*field = value
	return nil
}

// iceOptions reads the tokens that can be the name of an element.
func (m *mediaReader) iceOptions(a attr) error {
	// RFC 8839 section 5.6 has blanks between the options; libdatachannel 0.22 and SIPSorcery write commas.
	for o := range strings.FieldsFuncSeq(a.value(), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		switch {
		case o == "google-ice":
			m.lose(a.line, "obsolete ICE option")
			continue
		case !isName(o) || len(m.ice.Options) >= maxOptions:
			m.lose(a.line, "ICE option that cannot be an element")
			continue
		}
		if !slices.Contains(m.ice.Options, o) {
			m.ice.Options = append(m.ice.Options, o)
		}
		m.ice.ICE2 = m.ice.ICE2 || o == "ice2"
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
	if a.text != m.print {
		hash, value, _ := cut(trim(a.value()), ' ')
		f, ok := jingle.NewFingerprint(hash, value, "")
		if !ok || hash == "" {
			return m.bad(a, "no fingerprint")
		}
		m.print, m.printed = a.text, f
	}
	f := m.printed
	if len(m.ice.Fingerprints) >= maxFingerprints {
		m.lose(a.line, "too many fingerprints")
		return nil
	}
	if !slices.Contains(m.ice.Fingerprints, f) {
		m.ice.Fingerprints = m.prints.add(m.ice.Fingerprints, f)
	}
	return nil
}

// readCryptex keeps a=cryptex (RFC 9335), which has no XEP, as Jitsi has it.
func (m *mediaReader) readCryptex(a attr) error {
	m.cryptex = true
	m.lose(a.line, "no Jingle for it, but an attribute of Jitsi's")
	return nil
}

func (m *mediaReader) readSetup(a attr) error {
	switch s := jingle.Setup(trim(a.value())); s {
	case jingle.SetupActpass, jingle.SetupActive, jingle.SetupPassive:
		m.replace(onceSetup, a)
		m.setup = s
	case "holdconn":
		m.lose(a.line, "XEP-0320 does not define it")
	default:
		return m.bad(a, "unknown setup")
	}
	return nil
}

func (m *mediaReader) candidate(a attr) error {
	c, ufrag, err := ParseCandidate(a.text)
	switch {
	case err != nil:
		m.lose(a.line, "no candidate of RFC 8839")
	case len(m.ice.Candidates) >= maxCandidates:
		m.lose(a.line, "too many candidates")
	default:
		if m.ice.Candidates == nil {
			n := m.section.count(a.known)
			m.ice.Candidates, m.ufrags = make([]jingle.Candidate, 0, min(n, maxCandidates)), make([]string, 0, min(n, maxCandidates))
		}
		m.ice.Candidates = append(m.ice.Candidates, c)
		m.ufrags = append(m.ufrags, ufrag)
		if names := UnknownExtensions(a.text); len(names) > 0 {
			m.lose(a.line, "no Jingle for "+strings.Join(names, ", ")+" of a candidate")
		}
	}
	return nil
}

// finishCandidates leaves out candidates of another ICE generation than that of the section.
func (m *mediaReader) finishCandidates() {
	i := -1
	m.ice.Candidates = slices.DeleteFunc(m.ice.Candidates, func(jingle.Candidate) bool {
		i++
		return m.ufrags[i] != "" && m.ufrags[i] != m.ice.Ufrag
	})
	if len(m.ice.Candidates) == len(m.ufrags) {
		return
	}
	for i := range m.section.attrs {
		a := m.section.at(i)
		if a.key() != "candidate" {
			continue
		}
		if _, ufrag, err := ParseCandidate(a.text); err == nil && ufrag != "" && ufrag != m.ice.Ufrag {
			m.lose(a.line, "of another ICE generation than ufrag "+m.ice.Ufrag)
		}
	}
}

// remoteCandidates reads "component address port" in a row (RFC 8839 section 5.2).
func (m *mediaReader) remoteCandidates(a attr) error {
	f := strings.Fields(a.value())
	if len(f) == 0 || len(f)%3 != 0 {
		return m.bad(a, "no remote candidates")
	}
	for ; len(f) > 0; f = f[3:] {
		component, err1 := strconv.ParseUint(f[0], 10, 8)
		port, err2 := strconv.ParseUint(f[2], 10, 16)
		if err1 != nil || err2 != nil || component == 0 {
			return m.bad(a, "no remote candidates")
		}
		if len(m.ice.RemoteCandidates) >= maxOptions {
			m.lose(a.line, "too many remote candidates")
			return nil
		}
		m.ice.RemoteCandidates = append(m.ice.RemoteCandidates, jingle.RemoteCandidate{Component: int(component), IP: f[1], Port: int(port)})
	}
	return nil
}

// keys returns those of SDES and ZRTP.
func (m *mediaReader) keys() *jingle.Encryption {
	if m.security == nil {
		m.security = new(jingle.Encryption)
	}
	return m.security
}

// crypto reads a=crypto (RFC 4568 section 4): tag, suite, and key parameters that end at the first blank.
func (m *mediaReader) crypto(a attr) error {
	f := strings.Fields(a.value())
	if len(f) < 3 || !isNumber(f[0]) || len(m.keys().Crypto) >= maxOptions {
		m.lose(a.line, "no key of RFC 4568")
		return nil
	}
	m.sdes = append(m.sdes, a.line)
	m.keys().Crypto = append(m.security.Crypto, jingle.Crypto{
		Tag: f[0], Suite: f[1], KeyParams: f[2], SessionParams: strings.Join(f[3:], " "),
	})
	return nil
}

// zrtpHash reads "version hash" (RFC 6189 section 8).
func (m *mediaReader) zrtpHash(a attr) error {
	f := strings.Fields(a.value())
	if len(f) != 2 || len(m.keys().ZRTP) >= maxFingerprints {
		m.lose(a.line, "no hash of RFC 6189")
		return nil
	}
	m.sdes = append(m.sdes, a.line)
	m.keys().ZRTP = append(m.security.ZRTP, jingle.ZRTPHash{Version: f[0], Value: f[1]})
	return nil
}
