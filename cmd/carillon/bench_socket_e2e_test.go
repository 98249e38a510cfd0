//go:build e2e

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// A benchSocket is a WebSocket client that costs as little as can be: what a benchmark spends on itself is missing to the server.
type benchSocket struct {
	conn net.Conn
	in   *bufio.Reader
	buf  []byte // of the frame read last
	id   string // by which others reach it

	unmasked bool // its frames are like a server's
}

func newBenchSocket(conn net.Conn) *benchSocket {
	return &benchSocket{conn: conn, in: bufio.NewReaderSize(conn, 2048)}
}

// benchDial opens a WebSocket (RFC 6455 section 4.1).  The number makes an address of its own for those who believe X-Forwarded-For.
func benchDial(addr, path, origin string, number int) (*benchSocket, error) {
	conn, err := net.DialTimeout("tcp", addr, 20*time.Second)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nX-Forwarded-For: 10.%d.%d.%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", path, addr, origin, number>>16&255, number>>8&255, number&255)
	s := newBenchSocket(conn)
	reply, err := http.ReadResponse(s.in, nil)
	if err == nil && reply.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(reply.Body, 200))
		err = fmt.Errorf("%s %s: %s", path, reply.Status, text)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

// frame makes a frame as clients send it, masked (RFC 6455 section 5.3).
func (s *benchSocket) frame(opcode byte, payload []byte) []byte {
	mask, key := byte(0x80), [4]byte{0x5a, 0xa5, 0x3c, 0xc3}
	if s.unmasked {
		mask, key = 0, [4]byte{}
	}
	var frame []byte
	switch n := len(payload); {
	case n < 126:
		frame = []byte{0x80 | opcode, mask | byte(n)}
	default:
		frame = binary.BigEndian.AppendUint16([]byte{0x80 | opcode, mask | 126}, uint16(n))
	}
	if !s.unmasked {
		frame = append(frame, key[:]...)
	}
	for i, b := range payload {
		frame = append(frame, b^key[i%4])
	}
	return frame
}

func (s *benchSocket) send(text string) error {
	_, err := s.conn.Write(s.frame(opText, []byte(text)))
	return err
}

const opPing, opPong = 9, 10

// next reads up to the next text frame, whose payload, good until the next call, is wanted or skipped.  Pings are answered.
func (s *benchSocket) next(want bool) (payload []byte, err error) {
	for {
		head, err := s.in.Peek(2)
		if err != nil {
			return nil, err
		}
		opcode, size, skip := head[0]&0x0f, int(head[1]), 2
		if size == 126 {
			if head, err = s.in.Peek(4); err != nil {
				return nil, err
			}
			size, skip = int(binary.BigEndian.Uint16(head[2:])), 4
		} else if size > 126 {
			return nil, fmt.Errorf("frame header %x", head)
		}
		s.in.Discard(skip)
		if opcode == opText && !want {
			_, err := s.in.Discard(size)
			return nil, err
		}
		if cap(s.buf) < size {
			s.buf = make([]byte, size)
		}
		payload = s.buf[:size]
		if _, err := io.ReadFull(s.in, payload); err != nil {
			return nil, err
		}
		switch opcode {
		case opText:
			return payload, nil
		case opPing:
			if _, err := s.conn.Write(s.frame(opPong, payload)); err != nil {
				return nil, err
			}
		case opClose:
			return nil, fmt.Errorf("closed: %q", payload)
		}
	}
}

// await reads text frames until one has the text in it.
func (s *benchSocket) await(text string) ([]byte, error) {
	for {
		payload, err := s.next(true)
		if err != nil {
			return nil, fmt.Errorf("waiting for %s: %w", text, err)
		}
		if bytes.Contains(payload, []byte(text)) {
			return payload, nil
		}
		if bytes.Contains(payload, []byte(`"error"`)) || bytes.Contains(payload, []byte(`"ERROR"`)) {
			return nil, errors.New(string(payload))
		}
	}
}

// idle keeps the connection until it is closed.
func (s *benchSocket) idle() {
	for {
		if _, err := s.next(false); err != nil {
			return
		}
	}
}

// A contender is a server in the benchmark.
type contender struct {
	*daemon
	name string
	dial func(number int) (*benchSocket, error) // into the service; six numbers in a row meet, where there are rooms
	wrap func(to, kind, data string) string     // the message of a client that has data relayed
}

// joined is what is read of either server's greeting.
type joined struct {
	OwnID string `json:"own_id"`
}

const roomSize = 6

func carillonContender(d *daemon) *contender {
	c := &contender{daemon: d, name: "carillon"}
	c.dial = func(number int) (*benchSocket, error) {
		s, err := benchDial(d.addr, "/ws", d.origin, number)
		if err != nil {
			return nil, err
		}
		err = s.send(fmt.Sprintf(`{"event":"join_room","room_id":"room %d","status":{"name":"member %d","user_agent":"chrome"}}`, number/roomSize, number))
		if err != nil {
			return nil, err
		}
		text, err := s.await("joined_room")
		var hello joined
		if err == nil {
			err = json.Unmarshal(text, &hello)
		}
		s.id = hello.OwnID
		return s, err
	}
	c.wrap = carillonMessage
	return c
}

func carillonMessage(to, kind, data string) string {
	if kind == "offer" {
		data = fmt.Sprintf(`{"event":"offer","sdp":%s}`, data)
	} else {
		data = fmt.Sprintf(`{"event":"ice_candidate","sdpmlineindex":0,"sdpmid":"0","candidate":%s}`, data)
	}
	return fmt.Sprintf(`{"event":"send_to_peer","peer_id":%q,"data":%s}`, to, data)
}

func peerContender(d *daemon) *contender {
	c := &contender{daemon: d, name: "peer"}
	c.dial = func(number int) (*benchSocket, error) {
		id := fmt.Sprintf("7b1a9f0e-4f0d-4c3b-9d2e-%012d", number)
		s, err := benchDial(d.addr, "/peerjs?key=peerjs&version=1.5.5&token=t&id="+id, d.origin, number)
		if err != nil {
			return nil, err
		}
		s.id = id
		_, err = s.await("OPEN")
		return s, err
	}
	c.wrap = func(to, kind, data string) string {
		if kind == "offer" {
			return fmt.Sprintf(`{"type":"OFFER","payload":{"sdp":%s,"type":"media","connectionId":"mc_k3x9a7"},"dst":%q}`, data, to)
		}
		return fmt.Sprintf(`{"type":"CANDIDATE","payload":{"candidate":{"candidate":%s,"sdpMLineIndex":0,"sdpMid":"0"},"type":"media","connectionId":"mc_k3x9a7"},"dst":%q}`,
			data, to)
	}
	return c
}
