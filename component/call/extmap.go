package call

import (
	"strconv"
	"strings"
)

// extensions is which RTP header extension each id of a call between two browsers stands for (RFC 8285 section 6), as the first SDP with
// it had it.
//
// Firefox (ESR 153) offers anew what it left out of an answer, under ids that it thinks free: the other browser has offered something else
// under them.  Chromium (156) refuses an offer that gives an id another meaning, also one that it has only in an offer which it
// is to roll back.
//
// It is for pages that speak the protocol without our library, of which PROTOCOL.md asks no more than to give the browser what comes.  The library
// does the same by itself (peer.js), where it also looks at what XMPP clients offer and at its browser's own offers.
type extensions map[string]string

// learn takes up the ids of an offer or answer.
func (x extensions) learn(sdp string) {
	for line := range strings.SplitSeq(sdp, "\n") {
		if id, uri, ok := extmap(line); ok && x[id] == "" && len(uri) <= maxURI && isExtensionID(id) {
			x[id] = uri
		}
	}
}

// maxURI bounds the names of extensions, which pages make up, in bytes.
const maxURI = 256

// isExtensionID tells whether an id is one: 1 to 255 (RFC 8285 section 4.3), written in one way only.
func isExtensionID(id string) bool {
	n, err := strconv.ParseUint(id, 10, 8)
	return err == nil && n > 0 && id[0] != '0'
}

// keep returns an offer without the extensions whose ids stand for something else.
func (x extensions) keep(offer string) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(offer, "\n") {
		if id, uri, ok := extmap(line); !ok || x[id] == "" || x[id] == uri {
			b.WriteString(line)
		}
	}
	return b.String()
}

// extmap reads an a=extmap line: its id, without a direction, and its URI.
func extmap(line string) (id, uri string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\r"), "a=extmap:")
	f := strings.Fields(rest)
	if !ok || len(f) < 2 {
		return "", "", false
	}
	id, _, _ = strings.Cut(f[0], "/")
	return id, f[1], true
}
