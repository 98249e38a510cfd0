package gateway

import (
	"fmt"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// socket is one WebSocket.  It has no goroutine and no timer of its own: whoever sees that something arrived calls readable, whoever has
// something for the page sends, and the server looks at what is due.
type socket struct {
	srv     *Server
	link    link
	remote  netip.Addr
	origin  string
	session Session

	// Of whoever reads; there is only one at a time.
	in       inbound
	rate     bucket
	excess   int // frames over the rate since it was last kept
	attached bool
	clean    bool // the page said goodbye, and first

	mu      sync.Mutex
	open    bool   // the link may be written to
	ended   bool   // it may not any more
	closing bool   // a close frame is in out, or was sent
	dirty   bool   // somebody will flush
	out     []byte // frames, from the one that is being sent on
	sent    int    // bytes of out that the link took
	frames  int    // in out

	// When things are due, on the clock of the server; 0: never.
	attachBy time.Duration // to be of use
	pingAt   time.Duration
	pongBy   time.Duration
	writeBy  time.Duration // what was in out when the link took no more
	mark     int           // how much of out that still is
	closeBy  time.Duration // the page's close frame
}

func (c *socket) Remote() netip.Addr { return c.remote }
func (c *socket) Origin() string     { return c.origin }

// begin is the first of the socket's life.
func (c *socket) begin() {
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("open", p)
			c.Close(CloseInternal, "internal error")
		}
	}()
	c.session = c.srv.hub.Open(c)
	now := c.srv.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pingAt, c.attachBy = now+c.srv.lim.Ping, now+c.srv.lim.Attach
}

// start lets the socket write, and sends what it has.
func (c *socket) start() {
	c.mu.Lock()
	c.open = true
	c.mu.Unlock()
	c.flush()
}

// end is the last of it, for whoever reads.
func (c *socket) end() {
	c.closed()
	c.mu.Lock()
	c.ended = true
	c.drop()
	c.mu.Unlock()
	c.link.close()
	c.srv.release(c, c.remote)
}

// closed tells the session.
func (c *socket) closed() {
	if c.session == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("closed", p)
		}
	}()
	c.session.Closed(c.clean)
}

// Send implements Conn.
func (c *socket) Send(f Frame) {
	c.put(func() {
		if c.closing {
			return
		}
		if err := c.append(f); err != nil {
			c.srv.log.Error("frame not sent", "err", err)
		}
	})
}

// Close implements Conn.
func (c *socket) Close(code int, reason string) {
	c.put(func() { c.sendClose(code, reason) })
}

// put calls a function that may put something into out, and has that written: by a goroutine that is awake for it, or at once.
func (c *socket) put(something func()) {
	if c.fill(something) && !c.srv.outbox.add(c) {
		c.flush()
	}
}

// fill is true when somebody has to flush.
func (c *socket) fill(something func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	something()
	if c.tooMuch() {
		c.write() // much was put in at once; that is not the page's fault
	}
	if c.tooMuch() {
		c.cutBack()
		c.sendClose(ClosePolicy, "too slow: the page does not read what it is sent")
	}
	if c.dirty || len(c.out) == c.sent {
		return false
	}
	c.dirty = true
	return true
}

// tooMuch says that more is waiting than may be.
func (c *socket) tooMuch() bool {
	return !c.closing && (c.frames > c.srv.lim.QueueFrames || len(c.out)-c.sent > c.srv.lim.QueueBytes)
}

// append writes the frame into out.
func (c *socket) append(f Frame) error {
	if c.out == nil {
		c.out = takeBuffer()
	}
	b, err := appendText(c.out, func(b []byte) ([]byte, error) { return appendEncoded(b, f) })
	if err != nil {
		return err
	}
	c.out = b
	c.frames++
	return nil
}

// cutBack leaves in out only the frame of which the page has a part already.
func (c *socket) cutBack() {
	c.trim()
	n := 0
	if c.sent > 0 {
		n = frameLen(c.out)
	}
	c.out, c.frames = c.out[:n], min(c.frames, 1)
}

