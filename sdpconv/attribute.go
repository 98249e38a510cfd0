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
}

// known is the index of an attribute in attributes, 0 for one that is not there.
type known uint8

// Those that are known.
const (
	aMid known = iota + 1
	aGroup
	aBundleOnly
	aMsidSemantic
	aRTCP
	aSendRecv
	aSendOnly
	aRecvOnly
	aInactive

	aUfrag
	aPwd
	aICEOptions
	aICELite
	aFingerprint
	aCryptex
	aSetup
	aCandidate
	aRemoteCandidates
	aEndOfCandidates

	aRTPMap
	aFmtp
	aFeedback
	aExtmap
	aMixed
	aPTime
	aMaxPTime
	aMux
	aMuxOnly
	aReducedSize
	aContent
	aSSRC
	aSSRCGroup
	aMsid
	aRID
	aSimulcast
	aCrypto
	aZRTPHash

	aSCTPPort
	aMessageSize
	aSCTPMap
	aDCMap
)

// attributes is what Jingle has words for, and structure.  All others are losses.
var attributes = [...]attribute{
	aMid:          {"mid", inMedia},
	aGroup:        {"group", atSession},
	aBundleOnly:   {"bundle-only", inMedia},
	aMsidSemantic: {"msid-semantic", anywhere},
	aRTCP:         {"rtcp", inMedia},
	aSendRecv:     {"sendrecv", anywhere},
	aSendOnly:     {"sendonly", anywhere},
	aRecvOnly:     {"recvonly", anywhere},
	aInactive:     {"inactive", anywhere},

	aUfrag:            {"ice-ufrag", anywhere},
	aPwd:              {"ice-pwd", anywhere},
	aICEOptions:       {"ice-options", anywhere},
	aICELite:          {"ice-lite", anywhere},
	aFingerprint:      {"fingerprint", anywhere},
	aCryptex:          {"cryptex", anywhere},
	aSetup:            {"setup", anywhere},
	aCandidate:        {"candidate", inMedia},
	aRemoteCandidates: {"remote-candidates", inMedia},
	aEndOfCandidates:  {"end-of-candidates", anywhere},

	aRTPMap:      {"rtpmap", inRTP},
	aFmtp:        {"fmtp", inRTP},
	aFeedback:    {"rtcp-fb", inRTP},
	aExtmap:      {"extmap", inRTP | atSession},
	aMixed:       {"extmap-allow-mixed", inRTP | atSession},
	aPTime:       {"ptime", inRTP},
	aMaxPTime:    {"maxptime", inRTP},
	aMux:         {"rtcp-mux", inMedia},
	aMuxOnly:     {"rtcp-mux-only", inMedia},
	aReducedSize: {"rtcp-rsize", inRTP},
	aContent:     {"content", inRTP},
	aSSRC:        {"ssrc", inRTP},
	aSSRCGroup:   {"ssrc-group", inRTP},
	aMsid:        {"msid", inRTP},
	aRID:         {"rid", inRTP},
	aSimulcast:   {"simulcast", inRTP},
	aCrypto:      {"crypto", inRTP},
	aZRTPHash:    {"zrtp-hash", inRTP},

	aSCTPPort:    {"sctp-port", inData},
	aMessageSize: {"max-message-size", inData},
	aSCTPMap:     {"sctpmap", inData},
	aDCMap:       {"dcmap", inData},
}

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
	for k := 1; k < len(attributes); k++ {
		h := hashOf(attributes[k].name)
		for byHash[h] != 0 {
			h++
		}
		byHash[h] = known(k)
	}
}

// known reads an attribute that may stand here.
func (r *reader) known(a attr) error {
	switch a.known {
	case aGroup, aBundleOnly, aMsidSemantic: // structure: read before, or written anew
	case aMid:
		return r.otherMid(a)
	case aRTCP:
		r.rtcp = a.value()
	case aSendRecv, aSendOnly, aRecvOnly, aInactive:
		r.replace(onceDirection, a)
		r.direction = a.key()
	case aUfrag:
		r.replace(onceUfrag, a)
		return r.credential(&r.ice.Ufrag, a)
	case aPwd:
		r.replace(oncePwd, a)
		return r.credential(&r.ice.Pwd, a)
	case aICEOptions:
		return r.iceOptions(a)
	case aICELite:
		r.ice.Lite = true
	case aFingerprint:
		return r.fingerprint(a)
	case aCryptex:
		return r.readCryptex(a)
	case aSetup:
		return r.readSetup(a)
	case aCandidate:
		return r.candidate(a)
	case aRemoteCandidates:
		return r.remoteCandidates(a)
	case aEndOfCandidates:
		r.ice.GatheringComplete = true
	case aMux:
		r.rtp.RTCPMux = true
	case aMuxOnly:
		return r.muxOnly(a)
	case aSCTPPort, aMessageSize, aSCTPMap, aDCMap:
		return r.knownOfData(a)
	default:
		return r.knownOfRTP(a)
	}
	return nil
}

func (r *reader) knownOfRTP(a attr) error {
	switch a.known {
	case aRTPMap:
		return r.rtpmap(a)
	case aFmtp:
		return r.fmtp(a)
	case aFeedback:
		return r.feedback(a)
	case aExtmap:
		return r.extmap(a)
	case aMixed:
		r.rtp.AllowMixed = true
	case aPTime:
		r.replace(oncePTime, a)
		return r.packetTime(&r.ptime, a)
	case aMaxPTime:
		r.replace(onceMaxPTime, a)
		return r.packetTime(&r.maxptime, a)
	case aReducedSize:
		r.rtp.RTCPReducedSize = true
	case aContent:
		return r.category(a)
	case aSSRC:
		return r.ssrc(a)
	case aSSRCGroup:
		return r.ssrcGroup(a)
	case aMsid:
		return r.readMsid(a)
	case aRID:
		return r.rid(a)
	case aSimulcast:
		return r.simulcast(a)
	case aCrypto:
		return r.crypto(a)
	case aZRTPHash:
		return r.zrtpHash(a)
	}
	return nil
}

func (r *reader) knownOfData(a attr) error {
	switch a.known {
	case aSCTPPort:
		r.replace(onceSCTPPort, a)
		return r.sctpPort(a)
	case aMessageSize:
		r.replace(onceMessageSize, a)
		return r.maxMessageSize(a)
	case aSCTPMap:
		r.replace(onceSCTPMap, a)
		return r.sctpmap(a)
	case aDCMap:
		return r.dcmap(a)
	}
	return nil
}
