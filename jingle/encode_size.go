package jingle

// size returns about how many bytes of text the stanza is: what it has most of to the byte, as long as nothing has to be escaped, and a guess
// for the rest.  Growing on the way copies it, and room to spare has to be collected.
func (s *Stanza) size() int {
	n := 128 + len(s.SID) + len(s.Initiator) + len(s.Responder)
	for i := range s.Contents {
		c := &s.Contents[i]
		n += len("<content creator='initiator' name='' senders='initiator'></content>") + len(c.Name)
		if c.RTP != nil {
			n += c.RTP.size()
		}
		if c.ICE != nil {
			n += c.ICE.size()
		}
	}
	for i := range s.Groups {
		n += len("<group xmlns='' semantics='BUNDLE'></group>") + len(NSGrouping)
		for _, name := range s.Groups[i].Names {
			n += len("<content name=''/>") + len(name)
		}
	}
	return n
}

func (t *Transport) size() int {
	n := len("<transport xmlns='' ufrag='' pwd=''></transport>") + len(NSICE) + len(t.Ufrag) + len(t.Pwd)
	for _, o := range t.Options {
		n += len("< xmlns=''/>") + len(NSICEOption) + len(o)
	}
	for i := range t.Fingerprints {
		n += len("<fingerprint xmlns='' hash='sha-256' setup='actpass'></fingerprint>") + len(NSDTLS) + len(t.Fingerprints[i].Value)
	}
	if t.SCTP != nil {
		n += 192 + 160*len(t.SCTP.Channels)
	}
	return n + 256*len(t.Candidates)
}

func (r *RTP) size() int {
	n := len("<description xmlns='' media='audio'><rtcp-mux/><rtcp-reduced-size/></description>") + len(NSRTP) +
		feedbackSize(r.Feedback) + 128*len(r.Streams)
	for i := range r.PayloadTypes {
		p := &r.PayloadTypes[i]
		n += len("<payload-type id='96' name='' clockrate='90000'></payload-type>") + len(p.Name) + parametersSize(p.Parameters) + feedbackSize(p.Feedback)
		if p.Channels > 0 {
			n += len(" channels='2'")
		}
	}
	for i := range r.HdrExts {
		n += len("<rtp-hdrext xmlns='' id='1' uri=''/>") + len(NSHdrExt) + len(r.HdrExts[i].URI) + parametersSize(r.HdrExts[i].Parameters)
		if s := r.HdrExts[i].Senders; s != SendersBoth {
			n += len(" senders=''") + len(s)
		}
	}
	if r.AllowMixed {
		n += len("<extmap-allow-mixed xmlns=''/>") + len(NSHdrExt)
	}
	for i := range r.Sources {
		n += len("<source xmlns='' ssrc='4294967295'></source>") + len(NSSources) + parametersSize(r.Sources[i].Parameters)
	}
	for i := range r.SourceGroups {
		n += len("<ssrc-group xmlns='' semantics='FID'></ssrc-group>") + len(NSSources) +
			len("<source ssrc='4294967295'/>")*len(r.SourceGroups[i].SSRCs)
	}
	return n
}

func parametersSize(list []Parameter) int {
	n := 0
	for i := range list {
		n += len("<parameter name='' value=''/>") + len(list[i].Name) + len(list[i].Value)
	}
	return n
}

func feedbackSize(list []Feedback) int {
	n := 0
	for i := range list {
		f := &list[i]
		n += len("<rtcp-fb xmlns='' type=''/>") + len(NSFeedback) + len(f.Type) + parametersSize(f.Parameters)
		if f.Subtype != "" {
			n += len(" subtype=''") + len(f.Subtype)
		}
	}
	return n
}
