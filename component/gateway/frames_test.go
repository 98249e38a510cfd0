package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/component/room"
)

// everyFrame has one of each frame.
var everyFrame = []Frame{
	Hello{}, Attached{}, Admitted{}, ICEServers{}, Incoming{}, Ringing{}, Proceeding{}, Offer{}, Answer{}, ICECandidate{}, Warning{},
	Ended{}, Contact{}, Told{}, Link{}, Pong{}, OK{}, &Error{},
	JoinedRoom{}, NewPeer{}, PeerLeft{}, PeerUpdatedStatus{}, Shutdown{}, ProtocolInfo{},
}

func TestEncode(t *testing.T) {
	for _, test := range []struct {
		frame Frame
		want  string
	}{
		{Pong{}, `{"event":"pong"}`},
		{Reply("7", Pong{}), `{"event":"pong","id":7}`},
		{Reply("", OK{}), `{"event":"ok"}`},
		{Reply(`"a\"b"`, Told{To: "a@b"}), `{"event":"told","id":"a\"b","to":"a@b"}`},
		{Reply("1", Reply("2", OK{})), `{"event":"ok","id":1}`},
		{Link{Up: false}, `{"event":"link","up":false}`},
		{Offer{"c", Description{"offer", "v=0\r\n"}}, `{"event":"offer","call":"c","sdp":{"type":"offer","sdp":"v=0\r\n"}}`},
		{ICECandidate{"c", "candidate:1", "a", 0, "u"}, `{"event":"ice_candidate","call":"c","candidate":"candidate:1","sdpmid":"a","sdpmlineindex":0,"ufrag":"u"}`},
		{ICECandidate{"c", "candidate:1", "a", 0, ""}, `{"event":"ice_candidate","call":"c","candidate":"candidate:1","sdpmid":"a","sdpmlineindex":0}`},
		{Admitted{Call: "c", To: "a@b", ICEServers: []ICEServer{{URLs: []string{"turn:x"}, Username: "u", Credential: "p"}}, Expires: 600},
			`{"event":"admitted","call":"c","to":"a@b","ice_servers":[{"urls":["turn:x"],"username":"u","credential":"p"}],"relay_only":false,"expires":600}`},
		{Contact{Address: "a@b", State: ContactAsks}, `{"event":"contact","address":"a@b","state":"asks"}`},
		{Reply(`"x"`, Errorf(NotAllowed, "not %s", "them")), `{"event":"error","id":"x","code":"not_allowed","message":"not allowed","description":"not them"}`},
		{Reply("1", JoinedRoom{OwnID: "me", Peers: RoomPeers([]room.Peer{{ID: "p", Status: room.Status{"name": raw(`"Bo"`), "a": raw("1")}}}), Address: "g@c", ICEServers: []ICEServer{}}),
			`{"event":"joined_room","id":1,"own_id":"me","peers":[{"peer_id":"p","status":{"a":1,"name":"Bo"}}],"address":"g@c","ice_servers":[],"relay_only":false,"expires":0}`},
		{JoinedRoom{OwnID: "me", Peers: RoomPeers(nil), TURNUser: "u", TURNPassword: "p"},
			`{"event":"joined_room","own_id":"me","peers":[],"turn_user":"u","turn_password":"p","address":"","ice_servers":null,"relay_only":false,"expires":0}`},
		{RoomFrame(room.NewPeer{Peer: room.Peer{ID: "p", Status: room.Status{}}}), `{"event":"new_peer","peer_id":"p","status":{}}`},
		{RoomFrame(room.PeerLeft{Peer: "p"}), `{"event":"peer_left","sender_id":"p"}`},
		{RoomFrame(room.Updated{Peer: "p", Status: room.Status{"a": raw("null")}}), `{"event":"peer_updated_status","sender_id":"p","status":{"a":null}}`},
		{RoomFrame(&room.Relayed{From: `p"`, Data: raw(`{"event":"offer","sdp":{"x": 1}}`)}), `{"event":"offer","sdp":{"x": 1},"sender_id":"p\""}`},
		{Shutdown{3}, `{"event":"shutdown","seconds":3}`},
		{ICEServers{Room: true, Expires: 600}, `{"event":"ice_servers","room":true,"ice_servers":null,"expires":600}`},
	} {
		b, err := Encode(test.frame)
		if err != nil || string(b) != test.want {
			t.Errorf("got  %s (%v)\nwant %s", b, err, test.want)
		}
	}
	for _, f := range everyFrame {
		b, err := Encode(Reply("1", f))
		var m map[string]any
		if err != nil || json.Unmarshal(b, &m) != nil || m["event"] != f.Event() || m["id"] != 1.0 {
			t.Errorf("%T: %s (%v)", f, b, err)
		}
	}
	for _, f := range []Frame{(*Error)(nil), Later, &Relayed{}, &Relayed{Data: raw(`{}`)}, &Relayed{Data: raw(`"event"`)}} {
		if b, err := Encode(f); err == nil {
			t.Errorf("%T was encoded to %s", f, b)
		}
	}
}

