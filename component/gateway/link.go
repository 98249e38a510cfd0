package gateway

import (
	"bytes"
	"net"
	"sync"
	"time"
)

// A link is the connection under a socket.
type link interface {
	// watch begins to read.  What arrives is handled until the end.
	watch()
	// write sends what can be sent without waiting and tells how much that is.  When it is not all, flush is called once more can be sent.
	// The socket's mu is held.
	write(b []byte) (n int, err error)
	// cut makes whoever reads see the end at once.  The socket's mu is held.
	cut()
	// close is the last call.
	close()
}

// outbox are the sockets that have something to send.  Loops that read write afterwards, for all frames that came in at once, and past all
// locks of the component; when none is awake, whoever sends writes.
type outbox struct {
	mu    sync.Mutex
	awake int // loops that will look into dirty before they sleep
	dirty []*socket
	spare []*socket // the array of the dirty of before
}

// add is false when nobody will look.
func (o *outbox) add(c *socket) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.awake == 0 {
		return false
	}
	o.dirty = append(o.dirty, c)
	return true
}

// wake says that a loop will call flush.
func (o *outbox) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.awake++
}

// flush writes until there is nothing to write; the loop may sleep then.
func (o *outbox) flush() {
	for {
		list := o.take()
		if list == nil {
			return
		}
		for i, c := range list {
			c.flush()
			list[i] = nil
		}
		o.mu.Lock()
		o.spare = list[:0]
		o.mu.Unlock()
	}
}

func (o *outbox) take() []*socket {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.dirty) == 0 {
		o.awake--
		return nil
	}
	list := o.dirty
	o.dirty, o.spare = o.spare, nil
	return list
}

// waiting is the link of connections that can only be waited on, TLS ones for example, and of all where nothing better is known: one goroutine
// reads, and a second writes while there is something to write.
type waiting struct {
	c       *socket
	conn    net.Conn
	busy    bool
	err     error
	writing sync.WaitGroup
}

// waitingBuffer is how much is read at once.
const waitingBuffer = 4 << 10

func (l *waiting) watch() { go l.run() }

// run reads until the end.
func (l *waiting) run() {
	defer l.c.end()
	b := make([]byte, waitingBuffer)
	for {
		n, err := l.conn.Read(b)
		if n > 0 {
			l.c.srv.outbox.wake()
			left := l.c.arrived(b[:n])
			l.c.srv.outbox.flush()
			if left {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *waiting) write(b []byte) (int, error) {
	if l.busy || l.err != nil {
		return 0, l.err
	}
	l.busy = true
	l.writing.Add(1)
	go l.send(bytes.Clone(b))
	return len(b), nil
}

func (l *waiting) send(chunk []byte) {
	defer l.writing.Done()
	l.conn.SetWriteDeadline(time.Now().Add(l.c.srv.lim.Write))
	_, err := l.conn.Write(chunk)
	l.c.mu.Lock()
	l.busy, l.err = false, err
	l.c.mu.Unlock()
	l.c.flush()
}

// cut closes what is under TLS: TLS itself would wait for seconds to say that it closes.
func (l *waiting) cut() {
	if c, ok := l.conn.(interface{ NetConn() net.Conn }); ok {
		c.NetConn().Close()
		return
	}
	l.conn.Close()
}

func (l *waiting) close() {
	l.conn.SetWriteDeadline(time.Now().Add(l.c.srv.lim.Write))
	l.writing.Wait()
	l.conn.Close()
}
