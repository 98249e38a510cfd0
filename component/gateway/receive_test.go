package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// TestWaitingAlone is the life of sockets where no poller waits for all of them.
func TestWaitingAlone(t *testing.T) {
	eachWaitsAlone = true
	defer func() { eachWaitsAlone = false }()
	for _, test := range []func(*testing.T){
		TestMalformedFramesLeaveTheSocketOpen, TestRequestsAndResults, TestOrder, TestShutdown, TestShutdownCode, TestShutdownCutsTheUnwilling,
		TestPanicInOpenAndClosed, TestPlaces, TestAttachDeadline, TestRate, TestSlowReader, TestSlowReaderIsTold, TestPings, TestClosed,
		TestHalfFrame, TestMuchAtOnceAndTheEnd, TestHugeFrame, TestLargestFrame,
	} {
		test(t)
	}
}

// wire is a link that keeps what is written, at most room bytes of it at a time.
type wire struct {
	room    int
	written []byte
	err     error
	isCut   bool
}

func (w *wire) watch() {}
func (w *wire) write(b []byte) (int, error) {
	n := min(len(b), w.room)
	w.written = append(w.written, b[:n]...)
	return n, w.err
}
func (w *wire) cut()   { w.isCut = true }
func (w *wire) close() {}

// wired is a socket on such a link, whose session answers what it is asked.
func wired(t testing.TB, limits Limits) (*socket, *wire) {
	t.Helper()
	w := &wire{room: 1 << 30}
	s := New(Config{PublicURL: &url.URL{Scheme: "http", Host: "localhost"}, Limits: limits}, &fakeHub{opened: make(chan *fakeSession, 1)})
	c := &socket{srv: s, link: w, attached: true}
	c.begin()
	c.start()
	return c, w
}

// clientFrame is a frame as clients send it.
func clientFrame(op ws.OpCode, fin bool, payload string) []byte {
	f := ws.NewFrame(op, fin, []byte(payload))
	return ws.MustCompileFrame(ws.MaskFrameWith(f, [4]byte{1, 0x82, 3, 0xf4}))
}

// heard lists what a page reads.
func heard(t testing.TB, written []byte) (frames []string) {
	t.Helper()
	for r := bytes.NewReader(written); ; {
		f, err := ws.ReadFrame(r)
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil || f.Header.Masked || !f.Header.Fin {
			t.Fatalf("%v %+v in %x", err, f.Header, written)
		}
		text := string(f.Payload)
		if f.Header.OpCode == ws.OpClose && len(text) >= 2 {
			text = fmt.Sprintf("%d %s", int(text[0])<<8|int(text[1]), text[2:])
		}
		frames = append(frames, fmt.Sprintf("%x %s", int(f.Header.OpCode), text))
	}
}

