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

func (r *reader) credential(field *string, a attr) error {
	value := trim(a.value())
	if !isWord(value) || len(value) > 256 {
		return r.bad(a, "no ICE credential")
	}
	*field = value
	return nil
}

// iceOptions reads the tokens that can be the name of an element.
func (r *reader) iceOptions(a attr) error {
	// RFC 8839 section 5.6 has blanks between the options; libdatachannel 0.22 and SIPSorcery write commas.
	for o := range strings.FieldsFuncSeq(a.value(), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		switch {
		case o == "google-ice":
			r.lose(a.line, "obsolete ICE option")
			continue
		case !isName(o) || len(r.ice.Options) >= maxOptions:
			r.lose(a.line, "ICE option that cannot be an element")
			continue
		}
		if !slices.Contains(r.ice.Options, o) {
			r.ice.Options = append(r.ice.Options, o)
		}
		r.ice.ICE2 = r.ice.ICE2 || o == "ice2"
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

func (r *reader) fingerprint(a attr) error {
	if a.text != r.print {
		hash, value, _ := cut(trim(a.value()), ' ')
		f, ok := jingle.NewFingerprint(hash, value, "")
		if !ok || hash == "" {
			return r.bad(a, "no fingerprint")
		}
		r.print, r.printed = a.text, f
	}
	f := r.printed
	if len(r.ice.Fingerprints) >= maxFingerprints {
		r.lose(a.line, "too many fingerprints")
		return nil
	}
	if !slices.Contains(r.ice.Fingerprints, f) {
		r.ice.Fingerprints = r.prints.add(r.ice.Fingerprints, f)
	}
	return nil
}

// readCryptex keeps a=cryptex (RFC 9335), which has no XEP, as Jitsi has it.
func (r *reader) readCryptex(a attr) error {
	r.cryptex = true
	r.lose(a.line, "no Jingle for it, but an attribute of Jitsi's")
	return nil
}

func (r *reader) readSetup(a attr) error {
	switch s := jingle.Setup(trim(a.value())); s {
	case jingle.SetupActpass, jingle.SetupActive, jingle.SetupPassive:
		r.replace(onceSetup, a)
		r.setup = s
	case "holdconn":
		r.lose(a.line, "XEP-0320 does not define it")
	default:
		return r.bad(a, "unknown setup")
	}
	return nil
}

func (r *reader) candidate(a attr) error {
	c, ufrag, err := ParseCandidate(a.text)
	switch {
	case err != nil:
		r.lose(a.line, "no candidate of RFC 8839")
	case len(r.ice.Candidates) >= maxCandidates:
		r.lose(a.line, "too many candidates")
	default:
		if r.ice.Candidates == nil {
			n := r.doc.number(r.section, a.known)
			r.ice.Candidates, r.ufrags = make([]jingle.Candidate, 0, min(n, maxCandidates)), make([]string, 0, min(n, maxCandidates))
		}
		r.ice.Candidates = append(r.ice.Candidates, c)
		r.ufrags = append(r.ufrags, ufrag)
		if names := UnknownExtensions(a.text); len(names) > 0 {
			r.lose(a.line, "no Jingle for "+strings.Join(names, ", ")+" of a candidate")
		}
	}
	return nil
}

// finishCandidates leaves out candidates of another ICE generation than that of the section.
func (r *reader) finishCandidates() {
	i := -1
	r.ice.Candidates = slices.DeleteFunc(r.ice.Candidates, func(jingle.Candidate) bool {
		i++
		return r.ufrags[i] != "" && r.ufrags[i] != r.ice.Ufrag
	})
	if len(r.ice.Candidates) == len(r.ufrags) {
		return
	}
	for i := r.section.begin; i < r.section.end; i++ {
		a := r.doc.at(i)
		if a.key() != "candidate" {
			continue
		}
		if _, ufrag, err := ParseCandidate(a.text); err == nil && ufrag != "" && ufrag != r.ice.Ufrag {
			r.lose(a.line, "of another ICE generation than ufrag "+r.ice.Ufrag)
		}
	}
}

// remoteCandidates reads "component address port" in a row (RFC 8839 section 5.2).
func (r *reader) remoteCandidates(a attr) error {
	f := strings.Fields(a.value())
	if len(f) == 0 || len(f)%3 != 0 {
		return r.bad(a, "no remote candidates")
	}
	for ; len(f) > 0; f = f[3:] {
		component, err1 := strconv.ParseUint(f[0], 10, 8)
		port, err2 := strconv.ParseUint(f[2], 10, 16)
		if err1 != nil || err2 != nil || component == 0 {
			return r.bad(a, "no remote candidates")
		}
		if len(r.ice.RemoteCandidates) >= maxOptions {
			r.lose(a.line, "too many remote candidates")
			return nil
		}
		r.ice.RemoteCandidates = append(r.ice.RemoteCandidates, jingle.RemoteCandidate{Component: int(component), IP: f[1], Port: int(port)})
	}
	return nil
}

// keys returns those of SDES and ZRTP.
func (r *reader) keys() *jingle.Encryption {
	if r.security == nil {
		r.security = new(jingle.Encryption)
	}
	return r.security
}

// crypto reads a=crypto (RFC 4568 section 4): tag, suite, and key parameters that end at the first blank.
func (r *reader) crypto(a attr) error {
	f := strings.Fields(a.value())
	if len(f) < 3 || !isNumber(f[0]) || len(r.keys().Crypto) >= maxOptions {
		r.lose(a.line, "no key of RFC 4568")
		return nil
	}
	r.sdes = append(r.sdes, a.line)
	r.keys().Crypto = append(r.security.Crypto, jingle.Crypto{
		Tag: f[0], Suite: f[1], KeyParams: f[2], SessionParams: strings.Join(f[3:], " "),
	})
	return nil
}

// zrtpHash reads "version hash" (RFC 6189 section 8).
func (r *reader) zrtpHash(a attr) error {
	f := strings.Fields(a.value())
	if len(f) != 2 || len(r.keys().ZRTP) >= maxFingerprints {
		r.lose(a.line, "no hash of RFC 6189")
		return nil
	}
	r.sdes = append(r.sdes, a.line)
	r.keys().ZRTP = append(r.security.ZRTP, jingle.ZRTPHash{Version: f[0], Value: f[1]})
	return nil
}
