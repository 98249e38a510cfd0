package gateway

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gobwas/ws"
)

// arrived handles bytes of the page.  It is true when it said goodbye: nothing more is to be read.
func (c *socket) arrived(b []byte) (left bool) {
	if len(c.in.partial) > 0 {
		c.in.partial = append(c.in.partial, b...) // nothing moves when b is the place given by grow
		b = c.in.partial
	}
	return c.feed(b)
}

// feed handles the frames in b, which it changes, and keeps what is not whole yet.
func (c *socket) feed(b []byte) (left bool) {
	defer func() {
		if p := recover(); p != nil {
			c.logPanic("feed", p)
			c.Close(CloseInternal, "internal error")
			c.in = inbound{skip: math.MaxInt64}
		}
	}()
	limit := c.srv.lim.FrameBytes
	for len(b) > 0 {
		p, tooBig, err := c.in.next(b, limit, c.isClosing())
		switch {
		case err != nil:
			c.Close(int(ws.StatusProtocolError), err.Error())
			c.in = inbound{skip: math.MaxInt64} // where the next frame begins is not known
			return false
		case tooBig:
			c.Close(CloseTooBig, fmt.Sprintf("frame larger than %d bytes", limit))
		case p.size == 0:
			c.in.keep(b)
			return false
		case p.whole && p.op == ws.OpClose:
			c.goodbye(p.payload)
			return true
		case p.whole:
			c.frame(p.op, p.payload)
		case p.op != 0: // a part of a message
			c.withinRate()
		}
		b = b[p.size:]
	}
	c.in.keep(nil)
	return false
}

func (c *socket) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// goodbye answers the page's close frame, unless it is the answer to ours.
func (c *socket) goodbye(payload []byte) {
	code, reason := ws.ParseCloseFrameData(payload)
	echo := payload[:min(len(payload), 2)]
	if err := ws.CheckCloseFrameData(code, reason); err != nil && len(payload) > 0 {
		echo = ws.NewCloseFrameBody(ws.StatusProtocolError, "")
	}
	c.mu.Lock()
	c.clean = !c.closing && (code == CloseNormal || code == CloseGoingAway)
	c.control(ws.OpClose, echo)
	c.closing = true
	c.mu.Unlock()
	c.flush()
}

// frame handles a whole message or a control frame.
func (c *socket) frame(op ws.OpCode, payload []byte) {
	switch op {
	case ws.OpPing:
		if c.withinRate() {
			c.put(func() { c.control(ws.OpPong, payload) })
		}
	case ws.OpPong:
		c.withinRate()
		c.mu.Lock()
		c.pongBy, c.pingAt = 0, c.srv.now()+c.srv.lim.Ping
		c.mu.Unlock()
	default:
		c.handle(op, payload)
	}
}

func (c *socket) handle(op ws.OpCode, b []byte) {
	within := c.withinRate()
	if op != ws.OpText {
		c.Send(Errorf(BinaryFrame, "send JSON in text frames; binary frames mean nothing here"))
		return
	}
	s := scanners.Get().(*scanner)
	defer scanners.Put(s)
	if !within {
		c.Send(Reply(s.idOf(b), Errorf(RateLimited, "this frame was dropped: more than %v frames per second; "+
			"slow down or the connection is closed", c.srv.lim.FramesPerSecond)))
		return
	}
	req, err := s.decode(b)
	if err != nil {
		c.Send(Reply(req.ID, err))
		return
	}
	c.answer(req)
}

// withinRate counts a frame.  A page that goes on exceeding the rate is closed.
func (c *socket) withinRate() bool {
	burst := c.srv.lim.FrameBurst
	if c.rate.take(c.srv.now(), c.srv.lim.FramesPerSecond, float64(burst)) {
		if c.rate.left > float64(burst)/2 {
			c.excess = 0
		}
		return true
	}
	if c.excess++; c.excess > burst {
		c.Close(ClosePolicy, "too many frames")
	}
	return false
}

// bucket is a token bucket.  It is full at first.
type bucket struct {
	left float64
	at   time.Duration // when that was so; 0: never used
}

// take takes a token if there is one.
func (b *bucket) take(now time.Duration, perSecond, burst float64) bool {
	if b.at == 0 {
		b.left = burst
	} else {
		b.left = min(burst, b.left+(now-b.at).Seconds()*perSecond)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
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
	case JoinRoom, LeaveRoom, UpdateStatus, *SendToPeer:
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
			c.stay()
		}
		c.result(req.ID, f)
	case errors.As(err, &e) && e != nil:
		c.Send(Reply(req.ID, e))
	default:
		c.srv.log.Error("request failed", "event", fmt.Sprintf("%T", req.Event), "err", err)
		c.Send(Reply(req.ID, Errorf(Internal, "the service failed to do this; it has been logged")))
	}
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
