package main

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

// changing is a change by the caller on its way: an SDP offer as the actions that say it.
type changing struct {
	leg     *callerLeg
	want    jingle.Session
	offered sdpconv.Lines
	todo    []jingle.Stanza
	waiting string // id of the action that is out
}

// apply takes an action into the session.
func (c *caller) apply(a jingle.Stanza, by jingle.Role) {
	next, err := sdpconv.Apply(c.session, a, by)
	if err != nil {
		c.t.Errorf("%s by the %s: %v", a.Action, by, err)
		return
	}
	c.session = next
}

// says returns those of the contents that a leg carries.
func (c *caller) says(l *callerLeg, contents []jingle.Content) []jingle.Content {
	var mine []jingle.Content
	for _, x := range contents {
		if named(l.description.Contents, x.Creator, x.Name) != nil {
			mine = append(mine, x)
		}
	}
	return mine
}

// forLeg is what the echo says of a leg's contents, in one BUNDLE group as pion knows no other form.
func (c *caller) forLeg(l *callerLeg, t sdpconv.Type) jingle.Description {
	d := jingle.Description{Contents: c.says(l, sdpconv.Describe(c.session, jingle.Responder, t).Contents)}
	group := jingle.Group{Semantics: "BUNDLE"}
	for _, x := range d.Contents {
		group.Names = append(group.Names, x.Name)
	}
	d.Groups = []jingle.Group{group}
	return d
}

func (l *callerLeg) origin() sdpconv.Origin {
	l.version++
	return sdpconv.Origin{ID: 2, Version: l.version}
}

// answered gives a leg the answer to its offer.
func (c *caller) answered(l *callerLeg, offered sdpconv.Lines) {
	d := c.forLeg(l, sdpconv.Answer)
	sdp, lines, _, err := sdpconv.ToSDP(d, jingle.Responder, sdpconv.Answer, retired(offered, d.Contents), l.origin())
	if err == nil {
		err = l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
	}
	if err != nil {
		c.t.Errorf("answer: %v\n%s", err, sdp)
		return
	}
	l.lines = lines
}

// change offers what a leg's peer connection has become.
func (c *caller) change(l *callerLeg, options *webrtc.OfferOptions) {
	c.t.Helper()
	c.turn.Lock()
	defer c.turn.Unlock()
	c.changeInTurn(l, options)
}

// changeInTurn is change for who has the turn.
func (c *caller) changeInTurn(l *callerLeg, options *webrtc.OfferOptions) {
	c.t.Helper()
	offer, err := l.pc.CreateOffer(options)
	c.must(err)
	d, offered, _, err := sdpconv.FromSDP(offer.SDP, jingle.Initiator, l.lines)
	c.must(err)
	c.mu.Lock()
	l.description = d
	c.mu.Unlock()
	if !c.bundled {
		l.likeDino(l.lines[0].Name)
	}
	c.must(l.pc.SetLocalDescription(offer))
	c.say(l, offered)
}

// described is what the caller's legs say.
func (c *caller) described() jingle.Description {
	var all jingle.Description
	for _, x := range c.legs {
		all.Contents = append(all.Contents, x.description.Contents...)
		all.Groups = append(all.Groups, x.description.Groups...)
	}
	return all
}

// say begins to tell what a leg offers now.
func (c *caller) say(l *callerLeg, offered sdpconv.Lines) {
	want, _ := sdpconv.Propose(c.session, jingle.Initiator, c.described())
	todo, _ := sdpconv.Diff(c.session, want, jingle.Initiator, c.profile) // what is lost is codecs that the echo does not have
	if len(todo) == 0 {
		c.t.Error("an offer that changes nothing")
	}
	c.changing = &changing{leg: l, want: want, offered: offered, todo: todo}
	c.goOn()
}

// goOn sends the next action, or ends the change when nothing is owed any more.
func (c *caller) goOn() {
	x := c.changing
	if x == nil || x.waiting != "" {
		return
	}
	if len(x.todo) > 0 {
		x.waiting = c.request(x.todo[0])
		return
	}
	owed := slices.ContainsFunc(c.session.Contents, func(s jingle.Shared) bool { return s.ICE[jingle.Responder].Owed })
	if c.session.Pending(jingle.Initiator) || owed {
		return
	}
	c.session = sdpconv.Settle(c.session, x.want, jingle.Initiator)
	if !c.byHand {
		c.answered(x.leg, x.offered)
	}
	c.changing = nil
	c.settled <- struct{}{}
}

