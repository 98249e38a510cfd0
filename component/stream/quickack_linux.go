package stream

import (
	"io"
	"net"
	"syscall"
)

// quickAck returns a reader of conn that has every segment acknowledged at once.  A server that leaves Nagle's algorithm on (stock
// Prosody does) holds back the rest of a large stanza until then, 40 ms with Linux's delayed acknowledgement.  The kernel
// takes the option as a hint that wears off, so it is set again after each read (tcp(7)).
func quickAck(conn net.Conn) io.Reader {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	r := &quickReader{conn: tcp, raw: raw}
	r.set = func(fd uintptr) {
		// Failing only costs time.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	}
	_ = raw.Control(r.set)
	return r
}

type quickReader struct {
	conn *net.TCPConn
	raw  syscall.RawConn
	set  func(fd uintptr)
}

func (r *quickReader) Read(p []byte) (int, error) {
	n, err := r.conn.Read(p)
	if n > 0 {
		_ = r.raw.Control(r.set)
	}
	return n, err
}
