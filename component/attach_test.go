package component

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"carillon/component/gateway"
	"carillon/jingle/element"
)

func TestAddressIsCertifiedByNameAndKey(t *testing.T) {
	c, _ := newTestComponent(t, nil)
	key := newKey(t)
	first := attached(t, c, key, "Anna", nil)
	if !regexp.MustCompile(`^anna-[a-z2-7]{16}@call\.example\.org$`).MatchString(first.at.Bare) {
		t.Errorf("address %q is not name, suffix, domain", first.at.Bare)
	}
	if !strings.HasPrefix(first.at.Address, first.at.Bare+"/") || first.at.Name != "anna" {
		t.Errorf("attached as %+v", first.at)
	}
	again := attached(t, c, key, "anna", nil)
	if again.at.Bare != first.at.Bare {
		t.Errorf("the same name and key gave %s and %s", first.at.Bare, again.at.Bare)
	}
	if again.at.Address == first.at.Address {
		t.Error("two pages have one resource")
	}
	for _, other := range []*page{attached(t, c, newKey(t), "anna", nil), attached(t, c, key, "anne", nil)} {
		if other.at.Bare == first.at.Bare {
			t.Errorf("another name or key has the address %s", other.at.Bare)
		}
	}
	// The address does not depend on anything this process keeps.
	restarted, _ := newTestComponent(t, nil)
	if p := attached(t, restarted, key, "anna", nil); p.at.Bare != first.at.Bare {
		t.Errorf("after a restart the address is %s, was %s", p.at.Bare, first.at.Bare)
	}
}

func TestForgedAttachIsRefused(t *testing.T) {
	c, _ := newTestComponent(t, func(cfg *Config) { cfg.ReservedNames = []string{"Support"} })
	victim, thief := newKey(t), newKey(t)
	for name, forge := range map[string]func(*page) gateway.Attach{
		"another nonce":  func(p *page) gateway.Attach { return p.sign("anna", "call.example.org", p.origin, "bm9uY2U") },
		"another domain": func(p *page) gateway.Attach { return p.sign("anna", "evil.example.org", p.origin, p.nonce) },
		"another origin": func(p *page) gateway.Attach {
			return p.sign("anna", "call.example.org", "https://evil.example.org", p.nonce)
		},
		"another name": func(p *page) gateway.Attach {
			a := p.sign("anna", "call.example.org", p.origin, p.nonce)
			a.Name = "bob"
			return a
		},
		"another's key": func(p *page) gateway.Attach {
			a := p.sign("anna", "call.example.org", p.origin, p.nonce)
			a.Key, _ = victim.PublicKey.Bytes()
			return a
		},
		"no key": func(p *page) gateway.Attach {
			a := p.sign("anna", "call.example.org", p.origin, p.nonce)
			a.Key = nil
			return a
		},
		"a point off the curve": func(p *page) gateway.Attach {
			a := p.sign("anna", "call.example.org", p.origin, p.nonce)
			a.Key = append([]byte{4}, make([]byte, 64)...)
			return a
		},
		"a short signature": func(p *page) gateway.Attach {
			a := p.sign("anna", "call.example.org", p.origin, p.nonce)
			a.Signature = a.Signature[:63]
			return a
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, c, thief, "192.0.2.9")
			p.refused(forge(p), gateway.BadSignature)
			p.refused(gateway.Dial{To: "alice@example.org"}, gateway.NotAttached)
			// The socket is still good for an honest attach.
			if _, err := p.session.Handle(gateway.Request{Event: p.sign("anna", "call.example.org", p.origin, p.nonce)}); err != nil {
				t.Errorf("an honest attach after the forged one: %v", err)
			}
		})
	}
	for name, code := range map[string]gateway.Code{
		"support": gateway.ReservedName, "SUPPORT": gateway.ReservedName, "": gateway.BadName, "a b": gateway.BadName, "a@b": gateway.BadName,
		"a/b": gateway.BadName, "☎": gateway.BadName, strings.Repeat("a", 33): gateway.BadName, "a\x00b": gateway.BadName,
	} {
		p := open(t, c, thief, "192.0.2.9")
		t.Run(name, func(t *testing.T) { p.t = t; p.refused(p.sign(name, "call.example.org", p.origin, p.nonce), code) })
	}
}

// Checking a signature is the dearest thing that nobody in particular can ask for.
func TestForgedAttachesAreCounted(t *testing.T) {
	c, _ := newTestComponent(t, func(cfg *Config) { cfg.Limits.AttachesPerIP = 5 })
	key := newKey(t)
	forge := func(p *page) gateway.Code {
		t.Helper()
		_, err := p.session.Handle(gateway.Request{Event: p.sign("anna", "evil.example.org", p.origin, p.nonce)})
		var e *gateway.Error
		if !errors.As(err, &e) {
			t.Fatalf("a forged attach: %v", err)
		}
		return e.Code
	}
	heard := map[gateway.Code]int{}
	for range 2 {
		p := open(t, c, key, "192.0.2.9")
		for range 10 {
			heard[forge(p)]++
		}
		if heard[gateway.BadSignature] == maxBadSignatures {
			if code := <-p.closed; code != gateway.ClosePolicy {
				t.Errorf("closed with %d", code)
			}
			p.refused(p.sign("anna", "call.example.org", p.origin, p.nonce), gateway.RateLimited)
		}
	}
	if heard[gateway.BadSignature] != 5 || heard[gateway.RateLimited] != 15 {
		t.Errorf("one address had %v", heard)
	}
	p := open(t, c, key, "192.0.2.10")
	if _, err := p.session.Handle(gateway.Request{Event: p.sign("anna", "call.example.org", p.origin, p.nonce)}); err != nil {
		t.Errorf("another address: %v", err)
	}
}

