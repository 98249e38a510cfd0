package stream

import (
	"crypto/rand"
	"sync"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

// requests are those that wait for their answer, by id.  Ids are random, so strangers cannot guess them; who sent an answer
// is looked at all the same, because some of those we ask would answer for others.
type requests struct {
	most int

	mu      sync.Mutex
	pending map[string]*request
	running sync.WaitGroup // calls of done by timers
}

type request struct {
	to    string
	done  func(*element.Element, error)
	timer *time.Timer
}

// Payload is what a request asks: an *element.Element, or what writes itself as one without being a tree.  AppendTo appends it to dst, to stand
// where the default namespace is parentSpace; it is called in Request, once at most.
type Payload interface {
	AppendTo(dst []byte, parentSpace string) []byte
}

// Request sends an iq of type get or set, whose id it sets, around the payload, and has done called exactly once: with the answer, of type result or
// error, that comes from the address asked; or with ErrTimeout, with ErrDown as soon as the connection ends, or with an
// error of Send.  The latter happens before Request returns, the others on another goroutine.  done must not block.
func (s *Stream) Request(iq *element.Element, payload Payload, timeout time.Duration, done func(reply *element.Element, err error)) {
	id := rand.Text()
	iq.SetAttr("id", id)
	l := s.link.Load()
	if l == nil {
		done(nil, ErrDown)
		return
	}
	if kind := iq.Attr("type"); iq.Local != "iq" || kind != "get" && kind != "set" {
		done(nil, ErrNotStanza)
		return
	}
	expired := func(f func(*element.Element, error)) {
		s.guard("the end of a request", func() { f(nil, ErrTimeout) })
	}
	if !s.asked.add(id, &request{to: iq.Attr("to"), done: done}, timeout, expired) {
		done(nil, ErrFull)
		return
	}
	// What is lost between add and here is found by take: a link that is down refuses to send.
	if err := s.sendOn(l, iq, payload); err != nil && s.asked.take(id) != nil {
		done(nil, err)
	}
}

func (q *requests) add(id string, r *request, timeout time.Duration, expired func(func(*element.Element, error))) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pending) >= q.most {
		return false
	}
	if q.pending == nil {
		q.pending = map[string]*request{}
	}
	q.pending[id] = r
	r.timer = time.AfterFunc(timeout, func() {
		if q.expire(id) {
			defer q.running.Done()
			expired(r.done)
		}
	})
	return true
}

// take removes a request; whoever gets it calls done.
func (q *requests) take(id string) *request {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.remove(id)
}

func (q *requests) remove(id string) *request {
	r := q.pending[id]
	if r != nil {
		r.timer.Stop()
		delete(q.pending, id)
	}
	return r
}

func (q *requests) expire(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.remove(id) == nil {
		return false
	}
	q.running.Add(1)
	return true
}

// answer returns what to call with the reply, nil when it answers nothing.
func (q *requests) answer(reply *element.Element) func(*element.Element, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	id := reply.Attr("id")
	r := q.pending[id]
	if r == nil || !sameAddress(r.to, reply.Attr("from")) {
		return nil
	}
	q.remove(id)
	return r.done
}

// sameAddress tells whether an answer from that address is one to what was sent to the other.  Servers answer for a bare
// address or a host from just that address, and for a full one that is gone from the full one (RFC 6120 section
// 8.1.2.1).  An answer without from can only be the server's own: it stamps everybody else's.
func sameAddress(asked, from string) bool {
	if from == asked || from == "" {
		return true
	}
	a, err := jid.Parse(asked)
	if err != nil {
		return false
	}
	b, err := jid.Parse(from)
	return err == nil && a.Equal(b)
}

func (s *Stream) failAll(err error) {
	s.asked.mu.Lock()
	failed := s.asked.pending
	s.asked.pending = nil
	for _, r := range failed {
		r.timer.Stop()
	}
	s.asked.mu.Unlock()
	for _, r := range failed {
		s.guard("the end of a request", func() { r.done(nil, err) })
	}
}

// wait ends what is pending and returns when no timer calls a done any more.
func (q *requests) wait() {
	q.mu.Lock()
	q.pending = nil
	q.mu.Unlock()
	q.running.Wait()
}
