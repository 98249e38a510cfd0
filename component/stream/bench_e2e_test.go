//go:build e2e

package stream

import (
	"context"
	"net"
	"strings"
	"testing"
)

// BenchmarkLargeStanza sends a stanza through the server to ourselves, one at a time.
func BenchmarkLargeStanza(b *testing.B) {
	const size = 9 << 10
	var best float64 // of the first
	for _, bb := range []struct {
		name, global string
		quickAck     bool
	}{
		{name: "stock/quickack", quickAck: true},
		{name: "stock/plain"},
		{name: "nagle=false/quickack", global: "network_settings = { nagle = false }", quickAck: true},
		{name: "nagle=false/plain", global: "network_settings = { nagle = false }"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := startServer(b, "prosody", bb.global)
			l := startStream(b, s, func(st *Stream) {
				if dial := st.dial; !bb.quickAck {
					st.dial = func(ctx context.Context) (net.Conn, error) {
						c, err := dial(ctx)
						return struct{ net.Conn }{c}, err // no *net.TCPConn
					}
				}
			})
			l.wantState(true)
			e := message(ourHost, strings.Repeat("x", size)).SetAttr("from", ourHost)
			for b.Loop() {
				if err := l.Send(e); err != nil {
					b.Fatal(err)
				}
				<-l.got
			}
			trip := b.Elapsed().Seconds() * 1000 / float64(b.N)
			if best == 0 || bb.name == "stock/quickack" {
				best = trip
			}
			b.ReportMetric(trip, "ms/trip")
			b.ReportMetric(trip/best, "times-first")
		})
	}
}
