package room

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestDefaults(t *testing.T) {
	if l := (Limits{Members: 3}).WithDefaults(); l != (Limits{3, 16, 4096, 50, 128}) {
		t.Errorf("%+v", l)
	}
}

// What a member was told of others does not change behind its back when they change.
func TestStatusesGivenOutStay(t *testing.T) {
	r := New(Limits{})
	r.Handle(Join{Member: "a", Status: Status{"name": json.RawMessage(`"A"`)}})
	peers := r.Handle(Join{Member: "b"})[0].Event.(Joined).Peers
	r.Handle(Update{"a", Status{"name": nil, "x": json.RawMessage("1")}})
	if want := []Peer{{"a", Status{"name": json.RawMessage(`"A"`)}}}; !reflect.DeepEqual(peers, want) {
		t.Errorf("%v", peers)
	}
	if ev := r.Handle(Join{Member: "c"})[1].Event.(NewPeer); ev.Peer.Status == nil {
		t.Error("a member without a status has none at all, which palava's client cannot take")
	}
}

// An oracle is a room as one would write it down: who is in it, in what order, with what status and password.
type oracle struct {
	password string
	order    []string
	status   map[string]Status
	heard    []string // what members heard since the last input
}

func (o *oracle) tell(to, what string) { o.heard = append(o.heard, to+" "+what) }

func (o *oracle) others(but, what string) {
	for _, m := range o.order {
		if m != but {
			o.tell(m, what)
		}
	}
}

func (o *oracle) handle(in Input) {
	o.heard = nil
	switch in := in.(type) {
	case Join:
		switch {
		case slices.Contains(o.order, in.Member):
			o.tell(in.Member, "refused in_room")
			return
		case len(o.order) > 0 && in.Password != o.password:
			o.tell(in.Member, "refused password_mismatch")
			return
		case len(o.order) == 3:
			o.tell(in.Member, "refused room_full")
			return
		}
		if len(o.order) == 0 {
			o.password = in.Password
		}
		peers := ""
		for _, m := range o.order {
			peers += " " + m + show(o.status[m])
		}
		o.tell(in.Member, "joined"+peers)
		o.others(in.Member, "new "+in.Member+show(in.Status))
		o.order = append(o.order, in.Member)
		o.status[in.Member] = maps.Clone(in.Status)
	case Leave:
		if i := slices.Index(o.order, in.Member); i >= 0 {
			o.order = slices.Delete(o.order, i, i+1)
			o.others("", "left "+in.Member)
		}
	case Update:
		if !slices.Contains(o.order, in.Member) {
			o.tell(in.Member, "refused not_in_room")
			return
		}
		next := maps.Clone(o.status[in.Member])
		for k, v := range in.Status {
			if next[k] = v; string(v) == "null" {
				delete(next, k)
			}
		}
		if len(next) > 2 {
			o.tell(in.Member, "refused status_too_large")
			return
		}
		o.status[in.Member] = next
		o.others(in.Member, "updated "+in.Member+show(in.Status))
	case Relay:
		switch {
		case !slices.Contains(o.order, in.From):
			o.tell(in.From, "refused not_in_room")
		case in.From == string(in.To) || !slices.Contains(o.order, string(in.To)):
			o.tell(in.From, "refused unknown_peer")
		default:
			o.tell(string(in.To), "relayed "+in.From+" "+string(in.Data))
		}
	}
}

func show(s Status) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// render writes what a room wants done as the oracle does.
func render(outputs []Output) (heard []string) {
	for _, to := range outputs {
		what := ""
		switch ev := to.Event.(type) {
		case Joined:
			what = "joined"
			for _, p := range ev.Peers {
				what += " " + p.ID + show(p.Status)
			}
		case NewPeer:
			what = "new " + ev.Peer.ID + show(ev.Peer.Status)
		case PeerLeft:
			what = "left " + ev.Peer
		case Updated:
			what = "updated " + ev.Peer + show(ev.Status)
		case *Relayed:
			what = "relayed " + ev.From + " " + string(ev.Data)
		case Refused:
			what = "refused " + string(ev.Reason)
		}
		heard = append(heard, to.Member+" "+what)
	}
	return heard
}

// TestWalk takes a room through random inputs, legal and not, beside the oracle.
func TestWalk(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		r, o := New(Limits{Members: 3, StatusFields: 2}), &oracle{status: map[string]Status{}}
		for step := range 2000 {
			in := randomInput(random)
			o.handle(in)
			heard := render(r.Handle(in))
			if !slices.Equal(heard, o.heard) {
				t.Fatalf("seed %d step %d: %#v\n got %s\nwant %s", seed, step, in, strings.Join(heard, "\n     "), strings.Join(o.heard, "\n     "))
			}
			if r.Len() == 0 != (len(o.order) == 0) {
				t.Fatalf("seed %d step %d: %#v: empty is %v with %v", seed, step, in, r.Len() == 0, o.order)
			}
		}
	}
}

func randomInput(random *rand.Rand) Input {
	who := func() string { return string("abcde"[random.IntN(5)]) }
	status := Status{}
	for range random.IntN(2) + 1 {
		status[string("xyz"[random.IntN(3)])] = json.RawMessage([]string{"1", `"two"`, "null"}[random.IntN(3)])
	}
	switch random.IntN(6) {
	case 0, 1:
		maps.DeleteFunc(status, func(_ string, v json.RawMessage) bool { return string(v) == "null" })
		return Join{Member: who(), Status: status, Password: []string{"", "", "", "p"}[random.IntN(4)]}
	case 2:
		return Leave{who()}
	case 3:
		return Update{who(), status}
	}
	return Relay{who(), []byte(who()), json.RawMessage(fmt.Sprint(random.IntN(100)))}
}

func BenchmarkRelay(b *testing.B) {
	r := New(Limits{})
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		r.Handle(Join{Member: id})
	}
	data := json.RawMessage(`{"event":"offer"}`)
	b.ReportAllocs()
	for b.Loop() {
		r.Handle(Relay{"a", []byte("f"), data})
	}
}

// Most inputs are messages: they leave no garbage.
func TestRelayLeavesNoGarbage(t *testing.T) {
	r := New(Limits{})
	for _, id := range []string{"a", "b"} {
		r.Handle(Join{Member: id})
	}
	to, data := []byte("b"), json.RawMessage(`{"event":"offer"}`)
	if n := testing.AllocsPerRun(100, func() { r.Handle(Relay{"a", to, data}) }); n > 0 {
		t.Errorf("%v allocations for a message", n)
	}
}
