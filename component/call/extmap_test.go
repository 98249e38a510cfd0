package call

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExtensions has the ids of a call between Chromium, which offered sound and picture, and Firefox, which then offers its own.
func TestExtensions(t *testing.T) {
	x := extensions{}
	x.learn("m=audio 9 x 111\r\na=extmap:1 urn:level\r\na=extmap:4/sendrecv urn:mid\r\nm=video 9 x 96\r\na=extmap:2 urn:time\r\na=extmap:4 urn:mid\r\na=extmap:\r\n")
	x.learn("a=extmap:2 urn:other\r\n") // no browser does so; what was first agreed on counts
	offer := "m=audio 9 x 109\r\na=extmap:1 urn:level\r\na=extmap:2/recvonly urn:csrc\r\na=extmap:4 urn:mid\r\nm=video 9 x 120\r\na=extmap:2 urn:time\r\na=extmap:9 urn:new\r\na=mid:1\r\n"
	want := "m=audio 9 x 109\r\na=extmap:1 urn:level\r\na=extmap:4 urn:mid\r\nm=video 9 x 120\r\na=extmap:2 urn:time\r\na=extmap:9 urn:new\r\na=mid:1\r\n"
	if got := x.keep(offer); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := (extensions{}).keep(offer); got != offer {
		t.Errorf("of a call without extensions:\n%s", got)
	}
}

// TestExtensionsOfALaterOffer: the page that is offered something later on gets it without the ids that stood for others in its own offer.
func TestExtensionsOfALaterOffer(t *testing.T) {
	r := newReplay(t)
	r.play(names + localPaths["offering"])
	offer := func(tab, file, extensions string) []Output {
		sdp, err := os.ReadFile(filepath.Join(transcripts, "page", file))
		if err != nil {
			t.Fatal(err)
		}
		return r.machine.Handle(r.clock(), BrowserOffer{Tab: r.jid(tab), SDP: string(sdp) + extensions})
	}
	offer("w1", "offer.audio.sdp", "a=extmap:1 urn:level\r\n")
	r.play("B> ben1 accept\nB> ben1 answer @page/answer.audio.sdp\nB> w1 media connected")
	for _, o := range offer("ben1", "called/offer.hold.sdp", "a=extmap:1 urn:csrc\r\na=extmap:2 urn:time\r\n") {
		if o, ok := o.(ToBrowser); ok && o.Tab.Equal(r.jid("w1")) {
			sdp := o.Event.(RemoteOffer).SDP
			if strings.Contains(sdp, "urn:csrc") || !strings.Contains(sdp, "a=extmap:2 urn:time\r\n") {
				t.Errorf("offered\n%s", sdp)
			}
			return
		}
	}
	t.Error("nothing was offered")
}

// TestExtensionsBound: pages that make ids and names up do not make a call grow.
func TestExtensionsBound(t *testing.T) {
	x := extensions{}
	for n := range 10_000 {
		x.learn(fmt.Sprintf("a=extmap:%d urn:x\r\na=extmap:x%d urn:x\r\na=extmap:0%d urn:x\r\n", n, n, n))
	}
	x.learn("a=extmap:9 urn:" + strings.Repeat("x", 5000))
	if len(x) > 255 {
		t.Errorf("%d ids", len(x))
	}
	x = extensions{}
	x.learn("a=extmap:9 urn:" + strings.Repeat("x", 5000))
	if len(x) > 0 {
		t.Errorf("%d bytes of a name", len(x["9"]))
	}
}
