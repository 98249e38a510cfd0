package component

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"carillon/component/gateway"
)

// What palava's client does from joining to leaving, on real sockets.
func TestRoomOverSockets(t *testing.T) {
	r := newRendezvous(t, nil)
	anna, bo := r.dial("192.0.2.1"), r.dial("192.0.2.2")
	first := anna.join("kitchen", "Anna")
	if peers := first["peers"].([]any); len(peers) != 0 {
		t.Errorf("the first one found %v", peers)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(anna.own) {
		t.Errorf("%q is no UUID version 4", anna.own)
	}
	if !regexp.MustCompile(`^guest-[a-z2-7]{16}@call\.example\.org$`).MatchString(first["address"].(string)) {
		t.Errorf("address %v", first["address"])
	}
	second := bo.join("kitchen", "Bo")
	want := []any{map[string]any{"peer_id": anna.own, "status": map[string]any{"name": "Anna", "user_agent": "chrome"}}}
	if !reflect.DeepEqual(second["peers"], want) {
		t.Errorf("the second found %v", second["peers"])
	}
	came := anna.want("new_peer")
	if came["peer_id"] != bo.own || came["sender_id"] != nil || came["status"].(map[string]any)["user_agent"] != "chrome" {
		t.Errorf("new_peer %v", came)
	}

	anna.send(`{"event":"send_to_peer","peer_id":"` + bo.own + `","data":{"event":"offer","sdp":{"type":"offer","sdp":"v=0\r\n"},"x":[1,{"y":null}]}}`)
	offer := bo.want("offer")
	if !reflect.DeepEqual(offer, frame{"event": "offer", "sender_id": anna.own,
		"sdp": map[string]any{"type": "offer", "sdp": "v=0\r\n"}, "x": []any{1.0, map[string]any{"y": nil}}}) {
		t.Errorf("offer %v", offer)
	}
	bo.send(`{"event":"send_to_peer","peer_id":"` + anna.own + `","data":{"event":"ice_candidate","sdpmlineindex":0,"sdpmid":"0","candidate":"candidate:1"}}`)
	if f := anna.want("ice_candidate"); f["candidate"] != "candidate:1" || f["sender_id"] != bo.own {
		t.Errorf("candidate %v", f)
	}
	bo.send(`{"event":"update_status","status":{"name":"Bö ☕","muted":true},"id":"u"}`)
	if f := bo.want("ok"); f["id"] != "u" {
		t.Errorf("ok %v", f)
	}
	if f := anna.want("peer_updated_status"); f["sender_id"] != bo.own || !reflect.DeepEqual(f["status"], map[string]any{"name": "Bö ☕", "muted": true}) {
		t.Errorf("peer_updated_status %v", f)
	}
	anna.send(`{"event":"ping"}`)
	anna.want("pong")
	anna.send(`{"event":"info"}`)
	if f := anna.want("info"); f["protocol_version"] != "1.0.0" {
		t.Errorf("info %v", f)
	}
	anna.send(`{"event":"update_status","status":{"name":null}}`)
	if f := bo.want("peer_updated_status"); !reflect.DeepEqual(f["status"], map[string]any{"name": nil}) {
		t.Errorf("removed a name: %v", f)
	}
	bo.leave()
	if f := anna.want("peer_left"); f["sender_id"] != bo.own {
		t.Errorf("peer_left %v", f)
	}
	was := bo.own
	again := bo.join("kitchen", "Bo")
	if bo.own != was {
		t.Error("the id changed on the same connection")
	}
	if status := again["peers"].([]any)[0].(map[string]any)["status"]; !reflect.DeepEqual(status, map[string]any{"user_agent": "chrome"}) {
		t.Errorf("a removed field is still there: %v", status)
	}
	anna.want("new_peer")
	bo.ws.CloseNow()
	if f := anna.want("peer_left"); f["sender_id"] != bo.own {
		t.Errorf("peer_left after a broken socket: %v", f)
	}
	anna.leave()
	wait(t, "the room's end", func() bool { s := r.c.Stats(); return s.Rooms == 0 && s.Members == 0 })
}

func TestRoomRefusals(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) { cfg.Rooms.Members = 2 })
	anna, bo, eve := r.dial("192.0.2.1"), r.dial("192.0.2.2"), r.dial("192.0.2.3")
	toSelf := func(p *client) string {
		return `{"event":"send_to_peer","peer_id":"` + p.own + `","data":{"event":"message"}}`
	}
	eve.send(`{"event":"send_to_peer","peer_id":"x","data":{"event":"offer"}}`)
	eve.refused(gateway.NotInRoom, "currently not in any room")
	eve.send(`{"event":"update_status","status":{}}`)
	eve.refused(gateway.NotInRoom, "currently not in any room")
	eve.send(`{"event":"leave_room"}`) // silent
	eve.send(`{"event":"join_room"}`)
	eve.refused(gateway.NoRoomID, "no room id given")
	for _, blank := range []string{"", "  \t", "\u2003"} {
		eve.send(`{"event":"join_room","room_id":` + quote(blank) + `}`)
		eve.refused(gateway.NoRoomID, "no room id given")
	}
	eve.send(`{"event":"join_room","room_id":"` + strings.Repeat("ä", 51) + `"}`)
	eve.refused(gateway.RoomIDTooLong, "room id too long")
	for name, refusal := range map[string][2]string{
		`" "`:                               {"blank_name", "blank name not allowed"},
		`""`:                                {"blank_name", "blank name not allowed"},
		`"` + strings.Repeat("ä", 51) + `"`: {"name_too_long", "name too long"},
		`7`:                                 {"bad_name_type", "name is not a string"},
	} {
		eve.send(`{"event":"join_room","room_id":"r","status":{"name":` + name + `}}`)
		eve.refused(gateway.Code(refusal[0]), refusal[1])
	}
	eve.send(`{"event":"join_room","room_id":"r","status":["x"]}`)
	eve.refused(gateway.WrongType, "wrong type of field")
	if s := r.c.Stats(); s.Rooms != 0 {
		t.Fatalf("refusals left %d rooms", s.Rooms)
	}

	anna.join(strings.Repeat("ä", 50), strings.Repeat("☕", 50))
	bo.send(`{"event":"join_room","room_id":"` + strings.Repeat("a\u0308", 50) + `"}`) // the same in another spelling, without a status
	joined := bo.want("joined_room")
	bo.own = joined["own_id"].(string)
	if len(joined["peers"].([]any)) != 1 {
		t.Error("two spellings of one name are two rooms")
	}
	if f := anna.want("new_peer"); f["status"] == nil {
		t.Errorf("new_peer without a status: %v", f)
	}
	anna.send(`{"event":"join_room","room_id":"other"}`)
	anna.refused(gateway.InRoom, "already joined another room")
	eve.send(`{"event":"join_room","room_id":"` + strings.Repeat("ä", 50) + `"}`)
	eve.refused(gateway.RoomFull, "room is full")

	eve.join("elsewhere", "Eve")
	for _, to := range []string{anna.own, eve.own, "nobody"} {
		eve.send(`{"event":"send_to_peer","peer_id":"` + to + `","data":{"event":"message","data":1}}`)
		eve.refused(gateway.UnknownPeer, "unknown peer")
	}
	eve.send(`{"event":"send_to_peer","peer_id":"` + anna.own + `","data":"text"}`)
	eve.refused(gateway.RawData, "cannot send raw data")
	for _, data := range []string{`{}`, `{"event":"joined_room"}`, `{"event":7}`, `{"event":null}`, `{"Event":"offer"}`, `{"event":"offer","event":"peer_left"}`} {
		eve.send(`{"event":"send_to_peer","peer_id":"` + anna.own + `","data":` + data + `}`)
		eve.refused(gateway.EventNotAllowed, "event not allowed")
	}
	eve.send(`{"event":"dance"}`)
	eve.refused(gateway.UnknownEvent, "unknown event")
	eve.send(`{"event":"dial","to":"alice@example.org"}`)
	eve.refused(gateway.NotAttached, "not attached")
	eve.send(`[]`)
	eve.refused(gateway.BadJSON, "invalid message")
	bo.send(toSelf(anna))
	if f := anna.want("message"); f["sender_id"] != bo.own { // the first thing anna hears after all that
		t.Errorf("message %v", f)
	}
}

