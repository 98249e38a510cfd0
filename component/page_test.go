package component

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/gateway"
	"carillon/component/stream"
	"carillon/jingle"
	"carillon/jingle/element"
)

const patience = 10 * time.Second

// wire stands for the XEP-0114 stream: the test reads what the component sends and answers as a server would.
type wire struct {
	t    testing.TB
	c    *Component
	sent chan *element.Element

	mu      sync.Mutex
	refusal error // what Send and Request say; nil when they send
	pending map[string]func(*element.Element, error)
}

// link connects or disconnects the wire.
func (w *wire) link(up bool) {
	if up {
		w.refuse(nil)
	} else {
		w.refuse(stream.ErrDown)
	}
	w.c.connected(up, nil)
}

// refuse has what is sent from now on come back with that error; nil ends that.
func (w *wire) refuse(with error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refusal = with
}

func (w *wire) refused() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refusal
}

func (w *wire) Send(e *element.Element) error {
	if e.Attr("to") == "" || e.Attr("from") == "" {
		w.t.Errorf("stanza without to or from: %s", e)
	}
	if err := w.refused(); err != nil {
		return err
	}
	w.sent <- e
	return nil
}

func (w *wire) Request(iq *element.Element, payload stream.Payload, _ time.Duration, done func(*element.Element, error)) {
	if err := w.refused(); err != nil {
		done(nil, err)
		return
	}
	id := randomID()
	w.mu.Lock()
	w.pending[id] = done
	w.mu.Unlock()
	e, err := element.Parse(iq.SetAttr("id", id).AppendAround(nil, "", payload.AppendTo), element.Limits{})
	if err != nil {
		w.t.Errorf("request that is no XML: %v", err)
		e = iq
	}
	w.Send(e)
}

// next returns the next stanza for which match is true; others that come before it are passed over.
func (w *wire) next(what string, match func(*element.Element) bool) *element.Element {
	w.t.Helper()
	end := time.After(patience)
	for {
		select {
		case e := <-w.sent:
			if match(e) {
				return e
			}
		case <-end:
			w.t.Fatalf("no %s was sent", what)
		}
	}
}

// silent fails when a stanza for which match is true has been sent.
func (w *wire) silent(what string, match func(*element.Element) bool) {
	w.t.Helper()
	for {
		select {
		case e := <-w.sent:
			if match(e) {
				w.t.Fatalf("%s was sent: %s", what, e)
			}
		default:
			return
		}
	}
}

// receive gives a stanza to the component, as its stream would: replies go to their requests.
func (w *wire) receive(xml string) {
	w.t.Helper()
	e, err := element.Parse([]byte(xml), element.Limits{})
	if err != nil {
		w.t.Fatalf("%v in %s", err, xml)
	}
	st := stream.Stanza{ID: e.Attr("id"), Type: e.Attr("type"), From: jid.MustParse(e.Attr("from")), To: jid.MustParse(e.Attr("to")), Element: e}
	if e.Local == "iq" && len(e.Children) == 1 {
		st.Payload = e.Children[0].Node()
	}
	if e.Local == "iq" && (st.Type == "result" || st.Type == "error") {
		w.mu.Lock()
		done := w.pending[st.ID]
		delete(w.pending, st.ID)
		w.mu.Unlock()
		if done != nil {
			done(e, nil)
		}
		return
	}
	w.c.handle(st)
}

func isMessage(kind jingle.MessageKind) func(*element.Element) bool {
	return func(e *element.Element) bool {
		return e.Local == "message" && e.Child(jingle.NSMessage, string(kind)) != nil
	}
}

func isAction(a jingle.Action) func(*element.Element) bool {
	return func(e *element.Element) bool {
		j := e.Child(jingle.NS, "jingle")
		return j != nil && j.Attr("action") == string(a)
	}
}

func isPresence(kind, to string) func(*element.Element) bool {
	return func(e *element.Element) bool {
		return e.Local == "presence" && e.Attr("type") == kind && e.Attr("to") == to
	}
}

func isReply(id string) func(*element.Element) bool {
	return func(e *element.Element) bool { return e.Local == "iq" && e.Attr("id") == id }
}

