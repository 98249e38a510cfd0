package gateway

import (
	"bytes"
	"encoding/base64"
	"math"
	"strings"

	"carillon/component/call"
	"carillon/jingle"
)

// MaxText bounds the body of a Text, and MaxMessage its id, in bytes.
const (
	MaxText    = 4096
	MaxMessage = 64
)

// Bounds of the fields, in bytes unless said otherwise.
const (
	maxName      = 256
	maxAddress   = 3071 // RFC 7622 section 3.1
	maxToken     = 256  // call ids, instances, resume tokens, tickets
	maxCandidate = 1024
	maxMid       = 64
	maxLine      = 63
	maxUfrag     = 256 // RFC 8839 section 5.4
	maxContacts  = 300 // entries
	maxEventName = 64  // of an unknown event that is repeated in the error
	keyLen       = 65
	signatureLen = 64
)

// decoders is the whole grammar of what a page can say.
var decoders = map[string]func(*fields) ClientEvent{
	"attach": func(f *fields) ClientEvent {
		return Attach{
			Name:      f.text("name", maxName),
			Key:       f.bytes("key", keyLen),
			Signature: f.bytes("signature", signatureLen),
			Instance:  f.text("instance", maxToken),
			Resume:    f.optional("resume", maxToken),
			Seen:      f.whole("seen", 0, math.MaxInt32),
			Contacts:  f.contacts(),
		}
	},
	"dial":   func(f *fields) ClientEvent { return Dial{To: f.text("to", maxAddress)} },
	"offer":  func(f *fields) ClientEvent { return Offer{Call: f.call(), SDP: f.sdp("offer")} },
	"answer": func(f *fields) ClientEvent { return Answer{Call: f.call(), SDP: f.sdp("answer")} },
	"ice_candidate": func(f *fields) ClientEvent {
		return ICECandidate{
			Call:      f.call(),
			Candidate: f.string("candidate", maxCandidate, true),
			Mid:       f.optional("sdpmid", maxMid),
			Line:      f.line("sdpmlineindex"),
			Ufrag:     f.optional("ufrag", maxUfrag),
		}
	},
	"accept":  func(f *fields) ClientEvent { return Accept{Call: f.call()} },
	"decline": func(f *fields) ClientEvent { return Decline{Call: f.call()} },
	"hang_up": func(f *fields) ClientEvent { return HangUp{Call: f.call()} },
	"media":   func(f *fields) ClientEvent { return Media{Call: f.call(), State: f.mediaState()} },
	"session_info": func(f *fields) ClientEvent {
		return SessionInfo{Call: f.call(), Info: f.sessionInfo(), Mid: f.optional("mid", maxMid)}
	},
	"tell":    func(f *fields) ClientEvent { return Tell{To: f.text("to", maxAddress)} },
	"approve": func(f *fields) ClientEvent { return Approve{Address: f.text("address", maxAddress)} },
	"refuse":  func(f *fields) ClientEvent { return Refuse{Address: f.text("address", maxAddress)} },
	"forget":  func(f *fields) ClientEvent { return Forget{Address: f.text("address", maxAddress)} },
	"text": func(f *fields) ClientEvent {
		return Text{To: f.text("to", maxAddress), Body: f.text("body", MaxText), Message: f.optional("message", MaxMessage)}
	},
	"ping": func(f *fields) ClientEvent { return Ping{} },

	"join_room": func(f *fields) ClientEvent {
		return JoinRoom{
			RoomID:   f.roomID(),
			Status:   f.status(false),
			Password: f.optional("password", maxPassword),
			Renew:    f.yes("renew"),
		}
	},
	"leave_room":    func(f *fields) ClientEvent { return LeaveRoom{} },
	"update_status": func(f *fields) ClientEvent { return UpdateStatus{Status: f.status(true)} },
	"send_to_peer":  (*fields).sendToPeer,
	"info":          func(f *fields) ClientEvent { return Info{} },
}

// Decode reads one text frame.  Fields it does not know are ignored.  The ID is set even when there is an error, if the frame
// had a good one.
func Decode(frame []byte) (Request, *Error) {
	s := scanners.Get().(*scanner)
	defer scanners.Put(s)
	req, err := s.decode(frame)
	if m, ok := req.Event.(*SendToPeer); ok {
		req.Event = &SendToPeer{bytes.Clone(m.PeerID), bytes.Clone(m.Data)}
	}
	return req, err
}

