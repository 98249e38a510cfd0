package component

import (
	"time"

	"github.com/google/uuid"

	"carillon/component/gateway"
	"carillon/component/room"
)

// A membership is the part of a session in a room.  It needs no address and outlives no socket.
type membership struct {
	id      string  // the same in all rooms of the connection
	guest   string  // the address of a connection that proved none: random, nobody can call it
	room    *hosted // nil outside
	address string  // by which it joined
	request gateway.ID
	renewal *time.Timer // of the credentials
}

// inRoom carries out the frames of rooms.
func (s *session) inRoom(req gateway.Request) (gateway.Frame, error) {
	at := &s.in
	switch r := req.Event.(type) {
	case gateway.JoinRoom:
		return s.joinRoom(req, r)
	case gateway.LeaveRoom:
		s.leaveRoom()
		return nil, nil
	case gateway.UpdateStatus:
		if at.room != nil {
			return nil, at.room.do(room.Update{Member: at.id, Status: r.Status})
		}
	case *gateway.SendToPeer:
		if at.room != nil {
			return nil, at.room.do(room.Relay{From: at.id, To: r.PeerID, Data: r.Data})
		}
	}
	return nil, gateway.RoomError(room.NotIn)
}

func (s *session) joinRoom(req gateway.Request, r gateway.JoinRoom) (gateway.Frame, error) {
	c, at := s.c, &s.in
	if at.room != nil {
		return nil, gateway.RoomError(room.AlreadyIn)
	}
	name, err := c.rooms.roomName(r.RoomID)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	closing := c.closing
	c.mu.Unlock()
	if closing {
		return nil, gateway.Errorf(gateway.Restarting, "the service is being restarted; try again in a moment")
	}
	from := addressGroup(s.conn.Remote())
	if !c.policy.allow(time.Now(), joinFrom, from, c.rooms.limits.JoinsPerIP) {
		return nil, gateway.Errorf(gateway.RateLimited, "rooms were joined too often from your network address just now; wait a minute")
	}
	if err := c.mayMint(s.conn.Remote()); err != nil {
		return nil, err
	}
	if at.id == "" {
		at.id = uuid.NewString()
		at.guest = "guest-" + randomID() + "@" + c.cfg.Domain.String()
	}
	attached := s.address()
	at.request, at.address = req.ID, attached
	if attached == "" {
		at.address = at.guest
	}
	h, err := c.rooms.join(name, from, room.Join{Member: at.id, Status: r.Status, Password: r.Password, Tag: s})
	if err != nil {
		return nil, err
	}
	at.room = h
	if len(c.cfg.TURN.URLs) > 0 && (r.Renew || attached != "") {
		s.renew()
	}
	return gateway.Later, nil
}

// hear implements member.
func (s *session) hear(ev room.Event) {
	if j, ok := ev.(room.Joined); ok {
		s.joinedRoom(j)
		return
	}
	if f := gateway.RoomFrame(ev); f != nil {
		s.conn.Send(f)
	}
}

// joinedRoom answers the join, before anything else of the room can reach the socket.
func (s *session) joinedRoom(j room.Joined) {
	now := time.Now()
	servers, expires := s.c.iceServers(s.in.id, now)
	frame := gateway.JoinedRoom{
		OwnID: s.in.id, Peers: gateway.RoomPeers(j.Peers), Address: s.in.address,
		ICEServers: servers, RelayOnly: s.c.cfg.TURN.RelayOnly, Expires: secondsUntil(expires, now),
	}
	if !expires.IsZero() {
		relay := servers[len(servers)-1]
		frame.TURNUser, frame.TURNPassword = relay.Username, relay.Credential
	}
	s.conn.Send(gateway.Reply(s.in.request, frame))
}

// renew sends new credentials before the old ones run out, until the member leaves.
func (s *session) renew() {
	h, id := s.in.room, s.in.id
	h.holds(id, func() {
		var t *time.Timer
		t = time.AfterFunc(turnRenewal, func() {
			h.holds(id, func() {
				now := time.Now()
				servers, expires := s.c.iceServers(id, now)
				s.conn.Send(gateway.ICEServers{Room: true, ICEServers: servers, Expires: secondsUntil(expires, now)})
				t.Reset(turnRenewal)
			})
		})
		s.in.renewal = t
	})
}

// address is that of the page, "" when the socket has not attached.
func (s *session) address() string {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.tab == nil || s.tab.session != s {
		return ""
	}
	return s.tab.address.String()
}

// leaveRoom leaves the room, if the session is in one.
func (s *session) leaveRoom() {
	if s.in.room == nil {
		return
	}
	s.in.room.do(room.Leave{Member: s.in.id})
	s.in.room = nil
	if s.in.renewal != nil {
		s.in.renewal.Stop()
		s.in.renewal = nil
	}
}
