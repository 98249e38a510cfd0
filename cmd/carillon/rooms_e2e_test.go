//go:build e2e

package main

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"
)

var recordRooms = flag.Bool("record", false, "store what the rooms' clients said in testdata/rooms; go test ./component -run Transcripts -update puts it in order")

// TestPalavaRoom is a room of people with the unmodified client from npm: late, leaving, back, cut off.
func TestPalavaRoom(t *testing.T) {
	r := startRooms(t)
	server := "ws://" + r.recorder.addr
	const room = "Ubuntu & Freunde"
	var members []*palavaMember
	for i, name := range []string{"Anna", "Berta", "Carla"} {
		hz := []int{440, 660, 880}[i]
		members = append(members, r.openPalava(startBrowser(t, "chromium", hz), hz, name))
	}
	anna, berta, carla := members[0], members[1], members[2]

	anna.join(server, room)
	first := berta.join(server, room)
	allMeet(anna, berta)
	carla.join(server, room) // late
	allMeet(anna, berta, carla)

	// A name by its status, and a word by message, which nobody can say in another's name.
	berta.Eval("person.session.room.getLocalPeer().updateStatus({name: 'Berta B.'})", nil)
	berta.nick = "Berta B."
	allMeet(anna, berta, carla)
	anna.Eval("person.peer('Carla').distributor.send({event: 'message', data: {text: 'good day'}, sender_id: args[0]})", nil, first)
	carla.WaitFor("return person.had('message', ['Anna', {text: 'good day'}])", 5*time.Second)
	for _, other := range []*palavaMember{anna, berta} {
		other.Eval("if (person.had('message')) throw new Error('a message for somebody else')", nil)
	}

	// Berta leaves, and the two others go on.
	berta.Eval("person.session.room.leave()", nil)
	anna.sawLeave(first)
	carla.sawLeave(first)
	allMeet(anna, carla)

	// She comes back, on a new socket and as somebody new.
	berta.Eval("person.session.reconnect()", nil)
	allMeet(anna, berta, carla)
	if second := berta.id(); second == first {
		t.Errorf("berta came back as %s again", second)
	}

	// Carla's network fails.  The application connects anew, as palava's own does.
	last := carla.id()
	carla.Eval("person.session.on('signaling_close', () => person.session.reconnect())", nil)
	r.recorder.cut(`"name":"Carla"`)
	anna.sawLeave(last)
	berta.sawLeave(last)
	allMeet(anna, berta, carla)
	if now := carla.id(); now == last {
		t.Errorf("carla came back as %s again", now)
	}
	carla.Eval("person.session.removeAllListeners('signaling_close')", nil)
	if *recordRooms {
		r.recorder.write("palava-2.2.1-chromium", "palava-client 2.2.1 in three "+anna.b.Version+": TestPalavaRoom")
	}

	// The service goes down and says so.
	r.stop()
	for _, m := range members {
		m.WaitFor("return person.had('signaling_shutdown', 3)", 5*time.Second)
		m.checkErrors()
	}
	// The recorder passes them on after the server has ended.
	var codes []int
	r.waitFor("three sockets' end", 5*time.Second, func() bool { codes = r.recorder.closeCodes(); return len(codes) >= 3 })
	if !slices.Equal(codes, []int{4200, 4200, 4200}) {
		t.Errorf("the sockets were closed with %v", codes)
	}
}

// TestRoomOfBothClients is a room with our page among palava-client's: it comes after one of them and before the other.
func TestRoomOfBothClients(t *testing.T) {
	r := startRooms(t)
	server := "ws://" + r.recorder.addr
	const room = "kitchen"
	anna := r.openPalava(startBrowser(t, "chromium", 440), 440, "Anna")
	berta := r.openPalava(startBrowser(t, "chromium", 660), 660, "Berta")
	carla := r.openRoom(startBrowser(t, "chromium", 880), 880, "Carla", room)
	anna.join(server, room)
	carla.join()
	allMeet(anna, carla)
	berta.join(server, room)
	allMeet(anna, berta, carla)

	carla.Click("#room-mute")
	silence := "const s = rig.hear(person.stream('Carla')); return s && s.db < -80"
	anna.WaitFor(silence, 10*time.Second)
	berta.WaitFor(silence, 10*time.Second)
	carla.Click("#room-mute")
	allMeet(anna, berta, carla)

	var before string
	anna.Eval("return person.peer('Carla').id", &before)
	carla.Click("#room-leave")
	anna.sawLeave(before)
	berta.sawLeave(before)
	allMeet(anna, berta)
	carla.join()
	allMeet(anna, berta, carla)

	// Our page finds its way back from a lost socket by itself.
	anna.Eval("return person.peer('Carla').id", &before)
	r.recorder.cut(`"name":"Carla"`)
	anna.sawLeave(before)
	allMeet(anna, berta, carla)

	left := anna.id()
	anna.Eval("person.session.destroy()", nil)
	berta.sawLeave(left)
	allMeet(berta, carla)
	anna.checkErrors()
	berta.checkErrors()
	carla.checkErrors()
	if *recordRooms {
		r.recorder.write("palava-2.2.1-and-page", "palava-client 2.2.1 and our page in "+anna.b.Version+": TestRoomOfBothClients")
	}
}

