//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// A scripted member acts in one goroutine; another one reads its socket.
type scripted struct {
	s      *stress
	number int
	room   string
	random *rand.Rand

	ws          *websocket.Conn
	frames      chan stressFrame // closed when the socket ended
	connections int
	own         string
	joining, in bool
	status      int            // serial of the own status
	view        map[string]int // the others in the room: id to serial of the status
	sent        map[int]sentTo // requests that may be refused, by the id of the frame
	left        map[string]int // how often a peer has left
	lastID      int
	serial      map[string]int  // of the last message from a peer
	talked      map[string]bool // whose word of the last round has come
	fenced      bool            // info was answered
}

// sentTo is to whom something was sent, and how often that peer had left before.
type sentTo struct {
	peer string
	left int
}

// stressFrame is any frame of the server.
type stressFrame struct {
	Event    string
	ID       int
	OwnID    string `json:"own_id"`
	PeerID   string `json:"peer_id"`
	SenderID string `json:"sender_id"`
	Code     string
	Status   *stressStatus
	Peers    []struct {
		PeerID string `json:"peer_id"`
		Status *stressStatus
	}
	Data struct {
		From, To string
		Serial   int
		Last     bool
	}
}

type stressStatus struct{ Serial int }

func (m *scripted) fault(format string, args ...any) {
	m.s.faults.Add(1)
	m.s.t.Errorf("member %d of %s, %s: "+format, append([]any{m.number, m.room, m.own}, args...)...)
}

// connect opens a socket, and says whether it could.
func (m *scripted) connect() bool {
	header := http.Header{
		"Origin":          {m.s.d.origin},
		"X-Forwarded-For": {fmt.Sprintf("10.1.%d.%d", m.number>>8, m.number&255)},
	}
	m.s.dialling <- struct{}{}
	defer func() { <-m.s.dialling }()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+m.s.d.addr+"/ws", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		m.fault("%v", err)
		return false
	}
	frames := make(chan stressFrame, 64)
	m.ws, m.frames, m.own = ws, frames, ""
	m.connections++
	m.sent, m.left = map[int]sentTo{}, map[string]int{}
	go func() {
		defer close(frames)
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				return
			}
			var f stressFrame
			if err := json.Unmarshal(data, &f); err != nil {
				f.Event = "unreadable " + string(data)
			}
			frames <- f
		}
	}()
	return true
}

func (m *scripted) send(frame map[string]any) {
	text, err := json.Marshal(frame)
	if err == nil {
		err = m.ws.Write(context.Background(), websocket.MessageText, text)
	}
	if err != nil {
		m.fault("sending: %v", err)
	}
}

// live acts at random times until the end.
func (m *scripted) live(end time.Time) {
	next := time.NewTimer(time.Duration(m.random.Int64N(int64(3 * time.Second)))) // not all at once
	defer next.Stop()
	last := time.NewTimer(time.Until(end))
	defer last.Stop()
	for m.s.faults.Load() == 0 {
		select {
		case f, ok := <-m.frames:
			if !ok {
				m.fault("the server closed the connection")
				return
			}
			m.take(f)
		case <-next.C:
			m.act()
			next.Reset(time.Duration(m.random.Int64N(int64(time.Second))))
		case <-last.C:
			return
		}
	}
}

func (m *scripted) act() {
	chance := m.random.IntN(100)
	switch {
	case m.ws == nil:
		if m.connect() {
			m.join()
		}
	case m.joining:
	case !m.in:
		m.join()
	case chance < 8:
		m.s.leaves.Add(1)
		m.send(map[string]any{"event": "leave_room"})
		m.in = false
	case chance < 12: // the network fails
		m.s.breaks.Add(1)
		m.ws.CloseNow()
		m.gone()
	case chance < 15:
		m.s.leaves.Add(1)
		go m.ws.Close(websocket.StatusNormalClosure, "")
		m.gone()
	case chance < 45:
		m.s.updates.Add(1)
		m.status++
		m.send(map[string]any{"event": "update_status", "status": m.ownStatus()})
	default:
		for id := range m.view {
			m.say(id, false)
			break
		}
	}
}

// gone forgets a connection that is closed on this side.
func (m *scripted) gone() {
	go func(frames chan stressFrame) {
		for range frames { // until its reader has ended
		}
	}(m.frames)
	m.ws, m.frames, m.in, m.joining = nil, nil, false, false
}

func (m *scripted) ownStatus() map[string]any {
	return map[string]any{"name": fmt.Sprint("member ", m.number), "serial": m.status}
}

func (m *scripted) join() {
	m.s.joins.Add(1)
	m.joining = true
	m.status++
	m.send(map[string]any{"event": "join_room", "room_id": m.room, "status": m.ownStatus()})
}

