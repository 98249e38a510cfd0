package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
	"carillon/jingle/element"
)

// mediaWriter writes one content as a section.
type mediaWriter struct {
	*writer
	line    *Line
	content *jingle.Content
	fresh   bool             // the line is new
	ice     jingle.Transport // complete
	setup   jingle.Setup
	codecs  []jingle.PayloadType
	exts    []jingle.HdrExt
	senders jingle.Senders
	sources []string        // that were written
	streams []jingle.Stream // that were written
}

// offered returns what the section has to keep to, nil in an offer.
func (s *mediaWriter) offered() *jingle.RTP {
	if s.typ == Offer {
		return nil
	}
	return s.line.Offered.RTP
}

const noTransport = "another transport than ICE"

// choose settles codecs and direction.  It returns why the section cannot be, or "".
func (s *mediaWriter) choose() string {
	switch {
	case s.content.ICE == nil && s.content.RawUDP != nil && !s.plain:
		return noTransport
	case s.typ == Answer && s.line.Offered.BundleOnly && !s.bundled(s.content.Name):
		return repairBundleOnly
	}
	if s.content.RTP != nil {
		choice := selector{media: s.content.RTP.Media, plain: s.plain, offered: s.offered(), lost: func(p jingle.PayloadType, reason string) {
			s.lose("a=rtpmap:"+strconv.Itoa(p.ID)+" "+p.Name, reason)
		}}
		if s.codecs = choice.choose(s.content.RTP.PayloadTypes); len(s.codecs) == 0 {
			return "no codec in common"
		}
	}
	s.senders = s.content.Senders
	if s.typ == Offer {
		return ""
	}
	// Dino answers both where only one side was to send.
	may := s.line.Offered.Senders
	s.senders = jingle.SendersOf(
		s.senders.Sends(jingle.Initiator) && may.Sends(jingle.Initiator),
		s.senders.Sends(jingle.Responder) && may.Sends(jingle.Responder))
	if got, want := direction(s.content.Senders, s.author), direction(s.senders, s.author); got != want && s.content.RTP != nil {
		s.lose("a="+got, repairDirection+want)
	}
	return ""
}

func (s *mediaWriter) wrong(err error) error {
	return &ContentError{Creator: s.content.Creator, Name: s.content.Name, Err: err}
}

// secure settles the transport: the content's own or, where it is a stub in a bundled session, that of the tagged content.
func (s *mediaWriter) secure() error {
	if s.content.ICE != nil {
		s.ice = *s.content.ICE
	}
	rawUDP := s.content.ICE == nil && s.content.RawUDP != nil
	if tagged := s.taggedSection(s.bundle(s.content.Name)); tagged != nil && !rawUDP {
		if s.ice.Ufrag == "" {
			s.ice.Ufrag, s.ice.Pwd = tagged.content.ICE.Ufrag, tagged.content.ICE.Pwd
		}
		if len(s.ice.Fingerprints) == 0 && !s.ice.Protected {
			s.ice.Fingerprints = tagged.content.ICE.Fingerprints
		}
	}
	said := len(s.ice.Fingerprints) > 0 || s.ice.Protected // then it is not to be written unencrypted
	s.ice.Fingerprints = s.usable(s.ice.Fingerprints)
	encrypted := len(s.ice.Fingerprints) > 0
	switch {
	case !encrypted && (!s.plain || s.content.RTP == nil || said):
		return s.withoutSecurity()
	case !rawUDP && !s.hasCredentials():
		return s.noCredentials()
	case rawUDP && s.rawAddress(1) == nil:
		return ErrNoICE
	}
	if encrypted {
		s.settleSetup()
	}
	if s.content.RTP != nil {
		s.chooseExtensions()
	}
	s.settleLine()
	return nil
}

// hasCredentials tells whether a browser takes those of the section.  Others may make do with less than RFC 8839 asks for.
func (s *mediaWriter) hasCredentials() bool {
	return isUfrag(s.ice.Ufrag) && isPwd(s.ice.Pwd) || s.plain && isWord(s.ice.Ufrag) && isWord(s.ice.Pwd)
}

func (s *mediaWriter) noCredentials() error {
	if s.ice.Ufrag == "" || s.ice.Pwd == "" {
		return &Error{Msg: "no ICE credentials"}
	}
	return &Error{Msg: "ICE credentials that are none: a ufrag has 4 to 256 letters, digits, + and /, a pwd 22 to 256"}
}

// withoutSecurity tells what is missing: a transport that is known, or encryption.
func (s *mediaWriter) withoutSecurity() error {
	if s.content.ICE == nil && s.content.RawUDP == nil && s.content.RTP != nil {
		return ErrNoICE // Google's, or none at all
	}
	return ErrNotEncrypted
}

