package jingle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"carillon/jingle/element"
)

// offer is a session-initiate with everything that is written.
const offer = `<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1' initiator='a@example.org/1'>` +
	`<content creator='initiator' name='0' senders='both'>` +
	`<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video' ssrc='7'>` +
	`<payload-type id='96' name='VP8' clockrate='90000'>` +
	`<parameter name='max-fs' value='12288'/>` +
	`<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='ccm' subtype='tmmbr'><parameter name='smaxpr' value='120'/></rtcp-fb>` +
	`<rtcp-fb-trr-int xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' value='100'/>` +
	`</payload-type>` +
	`<payload-type id='111' name='opus' clockrate='48000' channels='2' ptime='20' maxptime='60'><parameter name='' value='0-15'/></payload-type>` +
	`<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='nack'/>` +
	`<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='2' uri='urn:example:ext' senders='initiator'><parameter name='x'/></rtp-hdrext>` +
	`<extmap-allow-mixed xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0'/>` +
	`<bandwidth type='AS'>500</bandwidth>` +
	`<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='7'><parameter name='cname' value='c1'/><parameter name='msid' value='S A'/></source>` +
	`<ssrc-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' semantics='FID'><source ssrc='7'/><source ssrc='8'/></ssrc-group>` +
	`<stream xmlns='urn:xmpp:jingle:apps:rtp:msid:0' id='S' track='A'/>` +
	`<rtcp-mux/><rtcp-reduced-size/>` +
	`<category xmlns='urn:xmpp:jingle:apps:category:0' name='slides'/>` +
	`</description>` +
	`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='Kq3z' pwd='0123456789abcdefABCDEFgh'>` +
	`<trickle xmlns='http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option'/>` +
	`<ice-lite xmlns='http://gultsch.de/xmpp/drafts/jingle/transports/ice-udp/option'/>` +
	`<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-1' setup='actpass'>00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13</fingerprint>` +
	`<candidate component='1' foundation='1' generation='0' id='c1' ip='203.0.113.7' network='0' port='50000' priority='1694498815' protocol='udp' type='srflx' rel-addr='192.0.2.2' rel-port='50001'/>` +
	`<candidate component='1' foundation='2' generation='1' id='c2' ip='fd00::2' network='0' port='9' priority='1' protocol='tcp' type='host' tcptype='active'/>` +
	`<gathering-complete/>` +
	`</transport>` +
	`<security xmlns='urn:example:other'/>` +
	`</content>` +
	`<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'><content name='0'/></group>` +
	`</jingle>`

func TestStanzaRoundTrip(t *testing.T) {
	for _, xml := range []string{
		offer,
		`<jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='s1' responder='b@example.org/1'><content creator='responder' name='v' senders='initiator' disposition='early-session'/></jingle>`,
		`<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='s1'><reason><decline/><text>not now</text></reason></jingle>`,
		`<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='s1'><reason><alternative-session><sid>s2</sid></alternative-session></reason></jingle>`,
		`<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='s1'><reason><security-error/><text>no keys</text><crypto-required xmlns='urn:xmpp:jingle:apps:rtp:errors:1'/></reason></jingle>`,
		`<jingle xmlns='urn:xmpp:jingle:1' action='transport-info' sid='s1'><content creator='initiator' name='0'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'/></content></jingle>`,
		`<jingle xmlns='urn:xmpp:jingle:1' action='content-modify' sid='s1'><content creator='initiator' name='0' senders='both'/></jingle>`,
	} {
		s, err := ParseStanza(mustParse(t, xml))
		if err != nil {
			t.Fatal(err)
		}
		if got := written(s); got != xml {
			t.Errorf("written as\n%s\nwant\n%s", got, xml)
		}
	}
}

