package gateway

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Go's own poller needs a goroutine with its stack for each connection that is waited on, and reads twice for what comes once.  For
// thousands of idle pages that is most of the memory, so on Linux one goroutine waits for all sockets (epoll(7)).  One is enough: what a
// message costs is the kernel's sending, and calls, HTTP and the XMPP stream run elsewhere.

// poller is what waits for sockets.  Go's poller in turn waits for it: an epoll instance is readable when one of its files is.
type poller struct {
	srv    *Server
	fd     int
	file   *os.File        // of fd
	access syscall.RawConn // to fd while file is open
	ended  sync.WaitGroup
	closed atomic.Bool

	mu      sync.Mutex
	sockets map[int32]*polled
}

// polled is the link of a socket that the poller waits for.
type polled struct {
	c       *socket
	poller  *poller
	fd      int  // -1 when closed
	full    bool // the kernel takes no more just now
	watched bool // the poller knows of it
}

// maxReady is how many sockets are handled before what they cause is written.
const maxReady = 128

// readBuffer is how much is read at once.
const readBuffer = 64 << 10

func newPoller(s *Server) (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or os.NewFile would not have it waited for
		unix.Close(fd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p := &poller{srv: s, fd: fd, file: os.NewFile(uintptr(fd), "epoll"), sockets: map[int32]*polled{}}
	if p.access, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	p.ended.Go(p.run)
	return p, nil
}

// close ends the poller, which waits for nobody any more.
func (p *poller) close() {
	p.closed.Store(true)
	p.file.Close()
	p.ended.Wait()
}

// adopt makes a link of a connection, which is not to be used any more; nil when it cannot be waited for.
func (p *poller) adopt(c *socket, conn net.Conn) *polled {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	access, err := raw.SyscallConn()
	if err != nil {
		return nil
	}
	fd := -1
	access.Control(func(of uintptr) { fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) })
	if fd < 0 || err != nil {
		return nil
	}
	conn.Close() // Go's poller lets go of the connection only now
	return &polled{c: c, poller: p, fd: fd}
}

func (l *polled) watch() {
	l.poller.mu.Lock()
	l.poller.sockets[int32(l.fd)] = l
	l.poller.mu.Unlock()
	l.c.mu.Lock()
	err := l.control(unix.EPOLL_CTL_ADD)
	l.c.mu.Unlock()
	if err != nil {
		l.c.srv.log.Error("socket cannot be waited for", "err", err)
		l.c.end()
	}
}

// control tells the kernel what to wait for, and has it look now whether that is so.  The socket's mu is held.
//
// Edge-triggered, or it would look again after each message whether there is more.
func (l *polled) control(operation int) error {
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET)
	if l.full {
		events |= unix.EPOLLOUT
	}
	l.watched = true
	return unix.EpollCtl(l.poller.fd, operation, l.fd, &unix.EpollEvent{Events: events, Fd: int32(l.fd)})
}

func (l *polled) write(b []byte) (int, error) {
	if l.full {
		return 0, nil
	}
	n, errno := transfer(unix.SYS_SENDTO, l.fd, b, unix.MSG_NOSIGNAL)
	switch errno {
	case 0:
	case unix.EAGAIN, unix.EINTR:
		n = 0
	default:
		return 0, errno
	}
	if n < len(b) {
		return n, l.setFull(true)
	}
	return n, nil
}

// setFull has the poller say when the kernel takes something again, or not say it.
func (l *polled) setFull(full bool) error {
	l.full = full
	if !l.watched {
		return nil
	}
	return l.control(unix.EPOLL_CTL_MOD)
}

func (l *polled) cut() {
	if l.fd >= 0 {
		unix.Shutdown(l.fd, unix.SHUT_RDWR)
	}
}

func (l *polled) close() {
	l.c.mu.Lock()
	fd := l.fd
	l.fd = -1
	l.c.mu.Unlock()
	l.poller.mu.Lock()
	delete(l.poller.sockets, int32(fd))
	l.poller.mu.Unlock()
	unix.Close(fd)
}

// transfer is one call of sendto or recvfrom (send(2), recv(2)) that never waits, which is why Go's scheduler is not told of it.  It would be
// told at the beginning and the end of each, and on a busy machine take the processor away in between, wake a thread for it and look every
// 20 microseconds whether there is another one to take: a tenth of what relaying costs.
func transfer(call uintptr, fd int, b []byte, flags int) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		uintptr(flags|unix.MSG_DONTWAIT), 0, 0)
	return int(n), errno
}

func (p *poller) run() {
	var (
		events [maxReady]unix.EpollEvent
		ready  [maxReady]*polled
		buffer = make([]byte, readBuffer)
	)
	for {
		n, err := p.wait(events[:])
		if err != nil {
			if !p.closed.Load() {
				p.srv.log.Error("sockets cannot be waited for", "err", err)
			}
			return
		}
		p.srv.outbox.wake()
		p.find(events[:n], &ready)
		for i, l := range ready[:n] {
			if l != nil {
				l.handle(events[i].Events, buffer)
			}
		}
		p.srv.outbox.flush()
	}
}

// wait waits for events.  Its error is os.ErrClosed after close.
func (p *poller) wait(events []unix.EpollEvent) (n int, err error) {
	closed := p.access.Read(func(fd uintptr) bool {
		for n, err = ready(fd, events); errors.Is(err, unix.EINTR); {
			n, err = ready(fd, events)
		}
		return n != 0
	})
	if closed != nil {
		return 0, closed
	}
	return n, err
}

// ready is epoll_wait(2) without waiting: see transfer.
func ready(fd uintptr, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// find tells which sockets the events are of.
func (p *poller) find(events []unix.EpollEvent, ready *[maxReady]*polled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range events {
		ready[i] = p.sockets[e.Fd]
	}
}

// handle reads once and handles what came.  More than that, of one who sends and sends, has to wait for its turn.
func (l *polled) handle(events uint32, buffer []byte) {
	if events&unix.EPOLLOUT != 0 {
		l.writable()
	}
	if events&^unix.EPOLLOUT == 0 {
		return
	}
	place := buffer
	if len(l.c.in.partial) > 0 {
		place = l.c.in.grow()
	}
	n, errno := transfer(unix.SYS_RECVFROM, l.fd, place, 0)
	switch {
	case errno == unix.EAGAIN:
		return
	case errno == unix.EINTR:
		l.again()
		return
	case errno != 0 || n == 0:
		l.c.end()
		return
	}
	if l.c.arrived(place[:n]) {
		l.c.end()
		return
	}
	if n == len(place) || events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		l.again()
	}
}

// again has the poller come back to a socket of which not all was read, perhaps: nothing would remind it.
func (l *polled) again() {
	l.c.mu.Lock()
	err := l.control(unix.EPOLL_CTL_MOD)
	l.c.mu.Unlock()
	if err != nil {
		l.c.cut()
	}
}

// writable goes on writing.
func (l *polled) writable() {
	l.c.mu.Lock()
	err := l.setFull(false)
	l.c.mu.Unlock()
	if err != nil {
		l.c.cut()
	}
	l.c.flush()
}
