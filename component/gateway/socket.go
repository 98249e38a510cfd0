package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// socket is one WebSocket.  One goroutine reads and runs the session; a second writes, and a third pings, only while there is
// something to write or a pong to wait for, so an idle page costs one goroutine.
type socket struct {
	srv     *Server
	ws      *websocket.Conn
	conn    net.Conn // under ws; closing it cuts everything short
	remote  netip.Addr
	origin  string
	session Session

	// Of the reading goroutine.
	limiter  *rate.Limiter
	excess   int // frames over the rate since it was last kept
	attached bool

	mu          sync.Mutex
	queue       [][]byte
	queued      int  // bytes in queue
	writing     bool // the writer runs
	closing     bool // a close is queued, or under way
	ended       bool // nothing may be started any more
	code        int
	reason      string
	pingTimer   *time.Timer
	attachTimer *time.Timer
	work        sync.WaitGroup // writer and pinger; added to under mu while not ended
}

func (c *socket) Remote() netip.Addr { return c.remote }
func (c *socket) Origin() string     { return c.origin }

// run is the life of the socket.
func (c *socket) run() {
	defer c.srv.release(c, c.remote)
	c.srv.register(c)
	clean := false
	if c.open() {
		c.startTimers()
		clean = c.read()
	}
	c.closed(clean)
	c.end()
}

func (c *socket) open() (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("open", p)
			c.Close(CloseInternal, "internal error")
		}
	}()
	c.session = c.srv.hub.Open(c)
	return true
}

// closed tells the session.
func (c *socket) closed(clean bool) {
	if c.session == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("closed", p)
		}
	}()
	c.session.Closed(clean)
}

// end waits for a close that is under way and leaves nothing behind.
func (c *socket) end() {
	c.mu.Lock()
	c.ended = true
	closing := c.closing
	for _, t := range []*time.Timer{c.pingTimer, c.attachTimer} {
		if t != nil {
			t.Stop()
		}
	}
	c.mu.Unlock()
	if !closing {
		c.cut()
	}
	c.work.Wait()
	c.cut()
}

// cut ends the connection without ceremony.  Closing conn first frees whoever is inside the library, even in a closing handshake.
func (c *socket) cut() {
	c.conn.Close()
	c.ws.CloseNow()
}

func (c *socket) startTimers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pingTimer = time.AfterFunc(c.srv.lim.Ping, c.ping)
	c.attachTimer = time.AfterFunc(c.srv.lim.Attach, func() {
		c.Close(ClosePolicy, fmt.Sprintf("no attach and no room within %v", c.srv.lim.Attach))
	})
}

// Send implements Conn.
func (c *socket) Send(f Frame) {
	b, err := Encode(f)
	if err != nil {
		c.srv.log.Error("frame not sent", "err", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || c.ended {
		return
	}
	if len(c.queue) >= c.srv.lim.QueueFrames || c.queued+len(b) > c.srv.lim.QueueBytes {
		c.queue, c.queued = nil, 0
		c.closeLocked(ClosePolicy, "too slow: the page does not read what it is sent")
		return
	}
	c.queue = append(c.queue, b)
	c.queued += len(b)
	c.startWriter()
}

// Close implements Conn.
func (c *socket) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(code, reason)
}

func (c *socket) closeLocked(code int, reason string) {
	if c.closing || c.ended {
		return
	}
	for len(reason) > maxCloseReason || !utf8.ValidString(reason) {
		reason = strings.ToValidUTF8(reason[:min(len(reason), maxCloseReason)], "")
	}
	c.closing, c.code, c.reason = true, code, reason
	c.startWriter()
}

func (c *socket) startWriter() {
	if !c.writing {
		c.writing = true
		c.work.Add(1)
		go c.write()
	}
}

// write empties the queue, then closes if that was asked for.
func (c *socket) write() {
	defer c.work.Done()
	for {
		b, done := c.next()
		if done {
			return
		}
		if b == nil {
			// Reads until the page's own close frame, so that what it still had on the way does not reset the connection
			// before it saw our reason.  Bounded by the library: 5 s each way.
			c.ws.Close(websocket.StatusCode(c.code), c.reason)
			return
		}
		c.conn.SetWriteDeadline(time.Now().Add(c.srv.lim.Write))
		err := c.ws.Write(context.Background(), websocket.MessageText, b)
		c.conn.SetWriteDeadline(time.Time{})
		if err != nil {
			c.abandon()
			return
		}
	}
}

// next returns the next frame, nil when the socket is to be closed, or done.
func (c *socket) next() (b []byte, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		b = c.queue[0]
		c.queue = c.queue[1:]
		c.queued -= len(b)
		return b, false
	}
	c.queue = nil
	if c.closing {
		return nil, false
	}
	c.writing = false
	return nil, true
}

// abandon gives the connection up: the page is gone or does not read.
func (c *socket) abandon() {
	c.mu.Lock()
	c.queue, c.queued, c.closing = nil, 0, true
	c.mu.Unlock()
	c.cut()
}

