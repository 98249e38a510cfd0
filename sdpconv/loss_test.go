package sdpconv

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// ledger counts losses by kind of line and reason.
type ledger map[string]int

func (g ledger) add(losses []Loss) {
	for _, l := range losses {
		names, extensions := strings.CutSuffix(l.Reason, " of a candidate")
		if !extensions {
			g[kindOfLine(l.Line)+": "+l.Reason]++
			continue
		}
		for _, name := range strings.Split(strings.TrimPrefix(names, "no Jingle for "), ", ") {
			g["a=candidate: no Jingle for "+name+" of a candidate"]++
		}
	}
}

// kindOfLine keeps of a line what does not differ between sessions.
func kindOfLine(line string) string {
	switch {
	case strings.HasPrefix(line, "content "):
		return "content"
	case strings.HasPrefix(line, "m="):
		f := strings.Fields(line)
		return f[0]
	case strings.HasPrefix(line, "b="), strings.HasPrefix(line, "a="):
		key, _, _ := strings.Cut(line, ":")
		return key
	case strings.HasPrefix(line, "<"):
		return line
	}
	return line[:min(len(line), 2)]
}

// compare checks a golden file: each loss with its number and why it cannot be helped, which a person has to have written.
func (g ledger) compare(t *testing.T, file, head string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(head)
	for _, key := range slices.Sorted(maps.Keys(g)) {
		why := explanation(key)
		if why == "" {
			t.Errorf("nobody has explained the loss %q (%d)", key, g[key])
		}
		fmt.Fprintf(&b, "\n%s (%d)\n    %s\n", key, g[key], why)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Errorf("%s is not what comes now:\n%s", file, b.String())
	}
}

// explanation tells why a loss cannot be helped.
func explanation(key string) string {
	for _, e := range explanations {
		if strings.Contains(key, e[0]) {
			return e[1]
		}
	}
	return ""
}

// explanations are tried in order.
var explanations = [][2]string{
	{"the main source has no parameters", "An a=ssrc line needs an attribute, and there is no source element that has one."},
	{"<web-socket", "Jitsi's bridge offers a WebSocket for its messages beside the data channel."},
	{"no SDP for it", "An application that a browser does not know; its data channel is there."},
	{"no RTP that it is said for", "Said for RTP at large by a session that has data channels only."},
	{"a=rtcp-xr", "No XEP for extended reports (RFC 3611).  Without the line none are sent, and media is the same."},
	{"a=ssrc: source of a party", "Firefox announces a source where it only receives.  XEP-0339 announces what is sent."},
	{"a=ssrc-group: source of a party", "Firefox announces a source where it only receives.  XEP-0339 announces what is sent."},
	{"m=application: rejected;", "Only the offer tells what was rejected, and an SDP that stands alone has none."},
	{"rejected; Jingle says so", "Only the offer tells what was rejected, and an SDP that stands alone has none."},
	{onlyJitsi, "No XEP.  Kept in the description in Jitsi's form, which lacks restrictions and what is received; others get the one stream."},
	{"obsolete ICE option", "google-ice is from before RFC 5245 and nothing has it any more."},
	{"ICE option that cannot", "An option is an element by its name in the field, and such a name cannot be one."},
	{repairMux, "Browsers refuse a section without it, and native gateways leave it out."},
	{repairComponent, "Browsers multiplex RTCP, so that there is no component 2."},
	{repairSDES, "Dino offers keys beside DTLS.  Answered, media would be encrypted twice."},
	{"keys beside DTLS", "Answered, media would be encrypted twice."},
	{repairSource, "stanza leaves out the source of retransmissions in its answer, and libwebrtc refuses a group without."},
	{repairDirection, "A client that has no senders none, or answers both to what was offered one way."},
	{"rejected, as stanza", "The way of stanza to reject a content: the SDP has port 0."},
	{"content: rejected", "The way of a client to reject a content: the SDP has port 0."},
	{"content: neither RTP nor", "An application that no browser has: file transfer."},
	{"no Jingle for the profile", "Jingle does not say the RTP profile; it is inferred from the encryption and the feedback."},
	{"neither RTP nor data", "No XEP for such media: fax, BFCP, MSRP."},
	{"no Jingle for the bandwidth of data", "XEP-0167 has a bandwidth for RTP only."},
	{"no Jingle for a bandwidth of the session", "XEP-0167 has a bandwidth for each description only."},
	{"m-line has no such payload type", "The m-line does not name it, so it means nothing."},
	{"without a=rtpmap", "Neither named nor assigned by RFC 3551, so that nobody can tell what it is."},
	{"no Jingle for messages of any size", "XEP-0343 has no size at all, and 0 is not one of those that clients add."},
	{"of a data channel", "Neither XEP-0343 nor the attributes that are added to it have it."},
	{"not in the offer", "An answer has nothing that its offer lacks: Firefox refuses it."},
	{"the DTLS role is", "Firefox changes its role in words only: in a section that joins a bundle, and in an answer to an ICE restart, which Chromium refuses."},
	{"a=setup: cannot be", "An answer that leaves the DTLS role open is refused by browsers."},
	{"XEP-0320 does not define", "The role of a call on hold before there is one; it does not concern DTLS."},
	{"without a value", "Conversations ends the call over it."},
	{"with a blank", "Conversations ends the call over it."},
	{"beside parameters with", "Conversations ends the call over it."},
	{"a=cryptex", "No XEP.  Kept in the description as Jitsi has it; without it header extensions are in the clear, as ever."},
	{"a=extmap-allow-mixed: no Jingle", "Said in a section of data channels, which has no header extensions."},
	{"network-id", "Networks of the writer's machine.  Chromium prefers pairs of cheap ones, and without knows those of its own side only."},
	{"network-cost", "Networks of the writer's machine.  Chromium prefers pairs of cheap ones, and without knows those of its own side only."},
	{"but for rtcp-mux", "Jingle asks for rtcp-mux and does not say that nothing else is taken; browsers take nothing else."},
	{"<description profile", "Of XEP-0167 before 2009; the profile is inferred."},
	{"<source ", "Jitsi's name and kind of a source, for its own application."},
	{"<ssrc-info", "Jitsi's owner of a source, for its own application."},
	{"address with a zone", "A zone is a name of the writer's machine only, and browsers refuse it."},
	{"no token of at most 16 bytes", "A mid has no blanks, and more than 16 bytes do not fit its header extension."},
	{repairTrack, "A section of SDP is one track: Plan B is gone."},
	{repairZRTP, "Browsers have DTLS, and that is there."},
	{"url of a candidate", "The TURN server that a relay candidate came from, which concerns the writer only."},
	{"no candidate of RFC 8839", "Of another transport than UDP and TCP, of an unknown type, or with a number out of range: browsers drop it too."},
	{"no m-line has the mid", "There is nothing to group."},
	{"the section says another", "A section can say it once; the last line holds, of mids the first."},
	{"s=: no Jingle", "The name of a session, for people, which XMPP has no place for."},
	{"t=: no Jingle", "Jingle sessions are now."},
	{"no number of streams since RFC 8841", "RFC 8841 dropped it: the association agrees on streams itself."},
	{"no Jingle for it at session level", "No XEP has a word for it."},
	{"no Jingle for it", "No XEP has a word for it."},
}
