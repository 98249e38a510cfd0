package stream

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"time"

	"carillon/jingle/element"
)

// reader is the reading side of one connection; all of it belongs to one goroutine.
type reader struct {
	*Stream
	link   *link
	in     *bufio.Reader
	scope  element.Scope
	xml    element.Reader
	framer framer
	began  time.Time // when the stanza that is incomplete began, zero when none is
	last   time.Time // when a byte came
	pinged time.Time // zero when a byte came since
	ping   string    // id of our last ping
}

// read hands out stanzas until the connection fails or ends, and returns why.
func (s *Stream) read(ctx context.Context, l *link, in *bufio.Reader, scope element.Scope) error {
	r := &reader{Stream: s, link: l, in: in, scope: scope, last: time.Now(),
		framer: framer{maxBytes: s.cfg.MaxStanza, maxDepth: s.cfg.MaxDepth}}
	buf := make([]byte, 32<<10)
	for {
		n, err := r.fill(ctx, buf)
		if err == nil {
			err = r.take(ctx, buf[:n])
		}
		if err != nil {
			return err
		}
	}
}

// fill reads some bytes.  Silence is met with a ping.
func (r *reader) fill(ctx context.Context, buf []byte) (int, error) {
	for {
		if err := r.link.readUntil(r.deadline()); err != nil {
			return 0, err
		}
		n, err := r.in.Read(buf)
		if n > 0 {
			r.last, r.pinged = time.Now(), time.Time{}
			return n, nil
		}
		switch {
		case err == io.EOF:
			return 0, errClosed
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = r.silent()
		}
		if err != nil {
			return 0, err
		}
	}
}

func (r *reader) deadline() time.Time {
	switch {
	case !r.began.IsZero():
		return r.began.Add(r.times.stall)
	case !r.pinged.IsZero():
		return r.pinged.Add(r.times.pong)
	}
	return r.last.Add(r.times.silence)
}

// silent says what the deadline that passed means.
//
// The ping goes to our own domain.  Prosody and ejabberd both route it back to us, which proves as much as an answer of the
// server: whatever it sends counts.  The server's own host name is unknown here and may not be our parent domain.
func (r *reader) silent() error {
	switch {
	case !r.began.IsZero():
		return errStalled
	case !r.pinged.IsZero():
		return errSilent
	}
	r.pinged, r.ping = time.Now(), rand.Text()
	ping := element.New("", "iq", "type", "get", "id", r.ping, "from", r.domain, "to", r.domain)
	if err := r.sendOn(r.link, ping, element.New(nsPing, "ping")); err != nil && !errors.Is(err, ErrFull) {
		return err
	}
	return nil
}

// take cuts b into stanzas and deals with each.
func (r *reader) take(ctx context.Context, b []byte) error {
	for len(b) > 0 {
		fresh := r.framer.idle()
		n, fr, done, err := r.framer.next(b)
		if err != nil {
			return err
		}
		b = b[n:]
		if fresh {
			r.began = r.last
		}
		if !done {
			break
		}
		if err := r.child(ctx, fr); err != nil {
			return err
		}
	}
	if r.framer.idle() {
		r.began = time.Time{}
	}
	return nil
}

// child deals with one child of the stream.
func (r *reader) child(ctx context.Context, fr frame) error {
	if fr.end {
		return errClosed
	}
	e, n, problem := r.parse(fr)
	if e == nil {
		r.cfg.Log.Debug("unreadable stanza dropped", "problem", problem.text)
		return nil
	}
	if e.Space == nsStreams && e.Local == "error" {
		return parseError(e)
	}
	switch {
	case ctx.Err() != nil:
		// Run is about to end: nobody is left to be told.
	case !isStanza(e):
		r.cfg.Log.Debug("element that is no stanza dropped", "space", clip(e.Space), "name", clip(e.Local))
	case problem != nil:
		r.refuse(e, problem)
	case !r.isPing(e):
		r.receive(e, n)
	}
	return nil
}

// isPing tells a ping of ours that came back.
func (r *reader) isPing(e *element.Element) bool {
	return r.ping != "" && e.Attr("id") == r.ping && e.Local == "iq" && e.Attr("from") == r.domain && e.Attr("to") == r.domain
}

// parse returns the element, of an iq that asks for something its start tag and the whole as a node.  Of an element that cannot be read it returns
// the start tag and the problem with it.  The stanza's namespace gets the name "".
func (r *reader) parse(fr frame) (*element.Element, element.Node, *problem) {
	lim := element.Limits{Depth: r.cfg.MaxDepth, Bytes: r.cfg.MaxStanza}
	why := &problem{policyViolation, fr.problem}
	if fr.problem == "" {
		n, err := r.xml.Read(fr.data, r.scope, lim)
		if err == nil {
			return r.element(n), n, nil
		}
		why = &problem{badRequest, "stanza is not well-formed"}
		var syntax *element.SyntaxError
		if errors.As(err, &syntax) && syntax.Limit {
			why = &problem{policyViolation, "stanza exceeds a limit"}
		}
	}
	head, _, _, err := element.ParseTag(fr.data, r.scope, lim)
	if err != nil {
		return nil, element.Node{}, why
	}
	if r.isOwn(head.Space) {
		head.Space = ""
	}
	return head, element.Node{}, why
}

// element returns the stanza as a tree.  The payload of a request is left out: it is read from the node.
func (r *reader) element(n element.Node) *element.Element {
	if space := n.Space(); r.isOwn(space) {
		n.ReplaceSpace(space, "")
	}
	if n.Local() == "iq" && n.Attr("type") != "result" && n.Attr("type") != "error" {
		return n.Tag()
	}
	return n.Element()
}

// isOwn tells whether it is the namespace of stanzas.
func (r *reader) isOwn(space string) bool {
	return space == r.scope[""] || space == nsAccept || space == nsClient
}
