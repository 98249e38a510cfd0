package sdpconv

import (
	"strings"

	"github.com/pion/sdp/v3"
)

// badLine returns the index of the line at which pion fails.  It reads from the top and accepts an SDP that breaks off, so that the half of
// the lines with the bad one can be told; where that is the second, the search goes on there, with a few lines before it that lead pion to
// the same place.  That is as much to read as the whole is once more.
func badLine(lines []string) int {
	good, bad, head := 0, len(lines), ""
	for bad-good > 1 {
		middle := (good + bad) / 2
		text := head + strings.Join(lines[good:middle], "")
		if new(sdp.SessionDescription).UnmarshalString(text) != nil {
			bad = middle
			continue
		}
		good, head = middle, leadTo(lines[:middle])
	}
	return good
}

// session and section are the shortest beginnings that pion takes.
var session = []string{"v=0\r\n", "o=- 0 0 IN IP4 0.0.0.0\r\n", "s=-\r\n"}

const begunTime, begunSection = "t=0 0\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF\r\n"

// plainest is a line of each kind, for what it lets come after itself.
var plainest = map[byte]string{
	'i': "i=-\r\n", 'u': "u=x:y\r\n", 'e': "e=-\r\n", 'p': "p=-\r\n", 'c': "c=IN IP4 0.0.0.0\r\n", 'b': "b=AS:1\r\n", 't': "", 'r': "", 'z': "z=0 0\r\n", 'k': "k=-\r\n", 'm': "",
}

// leadTo returns lines after which pion takes what it takes after these, which are good: that depends on the kind of the last, and on whether
// it is of a section.
func leadTo(lines []string) string {
	if len(lines) <= len(session) {
		return strings.Join(session[:len(lines)], "")
	}
	last := lines[len(lines)-1][0]
	head := strings.Join(session, "")
	inSection := false
	for _, l := range lines {
		inSection = inSection || l[0] == 'm'
	}
	switch {
	case inSection:
		head += begunTime + begunSection
	case strings.IndexByte("trzk", last) >= 0:
		head += begunTime
	}
	return head + plainest[last]
}
