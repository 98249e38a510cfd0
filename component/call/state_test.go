package call

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestTransitions goes through every state and step.  What the list does not name is refused and changes nothing.
func TestTransitions(t *testing.T) {
	legal := map[string]string{
		"offering -probe->":     "probing",
		"offering -propose->":   "proposed",
		"offering -dial->":      "calling",
		"offering -ring->":      "ringing",
		"probing -propose->":    "proposed",
		"probing -dial->":       "calling",
		"proposed -initiate->":  "initiated",
		"calling -accept->":     "connecting",
		"initiated -accept->":   "connecting",
		"ringing -proceed->":    "proceeded",
		"ringing -present->":    "answering",
		"proceeded -present->":  "answering",
		"answering -accept->":   "connecting",
		"connecting -connect->": "active",
	}
	for s := range Over {
		legal[s.String()+" -end->"] = "over"
	}
	for s := range stateCount {
		for p := range stepCount {
			name := s.String() + " -" + p.String() + "->"
			to, err := s.next(p)
			if want, ok := legal[name]; ok {
				if err != nil || to.String() != want {
					t.Errorf("%s %v, %v; want %s", name, to, err, want)
				}
				continue
			}
			var refused *transitionError
			if !errors.As(err, &refused) || to != s {
				t.Errorf("%s %v, %v; want it refused", name, to, err)
			}
		}
	}
}

// TestEveryStateEnds checks that each state but Active has a timer and each timer a duration, and that each outcome has its words.
func TestEveryStateEnds(t *testing.T) {
	for s := range Over {
		if d := deadlines[s]; (d.timer == noTimer) != (s == Active) {
			t.Errorf("%v: timer %v", s, d.timer)
		}
	}
	for timer := noTimer + 1; timer < timerCount; timer++ {
		if (Durations{}).Of(timer) <= 0 {
			t.Errorf("%v has no default", timer)
		}
		if strings.Contains(timer.String(), "(") {
			t.Errorf("timer %d has no name", int(timer))
		}
	}
	for _, o := range Outcomes() {
		if o.Sentence() == "" || o.Reason() == "" {
			t.Errorf("%s lacks a sentence or a reason", o)
		}
	}
	own := Durations{Ring: time.Second}
	if own.Of(TimerRing) != time.Second || own.Of(TimerGrace) != defaultDurations.Grace {
		t.Error("durations do not override one by one")
	}
}

// TestInputs puts each input to a call in each state and tells the state that follows.  A dot means that it stays.
func TestInputs(t *testing.T) {
	t.Run("outgoing", func(t *testing.T) { inputTable(t, outgoingPaths, outgoingTable) })
	t.Run("incoming", func(t *testing.T) { inputTable(t, incomingPaths, incomingTable) })
	t.Run("local", func(t *testing.T) { inputTable(t, localPaths, localTable) })
}

// names heads the transcripts of this file.
const names = `
name w1 anna@call.example.org/w1
name w2 anna@call.example.org/w2
name anna anna@call.example.org
name bob bob@example.org
name phone bob@example.org/phone
name desk bob@example.org/desk
name eve eve@example.net/x
name ben1 ben@call.example.org/w1
name ben ben@call.example.org
`

var outgoingPaths = map[string]string{
	"offering":   "call outgoing A1 w1 bob",
	"probing":    "call outgoing A1 w1 phone\nB> w1 offer @page/offer.audio.sdp",
	"proposed":   "call outgoing A1 w1 bob\nB> w1 offer @page/offer.audio.sdp",
	"calling":    "known phone 1 jingle ice rtp\ncall outgoing A1 w1 bob\nB> w1 offer @page/offer.audio.sdp",
	"initiated":  "call outgoing A1 w1 bob\nB> w1 offer @page/offer.audio.sdp\nX> phone w1 proceed A1",
	"connecting": "call outgoing A1 w1 bob\nB> w1 offer @page/offer.audio.sdp\nX> phone w1 proceed A1\nX> phone w1 iq a @conversations-2.19/session-accept.xml",
	"active":     "call outgoing A1 w1 bob\nB> w1 offer @page/offer.audio.sdp\nX> phone w1 proceed A1\nX> phone w1 iq a @conversations-2.19/session-accept.xml\nB> w1 media connected",
	"over":       "call outgoing A1 w1 bob\nB> w1 hang-up",
}

