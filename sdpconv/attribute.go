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

// known is an attribute that Jingle has words for, or structure.  All others are 0, and losses.
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

// levels is where each can stand.
var levels = [...]level{
	aMid:          inMedia,
	aGroup:        atSession,
	aBundleOnly:   inMedia,
	aMsidSemantic: anywhere,
	aRTCP:         inMedia,
	aSendRecv:     anywhere,
	aSendOnly:     anywhere,
	aRecvOnly:     anywhere,
	aInactive:     anywhere,

	aUfrag:            anywhere,
	aPwd:              anywhere,
	aICEOptions:       anywhere,
	aICELite:          anywhere,
	aFingerprint:      anywhere,
	aCryptex:          anywhere,
	aSetup:            anywhere,
	aCandidate:        inMedia,
	aRemoteCandidates: inMedia,
	aEndOfCandidates:  anywhere,

	aRTPMap:      inRTP,
	aFmtp:        inRTP,
	aFeedback:    inRTP,
	aExtmap:      inRTP | atSession,
	aMixed:       inRTP | atSession,
	aPTime:       inRTP,
	aMaxPTime:    inRTP,
	aMux:         inMedia,
	aMuxOnly:     inMedia,
	aReducedSize: inRTP,
	aContent:     inRTP,
	aSSRC:        inRTP,
	aSSRCGroup:   inRTP,
	aMsid:        inRTP,
	aRID:         inRTP,
	aSimulcast:   inRTP,
	aCrypto:      inRTP,
	aZRTPHash:    inRTP,

	aSCTPPort:    inData,
	aMessageSize: inData,
	aSCTPMap:     inData,
	aDCMap:       inData,
}

// lookUp returns the attribute with that name.  What the compiler makes of a switch, a search by length and then by a byte, takes half as long as a hash.
func lookUp(name string) known {
	switch name {
	case "rtpmap":
		return aRTPMap
	case "fmtp":
		return aFmtp
	case "rtcp-fb":
		return aFeedback
	case "extmap":
		return aExtmap
	case "extmap-allow-mixed":
		return aMixed
	case "ptime":
		return aPTime
	case "maxptime":
		return aMaxPTime
	case "rtcp-mux":
		return aMux
	case "rtcp-mux-only":
		return aMuxOnly
	case "rtcp-rsize":
		return aReducedSize
	case "content":
		return aContent
	case "ssrc":
		return aSSRC
	case "ssrc-group":
		return aSSRCGroup
	case "msid":
		return aMsid
	case "rid":
		return aRID
	case "simulcast":
		return aSimulcast
	case "crypto":
		return aCrypto
	case "zrtp-hash":
		return aZRTPHash
	}
	return lookUpOther(name)
}

// lookUpOther does so for what is not of RTP.
func lookUpOther(name string) known {
	switch name {
	case "mid":
		return aMid
	case "group":
		return aGroup
	case "bundle-only":
		return aBundleOnly
	case "msid-semantic":
		return aMsidSemantic
	case "rtcp":
		return aRTCP
	case "sendrecv":
		return aSendRecv
	case "sendonly":
		return aSendOnly
	case "recvonly":
		return aRecvOnly
	case "inactive":
		return aInactive
	case "ice-ufrag":
		return aUfrag
	case "ice-pwd":
		return aPwd
	case "ice-options":
		return aICEOptions
	case "ice-lite":
		return aICELite
	case "fingerprint":
		return aFingerprint
	case "cryptex":
		return aCryptex
	case "setup":
		return aSetup
	case "candidate":
		return aCandidate
	case "remote-candidates":
		return aRemoteCandidates
	case "end-of-candidates":
		return aEndOfCandidates
	case "sctp-port":
		return aSCTPPort
	case "max-message-size":
		return aMessageSize
	case "sctpmap":
		return aSCTPMap
	case "dcmap":
		return aDCMap
	}
	return 0
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