// A member who writes the envelope himself gets nowhere: neither as another member nor as the server.
func TestForgedEnvelope(t *testing.T) {
	r := newRendezvous(t, nil)
	anna, eve := r.dial("192.0.2.1"), r.dial("192.0.2.2")
	anna.join("r", "Anna")
	eve.join("r", "Eve")
	anna.want("new_peer")
	for _, data := range []string{
		`{"event":"message","sender_id":"` + anna.own + `","data":1}`,
		`{"sender_id":null,"event":"message","sender_id":"x","data":1,"id":1,"seq":5,"call":"c"}`,
		`{"event":"message","sender\u005fid":"x","\u0069d":1,"data":1}`,
		`{"\u0065vent":"offer","event":"\u006dessage","data":1}`,
		"{ \"event\" :\t\"message\" ,\r\n\"data\" : 1 }",
	} {
		eve.send(`{"event":"send_to_peer","peer_id":"` + anna.own + `","data":` + data + `,"sender_id":"` + anna.own + `"}`)
		if f := anna.want("message"); !reflect.DeepEqual(f, frame{"event": "message", "data": 1.0, "sender_id": eve.own}) {
			t.Errorf("%s came as %v", data, f)
		}
	}
}

func TestStatusBombs(t *testing.T) {
	r := newRendezvous(t, nil)
	anna, eve := r.dial("192.0.2.1"), r.dial("192.0.2.2")
	anna.join("r", "Anna")
	eve.join("r", "Eve")
	anna.want("new_peer")
	fields := func(prefix string, n int) string {
		list := make([]string, n)
		for i := range list {
			list[i] = `"` + prefix + string(rune('a'+i)) + `":1`
		}
		return strings.Join(list, ",")
	}
	for _, bomb := range []struct{ status, code, message string }{
		{`{"x":"` + strings.Repeat("x", 4096) + `"}`, "status_too_large", "status too large"},
		{`{"` + strings.Repeat("x", 4096) + `":1}`, "status_too_large", "status too large"},
		{`{` + fields("f", 17) + `}`, "status_too_large", "status too large"},
		{`{` + fields("f", 26) + `,` + fields("g", 26) + `,` + fields("h", 26) + `}`, "too_long", "field too long"},
		{`{"x":` + strings.Repeat("[", 7) + strings.Repeat("]", 7) + `}`, "too_deep", "nested too deeply"},
		{`{"x":` + strings.Repeat("[", 30_000) + `}`, "too_deep", "nested too deeply"},
	} {
		eve.send(`{"event":"update_status","status":` + bomb.status + `}`)
		eve.refused(gateway.Code(bomb.code), bomb.message)
	}
	eve.send(`{"event":"update_status","status":{` + fields("f", 14) + `}}`) // with name and user_agent they are 16
	anna.want("peer_updated_status")
	eve.send(`{"event":"update_status","status":{"one more":1}}`)
	eve.refused(gateway.StatusTooLarge, "status too large")
	eve.send(`{"event":"update_status","status":{"fa":null,"one more":1}}`)
	anna.want("peer_updated_status")
	if f := r.dial("192.0.2.3").join("r", "Bo"); len(f["peers"].([]any)[1].(map[string]any)["status"].(map[string]any)) != 16 {
		t.Errorf("eve's status is %v", f["peers"])
	}
}

