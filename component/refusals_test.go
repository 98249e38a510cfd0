package component

import (
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"carillon/component/gateway"
)

// A logbook is a log that can be read while it is written.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// refusedLines are what the log says of refused calls.
func refusedLines(log *logbook) []string {
	var lines []string
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, `msg="call refused"`) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// The operator reads in the log which call was refused and by which key, one line for each, and in the metrics how many.
func TestRefusedCallsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logbook
		c, w := newTestComponent(t, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		p := attached(t, c, newKey(t), "anna", nil)
		q := attached(t, c, newKey(t), "berta", nil)
		propose := func(from, sid string) {
			w.receive(`<message type='chat' from='` + from + `' to='` + q.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='` + sid + `'>
				<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
		}
		p.refused(gateway.Dial{To: "alice@elsewhere.example/x"}, gateway.NotAllowed)
		p.refused(gateway.Dial{To: "not an address"}, gateway.BadAddress)
		place(p, w, "alice@example.org")
		p.refused(gateway.Dial{To: "alice@example.org"}, gateway.TooMany)
		propose(stranger, "s1")
		propose(stranger, "s2")
		guest, berta := regexp.QuoteMeta(p.at.Address), regexp.QuoteMeta(q.at.Bare)
		lines := refusedLines(&log)
		for i, want := range []string{
			`direction=out limit=guests\.may_call from=` + guest + ` to=alice@elsewhere\.example/x ip=192\.0\.2\.7$`,
			`direction=out limit=limits\.ringing_per_callee from=` + guest + ` to=alice@example\.org ip=192\.0\.2\.7$`,
			`direction=in limit="one call of a caller" from=` + stranger + ` to=` + berta + `$`,
		} {
			if len(lines) <= i || !regexp.MustCompile(want).MatchString(lines[i]) {
				t.Errorf("line %d of\n%s\nis not %s", i, strings.Join(lines, "\n"), want)
			}
		}
		if len(lines) != 3 {
			t.Errorf("%d lines", len(lines))
		}
		if page := scrape(c); !strings.Contains(page, `carillon_calls_refused_total{direction="out",limit="guests.may_call"} 1`) {
			t.Errorf("not counted:\n%s", page)
		}
		c.shutDown()
	})
}

