package component

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

// presenceTo lists the presence that somebody was sent, as type and resource.
func presenceTo(to string, sent []*element.Element) []string {
	var list []string
	for _, e := range sent {
		if e.Local == "presence" && e.Attr("to") == to {
			_, resource, _ := strings.Cut(e.Attr("from"), "/")
			list = append(list, e.Attr("type")+"/"+resource)
		}
	}
	return list
}

func resource(p *page) string { _, r, _ := strings.Cut(p.at.Address, "/"); return r }

// A full link gets the presence that it did not take when it has room: in order, once, and of a page what holds by then.
func TestPresenceWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		key := newKey(t)
		p := attached(t, c, key, "anna", nil)
		w.receive(`<presence type='subscribe' from='alice@example.org' to='` + p.at.Bare + `'/>`)
		w.refuse(stream.ErrFull)
		p.do(gateway.Approve{Address: "alice@example.org"})
		p.do(gateway.Tell{To: "bob@example.org"})
		second := attached(t, c, key, "anna", nil)
		second.session.Closed(true) // seen by nobody: comes and goes
		third := attached(t, c, key, "anna", nil)
		p.session.Closed(true)
		time.Sleep(3 * lastRetry)
		if sent := w.sentSoFar(); len(sent) > 0 {
			t.Errorf("a full link was sent %v", sent)
		}
		w.refuse(nil)
		time.Sleep(2 * lastRetry)
		sent := w.sentSoFar()
		want := []string{"subscribed/", "subscribe/", "unavailable/" + resource(p), "unavailable/" + resource(second), "/" + resource(third)}
		if got := presenceTo("alice@example.org", sent); !slices.Equal(got, want) {
			t.Errorf("alice was sent %v, want %v", got, want)
		}
		if got, want := presenceTo("bob@example.org", sent), []string{"subscribe/", "unavailable/" + resource(p)}; !slices.Equal(got, want) {
			t.Errorf("bob was sent %v, want %v", got, want)
		}
		c.mu.Lock()
		if n := len(c.unsaid.list) + len(c.unsaid.latest); n > 0 || c.unsaid.retry != nil {
			t.Errorf("%d announcements are left, retry %v", n, c.unsaid.retry)
		}
		c.mu.Unlock()
		third.session.Closed(true)
		if got := presenceTo("alice@example.org", w.sentSoFar()); len(got) != 1 {
			t.Errorf("with room again alice is sent %v at once", got)
		}
		c.shutDown()
	})
}

// A narrow link takes so many stanzas now and then.
type narrow struct {
	*wire
	room atomic.Int32
}

func (n *narrow) Send(e *element.Element) error {
	if n.room.Add(-1) < 0 {
		return stream.ErrFull
	}
	return n.wire.Send(e)
}

// However little the link takes at a time, everything arrives, once, in order.
func TestPresenceThroughANarrowLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		p := attached(t, c, newKey(t), "anna", nil)
		link := &narrow{wire: w}
		c.link = link
		const contacts = 50
		for i := range contacts {
			c.policy.limits.TellsPerMinute = contacts
			p.do(gateway.Tell{To: fmt.Sprintf("u%d@example.org", i)})
		}
		var sent []*element.Element
		for range contacts {
			link.room.Store(7)
			time.Sleep(lastRetry)
			sent = append(sent, w.sentSoFar()...)
		}
		var got []string
		for _, e := range sent {
			got = append(got, e.Attr("type")+" "+e.Attr("to"))
		}
		var want []string
		for i := range contacts {
			want = append(want, fmt.Sprintf("subscribe u%d@example.org", i), fmt.Sprintf(" u%d@example.org", i))
		}
		if !slices.Equal(got, want) {
			t.Errorf("sent %v", got)
		}
		link.room.Store(1000)
		c.shutDown()
	})
}

// While the server is away pages come and go: those that went are unavailable when it is back, those that are there available, each once.
func TestPresenceAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		p, q := attached(t, c, newKey(t), "anna", nil), attached(t, c, newKey(t), "berta", nil)
		p.do(gateway.Tell{To: "alice@example.org"})
		q.do(gateway.Tell{To: "alice@example.org"})
		w.sentSoFar()
		w.link(false)
		p.session.Closed(true)
		time.Sleep(time.Hour)
		w.link(true)
		time.Sleep(time.Minute)
		if got, want := presenceTo("alice@example.org", w.sentSoFar()), []string{"unavailable/" + resource(p), "/" + resource(q)}; !slices.Equal(got, want) {
			t.Errorf("alice was sent %v, want %v", got, want)
		}
		c.shutDown()
	})
}

// A page that is closed in a call, when the link is full, is gone only after the last word of the call.
func TestPresenceGoesAfterTheLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := newTestComponent(t, nil)
		p := attached(t, c, newKey(t), "anna", nil)
		connectedCall(t, p, w)
		w.sentSoFar()
		w.refuse(stream.ErrFull)
		p.session.Closed(true)
		time.Sleep(firstRetry + firstRetry/2) // the next attempts are not at the same time
		w.refuse(nil)
		time.Sleep(2 * lastRetry)
		sent := w.sentSoFar()
		word := slices.IndexFunc(sent, isAction(jingle.SessionTerminate))
		gone := slices.IndexFunc(sent, isPresence("unavailable", "alice@example.org"))
		if word < 0 || gone < word {
			t.Errorf("the last word is number %d, unavailable number %d of %v", word, gone, sent)
		}
		c.shutDown()
	})
}

// What waits is bounded, and the operator hears once that it was too much.
func TestWaitingPresenceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logbook
		c, w := newTestComponent(t, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		p := attached(t, c, newKey(t), "anna", nil)
		w.refuse(stream.ErrFull)
		c.mu.Lock()
		for i := range maxAnnouncements + 100 {
			c.announce(announcement{from: mustJID(t, p.at.Address), to: mustJID(t, fmt.Sprintf("u%d@example.org", i))})
		}
		n, m := len(c.unsaid.list), len(c.unsaid.latest)
		c.mu.Unlock()
		if n != maxAnnouncements || m != n || strings.Count(log.String(), "left out") != 1 {
			t.Errorf("%d wait, %d are known; the log says %q", n, m, log.String())
		}
		c.shutDown()
	})
}
