package component

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"carillon/component/gateway"
	"carillon/jingle"
)

func TestMetrics(t *testing.T) {
	c, w := newTestComponent(t, nil)
	p := attached(t, c, newKey(t), "anna", nil)
	id, _ := place(p, w, "alice@example.org")
	if page := scrape(c); !strings.Contains(page, "carillon_calls_active 1\n") || !strings.Contains(page, "carillon_component_connected 1\n") {
		t.Errorf("in a call:\n%s", page)
	}
	p.do(gateway.HangUp{Call: id})
	w.next("retract", isMessage(jingle.Retract))
	wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
	wait(t, "the count", func() bool {
		return strings.Contains(scrape(c), `carillon_calls_total{direction="out",outcome="cancelled"} 1`)
	})
	if page := scrape(c); strings.Contains(page, "alice") || strings.Contains(page, "anna") {
		t.Errorf("an address is in the metrics:\n%s", page)
	}
}

// A fault is counted wherever it is caught.
func TestPanicsAreCounted(t *testing.T) {
	r := newRendezvous(t, nil)
	set := func(to map[string]*hosted) {
		r.c.rooms.mu.Lock()
		defer r.c.rooms.mu.Unlock()
		r.c.rooms.byName = to
	}
	set(nil) // who opens a room meets a fault
	p := r.dial("192.0.2.1")
	p.send(`{"event":"join_room","room_id":"a"}`)
	p.refused(gateway.Internal, "internal error")
	set(map[string]*hosted{})
	for where, n := range map[string]int{"gateway": 1, "call": 0, "stream": 0} {
		if want := fmt.Sprintf("carillon_panics_total{where=%q} %d\n", where, n); !strings.Contains(scrape(r.c), want) {
			t.Errorf("lacks %s in\n%s", want, scrape(r.c))
		}
	}
}

func scrape(c *Component) string {
	r := httptest.NewRecorder()
	c.Metrics().ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	return r.Body.String()
}
