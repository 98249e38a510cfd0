//go:build e2e

package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A painted member is a person at our page whose picture has a colour of its own and whose voice is a tone of its own, so that several can be
// in one browser.
type painted struct {
	*pageMember
	colour string
}

// colours are told apart by which of red, green and blue are bright in them.
var colours = []string{"red", "lime", "blue", "yellow", "magenta", "cyan", "white"}

// openPainted opens the link to a room as the person of that number.
func (r *roomTest) openPainted(b *browser, number int, room string) *painted {
	r.t.Helper()
	colour := colours[number]
	m := &painted{r.openRoom(b, 440+110*number, strings.ToUpper(colour[:1])+colour[1:], room), colour}
	m.Eval("rig.camera(args[0], args[1])", nil, m.colour, m.hz)
	return m
}

// look notes who was seen in their colour and moving, and who was heard, and lists what is still missing.
const look = `
	const [want] = args, missing = [];
	const tiles = [...document.querySelectorAll('[data-member]')];
	for (const tile of tiles) {
		const name = tile.querySelector('.plate').textContent.trim(), video = tile.querySelector('video');
		const met = rig.met[name] ??= {};
		const sight = rig.see(video), sound = rig.hear(video), {bright, hz} = want[name] ?? {};
		met.seen ||= bright && sight?.changed && [sight.r, sight.g, sight.b].every((value, i) => bright[i] === value > 110);
		met.heard ||= sound?.db > -60 && Math.abs(sound.hz - hz) <= 15;
		if (!met.seen || !met.heard || !tile.querySelector('.tile-note').hidden) missing.push({name, met, sight, sound});
	}
	const states = rig.peers.map((peer) => peer.connectionState).filter((state) => state !== 'closed');
	if (tiles.length !== Object.keys(want).length || states.length !== tiles.length || states.some((state) => state !== 'connected')) {
		missing.push({tiles: tiles.length, states});
	}
`

// meets waits until exactly the others are there, each connected, seen in their colour and moving, and heard.
func (m *painted) meets(others []*painted) {
	m.t.Helper()
	bright := map[string][3]bool{
		"red": {true, false, false}, "lime": {false, true, false}, "blue": {false, false, true}, "yellow": {true, true, false},
		"magenta": {true, false, true}, "cyan": {false, true, true}, "white": {true, true, true},
	}
	want := map[string]any{}
	for _, o := range others {
		if o != m {
			want[o.nick] = map[string]any{"bright": bright[o.colour], "hz": o.hz}
		}
	}
	m.Eval("rig.met = {}", nil)
	const patience = 40 * time.Second // six pages, thirty pictures to encode
	if err := m.b.try(patience+30*time.Second, "waitFor", m.with(map[string]any{
		"body": look + "return missing.length === 0", "args": []any{want}, "timeout": patience.Milliseconds()}), nil); err != nil {
		var missing string
		m.Eval(look+"return JSON.stringify(missing)", &missing, want)
		m.t.Fatalf("%s misses %s", m.nick, missing)
	}
}

// TestRoomOfSix is a room as full as it can be, all fifteen pairs connected; a seventh is told, and comes in when somebody has left.
func TestRoomOfSix(t *testing.T) {
	r := startRooms(t)
	const room = "loft"
	b := startBrowser(t, "chromium", 0)
	var members []*painted
	for i := range 6 {
		members = append(members, r.openPainted(b, i, room))
		members[i].join()
	}
	meet := func() {
		t.Helper()
		for _, m := range members {
			m.meets(members)
		}
	}
	meet()

	seventh := r.openPainted(b, 6, room)
	seventh.Type("#room-name", seventh.nick)
	seventh.Click("#room-join")
	seventh.WaitFor("return /full/.test(document.querySelector('#room-error').textContent)", 10*time.Second)
	if stats := r.component.Stats(); stats.Members != 6 {
		t.Fatalf("%d members", stats.Members)
	}
	members[2].Click("#room-leave")
	r.waitFor("a free place", 5*time.Second, func() bool { return r.component.Stats().Members == 5 })
	seventh.join()
	members = append(slices.Delete(members, 2, 3), seventh)
	meet()
	for _, m := range members {
		m.checkErrors()
	}
}
