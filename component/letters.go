package component

import (
	"maps"
	"slices"
	"strings"

	"mellium.im/xmpp/jid"

	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

// Why a text comes back that waited for a page (RFC 6120 sections 8.3.3.13 and 8.3.3.18).
var (
	errPageLost = &jingle.Error{Type: "wait", Condition: "recipient-unavailable",
		Text: "The page at this address lost its connection and did not come back. It has not shown this message."}
	errPageFull = &jingle.Error{Type: "wait", Condition: "resource-constraint",
		Text: "The page at this address has lost its connection, and more waits for it than is kept. It will not show this message."}
)

// A letter is a text that all pages it is for keep until their sockets are back.  The first that is shows it; when none is left to do that, it goes
// back to its writer.
type letter struct {
	keepers  int // pages that keep it
	shown    bool
	confirm  func()                  // says that it was shown
	giveBack func(why *jingle.Error) // says that it never will be
}

// hand gives a text to its readers.  c.mu is held.
func hand(readers []*tab, text gateway.Text, l letter) {
	for _, t := range readers {
		t.send(text)
		l.shown = l.shown || t.session != nil
	}
	if l.shown {
		l.confirm()
		return
	}
	for _, t := range readers {
		t.letters[t.seq] = &l
		l.keepers++
	}
}

// show is for the page that is back.
func (l *letter) show() {
	if !l.shown {
		l.shown = true
		l.confirm()
	}
}

// drop is for the page that does not keep it any more.
func (l *letter) drop(why *jingle.Error) {
	if l.keepers--; l.keepers == 0 && !l.shown {
		l.giveBack(why)
	}
}

// dropLetter is for a frame that is not kept any more.  c.mu is held.
func (t *tab) dropLetter(seq int, why *jingle.Error) {
	if l := t.letters[seq]; l != nil {
		delete(t.letters, seq)
		l.drop(why)
	}
}

// dropLetters is for a page that will not come back.  Writers hear of their texts in the order in which they wrote them.  c.mu is held.
func (t *tab) dropLetters() {
	for _, seq := range slices.Sorted(maps.Keys(t.letters)) {
		t.dropLetter(seq, errPageLost)
	}
}

// showLetters is for a page that gets what it has missed.  c.mu is held.
func (t *tab) showLetters() {
	for _, seq := range slices.Sorted(maps.Keys(t.letters)) {
		t.letters[seq].show()
	}
	clear(t.letters)
}

// takeLetters returns the texts that wait for a page, for the one that was loaded in its place and will show them.  c.mu is held.
func (t *tab) takeLetters() []gateway.Frame {
	var texts []gateway.Frame
	for _, f := range t.kept {
		if n := f.(gateway.Numbered); t.letters[n.Seq] != nil {
			texts = append(texts, n.Frame)
		}
	}
	t.showLetters()
	return texts
}

// dropAllLetters gives back what waits when the service ends.  c.mu is held.
func (c *Component) dropAllLetters() {
	for _, g := range c.ghosts {
		for _, t := range g.tabs {
			t.dropLetters()
		}
	}
}

// letterOf is the text of an XMPP user: shown, it is confirmed to who asked for that (XEP-0184); else it goes back as an error.
func (c *Component) letterOf(st stream.Stanza) letter {
	asks := st.ID != "" && st.Element.Child(nsReceipts, "request") != nil
	back := stream.Stanza{ID: strings.Clone(st.ID), Type: strings.Clone(st.Type), From: st.From, To: st.To, Element: element.New("", "message")}
	return letter{
		confirm: func() {
			if asks {
				c.post(newStanza("message", back.Type, back.To, back.From, randomID()).Append(element.New(nsReceipts, "received", "id", back.ID)))
			}
		},
		giveBack: func(why *jingle.Error) { c.post(refuse(back, why)) },
	}
}

// letterFrom is the text of another page.
func (c *Component) letterFrom(writer *tab, to jid.JID, text gateway.Text) letter {
	return letter{
		confirm: func() {},
		giveBack: func(*jingle.Error) {
			writer.send(gateway.Undelivered{To: to.Bare().String(), Message: text.Message, Text: "The page of your contact lost its connection and did not come back."})
		},
	}
}