// say sends a message in another's name, which the server must not let pass.
func (m *scripted) say(to string, last bool) {
	m.s.messages.Add(1)
	m.lastID++
	m.sent[m.lastID] = sentTo{to, m.left[to]}
	m.send(map[string]any{"event": "send_to_peer", "id": m.lastID, "peer_id": to, "data": map[string]any{
		"event": "message", "sender_id": to, "data": map[string]any{"from": m.own, "to": to, "serial": m.lastID, "last": last},
	}})
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// take checks a frame against the view and changes that.
func (m *scripted) take(f stressFrame) {
	m.s.frames.Add(1)
	switch f.Event {
	case "hello", "ok", "pong":
		return
	case "info":
		m.fenced = true
		return
	case "joined_room":
		m.joined(f)
		return
	case "error":
		m.refused(f)
		return
	case "shutdown":
		m.fault("shutdown")
		return
	}
	if m.own == "" {
		m.fault("%s before joined_room", f.Event)
	}
	if !m.in { // it has left, and what was on its way has not heard of that
		return
	}
	_, known := m.view[f.SenderID]
	switch {
	case f.Event == "new_peer":
		if _, twice := m.view[f.PeerID]; twice || f.PeerID == m.own || f.Status == nil || f.SenderID != "" {
			m.fault("a wrong new_peer: %+v, view %v", f, m.view)
			return
		}
		m.view[f.PeerID] = f.Status.Serial
	case !known:
		m.fault("%s of %s, who is not in the room: %v", f.Event, f.SenderID, m.view)
	case f.Event == "peer_left":
		delete(m.view, f.SenderID)
		m.left[f.SenderID]++
	case f.Event == "peer_updated_status":
		if f.Status == nil || f.Status.Serial <= m.view[f.SenderID] {
			m.fault("status %+v of %s after %d", f.Status, f.SenderID, m.view[f.SenderID])
			return
		}
		m.view[f.SenderID] = f.Status.Serial
	case f.Event == "message":
		if f.Data.From != f.SenderID || f.Data.To != m.own || f.Data.Serial <= m.serial[f.SenderID] {
			m.fault("a wrong message: %+v after %d", f, m.serial[f.SenderID])
			return
		}
		m.serial[f.SenderID] = f.Data.Serial
		if f.Data.Last {
			m.talked[f.SenderID] = true
		}
	default:
		m.fault("an unexpected frame: %+v", f)
	}
}

func (m *scripted) joined(f stressFrame) {
	switch {
	case !m.joining:
		m.fault("joined_room out of turn")
	case m.own != "" && m.own != f.OwnID:
		m.fault("joined_room as %s on the same connection", f.OwnID)
	case !uuid4.MatchString(f.OwnID) || f.SenderID != "":
		m.fault("a wrong joined_room: %+v", f)
	}
	connection := fmt.Sprintf("%d.%d", m.number, m.connections)
	if other, taken := m.s.ids.LoadOrStore(f.OwnID, connection); taken && other != connection {
		m.fault("id %s was given to %v too", f.OwnID, other)
	}
	m.own, m.joining, m.in = f.OwnID, false, true
	m.view, m.serial, m.talked = map[string]int{}, map[string]int{}, map[string]bool{}
	for _, p := range f.Peers {
		if _, twice := m.view[p.PeerID]; twice || p.PeerID == m.own || p.Status == nil {
			m.fault("joined_room with wrong peers: %+v", f)
			return
		}
		m.view[p.PeerID] = p.Status.Serial
	}
}

// refused takes an error: right is only that a peer has left, which one has been told by then.  It may have come back already.
func (m *scripted) refused(f stressFrame) {
	to, asked := m.sent[f.ID]
	if f.Code == "unknown_peer" && asked {
		if _, there := m.view[to.peer]; !there || !m.in || m.left[to.peer] > to.left {
			return
		}
	}
	m.fault("error %s for %d to %s, view %v", f.Code, f.ID, to.peer, m.view)
}

// until takes frames until the condition holds.
func (m *scripted) until(what string, condition func() bool) {
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for !condition() && m.s.faults.Load() == 0 {
		select {
		case f, ok := <-m.frames:
			if !ok {
				m.fault("the server closed the connection before %s", what)
				return
			}
			m.take(f)
		case <-limit.C:
			m.fault("no %s; in %v, view %v", what, m.in, m.view)
		}
	}
}

// settle makes sure that the server has read all that was sent.
func (m *scripted) settle() {
	if m.ws == nil {
		return
	}
	m.until("answer to join_room", func() bool { return !m.joining })
	m.send(map[string]any{"event": "info"})
	m.until("info", func() bool { return m.fenced })
}

// others are those who are in the room now, by their own word.
func (m *scripted) others() (others []*scripted) {
	first := m.number / stressMembers * stressMembers
	for _, o := range m.s.members[first : first+stressMembers] {
		if o != m && o.in {
			others = append(others, o)
		}
	}
	return others
}

// learn waits until the view is right: nobody missing, no ghost, no old status.
func (m *scripted) learn() {
	if !m.in {
		return
	}
	others := m.others()
	m.until("right view of the room of "+strconv.Itoa(1+len(others)), func() bool {
		if len(m.view) != len(others) {
			return false
		}
		for _, o := range others {
			if serial, there := m.view[o.own]; !there || serial != o.status {
				return false
			}
		}
		return true
	})
}

// talk says a last word to everybody.
func (m *scripted) talk() {
	if !m.in {
		return
	}
	for _, o := range m.others() {
		m.say(o.own, true)
	}
}

// hearAll waits for the last word of everybody, after which the view has to be as it was.
func (m *scripted) hearAll() {
	if !m.in {
		return
	}
	others := m.others()
	m.until("word of everybody", func() bool { return len(m.talked) == len(others) })
	m.learn()
}

func (m *scripted) depart() {
	switch {
	case m.ws == nil:
		return
	case m.number%3 == 0:
		m.ws.CloseNow()
	default:
		m.ws.Close(websocket.StatusNormalClosure, "")
	}
	m.gone()
}