const outgoingTable = `
                                                      offering probing  proposed  calling    initiated  connecting active over
B> w1 offer @page/offer.audio.sdp                     proposed .        .         .          .          .          .      .
B> w1 offer rubbish                                   .        .        .         .          .          .          .      .
B> w1 answer @page/answer.audio.sdp                   .        .        .         .          .          .          .      .
B> w1 candidate 0 0 candidate:1 1 udp 1 192.0.2.1 9 typ host
                                                      .        .        .         .          .          .          .      .
B> w1 candidate 0 0                                   .        .        .         .          .          .          .      .
B> w1 accept                                          .        .        .         .          .          .          .      .
B> w1 decline                                         .        .        .         .          .          .          .      .
B> w1 hang-up                                         over     over     over      over       over       over       over   .
B> w2 hang-up                                         .        .        .         .          .          .          .      .
B> w1 media connected                                 .        .        .         .          .          active     .      .
B> w1 media disconnected                              .        .        .         .          .          .          .      .
B> w1 media failed                                    .        .        .         .          .          over       .      .
B> w1 info mute                                       .        .        .         .          .          .          .      .
B> w1 info ringing                                    .        .        .         .          .          .          .      .
B> w1 lost                                            .        .        .         .          .          .          .      .
B> w1 back                                            .        .        .         .          .          .          .      .
B> w1 gone                                            over     over     over      over       over       over       over   .
X> phone w1 propose A1 audio                          .        .        .         .          .          .          .      .
X> phone w1 ringing A1                                .        .        .         .          .          .          .      .
X> phone w1 proceed A1                                .        .        initiated .          .          .          .      .
X> eve w1 proceed A1                                  .        .        .         .          .          .          .      .
X> bob w1 proceed A1                                  .        .        .         .          .          .          .      .
X> phone w1 proceed A2                                .        .        .         .          .          .          .      .
X> phone w2 proceed A1                                .        .        .         .          .          .          .      .
X> phone w1 accept A1                                 .        .        .         .          .          .          .      .
X> phone w1 reject A1                                 .        .        over      .          over       .          .      .
X> desk w1 reject A1                                  .        .        over      .          .          .          .      .
X> phone w1 reject A1 tie-break                       .        .        over      .          over       .          .      .
X> tie-lost B1                                        over     over     over      over       .          .          .      .
X> tie-lost A1                                        over     over     over      over       .          .          .      .
X> eve w1 reject A1                                   .        .        .         .          .          .          .      .
X> phone w1 retract A1                                .        .        .         .          .          .          .      .
X> phone w1 finish A1                                 .        .        .         .          over       over       over   .
X> bob bounce jm-propose-A1 service-unavailable       .        .        over      .          .          .          .      .
X> phone w1 iq q session-initiate A1                  .        .        .         .          .          .          .      .
X> phone w1 iq q @conversations-2.19/session-accept.xml
                                                      .        .        .         connecting connecting .          .      .
X> phone w1 iq q session-accept A1                    .        .        .         over       over       .          .      .
X> desk w1 iq q session-accept A1                     .        .        .         .          .          .          .      .
X> phone w1 iq q session-terminate A1                 .        .        .         over       over       over       over   .
X> desk w1 iq q session-terminate A1                  .        .        .         .          .          .          .      .
X> phone w1 iq q transport-info A1                    .        .        .         .          .          .          .      .
X> phone w1 iq q session-info A1                      .        .        .         .          .          .          .      .
X> phone w1 iq q content-add A1 9 video               .        .        .         .          .          .          .      .
X> phone w1 iq q content-remove A1                    .        .        .         .          .          .          .      .
X> phone w1 iq q content-remove A1 9                  .        .        .         .          .          .          .      .
X> phone w1 iq q content-remove A1 0                  .        .        .         over       over       over       over   .
X> desk w1 iq q content-remove A1 0                   .        .        .         .          .          .          .      .
X> phone w1 iq q transport-replace A1 0               .        .        .         .          .          .          .      .
X> reply #1 result                                    .        over     .         .          .          .          .      .
X> reply #1 result jmi                                .        proposed .         .          .          .          .      .
X> reply #1 result jingle ice rtp                     .        calling  .         .          .          .          .      .
X> reply #1 error item-not-found                      .        over     .         over       over       .          .      .
X> reply #1 error remote-server-timeout               .        proposed .         over       over       .          .      .
X> phone unavailable                                  .        .        .         over       over       over       .      .
X> desk unavailable                                   .        .        .         .          .          .          .      .
T+ 9s                                                 .        .        .         .          .          .          .      .
T+ 61s                                                over     proposed over      over       over       over       .      .
S>                                                    over     over     over      over       over       over       over   .
S> failed                                             over     over     over      over       over       over       over   .
`

