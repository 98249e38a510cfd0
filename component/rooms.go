package component

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"carillon/component/gateway"
	"carillon/component/room"
)

// RoomLimits bound the rooms of this service.  Zero fields get the default.
type RoomLimits struct {
	room.Limits     // of each; Name bounds the name of the room too
	Rooms       int // with somebody in them: 1000
	RoomsPerIP  int // that were opened from one IP address, IPv6 by /64: 20
	JoinsPerIP  int // of one IP address, a minute: 60
}

func (l RoomLimits) withDefaults() RoomLimits {
	l.Limits = l.Limits.WithDefaults()
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&l.Rooms, 1000)
	def(&l.RoomsPerIP, 20)
	def(&l.JoinsPerIP, 60)
	return l
}

// A member takes the events of a room.  Hear is called in their order, while the room is held: it must neither wait nor call the room.
type member interface{ hear(room.Event) }

// rooms are those with somebody in them.  Nothing of a room outlives its members.
type rooms struct {
	limits RoomLimits

	mu     sync.Mutex // guards what follows; taken while a room is held, never the other way round
	byName map[string]*hosted
	opened map[string]int // rooms by the network address that opened them
}

func newRooms(limits RoomLimits) *rooms {
	return &rooms{limits: limits.withDefaults(), byName: map[string]*hosted{}, opened: map[string]int{}}
}

// hosted owns one room: whoever holds mu feeds it and hands out what it returns.  That takes no goroutine and no queue: a room decides at once,
// and its members' sockets have queues of their own.
type hosted struct {
	rooms *rooms
	name  string
	from  string // the network address that opened it

	mu   sync.Mutex
	room *room.Room // its members' tags are the member that each is
	over bool       // nobody is in it and it is forgotten
}

// roomName is the name by which a room is found: the same for all ways to write it in Unicode.
func (rs *rooms) roomName(id string) (string, error) {
	name := norm.NFC.String(id)
	switch {
	case strings.TrimSpace(name) == "":
		return "", gateway.Errorf(gateway.NoRoomID, "a room's name has something in it that can be seen")
	case utf8.RuneCountInString(name) > rs.limits.Name:
		return "", gateway.Errorf(gateway.RoomIDTooLong, "a room's name has at most %d characters", rs.limits.Name)
	}
	return name, nil
}

// join brings a member, the tag, into the room of that name, which is opened if there is none.
func (rs *rooms) join(name, from string, in room.Join) (*hosted, error) {
	for {
		h, err := rs.find(name, from)
		if err != nil {
			return nil, err
		}
		if joined, err := h.join(in); joined || err != nil {
			return h, err
		}
		// The last member left between the two: it is another room now.
	}
}

// find returns the room of that name, or opens it.
func (rs *rooms) find(name, from string) (*hosted, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if h := rs.byName[name]; h != nil {
		return h, nil
	}
	switch {
	case len(rs.byName) >= rs.limits.Rooms:
		return nil, gateway.Errorf(gateway.TooMany, "this service has as many rooms open as it may; try again later")
	case rs.opened[from] >= rs.limits.RoomsPerIP:
		return nil, gateway.Errorf(gateway.TooMany, "too many rooms were opened from your network address")
	}
	h := &hosted{rooms: rs, name: name, from: from, room: room.New(rs.limits.Limits)}
	rs.byName[name] = h
	rs.opened[from]++
	return h, nil
}

// join is false without an error when the room is over.
func (h *hosted) join(in room.Join) (joined bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return false, nil
	}
	err = h.handle(in)
	return err == nil, err
}

// do feeds an input of a member.
func (h *hosted) do(in room.Input) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.handle(in)
}

// holds runs f if that member is still in the room, which it cannot leave meanwhile.
func (h *hosted) holds(id string, f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.room.Has(id) {
		f()
	}
}

// handle feeds an input and carries out the outputs.  The error is the refusal of the input.  h.mu is held.
func (h *hosted) handle(in room.Input) (refusal error) {
	for _, out := range h.room.Handle(in) {
		switch ev := out.Event.(type) {
		case room.Refused:
			refusal = gateway.RoomError(ev.Reason)
		case *room.Relayed:
			out.Tag.(member).hear(ev)
			*ev = room.Relayed{} // or the room would hold on to a buffer of the gateway's until the next message
		default:
			out.Tag.(member).hear(ev)
		}
	}
	if h.room.Len() == 0 {
		h.over = true
		h.rooms.forget(h)
	}
	return refusal
}

func (rs *rooms) forget(h *hosted) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.byName[h.name] == h {
		delete(rs.byName, h.name)
		decrement(rs.opened, h.from)
	}
}

// count returns how many rooms and members there are.
func (rs *rooms) count() (open, members int) {
	rs.mu.Lock()
	list := make([]*hosted, 0, len(rs.byName))
	for _, h := range rs.byName {
		list = append(list, h)
	}
	rs.mu.Unlock()
	for _, h := range list {
		h.mu.Lock()
		members += h.room.Len()
		h.mu.Unlock()
	}
	return len(list), members
}
