//go:build e2e

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// write stores what passed so far as testdata/rooms/NAME.txt, see README.md there.  What the server sent is put below what made it do so.
func (r *recorder) write(name, comment string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	w := transcript{names: map[int]string{}, ids: map[string]string{}, causes: map[string][]int{}}
	for _, f := range r.frames {
		w.name(f)
	}
	for _, f := range r.frames {
		if err := w.add(f); err != nil {
			r.t.Fatalf("%v: %s", err, f.Payload)
		}
	}
	for number := range r.sockets { // those who are there still
		w.leave(number)
	}
	file := filepath.Join("..", "..", "testdata", "rooms", name+".txt")
	if err := os.WriteFile(file, []byte("# "+comment+"\n"+strings.Join(w.lines, "")), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// A transcript is made of frames in the order in which they passed.
type transcript struct {
	names  map[int]string    // of sockets
	ids    map[string]string // of members, to those names
	gone   map[int]bool
	lines  []string         // each what a browser sent and all that followed of it
	causes map[string][]int // what the server may send because of that: effect to indexes in lines
}

type roomEvent struct {
	Event    string
	OwnID    string `json:"own_id"`
	PeerID   string `json:"peer_id"`
	SenderID string `json:"sender_id"`
	Status   struct{ Name string }
	Data     struct{ Event string }
}

func (f recordedFrame) event() (ev roomEvent) {
	if f.Opcode == opText {
		json.Unmarshal(f.Payload, &ev) // what is no JSON has no event
	}
	return ev
}

// name calls a socket after the first word of the name that its owner joined with; the owner's second socket ends in 2.
func (w *transcript) name(f recordedFrame) {
	switch ev := f.event(); {
	case f.FromClient && ev.Event == "join_room" && w.names[f.Socket] == "":
		first, _, _ := strings.Cut(strings.ToLower(ev.Status.Name), " ")
		name := first
		for n := 2; w.taken(name); n++ {
			name = fmt.Sprint(first, n)
		}
		w.names[f.Socket] = name
	case !f.FromClient && ev.Event == "joined_room":
		w.ids[ev.OwnID] = w.names[f.Socket]
	}
}

func (w *transcript) taken(name string) bool {
	for _, other := range w.names {
		if other == name {
			return true
		}
	}
	return false
}

func (w *transcript) add(f recordedFrame) error {
	ev := f.event()
	name := w.names[f.Socket]
	switch {
	case f.FromClient && (f.Opcode == opClose || f.Opcode == broken):
		w.leave(f.Socket)
	case ev.Event == "" || ev.Event == "ping" || ev.Event == "pong" || ev.Event == "hello" || name == "": // depend on the clock, or say nothing
	case f.FromClient:
		w.cause(name, ev, fmt.Sprintf("B> %s %s\n", name, w.shorten(f.Payload)))
	default:
		effect := w.effect(name, ev)
		causes := w.causes[effect]
		if len(causes) == 0 {
			return fmt.Errorf("nothing made the server send %s", effect)
		}
		w.lines[causes[0]] += fmt.Sprintf("    B< %s %s\n", name, w.shorten(f.Payload))
		w.causes[effect] = causes[1:]
	}
	return nil
}

// leave notes the end of a socket.
func (w *transcript) leave(number int) {
	if w.gone == nil {
		w.gone = map[int]bool{}
	}
	if name := w.names[number]; name != "" && !w.gone[number] {
		w.gone[number] = true
		w.cause(name, roomEvent{Event: "leave_room"}, "B> "+name+" closed\n")
	}
}

// cause notes a line and what may follow of it.
func (w *transcript) cause(by string, ev roomEvent, line string) {
	w.lines = append(w.lines, line)
	effects := []string{by + " is told of an error"}
	for _, to := range w.names {
		switch ev.Event {
		case "join_room":
			effects = append(effects, to+" is told that "+by+" came")
		case "leave_room":
			effects = append(effects, to+" is told that "+by+" left")
		case "update_status":
			effects = append(effects, to+" is told what "+by+" says of itself")
		case "send_to_peer":
			if to == w.ids[ev.PeerID] {
				effects = append(effects, to+" is told "+ev.Data.Event+" by "+by)
			}
		}
	}
	for _, e := range effects {
		if strings.HasSuffix(e, " left") || strings.HasSuffix(e, "an error") {
			w.causes[e] = append([]int{len(w.lines) - 1}, w.causes[e]...) // of the last one, if at all
			continue
		}
		w.causes[e] = append(w.causes[e], len(w.lines)-1)
	}
}

func (w *transcript) effect(to string, ev roomEvent) string {
	by := w.ids[ev.SenderID]
	switch ev.Event {
	case "joined_room":
		return to + " is told that " + to + " came"
	case "new_peer":
		return to + " is told that " + w.ids[ev.PeerID] + " came"
	case "peer_left":
		return to + " is told that " + by + " left"
	case "peer_updated_status":
		return to + " is told what " + by + " says of itself"
	case "error":
		return to + " is told of an error"
	}
	return to + " is told " + ev.Event + " by " + by
}

var (
	sdpText   = regexp.MustCompile(`"sdp":"v=0[^"]*"`)
	sdpLines  = regexp.MustCompile(`^(v=|o=|s=|t=|m=|a=group:|a=mid:|a=fingerprint:)`)
	ourFields = regexp.MustCompile(`,"(address|ice_servers|relay_only|expires)":("[^"]*"|\[\]|false|0)`)
)

// shorten puts names for ids and leaves out most of an SDP, and of joined_room what palava does not know.
func (w *transcript) shorten(payload []byte) string {
	text := sdpText.ReplaceAllStringFunc(string(payload), func(field string) string {
		var kept []string
		for _, line := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(field, `"sdp":"`), `"`), `\r\n`) {
			if sdpLines.MatchString(line) {
				kept = append(kept, line+`\r\n`)
			}
		}
		return `"sdp":"` + strings.Join(kept, "") + `"`
	})
	if strings.Contains(text, `"joined_room"`) {
		text = ourFields.ReplaceAllString(text, "")
	}
	for id, name := range w.ids {
		text = strings.ReplaceAll(text, `"`+id+`"`, `"`+name+`"`)
	}
	return text
}