func TestFrameOf(t *testing.T) {
	peer := jid.MustParse("bo@example.org/phone")
	refused := Errorf(NotNow, "%s", "Not now, 100% sure.")
	refused.Call = "c"
	for _, test := range []struct {
		event call.Event
		want  Frame
	}{
		{call.Incoming{From: peer.Bare(), Media: []string{"audio"}}, Incoming{Call: "c", From: "bo@example.org", Media: []string{"audio"}}},
		{call.Incoming{From: peer.Bare()}, Incoming{Call: "c", From: "bo@example.org", Media: []string{}}},
		{call.RemoteRinging{}, Ringing{"c"}},
		{call.Proceeding{Peer: peer}, Proceeding{"c", "bo@example.org/phone"}},
		{call.RemoteOffer{SDP: "v=0"}, Offer{"c", Description{"offer", "v=0"}}},
		{call.RemoteAnswer{SDP: "v=0"}, Answer{"c", Description{"answer", "v=0"}}},
		{call.RemoteCandidate{Candidate: "candidate:1", Mid: "0", Line: 1, Ufrag: "u"}, ICECandidate{"c", "candidate:1", "0", 1, "u"}},
		{call.RemoteInfo{Info: "hold", Mid: "0"}, SessionInfo{"c", "hold", "0"}},
		{call.Refused{Sentence: "Not now, 100% sure."}, refused},
		{call.Finished{Outcome: call.PeerBusy}, Ended{Call: "c", Reason: "peer-busy", Text: call.PeerBusy.Sentence()}},
		{call.Admitted{}, nil},
		{nil, nil},
	} {
		if got := FrameOf("c", test.event); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%#v: got %#v, want %#v", test.event, got, test.want)
		}
	}
	w, ok := FrameOf("c", call.Warning{Code: call.WarnNoRoute}).(Warning)
	if !ok || w.Code != "no-route" || w.Text == "" {
		t.Errorf("warning: %#v", w)
	}
	for _, o := range call.Outcomes() {
		if e := FrameOf("c", call.Finished{Outcome: o}).(Ended); e.Text == "" || e.Reason != string(o) {
			t.Errorf("outcome %s: %#v", o, e)
		}
	}
}

// Every refusal of a room has its words.
func TestRoomErrors(t *testing.T) {
	for _, why := range room.Reasons() {
		if e := RoomError(why); e.Message == "" || e.Description == "" {
			t.Errorf("%s: %+v", why, e)
		}
	}
	if f := RoomFrame(room.Joined{}); f != nil {
		t.Errorf("joined without ICE servers: %v", f)
	}
}

// TestVector holds the test vector of PROTOCOL.md against SigningInput, AddressSuffix and Go's own ECDSA.
func TestVector(t *testing.T) {
	raw, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	v := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^    ([a-z]+) +(\S.*)$`).FindAllStringSubmatch(string(raw), -1) {
		v[m[1]] = m[2]
	}
	input := SigningInput(v["domain"], v["origin"], v["nonce"], v["name"])
	if got := hex.EncodeToString(input); got != v["input"] || v["input"] == "" {
		t.Errorf("signing input\n%s, in the document\n%s", got, v["input"])
	}
	frame := `{"event":"attach","name":"` + v["name"] + `","key":"` + v["key"] + `","signature":"` + v["signature"] + `","instance":"i"}`
	req, derr := Decode([]byte(frame))
	if derr != nil {
		t.Fatal(derr)
	}
	a := req.Event.(Attach)
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), a.Key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(input)
	if !ecdsa.Verify(pub, sum[:], new(big.Int).SetBytes(a.Signature[:32]), new(big.Int).SetBytes(a.Signature[32:])) {
		t.Error("the signature of the document does not verify")
	}
	name := strings.ToLower(v["name"])
	if got := name + "-" + AddressSuffix(name, a.Key) + "@" + v["domain"]; got != v["address"] {
		t.Errorf("address %s, in the document %s", got, v["address"])
	}
}
