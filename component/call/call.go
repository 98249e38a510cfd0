// Package call is the call engine: one call between browser tabs and an XMPP peer, as a value.
//
// A Machine turns inputs (frames of the browser, stanzas of the peer, timers) into outputs (frames, stanzas, timers).  It does no
// I/O, reads no clock and starts no goroutine: whoever owns it feeds it and carries out what it returns, in order.  So a call
// can be printed, tested with a transcript, and replayed from a log.
//
// # Changes
//
// An accepted session changes by the rules of sdpconv: an offer of the tab becomes single-content actions, each acknowledged before
// the next, and then one answer; an action of the peer becomes an offer to the tab, whose answer becomes what the peer is told.  One
// negotiation is under way at a time (see negotiation).  What the peer's client cannot do, by its jingle.Profile, is left out with a Warning,
// and the call goes on.
package call

import (
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/sdpconv"
)

// Machine is a call.  Handle never panics and never blocks; an input that is not legal now is answered (if it wants an answer) and
// changes nothing.  After it returned an Ended output, every further input gives no output but the answers that
// requests and browser frames are owed.
type Machine interface {
	Handle(now time.Time, in Input) []Output
}

// An Input is something that happened.  The list below is everything that can happen to a call.
type Input interface{ input() }

// Inputs from a browser tab.  Tab is the full JID of the tab that sent it; the component has checked that.
type (
	// BrowserOffer carries the tab's SDP offer: the first once the call was admitted, and others at any time after offer and answer
	// were exchanged.  Each of those gets one RemoteAnswer, unless a RemoteOffer crosses it, to which it gives way.
	BrowserOffer struct {
		Tab jid.JID
		SDP string
	}
	// BrowserAnswer carries the tab's SDP answer to a RemoteOffer.
	BrowserAnswer struct {
		Tab jid.JID
		SDP string
	}
	// BrowserCandidate is one trickled candidate.  An empty Candidate says that gathering ended.
	BrowserCandidate struct {
		Tab       jid.JID
		Candidate string // "candidate:..." as browsers write it
		Mid       string
		Line      int    // sdpMLineIndex, -1 when absent
		Ufrag     string // RTCIceCandidate.usernameFragment; "" when absent
	}
	BrowserAccept struct{ Tab jid.JID }
	// BrowserCross: the called tab dials the caller while nobody has answered, in a call between tabs.  Both want this one call.
	BrowserCross   struct{ Tab jid.JID }
	BrowserDecline struct{ Tab jid.JID }
	BrowserHangUp  struct{ Tab jid.JID }
	// BrowserMedia reports RTCPeerConnection.connectionState.
	BrowserMedia struct {
		Tab   jid.JID
		State MediaState
	}
	// BrowserInfo is what the person at the tab did that the peer may be shown: mute, unmute, hold, unhold, active (XEP-0167
	// section 9).  An empty Mid means all contents.
	BrowserInfo struct {
		Tab  jid.JID
		Info jingle.InfoKind
		Mid  string
	}
	// BrowserLost: the tab's socket broke; it may come back within the grace period.
	BrowserLost struct{ Tab jid.JID }
	// BrowserBack: it came back, the same page with its peer connection alive.
	BrowserBack struct{ Tab jid.JID }
	// BrowserGone: the page was closed or reloaded; it cannot come back to this call.
	BrowserGone struct{ Tab jid.JID }
)

// Inputs from XMPP.
type (
	// PeerMessage is a XEP-0353 message addressed to one of our addresses.
	PeerMessage struct {
		From, To jid.JID
		Message  jingle.Message
	}
	// PeerBounce is an error that came back for a message we sent.
	PeerBounce struct {
		From jid.JID
		ID   string // of our message
		Err  jingle.Error
	}
	// PeerRequest is an IQ set with a <jingle/>.  Each gets exactly one Answer, in the same Handle.
	PeerRequest struct {
		From, To jid.JID
		ID       string
		Jingle   jingle.Stanza
	}
	// PeerReply ends a SendRequest, SendDisco or SendPing.  Err is nil for a result; a request that got no answer in time or
	// could not be sent has a remote-server-timeout.  Disco is that of a disco#info result.
	PeerReply struct {
		Tag   int
		From  jid.JID
		Err   *jingle.Error
		Disco jingle.Disco
	}
	// PeerUnavailable: unavailable presence came from that full JID.
	PeerUnavailable struct{ From jid.JID }
)

// Timeout says that a timer ran out.
type Timeout struct{ Timer Timer }

// TieLost says that the peer calls us while our own attempt is out, and that ours yields to it.  It means nothing to a call that is
// no Caller, or has no attempt out any more.  SID is that of the peer's attempt.
type TieLost struct{ SID string }

// Shutdown asks to end the call in good order, at once: the component goes down, or cannot carry this call.  Pages and peer are told
// the outcome; one that is none of the Outcomes, such as "", is ShuttingDown.
type Shutdown struct{ Outcome Outcome }

func (s Shutdown) outcome() Outcome {
	if _, known := outcomes[s.Outcome]; !known {
		return ShuttingDown
	}
	return s.Outcome
}