// ping runs when the ping timer fires.  A socket that is being written to is watched by the write deadline instead.
func (c *socket) ping() {
	c.mu.Lock()
	if c.closing || c.ended {
		c.mu.Unlock()
		return
	}
	busy := c.writing
	c.work.Add(1)
	c.mu.Unlock()
	defer c.work.Done()

	if !busy {
		ctx, cancel := context.WithTimeout(context.Background(), c.srv.lim.Pong)
		err := c.ws.Ping(ctx)
		cancel()
		if err != nil {
			c.abandon()
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && !c.ended {
		c.pingTimer.Reset(c.srv.lim.Ping)
	}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read handles frames until the socket ends, and says whether the page said goodbye.
func (c *socket) read() (clean bool) {
	for {
		typ, r, err := c.ws.Reader(context.Background())
		if err != nil {
			status := websocket.CloseStatus(err)
			return (status == CloseNormal || status == CloseGoingAway) && !c.isClosing()
		}
		if !c.readFrame(typ, r) {
			return false
		}
	}
}

// readFrame reads and handles one frame.  It returns false when the socket is not to be read any further.
func (c *socket) readFrame(typ websocket.MessageType, r io.Reader) bool {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	limit := c.srv.lim.FrameBytes
	n, err := b.ReadFrom(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return false
	}
	if n > int64(limit) {
		c.drain(r)
		c.Close(CloseTooBig, fmt.Sprintf("frame larger than %d bytes", limit))
		return false
	}
	if !c.isClosing() {
		c.handle(typ, b.Bytes())
	}
	return true
}

// How much of a frame that is too large is read and thrown away, and for how long.
const (
	drainBytes = 16 << 20
	drainTime  = 5 * time.Second
)

// drain reads what follows of a frame that is too large.  Closing over unread data would reset the connection, and the page would
// never see why.
func (c *socket) drain(r io.Reader) {
	c.conn.SetReadDeadline(time.Now().Add(drainTime))
	io.Copy(io.Discard, io.LimitReader(r, drainBytes))
	c.conn.SetReadDeadline(time.Time{})
}

func (c *socket) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

func (c *socket) handle(typ websocket.MessageType, b []byte) {
	within := c.withinRate()
	if typ != websocket.MessageText {
		c.Send(Errorf(BinaryFrame, "send JSON in text frames; binary frames mean nothing here"))
		return
	}
	req, derr := Decode(b)
	switch {
	case !within:
		c.Send(Reply(req.ID, Errorf(RateLimited, "this frame was dropped: more than %v frames per second; "+
			"slow down or the connection is closed", c.srv.lim.FramesPerSecond)))
	case derr != nil:
		c.Send(Reply(req.ID, derr))
	default:
		c.answer(req)
	}
}

// withinRate counts a frame.  A page that goes on exceeding the rate is closed.
func (c *socket) withinRate() bool {
	burst := c.srv.lim.FrameBurst
	if c.limiter.Allow() {
		if c.limiter.Tokens() > float64(burst)/2 {
			c.excess = 0
		}
		return true
	}
	if c.excess++; c.excess > burst {
		c.Close(ClosePolicy, "too many frames")
	}
	return false
}

// answer lets the session handle the request and sends its result.
func (c *socket) answer(req Request) {
	attach, room := false, false
	switch req.Event.(type) {
	case Ping:
		c.Send(Reply(req.ID, Pong{}))
		return
	case Info:
		c.Send(Reply(req.ID, ProtocolInfo{PalavaVersion}))
		return
	case Attach:
		attach = true
	case JoinRoom, LeaveRoom, UpdateStatus, SendToPeer:
		room = true
	}
	switch {
	case !attach && !room && !c.attached:
		c.Send(Reply(req.ID, Errorf(NotAttached, "attach first")))
		return
	case attach && c.attached:
		c.Send(Reply(req.ID, Errorf(AlreadyAttached, "this connection has an address; open another for another one")))
		return
	}
	f, err := c.ask(req)
	var e *Error
	switch {
	case err == nil:
		c.attached = c.attached || attach
		if _, join := req.Event.(JoinRoom); attach || join {
			c.stopDeadline()
		}
		c.result(req.ID, f)
	case errors.As(err, &e) && e != nil:
		c.Send(Reply(req.ID, e))
	default:
		c.srv.log.Error("request failed", "event", fmt.Sprintf("%T", req.Event), "err", err)
		c.Send(Reply(req.ID, Errorf(Internal, "the service failed to do this; it has been logged")))
	}
}

// stopDeadline lets a socket stay that has proved to be of use.
func (c *socket) stopDeadline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attachTimer.Stop()
}

func (c *socket) result(id ID, f Frame) {
	switch {
	case f == Later:
	case f != nil:
		c.Send(Reply(id, f))
	case id != "":
		c.Send(Reply(id, OK{}))
	}
}

// ask calls the session; its panic is this request's failure and nobody else's.
func (c *socket) ask(req Request) (f Frame, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("handle", p)
			f, err = nil, Errorf(Internal, "the service failed to do this; it has been logged")
		}
	}()
	return c.session.Handle(req)
}

func (c *socket) logPanic(where string, p any) {
	c.srv.log.Error("panic in session", "where", where, "panic", p, "stack", string(debug.Stack()))
}