func TestResume(t *testing.T) {
	c, _ := newTestComponent(t, func(cfg *Config) { cfg.Grace = 20 * time.Millisecond })
	key := newKey(t)
	with := func(token, instance string) func(*gateway.Attach) {
		return func(a *gateway.Attach) { a.Resume, a.Instance = token, instance }
	}
	first := attached(t, c, key, "anna", with("", "one"))
	token := first.at.Resume

	duplicate := attached(t, c, key, "anna", with(token, "two"))
	if duplicate.at.Address == first.at.Address {
		t.Error("a duplicated page took the resource of the one it was made from")
	}
	reconnected := attached(t, c, key, "anna", with(token, "one"))
	if reconnected.at.Address != first.at.Address || !reconnected.at.Resumed {
		t.Errorf("the same page came back as %s, was %s", reconnected.at.Address, first.at.Address)
	}
	if code := <-first.closed; code != gateway.CloseReplaced {
		t.Errorf("the page's old socket was closed with %d", code)
	}
	first.session.Closed(false) // the end of the old socket does not end the page
	if !c.attached(mustJID(t, first.at.Address)) {
		t.Fatal("the end of a replaced socket ended the page")
	}
	reconnected.session.Closed(true)
	reloaded := attached(t, c, key, "anna", with(token, "three"))
	if reloaded.at.Address != first.at.Address || reloaded.at.Resumed {
		t.Errorf("after a reload the page is %s, was %s", reloaded.at.Address, first.at.Address)
	}
	for what, forged := range map[string]string{
		"another's token":     attached(t, c, newKey(t), "anna", nil).at.Resume,
		"a made-up token":     "abcdefgh.AAAAAAAAAAAAAAAAAAAAAA",
		"a changed resource":  "zz" + token[2:],
		"a token without MAC": "abcdefgh",
	} {
		if p := attached(t, c, key, "anna", with(forged, "four")); p.at.Address == first.at.Address || strings.HasSuffix(p.at.Address, "/abcdefgh") {
			t.Errorf("%s gave the resource of %s", what, p.at.Address)
		}
	}
	// A page whose socket broke is gone after the grace period.
	duplicate.session.Closed(false)
	wait(t, "the lost page's end", func() bool { return !c.attached(mustJID(t, duplicate.at.Address)) })
}

func TestContactsNeedTickets(t *testing.T) {
	c, w := newTestComponent(t, nil)
	key := newKey(t)
	p := attached(t, c, key, "anna", nil)
	w.receive(`<presence type='subscribe' from='alice@example.org' to='` + p.at.Bare + `'/>`)
	if asks := expect[gateway.Contact](p); asks.State != gateway.ContactAsks || asks.Address != "alice@example.org" {
		t.Fatalf("asked: %+v", asks)
	}
	w.silent("an answer before the person decided", func(e *element.Element) bool { return e.Local == "presence" })
	approved := p.do(gateway.Approve{Address: "alice@example.org"}).(gateway.Contact)
	w.next("subscribed", isPresence("subscribed", "alice@example.org"))
	w.next("subscribe", isPresence("subscribe", "alice@example.org"))
	presence := w.next("presence", isPresence("", "alice@example.org"))
	if presence.Child(nsCaps, "c") == nil || presence.Child(nsNick, "nick").Text != "anna (guest)" {
		t.Errorf("presence has no caps or nick: %s", presence)
	}
	p.session.Closed(true)
	w.next("unavailable", isPresence("unavailable", "alice@example.org"))

	attached(t, c, key, "anna", func(a *gateway.Attach) {
		a.Contacts = []gateway.Ticket{{Address: "mallory@example.org", Ticket: approved.Ticket}, {Address: "alice@example.org", Ticket: approved.Ticket}}
	})
	w.next("presence on attach", isPresence("", "alice@example.org"))
	attached(t, c, newKey(t), "anna", func(a *gateway.Attach) {
		a.Contacts = []gateway.Ticket{{Address: "alice@example.org", Ticket: approved.Ticket}}
	})
	w.silent("presence without a ticket of one's own", func(e *element.Element) bool { return e.Local == "presence" })
}

// Made-up tickets are recognised before the addresses beside them are read, which takes long for those with letters of all scripts.
func TestMadeUpTicketsAreCheap(t *testing.T) {
	c, _ := newTestComponent(t, nil)
	ghost := mustJID(t, "anna-aaaaaaaaaaaaaaaa@call.example.org")
	good := mustJID(t, "bo@example.org")
	tickets := []gateway.Ticket{{Address: good.String(), Ticket: contactTicket(c.key, ghost, good)}}
	for i := range 299 {
		tickets = append(tickets, gateway.Ticket{Address: fmt.Sprintf("ü%d%s@ex%s.org", i, strings.Repeat("é", 40), strings.Repeat("ä", 20)), Ticket: "x"})
	}
	if got := c.genuine(ghost, tickets); len(got) != 1 || !got[0].Equal(good) {
		t.Errorf("taken: %v", got)
	}
	if n := testing.AllocsPerRun(5, func() { c.genuine(ghost, tickets) }) / 300; n > 14 {
		t.Errorf("%.0f allocations for each", n)
	}
}

func TestKeyIsMadeOnceAndPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := loadKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadKey(dir)
	if err != nil || string(again) != string(first) {
		t.Errorf("the key changed, or %v", err)
	}
	stat, err := os.Stat(filepath.Join(dir, "key"))
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", stat.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKey(dir); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "key")) {
		t.Errorf("a damaged key gave %v", err)
	}
}
