// Package sdpconv translates between SDP as browsers write it (RFC 8866, RFC 9429) and Jingle descriptions.
//
// Both ways return what the other language has no word for, so nothing is lost in silence.  Whose SDP it is, is an argument
// everywhere, because directions are relative in SDP and absolute in Jingle.  What a peer connection remembers and Jingle does not
// (order, mids, rejected lines) lives in Lines, which is passed in and returned.
package sdpconv

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"carillon/jingle"
)

// Bounds of an SDP that is read.
const (
	MaxSize  = 256 << 10 // bytes
	MaxLines = 64        // m-lines
)

// Lines is the m-lines of a peer connection by index.  It is a plain value: FromSDP and ToSDP return a changed copy, so that keeping
// the old one is a rollback.
type Lines []Line

// Line is one m-line.
type Line struct {
	Mid     string
	Name    string      // of the content
	Creator jingle.Role // of the content
	Kind    string      // audio, video, text, application
	Proto   string      // UDP/TLS/RTP/SAVPF; an answer repeats the offer's
	Formats []string    // of the last offer; a rejected line repeats them
	State   LineState
	Offered Offered
	DTLS    Association
	HdrExts []jingle.HdrExt // of the last answer, whose numbers are in use; never changed
	Past    []string        // mids that the line had before, not to be used again
}

// Association is the DTLS association under a line, by the role of each party in the session.  Who is its client is fixed by the first
// answer, until a certificate changes (RFC 8842 section 5.5).
type Association struct {
	Setup [2]jingle.Setup // active or passive; "" before the first answer
	Print [2]string       // value of the first fingerprint
}

// describe enters what a party says of itself in an offer or an answer.
func (a *Association) describe(by jingle.Role, prints []jingle.Fingerprint) {
	if a.Print[by] != "" && a.Print[by] != prints[0].Value {
		*a = Association{}
	}
	a.Print[by] = prints[0].Value
}

// answered enters the DTLS role that an answer asks for, and returns the one that its author has.
func (a *Association) answered(by jingle.Role, setup jingle.Setup) jingle.Setup {
	if a.Setup[by] == "" {
		a.Setup[by], a.Setup[by.Other()] = setup, answerSetup(setup, "")
	}
	return a.Setup[by]
}

// LineState tells whether an m-line is in use.
type LineState int

// The states.  A rejected line has port 0 in one party's SDP; a free one in both, so that it may be used again.
const (
	Live LineState = iota
	Rejected
	Free
)

func (s LineState) String() string {
	switch s {
	case Live:
		return "live"
	case Rejected:
		return "rejected"
	case Free:
		return "free"
	}
	return "state(" + strconv.Itoa(int(s)) + ")"
}

// Offered is what the last offer said of a line, to which an answer has to keep (RFC 3264 section 6).
type Offered struct {
	Open       bool        // not answered yet
	By         jingle.Role // whose offer it is
	RTP        *jingle.RTP // nil for none; never changed
	Senders    jingle.Senders
	Setup      jingle.Setup
	Bundled    bool
	BundleOnly bool // without the bundle it has no transport (RFC 9143 section 6)
}

// offerer returns who made the offer that is not answered yet, if there is one.
func (l Lines) offerer() (jingle.Role, bool) {
	i := slices.IndexFunc(l, func(x Line) bool { return x.Offered.Open })
	if i < 0 {
		return 0, false
	}
	return l[i].Offered.By, true
}

// used tells whether a line has or had the mid.
func (l Lines) used(mid string) bool {
	return slices.ContainsFunc(l, func(x Line) bool { return x.Mid == mid || slices.Contains(x.Past, mid) })
}

// past is what the line that is used again may not be named.
func (l Line) past() []string {
	if l.Mid == "" {
		return nil
	}
	const most = 32 // changes of one line; bounds what a peer can make grow
	past := l.Past[max(0, len(l.Past)-most+1):]
	return append(slices.Clone(past), l.Mid)
}

// Find returns the index of the line of a content, by creator and name or, if only one content has the name, by name: the
// creator that clients write is not reliable.  It returns -1 when there is none.
func (l Lines) Find(creator jingle.Role, name string) int {
	found, same := -1, 0
	for i := range l {
		if l[i].State == Free || l[i].Name != name {
			continue
		}
		if l[i].Creator == creator {
			return i
		}
		found = i
		same++
	}
	if same == 1 {
		return found
	}
	return -1
}

// FindMid returns the index of the line with that mid, or -1.
func (l Lines) FindMid(mid string) int {
	return slices.IndexFunc(l, func(x Line) bool { return x.State != Free && x.Mid == mid })
}

// Loss is something that could not be translated.  Number is the line of the SDP that was read, from 1, and 0 when Jingle was read;
// Line is its text or, from Jingle, what it would have been.
type Loss struct {
	Number       int
	Line, Reason string
}

func (l Loss) String() string {
	return fmt.Sprintf("%d: %s: %s", l.Number, l.Line, l.Reason)
}

// Origin is the numbers of the o= line.  Version grows by one with each SDP of a peer connection that differs.
type Origin struct {
	ID      uint64
	Version int
}

// Type is the part of an SDP in an offer/answer exchange.
type Type int

// The types.
const (
	Offer Type = iota
	Answer
)

func (t Type) String() string {
	if t == Answer {
		return "answer"
	}
	return "offer"
}

// Errors of descriptions that are well-formed and of no use to a browser.
var (
	// ErrNotEncrypted: a content has no DTLS fingerprint, or only one that is protected by OMEMO and unreadable here.
	ErrNotEncrypted = errors.New("sdpconv: no usable DTLS fingerprint")
	// ErrNoMedia: no RTP with a codec is left, and no data channels.
	ErrNoMedia = errors.New("sdpconv: no audio, video or data")
	// ErrNoICE: the contents have another transport than ICE, or none.
	ErrNoICE = errors.New("sdpconv: no ICE transport")
)

// ContentError says which content of a description is to blame.
type ContentError struct {
	Creator jingle.Role
	Name    string
	Err     error
}

func (e *ContentError) Error() string { return fmt.Sprintf("content %q: %v", clip(e.Name), e.Err) }
func (e *ContentError) Unwrap() error { return e.Err }

// Error says what is wrong with an SDP.  Line is counted from 1; 0 means the whole.
type Error struct {
	Line int
	Text string
	Msg  string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0 && e.Text == "":
		return "sdp: " + e.Msg
	case e.Line == 0:
		return fmt.Sprintf("sdp: %s in %q", e.Msg, clip(e.Text))
	}
	return fmt.Sprintf("sdp: line %d: %s in %q", e.Line, e.Msg, clip(e.Text))
}

func clip(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
