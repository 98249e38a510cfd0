package component

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"carillon/component/gateway"
	"carillon/component/room"
)

// A witness is a scripted member: it believes what the server tells it, and notes what cannot be.
type witness struct {
	discard
	session gateway.Session
	room    string // by its own script; "" outside
	status  string // what it says of itself

	mu    sync.Mutex
	own   string
	out   bool              // it has left
	peers map[string]string // the others and what they say of themselves, as it was told
	got   int               // messages
	wrong []string
}

func (w *witness) note(format string, args ...any) {
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

func (w *witness) Send(f gateway.Frame) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := func(id string) {
		if _, ok := w.peers[id]; !ok {
			w.note("%T of %s, who is not here", f, id)
		}
	}
	if _, joined := f.(gateway.JoinedRoom); w.out && !joined {
		w.note("%T after it left", f)
	}
	switch f := f.(type) {
	case gateway.JoinedRoom:
		w.out, w.own, w.peers = false, f.OwnID, map[string]string{}
		for _, p := range f.Peers {
			w.peers[p.PeerID] = string(p.Status["n"])
		}
	case gateway.NewPeer:
		if _, ok := w.peers[f.PeerID]; ok || f.PeerID == w.own {
			w.note("%s came twice", f.PeerID)
		}
		w.peers[f.PeerID] = string(f.Status["n"])
	case gateway.PeerLeft:
		known(f.SenderID)
		delete(w.peers, f.SenderID)
	case gateway.PeerUpdatedStatus:
		known(f.SenderID)
		w.peers[f.SenderID] = string(f.Status["n"])
	case *gateway.Relayed:
		known(f.From)
		w.got++
	}
}

func (w *witness) view() (own string, peers map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.own, maps.Clone(w.peers)
}

// act does one thing at random and tells whether it sent a message.
func (w *witness) act(random *rand.Rand, home, rooms int) (sent int, err error) {
	do := func(ev gateway.ClientEvent) error {
		_, err := w.session.Handle(gateway.Request{Event: ev})
		return err
	}
	say := func() room.Status {
		w.status = fmt.Sprint(random.IntN(1000))
		return room.Status{"n": json.RawMessage(w.status)}
	}
	if w.room == "" {
		to := fmt.Sprint((home + random.IntN(8)/7) % rooms) // now and then the neighbour's
		err := do(gateway.JoinRoom{RoomID: to, Status: say()})
		if err == nil {
			w.room = to
		}
		return 0, except(err, gateway.RoomFull)
	}
	switch random.IntN(8) {
	case 0, 1:
		w.room = ""
		err := do(gateway.LeaveRoom{})
		w.mu.Lock()
		w.out = true
		w.mu.Unlock()
		return 0, err
	case 2, 3:
		return 0, do(gateway.UpdateStatus{Status: say()})
	}
	_, peers := w.view()
	for id := range peers {
		err := do(&gateway.SendToPeer{PeerID: []byte(id), Data: json.RawMessage(`{"event":"message"}`)})
		if err == nil {
			sent = 1
		}
		return sent, except(err, gateway.UnknownPeer) // who may just have left
	}
	return 0, nil
}

// except passes over an error that is to be expected.
func except(err error, code gateway.Code) error {
	var e *gateway.Error
	if errors.As(err, &e) && e.Code == code {
		return nil
	}
	return err
}