func TestRoomPasswords(t *testing.T) {
	r := newRendezvous(t, nil)
	join := func(p *client, password string) {
		p.send(`{"event":"join_room","room_id":"r","password":` + password + `}`)
	}
	anna, eve := r.dial("192.0.2.1"), r.dial("192.0.2.2")
	join(anna, `"open sesame"`)
	anna.want("joined_room")
	for _, wrong := range []string{`"Open sesame"`, `""`, `null`, `"open sesame "`} {
		join(eve, wrong)
		eve.refused(gateway.PasswordMismatch, "wrong password")
	}
	join(eve, `"`+strings.Repeat("x", 129)+`"`)
	eve.refused(gateway.PasswordTooLong, "password too long")
	join(eve, `"open sesame"`)
	eve.want("joined_room")
	anna.want("new_peer")
	anna.leave()
	eve.want("peer_left")
	join(anna, `"mine"`) // the room lives on, and so does its password
	anna.refused(gateway.PasswordMismatch, "wrong password")
	eve.leave()
	join(anna, `""`) // a new room, without one
	anna.want("joined_room")
	join(eve, `"open sesame"`)
	eve.refused(gateway.PasswordMismatch, "wrong password")
}

func TestRoomLimits(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) { cfg.Rooms = RoomLimits{Rooms: 5, RoomsPerIP: 3, JoinsPerIP: 8} })
	for i, ip := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2"} {
		r.dial(ip).join("room "+string(rune('a'+i)), "x")
	}
	for _, ip := range []string{"192.0.2.1", "192.0.2.3"} {
		late := r.dial(ip)
		late.send(`{"event":"join_room","room_id":"one more"}`)
		late.refused(gateway.TooMany, "too many")
		late.join("room b", "x") // what is open can be joined
		late.leave()
	}
	p := r.dial("192.0.2.4")
	for range 8 {
		p.join("room a", "x")
		p.leave()
	}
	p.send(`{"event":"join_room","room_id":"room a"}`)
	p.refused(gateway.RateLimited, "too many frames")
}