var incomingPaths = map[string]string{
	"ringing":    "call incoming w1\nX> phone anna propose C1 audio",
	"direct":     "call direct\nX> phone w1 iq q @conversations-2.19/session-initiate.xml",
	"proceeded":  "call incoming w1\nX> phone anna propose C1 audio video\nB> w1 accept",
	"answering":  "call incoming w1\nX> phone anna propose C1 audio video\nB> w1 accept\nX> phone w1 iq q @conversations-2.19/session-initiate.xml",
	"connecting": "call incoming w1\nX> phone anna propose C1 audio video\nB> w1 accept\nX> phone w1 iq q @conversations-2.19/session-initiate.xml\nB> w1 answer @page/answer.audio-video.sdp",
	"active":     "call incoming w1\nX> phone anna propose C1 audio video\nB> w1 accept\nX> phone w1 iq q @conversations-2.19/session-initiate.xml\nB> w1 answer @page/answer.audio-video.sdp\nB> w1 media connected",
	"over":       "call incoming w1\nX> phone anna propose C1 audio\nB> w1 decline",
}

const incomingTable = `
                                                      ringing   direct    proceeded answering  connecting active over
B> w1 offer @page/offer.audio.sdp                     .         .         .         .          .          .      .
B> w1 answer @page/answer.audio-video.sdp             .         .         .         connecting .          .      .
B> w1 answer rubbish                                  .         .         .         .          .          .      .
B> w1 candidate 0 0 candidate:1 1 udp 1 192.0.2.1 9 typ host
                                                      .         .         .         .          .          .      .
B> w1 accept                                          proceeded answering .         .          .          .      .
B> w2 accept                                          .         .         .         .          .          .      .
B> w1 decline                                         over      over      .         .          .          .      .
B> w1 hang-up                                         over      over      over      over       over       over   .
B> w1 media connected                                 .         .         .         .          active     .      .
B> w1 media disconnected                              .         .         .         .          .          .      .
B> w1 media failed                                    .         .         .         .          over       .      .
B> w1 lost                                            .         .         .         .          .          .      .
B> w1 gone                                            over      over      over      over       over       over   .
X> phone anna propose C1 audio                        .         .         .         .          .          .      .
X> desk anna propose C1 audio                         .         .         .         .          .          .      .
X> phone anna accept C1                               .         .         .         .          .          .      .
X> phone anna retract C1                              over      .         over      over       .          .      .
X> desk anna retract C1                               over      .         over      over       .          .      .
X> eve anna retract C1                                .         .         .         .          .          .      .
X> phone anna reject C1                               over      .         over      over       .          .      .
X> phone w1 finish C1                                 over      .         over      over       over       over   .
X> phone w1 proceed C1                                .         .         .         .          .          .      .
X> phone bounce jm-proceed-C1 item-not-found          .         .         over      .          .          .      .
X> phone bounce jm-ringing-C1 item-not-found          .         .         .         .          .          .      .
X> phone w1 iq q @conversations-2.19/session-initiate.xml
                                                      .         .         answering .          .          .      .
X> desk w1 iq q @conversations-2.19/session-initiate.xml
                                                      .         .         .         .          .          .      .
X> phone w2 iq q @conversations-2.19/session-initiate.xml
                                                      .         .         .         .          .          .      .
X> phone w1 iq q session-initiate C1                  .         .         over      .          .          .      .
X> phone w1 iq q session-accept C1                    .         .         .         .          .          .      .
X> phone w1 iq q session-terminate C1 cancel          .         over      .         over       over       over   .
X> phone w1 iq q transport-info C1                    .         .         .         .          .          .      .
X> phone w1 iq q content-add C1 9 video               .         .         .         .          .          .      .
X> phone w1 iq q content-remove C1 0                  .         .         .         .          .          .      .
X> tie-lost                                           .         .         .         .          .          .      .
X> reply #1 result                                    .         .         .         .          .          .      .
X> reply #2 error bad-request                         .         .         .         .          over       .      .
X> reply #3 error service-unavailable                 .         .         .         .          .          .      .
X> phone unavailable                                  over      over      over      over       over       .      .
X> desk unavailable                                   .         .         .         .          .          .      .
T+ 9s                                                 .         .         .         .          .          .      .
T+ 61s                                                over      over      over      over       over       .      .
S>                                                    over      over      over      over       over       over   .
S> failed                                             over      over      over      over       over       over   .
`

