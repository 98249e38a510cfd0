package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"carillon/component/call"
	"carillon/component/room"
)

var (
	key64 = base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{4}, 65))
	sig64 = base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{5}, 64)) // padded, as some encoders do
)

// goodFrames has each event at least once.
var goodFrames = []struct {
	frame string
	want  Request
}{
	{`{"event":"attach","id":1,"name":"Anna","key":"` + key64 + `","signature":"` + sig64 + `","instance":"i","resume":"r",
		"contacts":[{"address":"bo@example.org","ticket":"t","x":1}],"unknown":{"a":[1]}}`,
		Request{"1", Attach{Name: "Anna", Key: bytes.Repeat([]byte{4}, 65), Signature: bytes.Repeat([]byte{5}, 64),
			Instance: "i", Resume: "r", Contacts: []Ticket{{"bo@example.org", "t"}}}}},
	{`{"event":"attach","name":"Anna","key":"` + key64 + `","signature":"` + sig64 + `","instance":"i","resume":null,"contacts":null}`,
		Request{"", Attach{Name: "Anna", Key: bytes.Repeat([]byte{4}, 65), Signature: bytes.Repeat([]byte{5}, 64), Instance: "i"}}},
	{`{"event":"dial","to":"bo@example.org","id":"a\"b"}`, Request{`"a\"b"`, Dial{"bo@example.org"}}},
	{`{"event":"offer","call":"c","sdp":{"type":"offer","sdp":"v=0\r\n"}}`, Request{"", Offer{"c", Description{"offer", "v=0\r\n"}}}},
	{`{"event":"answer","call":"c","sdp":{"type":"answer","sdp":"v=0\r\n"},"id":-1.5e3}`, Request{"-1.5e3", Answer{"c", Description{"answer", "v=0\r\n"}}}},
	{`{"event":"ice_candidate","call":"c","candidate":"candidate:1","sdpmid":"0","sdpmlineindex":2}`, Request{"", ICECandidate{"c", "candidate:1", "0", 2, ""}}},
	{`{"event":"ice_candidate","call":"c","candidate":"candidate:1","sdpmid":"0","sdpmlineindex":2,"ufrag":"u"}`, Request{"", ICECandidate{"c", "candidate:1", "0", 2, "u"}}},
	{`{"event":"ice_candidate","call":"c","candidate":"","sdpmid":null,"sdpmlineindex":null}`, Request{"", ICECandidate{"c", "", "", -1, ""}}},
	{`{"event":"accept","call":"c","id":null}`, Request{"", Accept{"c"}}},
	{`{"event":"decline","call":"c"}`, Request{"", Decline{"c"}}},
	{`{"event":"hang_up","call":"c"}`, Request{"", HangUp{"c"}}},
	{`{"event":"media","call":"c","state":"connected"}`, Request{"", Media{"c", call.MediaConnected}}},
	{`{"event":"media","call":"c","state":"connecting"}`, Request{"", Media{"c", "connecting"}}},
	{`{"event":"tell","to":"bo@example.org"}`, Request{"", Tell{"bo@example.org"}}},
	{`{"event":"approve","address":"bo@example.org"}`, Request{"", Approve{"bo@example.org"}}},
	{`{"event":"refuse","address":"bo@example.org"}`, Request{"", Refuse{"bo@example.org"}}},
	{`{"event":"forget","address":"bo@example.org"}`, Request{"", Forget{"bo@example.org"}}},
	{`{"event":"session_info","call":"c","info":"mute","mid":"0"}`, Request{"", SessionInfo{"c", "mute", "0"}}},
	{`{"event":"session_info","call":"c","info":"active"}`, Request{"", SessionInfo{"c", "active", ""}}},
	{`{"event":"text","to":"bo@example.org","body":"hi","message":"m1"}`, Request{"", Text{To: "bo@example.org", Body: "hi", Message: "m1"}}},
	{`{"event":"text","to":"bo@example.org","body":"hi\nyou"}`, Request{"", Text{To: "bo@example.org", Body: "hi\nyou"}}},
	{` {"event":"ping"} `, Request{"", Ping{}}},
	{"{\n\t\"event\" : \"p\\u0069ng\" ,\r\n\"id\" : 0 }", Request{"0", Ping{}}},
	{`{"event":"dial","to":"x@y","to":"\ud83d\ude00\ud800\u00e4\/\b\f@b"}`, Request{"", Dial{"😀\uFFFDä/\b\f@b"}}},
	{`{"event":"join_room","room_id":"r"}`, Request{"", JoinRoom{RoomID: "r", Status: room.Status{}}}},
	{`{"event":"join_room","id":1,"room_id":"","status":null,"password":null,"renew":null}`, Request{"1", JoinRoom{Status: room.Status{}}}},
	{`{"event":"join_room","room_id":"r","status":{"name":"\u0041","x":{"y":[1, 2]}},"password":"p","renew":true}`,
		Request{"", JoinRoom{"r", room.Status{"name": raw(`"\u0041"`), "x": raw(`{"y":[1, 2]}`)}, "p", true}}},
	{`{"event":"leave_room"}`, Request{"", LeaveRoom{}}},
	{`{"event":"update_status","status":{"a":null,"a":1,"\u0062":2}}`, Request{"", UpdateStatus{room.Status{"a": raw("1"), "b": raw("2")}}}},
	{`{"event":"send_to_peer","peer_id":"p","data":{"sdp":{"type":"offer", "sdp":"v=0\r\n"},"event":"offer","sender_id":"x"}}`,
		Request{"", &SendToPeer{raw("p"), raw(`{"event":"offer","sdp":{"type":"offer", "sdp":"v=0\r\n"}}`)}}},
	{`{"event":"send_to_peer","peer_id":"p","data":{ "event" : "message" , "\u0064ata" : [ {"event":"x"} ] , "id":1,"call":2,"seq":3}}`,
		Request{"", &SendToPeer{raw("p"), raw(`{"event":"message","\u0064ata":[ {"event":"x"} ]}`)}}},
	{`{"event":"info","id":"i"}`, Request{`"i"`, Info{}}},
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func TestDecode(t *testing.T) {
	seen := map[string]bool{}
	for _, test := range goodFrames {
		got, err := Decode([]byte(test.frame))
		if err != nil {
			t.Errorf("%s: %v", test.frame, err)
		} else if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n got %#v\nwant %#v", test.frame, got, test.want)
		}
		var e struct{ Event string }
		json.Unmarshal([]byte(test.frame), &e)
		seen[e.Event] = true
	}
	for event := range decoders {
		if !seen[event] {
			t.Errorf("event %s has no good frame", event)
		}
	}
}

