package gateway

import (
	"fmt"

	"carillon/component/room"
)

// Code names an error on the wire.  Codes are stable: pages decide on them.
type Code string

// The codes of errors.  The first group is this package's, the second is for the component.
const (
	BadJSON         Code = "bad_json"
	TooDeep         Code = "too_deep"
	BadID           Code = "bad_id"
	NoEvent         Code = "no_event"
	UnknownEvent    Code = "unknown_event"
	MissingField    Code = "missing_field"
	WrongType       Code = "wrong_type"
	BadValue        Code = "bad_value"
	TooLong         Code = "too_long"
	BinaryFrame     Code = "binary_frame"
	RateLimited     Code = "rate_limited"
	NotAttached     Code = "not_attached"
	AlreadyAttached Code = "already_attached"
	Internal        Code = "internal"

	BadSignature Code = "bad_signature"
	BadName      Code = "bad_name"
	ReservedName Code = "reserved_name"
	BadAddress   Code = "bad_address"
	NotAllowed   Code = "not_allowed"
	CoolDown     Code = "cool_down"
	TooMany      Code = "too_many"
	UnknownCall  Code = "unknown_call"
	NotNow       Code = "not_now"
	LinkDown     Code = "link_down"
	Restarting   Code = "restarting"
)

// The codes of errors in rooms.
const (
	NoRoomID         Code = "no_room_id"
	RoomIDTooLong    Code = "room_id_too_long"
	RawData          Code = "raw_data"
	EventNotAllowed  Code = "event_not_allowed"
	RoomFull              = Code(room.Full)
	InRoom                = Code(room.AlreadyIn)
	NotInRoom             = Code(room.NotIn)
	UnknownPeer           = Code(room.UnknownPeer)
	PasswordMismatch      = Code(room.PasswordMismatch)
	PasswordTooLong       = Code(room.PasswordTooLong)
	BlankName             = Code(room.BlankName)
	NameTooLong           = Code(room.NameTooLong)
	BadNameType           = Code(room.BadName)
	StatusTooLarge        = Code(room.StatusTooLarge)
)

// messages is the one catalogue: what a code is called in a few words.  Where palava-machine has the error, they are its words.
var messages = map[Code]string{
	BadJSON:         "invalid message",
	TooDeep:         "nested too deeply",
	BadID:           "bad id",
	NoEvent:         "no event given",
	UnknownEvent:    "unknown event",
	MissingField:    "missing field",
	WrongType:       "wrong type of field",
	BadValue:        "bad value of field",
	TooLong:         "field too long",
	BinaryFrame:     "binary frame",
	RateLimited:     "too many frames",
	NotAttached:     "not attached",
	AlreadyAttached: "already attached",
	Internal:        "internal error",
	BadSignature:    "bad signature",
	BadName:         "bad name",
	ReservedName:    "reserved name",
	BadAddress:      "bad address",
	NotAllowed:      "not allowed",
	CoolDown:        "wait before calling again",
	TooMany:         "too many",
	UnknownCall:     "unknown call",
	NotNow:          "not possible now",
	LinkDown:        "XMPP server not connected",
	Restarting:      "service restarting",

	NoRoomID:         "no room id given",
	RoomIDTooLong:    "room id too long",
	RawData:          "cannot send raw data",
	EventNotAllowed:  "event not allowed",
	RoomFull:         "room is full",
	InRoom:           "already joined another room",
	NotInRoom:        "currently not in any room",
	UnknownPeer:      "unknown peer",
	PasswordMismatch: "wrong password",
	PasswordTooLong:  "password too long",
	BlankName:        "blank name not allowed",
	NameTooLong:      "name too long",
	BadNameType:      "name is not a string",
	StatusTooLarge:   "status too large",
}

// roomErrors says what the refusals of a room mean to the person at the page.
var roomErrors = map[room.Reason]string{
	room.Full:             "This room is full: as many people are in it as may be.",
	room.AlreadyIn:        "Leave the room that this connection is in before joining one.",
	room.NotIn:            "Join a room first.",
	room.UnknownPeer:      "Nobody else with that id is in your room.",
	room.PasswordMismatch: "The password is not the one that the first person in this room chose, or the room has none.",
	room.PasswordTooLong:  "Choose a shorter password.",
	room.BlankName:        "A name has something in it that can be seen.",
	room.NameTooLong:      "Choose a shorter name.",
	room.BadName:          "The field name of a status has to be a string.",
	room.StatusTooLarge:   "A status has too many fields, or they are too long.",
}

// RoomError is the refusal of a room in words.
func RoomError(why room.Reason) *Error { return Errorf(Code(why), "%s", roomErrors[why]) }

// Error is an error that the page is told.  It is a Frame; the id of the request is added when it is sent.
type Error struct {
	Code        Code   `json:"code"`
	Message     string `json:"message"`        // the code in a few words
	Description string `json:"description"`    // a sentence: what is wrong here and what to do
	Call        string `json:"call,omitempty"` // the call it is about, when there is one
}

// Errorf makes an error of a code; the format gives its description.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: messages[code], Description: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return e.Message + ": " + e.Description }
