package sdpconv

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/jingle"
)

func TestCandidate(t *testing.T) {
	for _, row := range []struct {
		in, out, ufrag string
		want           jingle.Candidate
		sendable       bool
	}{
		{"candidate:2842182897 1 udp 2122194687 192.0.2.2 34237 typ host generation 0 ufrag Z4ut network-id 1 network-cost 50",
			"candidate:2842182897 1 udp 2122194687 192.0.2.2 34237 typ host generation 0 ufrag Z4ut", "Z4ut",
			jingle.Candidate{Foundation: "2842182897", Component: 1, Protocol: "udp", Priority: 2122194687, IP: "192.0.2.2", Port: 34237, Type: "host", Network: "0"}, true},
		{"a=candidate:1 1 UDP 2122252543 fd00::2 54132 typ host\r\n",
			"candidate:1 1 udp 2122252543 fd00::2 54132 typ host generation 0", "",
			jingle.Candidate{Foundation: "1", Component: 1, Protocol: "udp", Priority: 2122252543, IP: "fd00::2", Port: 54132, Type: "host", Network: "0"}, true},
		{"a+/b 1 udp 1 203.0.113.7 1 typ srflx rport 2 raddr 192.0.2.2 generation 3",
			"candidate:a+/b 1 udp 1 203.0.113.7 1 typ srflx raddr 192.0.2.2 rport 2 generation 3", "",
			jingle.Candidate{Foundation: "a+/b", Component: 1, Protocol: "udp", Priority: 1, IP: "203.0.113.7", Port: 1, Type: "srflx", RelAddr: "192.0.2.2", RelPort: 2, Generation: 3, Network: "0"}, true},
		{"candidate:1 1 udp 1 203.0.113.7 1 typ relay odd",
			"candidate:1 1 udp 1 203.0.113.7 1 typ relay raddr 0.0.0.0 rport 0 generation 0", "",
			jingle.Candidate{Foundation: "1", Component: 1, Protocol: "udp", Priority: 1, IP: "203.0.113.7", Port: 1, Type: "relay", Network: "0"}, true},
		{"candidate:2 1 TCP 2105458943 192.0.2.2 9 typ host tcptype active",
			"candidate:2 1 tcp 2105458943 192.0.2.2 9 typ host tcptype active generation 0", "",
			jingle.Candidate{Foundation: "2", Component: 1, Protocol: "tcp", Priority: 2105458943, IP: "192.0.2.2", Port: 9, Type: "host", TCPType: "active", Network: "0"}, false},
		{"candidate:0 2 UDP 1 192.0.2.2 58773 typ host",
			"candidate:0 2 udp 1 192.0.2.2 58773 typ host generation 0", "",
			jingle.Candidate{Foundation: "0", Component: 2, Protocol: "udp", Priority: 1, IP: "192.0.2.2", Port: 58773, Type: "host", Network: "0"}, false},
		{"candidate:0 1 udp 1 fb9a5393-f7cd-4ba3-85e2-0b1d0c9aaaaa.local 58773 typ host",
			"candidate:0 1 udp 1 fb9a5393-f7cd-4ba3-85e2-0b1d0c9aaaaa.local 58773 typ host generation 0", "",
			jingle.Candidate{Foundation: "0", Component: 1, Protocol: "udp", Priority: 1, IP: "fb9a5393-f7cd-4ba3-85e2-0b1d0c9aaaaa.local", Port: 58773, Type: "host", Network: "0"}, false},
	} {
		got, ufrag, err := ParseCandidate(row.in)
		if err != nil || got != row.want || ufrag != row.ufrag {
			t.Errorf("%q is read as %+v, %q, %v", row.in, got, ufrag, err)
			continue
		}
		if out := FormatCandidate(got, ufrag); out != row.out {
			t.Errorf("%q is written as %q", row.in, out)
		}
		if Sendable(got) != row.sendable {
			t.Errorf("%q: sendable is %v", row.in, !row.sendable)
		}
	}
}