// reply is the echo's to a request.
func (c *caller) reply(e *element.Element) {
	x, id := c.changing, e.Attr("id")
	if _, tried := c.tries[id]; tried {
		c.tries[id] = e.Attr("type")
		c.settled <- struct{}{}
		return
	}
	if e.Attr("type") == "error" {
		c.t.Errorf("a request was refused: %s", e)
		return
	}
	if x != nil && x.waiting == id {
		c.apply(x.todo[0], jingle.Initiator)
		x.todo, x.waiting = x.todo[1:], ""
		c.goOn()
		c.letGo()
	}
}

// letGo sends the candidates that had to wait for the action which tells their credentials.
func (c *caller) letGo() {
	if c.changing != nil && len(c.changing.todo) > 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, content := range c.held {
		c.request(jingle.Stanza{Action: jingle.TransportInfo, Contents: []jingle.Content{content}})
	}
	c.held = nil
}

// try sends a request and returns "result" or "error".
func (c *caller) try(s jingle.Stanza) string {
	c.t.Helper()
	c.turn.Lock()
	id := c.request(s)
	c.tries[id] = ""
	c.turn.Unlock()
	c.wait("a reply")
	c.turn.Lock()
	defer c.turn.Unlock()
	return c.tries[id]
}

func (c *caller) wait(what string) {
	c.t.Helper()
	soon(c.t, what, c.settled)
}

// soon is the next value.
func soon[T any](t *testing.T, what string, values <-chan T) T {
	t.Helper()
	select {
	case v := <-values:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

// refuses answers an ICE restart that crosses the caller's own: it is the initiator.
func (c *caller) refuses(iq *element.Element, s jingle.Stanza) bool {
	if x := c.changing; x == nil || x.waiting == "" || !sdpconv.Tie(c.session, x.todo[0], s, jingle.Initiator) {
		return false
	}
	c.t.Logf("tie: %s", s.Action)
	_ = c.send(element.New("", "iq", "type", "error", "id", iq.Attr("id"), "to", iq.Attr("from")).Append(jingle.ErrTieBreak.Element()))
	return true
}

// take takes an action of the echo: as the answer to the caller's own, or as a change that the caller agrees to.
func (c *caller) take(s jingle.Stanza) {
	if s.Action == jingle.SessionInfo {
		c.told <- s
		return
	}
	before := c.session
	c.apply(s, jingle.Responder)
	if x := c.changing; x != nil {
		c.goOn()
	} else if !c.byHand && sdpconv.Renegotiates(before, c.session, jingle.Responder) {
		c.respond(s)
	}
	if s.Action == jingle.TransportInfo {
		if len(s.Contents[0].ICE.Candidates) > 0 {
			c.candidates(s)
		}
		return
	}
	c.told <- s
}

// reconnected waits until a leg has left the connected state for an ICE restart and come back, or has done so before.
func (c *caller) reconnected(l *callerLeg) {
	c.t.Helper()
	for {
		c.turn.Lock()
		restarted := l.restarts
		c.turn.Unlock()
		if restarted > 0 {
			break
		}
		soon(c.t, "an ICE restart of the echo", c.restarted)
	}
	c.turn.Lock()
	l.restarts--
	c.turn.Unlock()
}

// respond lets the peer connections answer what the echo has changed, and tells it what they answer.
func (c *caller) respond(s jingle.Stanza) {
	if s.Action == jingle.ContentAdd && c.rejects {
		reject := jingle.Stanza{
			Action: jingle.ContentReject, Reason: &jingle.Reason{Condition: jingle.Decline},
			Contents: []jingle.Content{{Creator: jingle.Responder, Name: s.Contents[0].Name}},
		}
		c.apply(reject, jingle.Initiator)
		c.request(reject)
		return
	}
	if s.Action == jingle.ContentAdd && !c.bundled {
		c.joinLeg(s.Contents[0])
	}
	for _, l := range c.legs {
		if len(c.forLeg(l, sdpconv.Offer).Contents) == 0 && len(l.lines) == 0 {
			continue
		}
		if c.bundled && s.Action == jingle.ContentAdd {
			c.mu.Lock()
			l.description.Contents = append(l.description.Contents, s.Contents[0])
			c.mu.Unlock()
		}
		before := l.description
		c.offered(l)
		if s.Action == jingle.TransportInfo && len(before.Contents) > 0 && before.Contents[0].ICE.Ufrag != l.description.Contents[0].ICE.Ufrag {
			l.restarts++
			c.restarted <- struct{}{}
		}
	}
	want := sdpconv.Respond(c.session, jingle.Initiator, c.described())
	actions, _ := sdpconv.Diff(c.session, want, jingle.Initiator, c.profile)
	for _, a := range actions {
		c.apply(a, jingle.Initiator)
		c.request(a)
	}
	c.session = sdpconv.Settle(c.session, want, jingle.Initiator)
}

// joinLeg makes a leg for a content that the echo adds with a transport of its own.
func (c *caller) joinLeg(x jingle.Content) {
	l := c.newLeg()
	l.description = jingle.Description{Contents: []jingle.Content{x}}
}

// offered lets a leg answer what the echo says now.
func (c *caller) offered(l *callerLeg) {
	d := c.forLeg(l, sdpconv.Offer)
	if len(l.lines) > 0 {
		soon(c.t, "ICE", l.started)
	}
	if len(d.Contents) == 0 {
		c.mu.Lock()
		l.description.Contents = nil
		c.mu.Unlock()
		return
	}
	sdp, lines, _, err := sdpconv.ToSDP(d, jingle.Responder, sdpconv.Offer, retired(l.lines, d.Contents), l.origin())
	c.must(err)
	c.must(l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}))
	answer, err := l.pc.CreateAnswer(nil)
	c.must(err)
	described, lines, _, err := sdpconv.FromSDP(answer.SDP, jingle.Initiator, lines)
	c.must(err)
	if !c.bundled {
		described.Groups = nil
	}
	c.mu.Lock()
	l.description, l.lines = described, lines
	c.mu.Unlock()
	c.must(l.pc.SetLocalDescription(answer))
}

