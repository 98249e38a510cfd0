package call

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle"
	"carillon/jingle/element"
)

// TestReplay records the inputs of every transcript and takes them through the engine again: the call does the same.  With addresses masked it
// does the same but for them, and none of them is left.
func TestReplay(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(transcripts, "*.txt"))
	if len(files) < 100 {
		t.Fatalf("%d transcripts", len(files))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r := newReplay(t)
		for _, line := range strings.Split(string(text), "\n") {
			if r.line++; !isOutput(line) {
				r.step(line)
			}
		}
		name := filepath.Base(f)
		if slices.ContainsFunc(r.taken, emptied) {
			continue
		}
		if got := replayed(t, r.taken, nil); strings.Join(got, "\n") != strings.Join(r.did, "\n") {
			t.Errorf("%s went differently:\n%s", name, difference(strings.Join(r.did, "\n"), strings.Join(got, "\n")))
		}
		var mask Mask
		got := replayed(t, r.taken, &mask)
		if a, b := shape(got), shape(r.did); a != b {
			t.Errorf("%s, masked, went differently:\n%s", name, difference(b, a))
		}
		for _, word := range []string{"example.org", "198.51.100.7", "xmpp.test", "fd00::", "anna", "password"} {
			if masked := strings.Join(got, "\n"); strings.Contains(masked, word) {
				t.Errorf("%s, masked, still says %s:\n%s", name, word, masked)
			}
		}
	}
}

// emptied tells whether a transcript has put a request to the call that no parser lets through.
func emptied(line string) bool {
	_, _, err := ParseRecord([]byte(line))
	return errors.Is(err, jingle.ErrBadRequest)
}

// replayed returns the outputs of recorded inputs.
func replayed(t *testing.T, records []string, mask *Mask) []string {
	t.Helper()
	var r Replay
	var did []string
	for _, line := range records {
		at, in, err := ParseRecord([]byte(line))
		if err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		if mask != nil {
			if at, in, err = ParseRecord(Record(at, mask.Input(in))); err != nil {
				t.Fatalf("masked: %v\n%s", err, line)
			}
		}
		lines, err := r.Step(at, in)
		if err != nil {
			t.Fatal(err)
		}
		did = append(did, lines[1:]...)
	}
	return did
}

