package gateway

import (
	"encoding/binary"
	"math"

	"github.com/gobwas/ws"
)

// Sizes of a frame's header (RFC 6455 section 5.2).
const (
	maxHeader    = 14
	shortPayload = 125
)

// parseHeader reads the header of a client's frame.  Size is 0 when it is not all there.
func parseHeader(b []byte) (h ws.Header, size int) {
	if len(b) < 2 {
		return h, 0
	}
	h.Fin, h.Rsv, h.OpCode = b[0]&0x80 != 0, b[0]>>4&7, ws.OpCode(b[0]&0x0f)
	h.Masked = b[1]&0x80 != 0
	size = 2
	switch length := b[1] & 0x7f; {
	case length <= shortPayload:
		h.Length = int64(length)
	case length == 126 && len(b) >= 4:
		h.Length, size = int64(binary.BigEndian.Uint16(b[2:])), 4
	case length == 127 && len(b) >= 10:
		h.Length, size = int64(min(binary.BigEndian.Uint64(b[2:]), math.MaxInt64)), 10
	default:
		return h, 0
	}
	if !h.Masked {
		return h, size
	}
	if len(b) < size+4 {
		return h, 0
	}
	copy(h.Mask[:], b[size:])
	return h, size + 4
}

// appendFrame appends a frame of a server with that payload.
func appendFrame(b []byte, op ws.OpCode, payload []byte) []byte {
	b = append(b, byte(op)|0x80)
	b = appendLength(b, len(payload))
	return append(b, payload...)
}

func appendLength(b []byte, n int) []byte {
	switch {
	case n <= shortPayload:
		return append(b, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
}

// appendText appends a text frame whose payload is appended by the function, in one go: most frames need the header's four bytes.
func appendText(b []byte, payload func([]byte) ([]byte, error)) ([]byte, error) {
	const usual = 4
	at := len(b)
	whole, err := payload(append(b, make([]byte, usual)...))
	if err != nil {
		return b, err
	}
	n := len(whole) - at - usual
	var room [10]byte
	head := appendLength(append(room[:0], byte(ws.OpText)|0x80), n)
	if len(head) > usual {
		whole = append(whole, head[usual:]...) // for its length
	}
	if len(head) != usual {
		copy(whole[at+len(head):], whole[at+usual:at+usual+n])
	}
	copy(whole[at:], head)
	return whole[:at+len(head)+n], nil
}

// frameLen is the length of the whole frame, of those that we made, which b begins with.
func frameLen(b []byte) int {
	h, size := parseHeader(b)
	return size + int(h.Length)
}

// inbound is what has arrived of a client's frames and cannot be handled yet.  Idle sockets keep nothing.
type inbound struct {
	partial []byte    // the beginning of a frame
	message []byte    // of a message in several frames, the payload of those that came
	opcode  ws.OpCode // of that message; 0 when there is none
	skip    int64     // how much of what follows is thrown away
}

// A part is what the first bytes of a stream are.
type part struct {
	size    int // how many they are; 0 when more has to arrive
	op      ws.OpCode
	payload []byte // of a whole message or control frame; nil for what is only to be skipped
	whole   bool
}

// next takes the first frame apart, in place.  A message of more than limit bytes is not kept: tooBig is true once and what is left of its
// frame is skipped, as every frame's payload but that of control frames is when deaf.
func (in *inbound) next(b []byte, limit int, deaf bool) (p part, tooBig bool, err error) {
	if in.skip > 0 {
		n := min(in.skip, int64(len(b)))
		in.skip -= n
		return part{size: int(n)}, false, nil
	}
	h, size := parseHeader(b)
	if size == 0 {
		return part{}, false, nil
	}
	state := ws.StateServerSide
	if in.opcode != 0 {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return part{}, false, err
	}
	data := !h.OpCode.IsControl()
	if data && (deaf || h.Length > int64(limit-len(in.message))) {
		in.message, in.skip = nil, h.Length
		in.follow(h)
		return part{size: size}, !deaf, nil
	}
	if int64(len(b)-size) < h.Length {
		return part{}, false, nil
	}
	payload := b[size : size+int(h.Length)]
	ws.Cipher(payload, h.Mask, 0)
	p = part{size: size + len(payload), op: h.OpCode, payload: payload, whole: true}
	if data && (in.opcode != 0 || !h.Fin) {
		in.message = append(in.message, payload...)
		op := in.follow(h)
		p.op, p.payload, p.whole = op, in.message, h.Fin
		if h.Fin {
			in.message = nil
		}
	}
	return p, false, nil
}

// follow notes which message is under way after that frame and returns the opcode of the one it belongs to.
func (in *inbound) follow(h ws.Header) ws.OpCode {
	op := h.OpCode
	if op == ws.OpContinuation {
		op = in.opcode
	}
	in.opcode = op
	if h.Fin {
		in.opcode = 0
	}
	return op
}

// keep remembers the beginning of a frame.  Rest may be a part of what was kept before.
func (in *inbound) keep(rest []byte) {
	if len(rest) == 0 {
		in.partial = nil
		return
	}
	in.partial = append(in.partial[:0], rest...)
}

// leastPartial is how much is asked for at once of a frame that comes in parts.
const leastPartial = 2 << 10

// grow makes place behind what was kept, never for much more than has arrived: what a header promises costs its sender nothing.
func (in *inbound) grow() (free []byte) {
	n := len(in.partial)
	if n == cap(in.partial) {
		bigger := make([]byte, n, max(leastPartial, 2*n))
		copy(bigger, in.partial)
		in.partial = bigger
	}
	return in.partial[n:cap(in.partial)]
}
