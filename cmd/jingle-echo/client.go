package main

import (
	"context"
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"net"
	"strings"
	"time"

	"carillon/jingle/element"
)

const (
	firstWait = 500 * time.Millisecond
	lastWait  = 30 * time.Second
	steady    = time.Minute // a connection that lasted so long starts the backoff anew
	pingEvery = time.Minute
)

// run keeps the account available until ctx ends.  It returns an error when the first login is refused for good; afterwards every
// end of the connection is followed by another.
func run(ctx context.Context, cfg config) error {
	media, err := newMedia(cfg.iceServers, isLoopback(cfg.server), cfg.log)
	if err != nil {
		return fmt.Errorf("prepare media: %w", err)
	}
	// Under the same resource calls outlive the connection: their media never passed through the server.
	cfg.jid, err = cfg.jid.WithResource("echo-" + newID()[:8])
	if err != nil {
		return err
	}
	var a *account
	defer func() {
		if a != nil {
			a.close()
		}
	}()
	wait, online := firstWait, false
	for {
		began := time.Now()
		s, err := login(ctx, cfg)
		if err == nil {
			online = true
			if a != nil && a.self != s.self.String() { // nobody knows the calls of the old address
				a.close()
				a = nil
			}
			if a == nil {
				a = newAccount(s.self.String(), nil, media, cfg.log)
			}
			err = serve(ctx, cfg, s, a)
		}
		if ctx.Err() != nil {
			return nil
		}
		if !online && permanent(err) {
			return err
		}
		if time.Since(began) > steady {
			wait = firstWait
		}
		cfg.log.Warn("not connected, will try again", "err", err, "in", wait)
		if !sleep(ctx, wait/2+mrand.N(wait)) {
			return nil
		}
		wait = min(2*wait, lastWait)
	}
}

// isLoopback tells a server on this machine: then callers are here too, perhaps with no other network.
func isLoopback(server string) bool {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// sleep returns false when ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// serve makes the account available on s and answers what comes until s or ctx ends.  With ctx all calls end; without s they go on.
func serve(ctx context.Context, cfg config, s *stream, a *account) error {
	a.via(s.SendText)
	defer a.via(nil)
	read := make(chan struct{})
	var lost error
	go func() {
		defer close(read)
		for {
			e, err := s.next()
			if err != nil {
				lost = err
				return
			}
			a.handle(e)
		}
	}()
	err := s.Send(available())
	if err == nil {
		fmt.Fprintf(cfg.out, "jingle-echo: online as %s\n", s.self)
		err = keepAlive(ctx, s, read)
	}
	if ctx.Err() != nil {
		a.close()
		_ = s.Send(unavailable()) // the server says so itself if the stream is gone
	}
	s.finish(read)
	<-read
	if err == nil {
		err = lost
	}
	return err
}

// keepAlive pings the server until the stream or ctx ends.
func keepAlive(ctx context.Context, s *stream, read <-chan struct{}) error {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := s.Send(ping(s.self.Domainpart())); err != nil {
				return err
			}
		case <-read:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func available() *element.Element {
	return element.New("", "presence").Append(capabilities())
}

func unavailable() *element.Element {
	return element.New("", "presence", "type", "unavailable")
}

func ping(server string) *element.Element {
	return element.New("", "iq", "type", "get", "id", newID(), "to", server).Append(element.New(nsPing, "ping"))
}

// newID returns a random UUID (RFC 9562 version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func bare(address string) string {
	address, _, _ = strings.Cut(address, "/")
	return address
}
