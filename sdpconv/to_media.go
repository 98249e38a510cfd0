package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// mediaWriter writes one content as a section.
type mediaWriter struct {
	*writer
	line    *Line
	content *jingle.Content
	ice     jingle.Transport // complete
	setup   jingle.Setup
	codecs  []jingle.PayloadType
	senders jingle.Senders
	out     strings.Builder
}

// attr writes a=text unless it could not be read again as one line.
func (s *mediaWriter) attr(text string) {
	if !isText(text) || strings.HasSuffix(text, " ") {
		s.lose("a="+text, "no line of an SDP")
		return
	}
	s.out.WriteString("a=" + text + "\r\n")
}

// offered returns what the section has to keep to, nil in an offer.
func (s *mediaWriter) offered() *jingle.RTP {
	if s.typ == Offer {
		return nil
	}
	return s.line.Offered.RTP
}

// choose settles codecs and direction.
func (s *mediaWriter) choose() {
	choice := selector{media: s.content.RTP.Media, offered: s.offered(), lost: func(p jingle.PayloadType, reason string) {
		s.lose("a=rtpmap:"+strconv.Itoa(p.ID)+" "+p.Name, reason)
	}}
	s.codecs = choice.choose(s.content.RTP.PayloadTypes)
	s.senders = s.content.Senders
	if s.typ == Offer {
		return
	}
	// Dino answers both where only one side was to send.
	may := s.line.Offered.Senders
	s.senders = jingle.SendersOf(
		s.senders.Sends(jingle.Initiator) && may.Sends(jingle.Initiator),
		s.senders.Sends(jingle.Responder) && may.Sends(jingle.Responder))
	if got, want := direction(s.content.Senders, s.author), direction(s.senders, s.author); got != want {
		s.lose("a="+got, repairDirection+want)
	}
}

// secure settles the transport: the content's own or, where it is a stub in a bundled session, that of the tagged content.
func (s *mediaWriter) secure() error {
	if s.content.ICE != nil {
		s.ice = *s.content.ICE
	}
	if tagged := s.tagged(); tagged != nil && s.bundled(s.content.Name) {
		if s.ice.Ufrag == "" {
			s.ice.Ufrag, s.ice.Pwd = tagged.ICE.Ufrag, tagged.ICE.Pwd
		}
		if len(s.ice.Fingerprints) == 0 && !s.ice.Protected {
			s.ice.Fingerprints = tagged.ICE.Fingerprints
		}
	}
	s.ice.Fingerprints = s.usable(s.ice.Fingerprints)
	switch {
	case len(s.ice.Fingerprints) == 0:
		return ErrNotEncrypted
	case !isWord(s.ice.Ufrag) || !isWord(s.ice.Pwd):
		return &Error{Text: s.content.Name, Msg: "content without ICE credentials"}
	}
	s.settleSetup()
	s.line.State = Live
	if s.typ == Offer {
		s.line.Formats = nil
		for _, p := range s.codecs {
			s.line.Formats = append(s.line.Formats, strconv.Itoa(p.ID))
		}
		rtp := *s.content.RTP
		rtp.PayloadTypes = s.codecs
		s.line.Offered = Offered{RTP: &rtp, Senders: s.senders, Setup: s.setup, Bundled: s.bundled(s.content.Name)}
	}
	return nil
}

// strength orders the hashes of RFC 8122 that browsers take.
var strength = []string{"sha-512", "sha-384", "sha-256", "sha-224", "sha-1"}

func (s *mediaWriter) usable(list []jingle.Fingerprint) []jingle.Fingerprint {
	list = slices.DeleteFunc(slices.Clone(list), func(f jingle.Fingerprint) bool {
		bad := !slices.Contains(strength, f.Hash) || !isWord(f.Value)
		if bad {
			s.lose("a=fingerprint:"+f.Hash+" "+f.Value, "no hash that browsers take")
		}
		return bad
	})
	slices.SortStableFunc(list, func(a, b jingle.Fingerprint) int {
		return slices.Index(strength, a.Hash) - slices.Index(strength, b.Hash)
	})
	return list
}

func (s *mediaWriter) settleSetup() {
	said := s.ice.Fingerprints[0].Setup
	s.setup = said
	if s.typ == Answer {
		s.setup = answerSetup(s.line.Offered.Setup, said)
	} else if said == "" {
		s.setup = jingle.SetupActpass
	}
	if s.setup != said {
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

func (s *mediaWriter) write() string {
	s.out.WriteString("m=" + s.content.RTP.Media + " 9 " + s.line.Proto)
	for _, p := range s.codecs {
		s.out.WriteString(" " + strconv.Itoa(p.ID))
	}
	s.out.WriteString("\r\nc=IN IP4 0.0.0.0\r\n")
	s.writeBandwidth()
	s.attr("mid:" + s.line.Mid)
	s.attr(direction(s.senders, s.author))
	s.writeTransport()
	s.writeRTP()
	s.writeCodecs()
	s.writeSources()
	s.writeCandidates()
	for _, e := range s.content.RTP.Other {
		s.lose("<"+e.Local+" xmlns='"+e.Space+"'/>", "no SDP for it")
	}
	return s.out.String()
}

func (s *mediaWriter) writeBandwidth() {
	for _, b := range s.content.RTP.Bandwidths {
		known := slices.Contains([]string{"AS", "TIAS", "CT", "RS", "RR"}, b.Type)
		if !known || !isNumber(b.Value) {
			s.lose("b="+b.Type+":"+b.Value, "no bandwidth that browsers take")
			continue
		}
		s.out.WriteString("b=" + b.Type + ":" + b.Value + "\r\n")
	}
}

func (s *mediaWriter) writeTransport() {
	s.attr("ice-ufrag:" + s.ice.Ufrag)
	s.attr("ice-pwd:" + s.ice.Pwd)
	options := []string{"trickle"} // Jingle has always trickled, said or not
	if len(s.ice.Options) > 0 {
		options = slices.DeleteFunc(slices.Clone(s.ice.Options), func(o string) bool { return !isToken(o) })
	}
	if len(options) > 0 {
		s.attr("ice-options:" + strings.Join(options, " "))
	}
	for _, f := range s.ice.Fingerprints {
		s.attr("fingerprint:" + f.Hash + " " + f.Value)
	}
	s.attr("setup:" + string(s.setup))
	if s.content.RTP.Encryption != nil {
		s.lose("a=crypto", repairSDES)
	}
}

func (s *mediaWriter) writeCandidates() {
	for _, c := range s.ice.Candidates {
		text := FormatCandidate(c, "")
		switch {
		case c.Component > 1:
			s.lose("a="+text, repairComponent)
		case strings.Contains(c.IP, "%"):
			s.lose("a="+text, "address with a zone")
		default:
			s.attr(text)
		}
	}
	if s.ice.GatheringComplete {
		s.attr("end-of-candidates")
	}
}
