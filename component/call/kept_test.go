package call

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"carillon/jingle"
	"carillon/jingle/element"
)

// flood is a call under way whose peer sends actions without end.
type flood struct {
	*replay
	t       *testing.T
	answers map[string]int // by condition, "" for results
	told    []Event        // what the tab heard, which may be kept for a page that is away
}

func newFlood(t *testing.T) *flood {
	f := &flood{newReplay(t), t, map[string]int{}, nil}
	f.play(names + outgoingPaths["active"])
	return f
}

// action gives the call a <jingle/> as its stream would, with blanks around that only a hostile peer writes.
func (f *flood) action(action jingle.Action, contents string, padding int) {
	f.t.Helper()
	text := fmt.Sprintf("<jingle xmlns='urn:xmpp:jingle:1' sid='A1' action='%s'>%s%s</jingle>", action, contents, strings.Repeat(" ", padding))
	j := readAsText(f.t, text)
	for _, o := range f.machine.Handle(f.clock(), PeerRequest{From: f.jid("phone"), To: f.jid("w1"), Jingle: j}) {
		switch o := o.(type) {
		case Answer:
			condition := ""
			if o.Err != nil {
				condition = o.Err.Condition
			}
			f.answers[condition]++
		case ToBrowser:
			f.told = append(f.told, o.Event)
		case Ended:
			f.t.Fatalf("the call ended: %s", o.Outcome)
		}
	}
}