// Everything else that the XEPs define: what is written is what was read, to the byte.
func TestTransportsRoundTrip(t *testing.T) {
	const fp = `<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-1' setup='actpass'>00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13</fingerprint>`
	const file = `<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><name>a</name></file></description>`
	const candidate = `<candidate component='1' foundation='1' generation='0' id='c1' ip='203.0.113.7' network='0' port='50000' priority='1694498815' protocol='udp' type='host'/>`
	for name, body := range map[string]string{
		"XEP-0371": `<transport xmlns='urn:xmpp:jingle:transports:ice:0' ufrag='u' pwd='p' ice2='true'>` + candidate +
			`<remote-candidate component='1' ip='192.0.2.1' port='3478'/><remote-candidate component='2' ip='192.0.2.1' port='3479'/><gathering-complete/></transport>`,
		"XEP-0177": `<transport xmlns='urn:xmpp:jingle:transports:raw-udp:1'><candidate component='1' generation='0' id='r1' ip='192.0.2.1' port='13540' type='host'/></transport>`,
		"XEP-0343": `<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'>` +
			`<sctpmap xmlns='urn:xmpp:jingle:transports:dtls-sctp:1' number='5001' protocol='webrtc-datachannel' streams='1024' max-message-size='262144'/>` +
			`<channel xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:0' id='1' negotiated='true'/>` +
			`<channel xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:0' ordered='false' maxPacketLifeTime='3000' maxRetransmits='0' protocol='p' label='l'/>` + fp + `</transport>`,
		"Conversations": `<transport xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:1' sctp-port='5000' max-message-size='262144'>` +
			`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'>` + fp + candidate + `</transport></transport>`,
		"Movim": `<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='application'/><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'>` +
			`<sctpmap xmlns='urn:xmpp:jingle:transports:dtls-sctp:1' number='5000' protocol='webrtc-datachannel'/></transport>`,
		"XEP-0167 section 7, XEP-0262": `<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'><encryption required='1'>` +
			`<crypto tag='1' crypto-suite='AES_CM_128_HMAC_SHA1_80' key-params='inline:a=|2^20|1:32' session-params='KDR=1 UNENCRYPTED_SRTCP'/>` +
			`<zrtp-hash xmlns='urn:xmpp:jingle:apps:rtp:zrtp:1' version='1.10'>fe30efd02423</zrtp-hash></encryption></description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'/>`,
		"unknown children": `<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'><web-socket xmlns='http://jitsi.org/protocol/colibri' url='wss://x'/></transport>`,
		"file transfer":    `<transport xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:1' sctp-port='5000'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'/></transport>` + file,
	} {
		xml := `<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s1'><content creator='initiator' name='0' senders='both'>` + body + `</content></jingle>`
		s, err := ParseStanza(mustParse(t, xml))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := written(s); got != xml {
			t.Errorf("%s: written as\n%s\nwant\n%s", name, got, xml)
		}
	}
}

// A transport-info of data channels says only in which transport the candidates are.
func TestDataChannelCandidates(t *testing.T) {
	const xml = `<jingle xmlns='urn:xmpp:jingle:1' action='transport-info' sid='s1'><content creator='initiator' name='d'>` +
		`<transport xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:1'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'>` +
		`<candidate component='1' foundation='1' generation='0' id='c1' ip='203.0.113.7' network='0' port='50000' priority='1694498815' protocol='udp' type='host'/>` +
		`</transport></transport></content></jingle>`
	s, err := ParseStanza(mustParse(t, xml))
	if err != nil {
		t.Fatal(err)
	}
	if ice := s.Contents[0].ICE; ice == nil || len(ice.Candidates) != 1 || ice.SCTP == nil || ice.SCTP.Form != SCTPTransport {
		t.Fatalf("%+v", ice)
	}
	if got := written(s); got != xml {
		t.Errorf("written as\n%s", got)
	}
	s.Contents[0].ICE.SCTP.Form = SCTPMap
	if got := written(s); strings.Contains(got, "sctp") {
		t.Errorf("written as\n%s", got)
	}
}

// SDES is not written beside a fingerprint: who finds both might take the one that browsers lack.
func TestEncryptionOrFingerprint(t *testing.T) {
	c := Content{RTP: &RTP{Media: "audio", Encryption: &Encryption{Crypto: []Crypto{{Tag: "1"}}}}, ICE: &Transport{}}
	for _, protect := range []func(){func() {}, func() { c.ICE.Fingerprints = []Fingerprint{{Hash: "sha-1"}} },
		func() { c.ICE.Fingerprints, c.ICE.Protected = nil, true }} {
		protect()
		s := Stanza{Action: SessionInitiate, Contents: []Content{c}}
		written := strings.Contains(written(s), "<crypto")
		if written != c.unencrypted() {
			t.Errorf("crypto written: %v, with %+v", written, c.ICE)
		}
	}
}

