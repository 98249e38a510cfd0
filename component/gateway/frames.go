package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"carillon/component/call"
	"carillon/component/room"
)

// Encode writes the frame as one JSON object: its event, the id if it is a Reply, seq if it is Numbered, its fields.
func Encode(f Frame) ([]byte, error) { return appendEncoded(nil, f) }

// appendEncoded appends what Encode returns.
func appendEncoded(b []byte, f Frame) ([]byte, error) {
	var id ID
	var seq int
unwrap:
	for {
		switch w := f.(type) {
		case reply:
			f = w.Frame
			if id == "" {
				id = w.id
			}
		case Numbered:
			f, seq = w.Frame, w.Seq
		default:
			break unwrap
		}
	}
	if r, ok := f.(*Relayed); ok {
		return r.append(b)
	}
	body, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("gateway: encode %T: %w", f, err)
	}
	if f == Later || len(body) < 2 || body[0] != '{' {
		return nil, fmt.Errorf("gateway: encode %T: not a frame", f)
	}
	b = slices.Grow(b, len(body)+len(id)+40)
	b = append(b, `{"event":"`...)
	b = append(b, f.Event()...)
	b = append(b, '"')
	if id != "" {
		b = append(b, `,"id":`...)
		b = append(b, id...)
	}
	if seq > 0 {
		b = append(b, `,"seq":`...)
		b = strconv.AppendInt(b, int64(seq), 10)
	}
	if len(body) > len("{}") {
		b = append(b, ',')
	}
	return append(b, body[1:]...), nil
}

// append adds the sender to the message, which is not looked at again.
func (r *Relayed) append(b []byte) ([]byte, error) {
	if len(r.Data) <= len("{}") || r.Data[len(r.Data)-1] != '}' {
		return nil, fmt.Errorf("gateway: encode %T: the data is no object with an event", r)
	}
	const field = `,"sender_id":`
	b = slices.Grow(b, len(r.Data)+len(field)+len(r.From)+len(`""`))
	b = append(b, r.Data[:len(r.Data)-1]...)
	b = append(b, field...)
	b = appendString(b, r.From)
	return append(b, '}'), nil
}

// appendString writes a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; !plainByte[c] || c == '<' || c == '>' || c == '&' { // as encoding/json has it
			quoted, err := json.Marshal(s)
			if err != nil { // a string can always be written
				quoted = []byte(`""`)
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// RoomFrame is the frame that tells a member of an event of its room.  It is nil for Joined, to which the component adds the ICE servers.
func RoomFrame(ev room.Event) Frame {
	switch ev := ev.(type) {
	case room.NewPeer:
		return NewPeer{ev.Peer.ID, ev.Peer.Status}
	case room.PeerLeft:
		return PeerLeft{ev.Peer}
	case room.Updated:
		return PeerUpdatedStatus{ev.Peer, ev.Status}
	case *room.Relayed:
		return (*Relayed)(ev)
	case room.Refused:
		return RoomError(ev.Reason)
	}
	return nil
}

// RoomPeers lists members as frames have them; the list is never nil.
func RoomPeers(peers []room.Peer) []RoomPeer {
	list := make([]RoomPeer, len(peers))
	for i, p := range peers {
		list[i] = RoomPeer{p.ID, p.Status}
	}
	return list
}

// CallOf returns the call that a frame is about, "" for none.
func CallOf(f Frame) string {
	switch f := f.(type) {
	case reply:
		return CallOf(f.Frame)
	case Numbered:
		return CallOf(f.Frame)
	case Admitted:
		return f.Call
	case ICEServers:
		return f.Call
	case Incoming:
		return f.Call
	case Ringing:
		return f.Call
	case Proceeding:
		return f.Call
	case Offer:
		return f.Call
	case Answer:
		return f.Call
	case ICECandidate:
		return f.Call
	case SessionInfo:
		return f.Call
	case Warning:
		return f.Call
	case Ended:
		return f.Call
	case *Error:
		return f.Call
	}
	return ""
}

// warnings says in words what a call.Warning means to the person at the page.
var warnings = map[call.WarningCode]string{
	call.WarnNoRoute:   "Your browser found no network address that your contact could reach, and this service has no relay. The call may stay without sound and picture.",
	call.WarnNotTaken:  "Your contact's app did not take the picture that you added. The call goes on without it.",
	call.WarnNoRestart: "The connection is disturbed, and your contact's app cannot look for another path. If it does not come back, call again.",
}

// FrameOf is the frame that tells a page of an event of a call.  It is nil for Admitted, to which the component adds the
// ICE servers, and for an event it does not know.
func FrameOf(callID string, ev call.Event) Frame {
	switch ev := ev.(type) {
	case call.Incoming:
		media := ev.Media
		if media == nil {
			media = []string{}
		}
		return Incoming{Call: callID, From: ev.From.String(), Media: media}
	case call.RemoteRinging:
		return Ringing{Call: callID}
	case call.Proceeding:
		return Proceeding{Call: callID, From: ev.Peer.String()}
	case call.RemoteOffer:
		return Offer{Call: callID, SDP: Description{Type: "offer", SDP: ev.SDP}}
	case call.RemoteAnswer:
		return Answer{Call: callID, SDP: Description{Type: "answer", SDP: ev.SDP}}
	case call.RemoteCandidate:
		return ICECandidate{Call: callID, Candidate: ev.Candidate, Mid: ev.Mid, Line: ev.Line, Ufrag: ev.Ufrag}
	case call.RemoteInfo:
		return SessionInfo{Call: callID, Info: ev.Info, Mid: ev.Mid}
	case call.Warning:
		return Warning{Call: callID, Code: string(ev.Code), Text: warnings[ev.Code]}
	case call.Refused:
		e := Errorf(NotNow, "%s", ev.Sentence)
		e.Call = callID
		return e
	case call.Finished:
		return Ended{Call: callID, Reason: string(ev.Outcome), Text: ev.Outcome.Sentence()}
	}
	return nil
}
