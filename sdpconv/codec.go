package sdpconv

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
)

// static is the payload types that RFC 3551 section 6 assigns, for lines that rely on them.
var static = [128]jingle.PayloadType{
	0:  {Name: "PCMU", ClockRate: 8000},
	3:  {Name: "GSM", ClockRate: 8000},
	4:  {Name: "G723", ClockRate: 8000},
	5:  {Name: "DVI4", ClockRate: 8000},
	6:  {Name: "DVI4", ClockRate: 16000},
	7:  {Name: "LPC", ClockRate: 8000},
	8:  {Name: "PCMA", ClockRate: 8000},
	9:  {Name: "G722", ClockRate: 8000},
	10: {Name: "L16", ClockRate: 44100, Channels: 2},
	11: {Name: "L16", ClockRate: 44100},
	12: {Name: "QCELP", ClockRate: 8000},
	13: {Name: "CN", ClockRate: 8000},
	14: {Name: "MPA", ClockRate: 90000},
	15: {Name: "G728", ClockRate: 8000},
	16: {Name: "DVI4", ClockRate: 11025},
	17: {Name: "DVI4", ClockRate: 22050},
	18: {Name: "G729", ClockRate: 8000},
	25: {Name: "CelB", ClockRate: 90000},
	26: {Name: "JPEG", ClockRate: 90000},
	28: {Name: "nv", ClockRate: 90000},
	31: {Name: "H261", ClockRate: 90000},
	32: {Name: "MPV", ClockRate: 90000},
	33: {Name: "MP2T", ClockRate: 90000},
	34: {Name: "H263", ClockRate: 90000},
}

// completeCodec fills in name and clock rate where a payload type does not give them: the assigned ones of RFC 3551, else what the
// codec always has.
func completeCodec(p jingle.PayloadType, media string) jingle.PayloadType {
	var assigned jingle.PayloadType
	if p.ID >= 0 && p.ID < len(static) {
		assigned = static[p.ID]
	}
	ok := assigned.Name != ""
	if p.Name == "" && ok {
		p.Name, p.Channels = assigned.Name, assigned.Channels
	}
	switch {
	case p.ClockRate != 0:
	case ok && strings.EqualFold(p.Name, assigned.Name):
		p.ClockRate = assigned.ClockRate
	case media == "video":
		p.ClockRate = 90000
	case media == "text":
		p.ClockRate = 1000 // RFC 4103 section 10
	case strings.EqualFold(p.Name, "opus"):
		p.ClockRate = 48000
	default:
		p.ClockRate = 8000
	}
	p.Channels = channels(&p, media)
	return p
}

// channels returns how many an SDP has for a payload type, 0 for one.
func channels(p *jingle.PayloadType, media string) int {
	switch {
	case media != "audio":
		return 0
	case strings.EqualFold(p.Name, "opus"):
		return 2 // RFC 7587 section 7, whatever is sent
	case p.Channels == 1:
		return 0
	}
	return p.Channels
}

// sameCodec compares what a=rtpmap says.
func sameCodec(a, b *jingle.PayloadType) bool {
	return strings.EqualFold(a.Name, b.Name) && a.ClockRate == b.ClockRate && max(a.Channels, 1) == max(b.Channels, 1)
}

// selector chooses the payload types of a section.
type selector struct {
	media   string
	offered *jingle.RTP // an answer keeps to it; nil for an offer
	lost    func(p jingle.PayloadType, reason string)
}

// choose returns the payload types that a browser can take, complete, in order.
func (s selector) choose(list []jingle.PayloadType) []jingle.PayloadType {
	if s.offered == nil && s.allComplete(list) {
		return list // as it mostly is: payload types are large to copy
	}
	out := make([]jingle.PayloadType, 0, len(list))
	var ids payloadIDs
	for i := range list {
		p := completeCodec(list[i], s.media)
		switch {
		case !isToken(p.Name) || p.ID < 0 || p.ID > 127:
			s.lost(p, "no name of a codec")
		case ids[p.ID]:
			s.lost(p, "payload type is taken")
		case s.offered != nil && !s.wasOffered(&p):
			s.lost(p, "not in the offer")
		default:
			ids[p.ID] = true
			out = append(out, p)
		}
	}
	return s.dropOrphans(out)
}

// allComplete tells whether an offer can have the payload types as they are.
func (s selector) allComplete(list []jingle.PayloadType) bool {
	var ids payloadIDs
	for i := range list {
		p := &list[i]
		if p.ID < 0 || p.ID > 127 || ids[p.ID] || p.ClockRate == 0 || !isToken(p.Name) || channels(p, s.media) != p.Channels {
			return false
		}
		ids[p.ID] = true
	}
	for i := range list {
		if isOrphan(&list[i], &ids) {
			return false
		}
	}
	return true
}

type payloadIDs [128]bool

// wasOffered tells whether an answer may have the payload type: the offer has the codec, and no other under that number.
func (s selector) wasOffered(p *jingle.PayloadType) bool {
	found := false
	for i := range s.offered.PayloadTypes {
		o := completeCodec(s.offered.PayloadTypes[i], s.media)
		if o.ID == p.ID {
			return sameCodec(&o, p)
		}
		found = found || sameCodec(&o, p)
	}
	return found
}

// dropOrphans removes retransmission and redundancy formats whose codec is not there, which browsers refuse (RFC 4588, RFC 2198).
func (s selector) dropOrphans(list []jingle.PayloadType) []jingle.PayloadType {
	for before := -1; before != len(list); {
		before = len(list)
		var ids payloadIDs
		for i := range list {
			ids[list[i].ID] = true
		}
		list = slices.DeleteFunc(list, func(p jingle.PayloadType) bool {
			orphan := isOrphan(&p, &ids)
			if orphan {
				s.lost(p, "the codec that it protects is missing")
			}
			return orphan
		})
	}
	return list
}

func isOrphan(p *jingle.PayloadType, ids *payloadIDs) bool {
	switch {
	case strings.EqualFold(p.Name, "rtx"):
		i := slices.IndexFunc(p.Parameters, func(x jingle.Parameter) bool { return x.Name == "apt" })
		if i < 0 {
			return true
		}
		apt, err := strconv.Atoi(p.Parameters[i].Value)
		return err != nil || apt < 0 || apt > 127 || !ids[apt]
	case strings.EqualFold(p.Name, "red"):
		return slices.ContainsFunc(p.Parameters, func(x jingle.Parameter) bool { return x.Name == "" && !refersTo(x.Value, ids) })
	}
	return false
}

// refersTo tells whether every payload type of a RED list such as 111/111 is there.
func refersTo(list string, ids *payloadIDs) bool {
	for item := range strings.SplitSeq(list, "/") {
		if id, err := strconv.ParseUint(item, 10, 7); err != nil || !ids[id] {
			return false
		}
	}
	return true
}
