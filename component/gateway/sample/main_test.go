package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"io"
	"math/big"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"carillon/component/gateway"
)

const origin = "https://page.example.org"

// hub is a component of one address: it checks signatures and ends each call once its offer came.
type hub struct{ t *testing.T }

type session struct {
	t    *testing.T
	conn gateway.Conn
}

func (h hub) Open(c gateway.Conn) gateway.Session {
	c.Send(gateway.Hello{Nonce: "nonce", Domain: "call.example.org", Protocol: gateway.Protocol, PingInterval: 20})
	return session{h.t, c}
}

func (s session) Handle(r gateway.Request) (gateway.Frame, error) {
	switch e := r.Event.(type) {
	case gateway.Attach:
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), e.Key)
		if err != nil {
			return nil, gateway.Errorf(gateway.BadSignature, "%v", err)
		}
		sum := sha256.Sum256(gateway.SigningInput("call.example.org", s.conn.Origin(), "nonce", e.Name))
		if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(e.Signature[:32]), new(big.Int).SetBytes(e.Signature[32:])) {
			return nil, gateway.Errorf(gateway.BadSignature, "it does not verify")
		}
		bare := e.Name + "-" + gateway.AddressSuffix(e.Name, e.Key) + "@call.example.org"
		return gateway.Attached{Address: bare + "/r", Bare: bare, Name: e.Name}, nil
	case gateway.Dial:
		if e.To == "nobody@example.org" {
			return nil, gateway.Errorf(gateway.NotAllowed, "not them")
		}
		return gateway.Admitted{Call: "c1", To: e.To}, nil
	case gateway.Offer:
		s.conn.Send(gateway.Ringing{Call: e.Call})
		s.conn.Send(gateway.Ended{Call: e.Call, Reason: "peer-busy", Text: "Got " + e.SDP.SDP})
	}
	return nil, nil
}

func (s session) Closed(bool) {}

// serve returns the URL of a server with that hub.
func serve(t *testing.T, origins ...string) string {
	ts := httptest.NewUnstartedServer(nil)
	srv := gateway.New(gateway.Config{PublicURL: &url.URL{Scheme: "http", Host: ts.Listener.Addr().String()}, Origins: origins}, hub{t})
	ts.Config.Handler = srv
	ts.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		ts.Close()
	})
	return ts.URL
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestCall(t *testing.T) {
	var out strings.Builder
	c := client{url: serve(t, origin), origin: origin, name: "sample", dial: "bo@example.org", sdp: "v=0", out: &out}
	if err := c.run(within(t)); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	rest := out.String()
	for _, want := range []string{`{"event":"hello"`, `{"event":"attached","id":1`, "address: sample-", "@call.example.org/r",
		`{"event":"admitted","id":2`, `"to":"bo@example.org"`, `{"event":"ringing","call":"c1"}`, `"reason":"peer-busy"`, "Got v=0"} {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("the output lacks %q, or has it too early:\n%s", want, out.String())
		}
		rest = after
	}
}

func TestRefused(t *testing.T) {
	server := serve(t, gateway.NoOrigin)
	c := client{url: server, name: "sample", dial: "nobody@example.org", out: io.Discard}
	if err := c.run(within(t)); err == nil || err.Error() != "not_allowed: not them" {
		t.Errorf("a call that is not allowed: %v", err)
	}
	c = client{url: server, origin: "https://evil.example", name: "sample", out: io.Discard}
	if err := c.run(within(t)); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("a wrong origin: %v", err)
	}
}

func TestListens(t *testing.T) {
	ctx, cancel := context.WithCancel(within(t))
	read, write := io.Pipe()
	c := client{url: serve(t, gateway.NoOrigin), name: "sample", out: write}
	done := make(chan error)
	go func() { done <- c.run(ctx) }()
	for lines := bufio.NewScanner(read); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "address: ") {
			break
		}
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("it ended before it was told to")
	}
}

func TestIsShort(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if lines := strings.Count(string(source), "\n"); err != nil || lines >= 150 {
		t.Errorf("%d lines, %v: a sample is shorter than 150", lines, err)
	}
}
