//go:build e2e

package stream

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"

	"carillon/component/xmppserver"
	"carillon/jingle/element"
)

const (
	host    = "xmpp.test"
	ourHost = "call.xmpp.test"
)

var starters = map[string]func(context.Context, xmppserver.Options) (*xmppserver.Server, error){
	"prosody": xmppserver.StartProsody, "ejabberd": xmppserver.StartEjabberd,
}

func startServer(t testing.TB, name, global string) *xmppserver.Server {
	t.Helper()
	s, err := starters[name](t.Context(), xmppserver.Options{
		Domain: host, Component: ourHost, Secret: testSecret, Users: map[string]string{"alice": "pw"}, Global: global,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

// live is a stream to a real server.  Its handler answers every request with an empty result.
type live struct {
	*Stream
	t      testing.TB
	got    chan Stanza
	states chan state
	log    *syncBuffer
}

// startStream runs a stream for the length of the test.
func startStream(t testing.TB, s *xmppserver.Server, change func(*Stream)) *live {
	l := &live{t: t, got: make(chan Stanza, 1000), states: make(chan state, 100), log: &syncBuffer{}}
	l.Stream = New(Config{
		Address: s.ComponentAddr, Domain: jid.MustParse(ourHost), Secret: testSecret,
		Handle: func(st Stanza) {
			if st.Element.Local == "iq" {
				l.Send(element.New("", "iq", "type", "result", "id", st.ID, "from", st.To.String(), "to", st.From.String()))
			}
			l.got <- st
		},
		Connected: func(up bool, err error) { l.states <- state{up, err} },
		Log:       slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if change != nil {
		change(l.Stream)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if strings.Contains(l.log.String(), testSecret) {
			t.Error("the log tells the secret")
		}
		if t.Failed() {
			t.Logf("log of the stream:\n%s", l.log)
		}
	})
	return l
}

func (l *live) wantState(up bool) error {
	l.t.Helper()
	select {
	case s := <-l.states:
		if s.up != up {
			l.t.Fatalf("link up: %v (%v), want %v", s.up, s.err, up)
		}
		return s.err
	case <-time.After(30 * time.Second):
		l.t.Fatalf("no change of the link\n%s", l.log)
	}
	return nil
}

// user is an ordinary XMPP user who can send any bytes.
type user struct {
	t    *testing.T
	conn net.Conn
	in   chan *element.Element
}

// logIn logs alice in with the resource.
func logIn(t *testing.T, s *xmppserver.Server, resource string) *user {
	t.Helper()
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.ClientAddr)
	if err != nil {
		t.Fatal(err)
	}
	session, err := xmpp.NewClientSession(ctx, jid.MustParse("alice@"+host), c,
		xmpp.StartTLS(&tls.Config{ServerName: host, RootCAs: roots}), xmpp.SASL("", "pw", sasl.ScramSha256, sasl.ScramSha1), bind(resource))
	if err != nil {
		t.Fatalf("log in: %v\n%s", err, s.LogTail())
	}
	u := &user{t: t, conn: session.Conn(), in: make(chan *element.Element, 1000)}
	go u.read()
	t.Cleanup(func() {
		c.Close()
		for range u.in {
		}
	})
	return u
}

// bind binds a resource of our choice, which the library's own feature cannot and does not check.
func bind(resource string) xmpp.StreamFeature {
	return xmpp.StreamFeature{
		Name: xml.Name{Space: "urn:ietf:params:xml:ns:xmpp-bind", Local: "bind"}, Necessary: xmpp.Authn, Prohibited: xmpp.Ready,
		Parse: func(_ context.Context, d *xml.Decoder, _ *xml.StartElement) (bool, any, error) {
			return true, nil, d.Skip()
		},
		Negotiate: func(_ context.Context, s *xmpp.Session, _ any) (xmpp.SessionState, io.ReadWriter, error) {
			iq := element.New("", "iq", "type", "set", "id", "bind").Append(element.New("urn:ietf:params:xml:ns:xmpp-bind", "bind").Append(
				element.New("urn:ietf:params:xml:ns:xmpp-bind", "resource").WithText(resource)))
			if _, err := io.WriteString(s.Conn(), iq.String()); err != nil {
				return 0, nil, err
			}
			r := s.TokenReader()
			defer r.Close()
			d := xml.NewTokenDecoder(r)
			if _, err := d.Token(); err != nil {
				return 0, nil, err
			}
			return xmpp.Ready, nil, d.Skip()
		},
	}
}

func (u *user) read() {
	defer close(u.in)
	f := framer{maxBytes: 1 << 20, maxDepth: 1 << 20}
	buf := make([]byte, 32<<10)
	for {
		n, err := u.conn.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			size, fr, done, e := f.next(b)
			if b = b[size:]; e != nil || fr.end {
				return
			}
			if done {
				if el, e := element.ParseIn(fr.data, element.Scope{"stream": nsStreams}, element.Limits{}); e == nil {
					u.in <- el
				}
			}
		}
		if err != nil {
			return
		}
	}
}

func (u *user) write(s string) {
	u.t.Helper()
	if _, err := io.WriteString(u.conn, s); err != nil {
		u.t.Fatalf("alice's write: %v", err)
	}
}

// until returns the next stanza of that id.
func (u *user) until(id string) *element.Element {
	u.t.Helper()
	for {
		select {
		case e, ok := <-u.in:
			if !ok {
				u.t.Fatal("alice's stream ended")
			}
			if e.Attr("id") == id {
				return e
			}
		case <-time.After(30 * time.Second):
			u.t.Fatalf("alice got no stanza %q", id)
		}
	}
}

// attack is a stanza of a stranger and what becomes of it.
type attack struct {
	name, stanza string
	answer       string // condition of the error that comes back; "" for none
	text         string // of that error, when it is ours and not the server's
	log          string // what our log says
	handled      bool
}

const noPayload = "a request has exactly one payload"

var throughProsody = []attack{
	{name: "descendant in the streams namespace", handled: true,
		stanza: "<message id='ID' to='a@call.xmpp.test'><x xmlns='http://etherx.jabber.org/streams'><error xmlns='http://etherx.jabber.org/streams'/></x></message>"},
	{name: "stream prefix", handled: true, stanza: "<message id='ID' to='a@call.xmpp.test'><stream:error/></message>"},
	{name: "payload named stream", handled: true, stanza: "<iq type='get' id='ID' to='a@call.xmpp.test'><stream:stream/></iq>"},
	{name: "emoji in to", stanza: "<iq type='get' id='ID' to='\U0001F600@call.xmpp.test'><x xmlns='u'/></iq>", answer: "jid-malformed", text: "the to address is malformed"},
	{name: "emoji resource in to", stanza: "<iq type='get' id='ID' to='a@call.xmpp.test/\U0001FAFF'><x xmlns='u'/></iq>", answer: "jid-malformed", text: "the to address is malformed"},
	{name: "heart in to", stanza: "<message id='ID' to='♥@call.xmpp.test'><body/></message>", answer: "jid-malformed", text: "the to address is malformed"},
	{name: "heart in presence", stanza: "<presence to='♥@call.xmpp.test'/>", log: "condition=jid-malformed"},
	{name: "childless", stanza: "<iq type='get' id='ID' to='a@call.xmpp.test'/>", answer: "bad-request"},
	{name: "text only", stanza: "<iq type='get' id='ID' to='a@call.xmpp.test'>x</iq>", answer: "bad-request"},
	{name: "two payloads", stanza: "<iq type='get' id='ID' to='a@call.xmpp.test'><x xmlns='u'/><x xmlns='u'/></iq>", answer: "bad-request"},
	{name: "error without child", stanza: "<iq type='error' id='ID' to='a@call.xmpp.test'/>"},
	{name: "bad numbers", handled: true, stanza: "<iq type='set' id='ID' to='a@call.xmpp.test'><jingle xmlns='urn:xmpp:jingle:1'>" +
		"<content><description xmlns='urn:xmpp:jingle:apps:rtp:1'><payload-type id='1e99'/></description></content></jingle></iq>"},
	{name: "20,000 levels", stanza: "<message id='ID' to='a@call.xmpp.test'>" + strings.Repeat("<a>", 20000) + strings.Repeat("</a>", 20000) + "</message>",
		answer: "policy-violation", text: tooDeep},
	{name: "20,000 elements", stanza: "<iq type='get' id='ID' to='a@call.xmpp.test'><x xmlns='u'>" + strings.Repeat("<a/>", 20000) + "</x></iq>",
		answer: "policy-violation", text: "stanza exceeds a limit"},
	{name: "grows on the way", stanza: "<message id='ID' to='a@call.xmpp.test'><body>" + strings.Repeat("\"", 200<<10) + "</body></message>",
		answer: "policy-violation", text: tooLarge},
}

var throughEjabberd = []attack{
	{name: "childless", stanza: "<iq type='get' id='ID' to='a@call.xmpp.test'/>", answer: "bad-request", text: noPayload},
	{name: "text only", stanza: "<iq type='set' id='ID' to='a@call.xmpp.test'>x</iq>", answer: "bad-request", text: noPayload},
	{name: "two payloads", stanza: "<iq type='get' id='ID' to='a@call.xmpp.test'><x xmlns='u'/><x xmlns='u'/></iq>", answer: "bad-request", text: noPayload},
	{name: "error without child", stanza: "<iq type='error' id='ID' to='a@call.xmpp.test'/>"},
	{name: "result without child", stanza: "<iq type='result' id='ID' to='a@call.xmpp.test'/>"},
}

func TestHostileUser(t *testing.T) {
	for name, attacks := range map[string][]attack{"prosody": throughProsody, "ejabberd": throughEjabberd} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, name, "")
			l := startStream(t, s, nil)
			l.wantState(true)
			alice := logIn(t, s, "desk")
			for i, a := range attacks {
				t.Run(a.name, func(t *testing.T) {
					alice.t, l.t = t, t
					l.meets(alice, a, fmt.Sprint("attack", i))
				})
			}
			if len(l.states) > 0 {
				t.Errorf("the link was made anew: %v", <-l.states)
			}
		})
	}
}

