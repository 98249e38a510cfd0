package call

import (
	"strings"

	"carillon/jingle"
)

// messageID names a message of a call, so that an error for it finds its way back.  Conversations does the same, and ends its side when
// its own comes back.
func messageID(kind jingle.MessageKind, sid string) string {
	return "jm-" + string(kind) + "-" + sid
}

// SIDOf returns the session that a message id of ours belongs to.
func SIDOf(id string) (sid string, ok bool) {
	rest, ok := strings.CutPrefix(id, "jm-")
	if !ok {
		return "", false
	}
	_, sid, ok = strings.Cut(rest, "-")
	return sid, ok
}