// A rejection says which content and what kind, whatever its transport is.
func TestStub(t *testing.T) {
	const sctp = `sctp-port='5000'`
	for body, want := range map[string]string{
		`<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'><rtcp-mux/></description><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'/>`: `<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='video'/><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>`,
		`<transport xmlns='urn:xmpp:jingle:transports:ice:0' ufrag='u' pwd='p'/>`:                                                                                            `<transport xmlns='urn:xmpp:jingle:transports:ice:0'/>`,
		`<transport xmlns='urn:xmpp:jingle:transports:raw-udp:1'><candidate ip='192.0.2.1' port='1'/></transport>`:                                                           `<transport xmlns='urn:xmpp:jingle:transports:raw-udp:1'/>`,
		`<description xmlns='urn:example:files'><file/></description><transport xmlns='urn:example:s5b'><x/></transport>`:                                                    `<description xmlns='urn:example:files'/><transport xmlns='urn:example:s5b'/>`,
		`<transport xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:1' ` + sctp + `><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u'/></transport>`:    `<transport xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:1' ` + sctp + `><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/></transport>`,
	} {
		open := `<jingle xmlns='urn:xmpp:jingle:1' action='content-reject' sid='s1'><content creator='responder' name='v' senders='responder'>`
		s, err := ParseStanza(mustParse(t, open+body+`</content></jingle>`))
		if err != nil {
			t.Fatal(err)
		}
		s.Contents[0] = s.Contents[0].Stub()
		if got := written(s); got != open+want+`</content></jingle>` {
			t.Errorf("stub of %s is\n%s", body, got)
		}
	}
}

func TestStanzaRefused(t *testing.T) {
	wrap := func(body string) string {
		return `<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'><content creator='initiator' name='0'>` + body + `</content></jingle>`
	}
	rtp := func(body string) string {
		return wrap(`<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>` + body + `</description>`)
	}
	ice := func(body string) string {
		return wrap(`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>` + body + `</transport>`)
	}
	many := strings.Repeat
	for text, xml := range map[string]string{
		"no <jingle/>":                `<jingle xmlns='urn:example' action='session-initiate' sid='s'/>`,
		"without sid":                 `<jingle xmlns='urn:xmpp:jingle:1' action='session-info'/>`,
		"sid of <jingle/> is longer":  `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='` + many("x", 2000) + `'/>`,
		"unknown action":              `<jingle xmlns='urn:xmpp:jingle:1' action='session-replace' sid='s'/>`,
		"without content":             `<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'/>`,
		"creator is neither":          `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'><content creator='me' name='0'/></jingle>`,
		"unknown senders":             `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'><content senders='me' name='0'/></jingle>`,
		"name of a content is longer": `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'><content name='` + many("x", 2000) + `'/></jingle>`,
		"more than 64 contents":       `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'>` + many(`<content name='0'/>`, 65) + `</jingle>`,
		"more than 16 groups":         `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'>` + many(`<group xmlns='urn:xmpp:jingle:apps:grouping:0'/>`, 17) + `</jingle>`,
		"more than 64 elements":       `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'>` + many(`<x xmlns='y'/>`, 65) + `</jingle>`,
		"0 to 127":                    rtp(`<payload-type id='128'/>`),
		"more than 128 payload types": rtp(many(`<payload-type id='1'/>`, 129)),
		"more than 64 parameters":     rtp(`<payload-type id='1'>` + many(`<parameter name='a' value='b'/>`, 65) + `</payload-type>`),
		"64 parameters of a payload":  rtp(`<payload-type id='1'><parameter name='a' value='` + many("b;", 65) + `'/></payload-type>`),
		"more than 64 feedback":       rtp(many(`<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' type='nack'/>`, 65)),
		"more than 64 header":         rtp(many(`<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:rtp-hdrext:0' id='1' uri='u'/>`, 65)),
		"more than 128 sources":       rtp(many(`<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='1'/>`, 129)),
		"more than 64 data":           ice(many(`<channel xmlns='urn:xmpp:jingle:transports:webrtc-datachannel:0'/>`, 65)),
		"more than 16 categories":     rtp(many(`<category xmlns='urn:xmpp:jingle:apps:category:0' name='alt'/>`, 17)),
		"more than 16 keys":           rtp(`<encryption>` + many(`<crypto/>`, 17) + `</encryption>`),
		"more than 8 ZRTP":            rtp(`<encryption>` + many(`<zrtp-hash xmlns='urn:xmpp:jingle:apps:rtp:zrtp:1'/>`, 9) + `</encryption>`),
		"more than 128 source groups": rtp(many(`<rid-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0'/>`, 129)),
		"content-add without content": `<jingle xmlns='urn:xmpp:jingle:1' action='content-add' sid='s'/>`,
		"room of a conference":        `<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'><muji xmlns='urn:xmpp:jingle:muji:0' room='` + many("r", 3072) + `'/></jingle>`,
		"more than 8 fingerprints":    ice(many(`<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-1'>`+many("00:", 19)+`00</fingerprint>`, 9)),
	} {
		_, err := ParseStanza(mustParse(t, xml))
		if !errors.Is(err, ErrBadRequest) || !strings.Contains(err.Text, text) {
			t.Errorf("want bad-request with %q, got %v", text, err)
		}
	}
	if _, err := ParseStanza(nil); err == nil {
		t.Error("nil")
	}
}

