package component

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"carillon/component/gateway"
)

// discard is a socket whose page reads everything and says nothing.
type discard struct{ ip netip.Addr }

func (discard) Send(gateway.Frame)   {}
func (discard) Close(int, string)    {}
func (d discard) Remote() netip.Addr { return d.ip }
func (discard) Origin() string       { return "https://call.example.org" }

// Somebody who would open ten thousand rooms gets as many as one address may have, and costs nobody else a place.
func TestTenThousandRooms(t *testing.T) {
	c, _ := newTestComponent(t, func(cfg *Config) { cfg.Rooms.JoinsPerIP = 100_000 })
	opened := 0
	for i := range 10_000 {
		s := c.Open(discard{netip.MustParseAddr("192.0.2.66")})
		if _, err := s.Handle(gateway.Request{Event: gateway.JoinRoom{RoomID: fmt.Sprint("room ", i)}}); err == nil {
			opened++
		}
	}
	if s := c.Stats(); opened != 20 || s.Rooms != 20 || s.Members != 20 {
		t.Errorf("%d were opened: %+v", opened, s)
	}
	open(t, c, nil, "192.0.2.67").do(gateway.JoinRoom{RoomID: "kitchen"})
}

// message is a frame that sends n bytes to a member.
func message(to string, n int) string {
	return `{"event":"send_to_peer","peer_id":"` + to + `","data":{"event":"message","data":"` + strings.Repeat("x", n) + `"}}`
}

// A member who does not read loses the socket and the place in the room, and nobody waits for it.
func TestSlowMember(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) {
		cfg.Gateway = gateway.Limits{QueueBytes: 1 << 20, Write: 100 * time.Millisecond, FramesPerSecond: 1e6, FrameBurst: 1e6}
	})
	slow, anna, bo := r.dial("192.0.2.1"), r.dial("192.0.2.2"), r.dial("192.0.2.3")
	slow.join("r", "Slow")
	anna.join("r", "Anna")
	bo.join("r", "Bo")
	anna.want("new_peer")
	gone := make(chan frame)
	go func() {
		f := anna.next()
		for f != nil && f["event"] != "peer_left" {
			f = anna.next()
		}
		gone <- f
	}()
	for {
		anna.send(message(slow.own, 60_000)) // until the queue and all socket buffers are full
		anna.send(message(bo.own, 1))
		if f := bo.next(); f["event"] != "message" && f["event"] != "peer_left" {
			t.Fatalf("bo heard %v", f)
		}
		select {
		case f := <-gone:
			if f == nil || f["sender_id"] != slow.own {
				t.Fatalf("anna heard %v", f)
			}
			if s := r.c.Stats(); s.Members != 2 {
				t.Errorf("%+v", s)
			}
			return
		default:
		}
	}
}

// A socket whose other end vanished without a word is found out by its missing pongs.
func TestHalfOpenMember(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) {
		cfg.Gateway = gateway.Limits{Ping: 30 * time.Millisecond, Pong: 2 * time.Second}
	})
	anna := r.dial("192.0.2.1")
	anna.join("r", "Anna")
	gone := r.dial("192.0.2.2")
	gone.join("r", "Gone") // and never reads again, so that it answers no ping
	anna.want("new_peer")
	if f := anna.want("peer_left"); f["sender_id"] != gone.own {
		t.Errorf("peer_left %v", f)
	}
}

// A member who floods is slowed down, then closed; the others get no more than the rate lets through.
func TestFloodingMember(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) { cfg.Gateway = gateway.Limits{FramesPerSecond: 0.001, FrameBurst: 20} })
	anna, eve := r.dial("192.0.2.1"), r.dial("192.0.2.2")
	anna.join("r", "Anna")
	eve.join("r", "Eve")
	anna.want("new_peer")
	for range 40 {
		eve.send(message(anna.own, 100))
	}
	for i := range 19 {
		if f := anna.want("message"); f["sender_id"] != eve.own {
			t.Fatalf("message %d: %v", i, f)
		}
	}
	if code := eve.closedWith(); code != gateway.ClosePolicy {
		t.Errorf("closed with %d", code)
	}
	anna.want("peer_left")
}

// The deadline to attach is for sockets that do nothing at all.
func TestRoomNeedsNoAttach(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) { cfg.Gateway = gateway.Limits{Attach: time.Second} })
	member := r.dial("192.0.2.1")
	member.join("r", "Anna")
	idle := r.dial("192.0.2.2")
	idle.send(`{"event":"join_room","room_id":""}`) // to be refused is to do nothing
	if code := idle.closedWith(); code != gateway.ClosePolicy {
		t.Errorf("an idle socket was closed with %d", code)
	}
	member.send(`{"event":"ping"}`) // it is older
	member.want("pong")
}

// At the end everybody is told how long is left, can go on for so long, and is closed as palava's server does it.
func TestRoomShutdown(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) { cfg.Shutdown = time.Second })
	anna, bo, idle := r.dial("192.0.2.1"), r.dial("192.0.2.2"), r.dial("192.0.2.3")
	anna.join("r", "Anna")
	bo.join("r", "Bo")
	anna.want("new_peer")
	began, done := time.Now(), make(chan struct{})
	go func() { r.c.shutDown(); close(done) }()
	for _, p := range []*client{anna, bo, idle} {
		if f := p.want("shutdown"); f["seconds"] != 1.0 || f["sender_id"] != nil {
			t.Errorf("shutdown %v", f)
		}
	}
	anna.send(message(bo.own, 1))
	bo.want("message")
	idle.send(`{"event":"join_room","room_id":"r"}`)
	idle.refused(gateway.Restarting, "service restarting")
	codes := make(chan int)
	for _, p := range []*client{anna, bo, idle} {
		go func() { codes <- p.closedWith() }()
	}
	for range 3 {
		if code := <-codes; code != 4200 {
			t.Errorf("closed with %d", code)
		}
	}
	<-done
	if took := time.Since(began); took < time.Second {
		t.Errorf("the notice was cut short: %v", took)
	}
	if s := r.c.Stats(); s.Rooms != 0 || s.Members != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

// Nobody waits for a notice that nobody hears.
func TestShutdownOfEmptyService(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) { cfg.Shutdown = time.Hour })
	r.c.shutDown()
}

// pageIP is the address of the nth page of a test: each has its own.
func pageIP(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)}) }