// TestFrames has each stream arrive at once, byte by byte and in two parts.
func TestFrames(t *testing.T) {
	ping := func(id string) string { return `{"event":"ping","id":` + id + `}` }
	long := `"` + strings.Repeat("x", 60) + `"`
	text := clientFrame(ws.OpText, true, ping("1"))
	bye := clientFrame(ws.OpClose, true, "\x03\xe8")
	unmasked := ws.MustCompileFrame(ws.NewTextFrame([]byte(ping("1"))))
	pong := func(id string) string { return `1 {"event":"pong","id":` + id + `}` }
	for _, test := range []struct {
		name   string
		stream [][]byte
		want   []string
		left   bool
	}{
		{"one frame", [][]byte{text}, []string{pong("1")}, false},
		{"two", [][]byte{text, clientFrame(ws.OpText, true, ping(long))}, []string{pong("1"), pong(long)}, false},
		{"in parts", [][]byte{clientFrame(ws.OpText, false, `{"event":`), clientFrame(ws.OpPing, true, "?"), clientFrame(ws.OpContinuation, false, ""),
			clientFrame(ws.OpContinuation, true, `"ping","id":2}`), text}, []string{"a ?", pong("2"), pong("1")}, false},
		{"a pong nobody asked for", [][]byte{clientFrame(ws.OpPong, true, "x"), text}, []string{pong("1")}, false},
		{"goodbye", [][]byte{text, bye, text}, []string{pong("1"), "8 1000 "}, true},
		{"goodbye without a code", [][]byte{clientFrame(ws.OpClose, true, "")}, []string{"8 "}, true},
		{"goodbye with half a code", [][]byte{clientFrame(ws.OpClose, true, "x")}, []string{"8 1002 "}, true},
		{"goodbye with a code nobody sends", [][]byte{clientFrame(ws.OpClose, true, "\x03\xed")}, []string{"8 1002 "}, true},
		{"not masked", [][]byte{text, unmasked, text}, []string{pong("1"), "8 1002 "}, false},
		{"reserved bit", [][]byte{{0xc1, 0x80, 0, 0, 0, 0}, text}, []string{"8 1002 "}, false},
		{"unknown opcode", [][]byte{{0x83, 0x80, 0, 0, 0, 0}, text}, []string{"8 1002 "}, false},
		{"continuation of nothing", [][]byte{clientFrame(ws.OpContinuation, true, "x"), text}, []string{"8 1002 "}, false},
		{"message in a message", [][]byte{clientFrame(ws.OpText, false, "x"), text}, []string{"8 1002 "}, false},
		{"long ping", [][]byte{clientFrame(ws.OpPing, true, strings.Repeat("x", 126)), text}, []string{"8 1002 "}, false},
		{"ping in parts", [][]byte{clientFrame(ws.OpPing, false, "x"), text}, []string{"8 1002 "}, false},
		{"too large", [][]byte{clientFrame(ws.OpText, true, strings.Repeat("x", 301)), text, bye}, []string{"8 1009 frame larger than 300 bytes"}, true},
		{"too large in parts", [][]byte{clientFrame(ws.OpText, false, strings.Repeat("x", 200)), clientFrame(ws.OpContinuation, false, strings.Repeat("x", 101)),
			clientFrame(ws.OpContinuation, true, "x"), text, bye}, []string{"8 1009 frame larger than 300 bytes"}, true},
		{"endless", [][]byte{{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, text}, []string{"8 1009 frame larger than 300 bytes"}, false},
	} {
		stream := bytes.Join(test.stream, nil)
		for at := -1; at < len(stream); at++ {
			c, w := wired(t, Limits{FrameBytes: 300})
			w.written = nil // the greeting
			var left bool
			for from := 0; from < len(stream) && !left; {
				to := len(stream)
				if at < 0 {
					to = from + 1
				} else if from < at {
					to = at
				}
				left = c.arrived(bytes.Clone(stream[from:to]))
				c.flush()
				from = to
			}
			got := heard(t, w.written)
			for i := range got {
				if code, _, ok := strings.Cut(got[i], "1002 "); ok {
					got[i] = code + "1002 "
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(test.want) || left != test.left {
				t.Fatalf("%s, parted at %d: %q, left %v; want %q, %v", test.name, at, got, left, test.want, test.left)
			}
		}
	}
}

// TestPartialWrites has the link take so many bytes at a time: nothing is lost, and a page that is too slow gets whole frames and then the reason.
func TestPartialWrites(t *testing.T) {
	for _, room := range []int{1, 2, 3, 7, 100, 1000} {
		c, w := wired(t, Limits{QueueFrames: 40})
		w.written, w.room = nil, 0
		for i := range 30 {
			c.Send(Ringing{fmt.Sprint(i, strings.Repeat("x", i*i))})
			w.room = room
			c.flush()
			w.room = 0
		}
		for i := range 30 {
			c.Send(Ringing{fmt.Sprint("late", i)})
		}
		w.room = room
		for len(c.out) > 0 {
			c.flush()
		}
		frames := heard(t, w.written)
		for i, f := range frames[:len(frames)-1] {
			want := fmt.Sprintf(`1 {"event":"ringing","call":%q}`, fmt.Sprint(i, strings.Repeat("x", i*i)))
			if f != want && !strings.Contains(f, "late") {
				t.Errorf("%d at a time: frame %d is %s", room, i, f)
			}
		}
		last := frames[len(frames)-1]
		if closed := strings.HasPrefix(last, "8 1008 too slow"); closed != (room < 1000) {
			t.Errorf("%d at a time: the last frame is %s", room, last)
		}
	}
}

// TestManyFramesAtOnce: what is put in at once before anything could be written is not the page's slowness.
func TestManyFramesAtOnce(t *testing.T) {
	c, w := wired(t, Limits{QueueFrames: 10})
	w.written = nil
	c.srv.outbox.wake()
	for i := range 100 {
		c.Send(Ringing{fmt.Sprint(i)})
	}
	c.srv.outbox.flush()
	if got := heard(t, w.written); len(got) != 100 {
		t.Errorf("%d frames: %q", len(got), got[len(got)-1])
	}
}

func TestPlainRun(t *testing.T) {
	for c := range 256 {
		for at := range 24 {
			b := bytes.Repeat([]byte{'a'}, 24)
			b[at] = byte(c)
			n := plainRun(b)
			for _, x := range b[:n] {
				if !plainByte[x] {
					t.Fatalf("%q passes in %q", x, b)
				}
			}
			if n < at&^7 || plainByte[c] && c != ' ' && n != 24 {
				t.Fatalf("%d of %q", n, b)
			}
		}
	}
}

// FuzzArrived: a stream means the same in whatever parts it arrives, and nothing of it is too much.
func FuzzArrived(f *testing.F) {
	f.Add(bytes.Join([][]byte{clientFrame(ws.OpText, false, `{"event":`), clientFrame(ws.OpContinuation, true, `"info"}`),
		clientFrame(ws.OpClose, true, "\x03\xe8")}, nil), 3)
	f.Add([]byte{0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4, 'x'}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		var results [2]string
		for i, step := range []int{max(len(stream), 1), max(1, size)} {
			c, w := wired(t, Limits{FrameBytes: 200, FramesPerSecond: 1e9, FrameBurst: 1e9, QueueBytes: 1 << 30, QueueFrames: 1 << 30})
			w.written = nil
			left := false
			for rest := stream; len(rest) > 0 && !left; {
				n := min(step, len(rest))
				left = c.arrived(bytes.Clone(rest[:n]))
				rest = rest[n:]
			}
			c.flush()
			if len(c.in.partial) > 200+maxHeader || len(c.in.message) > 200 {
				t.Errorf("%d and %d bytes kept", len(c.in.partial), len(c.in.message))
			}
			results[i] = fmt.Sprint(heard(t, w.written), left, c.clean)
		}
		if results[0] != results[1] {
			t.Errorf("%s\nin parts %s", results[0], results[1])
		}
	})
}

// TestRelayLeavesNoGarbage: messages between members are decoded and encoded in places that are there already.
func TestRelayLeavesNoGarbage(t *testing.T) {
	frame := []byte(`{"event":"send_to_peer","peer_id":"00000000-0000-0000-0000-000000000001","data":{"event":"ice_candidate","sdpmid":"0","candidate":"x"}}`)
	var s scanner
	place := make([]byte, 0, 1000)
	n := testing.AllocsPerRun(100, func() {
		req, derr := s.decode(frame)
		if derr != nil {
			t.Fatal(derr)
		}
		if _, err := appendEncoded(place, &Relayed{"me", req.Event.(*SendToPeer).Data}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 { // the Relayed, which in earnest is the room's
		t.Errorf("%v allocations for a message", n)
	}
}