// badFrames are malformed in one way each; the description has to name what is wrong.
var badFrames = []struct {
	name, frame string
	code        Code
	says        string
	id          ID
}{
	{"empty", ``, BadJSON, "JSON object", ""},
	{"not JSON", `hello`, BadJSON, "JSON object", ""},
	{"cut short", `{"event":"ping"`, BadJSON, "JSON object", ""},
	{"two objects", `{"event":"ping"}{"event":"ping"}`, BadJSON, "JSON object", ""},
	{"array", `[1]`, BadJSON, "JSON object", ""},
	{"null", `null`, BadJSON, "JSON object", ""},
	{"string", `"ping"`, BadJSON, "JSON object", ""},
	{"not UTF-8", "{\"event\":\"dial\",\"to\":\"\xff\"}", BadJSON, "UTF-8", ""},
	{"deep", strings.Repeat(`{"a":`, 9) + `1` + strings.Repeat(`}`, 9), TooDeep, "8 deep", ""},
	{"very deep", strings.Repeat(`[`, 60_000), TooDeep, "8 deep", ""},
	{"control character", "{\"event\":\"pi\tng\"}", BadJSON, "JSON object", ""},
	{"bad escape", `{"event":"pi\ng\x"}`, BadJSON, "JSON object", ""},
	{"bad hexadecimal", `{"event":"\u00g0"}`, BadJSON, "JSON object", ""},
	{"field without value", `{"event"}`, BadJSON, "JSON object", ""},
	{"field without quotes", `{event:"ping"}`, BadJSON, "JSON object", ""},
	{"comma at the end", `{"event":"ping",}`, BadJSON, "JSON object", ""},
	{"array cut short", `{"event":"ping","x":[1,]}`, BadJSON, "JSON object", ""},
	{"number with a zero in front", `{"event":"ping","id":01}`, BadJSON, "JSON object", ""},
	{"number without digits", `{"event":"ping","id":-}`, BadJSON, "JSON object", ""},
	{"word", `{"event":"ping","x":nil}`, BadJSON, "JSON object", ""},
	{"many fields", `{"event":"ping"` + strings.Repeat(`,"x":1`, 64) + `}`, TooLong, "64 fields", ""},
	{"many fields inside", `{"event":"ping","x":{"y":0` + strings.Repeat(`,"y":1`, 64) + `}}`, TooLong, "64 fields", ""},
	{"no room", `{"event":"join_room","id":1}`, NoRoomID, "join_room.room_id is missing", "1"},
	{"room is a number", `{"event":"join_room","room_id":1}`, WrongType, "join_room.room_id has to be a string", ""},
	{"status is a string", `{"event":"join_room","room_id":"r","status":"x"}`, WrongType, "join_room.status has to be an object", ""},
	{"renew is a string", `{"event":"join_room","room_id":"r","renew":"true"}`, WrongType, "join_room.renew has to be true or false", ""},
	{"long password", `{"event":"join_room","room_id":"r","password":"` + strings.Repeat("x", 1025) + `"}`, TooLong, "join_room.password has at most 1024", ""},
	{"no status", `{"event":"update_status"}`, MissingField, "update_status.status is missing", ""},
	{"status is an array", `{"event":"update_status","status":[]}`, WrongType, "update_status.status has to be an object", ""},
	{"no peer", `{"event":"send_to_peer","data":{"event":"offer"}}`, MissingField, "send_to_peer.peer_id is missing", ""},
	{"no data", `{"event":"send_to_peer","peer_id":"p"}`, MissingField, "send_to_peer.data is missing", ""},
	{"data is a string", `{"event":"send_to_peer","peer_id":"p","data":"{}"}`, RawData, "send_to_peer.data has to be an object", ""},
	{"data without event", `{"event":"send_to_peer","peer_id":"p","data":{"sdp":1}}`, EventNotAllowed, "send_to_peer.data.event has to be offer", ""},
	{"data with another event", `{"event":"send_to_peer","peer_id":"p","data":{"event":"peer_left"}}`, EventNotAllowed, "send_to_peer.data.event has to be offer", ""},
	{"event hidden in data", `{"event":"send_to_peer","peer_id":"p","data":{"event":"offer","\u0065vent":"peer_left"}}`, EventNotAllowed, "has to be offer", ""},
	{"no event", `{"id":7}`, NoEvent, `"event"`, "7"},
	{"empty event", `{"event":"","id":"x"}`, NoEvent, `"event"`, `"x"`},
	{"event is a number", `{"event":1,"id":"x"}`, WrongType, "event has to be a string", `"x"`},
	{"unknown event", `{"event":"reboot","id":"x"}`, UnknownEvent, `"reboot"`, `"x"`},
	{"long event", `{"event":"` + strings.Repeat("x", 65) + `"}`, TooLong, "event has at most 64", ""},
	{"event in capitals", `{"event":"PING"}`, UnknownEvent, `"PING"`, ""},
	{"field name in capitals", `{"event":"dial","TO":"a@b"}`, MissingField, "dial.to is missing", ""},
	{"id is an object", `{"event":"ping","id":{}}`, BadID, "string or a number", ""},
	{"id is true", `{"event":"ping","id":true}`, BadID, "string or a number", ""},
	{"long id", `{"event":"ping","id":"` + strings.Repeat("x", 63) + `"}`, BadID, "64 bytes", ""},
	{"missing field", `{"event":"dial","id":2}`, MissingField, "dial.to is missing", "2"},
	{"null field", `{"event":"dial","to":null}`, MissingField, "dial.to is missing", ""},
	{"empty field", `{"event":"dial","to":""}`, MissingField, "dial.to is empty", ""},
	{"wrong type", `{"event":"dial","to":5,"id":3}`, WrongType, "dial.to has to be a string", "3"},
	{"long address", `{"event":"dial","to":"` + strings.Repeat("x", 3072) + `"}`, TooLong, "dial.to has at most 3071", ""},
	{"no call", `{"event":"hang_up"}`, MissingField, "hang_up.call is missing", ""},
	{"sdp is a string", `{"event":"offer","call":"c","sdp":"v=0"}`, WrongType, "offer.sdp has to be an object", ""},
	{"sdp is missing", `{"event":"offer","call":"c"}`, MissingField, "offer.sdp is missing", ""},
	{"sdp without type", `{"event":"offer","call":"c","sdp":{"sdp":"v=0"}}`, MissingField, "offer.sdp.type is missing", ""},
	{"sdp without sdp", `{"event":"answer","call":"c","sdp":{"type":"answer"}}`, MissingField, "answer.sdp.sdp is missing", ""},
	{"sdp of the other type", `{"event":"answer","call":"c","sdp":{"type":"offer","sdp":"v=0"}}`, BadValue, `answer.sdp.type has to be "answer"`, ""},
	{"no candidate", `{"event":"ice_candidate","call":"c"}`, MissingField, "ice_candidate.candidate is missing", ""},
	{"long candidate", `{"event":"ice_candidate","call":"c","candidate":"` + strings.Repeat("x", 1025) + `"}`, TooLong, "candidate has at most", ""},
	{"line is a string", `{"event":"ice_candidate","call":"c","candidate":"","sdpmlineindex":"0"}`, WrongType, "sdpmlineindex has to be a number", ""},
	{"line is a fraction", `{"event":"ice_candidate","call":"c","candidate":"","sdpmlineindex":0.5}`, BadValue, "whole number", ""},
	{"line is negative", `{"event":"ice_candidate","call":"c","candidate":"","sdpmlineindex":-1}`, BadValue, "whole number", ""},
	{"line is huge", `{"event":"ice_candidate","call":"c","candidate":"","sdpmlineindex":1e300}`, BadValue, "whole number", ""},
	{"line is beyond all", `{"event":"ice_candidate","call":"c","candidate":"","sdpmlineindex":1e999}`, WrongType, "has to be a number", ""},
	{"unknown info", `{"event":"session_info","call":"c","info":"ringing"}`, BadValue, "mute, unmute, hold, unhold or active", ""},
	{"unknown state", `{"event":"media","call":"c","state":"great"}`, BadValue, "connectionState", ""},
	{"short key", `{"event":"attach","name":"a","key":"AAAA","signature":"` + sig64 + `","instance":"i"}`, BadValue, "attach.key has to be 65 bytes", ""},
	{"key is no base64url", `{"event":"attach","name":"a","key":"++++","signature":"` + sig64 + `","instance":"i"}`, BadValue, "base64url", ""},
	{"no signature", `{"event":"attach","name":"a","key":"` + key64 + `","instance":"i"}`, MissingField, "attach.signature is missing", ""},
	{"contacts is an object", `{"event":"attach","name":"a","key":"` + key64 + `","signature":"` + sig64 + `","instance":"i","contacts":{}}`, WrongType, "attach.contacts has to be an array", ""},
	{"contact is a string", `{"event":"attach","name":"a","key":"` + key64 + `","signature":"` + sig64 + `","instance":"i","contacts":["x"]}`, WrongType, "attach.contacts[] has to be an object", ""},
	{"contact without ticket", `{"event":"attach","name":"a","key":"` + key64 + `","signature":"` + sig64 + `","instance":"i","contacts":[{"address":"a@b"}]}`, MissingField, "attach.contacts[].ticket is missing", ""},
	{"too many contacts", `{"event":"attach","name":"a","key":"` + key64 + `","signature":"` + sig64 + `","instance":"i","contacts":[` + strings.Repeat(`{"address":"a@b","ticket":"t"},`, 300) + `{}]}`, TooLong, "attach.contacts has at most 300", ""},
}