func TestCandidateRefused(t *testing.T) {
	for _, s := range []string{
		"", "candidate:", "candidate:1 1 udp 1 192.0.2.2 1 typ", "candidate:1 1 udp 1 192.0.2.2 1 type host",
		"candidate:1 0 udp 1 192.0.2.2 1 typ host", "candidate:1 300 udp 1 192.0.2.2 1 typ host", "candidate:1 -1 udp 1 192.0.2.2 1 typ host",
		"candidate:1 1 udp 4294967296 192.0.2.2 1 typ host", "candidate:1 1 udp 1 192.0.2.2 65536 typ host",
		"candidate:1 1 sctp 1 192.0.2.2 1 typ host", "candidate:1 1 udp 1 192.0.2.2 1 typ magic",
		"candidate:1 1 udp 1 192.0.2.2 1 typ host \x00 \x01", "candidate:1 1 udp 1 192.0.2.2 1 typ host " + strings.Repeat("x y ", 300),
	} {
		if c, _, err := ParseCandidate(s); err == nil {
			t.Errorf("%q is read as %+v", s, c)
		}
	}
}

// What a stranger put into a candidate cannot add a line or a field to what a browser reads.
func TestFormatCandidateSafe(t *testing.T) {
	evil := "1 1 udp 1 10.0.0.1 1 typ host\r\na=evil"
	c := jingle.Candidate{Foundation: evil, Protocol: evil, IP: evil, Type: evil, RelAddr: evil, TCPType: evil, Component: -4}
	want := "candidate:1 1 udp 0 0.0.0.0 0 typ host raddr 0.0.0.0 rport 0 generation 0"
	if got := FormatCandidate(c, evil); got != want {
		t.Errorf("got %q", got)
	}
}

func TestIsIP(t *testing.T) {
	for s, want := range map[string]bool{
		"192.0.2.1": true, "0.0.0.0": true, "255.255.255.255": true, "256.0.0.1": false, "1.2.3": false, "1.2.3.4.5": false, "01.2.3.4": false,
		"1.2.3.+4": false, "": false, "host": false, "host.local": false,
		"::": true, "::1": true, "fd00::2": true, "1:2:3:4:5:6:7:8": true, "1:2:3:4:5:6:7::": true, "::ffff:192.0.2.1": true, "1:2:3:4:5:6:192.0.2.1": true,
		"1:2:3:4:5:6:7": false, "1:2:3:4:5:6:7:8:9": false, "1::2::3": false, "1:2:3:4:5:6:7::8": false, "12345::": false, "g::": false, ":": false, ":1": false,
		"fe80::1%eth0": false, "::1.2.3": false, "1.2.3.4::": false, "+1::": false, "1:": false,
	} {
		if isIP(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

// Every candidate that a browser made is read, and written again means the same.
func TestCorpusCandidates(t *testing.T) {
	files, _ := filepath.Glob("../testdata/sdp/*.json")
	n, sendable := 0, 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var s struct {
			Steps []struct {
				Type      string
				Candidate json.RawMessage
			}
		}
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(err)
		}
		for _, st := range s.Steps {
			var init struct{ Candidate, UsernameFragment string }
			if st.Type != "candidate" || json.Unmarshal(st.Candidate, &init) != nil || init.Candidate == "" {
				continue
			}
			n++
			c, ufrag, err := ParseCandidate(init.Candidate)
			if err != nil || ufrag != "" && ufrag != init.UsernameFragment {
				t.Errorf("%s: %q: %v, ufrag %q", f, init.Candidate, err, ufrag)
			}
			again, _, err := ParseCandidate(FormatCandidate(c, ""))
			if c.Type != "host" && c.RelAddr == "" {
				c.RelAddr = "0.0.0.0"
			}
			if err != nil || again != c {
				t.Errorf("%s: %q comes back as %+v, %v", f, init.Candidate, again, err)
			}
			if Sendable(c) {
				sendable++
			}
		}
	}
	if n < 1000 || sendable < 200 || sendable == n {
		t.Errorf("%d candidates, %d sendable", n, sendable)
	}
}
