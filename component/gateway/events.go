package gateway

import (
	"encoding/json"

	"carillon/component/call"
	"carillon/component/room"
	"carillon/jingle"
)

// ClientEvent is an event of a page.  The list below, with Offer, Answer and ICECandidate, is everything a page can say.
type ClientEvent interface{ clientEvent() }

type (
	// Attach proves that the page holds the key of an address, and names it (PROTOCOL.md, "attach").
	Attach struct {
		Name      string // as typed by the user
		Key       []byte // raw uncompressed P-256 point, 65 bytes
		Signature []byte // r||s over SigningInput, 64 bytes
		Instance  string // random, new at each load of the page
		Resume    string // token of an earlier Attached, or empty
		Seen      int    // number of the last Numbered frame that arrived
		Contacts  []Ticket
	}
	// Ticket is an approved contact as the page kept it.
	Ticket struct{ Address, Ticket string }
	// Dial asks for a call to an XMPP address, bare or full.
	Dial struct{ To string }
	// Accept takes an incoming call.
	Accept struct{ Call string }
	// Decline declines it.
	Decline struct{ Call string }
	// HangUp ends a call, or gives up one that rings.
	HangUp struct{ Call string }
	// Media reports RTCPeerConnection.connectionState.  All its values are accepted; those without a constant in package
	// call ("new", "connecting", "closed") change nothing.
	Media struct {
		Call  string
		State call.MediaState
	}
	// Tell lets a contact know that this address can be called.
	Tell struct{ To string }
	// Approve, Refuse and Forget answer or withdraw a contact's wish to see this address.
	Approve struct{ Address string }
	Refuse  struct{ Address string }
	Forget  struct{ Address string }
	// Ping is answered by Pong, here in the gateway.
	Ping struct{}
)

// The events of rooms, which need no Attach.
type (
	// JoinRoom enters a room, which is made if there is none of that name.
	JoinRoom struct {
		RoomID   string
		Status   room.Status
		Password string
		Renew    bool // send ICEServers before the credentials of JoinedRoom run out
	}
	// LeaveRoom leaves it.
	LeaveRoom struct{}
	// UpdateStatus changes the fields of the status that it has.
	UpdateStatus struct{ Status room.Status }
	// SendToPeer sends a message to another member.  Data is a JSON object whose first field is its event: offer, answer, ice_candidate or
	// message; it has no other field of the envelope.  What Session.Handle gets, the struct included, is good until it returns.
	SendToPeer struct {
		PeerID []byte
		Data   json.RawMessage
	}
	// Info asks for the version of palava's protocol.  It is answered here in the gateway.
	Info struct{}
)

// Offer, Answer, ICECandidate, SessionInfo and Text travel both ways.
type (
	// SessionInfo is what a person does in a call that the other may be shown (XEP-0167 section 9).
	SessionInfo struct {
		Call string          `json:"call"`
		Info jingle.InfoKind `json:"info"`          // mute, unmute, hold, unhold or active
		Mid  string          `json:"mid,omitempty"` // of the m-line; empty: of all
	}
	// Text is a plain chat message: To somebody, or From somebody.
	Text struct {
		To      string `json:"to,omitempty"`
		From    string `json:"from,omitempty"` // bare JID
		Name    string `json:"name,omitempty"` // what the writer says to be called
		Body    string `json:"body"`
		Message string `json:"-"`               // the page's own id of it, which Undelivered repeats; may be empty
		Stamp   string `json:"stamp,omitempty"` // RFC 3339; when it was sent, if it waited on its way
	}
	// Offer carries an SDP offer of one party to the other.
	Offer struct {
		Call string      `json:"call"`
		SDP  Description `json:"sdp"`
	}
	// Answer carries the SDP answer.
	Answer struct {
		Call string      `json:"call"`
		SDP  Description `json:"sdp"`
	}
	// ICECandidate is one trickled candidate, "candidate:..."; an empty one ends the candidates.
	ICECandidate struct {
		Call      string `json:"call"`
		Candidate string `json:"candidate"`
		Mid       string `json:"sdpmid"`
		Line      int    `json:"sdpmlineindex"`   // -1 when the page named none
		Ufrag     string `json:"ufrag,omitempty"` // RTCIceCandidate.usernameFragment: Firefox does not write it into the candidate
	}
	// Description is an RTCSessionDescriptionInit.
	Description struct {
		Type string `json:"type"` // offer or answer
		SDP  string `json:"sdp"`
	}
)

