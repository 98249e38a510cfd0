// Package gateway is the browsers' door: one WebSocket per page that speaks JSON, and the few HTTP resources beside it.
//
// It hides the socket from the component: the upgrade and its Origin, the bounds on size, rate, count and time, decoding,
// ordering, back-pressure and the ways a socket ends.  The component sees decoded events and sends typed frames.  It
// knows nothing of calls, addresses or policy.  PROTOCOL.md is the protocol message by message.
package gateway

import "net/netip"

// Hub is the component, seen from here.
type Hub interface {
	// Open is told of a new socket before anything is read from it.  The session may send at once: its first frame is a
	// Hello.  Open must not block.
	Open(Conn) Session
}

// Session is the component's side of one socket.  Its methods are called one after the other, never at the same time.
type Session interface {
	// Handle takes one event of the page.  Before an Attach succeeded it gets nothing but Attach and the events of rooms,
	// afterwards no second one; Ping and Info never arrive here.  It must not block: no socket is read meanwhile.
	//
	// The frame returned is the result and carries the request's id; nil with no error answers OK if there was an id.
	// Later means that the session answers by itself, with Conn.Send(Reply(req.ID, frame)).  An *Error is sent to the
	// page as it is; any other error is logged here and the page hears "internal".
	Handle(Request) (Frame, error)
	// Closed is the last call, once, after the last Handle.  Clean means that the page said goodbye (close code 1000
	// or 1001, which browsers send when a page is closed or left); otherwise it may come back.
	Closed(clean bool)
}

// Conn is a socket.  Its methods may be called from any goroutine, at any time.
type Conn interface {
	// Send takes a frame, whose data may change afterwards, and never blocks.  Frames leave in the order of the calls.  A page that
	// does not read fast enough loses its socket; frames for a socket that is closing are dropped.
	Send(Frame)
	// Close sends what is queued and then closes with that code and reason (RFC 6455 section 7.4; at most 123 bytes).
	// It returns at once; Session.Closed follows.  Only the first call counts.
	Close(code int, reason string)
	// Remote is the page's address as told by the trusted proxies.
	Remote() netip.Addr
	// Origin is the Origin header as the browser sent it, empty when there was none.
	Origin() string
}

// Request is one event of a page.
type Request struct {
	ID    ID
	Event ClientEvent
}

// ID is the optional id of a frame as it stands in its JSON, a string with its quotes or a number, at most MaxID bytes.
// Empty means that there was none.
type ID string

// MaxID is the longest id accepted, in bytes of JSON.
const MaxID = 64

// Frame is what is sent to a page.  Encode writes it as one JSON object with its event name.
type Frame interface {
	Event() string
}

// Reply is the frame as the answer to the request with that id; without an id it is the frame itself.
func Reply(id ID, f Frame) Frame {
	if id == "" {
		return f
	}
	return reply{f, id}
}

type reply struct {
	Frame
	id ID
}

// Numbered is a frame with its number among those that a page can ask for again, from 1 on.
type Numbered struct {
	Frame
	Seq int
}

// Later, returned by Session.Handle, says that the session will answer the request by itself.
var Later Frame = later{}

type later struct{}

func (later) Event() string { return "" }

// Close codes used by this package besides those of RFC 6455 section 7.4.1.
const (
	CloseNormal     = 1000
	CloseGoingAway  = 1001
	ClosePolicy     = 1008 // too slow, too many frames, no attach
	CloseTooBig     = 1009
	CloseInternal   = 1011
	CloseReplaced   = 4001 // the same page attached on a newer socket: do not come back
	CloseShutdown   = 4200 // palava's: the server is going down, come back in a moment
	maxCloseReason  = 123  // RFC 6455 section 5.5, less the code
	subprotocolName = "palava.1.0"
)
