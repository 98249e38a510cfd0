package sdpconv

import (
	"math/rand"
	"sort"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

// The bad line is the last of the shortest beginning that pion refuses, whatever lines there are.
func TestBadLine(t *testing.T) {
	kinds := []string{"i=x", "u=http://x/", "e=x", "p=1", "c=IN IP4 192.0.2.1", "c=x", "b=AS:5", "b=x", "t=0 0", "t=x", "r=7d 1h 0", "z=0 -1h", "k=prompt", "k=clear:x",
		"m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio x", "s=x", "v=0", "o=x"}
	random := rand.New(rand.NewSource(1))
	found := 0
	for range 20000 {
		lines := []string{"v=0\r\n", "o=- 1 1 IN IP4 192.0.2.1\r\n", "s=x\r\n"}[:random.Intn(4)]
		if random.Intn(2) == 0 && len(lines) == 3 {
			lines = append(lines, "t=0 0\r\n", "m=video 9 UDP/TLS/RTP/SAVPF\r\n")
		}
		for range random.Intn(12) {
			lines = append(lines, kinds[random.Intn(len(kinds))]+"\r\n")
		}
		refused := func(n int) bool {
			return new(sdp.SessionDescription).UnmarshalString(strings.Join(lines[:n], "")) != nil
		}
		if len(lines) == 0 || !refused(len(lines)) {
			continue
		}
		found++
		if want, got := sort.Search(len(lines), refused)-1, badLine(lines); got != want {
			t.Fatalf("line %d, want %d of %q", got, want, lines)
		}
	}
	if found < 10000 {
		t.Errorf("only %d bad lines", found)
	}
}

// A page may send many bad SDPs: to find the line costs about as much as to read the SDP again, however long it is.
func BenchmarkBadLine(b *testing.B) {
	text := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" + strings.Repeat("b=AS:1\r\n", 30000) + "b=AS:x\r\n"
	for b.Loop() {
		if _, _, _, err := FromSDP(text, 0, nil); err == nil {
			b.Fatal("taken")
		}
	}
}