// decode is Decode but for a SendToPeer, which is good until the scanner's next frame.
func (s *scanner) decode(frame []byte) (Request, *Error) {
	var req Request
	if err := s.scan(frame); err != nil {
		return req, err
	}
	f := &s.outer
	*f = fields{s: s, owner: frameItself}
	req.ID = f.id()
	g := grammar[string(f.word("event"))]
	if f.err == nil && g == nil {
		f.noEvent()
	}
	if f.err != nil {
		return req, f.err
	}
	f.path = g.path
	event := g.decode(f)
	if f.err != nil {
		return req, f.err
	}
	req.Event = event
	return req, nil
}

// idOf returns the ID of a frame that is not decoded.
func (s *scanner) idOf(frame []byte) ID {
	if s.scan(frame) != nil {
		return ""
	}
	f := fields{s: s, owner: frameItself}
	return f.id()
}

// A clause is how one event is decoded, and what its fields are called in errors.
type clause struct {
	path   string
	decode func(*fields) ClientEvent
}

var grammar = func() map[string]*clause {
	g := map[string]*clause{}
	for name, decode := range decoders {
		g[name] = &clause{name + ".", decode}
	}
	return g
}()

// noEvent says what is wrong with the name of the event.
func (f *fields) noEvent() {
	name := f.text("event", maxEventName)
	switch {
	case f.err == nil:
		f.fail(UnknownEvent, "there is no event %q", name)
	case f.err.Code == MissingField:
		f.err = Errorf(NoEvent, `the field "event" names what the frame is about`)
	}
}

// fields reads the fields of one object.  It keeps the first error and returns zero values after it.
type fields struct {
	path  string
	s     *scanner
	owner int // see field
	err   *Error
}

func (f *fields) fail(code Code, format string, args ...any) {
	if f.err == nil {
		f.err = Errorf(code, format, args...)
	}
}

// find returns the index of the field, -1 when it is missing or null.  Of several with one name the last counts, as in browsers.
func (f *fields) find(name string) int {
	for i := len(f.s.tape) - 1; i >= 0; i-- {
		if e := &f.s.tape[i]; e.owner == f.owner && string(f.s.name(e)) == name {
			if string(f.s.text(e.value)) == "null" {
				return -1
			}
			return i
		}
	}
	return -1
}

// lookup returns the field's value, nil when it is missing or null.
func (f *fields) lookup(name string) []byte {
	if i := f.find(name); i >= 0 {
		return f.s.text(f.s.tape[i].value)
	}
	return nil
}

// word returns the text of a field, a part of the frame, nil when it is not a string.
func (f *fields) word(name string) []byte {
	if raw := f.lookup(name); len(raw) > 0 && raw[0] == '"' {
		return unquote(raw)
	}
	return nil
}

func (f *fields) id() ID {
	raw := f.lookup("id")
	switch {
	case raw == nil:
		return ""
	case len(raw) > MaxID:
		f.fail(BadID, "an id has at most %d bytes", MaxID)
	case raw[0] != '"' && raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'):
		f.fail(BadID, "an id is a string or a number")
	default:
		return ID(raw)
	}
	return ""
}

// unquoted returns a field that is a string, a part of the frame if nothing in it is escaped, nil when it is missing and may be.
func (f *fields) unquoted(name string, limit int, required bool) []byte {
	raw := f.lookup(name)
	if raw == nil {
		if required {
			f.fail(MissingField, "%s%s is missing", f.path, name)
		}
		return nil
	}
	if raw[0] != '"' {
		f.fail(WrongType, "%s%s has to be a string", f.path, name)
		return nil
	}
	s := unquote(raw)
	if limit > 0 && len(s) > limit {
		f.fail(TooLong, "%s%s has at most %d bytes", f.path, name, limit)
		return nil
	}
	return s
}

// filled is unquoted for a field that has something in it.
func (f *fields) filled(name string, limit int) []byte {
	s := f.unquoted(name, limit, true)
	if len(s) == 0 {
		f.fail(MissingField, "%s%s is empty", f.path, name)
	}
	return s
}

// string returns a field that is a string, "" when it is missing and may be.
func (f *fields) string(name string, limit int, required bool) string {
	return string(f.unquoted(name, limit, required))
}

// text returns a field that is a string with something in it.
func (f *fields) text(name string, limit int) string { return string(f.filled(name, limit)) }

func (f *fields) optional(name string, limit int) string { return f.string(name, limit, false) }

