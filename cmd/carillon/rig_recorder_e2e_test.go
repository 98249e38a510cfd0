//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// A recorder is a way into a WebSocket server that keeps the text frames it passes on.  It passes on other HTTP as well.
type recorder struct {
	t      *testing.T
	addr   string // host:port, to be used instead of the server's
	listen net.Listener
	work   sync.WaitGroup

	mu      sync.Mutex
	to      string          // host:port of the server
	frames  []recordedFrame // in the order in which they passed
	sockets []net.Conn      // the browsers' ends, WebSockets only, in the order they were opened
	open    map[net.Conn]bool
}

type recordedFrame struct {
	Socket     int  // index in sockets
	FromClient bool // to the server
	Opcode     byte // RFC 6455 section 5.2
	Payload    []byte
}

const (
	opText  = 1
	opClose = 8
	broken  = 255 // not on the wire: the connection was cut
)

// startRecorder listens until the test ends.  Whom it passes things on to is said by forward.
func startRecorder(t *testing.T) *recorder {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{t: t, addr: l.Addr().String(), listen: l, open: map[net.Conn]bool{}}
	r.work.Add(1)
	go r.accept()
	t.Cleanup(func() {
		l.Close()
		r.mu.Lock()
		for c := range r.open {
			c.Close()
		}
		r.mu.Unlock()
		r.work.Wait()
		if t.Failed() {
			r.logLast(20)
		}
	})
	return r
}

// logLast shows the last frames.
func (r *recorder) logLast(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.frames[max(0, len(r.frames)-n):] {
		way := "to"
		if f.FromClient {
			way = "from"
		}
		r.t.Logf("%s socket %d, opcode %d: %.150q", way, f.Socket, f.Opcode, f.Payload)
	}
}

// forward names the server, host:port.
func (r *recorder) forward(to string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

func (r *recorder) accept() {
	defer r.work.Done()
	for {
		c, err := r.listen.Accept()
		if err != nil {
			return
		}
		r.work.Add(1)
		go r.serve(c)
	}
}

// serve passes one connection on.
func (r *recorder) serve(client net.Conn) {
	defer r.work.Done()
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if err != nil {
		client.Close()
		return
	}
	defer r.forget(client, server)
	r.keep(client, server)
	in, out := bufio.NewReader(client), bufio.NewReader(server)
	head, err := passHead(in, server)
	if err != nil {
		return
	}
	var both sync.WaitGroup
	pass := func(dst io.Writer, src *bufio.Reader, number int) {
		defer both.Done()
		defer client.Close()
		defer server.Close()
		if number < 0 {
			io.Copy(dst, src)
			return
		}
		r.passFrames(dst, src, number, dst == io.Writer(server))
	}
	number := -1
	if strings.EqualFold(head.Get("Upgrade"), "websocket") {
		if _, err := passHead(out, client); err != nil {
			return
		}
		r.mu.Lock()
		number = len(r.sockets)
		r.sockets = append(r.sockets, client)
		r.mu.Unlock()
	}
	both.Add(2)
	go pass(server, in, number)
	go pass(client, out, number)
	both.Wait()
}

func (r *recorder) keep(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.open[c] = true
	}
}

func (r *recorder) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(r.open, c)
	}
}

// passHead passes the head of a request or response on and returns its fields.
func passHead(src *bufio.Reader, dst io.Writer) (textproto.MIMEHeader, error) {
	var head bytes.Buffer
	for !bytes.HasSuffix(head.Bytes(), []byte("\r\n\r\n")) {
		line, err := src.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		head.Write(line)
	}
	if _, err := dst.Write(head.Bytes()); err != nil {
		return nil, err
	}
	fields := textproto.NewReader(bufio.NewReader(&head))
	if _, err := fields.ReadLine(); err != nil {
		return nil, err
	}
	return fields.ReadMIMEHeader()
}

// passFrames notes each frame before it passes it on: whoever answers it does so after the note.
func (r *recorder) passFrames(dst io.Writer, src *bufio.Reader, number int, fromClient bool) {
	for {
		head, opcode, payload, err := readFrame(src)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.frames = append(r.frames, recordedFrame{number, fromClient, opcode, unmask(head, payload)})
		r.mu.Unlock()
		if _, err := dst.Write(append(head, payload...)); err != nil {
			return
		}
	}
}

// readFrame reads one frame as it is on the wire (RFC 6455 section 5.2).
func readFrame(src *bufio.Reader) (head []byte, opcode byte, payload []byte, err error) {
	head = make([]byte, 2, 14)
	if _, err := io.ReadFull(src, head); err != nil {
		return nil, 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	more := map[uint64]int{126: 2, 127: 8}[size]
	if head[1]&0x80 != 0 {
		more += 4
	}
	head = head[:2+more]
	if _, err := io.ReadFull(src, head[2:]); err != nil {
		return nil, 0, nil, err
	}
	switch size {
	case 126:
		size = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		size = binary.BigEndian.Uint64(head[2:])
	}
	if size > 16<<20 {
		return nil, 0, nil, fmt.Errorf("a frame of %d bytes", size)
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(src, payload)
	return head, head[0] & 0x0f, payload, err
}

func unmask(head, payload []byte) []byte {
	clear := bytes.Clone(payload)
	if head[1]&0x80 == 0 {
		return clear
	}
	key := head[len(head)-4:]
	for i := range clear {
		clear[i] ^= key[i%4]
	}
	return clear
}

// cut breaks the youngest WebSocket whose first frames had the text in them, as a network that fails.
func (r *recorder) cut(text string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for number := len(r.sockets) - 1; number >= 0; number-- {
		for _, f := range r.frames {
			if f.Socket == number && f.FromClient && bytes.Contains(f.Payload, []byte(text)) {
				r.frames = append(r.frames, recordedFrame{number, true, broken, nil})
				r.sockets[number].Close()
				return
			}
		}
	}
	r.t.Fatalf("no socket said %s", text)
}

// closeCodes returns the codes with which the server closed sockets.
func (r *recorder) closeCodes() (codes []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.frames {
		if f.Opcode == opClose && !f.FromClient && len(f.Payload) >= 2 {
			codes = append(codes, int(binary.BigEndian.Uint16(f.Payload)))
		}
	}
	return codes
}
