//go:build e2e

package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/xmppserver"
	"carillon/jingle"
	"carillon/jingle/element"
)

var passwords = map[string]string{"echo": "pw-echo", "alice": "pw-alice", "bob": "pw-bob"}

func startServer(t *testing.T) *xmppserver.Server {
	t.Helper()
	s, err := xmppserver.StartProsody(t.Context(), xmppserver.Options{Domain: "xmpp.test", Users: passwords})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.LogTail())
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func configFor(t *testing.T, s *xmppserver.Server, user string) config {
	t.Helper()
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return config{
		jid: jid.MustParse(user + "@" + s.Domain), password: passwords[user], server: s.ClientAddr, roots: roots, log: quiet(), out: io.Discard,
	}
}

// startEcho runs jingle-echo until the test ends and returns a channel of the addresses it is online as.
func startEcho(t *testing.T, s *xmppserver.Server) <-chan string {
	t.Helper()
	cfg := configFor(t, s, "echo")
	reader, writer := io.Pipe()
	cfg.out = writer
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := run(ctx, cfg)
		writer.Close()
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("jingle-echo: %v", err)
		}
	})
	return addresses(reader)
}

// addresses reads the lines that jingle-echo writes.
func addresses(r io.Reader) <-chan string {
	online := make(chan string, 10)
	go func() {
		defer close(online)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if address, ok := strings.CutPrefix(lines.Text(), "jingle-echo: online as "); ok {
				online <- address
			}
		}
	}()
	return online
}

func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatalf("%s: never", what)
		}
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: not in time", what)
		panic("unreachable")
	}
}

// user is a logged-in account of the test.  Its stanzas go to whoever asked for them and then to all.
type user struct {
	*stream
	all chan *element.Element
}

func logIn(t *testing.T, s *xmppserver.Server, name string, handle func(*element.Element)) *user {
	t.Helper()
	st, err := login(t.Context(), configFor(t, s, name))
	if err != nil {
		t.Fatal(err)
	}
	u := &user{stream: st, all: make(chan *element.Element, 1000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for {
			e, err := st.next()
			if err != nil {
				return
			}
			if handle != nil {
				handle(e)
			}
			u.all <- e
		}
	}()
	t.Cleanup(func() { st.finish(read) })
	if err := st.Send(element.New("", "presence")); err != nil {
		t.Fatal(err)
	}
	return u
}

// expect reads stanzas until one fits.
func (u *user) expect(t *testing.T, what string, fits func(*element.Element) bool) *element.Element {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case e := <-u.all:
			if fits(e) {
				return e
			}
		case <-limit:
			t.Fatalf("%s did not come", what)
		}
	}
}

// callFrom makes a caller of a user.
func callFrom(t *testing.T, s *xmppserver.Server, name string, kinds []string, bundled bool) (*caller, *user) {
	t.Helper()
	ready := make(chan struct{})
	var c *caller
	u := logIn(t, s, name, func(e *element.Element) {
		<-ready
		c.handle(e)
	})
	c = newCaller(t, u.Send, kinds, bundled)
	close(ready)
	return c, u
}

func TestCallsThroughProsody(t *testing.T) {
	s := startServer(t)
	online := startEcho(t, s)
	address := await(t, "jingle-echo online", online)
	if bare(address) != "echo@xmpp.test" {
		t.Fatalf("online as %s", address)
	}
	t.Run("audio and video, proposed", func(t *testing.T) {
		c, u := callFrom(t, s, "alice", []string{"audio", "video"}, true)
		c.propose(address)
		if peer := await(t, "proceed", c.proceeded); peer != address {
			t.Fatalf("%s proceeded", peer)
		}
		u.expect(t, "ringing", func(e *element.Element) bool { return e.Child(jingle.NSMessage, "ringing") != nil })
		c.start(address)
		c.hear()
		c.hangUp()
	})
	t.Run("audio and video, unbundled, direct", func(t *testing.T) {
		c, _ := callFrom(t, s, "bob", []string{"audio", "video"}, false)
		c.start(address)
		c.hear()
		c.hangUp()
	})
}