func TestDecodeMalformed(t *testing.T) {
	for _, test := range badFrames {
		t.Run(test.name, func(t *testing.T) {
			got, err := Decode([]byte(test.frame))
			if err == nil {
				t.Fatalf("decoded to %#v", got)
			}
			if err.Code != test.code || !strings.Contains(err.Description, test.says) || err.Message == "" {
				t.Errorf("got %s %q %q, want %s ...%s", err.Code, err.Message, err.Description, test.code, test.says)
			}
			if got.ID != test.id || got.Event != nil {
				t.Errorf("request %#v, want id %q and no event", got, test.id)
			}
		})
	}
}

// Anybody may send an attach, so what it brings must cost little before the signature is looked at.
func TestContactsAreReadInOnePass(t *testing.T) {
	frame := manyContacts()
	req, err := Decode(frame)
	if err != nil || len(req.Event.(Attach).Contacts) != maxContacts {
		t.Fatalf("%+v, %v", req, err)
	}
	perContact := testing.AllocsPerRun(10, func() { Decode(frame) }) / maxContacts
	if perContact > 2.2 { // its two strings
		t.Errorf("%.1f allocations for each contact", perContact)
	}
}

// FuzzDecode: every frame is either refused with a catalogued error or becomes an event, its id can be echoed, and what is relayed stays
// JSON that cannot pass for another's.  Encoding/json has to agree on what JSON is.
func FuzzDecode(f *testing.F) {
	for _, test := range goodFrames {
		f.Add([]byte(test.frame))
	}
	for _, test := range badFrames {
		if len(test.frame) < 1000 {
			f.Add([]byte(test.frame))
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		req, err := Decode(frame)
		if (err == nil) == (req.Event == nil) {
			t.Fatalf("event %#v with error %v", req.Event, err)
		}
		var answer Frame = OK{}
		if err != nil {
			if messages[err.Code] == "" {
				t.Fatalf("error without a catalogued code: %#v", err)
			}
			answer = err
		}
		b, encodeErr := Encode(Reply(req.ID, answer))
		if encodeErr != nil || !json.Valid(b) || len(req.ID) > MaxID {
			t.Fatalf("answer %q: %v", b, encodeErr)
		}
		fuzzScanner(t, frame)
		if to, ok := req.Event.(*SendToPeer); ok {
			checkRelayed(t, to)
		}
	})
}

