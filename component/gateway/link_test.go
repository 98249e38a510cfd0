package gateway

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"net/url"
	"testing"
	"testing/synctest"
	"time"
)

// TestCutDoesNotWait: a connection under TLS whose page reads nothing is cut at once.  The lock of the socket is held for that, and all other
// sockets wait for who holds it.
func TestCutDoesNotWait(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	certificates := server.TLS.Certificates
	server.Close()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		conn := tls.Server(ours, &tls.Config{Certificates: certificates, SessionTicketsDisabled: true})
		page := tls.Client(theirs, &tls.Config{InsecureSkipVerify: true})
		shaken := make(chan error, 1)
		go func() { shaken <- page.Handshake() }()
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
		srv := New(Config{PublicURL: &url.URL{Scheme: "https", Host: "call.example.org"}}, &fakeHub{})
		l := &waiting{c: &socket{srv: srv}, conn: conn}
		began := time.Now()
		l.cut()
		if took := time.Since(began); took > 0 {
			t.Errorf("cut took %v", took)
		}
		if _, err := ours.Write([]byte("x")); err == nil {
			t.Error("the connection is open")
		}
		l.close()
		if took := time.Since(began); took > 0 {
			t.Errorf("the end of a connection that was cut took %v", took)
		}
		theirs.Close()
	})
}