var localPaths = map[string]string{
	"offering":   "call local w1 ben ben1",
	"ringing":    "call local w1 ben ben1\nB> w1 offer @page/offer.audio.sdp",
	"answering":  "call local w1 ben ben1\nB> w1 offer @page/offer.audio.sdp\nB> ben1 accept",
	"connecting": "call local w1 ben ben1\nB> w1 offer @page/offer.audio.sdp\nB> ben1 accept\nB> ben1 answer @page/answer.audio.sdp",
	"active":     "call local w1 ben ben1\nB> w1 offer @page/offer.audio.sdp\nB> ben1 accept\nB> ben1 answer @page/answer.audio.sdp\nB> w1 media connected",
	"over":       "call local w1 ben ben1\nB> w1 hang-up",
}

const localTable = `
                                                      offering ringing   answering  connecting active over
B> w1 offer @page/offer.audio.sdp                     ringing  .         .          .          .      .
B> ben1 offer @page/offer.audio.sdp                   .        .         .          .          .      .
B> w1 answer @page/answer.audio.sdp                   .        .         .          .          .      .
B> ben1 answer @page/answer.audio.sdp                 .        .         connecting .          .      .
B> ben1 answer rubbish                                .        .         .          .          .      .
B> w1 accept                                          .        .         .          .          .      .
B> ben1 accept                                        .        answering .          .          .      .
B> w2 accept                                          .        .         .          .          .      .
B> w1 decline                                         .        .         .          .          .      .
B> ben1 decline                                       .        over      .          .          .      .
B> w1 hang-up                                         over     over      over       over       over   .
B> ben1 hang-up                                       .        over      over       over       over   .
B> w2 hang-up                                         .        .         .          .          .      .
B> ben1 media connected                               .        .         .          active     .      .
B> ben1 media disconnected                            .        .         .          .          .      .
B> ben1 media failed                                  .        .         .          over       .      .
B> w1 lost                                            .        .         .          .          .      .
B> ben1 lost                                          .        .         .          .          .      .
B> ben1 back                                          .        .         .          .          .      .
B> w1 gone                                            over     over      over       over       over   .
B> ben1 gone                                          over     over      over       over       over   .
X> eve w1 iq q session-terminate A1                   .        .         .          .          .      .
X> eve w1 proceed A1                                  .        .         .          .          .      .
X> eve unavailable                                    .        .         .          .          .      .
X> reply #1 error item-not-found                      .        .        .          .          .      .
X> tie-lost                                           .        .        .          .          .      .
T+ 9s                                                 .        .         .          .          .      .
T+ 61s                                                over     over      over       over       .      .
S>                                                    over     over      over       over       over   .
S> failed                                             over     over     over       over       over   .
`

// row is a line of a table: an input, and what it leads to in each column.
type row struct {
	input           string
	columns, states []string
}

func tableRows(t *testing.T, table string) []row {
	const width = 54
	lines := strings.Split(strings.Trim(table, "\n"), "\n")
	columns := strings.Fields(lines[0])
	var rows []row
	input := ""
	for _, line := range lines[1:] {
		if len(line) <= width || strings.TrimSpace(line[:width]) != "" && strings.TrimSpace(line[width-1:width]) != "" {
			input = strings.TrimSpace(line) // too long for one line: its states stand in the next
			continue
		}
		if head := strings.TrimSpace(line[:width]); head != "" {
			input = head
		}
		states := strings.Fields(line[width:])
		if len(states) != len(columns) {
			t.Fatalf("%s: %d states, want %d", input, len(states), len(columns))
		}
		rows = append(rows, row{input, columns, states})
	}
	return rows
}

// inputTable plays each path, then each input, and compares the state with the table's.
func inputTable(t *testing.T, paths map[string]string, table string) {
	for _, row := range tableRows(t, table) {
		for i, column := range row.columns {
			if got := stateAfter(t, paths[column], row.input); got != row.states[i] {
				t.Errorf("%s in state %s: %s, want %s", row.input, column, got, row.states[i])
			}
		}
	}
}

// stateAfter plays a path and an input, and returns the state that follows or a dot when it stays.
func stateAfter(t *testing.T, path, input string) string {
	r := newReplay(t)
	r.play(names + path)
	before := stateOf(r.machine)
	r.step(input)
	if after := stateOf(r.machine); after != before {
		return after.String()
	}
	return "."
}

func stateOf(m Machine) State {
	switch m := m.(type) {
	case *outgoing:
		return m.state
	case *incoming:
		return m.state
	}
	return m.(*local).state
}
