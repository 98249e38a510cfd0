package stream

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

const (
	testDomain = "call.example.org"
	testSecret = "correct horse"
	testHeader = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' " +
		"from='call.example.org' id='s1'>"
)

// rig is a stream under test and the server it dials, a XEP-0114 server in memory.
type rig struct {
	*Stream
	t      *testing.T
	conns  chan *peer // connections the stream made
	log    *syncBuffer
	got    chan Stanza
	states chan state
	cancel context.CancelFunc
	ended  chan error
}

type state struct {
	up  bool
	err error
}

// newRig makes a stream that is not running.
func newRig(t *testing.T, change func(*Config)) *rig {
	r := &rig{t: t, conns: make(chan *peer, 100), log: &syncBuffer{}, got: make(chan Stanza, 100), states: make(chan state, 100), ended: make(chan error, 1)}
	cfg := Config{
		Address: "server.invalid:5347", Domain: jid.MustParse(testDomain), Secret: testSecret,
		Handle: func(s Stanza) { r.got <- s }, Connected: func(up bool, err error) { r.states <- state{up, err} },
		Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	r.Stream = New(cfg)
	r.dial = func(context.Context) (net.Conn, error) {
		ours, theirs := net.Pipe()
		r.conns <- newPeer(t, theirs)
		return ours, nil
	}
	return r
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() { r.ended <- r.Run(ctx) }()
}

// stop ends the stream and all its connections.
func (r *rig) stop() {
	r.t.Helper()
	r.cancel()
	if err := <-r.ended; !errors.Is(err, context.Canceled) {
		r.t.Errorf("Run returned %v", err)
	}
	if strings.Contains(r.log.String(), testSecret) {
		r.t.Errorf("the log tells the secret:\n%s", r.log)
	}
}

// connected returns the server's side of the next connection after the handshake.
func (r *rig) connected() *peer {
	r.t.Helper()
	p := <-r.conns
	p.handshake()
	p.write("<handshake/>")
	r.wantState(true)
	return p
}

func (r *rig) wantState(up bool) error {
	r.t.Helper()
	s := <-r.states
	if s.up != up {
		r.t.Fatalf("link up: %v (%v), want %v", s.up, s.err, up)
	}
	return s.err
}

// peer is the server's side of one connection.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   chan *element.Element // stanzas the component sent; closed at its end
	err  error                 // why in was closed
}

func newPeer(t *testing.T, conn net.Conn) *peer {
	return &peer{t: t, conn: conn, in: make(chan *element.Element, 20000)}
}

func (p *peer) write(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, s); err != nil {
		p.t.Errorf("server's write: %v", err)
	}
}

// header reads the component's stream header and answers it.
func (p *peer) header() {
	p.t.Helper()
	p.readUntil(">")
	p.write(testHeader)
}

// handshake reads header and handshake and checks the secret.  From then on stanzas are read.
func (p *peer) handshake() {
	p.t.Helper()
	p.header()
	want := fmt.Sprintf("<handshake>%x</handshake>", sha1.Sum([]byte("s1"+testSecret)))
	if got := p.readUntil("</handshake>"); got != want {
		p.t.Errorf("handshake %s, want %s", got, want)
	}
	go p.readStanzas()
}

func (p *peer) readUntil(end string) string {
	p.t.Helper()
	var b []byte
	for c := make([]byte, 1); !bytes.HasSuffix(b, []byte(end)); b = append(b, c[0]) {
		if _, err := io.ReadFull(p.conn, c); err != nil {
			p.t.Errorf("server's read: %v", err)
			break
		}
	}
	return string(b)
}

func (p *peer) readStanzas() {
	defer close(p.in)
	f := framer{maxBytes: 1 << 30, maxDepth: 1000}
	buf := make([]byte, 4096)
	for {
		n, err := p.conn.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			size, fr, done, e := f.next(b)
			if b = b[size:]; e != nil || fr.end {
				p.err = e
				return
			}
			if !done {
				break
			}
			el, e := element.Parse(fr.data, element.Limits{})
			if e != nil {
				p.t.Errorf("component sent %q: %v", fr.data, e)
				return
			}
			p.in <- el
		}
		if err != nil {
			p.err = err
			return
		}
	}
}

// next returns the next stanza the component sent.
func (p *peer) next() *element.Element {
	p.t.Helper()
	e, ok := <-p.in
	if !ok {
		p.t.Fatalf("the component's stream ended: %v", p.err)
	}
	return e
}

// roundTrip shows that the link still works: a request comes through and its answer goes back.
func (p *peer) roundTrip(r *rig) {
	p.t.Helper()
	p.write("<iq type='get' id='probe' from='alice@example.org/a' to='call.example.org'><query xmlns='urn:probe'/></iq>")
	st := <-r.got
	if st.ID != "probe" {
		p.t.Fatalf("got %v, want the probe", st.Element)
	}
	if err := r.Send(element.New("", "iq", "type", "result", "id", "probe", "from", testDomain, "to", st.From.String())); err != nil {
		p.t.Fatal(err)
	}
	if e := p.next(); e.Attr("id") != "probe" {
		p.t.Fatalf("the component sent %v, want the probe's answer", e)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func message(to, body string) *element.Element {
	return element.New("", "message", "from", testDomain, "to", to).Append(element.New("", "body").WithText(body))
}

// never is longer than any test, also by the clock of a synctest bubble.
const never = time.Hour