// shape leaves of outputs what masking does not change.
func shape(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		f := strings.Fields(line)
		switch {
		case f[0] == "B<":
			b.WriteString(f[0] + " " + f[2])
		case f[0] == "X<" && len(f) > 4:
			b.WriteString(f[0] + " " + f[3] + " " + f[4])
		default:
			b.WriteString(line)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestRecord writes and reads one of each input.
func TestRecord(t *testing.T) {
	tab, peer := jid.MustParse("anna@call.example.org/w1"), jid.MustParse("bob@example.org/phone")
	failed := jingle.Error{Type: "cancel", Condition: "item-not-found", Jingle: "unknown-session", Text: "no <such> thing"}
	disco := jingle.Disco{Node: "https://dino.im", Identities: []jingle.Identity{{Category: "client", Type: "pc", Name: "Dino"}}, Features: []string{jingle.NS}}
	info := jingle.Stanza{Action: jingle.SessionInfo, SID: "A1", Info: []*element.Element{jingle.Info{Kind: jingle.InfoMute, Name: "0"}.Element()}}
	inputs := []Input{
		BrowserOffer{tab, "v=0\r\n"}, BrowserAnswer{tab, "v=0\r\n"}, BrowserCandidate{tab, "candidate:1", "0", -1, "uf"}, BrowserAccept{tab}, BrowserCross{tab}, BrowserDecline{tab},
		BrowserHangUp{tab}, BrowserMedia{tab, MediaFailed}, BrowserInfo{tab, jingle.InfoMute, "0"}, BrowserLost{tab}, BrowserBack{tab}, BrowserGone{tab},
		PeerMessage{peer, tab, jingle.Message{Kind: jingle.Propose, ID: "A1", Media: []string{"audio", "video"}}},
		PeerMessage{peer, tab, jingle.Message{Kind: jingle.Reject, ID: "A1", Reason: &jingle.Reason{Condition: jingle.Expired}, TieBreak: true}},
		PeerBounce{peer, "jm-propose-A1", failed}, PeerRequest{peer, tab, "q", info}, PeerReply{Tag: 3, From: peer}, PeerReply{Tag: 4, Err: &failed},
		PeerReply{Tag: 5, From: peer, Disco: disco}, PeerUnavailable{peer}, TieLost{"A1"}, Shutdown{}, Shutdown{Failed},
		Opening{Kind: KindOutgoing, SID: "A1", Tab: tab, Peer: peer, Known: []Resource{{peer, 5, disco}}, TURN: true, Durations: Durations{Ring: time.Second}},
		Opening{Kind: KindIncoming, Tabs: []jid.JID{tab}, First: PeerMessage{peer, tab, jingle.Message{Kind: jingle.Propose, ID: "A1", Media: []string{"audio"}}}},
		Opening{Kind: KindDirect, First: PeerRequest{peer, tab, "q", info}}, Opening{Kind: KindLocal, Tab: tab, Peer: peer, Tabs: []jid.JID{tab}},
	}
	for _, senders := range []jingle.Senders{jingle.SendersBoth, jingle.SendersNone, jingle.SendersResponder} {
		c := jingle.Content{Creator: jingle.Responder, Name: "0", Senders: senders, ICE: &jingle.Transport{Ufrag: "u", Pwd: "p"}}
		for _, action := range []jingle.Action{jingle.SessionAccept, jingle.ContentModify} {
			in := PeerRequest{peer, tab, "q", jingle.Stanza{Action: action, SID: "A1", Contents: []jingle.Content{c}}}
			_, got, err := ParseRecord(Record(time.Time{}, in))
			if r, ok := got.(PeerRequest); err != nil || !ok || r.Jingle.Contents[0].Senders != senders || r.Jingle.Contents[0].Creator != jingle.Responder {
				t.Errorf("%s %s is read as %+v, %v", action, senders, got, err)
			}
		}
	}
	for timer := noTimer; timer < timerCount; timer++ {
		inputs = append(inputs, Timeout{timer})
	}
	now := time.Unix(1234567, 89).UTC()
	for _, in := range inputs {
		line := Record(now, in)
		at, got, err := ParseRecord(line)
		if err != nil || !at.Equal(now) || fmt.Sprintf("%T", got) != fmt.Sprintf("%T", in) {
			t.Errorf("%T: %v, %T, %v\n%s", in, at, got, err, line)
			continue
		}
		if again := Record(now, got); string(again) != string(line) {
			t.Errorf("%s\nbecame\n%s", line, again)
		}
		if _, isRequest := in.(PeerRequest); !isRequest && fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", in) && !pointers(in) {
			t.Errorf("%+v\nbecame\n%+v", in, got)
		}
		if strings.Contains(string(line), "\n") {
			t.Errorf("%T takes more than one line", in)
		}
	}
}

// pointers tells whether %+v shows addresses of memory.
func pointers(in Input) bool {
	switch in := in.(type) {
	case PeerReply:
		return in.Err != nil
	case PeerMessage:
		return in.Message.Reason != nil
	case Opening:
		return in.First != nil
	}
	return false
}

func TestParseRecordRefuses(t *testing.T) {
	for _, line := range []string{
		"", "{", "null", "{}", `{"input":"dance"}`, `{"input":"offer","tab":"@"}`, `{"input":"message","xml":"<a/>"}`, `{"input":"request","xml":"<"}`,
		`{"input":"request","xml":"<jingle xmlns='urn:xmpp:jingle:1'/>"}`, `{"input":"bounce"}`, `{"input":"timeout","state":"never"}`, `{"input":"incoming","first":{"input":"x"}}`,
		`{"input":"incoming","first":{"input":"incoming","first":{"input":"accept"}}}`,
	} {
		if _, in, err := ParseRecord([]byte(line)); err == nil {
			t.Errorf("%s is read as %T", line, in)
		}
	}
	var r Replay
	if _, err := r.Step(time.Time{}, Shutdown{}); err == nil {
		t.Error("an input before the call began is taken")
	}
	if _, err := r.Step(time.Time{}, Opening{Kind: KindIncoming, First: Shutdown{}}); err == nil {
		t.Error("an incoming call without its propose is taken")
	}
}

// FuzzRecord: no line panics, nor does the engine on what it says; what is read is written the same.
func FuzzRecord(f *testing.F) {
	f.Add(`{"input":"outgoing","id":"A1","tab":"a@b/c","to":"d@e"}`, `{"input":"offer","tab":"a@b/c","sdp":"v=0"}`)
	f.Add(`{"input":"direct","first":{"input":"request","from":"d@e/f","to":"a@b/c","xml":"<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='x'/>"}}`, `{"input":"info","state":"mute"}`)
	f.Fuzz(func(t *testing.T, first, second string) {
		var r Replay
		var m Mask
		for _, line := range []string{first, second} {
			at, in, err := ParseRecord([]byte(line))
			if err != nil {
				return
			}
			r.Step(at, in)
			m.Input(in)
			if _, _, err := ParseRecord(Record(at, in)); err != nil && at.Year() < 9999 && at.Year() > 0 {
				t.Errorf("%s is written as %s: %v", line, Record(at, in), err)
			}
		}
	})
}

// TestMaskSecrets: keys and addresses in places that no transcript has.
func TestMaskSecrets(t *testing.T) {
	var m Mask
	sdp := m.sdp("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\nk=clear:secret\r\na=identity:secret\r\na=remote-candidates:1 192.168.7.7 9\r\n" +
		"a=source-filter: incl IN IP4 * 192.168.7.7\r\na=candidate:1 1  udp 1 192.168.7.7 9 typ srflx raddr  192.168.7.7 rport 9\r\na=mid:0\r\n")
	e := element.New("urn:x", "x").WithText("secret")
	stanza := m.stanza(jingle.Stanza{Muji: &jingle.Muji{Room: "secret@192.168.7.7"}, Contents: []jingle.Content{{RTP: &jingle.RTP{
		Encryption: &jingle.Encryption{Crypto: []jingle.Crypto{{Tag: "1", Suite: "s", KeyParams: "inline:secret"}}}, Other: []*element.Element{e},
	}}}})
	xml := string(verbatim.AppendTo(nil, "", stanza, jingle.Initiator)) + fmt.Sprintf("%+v %+v", stanza.Muji, stanza.Contents[0].RTP.Encryption)
	for _, said := range []string{sdp, xml} {
		if strings.Contains(said, "secret") || strings.Contains(said, "192.168.7.7") {
			t.Errorf("masked, it still says %s", said)
		}
	}
	if !strings.Contains(sdp, "a=mid:0\r\n") {
		t.Errorf("too much is masked: %s", sdp)
	}
}
