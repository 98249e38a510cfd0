package call

import (
	"fmt"
	"strings"

	"carillon/jingle"
)

// check holds the outputs of one input against what must always be true.
func (w *walk) check(in Input, out []Output) {
	wasOver, answers := w.ended, 0
	for _, o := range out {
		w.history = append(w.history, strings.Split(fmt.Sprintf("    %T %+v", o, o), "\n")[0])
		switch o := o.(type) {
		case Answer:
			answers++
		case SetTimer:
			w.running[o.Timer] = true
			if o.After <= 0 {
				delete(w.running, o.Timer)
			}
		case ToBrowser:
			w.event(o)
		case SendDisco:
			w.tags = append(w.tags, o.Tag)
		case SendPing:
			w.tags = append(w.tags, o.Tag)
		case SendRequest:
			w.tags = append(w.tags, o.Tag)
			w.request(o)
		case SendMessage:
			w.message(o)
		case Ended:
			w.ended = true
		}
		if refused, ok := o.(ToBrowser); wasOver && !isAnswer(o) && !(ok && isRefused(refused.Event)) {
			w.fail("%T after the end", o)
		}
	}
	w.exchange(in, out)
	_, asks := in.(PeerRequest)
	if asks != (answers == 1) || answers > 1 {
		w.fail("%d answers", answers)
	}
	if w.ended && len(w.running) > 0 {
		w.fail("timers after the end: %v", w.running)
	}
	w.negotiation()
	state := stateOf(w.machine)
	if w.ended != (state == Over) {
		w.fail("ended %v, state %v", w.ended, state)
	}
	if d := deadlines[state]; !w.ended && d.timer != noTimer && !w.running[d.timer] {
		w.fail("state %v without its timer", state)
	}
	if state == Active && w.kind != "local" && !w.running[TimerPing] {
		w.fail("an active call without a ping to come")
	}
	w.seen[state] = true
}

// negotiation: one at a time, with the timer that it needs, and no timer without it.
func (w *walk) negotiation() {
	var s *session
	switch m := w.machine.(type) {
	case *outgoing:
		s = &m.session
	case *incoming:
		s = &m.session
	}
	if s == nil || !s.state.accepted() {
		return
	}
	if s.neg != nil && s.neg.ours {
		w.changed[0]++
	} else if s.neg != nil {
		w.changed[1]++
	}
	change, answer, lost := w.running[TimerChange] || w.running[TimerAsk], w.running[TimerAnswer], s.pages.lost()
	switch {
	case s.neg == nil && (change || answer || len(s.queue) > 0):
		w.fail("timers %v or a queue of %d for no negotiation", w.running, len(s.queue))
	case s.neg != nil && s.neg.ours && (answer || !change):
		w.fail("an offer of the tab with the timers %v", w.running)
	case s.neg != nil && !s.neg.ours && (change || answer == lost):
		w.fail("an offer to the tab with the timers %v, lost %v", w.running, lost)
	}
}

// exchange follows offers and answers: each offer of a tab gets one answer, is refused, or gives way to an offer that the tab got.
func (w *walk) exchange(in Input, out []Output) {
	tab, _ := tabOf(in)
	name, silent, refused := tab.String(), len(out) == 0, false
	owed := w.owes[name]
	for _, o := range out {
		t, ok := o.(ToBrowser)
		refused = refused || ok && isRefused(t.Event) && t.Tab.Equal(tab)
	}
	switch in.(type) {
	case BrowserOffer:
		if silent && !owed {
			w.fail("silence")
		}
		w.asked[name] = w.asked[name] || !silent && !refused
	case BrowserAnswer:
		if silent && !owed {
			w.fail("silence")
		}
		if !refused {
			w.owes[name] = false
		}
	case BrowserCross:
		if silent {
			w.fail("silence")
		}
		w.owes[name] = owed || !refused // the offer comes when the caller has made it
	default:
		if wantsAnswer(in) && silent {
			w.fail("silence")
		}
	}
	for _, o := range out {
		t, ok := o.(ToBrowser)
		if !ok {
			continue
		}
		switch name := t.Tab.String(); t.Event.(type) {
		case RemoteOffer:
			w.asked[name], w.owes[name] = false, true
		case RemoteAnswer:
			if !w.asked[name] {
				w.fail("an answer to nothing")
			}
			w.asked[name] = false
		}
	}
}

// wantsAnswer tells whether an input is something that a tab asks for.
func wantsAnswer(in Input) bool {
	switch in.(type) {
	case BrowserOffer, BrowserAnswer, BrowserAccept, BrowserCross, BrowserDecline, BrowserHangUp:
		return true
	}
	return false
}

func isAnswer(o Output) bool { _, ok := o.(Answer); return ok }
func isRefused(e Event) bool { _, ok := e.(Refused); return ok }

func (w *walk) event(o ToBrowser) {
	tab := o.Tab.String()
	if isRefused(o.Event) {
		return
	}
	if w.told[tab] == 2 {
		w.fail("%T for %s after its end", o.Event, tab)
	}
	switch o.Event.(type) {
	case Finished:
		w.told[tab] = 2
		return
	case RemoteOffer, RemoteAnswer:
		w.described[tab] = true
	case RemoteCandidate:
		if !w.described[tab] {
			w.fail("a candidate before the description")
		}
	}
	w.told[tab] = 1
}

func (w *walk) request(o SendRequest) {
	switch o.Jingle.Action {
	case jingle.SessionInitiate, jingle.SessionAccept:
		if w.opened && !(o.For.AcceptsWhole && o.Jingle.Action == jingle.SessionAccept) {
			w.fail("a second %s", o.Jingle.Action)
		}
		w.opened = true
	case jingle.TransportInfo:
		if !w.opened {
			w.fail("a transport-info before the description")
		}
	case jingle.SessionTerminate:
		w.withdrawn()
	}
	if o.To.Resourcepart() == "" || o.From.Resourcepart() == "" {
		w.fail("a session between %v and %v", o.From, o.To)
	}
}

func (w *walk) message(o SendMessage) {
	if o.Message.Kind == jingle.Reject || o.Message.Kind == jingle.Retract && o.To.Resourcepart() == "" {
		w.withdrawn()
	}
}

// withdrawn counts what ends a call for the peer.
func (w *walk) withdrawn() {
	if w.terminated++; w.terminated > 1 || w.ended {
		w.fail("the call is taken back twice")
	}
}
