package sdpconv

import "carillon/jingle"

// slab makes many small slices of few allocations.
type slab[T any] struct {
	room []T // the part that is in use
	size int // of the next room
}

// add appends to a list that the slab made.  The one that grew last grows in place; lists that are made one after another, as SDP has
// them, waste nothing.
func (s *slab[T]) add(list []T, x T) []T {
	n, end := len(list), len(s.room)
	switch {
	case n < cap(list):
		return append(list, x)
	case end < cap(s.room) && n > 0 && &list[n-1] == &s.room[end-1]:
		s.room = append(s.room, x)
		return s.room[end-n : end+1 : end+1]
	}
	most := n + 1
	if n > 1 {
		most = 2 * n // it was followed by another and comes back: not for one more only
	}
	if end+most > cap(s.room) {
		s.room, end = make([]T, 0, max(s.size, most)), 0
		s.size = 24
	}
	s.room = s.room[:end+most]
	list = append(append(s.room[end:end:end+most], list...), x)
	return list
}

// repeated makes lists that mostly repeat: one that begins as the one before is a part of it.  Nobody may change them in place.
type repeated[T any] struct {
	slab slab[T]
	last []T // the list that grew last
}

// add appends to a list that the slab made.  Same compares what it has.
func (r *repeated[T]) add(list []T, x T, same func(a, b T) bool) []T {
	if n := len(list); n < len(r.last) && (n == 0 || &list[0] == &r.last[0]) && same(r.last[n], x) {
		return r.last[: n+1 : n+1]
	}
	r.last = r.slab.add(list, x)
	return r.last
}

func sameFeedback(a, b jingle.Feedback) bool {
	return a.Type == b.Type && a.Subtype == b.Subtype && len(a.Parameters)+len(b.Parameters) == 0
}

func sameExtension(a, b jingle.HdrExt) bool {
	return a.ID == b.ID && a.URI == b.URI && a.Senders == b.Senders && len(a.Parameters)+len(b.Parameters) == 0
}