// Each limit of a call by a page or to one says which it is.
func TestEveryLimitHasItsName(t *testing.T) {
	limits := map[string]func(*testing.T, *Component, *wire, *page){
		"limits.dials_per_ip": func(t *testing.T, c *Component, _ *wire, p *page) {
			c.policy.limits.DialsPerIP = 0
			p.refused(gateway.Dial{To: "alice@example.org"}, gateway.RateLimited)
		},
		"limits.dials_per_callee": func(t *testing.T, c *Component, _ *wire, p *page) {
			c.policy.limits.DialsPerCallee = 0
			p.refused(gateway.Dial{To: "alice@example.org"}, gateway.RateLimited)
		},
		"limits.calls": func(t *testing.T, c *Component, _ *wire, p *page) {
			c.policy.limits.Calls = 0
			p.refused(gateway.Dial{To: "alice@example.org"}, gateway.TooMany)
		},
		"limits.calls_per_ip": func(t *testing.T, c *Component, _ *wire, p *page) {
			c.policy.limits.CallsPerIP = 0
			p.refused(gateway.Dial{To: "alice@example.org"}, gateway.TooMany)
		},
		"limits.ringing_per_ip": func(t *testing.T, c *Component, _ *wire, p *page) {
			c.policy.limits.RingingPerIP = 0
			p.refused(gateway.Dial{To: "alice@example.org"}, gateway.TooMany)
		},
		"limits.ringing_per_callee": func(t *testing.T, c *Component, w *wire, p *page) { // two calls were prepared, the other one rings first
			p.do(gateway.Dial{To: "alice@example.org"})
			late := expect[gateway.Admitted](p).Call
			place(attached(t, c, newKey(t), "berta", nil), w, "alice@example.org")
			p.refused(gateway.Offer{Call: late, SDP: gateway.Description{Type: "offer", SDP: recordedSDP(t, "offer")}}, gateway.TooMany)
		},
		"limits.cool_down": func(t *testing.T, c *Component, w *wire, p *page) {
			_, sid := place(p, w, "alice@example.org")
			w.jmi(alice, p.at.Address, "reject", sid)
			expect[gateway.Ended](p)
			wait(t, "the call's end", func() bool { return c.Stats().Calls == 0 })
			p.refused(gateway.Dial{To: "alice@example.org"}, gateway.CoolDown)
		},
		"limits.credentials_per_ip": func(t *testing.T, c *Component, w *wire, p *page) { // of a call that is taken
			c.cfg.TURN.URLs, c.policy.limits.CredentialsPerIP = []string{"turn:relay.example.org"}, 0
			w.receive(`<message type='chat' from='` + alice + `' to='` + p.at.Bare + `' id='m'><propose xmlns='urn:xmpp:jingle-message:0' id='s1'>` +
				`<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose></message>`)
			p.refused(gateway.Accept{Call: expect[gateway.Incoming](p).Call}, gateway.RateLimited)
		},
		"limits.rings_per_ghost": func(t *testing.T, c *Component, w *wire, p *page) {
			c.policy.limits.RingsPerGhost = 0
			w.jmi(alice, p.at.Bare, "propose", "s1")
		},
		"limits.proposes_per_minute": func(t *testing.T, c *Component, w *wire, p *page) {
			c.policy.limits.ProposesPerMinute = 0
			w.jmi(alice, p.at.Bare, "propose", "s1")
		},
		"limits.proposes_per_domain": func(t *testing.T, c *Component, w *wire, p *page) {
			c.policy.limits.ProposesPerDomain = 0
			w.jmi("mallory@evil.example", p.at.Bare, "propose", "s1")
		},
	}
	for limit, meet := range limits {
		t.Run(limit, func(t *testing.T) {
			var log logbook
			c, w := newTestComponent(t, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			p := attached(t, c, newKey(t), "anna", nil)
			meet(t, c, w, p)
			if lines := refusedLines(&log); len(lines) != 1 || !strings.Contains(lines[0], " limit="+limit+" ") {
				t.Errorf("the log says %q", lines)
			}
		})
	}
}

// A flood of refusals fills neither the log nor hides others from it, and what was left out is told.
func TestLogOfRefusalsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logbook
		c, _ := newTestComponent(t, func(cfg *Config) { cfg.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		long := mustJID(t, strings.Repeat("ä", 400)+"@example.org")
		note := func(user int) {
			c.mu.Lock()
			defer c.mu.Unlock()
			from := mustJID(t, fmt.Sprintf("u%d@example.org/%s", user, strings.Repeat("ä", 400)))
			c.noteRefusal("in", from, long, netip.Addr{}, errRings)
		}
		for range 100 {
			note(0)
		}
		if n := len(refusedLines(&log)); n != refusalsPerMinuteOfOne {
			t.Errorf("one caller has %d lines", n)
		}
		for i := range 1000 {
			note(i)
		}
		if n := len(refusedLines(&log)); n != refusalsPerMinute {
			t.Errorf("%d lines in a minute", n)
		}
		if size := len(log.String()); size > 16<<10 || !utf8.ValidString(log.String()) {
			t.Errorf("%d bytes", size)
		}
		time.Sleep(61 * time.Second)
		note(0)
		told := 0
		for _, n := range regexp.MustCompile(`not_logged_before=(\d+)`).FindAllStringSubmatch(log.String(), -1) {
			count, _ := strconv.Atoi(n[1])
			told += count
		}
		if told != 1100-refusalsPerMinute {
			t.Errorf("a minute later %d are told to be left out", told)
		}
		c.shutDown()
	})
}
