package gateway

import "fmt"

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
)

// messages is the one catalogue: what a code is called in a few words.
var messages = map[Code]string{
	BadJSON:         "not a JSON object",
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
}

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
