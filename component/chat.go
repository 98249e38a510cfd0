package component

import (
	"strings"
	"time"
	"unicode/utf8"

	"mellium.im/xmpp/jid"

	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

const (
	nsReceipts = "urn:xmpp:receipts"
	// maxText bounds what a page is shown of one message, in bytes; gateway.MaxText bounds what it sends.
	maxText = 16 << 10
	// textID begins the id of a message with text, by which its bounce is known.
	textID = "text-"
)

// write sends what the person at the page typed to somebody the page may call, or who knows it.  c.mu is held.
func (c *Component) write(t *tab, text gateway.Text) (gateway.Frame, error) {
	to, err := parseContact(text.To)
	if err != nil {
		return nil, err
	}
	if err := c.policy.permits(to); err != nil && !t.ghost.sees(to) {
		return nil, err
	}
	if !c.policy.allow(time.Now(), textFrom, addressGroup(t.ip), c.policy.limits.TextsPerMinute) {
		return nil, gateway.Errorf(gateway.RateLimited, "you have written very much just now; wait a minute")
	}
	if to.Domain().Equal(c.cfg.Domain) {
		return nil, c.pass(t, to, text)
	}
	if !c.up {
		return nil, gateway.Errorf(gateway.LinkDown, "the XMPP server is not connected just now; try again in a moment")
	}
	id := text.Message
	if id == "" {
		id = randomID()
	}
	message := newStanza("message", "chat", t.address, to, textID+id).Append(element.New("", "body").WithText(text.Body))
	if _, seen := t.audience[to.Bare().String()]; !seen { // the first one says who writes (XEP-0172 section 4.2)
		message.Append(nickElement(t.ghost.nick))
	}
	c.show(t, to)
	if err := c.link.Send(message); err != nil {
		c.log.Debug("text not sent", "error", err)
		return nil, gateway.Errorf(gateway.LinkDown, "the XMPP server takes no messages just now; try again in a moment")
	}
	return nil, nil
}

// pass hands a text to the pages of another guest.  c.mu is held.
func (c *Component) pass(t *tab, to jid.JID, text gateway.Text) error {
	tabs := c.readers(to)
	if len(tabs) == 0 {
		return gateway.Errorf(gateway.NotNow, "nobody can be reached at that address now, or it does not exist")
	}
	hand(tabs, gateway.Text{From: t.ghost.address.String(), Name: t.ghost.nick, Body: text.Body}, c.letterFrom(t, to, text))
	return nil
}

// readers lists the pages that a text to an address is shown on.  c.mu is held.
func (c *Component) readers(to jid.JID) []*tab {
	g := c.ghostOf(to)
	if g == nil {
		return nil
	}
	if t := g.tabs[to.Resourcepart()]; t != nil {
		return []*tab{t}
	}
	var all []*tab
	for _, t := range g.tabs {
		all = append(all, t)
	}
	return all
}

// Errors for messages that no page can show.
var (
	errNotReadable = &jingle.Error{Type: "modify", Condition: "not-acceptable",
		Text: "This address cannot read encrypted messages. Switch encryption off for it."}
	errNoReader = &jingle.Error{Type: "cancel", Condition: "service-unavailable",
		Text: "Nobody is reading messages at this address now."}
	errTextTooLong = &jingle.Error{Type: "modify", Condition: "not-acceptable", Text: "This message is too long for this address."}
)

// text shows a message of a contact on the ghost's pages.  Strangers hear what they hear of an address with no page open.
func (c *Component) text(st stream.Stanza) {
	if hasChild(st.Element, "encrypted") {
		c.post(refuse(st, errNotReadable))
		return
	}
	body := st.Element.Child(st.Element.Space, "body")
	if body == nil || strings.TrimSpace(body.Text) == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.ghostOf(st.To)
	switch {
	case c.stranger(g, st.From): // and not counted, or the count would tell that the address exists
		c.post(refuse(st, errNoReader))
	case !c.policy.allow(time.Now(), textTo, pair(st), c.policy.limits.TextsPerMinute):
		c.post(refuse(st, errBusy))
	case len(body.Text) > maxText || !utf8.ValidString(body.Text):
		c.post(refuse(st, errTextTooLong))
	default:
		text := gateway.Text{From: st.From.Bare().String(), Name: nickIn(st.Element), Body: strings.Clone(body.Text), Stamp: stampOf(st.Element)}
		hand(c.readers(st.To), text, c.letterOf(st))
	}
}

// undelivered tells the page that its text came back from somebody it has written to: anybody can send an error.  It reports false for the bounce of
// something else.
func (c *Component) undelivered(st stream.Stanza) bool {
	id, ok := strings.CutPrefix(st.ID, textID)
	if !ok || len(id) > gateway.MaxMessage {
		return ok
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tabOf(st.To)
	if t == nil {
		return true
	}
	if _, written := t.audience[st.From.Bare().String()]; written && c.policy.allow(time.Now(), bounceTo, pair(st), c.policy.limits.TextsPerMinute) {
		t.send(gateway.Undelivered{To: st.From.Bare().String(), Message: strings.Clone(id), Text: bounceSentence(jingle.ParseError(st.Element))})
	}
	return true
}

func bounceSentence(e jingle.Error) string {
	switch e.Condition {
	case "remote-server-not-found", "remote-server-timeout":
		return "The XMPP server of your contact cannot be reached."
	case "recipient-unavailable", "resource-constraint", "internal-server-error":
		return "Your contact cannot take this message just now. Try again later."
	case "not-acceptable", "policy-violation", "forbidden", "not-allowed":
		return "Your contact's server or app does not take this message."
	}
	return "Your message could not be delivered: the address does not exist or nobody is online there."
}

// stampOf is when a message was sent that waited on its way (XEP-0203), empty if it did not.
func stampOf(message *element.Element) string {
	if delay := message.Child(nsDelay, "delay"); delay != nil {
		if at, err := time.Parse(time.RFC3339, delay.Attr("stamp")); err == nil {
			return at.UTC().Format(time.RFC3339)
		}
	}
	return ""
}