// settleLine enters the section into its line.
func (s *mediaWriter) settleLine() {
	s.line.State = Live
	at := slices.Index(s.sections, s)
	if s.typ == Answer {
		s.line.HdrExts = s.exts
		s.note(at, Offered{})
		return
	}
	offered := Offered{Senders: s.senders, Setup: s.setup, Bundled: s.bundled(s.content.Name)}
	s.line.Formats = make([]string, 0, len(s.codecs))
	if s.content.RTP == nil {
		s.line.Proto, s.line.Formats = dataProto, append(s.line.Formats, s.format())
	} else {
		offered.RTP = s.content.RTP
		if !s.asGiven() || len(s.exts) != len(offered.RTP.HdrExts) {
			rtp := *s.content.RTP
			rtp.PayloadTypes, rtp.HdrExts = s.codecs, s.exts
			offered.RTP = &rtp
		}
		s.line.Proto = protoOf(&jingle.Content{ICE: &s.ice}, offered.RTP)
		for _, p := range s.codecs {
			s.line.Formats = append(s.line.Formats, strconv.Itoa(p.ID))
		}
	}
	s.note(at, offered)
}

// asGiven tells whether the section has the codecs of its content, and no copy of them.
func (s *mediaWriter) asGiven() bool {
	given := s.content.RTP.PayloadTypes
	return len(given) == len(s.codecs) && &given[0] == &s.codecs[0] // there is a codec: choose saw to it
}

// strength orders the hashes of RFC 8122 that browsers take, and hashSize has the number of their bytes: Chromium 156 fails at another.
var (
	strength = [...]string{"sha-512", "sha-384", "sha-256", "sha-224", "sha-1"}
	hashSize = [...]int{64, 48, 32, 28, 20}
)

func isUsable(f *jingle.Fingerprint) bool {
	i := slices.Index(strength[:], f.Hash)
	return i >= 0 && len(f.Value) == 3*hashSize[i]-1 && isWord(f.Value)
}

func (s *mediaWriter) usable(list []jingle.Fingerprint) []jingle.Fingerprint {
	if len(list) == 1 && isUsable(&list[0]) {
		return list
	}
	list = slices.DeleteFunc(slices.Clone(list), func(f jingle.Fingerprint) bool {
		bad := !isUsable(&f)
		if bad {
			s.lose("a=fingerprint:"+f.Hash+" "+f.Value, "no hash that browsers take")
		}
		return bad
	})
	slices.SortStableFunc(list, func(a, b jingle.Fingerprint) int {
		return slices.Index(strength[:], a.Hash) - slices.Index(strength[:], b.Hash)
	})
	return list
}

// settleSetup chooses the DTLS role.  A later offer leaves it open again, as browsers do: it changes nothing in an association that there is.
func (s *mediaWriter) settleSetup() {
	said := s.ice.Fingerprints[0].Setup
	s.setup = said
	if tagged := s.taggedSection(s.bundle(s.content.Name)); s.typ == Answer && tagged != nil && tagged != s {
		s.line.DTLS = tagged.line.DTLS // an offer's group is not agreed on: Dino takes none, and each line has a role of its own
	}
	s.line.DTLS.describe(s.author, s.ice.Fingerprints)
	switch {
	case s.typ == Answer:
		s.setup = answerSetup(s.line.Offered.Setup, said)
		if role := s.line.DTLS.answered(s.author, s.setup); role != s.setup {
			s.setup = role
			s.lose("a=setup:"+string(said), fmt.Sprintf(repairRole, role))
			return
		}
	case !s.fresh:
		s.setup = jingle.SetupActpass
		return
	case said == "":
		s.setup = jingle.SetupActpass
	}
	switch {
	case said == "":
		s.lose("a=setup:"+string(s.setup), repairNoSetup)
	case s.setup != said:
		s.lose("a=setup:"+string(said), fmt.Sprintf(repairSetup, s.typ, s.setup))
	}
}

// answerSetup returns the DTLS role of an answer (RFC 8842 section 5.3): never actpass, which browsers refuse, and never the offerer's.
func answerSetup(offered, said jingle.Setup) jingle.Setup {
	switch {
	case offered == jingle.SetupActive:
		return jingle.SetupPassive
	case offered == jingle.SetupPassive:
		return jingle.SetupActive
	case said == jingle.SetupPassive:
		return jingle.SetupPassive
	}
	return jingle.SetupActive
}

func (s *mediaWriter) write() {
	s.loseElements(s.content.Other)
	if s.content.RTP == nil {
		s.writeData()
		return
	}
	s.writeHead(s.content.RTP.Media)
	for i := range s.codecs {
		s.add(" ")
		s.addInt(s.codecs[i].ID)
	}
	s.end()
	s.writeAddress()
	s.writeBandwidth()
	s.attr("mid:", s.line.Mid)
	s.attr(direction(s.senders, s.author))
	s.writeTransport()
	s.writeSecurity()
	s.writeRTP()
	s.writeCodecs()
	s.writeSources()
	s.writeCandidates()
	if s.ice.SCTP != nil {
		s.lose("a=sctp-port", "data channels beside RTP in one content")
	}
	s.loseElements(s.content.RTP.Other)
}

