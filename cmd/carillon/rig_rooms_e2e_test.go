//go:build e2e

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const browserFiles = "../../testdata/browser"

// palavaSite serves the page of palava-client, as somebody's site elsewhere does.
func palavaSite(t *testing.T) string {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := map[string]string{
			"/":                 "palava-page.html",
			"/palava-page.js":   "palava-page.js",
			"/palava.bundle.js": "node_modules/palava-client/palava.bundle.js",
		}[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, filepath.Join(browserFiles, file))
	}))
	t.Cleanup(site.Close)
	return site.URL
}

// A roomTest is a Carillon with rooms, a recorder in front of it, and a site with palava-client.
type roomTest struct {
	*stack
	recorder *recorder
	site     string
}

func startRooms(t *testing.T, lines ...string) *roomTest {
	t.Helper()
	site := palavaSite(t)
	// What palava pages of that site and our own page through the recorder send as Origin.
	relay := startRecorder(t)
	lines = append([]string{fmt.Sprintf("origins = [%q, %q]", site, "http://"+relay.addr)}, lines...)
	s := startStack(t, lines...)
	relay.forward(strings.Replace(strings.TrimPrefix(s.url, "http://"), "localhost", "127.0.0.1", 1))
	return &roomTest{s, relay, site}
}

// A member is somebody in a room, at whatever page.
type member interface {
	name() string
	meets(others ...member) // everybody sees and hears them, and nobody else
	tone() int
}

// A palavaMember is a person at a page with palava-client.
type palavaMember struct {
	*page
	t    *testing.T
	nick string
	hz   int
}

func (m *palavaMember) name() string { return m.nick }
func (m *palavaMember) tone() int    { return m.hz }

// openPalava opens the page; the person enters with join.
func (r *roomTest) openPalava(b *browser, hz int, name string) *palavaMember {
	r.t.Helper()
	return &palavaMember{page: b.NewPage(r.site), t: r.t, nick: name, hz: hz}
}

// join returns the own id.
func (m *palavaMember) join(server, room string) (id string) {
	m.t.Helper()
	m.Eval("return person.join({name: args[0], server: args[1], room: args[2]})", &id, m.nick, server, room)
	return id
}

func (m *palavaMember) meets(others ...member) {
	m.t.Helper()
	names := namesOf(others)
	m.WaitFor("return JSON.stringify(person.others()) === JSON.stringify(args[0])", 15*time.Second, names)
	for _, o := range others {
		m.WaitFor("return person.connected(args[0])", 20*time.Second, o.name())
		m.Hear(fmt.Sprintf("person.stream(%q)", o.name()), o.tone(), 20*time.Second)
		m.WaitFor("const s = rig.see(person.video(args[0])); return s && s.changed", 20*time.Second, o.name())
	}
}

// id is the own id now.
func (m *palavaMember) id() (id string) {
	m.t.Helper()
	m.Eval("return person.id()", &id)
	return id
}

// sawLeave waits until the member of that id has left here, its connection closed.
func (m *palavaMember) sawLeave(id string) {
	m.t.Helper()
	m.WaitFor("return person.had('peer_left', args[0]) && person.connections.get(args[0]).connectionState === 'closed'", 10*time.Second, id)
}

// A pageMember is a person at our own page of a room.
type pageMember struct {
	*page
	t    *testing.T
	nick string
	hz   int
}

func (m *pageMember) name() string { return m.nick }
func (m *pageMember) tone() int    { return m.hz }

// openRoom opens the link to a room; the person enters with join.
func (r *roomTest) openRoom(b *browser, hz int, name, room string) *pageMember {
	r.t.Helper()
	return &pageMember{page: b.NewPage("http://" + r.recorder.addr + "/r/" + url.PathEscape(room)), t: r.t, nick: name, hz: hz}
}

func (m *pageMember) join() {
	m.t.Helper()
	m.Type("#room-name", m.nick)
	m.Click("#room-join")
	m.WaitFor("document.body.dataset.state === 'room'", 20*time.Second)
}

// tile is an expression for the tile of that name.
func tile(name string) string {
	return fmt.Sprintf("[...document.querySelectorAll('[data-member]')].find((tile) => tile.querySelector('.plate').textContent.trim() === %q)", name)
}

func (m *pageMember) meets(others ...member) {
	m.t.Helper()
	m.WaitFor(`
		const names = [...document.querySelectorAll('[data-member] .plate')].map((plate) => plate.textContent.trim()).sort();
		return JSON.stringify(names) === JSON.stringify(args[0])`, 15*time.Second, namesOf(others))
	for _, o := range others {
		m.WaitFor(tile(o.name())+".querySelector('.tile-note').hidden", 20*time.Second)
		m.Hear(tile(o.name())+"?.querySelector('video')", o.tone(), 20*time.Second)
		m.WaitFor("const s = rig.see("+tile(o.name())+".querySelector('video')); return s && s.changed", 20*time.Second)
	}
}

// memberID is the id of the member of that name.
func (m *pageMember) memberID(name string) (id string) {
	m.t.Helper()
	m.Eval("return "+tile(name)+"?.dataset.member ?? ''", &id)
	return id
}

const pairsInUse = `
	const pairs = [];
	for (const peer of rig.peers.filter((peer) => peer.connectionState === 'connected')) {
		const report = await peer.getStats();
		for (const stat of report.values()) {
			if (stat.type !== 'transport') continue;
			const {localCandidateId, remoteCandidateId} = report.get(stat.selectedCandidatePairId) ?? {};
			pairs.push(report.get(localCandidateId)?.candidateType + ' ' + report.get(remoteCandidateId)?.candidateType);
		}
	}
`

// goesBy waits until the two candidates in use are of these kinds, for each connection.  One of theirs whose packets come before it is told of is
// peer-reflexive until then.
func (m *pageMember) goesBy(pairs ...string) {
	m.t.Helper()
	const patience = 10 * time.Second
	if err := m.b.try(patience+30*time.Second, "waitFor", m.with(map[string]any{
		"body": pairsInUse + "return JSON.stringify(pairs) === JSON.stringify(args[0])", "args": []any{pairs}, "timeout": patience.Milliseconds()}), nil); err != nil {
		var now []string
		m.Eval(pairsInUse+"return pairs", &now)
		m.t.Errorf("%s's packets go by %q", m.nick, now)
	}
}

func (m *pageMember) checkErrors() {
	m.t.Helper()
	if errs := m.Errors(); len(errs) > 0 {
		m.t.Errorf("%s's page has errors: %q", m.nick, errs)
	}
}

func namesOf(members []member) []string {
	names := make([]string, 0, len(members))
	for _, m := range members {
		names = append(names, m.name())
	}
	slices.Sort(names)
	return names
}

// allMeet checks every pair, both ways.
func allMeet(members ...member) {
	for i, m := range members {
		m.meets(slices.Concat(members[:i], members[i+1:])...)
	}
}

// checkErrors checks that palava-client was told of no error.
func (m *palavaMember) checkErrors() {
	m.t.Helper()
	var bad [][]any
	m.Eval("return person.events.filter(([name]) => /error|not_reachable/.test(name))", &bad)
	if len(bad) > 0 {
		m.t.Errorf("%s was told of %v", m.nick, bad)
	}
	// It pings sockets that are being closed.
	errs := slices.DeleteFunc(m.Errors(), func(line string) bool { return strings.Contains(line, "already in CLOSING or CLOSED state") })
	if len(errs) > 0 {
		m.t.Errorf("%s's page has errors: %q", m.nick, errs)
	}
}