func (Attach) clientEvent()       {}
func (Dial) clientEvent()         {}
func (Offer) clientEvent()        {}
func (Answer) clientEvent()       {}
func (ICECandidate) clientEvent() {}
func (Accept) clientEvent()       {}
func (Decline) clientEvent()      {}
func (HangUp) clientEvent()       {}
func (Media) clientEvent()        {}
func (Tell) clientEvent()         {}
func (Approve) clientEvent()      {}
func (Refuse) clientEvent()       {}
func (Forget) clientEvent()       {}
func (Ping) clientEvent()         {}
func (Text) clientEvent()         {}
func (SessionInfo) clientEvent()  {}
func (JoinRoom) clientEvent()     {}
func (LeaveRoom) clientEvent()    {}
func (UpdateStatus) clientEvent() {}
func (*SendToPeer) clientEvent()  {}
func (Info) clientEvent()         {}

// Frames to the page.  Times are in seconds from now, because clocks of pages are not to be trusted.
type (
	// Hello is the first frame of a socket.
	Hello struct {
		Nonce        string `json:"nonce"`         // to be signed in Attach; for this socket only
		Domain       string `json:"domain"`        // of the addresses given out here
		Protocol     int    `json:"protocol"`      // Protocol
		PingInterval int    `json:"ping_interval"` // send a ping this often
	}
	// Attached is the result of Attach.
	Attached struct {
		Address string `json:"address"` // full JID
		Bare    string `json:"bare"`
		Name    string `json:"name"`           // normalised
		Resume  string `json:"resume"`         // token for the next Attach
		Resumed bool   `json:"resumed"`        // the calls of this page go on
		Grace   int    `json:"grace"`          // how long a lost page's calls wait for it
		MayCall bool   `json:"may_call"`       // whether policy lets this page call anyone at all
		Link    bool   `json:"link"`           // the XMPP server is connected
		Echo    string `json:"echo,omitempty"` // an address that plays back what it hears, for tests
	}
	// Admitted is the result of Dial and Accept: set up the peer connection with these servers.
	Admitted struct {
		Call       string      `json:"call"`
		To         string      `json:"to,omitempty"`     // of a Dial: the address as understood
		Called     bool        `json:"called,omitempty"` // the other side called, and offers
		ICEServers []ICEServer `json:"ice_servers"`
		RelayOnly  bool        `json:"relay_only"` // iceTransportPolicy "relay"
		Expires    int         `json:"expires"`    // life of the credentials
	}
	// ICEServers renews the credentials in a call, or in a room.
	ICEServers struct {
		Call       string      `json:"call,omitempty"`
		Room       bool        `json:"room,omitempty"` // of the room, not of a call
		ICEServers []ICEServer `json:"ice_servers"`
		Expires    int         `json:"expires"`
	}
	// ICEServer is an RTCIceServer.
	ICEServer struct {
		URLs       []string `json:"urls"`
		Username   string   `json:"username,omitempty"`
		Credential string   `json:"credential,omitempty"`
	}
	// Incoming rings the page.
	Incoming struct {
		Call  string   `json:"call"`
		From  string   `json:"from"`           // bare JID
		Name  string   `json:"name,omitempty"` // what the caller says to be called
		Media []string `json:"media"`          // audio, video
	}
	// Ringing: the device of the one called rings.
	Ringing struct {
		Call string `json:"call"`
	}
	// Proceeding: a device took the call, media is being agreed on.
	Proceeding struct {
		Call string `json:"call"`
		From string `json:"from"`
	}
	// Warning is something a person should know though the call goes on.
	Warning struct {
		Call string `json:"call"`
		Code string `json:"code"`
		Text string `json:"text"`
	}
	// Ended is the last frame of a call.
	Ended struct {
		Call   string `json:"call"`
		Reason string `json:"reason"`       // a call.Outcome
		Text   string `json:"text"`         // the same in words
		To     string `json:"to,omitempty"` // after a reload: whom to call again
	}
	// Contact says where a contact stands: the result of Approve, Refuse and Forget, or news.
	Contact struct {
		Address string       `json:"address"`
		Name    string       `json:"name,omitempty"` // what who asks says to be called
		State   ContactState `json:"state"`
		Ticket  string       `json:"ticket,omitempty"` // approved: keep it, hand it back in Attach
	}
	// Told is the result of Tell.
	Told struct {
		To string `json:"to"`
	}
	// Undelivered says that a Text came back, or that nobody is left to show it.
	Undelivered struct {
		To      string `json:"to"`
		Message string `json:"message,omitempty"` // that of the Text
		Text    string `json:"text"`              // why, in words
	}
	// Link says that the XMPP server was connected or lost.
	Link struct {
		Up bool `json:"up"`
	}
	// Pong is the result of Ping.
	Pong struct{}
	// OK is the result of a request that has no other; it is sent only when the request had an id.
	OK struct{}
)

