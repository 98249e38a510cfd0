//go:build e2e

package xmppserver

import (
	"bufio"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
)

var servers = map[string]func(context.Context, Options) (*Server, error){
	"prosody": StartProsody, "ejabberd": StartEjabberd,
}

func options() Options {
	return Options{
		Domain: "xmpp.test", Component: "call.xmpp.test", Secret: "s3cret", WebSocket: true,
		Users:    map[string]string{"alice": "pw \"alice\" \\ é", "bob_2": "pw-bob"},
		External: TURN{Host: "127.0.0.1", Port: 3478, Secret: "relay"},
	}
}

func TestServerServesComponentAndUsers(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			s, err := start(t.Context(), options())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Stop()
			t.Logf("started in %v", time.Since(began))
			joinAsComponent(t, s)
			logIn(t, s, "alice")
			logIn(t, s, "bob_2")
			openWebSocket(t, s)

			began, addr, pid := time.Now(), s.ComponentAddr, s.PID()
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Logf("restarted in %v", time.Since(began))
			if s.ComponentAddr != addr || s.PID() == pid {
				t.Errorf("restarted as %d at %s, was %d at %s", s.PID(), s.ComponentAddr, pid, addr)
			}
			joinAsComponent(t, s)
			logIn(t, s, "alice")

			began, pid = time.Now(), s.PID()
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			t.Logf("stopped in %v", time.Since(began))
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d after Stop: %v", pid, err)
			}
			if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s after Stop: %v", s.Dir, err)
			}
		})
	}
}

func TestPortTaken(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options()
			o.Dir = t.TempDir()
			s, err := start(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Stop()
			s.Kill()
			thief, err := net.Listen("tcp", s.ComponentAddr)
			if err != nil {
				t.Fatal(err)
			}
			defer thief.Close()
			if err := s.Start(t.Context()); !errors.Is(err, errBind) {
				t.Errorf("start on a taken port: %v, want %v", err, errBind)
			}
		})
	}
}

func TestBrokenConfigurationIsReported(t *testing.T) {
	o := options()
	o.Global = "this is not Lua"
	s, err := StartProsody(t.Context(), o)
	if err == nil {
		s.Stop()
		t.Fatal("Prosody started")
	}
	if !strings.Contains(err.Error(), "prosody.cfg.lua") {
		t.Errorf("error without the log: %v", err)
	}
}

func joinAsComponent(t *testing.T, s *Server) {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.ComponentAddr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='%s'>", s.Component)
	r := bufio.NewReader(c)
	head := readUntil(t, r, "stream:stream")
	id := regexp.MustCompile(` id=['"]([^'"]+)`).FindStringSubmatch(head)
	if id == nil {
		t.Fatalf("no stream id in %q", head)
	}
	hash := sha1.Sum([]byte(id[1] + s.Secret))
	fmt.Fprintf(c, "<handshake>%s</handshake>", hex.EncodeToString(hash[:]))
	if answer := readUntil(t, r, ""); !strings.HasPrefix(answer, "<handshake") {
		t.Fatalf("answer to the handshake: %q", answer)
	}
}

// readUntil reads up to the end of the tag that contains text.
func readUntil(t *testing.T, r *bufio.Reader, text string) string {
	t.Helper()
	var all string
	for {
		part, err := r.ReadString('>')
		all += part
		if err != nil {
			t.Fatalf("%v after %q", err, all)
		}
		if strings.Contains(part, text) {
			return all
		}
	}
}

func logIn(t *testing.T, s *Server, user string) {
	t.Helper()
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.ClientAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	me := jid.MustParse(user + "@" + s.Domain)
	session, err := xmpp.NewClientSession(ctx, me, c,
		xmpp.StartTLS(&tls.Config{ServerName: s.Domain, RootCAs: roots}),
		xmpp.SASL("", s.options.Users[user], sasl.ScramSha256, sasl.ScramSha1),
		xmpp.BindResource())
	if err != nil {
		t.Fatalf("%s cannot log in: %v\n%s", user, err, s.LogTail())
	}
	session.Close()
}

func openWebSocket(t *testing.T, s *Server) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http"+strings.TrimPrefix(s.WebSocketURL, "ws"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "http://localhost:1",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "xmpp",
	} {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("%s answers %s", s.WebSocketURL, answer.Status)
	}
}
