// Package room is a meeting as a value: who is in it, what each member says of itself, and who may send to whom.
//
// A Room turns inputs into outputs that are addressed to members.  It does no I/O, reads no clock and makes no ids: whoever owns it feeds
// it, one input after the other, and carries out what it returns, in order.  A member is an id and nothing more, so that it may
// be a browser's socket or anything else that can take events.
//
// The messages are those of palava (palava-machine 1.0.2, signaltower 2.0.0), which has room passwords only as a wish.
package room

import (
	"crypto/subtle"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits bound a room.  Zero fields get the default.
type Limits struct {
	Members      int // at a time: 6, what palava's page stops at too
	StatusFields int // of one member, and in one update: 16
	StatusBytes  int // names and values of those fields: 4096
	Name         int // characters of the status field "name": 50
	Password     int // characters: 128
}

// WithDefaults returns the limits with no field left at zero.
func (l Limits) WithDefaults() Limits {
	for _, d := range []struct {
		field *int
		value int
	}{{&l.Members, 6}, {&l.StatusFields, 16}, {&l.StatusBytes, 4096}, {&l.Name, 50}, {&l.Password, 128}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}

// Status is what a member says of itself, field by field, each value as it was written in JSON.  Two fields have a meaning: "name", a string,
// and "user_agent", by which palava's client decides who offers.
type Status map[string]json.RawMessage

// Peer is another member as one sees it.
type Peer struct {
	ID     string
	Status Status // never nil
}

// An Input is something that a member does.  Member and From are the ids that the owner of the room gave them.
type Input interface{ input() }

// The inputs.
type (
	// Join enters.  The first member's password is the room's; the others have to give the same.  Tag is the owner's: it comes back with
	// whatever the member is told.
	Join struct {
		Member   string
		Status   Status
		Password string
		Tag      any
	}
	// Leave leaves.  It means nothing outside.
	Leave struct{ Member string }
	// Update changes the fields of the status that it has; null removes one.
	Update struct {
		Member string
		Status Status
	}
	// Relay sends a message to one other member.  Data is a JSON object, which the room passes on as it is.  Neither To nor Data are kept.
	Relay struct {
		From string
		To   []byte
		Data json.RawMessage
	}
)

func (Join) input()   {}
func (Leave) input()  {}
func (Update) input() {}
func (Relay) input()  {}

// An Output tells a member of an event.  Only Joined and Refused answer the input of the member itself; Refused has no Tag.
type Output struct {
	Member string
	Tag    any // of its Join
	Event  Event
}

// An Event is what a member is told.
type Event interface{ event() }

// The events.
type (
	// Joined is the first event of a member: the others, in the order they came.
	Joined struct{ Peers []Peer }
	// NewPeer came in.
	NewPeer struct{ Peer Peer }
	// PeerLeft went.
	PeerLeft struct{ Peer string }
	// Updated is a change of another's status, as it was sent: null for what was removed.
	Updated struct {
		Peer   string
		Status Status
	}
	// Relayed is a message of another member.
	Relayed struct {
		From string
		Data json.RawMessage
	}
	// Refused answers an input that changed nothing.
	Refused struct{ Reason Reason }
)

func (Joined) event()   {}
func (NewPeer) event()  {}
func (PeerLeft) event() {}
func (Updated) event()  {}
func (*Relayed) event() {}
func (Refused) event()  {}

// Reason says why an input was refused.
type Reason string

// The reasons.
const (
	Full             Reason = "room_full"
	AlreadyIn        Reason = "in_room"
	NotIn            Reason = "not_in_room"
	UnknownPeer      Reason = "unknown_peer"
	PasswordMismatch Reason = "password_mismatch"
	PasswordTooLong  Reason = "password_too_long"
	BlankName        Reason = "blank_name"
	NameTooLong      Reason = "name_too_long"
	BadName          Reason = "bad_name_type"
	StatusTooLarge   Reason = "status_too_large"
)

// Reasons lists them all.
func Reasons() []Reason {
	return []Reason{Full, AlreadyIn, NotIn, UnknownPeer, PasswordMismatch, PasswordTooLong, BlankName, NameTooLong, BadName, StatusTooLarge}
}

// Room is one meeting.  It is not safe for concurrent use.
type Room struct {
	limits   Limits
	password string
	members  []member  // in the order they came
	relaying [1]Output // what relay returns, over and over: most inputs are messages, which are to leave no garbage
	relayed  Relayed   // its event
}

type member struct {
	id     string
	tag    any
	status Status
}

// New returns a room with nobody in it.
func New(limits Limits) *Room { return &Room{limits: limits.WithDefaults()} }

// Handle takes one input.  It never panics and never blocks.  What it returns is good until the next input.
func (r *Room) Handle(in Input) []Output {
	switch in := in.(type) {
	case Join:
		return r.join(in)
	case Leave:
		return r.leave(in.Member)
	case Update:
		return r.update(in)
	case Relay:
		return r.relay(in)
	}
	return nil
}

// Len is how many members there are.
func (r *Room) Len() int { return len(r.members) }

// Has says that the member is in the room.
func (r *Room) Has(id string) bool { return r.find(id) != nil }

func (r *Room) find(id string) *member {
	for i := range r.members {
		if m := &r.members[i]; m.id == id {
			return m
		}
	}
	return nil
}

func (m *member) told(ev Event) Output { return Output{m.id, m.tag, ev} }

func refuse(to string, why Reason) []Output { return []Output{{Member: to, Event: Refused{why}}} }

// others addresses an event to everybody but one.
func (r *Room) others(but string, ev Event, outputs []Output) []Output {
	for _, m := range r.members {
		if m.id != but {
			outputs = append(outputs, m.told(ev))
		}
	}
	return outputs
}

func (r *Room) join(in Join) []Output {
	merged, why := r.merge(nil, in.Status)
	switch {
	case r.find(in.Member) != nil:
		why = AlreadyIn
	case utf8.RuneCountInString(in.Password) > r.limits.Password:
		why = PasswordTooLong
	case len(r.members) > 0 && subtle.ConstantTimeCompare([]byte(in.Password), []byte(r.password)) == 0:
		why = PasswordMismatch
	case len(r.members) >= r.limits.Members:
		why = Full
	}
	if why != "" {
		return refuse(in.Member, why)
	}
	if len(r.members) == 0 {
		r.password = in.Password
	}
	entered := member{in.Member, in.Tag, merged}
	peers := make([]Peer, len(r.members))
	for i, m := range r.members {
		peers[i] = Peer{m.id, m.status}
	}
	outputs := r.others(in.Member, NewPeer{Peer{in.Member, merged}}, []Output{entered.told(Joined{peers})})
	r.members = append(r.members, entered)
	return outputs
}

func (r *Room) leave(id string) []Output {
	at := slices.IndexFunc(r.members, func(m member) bool { return m.id == id })
	if at < 0 {
		return nil
	}
	r.members = slices.Delete(r.members, at, at+1)
	return r.others(id, PeerLeft{id}, nil)
}

func (r *Room) update(in Update) []Output {
	m := r.find(in.Member)
	if m == nil {
		return refuse(in.Member, NotIn)
	}
	merged, why := r.merge(m.status, in.Status)
	if why != "" {
		return refuse(in.Member, why)
	}
	m.status = merged
	if len(in.Status) == 0 {
		return nil
	}
	return r.others(m.id, Updated{m.id, in.Status}, nil)
}

func (r *Room) relay(in Relay) []Output {
	var from, to *member
	for i := range r.members {
		switch m := &r.members[i]; {
		case m.id == in.From:
			from = m
		case m.id == string(in.To):
			to = m
		}
	}
	switch {
	case from == nil:
		return refuse(in.From, NotIn)
	case to == nil:
		return refuse(in.From, UnknownPeer)
	}
	r.relayed = Relayed{in.From, in.Data}
	r.relaying[0] = to.told(&r.relayed)
	return r.relaying[:]
}

// merge returns a status with the changes made to it, or why they cannot be.  Statuses that were given out are never changed afterwards.
func (r *Room) merge(status, change Status) (Status, Reason) {
	if why := r.checkName(change["name"]); why != "" {
		return nil, why
	}
	merged := Status{}
	maps.Copy(merged, status)
	for name, value := range change {
		if isNull(value) {
			delete(merged, name)
		} else {
			merged[name] = value
		}
	}
	if r.tooLarge(change) || r.tooLarge(merged) {
		return nil, StatusTooLarge
	}
	return merged, ""
}

func isNull(value json.RawMessage) bool { return len(value) == 0 || string(value) == "null" }

func (r *Room) tooLarge(s Status) bool {
	size := 0
	for name, value := range s {
		size += len(name) + len(value)
	}
	return len(s) > r.limits.StatusFields || size > r.limits.StatusBytes
}

func (r *Room) checkName(value json.RawMessage) Reason {
	if isNull(value) {
		return ""
	}
	var name string
	switch err := json.Unmarshal(value, &name); {
	case err != nil:
		return BadName
	case strings.TrimSpace(name) == "":
		return BlankName
	case utf8.RuneCountInString(name) > r.limits.Name:
		return NameTooLong
	}
	return ""
}