func (f *fields) call() string { return f.text("call", maxToken) }

// bytes returns a field of n bytes in base64url, with or without padding.
func (f *fields) bytes(name string, n int) []byte {
	s := f.text(name, maxToken)
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || len(b) != n {
		f.fail(BadValue, "%s%s has to be %d bytes in base64url", f.path, name, n)
		return nil
	}
	return b
}

// line returns an m-line index, -1 when there is none.
func (f *fields) line(name string) int { return f.whole(name, -1, maxLine) }

// whole returns a whole number from 0 to most, or absent when there is none.
func (f *fields) whole(name string, absent, most int) int {
	raw := f.lookup(name)
	if raw == nil {
		return absent
	}
	n, err := parseNumber(raw)
	if err != nil {
		f.fail(WrongType, "%s%s has to be a number", f.path, name)
		return absent
	}
	if n != float64(int(n)) || n < 0 || n > float64(most) {
		f.fail(BadValue, "%s%s has to be a whole number from 0 to %d", f.path, name, most)
		return absent
	}
	return int(n)
}

// object returns the fields of a field that is an object, sharing nothing but the place for the error.
func (f *fields) object(name string) *fields {
	inner := &fields{path: f.path + name + ".", s: f.s, owner: f.find(name)}
	switch {
	case inner.owner < 0:
		f.fail(MissingField, "%s%s is missing", f.path, name)
		inner.s = new(scanner)
	case f.s.text(f.s.tape[inner.owner].value)[0] != '{':
		f.fail(WrongType, "%s%s has to be an object", f.path, name)
	}
	return inner
}

// adopt takes over the error of an inner object.
func (f *fields) adopt(inner *fields) {
	if f.err == nil {
		f.err = inner.err
	}
}

// sdp returns the description, which must be of that type.
func (f *fields) sdp(typ string) Description {
	inner := f.object("sdp")
	d := Description{Type: inner.text("type", maxToken), SDP: inner.text("sdp", 0)}
	if d.Type != typ {
		inner.fail(BadValue, "%stype has to be %q", inner.path, typ)
	}
	f.adopt(inner)
	return d
}

// mediaStates are the values of RTCPeerConnection.connectionState.
var mediaStates = map[call.MediaState]bool{
	"new": true, "connecting": true, call.MediaConnected: true, call.MediaDisconnected: true, call.MediaFailed: true, "closed": true,
}

func (f *fields) mediaState() call.MediaState {
	state := call.MediaState(f.text("state", maxToken))
	if !mediaStates[state] {
		f.fail(BadValue, "%sstate has to be a connectionState", f.path)
	}
	return state
}

// sessionInfos are what a page may tell the peer of itself.
var sessionInfos = map[jingle.InfoKind]bool{
	jingle.InfoMute: true, jingle.InfoUnmute: true, jingle.InfoHold: true, jingle.InfoUnhold: true, jingle.InfoActive: true,
}

func (f *fields) sessionInfo() jingle.InfoKind {
	info := jingle.InfoKind(f.text("info", maxToken))
	if !sessionInfos[info] {
		f.fail(BadValue, "%sinfo has to be mute, unmute, hold, unhold or active", f.path)
	}
	return info
}

func (f *fields) contacts() []Ticket {
	raw := f.lookup("contacts")
	if raw == nil || f.err != nil {
		return nil
	}
	if raw[0] != '[' {
		f.fail(WrongType, "%scontacts has to be an array", f.path)
		return nil
	}
	// The frame has been scanned, so raw is whole.  One scanner serves all entries: an attach may bring hundreds, from whomever.
	s := &scanner{b: raw, at: 1}
	inner := fields{path: f.path + "contacts[].", s: s, owner: frameItself}
	var tickets []Ticket
	s.space()
	for more := s.peek() != ']'; more && f.err == nil; more, _ = s.next(']') {
		if len(tickets) == maxContacts {
			f.fail(TooLong, "%scontacts has at most %d entries", f.path, maxContacts)
			break
		}
		s.depth, s.tape = 0, s.tape[:0]
		if s.peek() != '{' || !s.value(frameItself) {
			f.fail(WrongType, "%scontacts[] has to be an object", f.path)
			break
		}
		tickets = append(tickets, Ticket{Address: inner.text("address", maxAddress), Ticket: inner.text("ticket", maxToken)})
		f.adopt(&inner)
	}
	return tickets
}
