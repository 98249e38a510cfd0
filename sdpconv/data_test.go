package sdpconv

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"carillon/jingle"
)

func TestDataChannels(t *testing.T) {
	d, lines, losses, err := FromSDP(browserSDP(data("d", "actpass", "a=sctp-port:5001", "a=max-message-size:1000",
		`a=dcmap:0 subprotocol="MSRP";label="a %22chat%22; 100%25";ordered=false;max-retr=3`, `a=dcmap:2 label="t140";max-time=200`, "a=dcmap:3",
		"a=recvonly")...), jingle.Responder, nil)
	if err != nil || len(losses) != 0 {
		t.Fatal(err, losses)
	}
	c := d.Contents[0]
	want := &jingle.SCTP{Port: 5001, Protocol: "webrtc-datachannel", MaxMessageSize: 1000, Channels: []jingle.DataChannel{
		{ID: 0, Label: `a "chat"; 100%`, Protocol: "MSRP", Unordered: true, MaxRetransmits: 3, MaxPacketLifeTime: -1},
		{ID: 2, Label: "t140", MaxRetransmits: -1, MaxPacketLifeTime: 200}, {ID: 3, MaxRetransmits: -1, MaxPacketLifeTime: -1},
	}}
	if c.RTP != nil || c.Name != "d" || c.Creator != jingle.Responder || c.Senders != jingle.SendersInitiator || !reflect.DeepEqual(c.ICE.SCTP, want) {
		t.Errorf("%+v, %+v", c, c.ICE.SCTP)
	}
	if lines[0].Kind != "application" || lines[0].Proto != "UDP/DTLS/SCTP" {
		t.Errorf("%+v", lines[0])
	}
	text, _, losses, err := ToSDP(throughXML(t, d, Offer), jingle.Responder, Offer, nil, Origin{1, 1})
	if err != nil || len(losses) != 0 {
		t.Fatal(err, losses)
	}
	for _, line := range []string{
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=recvonly", "a=sctp-port:5001", "a=max-message-size:1000", "a=dcmap:3",
		`a=dcmap:0 label="a %22chat%22; 100%25";subprotocol="MSRP";ordered=false;max-retr=3`, `a=dcmap:2 label="t140";max-time=200`,
	} {
		if !has(text, line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

// An answer to what was usual before RFC 8841 has its form.
func TestOldDataChannels(t *testing.T) {
	section := data("d", "actpass", "a=sctpmap:5002 webrtc-datachannel 256")
	section[0] = "m=application 9 DTLS/SCTP 5002"
	d, lines, _, err := FromSDP(browserSDP(section...), jingle.Initiator, nil)
	if err != nil || d.Contents[0].ICE.SCTP.Port != 5002 || d.Contents[0].ICE.SCTP.Streams != 256 {
		t.Fatalf("%v, %+v", err, d.Contents)
	}
	d.Contents[0].ICE.SCTP = &jingle.SCTP{Port: 5003, Streams: 16}
	text, _, _, err := ToSDP(d, jingle.Responder, Answer, lines, Origin{1, 1})
	if err != nil || !has(text, "m=application 9 DTLS/SCTP 5003") || !has(text, "a=sctpmap:5003 webrtc-datachannel 16") || has(text, "a=sctp-port:5003") {
		t.Errorf("%v\n%s", err, text)
	}
}

// Data channels are rejected, and left out of an answer, like everything else.
func TestDataRejected(t *testing.T) {
	offer := browserSDP(append(append([]string{"a=group:BUNDLE 0 1"}, audio("0", "actpass")...), data("1", "actpass")...)...)
	_, lines, _, err := FromSDP(offer, jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, after, _, err := ToSDP(jingle.Description{Contents: []jingle.Content{opus("0")}}, jingle.Responder, Answer, lines, Origin{1, 1})
	if err != nil || !strings.Contains(text, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n") || after[1].State != Rejected {
		t.Errorf("%v\n%s", err, text)
	}
	d, after, losses, err := FromSDP(text, jingle.Responder, lines)
	if err != nil || len(d.Contents) != 1 || len(losses) != 0 || after[1].State != Rejected {
		t.Errorf("%v, %v, %v", err, d.Contents, losses)
	}
	wrong := opus("1")
	if _, _, losses, _ = ToSDP(jingle.Description{Contents: []jingle.Content{opus("0"), wrong}}, jingle.Responder, Answer, lines, Origin{1, 1}); !lossOf(losses, "another kind") {
		t.Errorf("audio answers data: %v", losses)
	}
}

// What has neither ICE nor DTLS is for SIP, not for browsers.
func TestPlain(t *testing.T) {
	sip := browserSDP("m=audio 4000 RTP/SAVP 0", "c=IN IP6 2001:db8::1", "a=rtcp:4001", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20 KDR=1",
		"a=zrtp-hash:1.10 00ff", "m=video 4002 RTP/AVPF 34", "c=IN IP4 192.0.2.1", "a=rtcp-fb:34 nack")
	d, lines, losses, err := FromSDP(sip, jingle.Initiator, nil)
	if err != nil || len(losses) != 0 || len(d.Contents) != 2 {
		t.Fatal(err, losses)
	}
	if c := d.Contents[0]; c.Name != "audio" || c.ICE != nil || len(c.RawUDP.Candidates) != 2 || c.RawUDP.Candidates[1].Port != 4001 || !c.RTP.Encryption.Required {
		t.Errorf("%+v", c)
	}
	d = throughXML(t, d, Offer)
	if _, _, losses, err = ToSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1}); !errors.Is(err, ErrNoICE) {
		t.Errorf("for a browser: %v, %v", err, losses)
	}
	text, _, losses, err := ToPlainSDP(d, jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil || len(losses) != 0 {
		t.Fatal(err, losses)
	}
	for _, line := range []string{
		"m=audio 4000 RTP/SAVP 0\r\nc=IN IP6 2001:db8::1\r\na=rtcp:4001 IN IP6 2001:db8::1", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20 KDR=1",
		"a=zrtp-hash:1.10 00ff", "m=video 4002 RTP/AVPF 34",
	} {
		if !has(text, line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	answer := browserSDP("m=audio 5000 RTP/AVP 0", "c=IN IP4 192.0.2.1", "m=video 0 RTP/AVPF 34")
	d, after, losses, err := FromSDP(answer, jingle.Responder, lines)
	if err != nil || len(losses) != 0 || len(d.Contents) != 1 || d.Contents[0].Name != "audio" || after[1].State != Rejected {
		t.Errorf("%v, %v, %+v, %v", err, losses, d.Contents, after)
	}
}

// With something else to go on with, a content that has no ICE is rejected.
func TestRawUDPBesideICE(t *testing.T) {
	raw := vp8("1")
	raw.ICE, raw.RawUDP = nil, &jingle.RawUDP{Candidates: []jingle.RawCandidate{{Component: 1, IP: "192.0.2.1", Port: 4000}}}
	text, lines, losses, err := ToSDP(jingle.Description{Contents: []jingle.Content{opus("0"), raw}}, jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil || !lossOf(losses, noTransport) || !strings.Contains(text, "m=video 0 ") || lines[1].State != Rejected {
		t.Errorf("%v, %v\n%s", err, losses, text)
	}
}
