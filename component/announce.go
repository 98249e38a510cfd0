package component

import (
	"errors"
	"slices"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/stream"
	"carillon/jingle/element"
)

// maxAnnouncements bounds the presence that waits for the XMPP server.
const maxAnnouncements = 50_000

// An announcement is a presence of one of our addresses: what it is, or what it asks of a contact.
type announcement struct {
	kind     string // the stanza's type
	from, to jid.JID
	nick     string // with a kind that has one: what the guest is called
}

// announcements are those that the XMPP server did not take: it is away, or has too much to read.  They are made again from what they say, in their
// order, when it takes stanzas again.
type announcements struct {
	list   []*announcement
	latest map[[2]string]*announcement // of those in list that say whether a page is there, by from and to
	full   bool                        // and it has been logged
	retry  *time.Timer
	wait   time.Duration
}

// announce sends a presence, or keeps it until that is possible.  Whether a page is there is said as it is by then.  c.mu is held.
func (c *Component) announce(a announcement) {
	w := &c.unsaid
	if len(w.list) == 0 && !a.mustWait(c.parting()) {
		err := c.link.Send(c.presenceStanza(&a))
		if !unsent(err) {
			c.logUnsent(err)
			return
		}
	}
	if w.replace(&a) {
		return
	}
	if len(w.list) >= maxAnnouncements {
		if !w.full {
			c.log.Warn("presence is left out: too much waits for the XMPP server")
		}
		w.full = true
		return
	}
	w.list = append(w.list, &a)
	if a.isState() {
		w.latest[a.key()] = &a
	}
	if w.retry == nil {
		c.announceLater(firstRetry)
	}
}

func (a *announcement) isState() bool  { return a.kind == "" || a.kind == "unavailable" }
func (a *announcement) key() [2]string { return [2]string{a.from.String(), a.to.String()} }

// replace puts the latest state of a page in the place of what waits about it.
func (w *announcements) replace(a *announcement) bool {
	if !a.isState() {
		return false
	}
	waiting := w.latest[a.key()]
	if waiting != nil {
		*waiting = *a
	}
	return waiting != nil
}

// parting is the set of pages of whose calls the last words are still to be said.
func (c *Component) parting() map[string]bool {
	if len(c.goodbyes) == 0 {
		return nil
	}
	pages := map[string]bool{}
	for g := range c.goodbyes {
		pages[g.from] = true
	}
	return pages
}

// mustWait tells what has to come after the last words of a call: clients that see its page gone while they are in it say so, and not why it ended.
func (a *announcement) mustWait(parting map[string]bool) bool {
	return a.kind == "unavailable" && len(parting) > 0 && parting[a.from.String()]
}

// announceAgain sends what waits, as far as the XMPP server takes it.  c.mu is held.
func (c *Component) announceAgain() {
	w, parting := &c.unsaid, c.parting()
	before, refused := len(w.list), false
	w.list = slices.DeleteFunc(w.list, func(a *announcement) bool {
		if refused || a.mustWait(parting) {
			return false
		}
		err := c.link.Send(c.presenceStanza(a))
		if refused = unsent(err); refused {
			return false
		}
		c.logUnsent(err)
		w.forget(a)
		return true
	})
	switch {
	case len(w.list) == 0:
		w.full = false
		c.stopAnnouncing()
	case len(w.list) < before:
		c.announceLater(firstRetry)
	default:
		c.announceLater(max(firstRetry, min(2*w.wait, lastRetry)))
	}
}

func (w *announcements) forget(a *announcement) {
	if a.isState() {
		delete(w.latest, a.key())
	}
}

// announceLater tries again after that time.  c.mu is held.
func (c *Component) announceLater(wait time.Duration) {
	w := &c.unsaid
	c.stopAnnouncing()
	if !c.up || c.closing { // its return is told
		return
	}
	w.wait = wait
	w.retry = time.AfterFunc(wait, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if w.retry != nil {
			c.announceAgain()
		}
	})
}

func (c *Component) stopAnnouncing() {
	if c.unsaid.retry != nil {
		c.unsaid.retry.Stop()
		c.unsaid.retry = nil
	}
}

// announceAll says, to a server that is back, what could not be said meanwhile, and then what holds now: servers do not announce a component's return.
// c.mu is held.
func (c *Component) announceAll() {
	w := &c.unsaid
	w.list = slices.DeleteFunc(w.list, func(a *announcement) bool {
		if a.kind != "" && a.kind != "probe" {
			return false
		}
		w.forget(a)
		return true
	})
	c.announceAgain()
	for _, g := range c.ghosts {
		for _, contact := range g.contacts {
			c.announce(announcement{kind: "probe", from: g.address, to: contact})
		}
		for _, t := range g.tabs {
			for _, to := range t.audience {
				c.announce(t.available(to))
			}
		}
	}
}

// presenceStanza is the announcement as it is sent.
func (c *Component) presenceStanza(a *announcement) *element.Element {
	presence := newStanza("presence", a.kind, a.from, a.to, "")
	if a.kind == "" {
		presence.Append(c.caps())
	}
	if a.nick != "" {
		presence.Append(nickElement(a.nick))
	}
	if a.kind == "" {
		presence.Append(element.New(nsVCardPhoto, "x").Append(element.New(nsVCardPhoto, "photo")))
	}
	return presence
}

// unsent tells whether a stanza that was not sent can be later on.
func unsent(err error) bool { return errors.Is(err, stream.ErrDown) || errors.Is(err, stream.ErrFull) }

func (c *Component) logUnsent(err error) {
	if err != nil {
		c.log.Debug("presence not sent", "error", err)
	}
}
