package sdpconv

import (
	"reflect"
	"testing"
)

// samePlain compares what is read with and without pion.
func samePlain(t *testing.T, text string) {
	t.Helper()
	var plain, pion document
	err := plain.parseWith(text, true)
	pionErr := pion.parseWith(text, false)
	plain.cutter, pion.cutter = cutter{}, cutter{}
	if !reflect.DeepEqual(err, pionErr) || err == nil && !reflect.DeepEqual(plain, pion) { // after an error they are left half read
		t.Fatalf("read as %+v, %v\nby pion as %+v, %v\n%s", plain, err, pion, pionErr, text)
	}
}

func TestPlainLinesAreReadAsPionDoes(t *testing.T) {
	const head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	for _, text := range []string{
		head, head + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", head + "m=audio 65536 UDP/TLS/RTP/SAVPF 0\r\n", head + "m=audio 09 UDP/TLS/RTP/SAVPF 0\r\n",
		head + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP6 ::\r\nc=IN IP4 1.2.3.4\r\n", head + "c=IN IP4 1.2.3.4\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
		head + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 1.2.3.4/127\r\nb=AS:1\r\nm=video 0 UDP/TLS/RTP/SAVPF 0\r\n",
		"v=0\no=a b 1 IN IP4 x\ns=\nt=0 0\nm=audio 9 UDP/TLS/RTP/SAVPF 0", "v=0\ns=-\no=- 1 1 IN IP4 x\nt=0 0\nm=audio 9 UDP/TLS/RTP/SAVPF 0",
		"v=0\no=- 1 1 IN IP4 x\ns=\nc=IN IP4 1.2.3.4\nt=0 0\nm=audio 9 UDP/TLS/RTP/SAVPF 0", "v=0\no=- 1 1 IN IP4 x\ns=-\nm=audio 9 UDP/TLS/RTP/SAVPF 0",
	} {
		samePlain(t, text)
	}
	for _, steps := range scenarios(t) {
		for _, s := range steps {
			if s.SDP != "" {
				samePlain(t, s.SDP)
			}
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, name := range benchmarked {
		f.Add(offerOfCorpus(f, name))
	}
	f.Fuzz(samePlain)
}