// meets sends an attack, looks for what becomes of it, and then pings.
func (l *live) meets(alice *user, a attack, id string) {
	l.t.Helper()
	alice.write(strings.ReplaceAll(a.stanza, "ID", id))
	if a.answer != "" {
		e := alice.until(id)
		text := ""
		if c := e.Child("", "error"); c != nil && c.Child(nsStanzaErrors, "text") != nil {
			text = c.Child(nsStanzaErrors, "text").Text
		}
		if errorCondition(e) != a.answer || a.text != "" && text != a.text {
			l.t.Errorf("answered %s, want %s (%s)", e, a.answer, a.text)
		}
	}
	alice.write("<iq type='get' id='after-" + id + "' to='call.xmpp.test'><ping xmlns='urn:xmpp:ping'/></iq>")
	if e := alice.until("after-" + id); e.Attr("type") != "result" {
		l.t.Errorf("ping answered %s", e)
	}
	handled := false
	for st := range l.got {
		if st.ID == "after-"+id {
			break
		}
		handled = handled || st.ID == id
	}
	if a.handled && !handled {
		l.t.Error("never reached the handler")
	}
	if !strings.Contains(l.log.String(), a.log) {
		l.t.Errorf("log lacks %q", a.log)
	}
}

// The from of a stanza can be one that PRECIS refuses: stringprep allows Hangul jamo in a resource.
func TestHostileSender(t *testing.T) {
	s := startServer(t, "prosody", "")
	l := startStream(t, s, nil)
	l.wantState(true)
	alice := logIn(t, s, "\u1100")
	alice.write("<iq type='get' id='1' to='a@call.xmpp.test'><x xmlns='u'/></iq>")
	if e := alice.until("1"); errorCondition(e) != "jid-malformed" {
		t.Errorf("answered %s", e)
	}
	alice.write("<presence to='a@call.xmpp.test'/><message type='error' to='a@call.xmpp.test'/>")
	other := logIn(t, s, "desk")
	l.meets(other, attack{}, "none")
	if len(l.states) > 0 {
		t.Errorf("the link was made anew: %v", <-l.states)
	}
}