// loseElements reports what is kept of a stanza without being understood.
func (s *mediaWriter) loseElements(list []*element.Element) {
	for _, e := range list {
		s.lose("<"+e.Local+" xmlns='"+e.Space+"'/>", "no SDP for it")
	}
}

func (s *mediaWriter) writeHead(media string) {
	port := 9
	if c := s.rawAddress(1); c != nil {
		port = c.Port
	}
	s.add("m=", media, " ")
	s.addInt(port)
	s.add(" ", s.line.Proto)
}

func (s *mediaWriter) writeBandwidth() {
	for _, b := range s.content.RTP.Bandwidths {
		known := slices.Contains([]string{"AS", "TIAS", "CT", "RS", "RR"}, b.Type)
		if !known || !isNumber(b.Value) || !s.plain && !s.isBandwidth(b) {
			s.lose("b="+b.Type+":"+b.Value, "no bandwidth that browsers take")
			continue
		}
		s.add("b=", b.Type, ":", b.Value)
		s.end()
	}
}

// isBandwidth tells whether Chromium 156 takes a bandwidth: it counts in 32 bits with a sign, and fails at less than what the codec of a sound
// needs, which it chooses by its order.
func (s *mediaWriter) isBandwidth(b jingle.Bandwidth) bool {
	n, err := strconv.ParseUint(b.Value, 10, 31)
	if b.Type == "AS" {
		n *= 1000
	}
	if err != nil || n == 0 || s.content.RTP.Media != "audio" || b.Type != "AS" && b.Type != "TIAS" {
		return err == nil
	}
	for i := range s.codecs {
		switch name := s.codecs[i].Name; {
		case strings.EqualFold(name, "opus"):
			return n >= 6000
		case strings.EqualFold(name, "PCMU"), strings.EqualFold(name, "PCMA"), strings.EqualFold(name, "G722"):
			return n >= 64000
		}
	}
	return true
}

func (s *mediaWriter) writeTransport() {
	if s.content.ICE == nil && s.content.RawUDP != nil {
		return
	}
	s.attr("ice-ufrag:", s.ice.Ufrag)
	s.attr("ice-pwd:", s.ice.Pwd)
	s.writeOptions()
	for _, f := range s.ice.Fingerprints {
		s.attr("fingerprint:", f.Hash, " ", f.Value)
	}
	if len(s.ice.Fingerprints) > 0 && s.ice.Fingerprints[0].Cryptex {
		s.lose("a=cryptex", "an attribute of Jitsi's, no XEP")
	}
	if s.setup != "" {
		s.attr("setup:", string(s.setup))
	}
	s.loseElements(s.ice.Other)
}

// writeOptions writes the ICE options, of which Jingle has always had trickle, said or not.
func (s *mediaWriter) writeOptions() {
	if len(s.ice.Options) == 0 && !s.ice.ICE2 {
		s.attr("ice-options:trickle")
		return
	}
	s.add("a=ice-options:")
	begun := len(s.out)
	options := s.ice.Options
	if len(options) == 0 {
		options = []string{"trickle"}
	}
	if s.ice.ICE2 && !slices.Contains(options, "ice2") {
		options = append(slices.Clone(options), "ice2")
	}
	for _, o := range options {
		if !isToken(o) {
			s.lose("a=ice-options:"+o, "no token")
			continue
		}
		if len(s.out) > begun {
			s.add(" ")
		}
		s.add(o)
	}
	if len(s.out) == begun {
		s.out = s.out[:s.begun]
		return
	}
	s.end()
}

func (s *mediaWriter) writeCandidates() {
	for _, c := range s.ice.Candidates {
		s.add("a=")
		s.out = appendCandidate(s.out, c, "")
		switch {
		case c.Component > 1 && (!s.plain || s.content.RTP == nil || s.content.RTP.RTCPMux):
			s.back(repairComponent)
		case strings.Contains(c.IP, "%"):
			s.back("address with a zone")
		case !isCandidateType(c.Type):
			s.lose(string(s.out[s.begun:]), "written as a host candidate, no type "+strconv.Quote(c.Type))
			s.end()
		default:
			s.end()
		}
	}
	if s.ice.GatheringComplete {
		s.attr("end-of-candidates")
	}
	s.writeRemoteCandidates()
}

func (s *mediaWriter) writeRemoteCandidates() {
	if len(s.ice.RemoteCandidates) == 0 {
		return
	}
	s.add("a=remote-candidates:")
	begun := len(s.out)
	for _, c := range s.ice.RemoteCandidates {
		if !isWord(c.IP) || c.Component < 1 || c.Component > 255 || c.Port < 0 || c.Port > 65535 {
			s.lose("a=remote-candidates:"+c.IP, "no remote candidate")
			continue
		}
		if len(s.out) > begun {
			s.add(" ")
		}
		s.addInt(c.Component)
		s.add(" ", c.IP, " ")
		s.addInt(c.Port)
	}
	if len(s.out) == begun {
		s.out = s.out[:s.begun]
		return
	}
	s.end()
}
