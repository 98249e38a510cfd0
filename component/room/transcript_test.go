package room

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestTranscripts replays testdata/rooms/*.txt; the format is described in README.md there.  Frames that say nothing to a room, because
// they are refused before they get there, are left to package component, which replays the same files.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/rooms/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { replay(t, f) })
	}
}

// house is all rooms of a transcript, and which member is in which.
type house struct {
	limits Limits
	rooms  map[string]*Room
	in     map[string]string
}

type browserFrame struct {
	Event    string
	RoomID   string `json:"room_id"`
	PeerID   string `json:"peer_id"`
	Status   Status
	Password string
	Data     json.RawMessage
}

func replay(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{rooms: map[string]*Room{}, in: map[string]string{}}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	replayed := 0
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "limits "); ok {
			h.setLimits(rest)
		}
		rest, ok := strings.CutPrefix(line, "B> ")
		if !ok {
			continue
		}
		var want []any
		for _, out := range lines[i+1:] {
			if !strings.HasPrefix(out, "    ") {
				break
			}
			want = append(want, parse(t, strings.TrimPrefix(out, "    B< ")))
		}
		name, frame, _ := strings.Cut(rest, " ")
		if refusedEarlier(want) {
			continue
		}
		replayed++
		if got := h.step(t, name, frame); !reflect.DeepEqual(got, want) {
			t.Fatalf("line %d: %s\n got %v\nwant %v", i+1, line, got, want)
		}
	}
	if len(h.rooms) > 0 || replayed == 0 {
		t.Errorf("%d lines replayed, rooms left: %v", replayed, h.in)
	}
}

func (h *house) setLimits(text string) {
	for key, field := range map[string]*int{"members": &h.limits.Members, "fields": &h.limits.StatusFields, "bytes": &h.limits.StatusBytes} {
		if _, value, ok := strings.Cut(text, key+"="); ok {
			fmt.Sscan(value, field)
		}
	}
}

// parse reads "NAME FRAME" for comparison: of an error only the code.
func parse(t *testing.T, line string) any {
	name, text, _ := strings.Cut(line, " ")
	var f map[string]any
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	delete(f, "message")
	return [2]any{name, f}
}

func refusedEarlier(want []any) bool {
	for _, w := range want {
		f := w.([2]any)[1].(map[string]any)
		if code, ok := f["code"].(string); ok && !slices.Contains(Reasons(), Reason(code)) {
			return true
		}
	}
	return false
}

func (h *house) step(t *testing.T, name, text string) []any {
	f := browserFrame{Event: "leave_room"}
	if text != "closed" {
		f = browserFrame{}
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	at, inside := h.in[name]
	var in Input
	switch f.Event {
	case "join_room":
		if in = (Join{Member: name, Status: f.Status, Password: f.Password}); !inside {
			at = f.RoomID
		}
	case "leave_room":
		in = Leave{name}
	case "update_status":
		in = Update{name, f.Status}
	case "send_to_peer":
		in = Relay{name, []byte(f.PeerID), f.Data}
	default:
		t.Fatalf("what is %s?", f.Event)
	}
	if h.rooms[at] == nil {
		h.rooms[at] = New(h.limits)
	}
	return h.outputs(t, at, in, h.rooms[at].Handle(in))
}

// outputs writes what a room wants done as frames, and keeps account of who is where.
func (h *house) outputs(t *testing.T, at string, in Input, outputs []Output) []any {
	if leave, ok := in.(Leave); ok {
		delete(h.in, leave.Member)
	}
	var got []any
	for _, to := range outputs {
		if _, ok := to.Event.(Joined); ok {
			h.in[to.Member] = at
		}
		b, err := json.Marshal(frameOf(to))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, parse(t, to.Member+" "+string(b)))
	}
	if h.rooms[at].Len() == 0 {
		delete(h.rooms, at)
	}
	return got
}

// frameOf is the frame of an event as palava has it.
func frameOf(to Output) map[string]any {
	switch ev := to.Event.(type) {
	case Joined:
		peers := []any{}
		for _, p := range ev.Peers {
			peers = append(peers, map[string]any{"peer_id": p.ID, "status": p.Status})
		}
		return map[string]any{"event": "joined_room", "own_id": to.Member, "peers": peers}
	case NewPeer:
		return map[string]any{"event": "new_peer", "peer_id": ev.Peer.ID, "status": ev.Peer.Status}
	case PeerLeft:
		return map[string]any{"event": "peer_left", "sender_id": ev.Peer}
	case Updated:
		return map[string]any{"event": "peer_updated_status", "sender_id": ev.Peer, "status": ev.Status}
	case Refused:
		return map[string]any{"event": "error", "code": ev.Reason}
	case *Relayed:
		var f map[string]any
		json.Unmarshal(ev.Data, &f)
		for _, envelope := range []string{"id", "seq", "call"} {
			delete(f, envelope)
		}
		f["sender_id"] = ev.From
		return f
	}
	return nil
}