// Of what is listed in a transport the first so many are read, and the rest is told of.
func TestTransportTruncated(t *testing.T) {
	e := mustParse(t, `<jingle xmlns='urn:xmpp:jingle:1' action='transport-info' sid='s'><content creator='initiator' name='0'>`+
		`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>`+strings.Repeat(`<candidate ip='192.0.2.1' port='1'/>`, 129)+
		strings.Repeat(`<remote-candidate ip='192.0.2.1' port='1'/>`, 17)+strings.Repeat(`<x xmlns='urn:example'/>`, 65)+`</transport></content></jingle>`)
	s, err := ParseStanza(e)
	if err != nil {
		t.Fatal(err)
	}
	if ice := s.Contents[0].ICE; len(ice.Candidates) != 128 || len(ice.RemoteCandidates) != 16 || len(ice.Other) != 64 {
		t.Errorf("%d candidates, %d remote, %d others", len(ice.Candidates), len(ice.RemoteCandidates), len(ice.Other))
	}
	if whole, parts := Unread(e); len(whole) != 3 || len(parts) != 0 {
		t.Errorf("unread %v, %v", whole, parts)
	}
}

// A fingerprint that only OMEMO devices can read is seen, and is no fingerprint.
func TestProtectedFingerprint(t *testing.T) {
	s, err := ParseStanza(mustParse(t, `<jingle xmlns='urn:xmpp:jingle:1' action='session-initiate' sid='s'><content name='0'>`+
		`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'>`+
		`<fingerprint xmlns='http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification' hash='sha-256' setup='actpass'><encrypted xmlns='eu.siacs.conversations.axolotl'/></fingerprint>`+
		`</transport></content></jingle>`))
	if err != nil {
		t.Fatal(err)
	}
	if ice := s.Contents[0].ICE; !ice.Protected || len(ice.Fingerprints) != 0 {
		t.Errorf("%+v", ice)
	}
}

func TestUnusableCandidates(t *testing.T) {
	s, err := ParseStanza(mustParse(t, `<jingle xmlns='urn:xmpp:jingle:1' action='transport-info' sid='s'><content name='0'>`+
		`<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>`+
		`<candidate port='1'/><candidate ip='192.0.2.1'/><candidate ip='192.0.2.1' port='70000'/><candidate ip='1 typ host' port='1'/>`+
		`<candidate ip='192.0.2.1' port='1' protocol='sctp'/><candidate ip='192.0.2.9' port='1'/></transport></content></jingle>`))
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Contents[0].ICE.Candidates; len(c) != 1 || c[0].IP != "192.0.2.9" {
		t.Errorf("%+v", c)
	}
}