func (BrowserOffer) input()     {}
func (BrowserAnswer) input()    {}
func (BrowserCandidate) input() {}
func (BrowserAccept) input()    {}
func (BrowserCross) input()     {}
func (BrowserDecline) input()   {}
func (BrowserHangUp) input()    {}
func (BrowserMedia) input()     {}
func (BrowserInfo) input()      {}
func (BrowserLost) input()      {}
func (BrowserBack) input()      {}
func (BrowserGone) input()      {}
func (PeerMessage) input()      {}
func (PeerBounce) input()       {}
func (PeerRequest) input()      {}
func (PeerReply) input()        {}
func (PeerUnavailable) input()  {}
func (Timeout) input()          {}
func (TieLost) input()          {}
func (Shutdown) input()         {}

// MediaState is what a tab reports of its peer connection.
type MediaState string

// The states that matter to a call.
const (
	MediaConnected    MediaState = "connected"
	MediaDisconnected MediaState = "disconnected"
	MediaFailed       MediaState = "failed"
)

// An Output is something to do.  Outputs are carried out in the order given.
type Output interface{ output() }

type (
	// ToBrowser sends an event to a tab.
	ToBrowser struct {
		Tab   jid.JID
		Event Event
	}
	// SendMessage sends a XEP-0353 message, type chat, with a <store/> hint.
	SendMessage struct {
		From, To jid.JID
		ID       string
		Message  jingle.Message
	}
	// SendRequest sends an IQ set with a <jingle/>, written by AppendTo; its reply comes back as a PeerReply of the same tag.
	SendRequest struct {
		Tag      int
		From, To jid.JID
		Jingle   jingle.Stanza
		For      jingle.Profile // of the peer's client
		By       jingle.Role    // ours
	}
	// SendPing sends a XEP-0199 ping, answered by a PeerReply.
	SendPing struct {
		Tag      int
		From, To jid.JID
	}
	// SendDisco asks for disco#info, answered by a PeerReply with Disco.
	SendDisco struct {
		Tag      int
		From, To jid.JID
	}
	// Answer answers a PeerRequest: a result when Err is nil.
	Answer struct {
		Request PeerRequest
		Err     *jingle.Error
	}
	// SetTimer starts a timer, or starts it anew.  After 0 stops it.
	SetTimer struct {
		Timer Timer
		After time.Duration
	}
	// Untranslated is what a translation between SDP and Jingle could not express: for the log, nothing is to be done.
	Untranslated struct{ Losses []sdpconv.Loss }
	// Ended is the last output of a call.
	Ended struct {
		Outcome  Outcome
		Answered bool // media was agreed on: a call, not an attempt
	}
)

func (ToBrowser) output()    {}
func (SendMessage) output()  {}
func (SendRequest) output()  {}
func (SendPing) output()     {}
func (SendDisco) output()    {}
func (Answer) output()       {}
func (SetTimer) output()     {}
func (Untranslated) output() {}
func (Ended) output()        {}

// An Event is what a tab is told about a call.
type Event interface{ event() }

type (
	// Admitted lets the tab set up its peer connection.  The component adds the ICE servers, whose credentials are minted for
	// this call only.  The caller's tab gets it when its dial is admitted, a called tab when its accept won.
	Admitted struct{}
	// Incoming rings a tab.
	Incoming struct {
		From  jid.JID // bare
		Media []string
	}
	// RemoteRinging: the peer's device rings.
	RemoteRinging struct{}
	// Proceeding: a device of the peer took the call; media is being agreed on.
	Proceeding struct{ Peer jid.JID }
	// RemoteOffer and RemoteAnswer carry SDP for setRemoteDescription.  A RemoteOffer may come at any time, and the tab rolls an offer of its
	// own back for it (RFC 9429 section 4.1.10.2).
	RemoteOffer  struct{ SDP string }
	RemoteAnswer struct{ SDP string }
	// RemoteCandidate is for addIceCandidate.  An empty Candidate ends the candidates of that section.
	RemoteCandidate struct {
		Candidate string
		Mid       string
		Line      int
		Ufrag     string // as a page has it beside the candidate; a candidate of XMPP has its own within
	}
	// RemoteInfo is what the peer's person did: mute, unmute, hold, unhold, active (XEP-0167 section 9).  An empty Mid means all
	// contents.
	RemoteInfo struct {
		Info jingle.InfoKind
		Mid  string
	}
	// Warning is something a person should know though the call goes on.
	Warning struct{ Code WarningCode }
	// Refused answers a frame that is not legal now; the call goes on.
	Refused struct{ Sentence string }
	// Finished is the last event of a call for that tab.
	Finished struct{ Outcome Outcome }
)

func (Admitted) event()        {}
func (Incoming) event()        {}
func (RemoteRinging) event()   {}
func (Proceeding) event()      {}
func (RemoteOffer) event()     {}
func (RemoteAnswer) event()    {}
func (RemoteCandidate) event() {}
func (RemoteInfo) event()      {}
func (Warning) event()         {}
func (Refused) event()         {}
func (Finished) event()        {}

// WarningCode names a warning.
type WarningCode string

// WarnNoRoute: the tab had no candidate that may be sent and there is no TURN server.
const WarnNoRoute WarningCode = "no-route"

// Warnings of what the peer's application does not do.
const (
	WarnNotTaken  WarningCode = "video-not-taken" // it cannot take what was added, or its person declined
	WarnNoRestart WarningCode = "no-restart"      // it cannot restart ICE: a path that broke stays broken
)

// AppendTo appends the request's <jingle/> to dst as the peer's client understands it, to stand where the default namespace is parentSpace.
func (r SendRequest) AppendTo(dst []byte, parentSpace string) []byte {
	return r.For.AppendTo(dst, parentSpace, r.Jingle, r.By)
}
