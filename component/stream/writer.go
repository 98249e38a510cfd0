package stream

import (
	"fmt"
	"net"
	"sync"
	"time"

	"carillon/jingle/element"
)

const streamEnd = "</stream:stream>"

// link is one connection.  One goroutine (write) owns the socket's writing side and takes all that is queued at once.
type link struct {
	conn                 net.Conn
	mostBytes, mostCount int
	wake                 chan struct{} // one token: look at the queue

	mu      sync.Mutex
	queue   []byte
	count   int
	spare   []byte    // the buffer that was written last
	closed  error     // why nothing can be sent or read any more
	leaving time.Time // when set: no new stanza, end of all waiting
}

func newLink(conn net.Conn, mostBytes, mostCount int) *link {
	return &link{conn: conn, mostBytes: mostBytes, mostCount: mostCount, wake: make(chan struct{}, 1)}
}

// send queues a stanza that was checked, around the payload if there is one.
func (l *link) send(e *element.Element, payload Payload) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil || !l.leaving.IsZero() {
		return ErrDown
	}
	if l.count >= l.mostCount {
		return ErrFull
	}
	before := len(l.queue)
	var queue []byte
	if payload == nil {
		queue = e.AppendTo(l.queue, e.Space)
	} else {
		queue = e.AppendAround(l.queue, e.Space, payload.AppendTo)
	}
	if len(queue)-before > maxSend {
		return ErrTooLarge
	}
	if len(queue) > l.mostBytes {
		return ErrFull
	}
	l.queue = queue
	l.count++
	l.signal()
	return nil
}

func (l *link) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// write sends what is queued until the link fails or has left.
func (l *link) write(timeout time.Duration) {
	for range l.wake {
		batch, end := l.take()
		if end && batch == nil {
			return
		}
		if err := l.writeAll(batch, timeout); err != nil {
			l.fail(fmt.Errorf("write: %w", err))
			return
		}
		if end {
			l.closeWrite()
			return
		}
		l.giveBack(batch)
	}
}

// writeAll gives each piece the timeout, so that a slow link is no stalled one.
func (l *link) writeAll(b []byte, timeout time.Duration) error {
	const piece = 256 << 10
	for len(b) > 0 {
		if err := l.conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		n, err := l.conn.Write(b[:min(len(b), piece)])
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// take returns what is queued, and whether nothing will follow.
func (l *link) take() (batch []byte, end bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed != nil {
		return nil, true
	}
	batch = l.queue
	l.queue, l.spare, l.count = l.spare[:0], nil, 0
	if end = !l.leaving.IsZero(); end {
		batch = append(batch, streamEnd...)
	}
	return batch, end
}

func (l *link) giveBack(batch []byte) {
	const spare = 64 << 10
	if cap(batch) > spare {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spare = batch[:0]
}

// closeWrite ends our direction only: closing the socket with unread data would take back what the server has not read yet.
func (l *link) closeWrite() {
	if c, ok := l.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// fail closes the connection and returns the first reason given for that.
func (l *link) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		l.closed = err
		l.conn.Close()
		l.signal()
	}
	return l.closed
}

// leave has the queue written and the stream closed; by the deadline reading ends in any case.
func (l *link) leave(deadline time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaving = deadline
	_ = l.conn.SetReadDeadline(deadline)
	l.signal()
}

// readUntil sets the reading deadline, no later than that of leaving.
func (l *link) readUntil(deadline time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.leaving.IsZero() && l.leaving.Before(deadline) {
		deadline = l.leaving
	}
	return l.conn.SetReadDeadline(deadline)
}