// senders none is never written where Dino and Monal would refuse it.
func TestSendersWritten(t *testing.T) {
	for _, c := range []struct {
		action  Action
		senders Senders
		want    string
	}{
		{SessionInitiate, "", "both"}, {SessionInitiate, SendersNone, "responder"}, {SessionInitiate, SendersResponder, "responder"},
		{SessionAccept, "", "both"}, {SessionAccept, SendersNone, "initiator"}, {SessionAccept, SendersRejected, "initiator"},
		{ContentAdd, "", "both"}, {ContentModify, SendersNone, "none"}, {ContentModify, SendersRejected, "none"},
		{TransportInfo, "", ""}, {TransportInfo, SendersBoth, ""}, {TransportInfo, SendersInitiator, "initiator"},
	} {
		s := Stanza{Action: c.action, Contents: []Content{{Senders: c.senders}}}
		if got := mustParse(t, written(s)).Child(NS, "content").Attr("senders"); got != c.want {
			t.Errorf("%s with senders %q writes %q, want %q", c.action, c.senders, got, c.want)
		}
	}
}

func TestSenders(t *testing.T) {
	for _, s := range []Senders{SendersBoth, SendersInitiator, SendersResponder, SendersNone} {
		if got := SendersOf(s.Sends(Initiator), s.Sends(Responder)); got != s {
			t.Errorf("%s becomes %s", s, got)
		}
	}
	if !Senders("").Sends(Responder) || SendersRejected.Sends(Initiator) {
		t.Error("the zero value means both, rejected nobody")
	}
}

// corpus returns every recorded stanza.
func corpus(t testing.TB) map[string]*element.Element {
	all := map[string]*element.Element{}
	for _, dir := range []string{"dino-0.4.2", "dino-browser"} {
		files, _ := filepath.Glob("../testdata/stanzas/" + dir + "/*.xml")
		for _, f := range files {
			name := dir + "/" + filepath.Base(f)
			for i, step := range parseXML(t, name).Children {
				for _, stanza := range step.Children {
					all[fmt.Sprintf("%s#%d", name, i)] = stanza
				}
			}
		}
	}
	files, _ := filepath.Glob("../testdata/stanzas/stanza-js/*.json")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var scenario struct{ Steps []struct{ XML string } }
		if err := json.Unmarshal(b, &scenario); err != nil {
			t.Fatal(err)
		}
		for i, step := range scenario.Steps {
			all[fmt.Sprintf("stanza-js/%s#%d", filepath.Base(f), i)] = mustParse(t, step.XML)
		}
	}
	return all
}

// Every recorded stanza is read, and what is written from it is read as the same.
func TestCorpus(t *testing.T) {
	stanzas, messages := 0, 0
	for name, e := range corpus(t) {
		if j := e.Child(NS, "jingle"); j != nil {
			stanzas++
			s, err := ParseStanza(j)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			again, err := ParseStanza(mustParse(t, written(s)))
			if err != nil || !reflect.DeepEqual(plain(again), plain(s)) {
				t.Errorf("%s: %v\nread   %+v\nreread %+v", name, err, s, again)
			}
		}
		m, err := MessageIn(e)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m != nil {
			messages++
			again, _, err := ParseMessage(mustParse(t, m.Element().String()))
			if err != nil || !reflect.DeepEqual(again, *m) {
				t.Errorf("%s: %v, %+v", name, err, again)
			}
		}
	}
	if stanzas < 600 || messages < 100 {
		t.Errorf("only %d stanzas and %d messages: is the corpus there?", stanzas, messages)
	}
}

// plain removes what is not written again: SDES beside DTLS, and senders none, which strict clients refuse.
func plain(s Stanza) Stanza {
	by := Initiator
	if s.Action == SessionAccept {
		by = Responder
	}
	for i := range s.Contents {
		c := &s.Contents[i]
		if written := (&encoder{by: by, action: s.Action}).senders(c.Senders); written != "" {
			c.Senders = written
		}
		if c.RTP != nil && !c.unencrypted() {
			c.RTP.Encryption = nil
		}
	}
	return s
}