func TestServerRestart(t *testing.T) {
	for name := range starters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, name, "")
			l := startStream(t, s, func(st *Stream) { st.times.backoff[1] = time.Second })
			l.wantState(true)
			failed := make(chan error, 1)
			s.Kill()
			l.wantState(false)
			l.Request(element.New("", "iq", "type", "get", "from", ourHost, "to", host), element.New(nsPing, "ping"), never,
				func(_ *element.Element, err error) { failed <- err })
			if err := <-failed; err != ErrDown {
				t.Errorf("request while down: %v", err)
			}
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			l.wantState(true)
			l.meets(logIn(t, s, "desk"), attack{}, "none")
			l.Request(element.New("", "iq", "type", "get", "from", ourHost, "to", host), element.New(nsPing, "ping"), 10*time.Second,
				func(_ *element.Element, err error) { failed <- err })
			if err := <-failed; err != nil {
				t.Errorf("request afterwards: %v", err)
			}
		})
	}
}

// tapped shows what the stream reads.
type tapped struct {
	net.Conn
	seen *syncBuffer
	find []byte
	hit  chan bool
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.seen.Write(b[:n])
	if bytes.Contains([]byte(c.seen.String()), c.find) {
		select {
		case c.hit <- true:
		default:
		}
	}
	return n, err
}