// TestRoomStress has 500 rooms of four join, talk and leave at random, on several goroutines.  When they pause, each member knows exactly who
// is in its room and what they last said of themselves; when they have gone, nothing is left.
func TestRoomStress(t *testing.T) {
	const rooms, perRoom, rounds, actions, workers = 500, 4, 3, 15, 8
	c, _ := newTestComponent(t, nil)
	before, goroutines := heap(), runtime.NumGoroutine()
	all := make([]*witness, rooms*perRoom)
	for i := range all {
		all[i] = &witness{discard: discard{pageIP(i)}}
		all[i].session = c.Open(all[i])
	}
	sent := 0
	for round := range rounds {
		counts := make([]int, workers)
		var wg sync.WaitGroup
		for n := range workers {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(uint64(round), uint64(n)))
				for range actions * len(all) / workers / perRoom {
					home := random.IntN(rooms)
					for k := range perRoom {
						if i := home*perRoom + k; i%workers == n { // a session has one reader
							for range perRoom {
								one, err := all[i].act(random, home, rooms)
								if err != nil {
									t.Error(err)
								}
								counts[n] += one
							}
						}
					}
				}
			})
		}
		wg.Wait()
		for _, n := range counts {
			sent += n
		}
		checkWitnesses(t, c, all)
	}
	got := 0
	for i, w := range all {
		got += w.got
		w.session.Closed(i%2 == 0)
	}
	if got != sent || sent < 500 {
		t.Errorf("%d messages sent, %d arrived", sent, got)
	}
	if s := c.Stats(); s.Rooms != 0 || s.Members != 0 || len(c.rooms.opened) != 0 {
		t.Errorf("left at the end: %+v, %v", s, c.rooms.opened)
	}
	clear(all)
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if grown := int64(heap()) - int64(before); grown > 2<<20 {
		t.Errorf("%d KB of memory are kept", grown>>10)
	}
}

// checkWitnesses holds what each member believes against what all of them did.
func checkWitnesses(t *testing.T, c *Component, all []*witness) {
	t.Helper()
	want := map[string]map[string]string{} // room, member, status
	inside := 0
	for _, w := range all {
		for _, wrong := range w.wrong {
			t.Error(wrong)
		}
		if w.room == "" {
			continue
		}
		inside++
		if want[w.room] == nil {
			want[w.room] = map[string]string{}
		}
		want[w.room][w.own] = w.status
	}
	if s := c.Stats(); s.Rooms != len(want) || s.Members != inside || inside < len(all)/4 {
		t.Errorf("%d rooms with %d members by the script, %+v", len(want), inside, s)
	}
	for _, w := range all {
		if w.room == "" {
			continue
		}
		own, view := w.view()
		view[own] = w.status
		if !maps.Equal(view, want[w.room]) {
			t.Fatalf("%s believes that in room %s are %v, there are %v", own, w.room, view, want[w.room])
		}
	}
}

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Joining a room that ends at that moment opens it anew, and never leads into one that is forgotten.
func TestJoinWhileRoomEnds(t *testing.T) {
	rs := newRooms(RoomLimits{})
	w := &witness{}
	ended, err := rs.find("r", "ip")
	if joined, joinErr := ended.join(room.Join{Member: "a", Tag: w}); err != nil || !joined || joinErr != nil {
		t.Fatal(err, joinErr)
	}
	ended.do(room.Leave{Member: "a"})
	if joined, err := ended.join(room.Join{Member: "b", Tag: w}); joined || err != nil {
		t.Errorf("a forgotten room was joined: %v, %v", joined, err)
	}
	if h, err := rs.join("r", "ip", room.Join{Member: "b", Tag: w}); err != nil || h == ended || rs.byName["r"] != h {
		t.Errorf("the room was not opened anew: %v", err)
	}
}

// The same with several who come and go as fast as they can.
func TestRoomOpensAndEnds(t *testing.T) {
	c, _ := newTestComponent(t, func(cfg *Config) { cfg.Rooms.JoinsPerIP = 1 << 30 })
	var wg sync.WaitGroup
	deadline := time.Now().Add(300 * time.Millisecond)
	for i := range 4 {
		w := &witness{discard: discard{pageIP(i)}}
		w.session = c.Open(w)
		wg.Go(func() {
			defer w.session.Closed(true)
			for time.Now().Before(deadline) {
				for _, ev := range []gateway.ClientEvent{gateway.JoinRoom{RoomID: "r"}, gateway.LeaveRoom{}} {
					if _, err := w.session.Handle(gateway.Request{Event: ev}); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Rooms != 0 {
		t.Errorf("%+v", s)
	}
}

func (w *witness) hear(room.Event) {}