// fuzzScanner holds the scanner against encoding/json: what is a good object, and what its fields are.
func fuzzScanner(t *testing.T, frame []byte) {
	var s scanner
	err := s.scan(frame)
	var want map[string]json.RawMessage
	good := json.Unmarshal(frame, &want) == nil && want != nil && utf8.Valid(frame)
	if err == nil && !good || err != nil && err.Code == BadJSON && good {
		t.Fatalf("encoding/json: %v, the scanner: %v", good, err)
	}
	if err != nil {
		return
	}
	f := fields{s: &s, owner: frameItself}
	for name, value := range want {
		if got := f.lookup(name); string(value) != "null" && !bytes.Equal(got, value) {
			t.Fatalf("field %q is %s, not %s", name, got, value)
		}
		var text string
		if value[0] == '"' && (json.Unmarshal(value, &text) != nil || string(unquote(value)) != text) {
			t.Fatalf("%s is %q, not %q", value, unquote(value), text)
		}
	}
}

func checkRelayed(t *testing.T, to *SendToPeer) {
	b, err := Encode(&Relayed{"me", to.Data})
	var got map[string]json.RawMessage
	if err != nil || json.Unmarshal(b, &got) != nil || string(got["sender_id"]) != `"me"` || bytes.Count(b, []byte(`"sender_id":"me"`)) < 1 {
		t.Fatalf("relayed as %s (%v)", b, err)
	}
	for name := range got {
		if envelope(name) && name != "event" && name != "sender_id" {
			t.Fatalf("relayed with %s: %s", name, b)
		}
	}
	if !relayed((&Relayed{"", to.Data}).Event()) {
		t.Fatalf("relayed event: %s", b)
	}
}

// TestProtocolDocument holds PROTOCOL.md against the code: each event, error code, field and warning is in it.
func TestProtocolDocument(t *testing.T) {
	raw, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(raw)
	want := slices.Collect(maps.Keys(decoders))
	for code := range messages {
		want = append(want, string(code))
	}
	for code := range warnings {
		want = append(want, string(code))
	}
	for _, o := range call.Outcomes() {
		want = append(want, string(o))
	}
	for _, f := range everyFrame {
		want = append(want, f.Event())
		typ := reflect.TypeOf(f)
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			want = append(want, name)
		}
	}
	for _, word := range want {
		if !strings.Contains(doc, "`"+word+"`") {
			t.Errorf("PROTOCOL.md does not have `%s`", word)
		}
	}
}
