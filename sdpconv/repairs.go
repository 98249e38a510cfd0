package sdpconv

// What ToSDP mends, as the reason of the Loss that reports it.  Each is a habit of a client, or of native clients at large, that
// browsers do not take.
const (
	// Dino 0.4.2 accepts with senders both what was offered one way, and so does this project where strict clients have no senders none.
	repairDirection = "wider than the offer, narrowed to a="
	// A bridge to telephones (dino/dino issue 1072) and the example in XEP-0343 answer actpass.
	repairSetup = "cannot be in such %s, a=setup:%s taken"
	// Jitsi Desktop 2.10 says no role at all.
	repairNoSetup = "not said; added, since browsers demand it"
	// Firefox 153 answers active to an ICE restart by the party that answered first, though it is the server, and Chromium refuses that.
	repairRole = "the DTLS role is %s since the first answer"
	// Gateways to SIP; browsers demand rtcp-mux by default.
	repairMux = "not said; added, since browsers demand it"
	// stanza 12.22 answers with the group of a source and its retransmission, and declares the first only.
	repairSource = "not said; added after the source that it repeats"
	// stanza 12.22 writes an m-line with port 0 as senders none and an empty transport.
	repairRejected = "rejected, as stanza does it: nobody sends and there is no transport"
	// Jitsi's bridge and old clients send several tracks in one content (Plan B), which libwebrtc refuses altogether.
	repairTrack = "source of a second track in one content"
	// Dino 0.4.2 gathers component 2 besides rtcp-mux, and Firefox 153 does in offers.
	repairComponent = "component of RTCP, which is multiplexed"
	// Dino 0.4.2 offers SDES beside DTLS; answered, it encrypts twice.
	repairSDES = "browsers have no SDES; DTLS is there"
	// Jitsi Desktop 2.10 offers ZRTP beside DTLS.
	repairZRTP = "browsers have no ZRTP; DTLS is there"
	// A page with bundle policy max-bundle (Firefox 153) and a client that has no bundles, such as Dino 0.4.2.
	repairBundleOnly = "offered in the bundle only, and the answer does not bundle it"
	// lib-jitsi-meet 2026-08 writes the streams of a simulcast into an answer as well; an offer asks for none here, since Jingle does not say
	// what is received.
	repairSimulcast = "simulcast that the offer does not ask for"
)
