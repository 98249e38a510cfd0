package sdpconv

// level is where an attribute can stand.
type level uint8

const (
	atSession level = 1 << iota
	inRTP
	inData
	inMedia  = inRTP | inData
	anywhere = atSession | inMedia
)

type attribute struct {
	name   string
	levels level
	read   func(*mediaReader, attr) error
}

// known is the index of an attribute in attributes, 0 for one that is not there.
type known uint8

// Those that are asked for by index.
const (
	aMid known = iota + 1
	aGroup
	aBundleOnly
	aFmtp
	aFeedback
	aExtmap
	aSSRC
	aMsid
	aOthers // the first of all others
)

// attributes is what Jingle has words for, and structure.  All others are losses.
var attributes []attribute

// byHash finds an attribute by its name: what stands under its hash, or behind it.  A map takes twice as long, for each line.
var byHash [256]known

func hashOf(key string) uint8 {
	return uint8(len(key))*17 + key[0]*5 + key[len(key)-1]*3 + key[len(key)/2]
}

// lookUp returns the attribute with that name.
func lookUp(key string) known {
	if key == "" {
		return 0
	}
	for h := hashOf(key); ; h++ {
		if k := byHash[h]; k == 0 || attributes[k].name == key {
			return k
		}
	}
}

func init() {
	flag := func(set func(m *mediaReader)) func(*mediaReader, attr) error {
		return func(m *mediaReader, _ attr) error { set(m); return nil }
	}
	structure := flag(func(*mediaReader) {}) // read before, or written anew
	single := func(what once, read func(*mediaReader, attr) error) func(*mediaReader, attr) error {
		return func(m *mediaReader, a attr) error {
			m.replace(what, a)
			return read(m, a)
		}
	}
	direction := single(onceDirection, func(m *mediaReader, a attr) error { m.direction = a.key(); return nil })
	attributes = []attribute{
		aMid:        {"mid", inMedia, (*mediaReader).otherMid},
		aGroup:      {"group", atSession, structure},
		aBundleOnly: {"bundle-only", inMedia, structure},
		aFmtp:       {"fmtp", inRTP, (*mediaReader).fmtp},
		aFeedback:   {"rtcp-fb", inRTP, (*mediaReader).feedback},
		aExtmap:     {"extmap", inRTP | atSession, (*mediaReader).extmap},
		aSSRC:       {"ssrc", inRTP, (*mediaReader).ssrc},
		aMsid:       {"msid", inRTP, (*mediaReader).readMsid},

		aOthers: {"msid-semantic", anywhere, structure},
		{"rtcp", inMedia, func(m *mediaReader, a attr) error { m.rtcp = a.value(); return nil }},
		{"sendrecv", anywhere, direction}, {"sendonly", anywhere, direction}, {"recvonly", anywhere, direction}, {"inactive", anywhere, direction},

		{"ice-ufrag", anywhere, single(onceUfrag, func(m *mediaReader, a attr) error { return m.credential(&m.ice.Ufrag, a) })},
		{"ice-pwd", anywhere, single(oncePwd, func(m *mediaReader, a attr) error { return m.credential(&m.ice.Pwd, a) })},
		{"ice-options", anywhere, (*mediaReader).iceOptions},
		{"ice-lite", anywhere, flag(func(m *mediaReader) { m.ice.Lite = true })},
		{"fingerprint", anywhere, (*mediaReader).fingerprint},
		{"cryptex", anywhere, (*mediaReader).readCryptex},
		{"setup", anywhere, (*mediaReader).readSetup},
		{"candidate", inMedia, (*mediaReader).candidate},
		{"remote-candidates", inMedia, (*mediaReader).remoteCandidates},
		{"end-of-candidates", anywhere, flag(func(m *mediaReader) { m.ice.GatheringComplete = true })},

		{"rtpmap", inRTP, (*mediaReader).rtpmap},
		{"ptime", inRTP, single(oncePTime, func(m *mediaReader, a attr) error { return m.packetTime(&m.ptime, a) })},
		{"maxptime", inRTP, single(onceMaxPTime, func(m *mediaReader, a attr) error { return m.packetTime(&m.maxptime, a) })},
		{"extmap-allow-mixed", inRTP | atSession, flag(func(m *mediaReader) { m.rtp.AllowMixed = true })},
		{"rtcp-mux", inMedia, flag(func(m *mediaReader) { m.rtp.RTCPMux = true })},
		{"rtcp-mux-only", inMedia, (*mediaReader).muxOnly},
		{"rtcp-rsize", inRTP, flag(func(m *mediaReader) { m.rtp.RTCPReducedSize = true })},
		{"content", inRTP, (*mediaReader).category},
		{"ssrc-group", inRTP, (*mediaReader).ssrcGroup},
		{"rid", inRTP, (*mediaReader).rid},
		{"simulcast", inRTP, (*mediaReader).simulcast},
		{"crypto", inRTP, (*mediaReader).crypto},
		{"zrtp-hash", inRTP, (*mediaReader).zrtpHash},

		{"sctp-port", inData, single(onceSCTPPort, (*mediaReader).sctpPort)},
		{"max-message-size", inData, single(onceMessageSize, (*mediaReader).maxMessageSize)},
		{"sctpmap", inData, single(onceSCTPMap, (*mediaReader).sctpmap)},
		{"dcmap", inData, (*mediaReader).dcmap},
	}
	for k := 1; k < len(attributes); k++ {
		h := hashOf(attributes[k].name)
		for byHash[h] != 0 {
			h++
		}
		byHash[h] = known(k)
	}
}
