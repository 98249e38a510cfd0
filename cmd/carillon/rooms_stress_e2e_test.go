//go:build e2e

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const (
	stressRooms   = 500
	stressMembers = 4
)

// TestRoomsUnderStress lets scripted members of many rooms come, go, break off, change and talk at random.  Each checks every
// frame against what it knows; when all is quiet each must know exactly who is there, and after the end nothing may be left.
func TestRoomsUnderStress(t *testing.T) {
	during := 10 * time.Second
	if os.Getenv("E2E_REPETITIONS") != "" {
		during = time.Minute
	}
	d := startDaemon(t, "")
	s := &stress{t: t, d: d, dialling: make(chan struct{}, 32)}
	for i := range stressRooms * stressMembers {
		s.members = append(s.members, &scripted{
			s: s, number: i, room: fmt.Sprint("room ", i/stressMembers), random: rand.New(rand.NewPCG(1, uint64(i))),
		})
	}
	// The first socket of all starts what then waits for all sockets until the end.
	first, err := benchDial(d.addr, "/ws", d.origin, 0)
	if err != nil {
		t.Fatal(err)
	}
	first.conn.Close()
	before := d.ask("memory")

	end := time.Now().Add(during)
	s.each(func(m *scripted) { m.live(end) })
	s.each((*scripted).settle)
	// Who is where is known now; the views of all have to come to that, whatever is still on its way.
	s.each((*scripted).learn)
	s.each((*scripted).talk)
	s.each((*scripted).hearAll)
	t.Logf("%d joins, %d leaves, %d breaks, %d updates, %d messages, %d frames received; %d members in the end",
		s.joins.Load(), s.leaves.Load(), s.breaks.Load(), s.updates.Load(), s.messages.Load(), s.frames.Load(), s.inside())
	full := d.ask("memory")

	s.each((*scripted).depart)
	s.noGhosts()
	after := d.ask("memory")
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(10 * time.Second); after.Goroutines > before.Goroutines && time.Now().Before(deadline); after = d.ask("memory") {
		<-again.C
	}
	t.Logf("goroutines %d, at full house %d, afterwards %d; heap %d, %d, %d KiB", before.Goroutines, full.Goroutines, after.Goroutines,
		before.Heap>>10, full.Heap>>10, after.Heap>>10)
	if after.Goroutines > before.Goroutines {
		t.Errorf("%d goroutines are left over", after.Goroutines-before.Goroutines)
	}
	// Go keeps the descriptors of all goroutines that there ever were at once, and tables that have grown: 1 KiB for each member.
	if most := uint64(2 * len(s.members) << 10); after.Heap > before.Heap+most {
		t.Errorf("%d KiB are left over", (after.Heap-before.Heap)>>10)
	}
}

type stress struct {
	t        *testing.T
	d        *daemon
	members  []*scripted
	dialling chan struct{} // by as many at once: a full machine takes longer than the server waits for a request's end
	ids      sync.Map      // every id given out -> the number of its member and connection

	faults                                           atomic.Int64
	joins, leaves, breaks, updates, messages, frames atomic.Int64
}

// each runs one phase of all members, and ends the test if anything was wrong in it.
func (s *stress) each(phase func(*scripted)) {
	s.t.Helper()
	var all sync.WaitGroup
	for _, m := range s.members {
		all.Add(1)
		go func() {
			defer all.Done()
			phase(m)
		}()
	}
	all.Wait()
	if s.faults.Load() > 0 {
		s.t.FailNow()
	}
}

func (s *stress) inside() (n int) {
	for _, m := range s.members {
		if m.in {
			n++
		}
	}
	return n
}

// noGhosts enters every room once more: it must be empty.
func (s *stress) noGhosts() {
	s.t.Helper()
	deadline := time.Now().Add(10 * time.Second) // the server may see a broken connection a little later
	for i := 0; i < len(s.members); i += stressMembers {
		m := s.members[i]
		for {
			if !m.connect() {
				s.t.FailNow()
			}
			m.join()
			m.until("an answer to join_room", func() bool { return !m.joining })
			ghosts := len(m.view)
			m.ws.Close(websocket.StatusNormalClosure, "")
			if ghosts == 0 {
				break
			}
			if time.Now().After(deadline) {
				s.t.Fatalf("%s has %d ghosts: %v", m.room, ghosts, m.view)
			}
		}
	}
}
