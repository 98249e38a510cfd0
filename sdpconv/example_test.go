package sdpconv_test

import (
	"fmt"
	"strings"

	"carillon/jingle"
	"carillon/sdpconv"
)

// section is one m-line of a browser's SDP.
func section(kind, mid, direction, setup string) string {
	return "m=" + kind + " 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:" + mid + "\r\na=" + direction + "\r\na=rtcp-mux\r\na=rtpmap:96 X/90000\r\n" +
		"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=setup:" + setup + "\r\n" +
		"a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":") + "\r\n"
}

func sdp(sections ...string) string {
	return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" + strings.Join(sections, "")
}

// mlines is an SDP for people.
func mlines(text string) string {
	var out []string
	for _, s := range strings.Split(text, "\r\nm=")[1:] {
		kind, rest, _ := strings.Cut(s, " ")
		port, _, _ := strings.Cut(rest, " ")
		for _, d := range []string{"sendrecv", "sendonly", "recvonly", "inactive"} {
			if strings.Contains(s, "a="+d) {
				out = append(out, kind+" "+port+" "+d)
			}
		}
	}
	return strings.Join(out, ", ")
}

func show(actions []jingle.Stanza) {
	for _, a := range actions {
		fmt.Println(a.Action, a.Contents[0].Name, a.Contents[0].Senders)
	}
}

// audioCall is a call with audio, which the browser began.
func audioCall() (jingle.Session, sdpconv.Lines) {
	us, them := jingle.Initiator, jingle.Responder
	d, lines, _, _ := sdpconv.FromSDP(sdp(section("audio", "0", "sendrecv", "actpass")), us, nil)
	want, _ := sdpconv.Propose(jingle.Session{}, us, d)
	initiate, _ := sdpconv.Diff(jingle.Session{}, want, us, jingle.Profile{})
	session, _ := sdpconv.Apply(jingle.Session{}, initiate[0], us)
	accept := initiate[0]
	accept.Action = jingle.SessionAccept
	session, _ = sdpconv.Apply(session, accept, them)
	_, lines, _, _ = sdpconv.ToSDP(sdpconv.Describe(session, them, sdpconv.Answer), them, sdpconv.Answer, lines, sdpconv.Origin{ID: 1})
	return session, lines
}

// A page adds video; the peer's user takes it and shows no camera of its own.
func ExampleDiff() {
	us, them := jingle.Initiator, jingle.Responder
	session, lines := audioCall()
	offer := sdp(section("audio", "0", "sendrecv", "actpass"), section("video", "1", "sendrecv", "actpass"))

	d, offered, _, err := sdpconv.FromSDP(offer, us, lines)
	if err != nil {
		fmt.Println(err)
		return
	}
	want, _ := sdpconv.Propose(session, us, d)
	actions, losses := sdpconv.Diff(session, want, us, jingle.Profile{})
	show(actions)
	fmt.Println("lost:", losses)

	for _, a := range actions { // each after its result
		session, err = sdpconv.Apply(session, a, us)
	}
	fmt.Println("waiting:", session.Pending(us))
	accept := actions[0]
	accept.Action = jingle.ContentAccept
	accept.Contents = append([]jingle.Content(nil), accept.Contents...)
	accept.Contents[0].Senders = jingle.SendersInitiator
	session, err = sdpconv.Apply(session, accept, them)
	fmt.Println("waiting:", session.Pending(us), err)

	session = sdpconv.Settle(session, want, us)
	answer, _, _, _ := sdpconv.ToSDP(sdpconv.Describe(session, them, sdpconv.Answer), them, sdpconv.Answer, offered, sdpconv.Origin{ID: 1, Version: 2})
	fmt.Println(mlines(answer))
	// Output:
	// content-add 1 both
	// lost: []
	// waiting: true
	// waiting: false <nil>
	// audio 9 sendrecv, video 9 recvonly
}

// The peer adds its camera; the browser takes the picture and sends none.
func ExampleRespond() {
	us, them := jingle.Initiator, jingle.Responder
	session, lines := audioCall()
	d, _, _, _ := sdpconv.FromSDP(sdp(section("video", "cam", "sendonly", "actpass")), them, nil)
	add := jingle.Stanza{Action: jingle.ContentAdd, Contents: d.Contents}

	next, err := sdpconv.Apply(session, add, them)
	fmt.Println(err, sdpconv.Renegotiates(session, next, them))
	offer, offered, _, err := sdpconv.ToSDP(sdpconv.Describe(next, them, sdpconv.Offer), them, sdpconv.Offer, lines, sdpconv.Origin{ID: 1, Version: 2})
	fmt.Println(mlines(offer), err)

	answer := sdp(section("audio", "0", "sendrecv", "active"), section("video", "cam", "recvonly", "active"))
	d, _, _, err = sdpconv.FromSDP(answer, us, offered)
	if err != nil {
		fmt.Println(err)
		return
	}
	want := sdpconv.Respond(next, us, d)
	actions, _ := sdpconv.Diff(next, want, us, jingle.Profile{})
	show(actions)

	// Had the browser said nothing:
	actions, _ = sdpconv.Diff(next, sdpconv.Respond(next, us, sdpconv.Describe(next, us, sdpconv.Answer)), us, jingle.Profile{})
	show(actions)
	// Output:
	// <nil> true
	// audio 9 sendrecv, video 9 sendonly <nil>
	// content-accept cam responder
	// content-reject cam responder
}