// TestRoomWithFirefox has our page in Firefox among others in Chromium, as the second and as the last to come.
func TestRoomWithFirefox(t *testing.T) {
	r := startRooms(t)
	const room = "garden"
	anna := r.openPalava(startBrowser(t, "chromium", 440), 440, "Anna")
	berta := r.openRoom(startBrowser(t, "firefox", 660), 660, "Berta", room)
	carla := r.openRoom(startBrowser(t, "chromium", 880), 880, "Carla", room)
	anna.join("ws://"+r.recorder.addr, room)
	berta.join()
	allMeet(anna, berta)
	carla.join()
	allMeet(anna, berta, carla)
	berta.Click("#room-leave")
	allMeet(anna, carla)
	berta.join()
	allMeet(anna, berta, carla)
	anna.checkErrors()
	berta.checkErrors()
	carla.checkErrors()
}

// TestRoomWithPalavaInFirefox has the unmodified client from npm in Firefox, which offers to everybody it finds, with our page in Chromium: as the
// first, and as the last to come.
func TestRoomWithPalavaInFirefox(t *testing.T) {
	r := startRooms(t)
	server := "ws://" + r.recorder.addr
	const room = "terrace"
	anna := r.openPalava(startBrowser(t, "firefox", 440), 440, "Anna")
	berta := r.openRoom(startBrowser(t, "chromium", 660), 660, "Berta", room)
	first := anna.join(server, room)
	berta.join()
	allMeet(anna, berta)
	anna.Eval("person.session.room.leave()", nil)
	berta.WaitFor("return document.querySelectorAll('[data-member]').length === 0", 10*time.Second)
	anna.Eval("person.session.reconnect()", nil)
	allMeet(anna, berta)
	if second := anna.id(); second == first {
		t.Errorf("anna came back as %s again", second)
	}
	if *recordRooms {
		r.recorder.write("palava-2.2.1-firefox", "palava-client 2.2.1 in "+anna.b.Version+" and our page in "+berta.b.Version+": TestRoomWithPalavaInFirefox")
	}
	anna.checkErrors()
	berta.checkErrors()
}

// TestRoomThroughRelay has two of our pages and palava-client in one room, all three bound to use nothing but a real coturn.  Each logs in
// there with what joined_room gave it.
func TestRoomThroughRelay(t *testing.T) {
	turn := startTurn(t)
	r := startRooms(t, "[turn]", fmt.Sprintf("urls = [%q]", turn.URL), fmt.Sprintf("secret = %q", turn.Secret), "relay_only = true")
	const room = "bunker"
	b := startBrowser(t, "chromium", 440)
	anna := r.openRoom(b, 440, "Anna", room)
	berta := r.openRoom(b, 440, "Berta", room)
	carla := r.openPalava(b, 440, "Carla")
	anna.join()
	berta.join()
	allMeet(anna, berta)
	ids := map[string]string{}
	ids["berta"], ids["anna"] = anna.memberID("Berta"), berta.memberID("Anna")
	carla.Eval("return person.join({name: 'Carla', server: args[0], room: args[1], turnUrls: [args[2]]})", nil, "ws://"+r.recorder.addr, room, turn.URL)
	allMeet(anna, berta, carla)
	ids["carla"] = carla.id()
	for _, m := range []*pageMember{anna, berta} {
		m.goesBy("relay relay", "relay relay")
	}
	log := turn.Log()
	for name, id := range ids {
		allocated := regexp.MustCompile(`user <\d+:` + id + `>: incoming packet ALLOCATE processed, success`)
		if id == "" || !allocated.MatchString(log) {
			t.Errorf("coturn made no allocation for %s, %q:\n%s", name, id, turn.logTail())
		}
	}
	anna.checkErrors()
	berta.checkErrors()
	carla.checkErrors()
}

// TestRoomIsFull says so to the seventh, whatever their client, and lets them in when there is a place.
func TestRoomIsFull(t *testing.T) {
	r := startRooms(t)
	const room = "cellar"
	var members []*benchSocket
	for i := range 6 {
		m, err := benchDial(r.recorder.addr, "/ws", r.url, i)
		if err == nil {
			t.Cleanup(func() { m.conn.Close() })
			err = m.send(fmt.Sprintf(`{"event":"join_room","room_id":%q,"status":{"name":"member %d","user_agent":"firefox"}}`, room, i))
		}
		if err == nil {
			_, err = m.await("joined_room")
		}
		if err != nil {
			t.Fatal(err)
		}
		go m.idle()
		members = append(members, m)
	}
	b := startBrowser(t, "chromium", 440)
	anna := r.openPalava(b, 440, "Anna")
	err := anna.TryEval("return person.join({name: 'Anna', server: args[0], room: args[1], joinTimeout: 3000})", nil, "ws://"+r.recorder.addr, room)
	if err == nil {
		t.Fatal("a seventh member came in")
	}
	anna.WaitFor("return person.events.some(([name, text]) => name === 'signaling_error' && /^server: .*(full|many people)/.test(text)) && person.had('room_join_error')", 5*time.Second)

	berta := r.openRoom(b, 440, "Berta", room)
	berta.Type("#room-name", "Berta")
	berta.Click("#room-join")
	berta.WaitFor("return /full/.test(document.querySelector('#room-error').textContent)", 10*time.Second)
	members[0].conn.Close()
	r.waitFor("a free place", 5*time.Second, func() bool { return r.component.Stats().Members == 5 })
	berta.join()
	berta.WaitFor("return document.querySelectorAll('[data-member]').length === 5", 5*time.Second)
}
