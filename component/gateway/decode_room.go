package gateway

import (
	"bytes"
	"encoding/json"

	"carillon/component/room"
)

// Bounds of the fields of room events, in bytes; those that an operator decides on are the room's.
const (
	maxPassword = 1024
	maxPeerID   = 256
	maxMessage  = 64 << 10 // that a scanner keeps the place for
)

// relayed says that members may send each other that event.
func relayed(event string) bool {
	switch event {
	case "offer", "answer", "ice_candidate", "message":
		return true
	}
	return false
}

// envelope says that only the server sets that field of a frame.  A member who could send it would pass for the server.
func envelope(field string) bool {
	switch field {
	case "event", "sender_id", "id", "seq", "call":
		return true
	}
	return false
}

func (f *fields) roomID() string {
	if f.lookup("room_id") == nil {
		f.fail(NoRoomID, "%sroom_id is missing", f.path)
		return ""
	}
	return f.string("room_id", 0, true)
}

// yes returns a field that is true or false, false when it is missing.
func (f *fields) yes(name string) bool {
	switch raw := f.lookup(name); string(raw) {
	case "true":
		return true
	case "", "false":
	default:
		f.fail(WrongType, "%s%s has to be true or false", f.path, name)
	}
	return false
}

// status returns the fields of a status, none when it is missing and may be.
func (f *fields) status(required bool) room.Status {
	if !required && f.find("status") < 0 {
		return room.Status{}
	}
	inner := f.object("status")
	status := room.Status{}
	for i := range f.s.tape {
		if e := &f.s.tape[i]; f.err == nil && e.owner == inner.owner {
			status[string(f.s.name(e))] = bytes.Clone(f.s.text(e.value))
		}
	}
	return status
}

// sendToPeer takes the data of a message apart only as far as the envelope needs.
func (f *fields) sendToPeer() ClientEvent {
	to := f.filled("peer_id", maxPeerID)
	i := f.find("data")
	if i < 0 {
		f.fail(MissingField, "%sdata is missing", f.path)
	} else if f.s.text(f.s.tape[i].value)[0] != '{' {
		f.fail(RawData, "%sdata has to be an object with an event", f.path)
	}
	if f.err != nil {
		return nil
	}
	inner := fields{s: f.s, owner: i}
	event := inner.word("event")
	if !relayed(string(event)) {
		f.fail(EventNotAllowed, "%sdata.event has to be offer, answer, ice_candidate or message", f.path)
		return nil
	}
	f.s.toPeer = SendToPeer{PeerID: to, Data: inner.message(event)}
	return &f.s.toPeer
}

// message writes the object anew, value by value as they stand, with the event in front and without the rest of the envelope.
func (f *fields) message(event []byte) json.RawMessage {
	b := append(f.s.message[:0], `{"event":"`...)
	b = append(b, event...)
	b = append(b, '"')
	for i := range f.s.tape {
		e := &f.s.tape[i]
		if e.owner != f.owner || envelope(string(f.s.name(e))) {
			continue
		}
		b = append(b, ',')
		b = append(b, f.s.text(e.key)...)
		b = append(b, ':')
		b = append(b, f.s.text(e.value)...)
	}
	b = append(b, '}')
	if cap(b) <= maxMessage {
		f.s.message = b
	}
	return b
}
