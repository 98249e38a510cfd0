package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const videoOffer = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=ice-ufrag:Kq3z
a=ice-pwd:0123456789abcdefABCDEFgh
a=fingerprint:sha-256 C9:E9:BC:D1:61:42:8E:AA:CE:57:6F:82:95:16:48:7C:21:D7:47:2F:AC:01:E9:99:C2:96:ED:0D:FE:8C:43:E3
a=setup:actpass
m=audio 9 UDP/TLS/RTP/SAVPF 111 110
c=IN IP4 0.0.0.0
a=mid:0
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtpmap:110 telephone-event/48000
a=fmtp:110 0-15
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=rtcp-mux
a=cryptex
a=rtpmap:96 VP8/90000
a=rtcp-fb:* nack
a=rtcp-fb:96 rrtr
a=rid:h send
a=rid:l send max-width=320
a=simulcast:send h;l
`

// What a client cannot take is lost with it, and what only it can take is not.
func TestConvertForClient(t *testing.T) {
	const (
		rrtr      = "loss: 24: a=rtcp-fb:96 rrtr: left out: Monal refuses it, or overlooks it\n"
		cryptex   = "loss: 21: a=cryptex: no Jingle for it, but an attribute of Jitsi's\n"
		high      = "loss: 25: a=rid:h send: no Jingle for simulcast, but in Jitsi's form\n"
		low       = "loss: 26: a=rid:l send max-width=320: no Jingle for simulcast, but in Jitsi's form\n"
		simulcast = "loss: 27: a=simulcast:send h;l: no Jingle for simulcast, but in Jitsi's form\n"
	)
	for client, want := range map[string]string{
		"Unknown":       cryptex + high + low + simulcast,
		"Dino":          cryptex + high + low + simulcast,
		"Conversations": cryptex + high + low + simulcast,
		"stanza":        cryptex + high + low + simulcast,
		"Monal":         cryptex + rrtr + high + low + simulcast,
		"Jitsi Meet":    low,
	} {
		got := carillon(t, videoOffer, "convert", "-sid", "s1", "-client", client, "-")
		if got.err != want || got.code != 0 {
			t.Errorf("%s: ended with %d and\n%s, want\n%s", client, got.code, got.err, want)
		}
	}
}

// Conversations ends the call where a medium is missing from the answer: what is rejected is in it, and only Conversations may send.
func TestConvertWholeAccept(t *testing.T) {
	offer := filepath.Join(t.TempDir(), "offer.sdp")
	if err := os.WriteFile(offer, []byte(videoOffer), 0o600); err != nil {
		t.Fatal(err)
	}
	answer := strings.NewReplacer("actpass", "active", "a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "m=video 9", "m=video 0").Replace(videoOffer)
	got := carillon(t, answer, "convert", "-sid", "s1", "-client", "Conversations", "-offer", offer, "-")
	if !strings.Contains(got.out, "<content creator='initiator' name='1' senders='initiator'>") || strings.Count(got.out, "<content creator") != 2 ||
		!strings.Contains(got.err, "loss: 17: m=video 0 UDP/TLS/RTP/SAVPF 96: rejected; accepted without sending, since Conversations ends the call") {
		t.Errorf("%s\n%s", got.err, got.out)
	}
	if got = carillon(t, answer, "convert", "-sid", "s1", "-client", "Dino", "-offer", offer, "-"); strings.Count(got.out, "<content creator") != 1 || got.err != "" {
		t.Errorf("%s\n%s", got.err, got.out)
	}
}

// What SIP phones say converts to and fro, though no browser would take it.
func TestConvertUnencrypted(t *testing.T) {
	const sip = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 8\r\n" +
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:32\r\na=rtcp:4001\r\n"
	stanza := carillon(t, sip, "convert", "-sid", "s1", "-strict", "-")
	back := carillon(t, stanza.out, "convert", "-strict", "-")
	for _, line := range []string{"m=audio 4000 RTP/SAVP 8", "c=IN IP4 192.0.2.1", "a=rtcp:4001 IN IP4 192.0.2.1", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNf"} {
		if stanza.code != 0 || back.code != 0 || !strings.Contains(back.out, "\r\n"+line) {
			t.Fatalf("no %s in %d, %d\n%s%s%s", line, stanza.code, back.code, back.out, stanza.err, back.err)
		}
	}
}

// Monal reads one candidate of a transport-info.
func TestConvertCandidatesForMonal(t *testing.T) {
	const lines = "a=mid:0\na=candidate:1 1 udp 5 192.0.2.7 4000 typ host network-id 1\na=candidate:2 1 udp 4 192.0.2.7 4001 typ host\n"
	const want = "loss: 2: a=candidate:1 1 udp 5 192.0.2.7 4000 typ host network-id 1: no Jingle for network-id of a candidate\n" +
		"loss: 3: a=candidate:2 1 udp 4 192.0.2.7 4001 typ host: Monal reads the first candidate of a transport-info only\n"
	if got := carillon(t, lines, "convert", "-client", "Monal", "-"); got.err != want || strings.Count(got.out, "<candidate ") != 2 {
		t.Errorf("%s\n%s", got.err, got.out)
	}
}

// What a stanza says and nobody can read is reported, and a fingerprint among it is no reason to write a call unencrypted.
func TestConvertReportsUnread(t *testing.T) {
	stanza := carillon(t, videoOffer, "convert", "-sid", "s1", "-").out
	junk := strings.NewReplacer(
		"<rtcp-mux/>", "<rtcp-mux/><bandwidth/>",
		"name='opus' clockrate='48000' channels='2'/>", "name='opus' clockrate='48000' channels='2'><x xmlns='urn:x'/></payload-type>",
		"</transport>", "<candidate ip='' port='1'/><candidate ip='192.0.2.1' port='1' network-cost='10'/></transport>",
		"media='video'", "media='video' profile='RTP/AVP' xml:lang='de'",
	).Replace(stanza)
	got := carillon(t, junk, "convert", "-")
	for _, loss := range []string{"<x xmlns='urn:x'/>: not understood", "<bandwidth xmlns='urn:xmpp:jingle:apps:rtp:1'/>: not", "<candidate xmlns=",
		"<description xmlns='urn:xmpp:jingle:apps:rtp:1' profile='RTP/AVP'/>: attribute not understood, and no SDP for it\n",
		"<candidate xmlns='urn:xmpp:jingle:transports:ice-udp:1' network-cost='10'/>: attribute not understood, and no SDP for it (2 times)\n"} {
		if got.code != 0 || !strings.Contains(got.err, "loss: 0: "+loss) {
			t.Errorf("no loss %s in\n%s", loss, got.err)
		}
	}
	if got := carillon(t, strings.ReplaceAll(stanza, ">C9:E9:", ">no:no:"), "convert", "-"); got.code != 1 || !strings.Contains(got.err, "no usable DTLS fingerprint") {
		t.Errorf("ended with %d and %s", got.code, got.err)
	}
}