// Frames of rooms.  Palava's client tells apart what is about the room and what is about a member by whether there is a sender_id.
type (
	// JoinedRoom is the result of JoinRoom.  Palava's client reads the ids and the TURN fields, and these only for the peers listed.
	JoinedRoom struct {
		OwnID        string      `json:"own_id"`
		Peers        []RoomPeer  `json:"peers"`
		TURNUser     string      `json:"turn_user,omitempty"`
		TURNPassword string      `json:"turn_password,omitempty"`
		Address      string      `json:"address"` // the member's XMPP address, that of the page if it is attached
		ICEServers   []ICEServer `json:"ice_servers"`
		RelayOnly    bool        `json:"relay_only"`
		Expires      int         `json:"expires"`
	}
	// RoomPeer is another member.
	RoomPeer struct {
		PeerID string      `json:"peer_id"`
		Status room.Status `json:"status"` // never nil
	}
	// NewPeer came into the room.
	NewPeer RoomPeer
	// PeerLeft the room.
	PeerLeft struct {
		SenderID string `json:"sender_id"`
	}
	// PeerUpdatedStatus has the fields that were changed, null for what was removed.
	PeerUpdatedStatus struct {
		SenderID string      `json:"sender_id"`
		Status   room.Status `json:"status"`
	}
	// Relayed is a message of another member: its Data, a JSON object that has an event, with the sender's id added.
	Relayed room.Relayed
	// Shutdown says that the service will end.
	Shutdown struct {
		Seconds int `json:"seconds"`
	}
	// ProtocolInfo is the result of Info.
	ProtocolInfo struct {
		Version string `json:"protocol_version"`
	}
)

// PalavaVersion is the version of palava's protocol in ProtocolInfo.
const PalavaVersion = "1.0.0"

// Protocol is the version in Hello.  It grows when a client of an older one would break.
const Protocol = 1

// ContactState is where a contact stands.
type ContactState string

// The states of a contact.
const (
	ContactAsks     ContactState = "asks"
	ContactApproved ContactState = "approved"
	ContactRefused  ContactState = "refused"
	ContactRemoved  ContactState = "removed"
)

// Event names the frame on the wire.
func (Hello) Event() string        { return "hello" }
func (Attached) Event() string     { return "attached" }
func (Admitted) Event() string     { return "admitted" }
func (ICEServers) Event() string   { return "ice_servers" }
func (Incoming) Event() string     { return "incoming" }
func (Ringing) Event() string      { return "ringing" }
func (Proceeding) Event() string   { return "proceeding" }
func (Offer) Event() string        { return "offer" }
func (Answer) Event() string       { return "answer" }
func (ICECandidate) Event() string { return "ice_candidate" }
func (Warning) Event() string      { return "warning" }
func (Ended) Event() string        { return "ended" }
func (Contact) Event() string      { return "contact" }
func (Told) Event() string         { return "told" }
func (Link) Event() string         { return "link" }
func (Text) Event() string         { return "text" }
func (SessionInfo) Event() string  { return "session_info" }
func (Undelivered) Event() string  { return "undelivered" }
func (Pong) Event() string         { return "pong" }
func (OK) Event() string           { return "ok" }
func (*Error) Event() string       { return "error" }

func (JoinedRoom) Event() string        { return "joined_room" }
func (NewPeer) Event() string           { return "new_peer" }
func (PeerLeft) Event() string          { return "peer_left" }
func (PeerUpdatedStatus) Event() string { return "peer_updated_status" }
func (Shutdown) Event() string          { return "shutdown" }
func (ProtocolInfo) Event() string      { return "info" }

// Event is that of the message relayed.
func (r *Relayed) Event() string {
	var e struct{ Event string }
	json.Unmarshal(r.Data, &e)
	return e.Event
}
