package component

import (
	"strings"
	"testing"
)

// BenchmarkRelayOverSockets sends offers of 5.8 KB from one member to another, both on real sockets, with up to 32 under way.
func BenchmarkRelayOverSockets(b *testing.B) {
	for name, size := range map[string]int{"offer": 5800, "small": 100} {
		b.Run(name, func(b *testing.B) { relayOverSockets(b, size) })
	}
}

func relayOverSockets(b *testing.B, size int) {
	r := newRendezvous(b, func(cfg *Config) { cfg.Gateway.FramesPerSecond, cfg.Gateway.FrameBurst = 1e9, 1e9 })
	from, to := r.dial("192.0.2.1"), r.dial("192.0.2.2")
	from.join("r", "from")
	to.join("r", "to")
	offer := []byte(`{"event":"send_to_peer","peer_id":"` + to.own + `","data":{"event":"offer","sdp":{"type":"offer","sdp":"` +
		strings.Repeat(`a=rtpmap:111 opus/48000/2\r\n`, size/29) + `"}}}`)
	window := make(chan struct{}, 32)
	arrived := make(chan bool)
	go func() {
		for n := 0; n < b.N; n++ {
			if _, _, err := to.ws.Read(to.ctx); err != nil {
				break
			}
			<-window
		}
		close(arrived)
	}()
	b.SetBytes(int64(len(offer)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		window <- struct{}{}
		if err := from.ws.Write(from.ctx, 1, offer); err != nil {
			b.Fatal(err)
		}
	}
	<-arrived
}
