package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// remains returns what the actions did not reach of the target, with the reason.
func (d *differ) remains() []Loss {
	r := &remainder{differ: d}
	for i, x := range d.at.Contents {
		if d.pair(i) < 0 {
			r.lose("content", x.Name, "m="+mediaOf(d.at, i)+" 0", "it cannot be removed")
		}
	}
	for j, x := range d.to.Contents {
		i := indexOf(d.at, x)
		r.who = ""
		if i < 0 {
			r.lose("content", x.Name, "m="+mediaOf(d.to, j), "it cannot be added")
			continue
		}
		r.content(i, j)
	}
	if want := live(d.to.Of[d.by].Groups, d.at); !d.profile.NoBundle && !sameGroups(d.at.Of[d.by].Groups, want) {
		r.losses = append(r.losses, Loss{Line: groupLine(want), Reason: "a group changes only with the contents"})
	}
	return r.losses
}

// sameGroups compares groups whose order matters as to who comes first only (RFC 9143 section 7.1).
func sameGroups(a, b []jingle.Group) bool {
	return slices.EqualFunc(a, b, func(x, y jingle.Group) bool {
		if x.Semantics != y.Semantics || len(x.Names) != len(y.Names) || x.Names[0] != y.Names[0] {
			return false
		}
		return !slices.ContainsFunc(x.Names, func(name string) bool { return !slices.Contains(y.Names, name) })
	})
}

type remainder struct {
	*differ
	name   string // of the content that is compared
	who    string // the other party where its side is compared, "" else
	losses []Loss
}

func (r *remainder) lose(what, name, text, why string) {
	if told, ok := r.told[what+" "+name]; ok {
		why = told
	}
	if r.who != "" {
		why = "only the " + r.who + " can say it"
	}
	r.losses = append(r.losses, Loss{Line: text, Reason: "content " + strconv.Quote(name) + ": " + why})
}

func mediaOf(s jingle.Session, i int) string {
	for by := range s.Of {
		if c := s.Said(i, jingle.Role(by)); c != nil && c.RTP != nil {
			return c.RTP.Media
		}
	}
	return "application"
}

func groupLine(groups []jingle.Group) string {
	var parts []string
	for _, g := range groups {
		parts = append(parts, "a=group:"+g.Semantics+" "+strings.Join(g.Names, " "))
	}
	if parts == nil {
		return "a=group"
	}
	return strings.Join(parts, ", ")
}

// content compares what was reached of a content with the target.
func (r *remainder) content(i, j int) {
	got, want := r.at.Contents[i], r.to.Contents[j]
	r.name, r.who = want.Name, ""
	if got.Senders != plainSenders(want.Senders) {
		r.lose("senders", r.name, "a="+direction(want.Senders, r.by), "its direction cannot be told")
	}
	if got.Pending != want.Pending {
		r.lose("content", r.name, "m="+mediaOf(r.to, j), "only the other party can accept it")
	}
	if got.Disposition != want.Disposition {
		r.lose("disposition", r.name, "disposition "+strconv.Quote(want.Disposition), "no action changes it")
	}
	if (got.Replacement == nil) != (want.Replacement == nil) {
		r.lose("ice", r.name, "a=ice-ufrag", "the other transport is not agreed on")
	}
	for _, by := range []jingle.Role{r.by, r.by.Other()} {
		if r.who = ""; by != r.by {
			r.who = by.String()
		}
		a, b := r.at.Said(i, by), r.to.Said(j, by)
		switch {
		case a == nil && b == nil:
		case a == nil || b == nil:
			r.lose("content", r.name, "m="+mediaOf(r.to, j), "it is not described on both sides")
		default:
			r.description(a.RTP, b.RTP)
			r.transport(a.ICE, b.ICE)
			r.rest(a, b)
		}
	}
}

func (r *remainder) rest(a, b *jingle.Content) {
	if !equal(a.RawUDP, b.RawUDP) || !equal(a.Other, b.Other) {
		r.lose("other", r.name, "<content/>", "no action changes what is neither RTP nor ICE")
	}
}

