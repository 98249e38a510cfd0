package sdpconv

import (
	"fmt"
	"strings"
	"testing"

	"carillon/jingle"
)

const fingerprint = "0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9:0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9"

// browserSDP is a minimal SDP; the lines given stand in each section, m-lines begin with "m=".
func browserSDP(lines ...string) string {
	head := []string{"v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"}
	return strings.Join(append(head, lines...), "\r\n") + "\r\n"
}

// audio is an audio section with the given lines added.
func audio(mid, setup string, more ...string) []string {
	return append([]string{
		"m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", "a=mid:" + mid, "a=ice-ufrag:ufra", "a=ice-pwd:0123456789abcdefABCDEFgh",
		"a=fingerprint:sha-256 " + fingerprint, "a=setup:" + setup, "a=rtcp-mux", "a=rtpmap:111 opus/48000/2",
	}, more...)
}

// data is a section of data channels with the given lines added.
func data(mid, setup string, more ...string) []string {
	return append([]string{
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:" + mid, "a=ice-ufrag:ufra",
		"a=ice-pwd:0123456789abcdefABCDEFgh", "a=fingerprint:sha-256 " + fingerprint, "a=setup:" + setup,
	}, more...)
}

func has(text, line string) bool { return strings.Contains(text, "\r\n"+line+"\r\n") }

// The truth table of XEP-0167 and RFC 3264, both ways: a direction is its author's, senders are the session's.
func TestDirections(t *testing.T) {
	for _, row := range []struct {
		author    jingle.Role
		direction string
		senders   jingle.Senders
	}{
		{jingle.Initiator, "sendrecv", jingle.SendersBoth},
		{jingle.Initiator, "", jingle.SendersBoth},
		{jingle.Initiator, "sendonly", jingle.SendersInitiator},
		{jingle.Initiator, "recvonly", jingle.SendersResponder},
		{jingle.Initiator, "inactive", jingle.SendersNone},
		{jingle.Responder, "sendrecv", jingle.SendersBoth},
		{jingle.Responder, "", jingle.SendersBoth},
		{jingle.Responder, "sendonly", jingle.SendersResponder},
		{jingle.Responder, "recvonly", jingle.SendersInitiator},
		{jingle.Responder, "inactive", jingle.SendersNone},
	} {
		for _, level := range []string{"media", "session"} {
			section := audio("0", "actpass")
			if row.direction != "" && level == "media" {
				section = append(section, "a="+row.direction)
			} else if row.direction != "" {
				section = append([]string{"a=" + row.direction}, section...)
			}
			section = append(section, "a=extmap:2/"+row.direction+" urn:example:ext")
			d, _, _, err := FromSDP(browserSDP(section...), row.author, nil)
			if err != nil {
				t.Fatal(err)
			}
			c := d.Contents[0]
			if c.Senders != row.senders || c.RTP.HdrExts[0].Senders != row.senders {
				t.Errorf("%s of the %s is senders %s, extmap %s; want %s", row.direction, row.author, c.Senders, c.RTP.HdrExts[0].Senders, row.senders)
			}
			text, _, _, err := ToSDP(d, row.author, Offer, nil, Origin{1, 1})
			if err != nil {
				t.Fatal(err)
			}
			dir, ext := row.direction, "/"+row.direction
			if dir == "" || dir == "sendrecv" {
				dir, ext = "sendrecv", ""
			}
			if !has(text, "a="+dir) || !has(text, "a=extmap:2"+ext+" urn:example:ext") {
				t.Errorf("senders %s of the %s's description:\n%s", row.senders, row.author, text)
			}
		}
	}
}

// Media flows the same way whoever's description is read: what one party's SDP sends, the other's receives.
func TestDirectionsMirror(t *testing.T) {
	mirror := map[string]string{"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
	for _, s := range []jingle.Senders{"", jingle.SendersBoth, jingle.SendersInitiator, jingle.SendersResponder, jingle.SendersNone} {
		if a, b := direction(s, jingle.Initiator), direction(s, jingle.Responder); mirror[a] != b {
			t.Errorf("senders %q is %s and %s", s, a, b)
		}
	}
}

// An answer sends and receives nothing that its offer does not allow.
func TestAnswerDirection(t *testing.T) {
	all := []jingle.Senders{jingle.SendersBoth, jingle.SendersInitiator, jingle.SendersResponder, jingle.SendersNone}
	for _, offerer := range []jingle.Role{jingle.Initiator, jingle.Responder} {
		for _, offered := range all {
			for _, said := range all {
				offer := description(t)
				offer.Contents[0].Senders = offered
				_, lines, _, err := ToSDP(offer, offerer, Offer, nil, Origin{1, 1})
				if err != nil {
					t.Fatal(err)
				}
				answer := description(t)
				answer.Contents[0].Senders = said
				text, _, losses, err := ToSDP(answer, offerer.Other(), Answer, lines, Origin{1, 1})
				if err != nil {
					t.Fatal(err)
				}
				both := jingle.SendersOf(
					offered.Sends(jingle.Initiator) && said.Sends(jingle.Initiator), offered.Sends(jingle.Responder) && said.Sends(jingle.Responder))
				if !has(text, "a="+direction(both, offerer.Other())) {
					t.Errorf("%s offers %s, answered %s:\n%s", offerer, offered, said, text)
				}
				if reported := strings.Contains(fmt.Sprint(losses), "narrowed"); reported != (both != said) {
					t.Errorf("%s offers %s, answered %s: losses %v", offerer, offered, said, losses)
				}
			}
		}
	}
}

// description is what a browser says with one audio section.
func description(t testing.TB, more ...string) jingle.Description {
	t.Helper()
	d, _, _, err := FromSDP(browserSDP(audio("0", "actpass", more...)...), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The DTLS role of an answer (RFC 8842 section 5.3), both when Jingle is written as SDP and when an SDP answer does not say.
func TestAnswerSetup(t *testing.T) {
	for _, row := range []struct{ offered, said, want jingle.Setup }{
		{"actpass", "active", "active"}, {"actpass", "passive", "passive"}, {"actpass", "actpass", "active"}, {"actpass", "", "active"},
		{"active", "passive", "passive"}, {"active", "active", "passive"}, {"active", "", "passive"}, {"active", "actpass", "passive"},
		{"passive", "active", "active"}, {"passive", "passive", "active"}, {"passive", "", "active"}, {"passive", "actpass", "active"},
	} {
		offer := description(t)
		offer.Contents[0].ICE.Fingerprints[0].Setup = row.offered
		_, lines, _, err := ToSDP(offer, jingle.Initiator, Offer, nil, Origin{1, 1})
		if err != nil {
			t.Fatal(err)
		}
		answer := description(t)
		answer.Contents[0].ICE.Fingerprints[0].Setup = row.said
		text, _, losses, err := ToSDP(answer, jingle.Responder, Answer, lines, Origin{1, 1})
		if err != nil || !has(text, "a=setup:"+string(row.want)) || (len(losses) == 0) != (row.said == row.want) {
			t.Errorf("offered %q, said %q: %v, losses %v\n%s", row.offered, row.said, err, losses, text)
		}
	}
	offer := description(t)
	offer.Contents[0].ICE.Fingerprints[0].Setup = ""
	text, _, _, err := ToSDP(offer, jingle.Initiator, Offer, nil, Origin{1, 1})
	if err != nil || !has(text, "a=setup:actpass") {
		t.Errorf("an offer that does not say: %v\n%s", err, text)
	}
}
