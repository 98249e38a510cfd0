package component

import (
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

func scrape(c *Component) string {
	r := httptest.NewRecorder()
	c.Metrics().ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	return r.Body.String()
}