func TestContactSeesCapabilities(t *testing.T) {
	s := startServer(t)
	address := await(t, "jingle-echo online", startEcho(t, s))
	u := logIn(t, s, "alice", nil)
	if err := u.Send(element.New("", "presence", "to", bare(address), "type", "subscribe")); err != nil {
		t.Fatal(err)
	}
	p := u.expect(t, "presence", func(e *element.Element) bool { return e.Attr("from") == address && e.Attr("type") == "" })
	if c := p.Child("http://jabber.org/protocol/caps", "c"); c == nil || c.Attr("ver") != capsVersion {
		t.Errorf("presence without capabilities: %s", p)
	}
	u.expect(t, "a subscription in return", func(e *element.Element) bool { return e.Local == "presence" && e.Attr("type") == "subscribe" })
}

// TestHostileStanzasThroughProsody sends what would end a session of the library, then expects an answer.
func TestHostileStanzasThroughProsody(t *testing.T) {
	s := startServer(t)
	online := startEcho(t, s)
	address := await(t, "jingle-echo online", online)
	u := logIn(t, s, "alice", nil)
	deep := element.New("urn:x", "x")
	for range 400 {
		deep = element.New("urn:x", "x").Append(deep)
	}
	for _, payload := range []*element.Element{
		element.New("http://etherx.jabber.org/streams", "error"), element.New("http://etherx.jabber.org/streams", "stream"), deep,
	} {
		if err := u.Send(element.New("", "message", "to", address, "type", "chat").Append(payload)); err != nil {
			t.Fatal(err)
		}
	}
	ping := ping(address).SetAttr("id", "after")
	if err := u.Send(ping); err != nil {
		t.Fatal(err)
	}
	e := u.expect(t, "an answer", func(e *element.Element) bool { return e.Attr("id") == "after" })
	if e.Attr("type") != "result" || len(online) > 0 {
		t.Errorf("answer %s; connected anew: %v", e, len(online) > 0)
	}
}

func TestReconnects(t *testing.T) {
	s := startServer(t)
	online := startEcho(t, s)
	await(t, "jingle-echo online", online)
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, "jingle-echo online again", online)
}

func TestWrongCredentialsEndTheProgram(t *testing.T) {
	s := startServer(t)
	wrong, untrusted := configFor(t, s, "echo"), configFor(t, s, "echo")
	wrong.password = "not it"
	untrusted.roots = x509.NewCertPool()
	for _, cfg := range []config{wrong, untrusted} {
		err := run(t.Context(), cfg)
		if err == nil || strings.Contains(err.Error(), cfg.password) {
			t.Errorf("error %v", err)
		}
		t.Log(err)
	}
}

// TestSignalEndsTheProcess runs the program as its users do.
func TestSignalEndsTheProcess(t *testing.T) {
	s := startServer(t)
	dir := t.TempDir()
	program, password := filepath.Join(dir, "jingle-echo"), filepath.Join(dir, "password")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(password, []byte(passwords["echo"]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-jid", "echo@xmpp.test", "-password-file", password, "-server", s.ClientAddr, "-ca", s.CAFile, "-v")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := await(t, "jingle-echo online", addresses(out))
	c, u := callFrom(t, s, "alice", []string{"audio"}, true)
	if err := u.Send(element.New("", "presence", "to", bare(address), "type", "subscribe")); err != nil {
		t.Fatal(err)
	}
	u.expect(t, "presence", func(e *element.Element) bool { return e.Attr("from") == address })
	c.propose(address)
	c.start(await(t, "proceed", c.proceeded))
	c.hear()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of the call", c.ended)
	u.expect(t, "unavailable presence", func(e *element.Element) bool { return e.Attr("from") == address && e.Attr("type") == "unavailable" })
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
	if strings.Contains(log.String(), passwords["echo"]) || !strings.Contains(log.String(), "media connected") {
		t.Errorf("log:\n%s", log.String())
	}
}