// readAsText reads a stanza whose values share the memory of its text, as those that come over the stream do.
func readAsText(t *testing.T, text string) jingle.Stanza {
	t.Helper()
	n, err := new(element.Reader).Read([]byte(text), nil, element.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	j, refusal := jingle.ReadStanza(n)
	if refusal != nil {
		t.Fatal(refusal)
	}
	return j
}

// goesOn fails where the call does not take what an honest peer says.
func (f *flood) goesOn() {
	f.t.Helper()
	before := f.answers[""]
	f.action(jingle.SessionInfo, "<mute xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>", 0)
	if f.answers[""] != before+1 || f.machine.(*outgoing).state != Active {
		f.t.Error("the call does not go on")
	}
}

func (f *flood) session() *session { return &f.machine.(*outgoing).session }

// trickled is one more candidate of the session's own transport.
func trickled(port int) string {
	return fmt.Sprintf("<content creator='initiator' name='0'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='cV3r' pwd='conversationspwd00000001'>"+
		"<candidate component='1' foundation='1' id='c' ip='192.0.2.3' port='%d' priority='1' protocol='udp' type='host'/></transport></content>", port)
}

func transport(ufrag string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='%s' pwd='pwdpwdpwdpwdpwdpwdpwdpwd'>", ufrag)
	b.WriteString("<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='actpass'>" + strings.Repeat("AB:", 31) + "AB</fingerprint>")
	for i := range n {
		fmt.Fprintf(&b, "<candidate component='1' foundation='1' id='c' ip='192.0.2.3' port='%d' priority='1' protocol='udp' type='host'/>", i+1)
	}
	return b.String() + "</transport>"
}

func video(name, codec string, ufrag string, candidates int) string {
	return "<content creator='responder' name='" + name + "'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'><payload-type id='96' name='VP8' clockrate='90000'>" +
		codec + "</payload-type><rtcp-mux/></description>" + transport(ufrag, candidates) + "</content>"
}

// TestPeerCandidatesAreBounded: candidates of one transport are bounded by sdpconv, those of all by the call.
func TestPeerCandidatesAreBounded(t *testing.T) {
	f := newFlood(t)
	for n := range 40 {
		f.action(jingle.ContentAdd, video(fmt.Sprint("v", n), "", fmt.Sprint("uuuu", n), 100), 0)
	}
	s, kept := f.session(), 0
	for _, c := range s.agreed.Of[jingle.Responder].Contents {
		kept += len(c.ICE.Candidates)
	}
	for _, a := range s.queue {
		for _, c := range a.Contents {
			kept += len(c.ICE.Candidates)
		}
	}
	if kept < 100 || kept > maxPeerCandidates {
		t.Errorf("%d candidates are kept", kept)
	}
	f.goesOn()
}

// TestPeerBytesAreBounded: a peer that adds large contents is refused when the call keeps too much, and the call goes on.
func TestPeerBytesAreBounded(t *testing.T) {
	f := newFlood(t)
	parameter := "<parameter name='x' value='" + strings.Repeat("y", 4000) + "'/>"
	for n := range 20 {
		f.action(jingle.ContentAdd, video(fmt.Sprint("v", n), strings.Repeat(parameter, 60), fmt.Sprint("uuuu", n), 1), 0)
	}
	if f.answers[""] == 0 || f.answers[jingle.ErrTooMuch.Condition] == 0 {
		t.Errorf("answered %v", f.answers)
	}
	if size := f.session().size(); size > maxKept {
		t.Errorf("%d bytes are kept", size)
	}
	// What is refused to be kept of candidates is not refused to the peer: Conversations would end the call.
	refused := f.answers[jingle.ErrTooMuch.Condition]
	f.action(jingle.TransportInfo, trickled(1), 0)
	if f.answers[jingle.ErrTooMuch.Condition] != refused {
		t.Error("a transport-info was refused")
	}
	f.goesOn()
}

// TestReplacedBytesAreFreed: what a peer replaces makes room, however often it does.
func TestReplacedBytesAreFreed(t *testing.T) {
	f := newFlood(t)
	codec := "<payload-type id='111' name='opus' clockrate='48000' channels='2'><parameter name='x' value='" + strings.Repeat("y", 200_000) + "'/></payload-type>"
	for range 50 {
		f.action(jingle.DescriptionInfo, "<content creator='initiator' name='0'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"+codec+"</description></content>", 0)
		f.step("B> w1 answer @page/calling/answer.same.sdp")
	}
	if f.answers[""] != 50 {
		t.Errorf("answered %v", f.answers)
	}
	f.goesOn()
}

// TestStanzasAreNotPinned: of a large stanza no more is kept than what it says, neither by the call nor by what the tab is told.
func TestStanzasAreNotPinned(t *testing.T) {
	const stanzas, padding = 100, 400 << 10
	memory := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	f := newFlood(t)
	initiate, err := os.ReadFile("../../testdata/calls/conversations-2.19/session-initiate.xml")
	if err != nil {
		t.Fatal(err)
	}
	var calls []any
	for name, send := range map[string]func(n int){
		"candidate": func(n int) { f.action(jingle.TransportInfo, trickled(n+1), padding) },
		"mute":      func(int) { f.action(jingle.SessionInfo, "<mute xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>", padding) },
		"call": func(n int) {
			j := readAsText(t, strings.Replace(string(initiate), "</jingle>", strings.Repeat(" ", padding)+"</jingle>", 1))
			m, out := NewDirect(Config{NewID: func() string { return "id" }}, PeerRequest{From: f.jid("phone"), To: f.jid("w1"), Jingle: j})
			calls = append(calls, m)
			for _, o := range out {
				if o, ok := o.(ToBrowser); ok {
					calls = append(calls, o)
				}
			}
			if len(calls) < 2*n+2 || stateOf(m) != Ringing {
				t.Fatalf("the call is %v and the tab was told %v", stateOf(m), calls)
			}
		},
	} {
		before, told := memory(), len(f.told)
		for n := range stanzas {
			send(n)
		}
		if name != "call" && len(f.told)-told != stanzas {
			t.Errorf("the tab was told %d times of a %s", len(f.told)-told, name)
		}
		if grown := memory() - before; grown > stanzas*padding/10 {
			t.Errorf("%d bytes are kept of %d times a %s", grown, stanzas, name)
		}
	}
	runtime.KeepAlive(f)
	runtime.KeepAlive(calls)
}
