package stream

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/jingle/element"
)

// Over a real socket: many senders and requests at once, large stanzas, and an end in good order.
func TestOverTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := newRig(t, func(c *Config) { c.Address = listener.Addr().String() })
	r.dial = New(r.cfg).dial
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.conns <- newPeer(t, conn)
		}
	}()
	r.run()
	p := r.connected()

	const senders, each = 16, 200
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			to := fmt.Sprintf("user%d@example.org", i)
			for j := range each {
				if err := r.Send(message(to, fmt.Sprint(j))); err != nil {
					t.Errorf("send: %v", err)
				}
				answered := make(chan error, 1)
				r.Request(ping(to), pingPayload, 30*time.Second, func(_ *element.Element, err error) { answered <- err })
				if err := <-answered; err != nil {
					t.Errorf("request: %v", err)
				}
			}
		})
	}
	go func() {
		all.Wait()
		p.write("<message id='last' from='a@example.org' to='call.example.org'><body>" + strings.Repeat("x", 400<<10) + "</body></message>")
	}()
	next := map[string]int{}
	for range senders * each * 2 {
		e := p.next()
		if to := e.Attr("to"); e.Local == "message" {
			if got, want := e.Child("", "body").Text, fmt.Sprint(next[to]); got != want {
				t.Fatalf("message %s to %s, want %s", got, to, want)
			}
			next[to]++
		} else {
			p.write(fmt.Sprintf("<iq type='result' id='%s' from='%s' to='call.example.org'/>", e.Attr("id"), to))
		}
	}
	if st := <-r.got; st.ID != "last" || len(st.Element.Child("", "body").Text) != 400<<10 {
		t.Errorf("got %s", st.ID)
	}
	if err := r.Send(message("a@example.org", "bye")); err != nil {
		t.Error(err)
	}
	r.cancel()
	if e := p.next(); e.Child("", "body").Text != "bye" {
		t.Errorf("last stanza %v", e)
	}
	if _, more := <-p.in; more || p.err != nil {
		t.Errorf("stream not closed in order: %v", p.err)
	}
	p.conn.Close()
	r.stop()
}
