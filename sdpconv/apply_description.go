package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// descriptionInfo merges what a description-info says of codecs and sources into the party's description (XEP-0167 section 7).
func (c *change) descriptionInfo(i int, x jingle.Content) error {
	mine := c.said(i, c.by)
	switch {
	case mine == nil:
		return outOfOrder(x.Name, "is not accepted yet")
	case x.RTP == nil:
		return nil // of another application, or advice that is no RTP
	case mine.RTP == nil || x.RTP.Media != "" && x.RTP.Media != mine.RTP.Media:
		return badContent(x.Name, "has another description")
	}
	mine.RTP = merged(mine.RTP, x.RTP)
	return nil
}

// Bounds of what description-info may add up to.
const (
	maxExts  = 256
	maxBands = 16
)

// merged returns a description after a description-info: entries replace those of the same number or kind and are added else; lists
// that stand for themselves are replaced if they are there at all.
func merged(old, info *jingle.RTP) *jingle.RTP {
	out := *old
	out.PayloadTypes = mergeBy(old.PayloadTypes, info.PayloadTypes, 128, func(x jingle.PayloadType) string { return strconv.Itoa(x.ID) })
	out.HdrExts = mergeBy(old.HdrExts, info.HdrExts, maxExts, func(x jingle.HdrExt) string { return strconv.Itoa(x.ID) })
	out.Bandwidths = mergeBy(old.Bandwidths, info.Bandwidths, maxBands, func(x jingle.Bandwidth) string { return x.Type })
	replace(&out.Feedback, info.Feedback)
	replace(&out.Sources, info.Sources)
	replace(&out.SourceGroups, info.SourceGroups)
	replace(&out.Streams, info.Streams)
	replace(&out.Categories, info.Categories)
	if info.TRRInt != "" {
		out.TRRInt = info.TRRInt
	}
	if info.SSRC != "" {
		out.SSRC = info.SSRC
	}
	out.AllowMixed = old.AllowMixed || info.AllowMixed
	out.RTCPMux = old.RTCPMux || info.RTCPMux
	out.RTCPReducedSize = old.RTCPReducedSize || info.RTCPReducedSize
	return &out
}

func replace[T any](list *[]T, with []T) {
	if len(with) > 0 {
		*list = with
	}
}

func mergeBy[T any](old, more []T, most int, key func(T) string) []T {
	if len(more) == 0 {
		return old
	}
	out := slices.Clone(old)
	for _, x := range more {
		i := slices.IndexFunc(out, func(y T) bool { return key(x) == key(y) })
		switch {
		case i >= 0:
			out[i] = x
		case len(out) < most:
			out = append(out, x)
		}
	}
	return out
}

// newsOf returns what a description-info has to say for old to become new, nil if nothing.  What it cannot say (a codec that is
// gone) is missing in merged(old, newsOf(old, new)).
func newsOf(old, new *jingle.RTP) *jingle.RTP {
	if old == nil || new == nil || old.Media != new.Media {
		return nil
	}
	info := &jingle.RTP{
		PayloadTypes: notIn(new.PayloadTypes, old.PayloadTypes),
		HdrExts:      notIn(new.HdrExts, old.HdrExts),
		Bandwidths:   notIn(new.Bandwidths, old.Bandwidths),
		Feedback:     changed(new.Feedback, old.Feedback),
		Sources:      changed(new.Sources, old.Sources),
		SourceGroups: changed(new.SourceGroups, old.SourceGroups),
		Streams:      changed(new.Streams, old.Streams),
		Categories:   changed(new.Categories, old.Categories),
		AllowMixed:   new.AllowMixed && !old.AllowMixed,
		RTCPMux:      new.RTCPMux && !old.RTCPMux,

		RTCPReducedSize: new.RTCPReducedSize && !old.RTCPReducedSize,
	}
	if new.TRRInt != old.TRRInt {
		info.TRRInt = new.TRRInt
	}
	if new.SSRC != old.SSRC {
		info.SSRC = new.SSRC
	}
	if equal(*info, jingle.RTP{}) {
		return nil
	}
	info.Media = new.Media
	return info
}

func notIn[T any](list, old []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool {
		return slices.ContainsFunc(old, func(y T) bool { return equal(x, y) })
	})
}

func changed[T any](list, old []T) []T {
	if equal(list, old) {
		return nil
	}
	return list
}

// sourceAdd takes up Jitsi's sources.  Unified plan has one m-line for each that sends, so the first goes to the content that is named
// if that has none, and the others become contents of their own that the party alone sends.  No action names those.
func (c *change) sourceAdd(i int, x jingle.Content) error {
	mine := c.said(i, c.by)
	switch {
	case mine == nil:
		return outOfOrder(x.Name, "is not accepted yet")
	case x.RTP == nil || len(x.RTP.Sources) == 0 || mine.RTP == nil:
		return badContent(x.Name, "has no sources")
	}
	named := *mine
	for _, u := range units(x.RTP) {
		if c.sending(u.Sources[0]) >= 0 {
			continue
		}
		rtp := *named.RTP
		rtp.Sources, rtp.SourceGroups, rtp.Streams, rtp.SSRC = u.Sources, u.SourceGroups, nil, ""
		if mine = c.said(i, c.by); len(mine.RTP.Sources) == 0 {
			mine.RTP = &rtp
			senders := c.Contents[i].Senders
			c.Contents[i].Senders = jingle.SendersOf(senders.Sends(jingle.Initiator) || c.by == jingle.Initiator, senders.Sends(jingle.Responder) || c.by == jingle.Responder)
			mine.Senders = c.Contents[i].Senders
			continue
		}
		if len(c.Contents) >= MaxLines {
			return because(jingle.ErrTooMuch, "more than "+strconv.Itoa(MaxLines)+" contents")
		}
		c.addImplied(named, &rtp)
	}
	return nil
}

