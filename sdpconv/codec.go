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
	plain   bool        // for a reader that is no browser
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
		case ids[p.ID] != 0:
			s.lost(p, "payload type is taken")
		case s.refused(&p) != "":
			s.lost(p, s.refused(&p))
		case s.offered != nil && !s.wasOffered(&p):
			s.lost(p, "not in the offer")
		default:
			ids.add(&p)
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
		if p.ID < 0 || p.ID > 127 || ids[p.ID] != 0 || p.ClockRate == 0 || !isToken(p.Name) || channels(p, s.media) != p.Channels || s.refused(p) != "" {
			return false
		}
		ids.add(p)
	}
	for i := range list {
		if isOrphan(&list[i], &ids) {
			return false
		}
	}
	return true
}

// refused tells why a browser refuses the whole SDP for a codec, or "": Chromium 156 and Firefox 153 for a number that may be one of RTCP's
// (RFC 5761 section 4), Firefox for one that RFC 3551 reserves, Chromium for one that it assigns to another sound, and for too many channels.
func (s *selector) refused(p *jingle.PayloadType) string {
	const most = 16 // channels
	switch {
	case s.plain:
	case p.ID >= 64 && p.ID <= 95:
		return "payload type that cannot be told from RTCP"
	case p.ID == 1 || p.ID == 2 || p.ID == 19:
		return "payload type that is reserved"
	case p.ID <= 18 && s.media == "audio" && !strings.EqualFold(p.Name, static[p.ID].Name):
		return "payload type that is assigned to " + static[p.ID].Name
	case p.Channels > most:
		return "more than 16 channels"
	}
	return ""
}

// payloadIDs is the payload types that are there: 0 for those that are not.
type payloadIDs [128]uint8

const (
	isMedia  = 1 + iota // of a codec, or of what protects one in its own way
	isRepeat            // of a retransmission format
)

func (ids *payloadIDs) add(p *jingle.PayloadType) {
	ids[p.ID] = isMedia
	if isRetransmission(p) {
		ids[p.ID] = isRepeat
	}
}

func isRetransmission(p *jingle.PayloadType) bool {
	return len(p.Name) == 3 && strings.EqualFold(p.Name, "rtx")
}

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
			ids.add(&list[i])
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
	case len(p.Name) != 3:
	case isRetransmission(p):
		found := false
		for i := range p.Parameters { // of several, browsers take the last
			if p.Parameters[i].Name != "apt" {
				continue
			}
			apt, err := strconv.ParseUint(p.Parameters[i].Value, 10, 7)
			if found = err == nil && ids[apt] == isMedia; !found {
				return true
			}
		}
		return !found
	case strings.EqualFold(p.Name, "red"):
		return slices.ContainsFunc(p.Parameters, func(x jingle.Parameter) bool { return x.Name == "" && !refersTo(x.Value, ids) })
	}
	return false
}

// refersTo tells whether every payload type of a RED list such as 111/111 is there.
func refersTo(list string, ids *payloadIDs) bool {
	for item := range strings.SplitSeq(list, "/") {
		if id, err := strconv.ParseUint(item, 10, 7); err != nil || ids[id] == 0 {
			return false
		}
	}
	return true
}
