package stream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"mellium.im/xmpp/component"

	"carillon/jingle/element"
)

// maxHeader bounds what a server sends before the first stanza.
const maxHeader = 64 << 10

// negotiate does the handshake of XEP-0114.  It returns the reader that goes on with the byte after it, and the namespaces
// that the server's stream header brought into scope.
func (s *Stream) negotiate(ctx context.Context, conn net.Conn) (*bufio.Reader, element.Scope, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.SetDeadline(time.Now().Add(s.times.negotiate)); err != nil {
		return nil, nil, err
	}
	in := bufio.NewReaderSize(quickAck(conn), 32<<10)
	h := &handshakeConn{Conn: conn, in: in}
	_, err := component.NewSession(ctx, s.cfg.Domain, []byte(s.cfg.Secret), h)
	if err != nil {
		return nil, nil, s.refusal(h, err)
	}
	scope, _, err := readHeader(h.seen)
	if err != nil {
		return nil, nil, fmt.Errorf("server's stream header: %w", err)
	}
	return in, scope, conn.SetDeadline(time.Time{})
}

// lastWords is how long a server that let the handshake fail may take to say why.
const lastWords = time.Second

// refusal finds the stream error in what the server sent before it hung up.  The library misses it when the server was
// faster than our handshake.
func (s *Stream) refusal(h *handshakeConn, err error) error {
	err = fmt.Errorf("handshake: %w", err)
	scope, n, headerErr := readHeader(h.seen)
	if headerErr != nil {
		return err
	}
	_ = h.Conn.SetReadDeadline(time.Now().Add(lastWords))
	f := framer{maxBytes: maxHeader, maxDepth: 8}
	for {
		if n == len(h.seen) {
			if _, e := h.ReadByte(); e != nil {
				return err
			}
		}
		size, fr, done, e := f.next(h.seen[n:])
		if n += size; e != nil || fr.end {
			return err
		}
		if !done {
			continue
		}
		if el, e := element.ParseIn(fr.data, scope, element.Limits{}); e == nil && el.Space == nsStreams && el.Local == "error" {
			return parseError(el)
		}
	}
}

// readHeader returns the scope of the stream header that b begins with, after an XML declaration, and its length.
func readHeader(b []byte) (element.Scope, int, error) {
	skip := 0
	if bytes.HasPrefix(b, []byte("<?xml")) {
		if skip = bytes.Index(b, []byte("?>")) + 2; skip < 2 {
			return nil, 0, errJunk
		}
	}
	_, scope, n, err := element.ParseTag(b[skip:], nil, element.Limits{})
	return scope, skip + n, err
}

// handshakeConn lets the library read the handshake from the shared reader one byte at a time, so that it takes none of
// what follows.  It sets and clears deadlines from a goroutine of its own that may be late; ours hold, so its are ignored.
type handshakeConn struct {
	net.Conn
	in   *bufio.Reader
	seen []byte
}

var errHeader = errors.New("server's stream header is too long")

func (c *handshakeConn) ReadByte() (byte, error) {
	if len(c.seen) >= maxHeader {
		return 0, errHeader
	}
	b, err := c.in.ReadByte()
	if err == nil {
		c.seen = append(c.seen, b)
	}
	return b, err
}

func (c *handshakeConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := c.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

func (*handshakeConn) SetDeadline(time.Time) error      { return nil }
func (*handshakeConn) SetReadDeadline(time.Time) error  { return nil }
func (*handshakeConn) SetWriteDeadline(time.Time) error { return nil }
