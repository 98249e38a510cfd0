package component

import (
	"strings"
	"unicode"

	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

// maxNick bounds what somebody says to be called, in characters.
const maxNick = 64

// guestNick is what others are told that a guest is called: the name as it was typed, which an address has in lower case, marked as a guest's.
func guestNick(name string) string { return cleanName(name) + " (guest)" }

// nickOf is what the guest at an address is called: the address tells where no page is open.
func (c *Component) nickOf(address jid.JID) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.ghostOf(address); g != nil {
		return g.nick
	}
	name := address.Localpart()
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	return guestNick(name)
}

func nickElement(nick string) *element.Element { return element.New(nsNick, "nick").WithText(nick) }

// nickIn is what the sender of a stanza says to be called (XEP-0172), made fit to be shown beside its address: anybody can say anything.  What
// could pass for an address is no name.
func nickIn(stanza *element.Element) string {
	nick := stanza.Child(nsNick, "nick")
	if nick == nil || strings.ContainsAny(nick.Text, "@\uff20\ufe6b") {
		return ""
	}
	return cleanName(nick.Text)
}

// Bounds of cleanName.  invisible are letters and signs without any ink.
const (
	maxNickBytes = 4096 // that are looked at
	mostMarks    = 3    // accents on one letter: scripts have no more
	invisible    = "\u115f\u1160\u2800\u3164\uffa0\ufffd"
)

// cleanName keeps of a name what can be seen, on one line and in its order: no controls, nothing that turns the direction of the text around it.
func cleanName(s string) string {
	var kept []rune
	marks, visible := 0, false
	for _, r := range s[:min(len(s), maxNickBytes)] {
		if len(kept) == maxNick {
			break
		}
		switch n := len(kept); {
		case unicode.IsSpace(r):
			if n > 0 && kept[n-1] != ' ' {
				kept = append(kept, ' ')
			}
		case !unicode.IsPrint(r) && !joins(r) || strings.ContainsRune(invisible, r):
		case unicode.Is(unicode.M, r):
			if marks++; n > 0 && marks <= mostMarks {
				kept = append(kept, r)
			}
		default:
			marks, visible = 0, visible || !joins(r)
			kept = append(kept, r)
		}
	}
	if !visible {
		return ""
	}
	return strings.TrimRight(string(kept), " ")
}

// joins tells the two characters that are not seen but needed: Persian words and emoji are written with them.
func joins(r rune) bool { return r == '\u200c' || r == '\u200d' }