// addImplied adds a content for a source, on the transport of the content that it was named in.
func (c *change) addImplied(named jingle.Content, rtp *jingle.RTP) {
	name := ""
	for n := len(c.Contents); name == "" || slices.ContainsFunc(c.Contents, func(y jingle.Shared) bool { return y.Name == name }); n++ {
		name = named.Name + "-" + strconv.Itoa(n)
	}
	ice := named.ICE
	if ice != nil {
		copied := *ice
		copied.Candidates, copied.GatheringComplete, copied.SCTP = nil, false, nil
		ice = &copied
	}
	senders := jingle.SendersOf(c.by == jingle.Initiator, c.by == jingle.Responder)
	c.add(jingle.Content{Creator: c.by, Name: name, Senders: senders, RTP: rtp, ICE: ice}, false)
	c.Contents[len(c.Contents)-1].Implied = true
	for g, group := range c.Of[c.by].Groups {
		if group.Semantics == "BUNDLE" && slices.Contains(group.Names, named.Name) {
			c.Of[c.by].Groups[g].Names = append(slices.Clone(group.Names), name)
		}
	}
}

// sourceRemove takes Jitsi's sources back: what was made for one goes, the content that is named only stops sending.
func (c *change) sourceRemove(_ int, x jingle.Content) error {
	if x.RTP == nil || len(x.RTP.Sources) == 0 {
		return badContent(x.Name, "has no sources")
	}
	for _, source := range x.RTP.Sources {
		i := c.sending(source)
		if i < 0 {
			continue
		}
		mine := c.said(i, c.by)
		rtp := *mine.RTP
		rtp.Sources = slices.DeleteFunc(slices.Clone(rtp.Sources), func(y jingle.Source) bool { return sameSource(source, y) })
		rtp.SourceGroups = slices.DeleteFunc(slices.Clone(rtp.SourceGroups), func(g jingle.SourceGroup) bool {
			return slices.Contains(g.SSRCs, source.SSRC) || source.RID != "" && slices.Contains(g.RIDs, source.RID)
		})
		mine.RTP = &rtp
		switch {
		case len(rtp.Sources) > 0:
		case c.Contents[i].Implied:
			c.remove(i)
		default:
			c.Contents[i].Senders = common(c.Contents[i].Senders, jingle.SendersOf(c.by != jingle.Initiator, c.by != jingle.Responder))
			mine.Senders = c.Contents[i].Senders
		}
	}
	return nil
}

// sending returns the index of the content in which the acting party has a source, or -1.
func (c *change) sending(source jingle.Source) int {
	for i := range c.Contents {
		mine := c.said(i, c.by)
		if mine != nil && mine.RTP != nil && slices.ContainsFunc(mine.RTP.Sources, func(y jingle.Source) bool { return sameSource(source, y) }) {
			return i
		}
	}
	return -1
}

func sameSource(a, b jingle.Source) bool { return a.SSRC == b.SSRC && a.RID == b.RID }

// units divides sources into what one m-line can send: those that a group ties together, or that have one msid.
func units(r *jingle.RTP) []jingle.RTP {
	var out []jingle.RTP
	for _, s := range r.Sources {
		at := slices.IndexFunc(out, func(u jingle.RTP) bool {
			return slices.ContainsFunc(u.Sources, func(y jingle.Source) bool { return tied(r, s, y) })
		})
		if at < 0 {
			out = append(out, jingle.RTP{})
			at = len(out) - 1
		}
		out[at].Sources = append(out[at].Sources, s)
	}
	for i := range out {
		for _, g := range r.SourceGroups {
			if slices.ContainsFunc(out[i].Sources, func(s jingle.Source) bool {
				return slices.Contains(g.SSRCs, s.SSRC) || s.RID != "" && slices.Contains(g.RIDs, s.RID)
			}) {
				out[i].SourceGroups = append(out[i].SourceGroups, g)
			}
		}
	}
	return out
}

func tied(r *jingle.RTP, a, b jingle.Source) bool {
	if track := trackOf(a); track != "" && track == trackOf(b) {
		return true
	}
	return slices.ContainsFunc(r.SourceGroups, func(g jingle.SourceGroup) bool {
		bySSRC := slices.Contains(g.SSRCs, a.SSRC) && slices.Contains(g.SSRCs, b.SSRC)
		return bySSRC || a.RID != "" && slices.Contains(g.RIDs, a.RID) && slices.Contains(g.RIDs, b.RID)
	})
}

func trackOf(s jingle.Source) string {
	for _, p := range s.Parameters {
		if p.Name == "msid" {
			return strings.TrimSpace(p.Value)
		}
	}
	return ""
}