// Both servers lead a ping of our own domain back to us.
func TestPingComesBack(t *testing.T) {
	for name := range starters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, name, "")
			hit := make(chan bool, 1)
			l := startStream(t, s, func(st *Stream) {
				st.times.silence = 50 * time.Millisecond
				dial := st.dial
				st.dial = func(ctx context.Context) (net.Conn, error) {
					c, err := dial(ctx)
					return &tapped{Conn: c, seen: &syncBuffer{}, find: []byte(nsPing), hit: hit}, err
				}
			})
			l.wantState(true)
			select {
			case <-hit:
			case <-time.After(10 * time.Second):
				t.Error("no ping came back")
			}
			if len(l.states) > 0 || len(l.got) > 0 {
				t.Error("the ping ended the link or reached the handler")
			}
		})
	}
}

func TestServerRefuses(t *testing.T) {
	for name := range starters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, name, "")
			unknown := map[string]string{"prosody": "host-unknown", "ejabberd": "not-authorized"}[name]
			for _, tt := range []struct {
				condition, key string
				change         func(*Stream)
			}{
				{"not-authorized", "key secret", func(st *Stream) { st.cfg.Secret = "wrong" }},
				{unknown, "key domain", func(st *Stream) { st.cfg.Domain = jid.MustParse("other.xmpp.test") }},
			} {
				l := startStream(t, s, tt.change)
				var e *Error
				if err := l.wantState(false); !errors.As(err, &e) || e.Condition != tt.condition || !strings.Contains(remedy(err), tt.key) {
					t.Errorf("want %s, %s: %v", tt.condition, tt.key, err)
				}
			}
		})
	}
}

func TestSecondInstance(t *testing.T) {
	s := startServer(t, "prosody", "")
	startStream(t, s, nil).wantState(true)
	second := startStream(t, s, nil)
	var e *Error
	if err := second.wantState(false); !errors.As(err, &e) || e.Condition != "conflict" {
		t.Errorf("second instance: %v", err)
	}
}
