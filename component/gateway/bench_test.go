package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// offerSDP is as long as an offer of Chromium with sound and picture.
var offerSDP = strings.Repeat("a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n", 90)[:5800]

func benchmarkFrame(fields map[string]any) []byte {
	b, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return b
}

// manyContacts is an attach with as many contacts as one may bring.
func manyContacts() []byte {
	var list []map[string]string
	for i := range maxContacts {
		list = append(list, map[string]string{"address": fmt.Sprintf("ü%d%s@example.org", i, strings.Repeat("é", 40)), "ticket": strings.Repeat("t", 22)})
	}
	return benchmarkFrame(map[string]any{
		"event": "attach", "name": "a", "key": strings.Repeat("A", 87), "signature": strings.Repeat("A", 86), "instance": "i", "contacts": list,
	})
}

// BenchmarkDecode decodes an offer of a call, one for a member of a room, both beside the same by encoding/json, and a large attach.
func BenchmarkDecode(b *testing.B) {
	sdp := map[string]string{"type": "offer", "sdp": offerSDP}
	call := benchmarkFrame(map[string]any{"event": "offer", "id": 7, "call": "c", "sdp": sdp})
	relay := benchmarkFrame(map[string]any{"event": "send_to_peer", "peer_id": "p", "data": map[string]any{"event": "offer", "sdp": sdp}})
	for _, bench := range []struct {
		name   string
		frame  []byte
		decode func([]byte) bool
	}{
		{"call", call, decodes},
		{"call/encoding-json", call, standardOffer},
		{"relay", relay, decodes},
		{"relay/encoding-json", relay, standardRelay},
		{"attach", manyContacts(), decodes},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.frame)))
			b.ReportAllocs()
			for b.Loop() {
				if !bench.decode(bench.frame) {
					b.Fatal("not decoded")
				}
			}
		})
	}
}

func decodes(frame []byte) bool {
	_, err := Decode(frame)
	return err == nil
}

// standardOffer decodes an offer with the same checks, object by object.
func standardOffer(frame []byte) bool {
	var fields, sdp map[string]json.RawMessage
	var event, call, typ, text string
	return utf8.Valid(frame) && json.Unmarshal(frame, &fields) == nil && json.Unmarshal(fields["event"], &event) == nil &&
		json.Unmarshal(fields["call"], &call) == nil && json.Unmarshal(fields["sdp"], &sdp) == nil &&
		json.Unmarshal(sdp["type"], &typ) == nil && json.Unmarshal(sdp["sdp"], &text) == nil && text == offerSDP
}

// standardRelay decodes a message for a member and writes its data anew.
func standardRelay(frame []byte) bool {
	var fields, data map[string]json.RawMessage
	var event, peer, inner string
	if !utf8.Valid(frame) || json.Unmarshal(frame, &fields) != nil || json.Unmarshal(fields["event"], &event) != nil ||
		json.Unmarshal(fields["peer_id"], &peer) != nil || json.Unmarshal(fields["data"], &data) != nil || json.Unmarshal(data["event"], &inner) != nil {
		return false
	}
	delete(data, "sender_id")
	out, err := json.Marshal(data)
	return err == nil && bytes.HasPrefix(out, []byte(`{"event":"offer"`))
}

// BenchmarkRelay is what a message costs from its frame to the frame that its addressee gets, without sockets.
func BenchmarkRelay(b *testing.B) {
	for name, data := range map[string]any{
		"offer":     map[string]any{"event": "offer", "sdp": map[string]string{"type": "offer", "sdp": offerSDP}},
		"candidate": map[string]any{"event": "ice_candidate", "sdpmid": "0", "sdpmlineindex": 0, "candidate": "candidate:1 1 udp 2122194687 192.0.2.7 5000 typ host"},
	} {
		frame := benchmarkFrame(map[string]any{"event": "send_to_peer", "peer_id": "p", "data": data})
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				req, _ := Decode(frame)
				if _, err := Encode(&Relayed{"me", req.Event.(*SendToPeer).Data}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