// trim forgets the frames that the link took wholly.
func (c *socket) trim() {
	at := 0
	for at < c.sent {
		n := frameLen(c.out[at:])
		if at+n > c.sent {
			break
		}
		at += n
		c.frames--
	}
	c.out = append(c.out[:0], c.out[at:]...)
	c.sent -= at
	c.mark = max(c.mark-at, 0)
}

// sendClose puts a close frame into out, as the last frame of all.
func (c *socket) sendClose(code int, reason string) {
	if c.closing {
		return
	}
	for len(reason) > maxCloseReason || !utf8.ValidString(reason) {
		reason = strings.ToValidUTF8(reason[:min(len(reason), maxCloseReason)], "")
	}
	c.control(ws.OpClose, ws.NewCloseFrameBody(ws.StatusCode(code), reason))
	c.closing = true
}

// control puts a control frame into out.
func (c *socket) control(op ws.OpCode, payload []byte) {
	if c.closing {
		return
	}
	if c.out == nil {
		c.out = takeBuffer()
	}
	c.out = appendFrame(c.out, op, payload)
	c.frames++
}

// closeTime is how long a page has for its close frame once it was sent ours.  Until then it is read from: what it still had on the way
// would else reset the connection before it saw our reason.
const closeTime = 5 * time.Second

// flush writes what the link takes.
func (c *socket) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dirty = false
	c.write()
}

func (c *socket) write() {
	if !c.open || c.ended || len(c.out) == c.sent {
		return
	}
	n, err := c.link.write(c.out[c.sent:])
	if err != nil {
		c.abandon()
		return
	}
	c.sent += n
	if c.sent == len(c.out) {
		c.drop()
		if c.closing {
			c.closeBy = c.srv.now() + closeTime
		}
		return
	}
	if c.writeBy == 0 || c.sent >= c.mark {
		c.writeBy, c.mark = c.srv.now()+c.srv.lim.Write, len(c.out)
	}
	c.trim()
}

// drop gives out back.
func (c *socket) drop() {
	giveBuffer(c.out)
	c.out, c.sent, c.frames, c.mark, c.writeBy = nil, 0, 0, 0, 0
}

// cut ends the connection without ceremony.
func (c *socket) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.abandon()
	}
}

// abandon gives the connection up: the page is gone or does not read.  Whoever reads will see the end.
func (c *socket) abandon() {
	c.closing = true
	c.drop()
	c.link.cut()
}

// due does what time has come for.
func (c *socket) due(now time.Duration) {
	past := func(t time.Duration) bool { return t != 0 && now >= t }
	c.put(func() {
		switch {
		case !c.open:
		case past(c.writeBy), past(c.closeBy), !c.closing && past(c.pongBy):
			c.abandon()
		case c.closing:
		case past(c.attachBy):
			c.sendClose(ClosePolicy, fmt.Sprintf("no attach and no room within %v", c.srv.lim.Attach))
		case now >= c.pingAt && c.pongBy == 0 && c.writeBy == 0: // a socket that is being written to is watched by that
			c.control(ws.OpPing, nil)
			c.pongBy = now + c.srv.lim.Pong
		}
	})
}

// stay lets a socket stay that has proved to be of use.
func (c *socket) stay() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attachBy = 0
}

func (c *socket) logPanic(where string, p any) {
	c.srv.cfg.Panicked()
	c.srv.log.Error("panic in session", "where", where, "panic", p, "stack", string(debug.Stack()))
}

// buffers are for frames on their way out.  Sockets that have nothing to send have none.
var buffers = sync.Pool{New: func() any { return new([maxPooled]byte) }}

const maxPooled = 8 << 10

func takeBuffer() []byte { return buffers.Get().(*[maxPooled]byte)[:0] }

// giveBuffer gives a buffer of takeBuffer back, unless it grew.
func giveBuffer(b []byte) {
	if cap(b) == maxPooled {
		buffers.Put((*[maxPooled]byte)(b[:maxPooled]))
	}
}