func (r *remainder) description(got, want *jingle.RTP) {
	if got == nil || want == nil || got.Media != want.Media {
		if got != want {
			r.lose("rtp", r.name, "m=", "no action changes the kind of a content")
		}
		return
	}
	for _, x := range got.PayloadTypes {
		if payloadType(want, x.ID) == nil {
			r.lose("rtp", r.name, "a=rtpmap:"+strconv.Itoa(x.ID)+" "+x.Name, "no action takes a codec back")
		}
	}
	ids := func(l []jingle.PayloadType) []string {
		var out []string
		for _, x := range l {
			out = append(out, strconv.Itoa(x.ID))
		}
		return out
	}
	have, need := ids(got.PayloadTypes), ids(want.PayloadTypes)
	have = slices.DeleteFunc(have, func(id string) bool { return !slices.Contains(need, id) })
	if !slices.Equal(have, need) {
		r.lose("rtp", r.name, "m="+want.Media+" "+strings.Join(need, " "), "no action changes the order of codecs")
	}
	for _, x := range want.PayloadTypes {
		if y := payloadType(got, x.ID); y != nil && !equal(*y, x) {
			r.lose("rtp", r.name, "a=rtpmap:"+strconv.Itoa(x.ID)+" "+x.Name, "the codec changed")
		}
	}
	for _, f := range []struct {
		line      string
		got, want any
	}{
		{"a=extmap", got.HdrExts, want.HdrExts}, {"a=rtcp-fb:*", got.Feedback, want.Feedback}, {"a=rtcp-fb:* trr-int", got.TRRInt, want.TRRInt},
		{"a=extmap-allow-mixed", got.AllowMixed, want.AllowMixed}, {"a=ssrc", got.Sources, want.Sources}, {"ssrc " + want.SSRC, got.SSRC, want.SSRC},
		{"a=ssrc-group", got.SourceGroups, want.SourceGroups}, {"a=msid", got.Streams, want.Streams}, {"b=", got.Bandwidths, want.Bandwidths},
		{"a=rtcp-mux", got.RTCPMux, want.RTCPMux}, {"a=rtcp-rsize", got.RTCPReducedSize, want.RTCPReducedSize},
		{"a=crypto", got.Encryption, want.Encryption}, {"a=content", got.Categories, want.Categories}, {"<description/>", got.Other, want.Other},
	} {
		if !equal(f.got, f.want) {
			r.lose("rtp", r.name, f.line, "no action takes it back")
		}
	}
}

func (r *remainder) transport(got, want *jingle.Transport) {
	if got == nil || want == nil {
		if got != want {
			r.lose("ice", r.name, "a=ice-ufrag", "no action changes the kind of a transport")
		}
		return
	}
	switch {
	case !sameCredentials(got, want):
		r.lose("ice", r.name, "a=ice-ufrag:"+want.Ufrag, "its ICE credentials cannot change")
	default:
		r.candidates(got, want)
	}
	if !sameFingerprints(got.Fingerprints, want.Fingerprints) {
		r.lose("fingerprint", r.name, "a=fingerprint:"+strongest(want.Fingerprints), "no action changes it")
	} else if a, b := roleOf(got), roleOf(want); a != "" && b != "" && a != b {
		r.lose("fingerprint", r.name, "a=setup:"+string(b), "the DTLS role is decided")
	}
	for _, f := range []struct {
		line      string
		got, want any
	}{
		{"a=ice-options:" + strings.Join(want.Options, " "), got.Options, want.Options}, {"a=ice-lite", got.Lite, want.Lite},
		{"a=sctp-port", got.SCTP, want.SCTP}, {"<transport/>", got.Other, want.Other},
		{"<transport/>", [3]bool{got.TCP, got.ICE2, got.Protected}, [3]bool{want.TCP, want.ICE2, want.Protected}},
	} {
		if !equal(f.got, f.want) {
			r.lose("transport", r.name, f.line, "no action changes it")
		}
	}
}

func strongest(list []jingle.Fingerprint) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].Hash + " " + list[0].Value
}

func (r *remainder) candidates(got, want *jingle.Transport) {
	missing := func(a, b []jingle.Candidate, why string) {
		for _, x := range a {
			if !slices.ContainsFunc(b, func(y jingle.Candidate) bool { return sameCandidate(x, y) }) {
				r.lose("candidate", r.name, fmt.Sprintf("a=%s", FormatCandidate(x, "")), why)
			}
		}
	}
	missing(got.Candidates, want.Candidates, "no action takes a candidate back")
	missing(want.Candidates, got.Candidates, "too many candidates")
	if got.GatheringComplete && !want.GatheringComplete {
		r.lose("candidate", r.name, "a=end-of-candidates", "no action takes it back")
	}
	if !equal(got.RemoteCandidates, want.RemoteCandidates) {
		r.lose("candidate", r.name, "a=remote-candidates", "no action takes it back")
	}
}