// newTestComponent returns a component on a wire, with the link up.
func newTestComponent(t testing.TB, change func(*Config)) (*Component, *wire) {
	t.Helper()
	cfg := Config{
		Domain: jid.MustParse("call.example.org"), PublicURL: "https://call.example.org", Version: "test",
		MayCall: []jid.JID{jid.MustParse("example.org"), jid.MustParse("call.example.org")},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := newComponent(cfg, make([]byte, keyBytes))
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, c: c, sent: make(chan *element.Element, 1000), pending: map[string]func(*element.Element, error){}}
	c.link = w
	c.connected(true, nil)
	t.Cleanup(c.shutDown)
	return c, w
}

// A page is a browser's side of a socket, without the socket.
type page struct {
	t       *testing.T
	session gateway.Session
	frames  chan gateway.Frame
	closed  chan int
	key     *ecdsa.PrivateKey
	origin  string
	ip      string
	nonce   string
	seen    int // number of the last frame
	at      gateway.Attached
}

func (p *page) Send(f gateway.Frame) {
	if n, ok := f.(gateway.Numbered); ok {
		f, p.seen = n.Frame, n.Seq
	}
	p.frames <- f
}

func (p *page) Close(code int, _ string) {
	select {
	case p.closed <- code:
	default:
	}
}
func (p *page) Remote() netip.Addr { return netip.MustParseAddr(p.ip) }
func (p *page) Origin() string     { return p.origin }

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// open opens a socket from that IP address.
func open(t *testing.T, c *Component, key *ecdsa.PrivateKey, ip string) *page {
	t.Helper()
	p := &page{t: t, frames: make(chan gateway.Frame, 1000), closed: make(chan int, 1), key: key, origin: "https://call.example.org", ip: ip}
	p.session = c.Open(p)
	p.nonce = expect[gateway.Hello](p).Nonce
	return p
}

// sign makes the attach of a name, as the page's WebCrypto would.
func (p *page) sign(name, domain, origin, nonce string) gateway.Attach {
	p.t.Helper()
	sum := sha256.Sum256(gateway.SigningInput(domain, origin, nonce, name))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	public, err := p.key.PublicKey.Bytes()
	if err != nil {
		p.t.Fatal(err)
	}
	return gateway.Attach{Name: name, Key: public, Signature: append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), Instance: "page-1"}
}

// attached opens a socket and attaches it.
func attached(t *testing.T, c *Component, key *ecdsa.PrivateKey, name string, change func(*gateway.Attach)) *page {
	t.Helper()
	p := open(t, c, key, "192.0.2.7")
	a := p.sign(name, "call.example.org", p.origin, p.nonce)
	if change != nil {
		change(&a)
	}
	if _, err := p.session.Handle(gateway.Request{Event: a}); err != nil {
		t.Fatalf("attach: %v", err)
	}
	p.at = expect[gateway.Attached](p)
	return p
}

// do sends a frame that must not fail.
func (p *page) do(ev gateway.ClientEvent) gateway.Frame {
	p.t.Helper()
	f, err := p.session.Handle(gateway.Request{Event: ev})
	if err != nil {
		p.t.Fatalf("%T: %v", ev, err)
	}
	return f
}

// refused sends a frame that must fail with that code.
func (p *page) refused(ev gateway.ClientEvent, code gateway.Code) *gateway.Error {
	p.t.Helper()
	_, err := p.session.Handle(gateway.Request{Event: ev})
	var e *gateway.Error
	if !errors.As(err, &e) || e.Code != code {
		p.t.Fatalf("%T: got error %v, want code %s", ev, err, code)
	}
	if e.Message == "" || e.Description == "" {
		p.t.Fatalf("%T: error without words: %+v", ev, e)
	}
	return e
}

// expect returns the next frame of that type; others that come before it are passed over.
func expect[F gateway.Frame](p *page) F {
	p.t.Helper()
	end := time.After(patience)
	for {
		select {
		case f := <-p.frames:
			if want, ok := f.(F); ok {
				return want
			}
		case <-end:
			var want F
			p.t.Fatalf("no frame %T came", want)
		}
	}
}

// wait polls a condition that other goroutines bring about.
func wait(t *testing.T, what string, condition func() bool) {
	t.Helper()
	end := time.After(patience)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !condition() {
		select {
		case <-end:
			t.Fatalf("%s did not come about", what)
		case <-again.C:
		}
	}
}

func mustJID(t *testing.T, s string) jid.JID {
	t.Helper()
	j, err := jid.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return j
}
