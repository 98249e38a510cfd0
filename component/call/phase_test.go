package call

import (
	"strings"
	"testing"
)

// phase is where the change of a call stands: nothing, an action of ours that waits for its result, a proposal that waits for the peer, a tie that
// waits for the peer's action, or an offer that waits for the tab.
func phase(m Machine) string {
	s := &m.(*outgoing).session
	switch n := s.neg; {
	case s.state == Over:
		return "over"
	case n == nil:
		return "stable"
	case !n.ours:
		return "offered"
	case n.tied:
		return "tied"
	case n.current != nil:
		return "sent"
	}
	return "asked"
}

const changedBase = "call outgoing A1 w1 bob\nB> w1 offer @page/offer.audio.sdp\nX> phone w1 proceed A1\nX> reply #2 client Conversations data\n" +
	"X> phone w1 iq a @conversations-2.19/session-accept.xml\nX> results\nB> w1 media connected\n"

var phasePaths = map[string]string{
	"stable":  changedBase,
	"sent":    changedBase + "B> w1 offer @page/calling/offer.video.sdp",
	"asked":   changedBase + "B> w1 offer @page/calling/offer.video.sdp\nX> reply #4 result",
	"restart": changedBase + "B> w1 offer @page/calling/offer.restart.sdp\nX> reply #4 result",
	"offered": changedBase + "X> phone w1 iq q @conversations-2.19/content-add.xml",
	"late":    changedBase + "X> phone w1 iq q @conversations-2.19/content-add.xml\nT+ 16s",
	"over":    changedBase + "B> w1 hang-up",
}

// phaseTable tells what each input makes of each phase, for a call of ours to Conversations.  A dot means that it stays.
const phaseTable = `
                                                      stable  sent    asked   restart offered late    over
B> w1 offer @page/calling/offer.same.sdp              .       .       .       .       .       .       .
B> w1 offer @page/calling/offer.video.sdp             sent    .       .       .       .       sent    .
B> w1 offer @page/calling/offer.restart.sdp           sent    .       .       .       .       sent    .
B> w1 offer @page/calling/offer.rekeyed.sdp           .       .       .       .       .       .       .
B> w1 offer rubbish                                   .       .       .       .       .       .       .
B> w1 answer @page/calling/answer.same.sdp            .       .       .       .       .       .       .
B> w1 answer @page/calling/answer.video.sdp           .       .       .       .       stable  offered .
B> w1 answer @page/calling/answer.video-rejected.sdp  .       .       .       .       stable  .       .
B> w1 answer rubbish                                  .       .       .       .       .       .       .
B> w1 candidate 0 0 candidate:1 1 udp 1 192.0.2.1 9 typ host
                                                      .       .       .       .       .       .       .
B> w1 info mute                                       .       .       .       .       .       .       .
B> w1 media disconnected                              .       .       stable  .       .       .       .
B> w1 media failed                                    .       .       stable  .       .       .       .
B> w1 lost                                            .       .       .       .       .       .       .
B> w1 back                                            .       .       .       .       .       .       .
B> w1 gone                                            over    over    over    over    over    over    .
B> w1 hang-up                                         over    over    over    over    over    over    .
X> reply #4 result                                    .       asked   .       .       .       .       .
X> reply #4 error conflict                            .       stable  .       .       .       .       .
X> reply #4 error feature-not-implemented             .       stable  .       .       .       .       .
X> reply #9 result                                    .       .       .       .       .       .       .
X> phone w1 iq q @conversations-2.19/content-add.xml  offered .       .       .       .       offered .
X> phone w1 iq q @conversations-2.19/content-accept.xml
                                                      .       stable  stable  .       .       .       .
X> phone w1 iq q @conversations-2.19/content-reject.xml
                                                      .       stable  stable  .       .       .       .
X> phone w1 iq q @conversations-2.19/content-modify.xml
                                                      .       asked   .       .       .       .       .
X> phone w1 iq q @conversations-2.19/content-remove.xml
                                                      .       .       .       .       .       .       .
X> phone w1 iq q content-remove A1 0                  over    over    over    over    over    over    .
X> phone w1 iq q content-modify A1 0 initiator        offered .       .       .       .       offered .
X> phone w1 iq q content-modify A1 7 both             .       .       .       .       .       .       .
X> phone w1 iq q @conversations-2.19/transport-info.restart.audio.xml
                                                      offered offered offered .       .       offered .
X> phone w1 iq q @conversations-2.19/transport-info.restarted.xml
                                                      offered offered offered stable  .       offered .
X> phone w1 iq q transport-info A1 0 cV3r candidate:11 1 udp 1 192.0.2.1 9 typ host
                                                      .       .       .       .       .       .       .
X> phone w1 iq q @mystery/transport-replace.xml       offered .       .       .       .       offered .
X> phone w1 iq q @faulty/transport-replace.raw.xml    .       .       .       .       .       .       .
X> phone w1 iq q @faulty/content-add.file.xml         .       .       .       .       .       .       .
X> phone w1 iq q @faulty/content-add.unencrypted.xml  .       .       .       .       .       .       .
X> phone w1 iq q description-info A1                  .       .       .       .       .       .       .
X> phone w1 iq q session-info A1 mute                 .       .       .       .       .       .       .
X> phone w1 iq q @conversations-2.19/session-accept.xml
                                                      .       .       .       .       .       .       .
X> phone w1 iq q session-initiate A1                  .       .       .       .       .       .       .
X> phone w1 iq q session-terminate A1 success         over    over    over    over    over    over    .
X> desk w1 iq q @conversations-2.19/content-add.xml   .       .       .       .       .       .       .
X> phone w1 finish A1                                 over    over    over    over    over    over    .
X> phone unavailable                                  .       .       .       .       .       .       .
T+ 11s                                                .       stable  .       stable  .       .       .
T+ 16s                                                .       stable  .       stable  stable  .       .
T+ 61s                                                .       stable  stable  stable  stable  .       .
S>                                                    over    over    over    over    over    over    .
`

// TestPhases puts each input to a call in each phase of a change.
func TestPhases(t *testing.T) {
	for _, row := range tableRows(t, phaseTable) {
		for i, column := range row.columns {
			r := newReplay(t)
			r.play(names + phasePaths[column])
			before := phase(r.machine)
			r.step(row.input)
			after := phase(r.machine)
			if after == before {
				after = "."
			}
			if after != row.states[i] {
				t.Errorf("%s in %s: %s, want %s", row.input, column, after, row.states[i])
			}
		}
	}
	for column, path := range phasePaths {
		r := newReplay(t)
		r.play(names + path)
		if got := phase(r.machine); got != column && !strings.Contains("restart asked late stable", column+" "+got) {
			t.Errorf("%s begins in %s", column, got)
		}
	}
}
