package main

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/dial"
	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

const (
	nsClient  = "jabber:client"
	nsStreams = "http://etherx.jabber.org/streams"

	loginLimit  = 30 * time.Second
	writeLimit  = 10 * time.Second
	silentLimit = 150 * time.Second // a server that is pinged every pingEvery and says nothing so long is gone
	closeLimit  = 2 * time.Second
	stanzaLimit = 512 << 10
)

// errRefused says that the server turned our credentials down, which no retry changes.
var errRefused = errors.New("login refused")

// stream is a logged-in client connection.  Send is safe for concurrent use, next is for one goroutine.
//
// mellium negotiates it; stanzas are then read and written here.  In mellium's own reader a stanza with a child of the stream's
// namespace, or one no handler can decode, would end the session, and anybody can send those.
type stream struct {
	self    jid.JID // full, as the server bound it
	conn    net.Conn
	decoder *xml.Decoder
	taken   *recorder

	mu sync.Mutex // one stanza is written at a time
}

// login connects, secures, authenticates and binds.  When ctx ends it gives up.
func login(ctx context.Context, cfg config) (*stream, error) {
	conn, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(loginLimit))
	// mellium would put a deadline on the connection at a moment of its own choosing when this context ended.
	session, err := xmpp.NewClientSession(context.WithoutCancel(ctx), cfg.jid, conn,
		xmpp.StartTLS(&tls.Config{ServerName: cfg.jid.Domainpart(), RootCAs: cfg.roots, MinVersion: tls.VersionTLS12}),
		// Not the -PLUS variants: over TLS 1.3 ejabberd refuses their channel binding.
		xmpp.SASL("", cfg.password, sasl.ScramSha256, sasl.ScramSha1),
		bindAs(cfg.jid.Resourcepart()))
	if !stop() {
		return nil, ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, loginError(cfg.jid, session, err)
	}
	_ = conn.SetDeadline(time.Time{})
	return newStream(session.Conn(), session.LocalAddr()), nil
}

func connect(ctx context.Context, cfg config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, loginLimit)
	defer cancel()
	var conn net.Conn
	var err error
	if cfg.server != "" {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", cfg.server)
	} else {
		conn, err = (&dial.Dialer{NoTLS: true}).Dial(ctx, "tcp", cfg.jid) // NoTLS: begin with STARTTLS, not with TLS
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the server of %s: %w", cfg.jid.Domain(), err)
	}
	return conn, nil
}

func loginError(account jid.JID, session *xmpp.Session, err error) error {
	var network net.Error
	switch {
	case session == nil || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
	case session.State()&(xmpp.Secure|xmpp.Authn) == xmpp.Secure:
		var certificate *tls.CertificateVerificationError
		if !errors.As(err, &certificate) {
			return fmt.Errorf("%w for %s: %w", errRefused, account, err)
		}
	}
	return fmt.Errorf("log in as %s: %w", account, err)
}

// permanent tells an error that trying again cannot mend.
func permanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.Is(err, errRefused) || errors.As(err, &certificate)
}

func newStream(conn net.Conn, self jid.JID) *stream {
	s := &stream{self: self, conn: conn, taken: &recorder{conn: conn}}
	s.decoder = xml.NewDecoder(s.taken)
	return s
}

// next returns the next stanza.  A stanza that is too long, too deep or malformed inside is skipped.
func (s *stream) next() (*element.Element, error) {
	for {
		raw, err := s.nextRaw()
		if err != nil {
			return nil, err
		}
		e, err := element.ParseIn(raw, element.Scope{"": nsClient, "stream": nsStreams}, element.Limits{Bytes: stanzaLimit})
		if err != nil {
			continue
		}
		if e.Space == nsStreams && e.Local == "error" {
			return nil, fmt.Errorf("the server ended the stream: %s", condition(e))
		}
		return e, nil
	}
}

// nextRaw returns the bytes of the next top-level element.  Tags are counted, not matched: what is inside is the parser's matter.
func (s *stream) nextRaw() ([]byte, error) {
	depth, start := 0, int64(0)
	for {
		before := s.decoder.InputOffset()
		token, err := s.decoder.RawToken()
		if err != nil {
			return nil, fmt.Errorf("read from the server: %w", err)
		}
		switch token.(type) {
		case xml.StartElement:
			if depth == 0 {
				start = before
			}
			depth++
		case xml.EndElement:
			depth--
		}
		if depth < 0 {
			return nil, fmt.Errorf("the server closed the stream: %w", io.EOF)
		}
		if _, ended := token.(xml.EndElement); ended && depth == 0 {
			return s.taken.cut(start, s.decoder.InputOffset()), nil
		}
		if depth == 0 {
			s.taken.cut(0, s.decoder.InputOffset())
		}
	}
}

// recorder keeps what the decoder has read and not yet been cut off, up to a bound.
type recorder struct {
	conn  net.Conn
	kept  []byte
	first int64 // offset in the stream of kept[0]
}

const keptLimit = stanzaLimit + 64<<10

func (r *recorder) Read(b []byte) (int, error) {
	_ = r.conn.SetReadDeadline(time.Now().Add(silentLimit))
	n, err := r.conn.Read(b)
	if len(r.kept)+n > keptLimit {
		r.first += int64(len(r.kept))
		r.kept = r.kept[:0]
	}
	r.kept = append(r.kept, b[:n]...)
	return n, err
}

// cut forgets all before end and returns what was there from start on, nothing if a part of it exceeded the bound.
func (r *recorder) cut(start, end int64) []byte {
	var piece []byte
	if start >= r.first {
		piece = append(piece, r.kept[start-r.first:end-r.first]...)
	}
	rest := copy(r.kept, r.kept[end-r.first:])
	r.kept, r.first = r.kept[:rest], end
	return piece
}

func condition(streamError *element.Element) string {
	for _, c := range streamError.Children {
		if c.Local != "text" {
			return c.Local
		}
	}
	return "undefined-condition"
}

// Send writes one stanza, whose elements of no namespace are of the stream's.  An error means that the stream has ended.
func (s *stream) Send(e *element.Element) error { return s.SendText(e.AppendTo(nil, "")) }

// SendText is Send for a stanza that is text.
func (s *stream) SendText(stanza []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(stanza)
}

func (s *stream) write(b []byte) error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if _, err := s.conn.Write(b); err != nil {
		s.conn.Close() // half a stanza may be out: nothing can follow it
		return fmt.Errorf("write to the server: %w", err)
	}
	return nil
}

// finish closes the stream in good order; read ends once the server has closed its side.
func (s *stream) finish(read <-chan struct{}) {
	s.mu.Lock()
	_ = s.write([]byte("</stream:stream>"))
	s.mu.Unlock()
	timer := time.NewTimer(closeLimit)
	defer timer.Stop()
	select {
	case <-read:
	case <-timer.C:
	}
	s.conn.Close()
}