func TestRoomCredentials(t *testing.T) {
	r := newRendezvous(t, func(cfg *Config) {
		cfg.TURN = TURN{URLs: []string{"turn:turn.example.org:3478"}, Secret: "s", RelayOnly: true}
		cfg.ICEServers = []gateway.ICEServer{{URLs: []string{"stun:stun.example.org"}}}
	})
	anna := r.dial("192.0.2.1")
	began := time.Now()
	f := anna.join("r", "Anna")
	want, expires := r.c.cfg.TURN.credentials(anna.own, began)
	late, _ := r.c.cfg.TURN.credentials(anna.own, began.Add(time.Second))
	if user := f["turn_user"]; user != want.Username && user != late.Username || !strings.HasSuffix(want.Username, ":"+anna.own) {
		t.Errorf("turn_user %v, want %v", user, want.Username)
	}
	servers := f["ice_servers"].([]any)
	if len(servers) != 2 || servers[1].(map[string]any)["credential"] != f["turn_password"] || f["relay_only"] != true {
		t.Errorf("joined_room %v", f)
	}
	if n := f["expires"].(float64); n < 590 || n > expires.Sub(began).Seconds() {
		t.Errorf("expires in %v", n)
	}
}

// Whoever opens the page may join a room, so what bounds the use of the relay is how often: calls and rooms together, where there is a relay.
func TestCredentialsAreBounded(t *testing.T) {
	relay := TURN{URLs: []string{"turn:t:1"}, Secret: "s"}
	for _, turn := range []TURN{relay, {}} {
		c, w := newTestComponent(t, func(cfg *Config) { cfg.TURN, cfg.Limits = turn, Limits{CredentialsPerIP: 3} })
		p := attached(t, c, newKey(t), "anna", nil)
		guest := open(t, c, nil, p.ip)
		guest.do(gateway.JoinRoom{RoomID: "r"})
		if f := expect[gateway.JoinedRoom](guest); (f.TURNPassword != "") != (turn.Secret != "") {
			t.Errorf("joined %+v", f)
		}
		p.do(gateway.Dial{To: "alice@example.org"})
		expect[gateway.Admitted](p)
		w.propose(stranger, p.at.Bare, "s1")
		p.do(gateway.Accept{Call: expect[gateway.Incoming](p).Call})
		expect[gateway.Admitted](p)
		guest.do(gateway.LeaveRoom{})
		other := open(t, c, nil, "192.0.2.99")
		other.do(gateway.JoinRoom{RoomID: "r"})
		if turn.Secret == "" {
			guest.do(gateway.JoinRoom{RoomID: "r"})
			continue
		}
		guest.refused(gateway.JoinRoom{RoomID: "r"}, gateway.RateLimited)
		p.refused(gateway.Dial{To: "carol@example.org"}, gateway.RateLimited)
		if c.policy.total != 1 {
			t.Errorf("%d calls are admitted", c.policy.total)
		}
		ben := attached(t, c, newKey(t), "ben", nil)
		w.propose(stranger, ben.at.Bare, "s2")
		ben.refused(gateway.Accept{Call: expect[gateway.Incoming](ben).Call}, gateway.RateLimited)
	}
}

// A page with an address joins under it and keeps what it has; its calls and its room do not touch each other.
func TestAttachedPageInRoom(t *testing.T) {
	c, _ := newTestComponent(t, func(cfg *Config) { cfg.TURN = TURN{URLs: []string{"turn:t:1"}, Secret: "s"} })
	p := attached(t, c, newKey(t), "anna", nil)
	seen := p.seen
	p.do(gateway.JoinRoom{RoomID: "r"})
	if f := expect[gateway.JoinedRoom](p); f.Address != p.at.Address {
		t.Errorf("joined as %s, is %s", f.Address, p.at.Address)
	}
	if p.seen != seen {
		t.Error("a frame of a room is numbered")
	}
	s := p.session.(*session)
	if s.in.renewal == nil {
		t.Error("the credentials are not renewed")
	}
	guest := open(t, c, nil, "192.0.2.9")
	guest.do(gateway.JoinRoom{RoomID: "r"})
	if guest.session.(*session).in.renewal != nil {
		t.Error("a client that does not know the event has its credentials renewed")
	}
	// Renewals come as long as one is in the room.
	renewal := s.in.renewal
	renewal.Reset(0)
	if f := expect[gateway.ICEServers](p); !f.Room || f.Call != "" || !strings.HasSuffix(f.ICEServers[0].Username, s.in.id) || f.Expires < 590 {
		t.Errorf("renewal %+v", f)
	}
	p.session.Closed(false)
	if renewal.Stop() {
		t.Error("the credentials of one who left are still renewed")
	}
	if f := expect[gateway.PeerLeft](guest); f.SenderID != s.in.id {
		t.Errorf("peer_left %+v", f)
	}
	if !c.attached(mustJID(t, p.at.Address)) {
		t.Error("a page that lost its socket lost its address with the room")
	}
	if s := c.Stats(); s.Members != 1 {
		t.Errorf("%+v", s)
	}
}
