package main

import (
	"fmt"
	"hash/fnv"
	"strings"

	"carillon/jingle"
	"carillon/sdpconv"
)

// fromSDP returns the stanza of an SDP.
func (c *conversion) fromSDP(sdp string) (string, error) {
	action := c.action
	switch {
	case action == "" && c.author == jingle.Responder:
		action = jingle.SessionAccept
	case action == "":
		action = jingle.SessionInitiate
	case action == jingle.TransportInfo:
		return "", fmt.Errorf("expected a=mid and a=candidate lines for a %s, got a whole SDP", action)
	case !whole(action):
		return "", noTwin(action)
	}
	lines, err := c.offered()
	if err != nil {
		return "", err
	}
	d, after, losses, err := sdpconv.FromSDP(sdp, c.author, lines)
	if err != nil {
		return "", err
	}
	c.losses = append(c.losses, losses...)
	if lines == nil {
		c.loseRejected(sdp, after)
	}
	return c.write(jingle.Stanza{Action: action, SID: c.sid, Contents: d.Contents, Groups: d.Groups}), nil
}

func (c *conversion) write(s jingle.Stanza) string {
	return string(s.Element().AppendIndent(nil, "")) + "\n"
}

func noTwin(a jingle.Action) error {
	return fmt.Errorf("%s has no SDP; those that have are %v", a, actions[:5])
}

// loseRejected reports the m-lines of port 0 of an SDP: with the offer at hand, an answer rejects by leaving the content out.
func (c *conversion) loseRejected(sdp string, lines sdpconv.Lines) {
	reported := map[int]bool{}
	for _, l := range c.losses {
		reported[l.Number] = true
	}
	i := 0
	for n, text := range strings.Split(sdp, "\r\n") {
		if !strings.HasPrefix(text, "m=") || i >= len(lines) {
			continue
		}
		if lines[i].State != sdpconv.Live && !reported[n+1] {
			c.lose(n+1, text, "rejected; Jingle says so by leaving out what was offered, and the offer is not known")
		}
		i++
	}
}

// offered returns the m-lines of the offer, nil when none was given.
func (c *conversion) offered() (sdpconv.Lines, error) {
	if c.offer == nil {
		return nil, nil
	}
	var lines sdpconv.Lines
	var err error
	switch by := c.author.Other(); {
	case c.offer.fragment, c.offer.stanza != nil && !whole(c.offer.stanza.Action):
		err = fmt.Errorf("expected an SDP, or one of %v, as the offer", actions[:4])
	case c.offer.stanza != nil:
		_, lines, _, err = sdpconv.ToSDP(description(c.offer.stanza), by, sdpconv.Offer, nil, sdpconv.Origin{})
	default:
		_, lines, _, err = sdpconv.FromSDP(c.offer.text, by, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("the offer %s: %w", c.offer.name, err)
	}
	return lines, nil
}

func description(s *jingle.Stanza) jingle.Description {
	return jingle.Description{Contents: s.Contents, Groups: s.Groups}
}

// fromStanza returns the SDP of a stanza.
func (c *conversion) fromStanza(s *jingle.Stanza) (string, error) {
	if !c.authored && s.Action == jingle.SessionAccept {
		c.author = jingle.Responder
	}
	if s.Action != jingle.TransportInfo && !whole(s.Action) {
		return "", noTwin(s.Action)
	}
	lines, err := c.offered()
	if err != nil {
		return "", err
	}
	c.loseRest(s)
	if s.Action == jingle.TransportInfo {
		return c.toFragment(s, lines), nil
	}
	kind := sdpconv.Offer
	if s.Action == jingle.SessionAccept || s.Action == jingle.ContentAccept {
		kind = sdpconv.Answer
	}
	if kind == sdpconv.Answer && lines == nil {
		if lines, err = c.accepted(s); err != nil {
			return "", err
		}
	}
	out, _, losses, err := sdpconv.ToSDP(description(s), c.author, kind, lines, c.origin(s))
	if err != nil {
		return "", err
	}
	c.losses = append(c.losses, losses...)
	return out, nil
}

// accepted returns the lines of an offer of which nothing is known but what was accepted.
func (c *conversion) accepted(s *jingle.Stanza) (sdpconv.Lines, error) {
	_, lines, _, err := sdpconv.ToSDP(description(s), c.author, sdpconv.Offer, nil, sdpconv.Origin{})
	for i := range lines {
		lines[i].Offered = sdpconv.Offered{Setup: jingle.SetupActpass, Bundled: lines[i].Offered.Bundled}
	}
	return lines, err
}

// origin derives the id from the session, so that the same stanza always gives the same SDP.
func (c *conversion) origin(s *jingle.Stanza) sdpconv.Origin {
	h := fnv.New64a()
	h.Write([]byte(s.SID))
	h.Write([]byte{byte(c.author)})
	return sdpconv.Origin{ID: h.Sum64() >> 1, Version: 1}
}

// loseRest reports what stands beside the contents.
func (c *conversion) loseRest(s *jingle.Stanza) {
	if s.Reason != nil {
		c.lose(0, "<reason/> "+string(s.Reason.Condition), "no SDP for it")
	}
	for _, e := range s.Info {
		c.lose(0, "<"+e.Local+" xmlns='"+e.Space+"'/>", "no SDP for it")
	}
}
