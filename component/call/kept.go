package call

import (
	"reflect"
	"slices"
	"strings"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

// Bounds of what a peer can make a call keep.  An honest one needs a tenth of either.
const (
	maxPeerCandidates = 512
	maxKept           = 1 << 20 // bytes of descriptions, transports, and actions that wait
)

// admit readies an action of the peer for being kept: with no more candidates than there is room for, and with memory of its own, because
// what was read from a stanza keeps the text of the whole stanza.  It reports false where the call keeps too much already.
func (s *session) admit(a jingle.Stanza) (jingle.Stanza, bool) {
	switch a.Action {
	case jingle.SessionInfo, jingle.SessionTerminate, jingle.SecurityInfo: // of which nothing is kept
		return a, true
	}
	a.Info = nil
	a.Contents = s.fewerCandidates(a.Contents)
	size := own(reflect.ValueOf(&a).Elem())
	if s.kept+size > maxKept {
		s.kept = s.size() // much of what was admitted may have been replaced since
	}
	if s.kept+size > maxKept {
		return a, false
	}
	s.kept += size
	return a, true
}

// size is how many bytes are kept of the peer's, counted as those of an action are.
func (s *session) size() int {
	kept := struct {
		Theirs jingle.Description
		Shared []jingle.Shared
		Queue  []jingle.Stanza
	}{s.agreed.Of[s.role.Other()], s.agreed.Contents, s.queue}
	return own(reflect.ValueOf(&kept).Elem())
}

// fewerCandidates leaves out the candidates for which there is no room beside those of the contents that stay as they are.
func (s *session) fewerCandidates(contents []jingle.Content) []jingle.Content {
	room := maxPeerCandidates
	for i := range s.agreed.Contents {
		t := s.transport(i)
		if t == nil {
			t = s.agreed.Contents[i].Early
		}
		renewed := slices.ContainsFunc(contents, func(c jingle.Content) bool {
			return t != nil && c.Name == s.agreed.Contents[i].Name && c.ICE != nil && c.ICE.Ufrag != "" && c.ICE.Ufrag != t.Ufrag
		})
		if t != nil && !renewed {
			room -= min(room, len(t.Candidates))
		}
	}
	for _, a := range s.queue {
		for _, c := range a.Contents {
			room -= min(room, candidatesOf(c))
		}
	}
	contents = slices.Clone(contents)
	for i := range contents {
		c := &contents[i]
		if n := candidatesOf(*c); n > room {
			ice := *c.ICE
			ice.Candidates = ice.Candidates[:room]
			c.ICE = &ice
		}
		room -= candidatesOf(*c)
	}
	return contents
}

func candidatesOf(c jingle.Content) int {
	if c.ICE == nil {
		return 0
	}
	return min(len(c.ICE.Candidates), sdpconv.MaxCandidates)
}

// own replaces what a value of plain exported fields refers to by copies of it, and returns the size of those in bytes.  Of elements, which mean
// nothing to a call, it keeps the name: that is all that is ever sent back.
func own(v reflect.Value) (size int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Clone(v.String()))
		return v.Len()
	case reflect.Pointer:
		if v.IsNil() {
			return 0
		}
		fresh := reflect.New(v.Type().Elem())
		if e, ok := v.Interface().(*element.Element); ok {
			fresh = reflect.ValueOf(element.New(e.Space, e.Local))
		} else {
			fresh.Elem().Set(v.Elem())
		}
		v.Set(fresh)
		return int(fresh.Elem().Type().Size()) + own(fresh.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return 0
		}
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		v.Set(fresh)
		size = v.Len() * int(v.Type().Elem().Size())
		for i := range fresh.Len() {
			size += own(fresh.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			size += own(v.Field(i))
		}
	}
	return size
}