// count is how many packets of a kind came back so far.
func (l *callerLeg) count(kind string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[kind]
}

// again makes hear count from now on.
func (l *callerLeg) again(kinds ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, kind := range kinds {
		l.counts[kind], l.heard[kind] = 0, make(chan int, 1)
	}
}

// hears waits until enough of a kind came back.
func (c *caller) hears(l *callerLeg, kind string) {
	c.t.Helper()
	l.mu.Lock()
	if l.heard[kind] == nil {
		l.heard[kind] = make(chan int, 1)
		if l.counts[kind] >= enough {
			l.heard[kind] <- enough
		}
	}
	heard := l.heard[kind]
	l.mu.Unlock()
	select {
	case <-heard:
	case reason := <-c.ended:
		c.t.Fatalf("the echo ended the call: %s", reason)
	case <-time.After(20 * time.Second):
		c.t.Fatalf("no %s came back", kind)
	}
}

// until waits until a kind came back so often.
func (l *callerLeg) until(t *testing.T, kind string, n int) {
	t.Helper()
	for l.count(kind) < n {
		soon(t, kind, l.news)
	}
}

// chatOnly says a word.
func (c *caller) chatOnly(word string) error {
	return c.send(element.New("", "message", "type", "chat", "id", newID(), "to", c.peer).Append(element.New("", "body").WithText(word)))
}

// chat says a word to the echo and waits for its reply.
func (c *caller) chat(word string) string {
	c.t.Helper()
	c.must(c.chatOnly(word))
	return soon(c.t, "a reply to "+word, c.said)
}

// says waits until a track has sent n more packets.
func (c *caller) sends(track *callerTrack, n int) {
	c.t.Helper()
	for range n {
		soon(c.t, "a packet of our own", track.said)
	}
}

// silent expects that nothing of a kind comes back while the caller says enough.
func (c *caller) silent(l *callerLeg, kind string) {
	c.t.Helper()
	c.sends(l.tracks[kind], 5) // what was on its way
	before := l.count(kind)
	c.sends(l.tracks[kind], enough)
	if after := l.count(kind); after != before {
		c.t.Errorf("%d packets of %s came back", after-before, kind)
	}
}

// press sends a digit (RFC 4733 section 2.5.1.4): an event as several packets with one timestamp, the last one three times.
func (c *caller) press(l *callerLeg, event byte) {
	track := l.tracks["audio"]
	track.mu.Lock()
	began := track.timestamp
	track.mu.Unlock()
	for i := range 6 {
		duration, end := min(i+1, 4)*960, byte(0)
		if i >= 3 {
			end = 0x80
		}
		track.say("audio/telephone-event/48000", began, i == 0, []byte{event, end | 10, byte(duration >> 8), byte(duration)})
	}
}
