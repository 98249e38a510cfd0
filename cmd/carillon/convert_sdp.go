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
	return c.write(jingle.Stanza{Action: action, SID: c.sid, Contents: d.Contents, Groups: d.Groups}, func(content jingle.Content) (int, string) {
		return directionLine(sdp, after.Find(content.Creator, content.Name))
	}), nil
}

// write returns the stanza as the client takes it.  Some take no senders none, and are told that only they may send; directionLine finds the line that
// said so.
func (c *conversion) write(s jingle.Stanza, directionLine func(jingle.Content) (int, string)) string {
	e := c.client.Element(s, c.author)
	if written, err := jingle.ParseStanza(e); err == nil {
		meant := c.client.Read(written, c.author)
		for i, content := range s.Contents {
			if i < len(meant.Contents) && content.Senders == jingle.SendersNone && meant.Contents[i].Senders != jingle.SendersNone {
				number, text := directionLine(content)
				c.lose(number, text, "written as senders "+string(meant.Contents[i].Senders)+": strict clients take no senders none")
			}
		}
	}
	return string(e.AppendIndent(nil, "")) + "\n"
}

// directionLine finds the line that makes an m-line inactive, by its index: one of its own, else one of the session.
func directionLine(sdp string, index int) (number int, text string) {
	at := -1
	for n, l := range strings.Split(sdp, "\r\n") {
		switch {
		case strings.HasPrefix(l, "m="):
			at++
		case l == "a=inactive" && (at == index || at < 0):
			number = n + 1
		}
	}
	return number, "a=inactive"
}

func noTwin(a jingle.Action) error {
	return fmt.Errorf("%s has no SDP; those that have are %v", a, actions[:5])
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
		_, lines, _, err = sdpconv.ToSDP(c.description(c.offer.stanza, by), by, sdpconv.Offer, nil, sdpconv.Origin{})
	default:
		_, lines, _, err = sdpconv.FromSDP(c.offer.text, by, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("the offer %s: %w", c.offer.name, err)
	}
	return lines, nil
}

// description is what the party that wrote the stanza means by it.
func (c *conversion) description(s *jingle.Stanza, by jingle.Role) jingle.Description {
	meant := c.client.Read(*s, by)
	return jingle.Description{Contents: meant.Contents, Groups: meant.Groups}
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
	out, _, losses, err := sdpconv.ToSDP(c.description(s, c.author), c.author, kind, lines, c.origin(s))
	if err != nil {
		return "", err
	}
	c.losses = append(c.losses, losses...)
	return out, nil
}

// accepted returns the lines of an offer of which nothing is known but what was accepted.
func (c *conversion) accepted(s *jingle.Stanza) (sdpconv.Lines, error) {
	_, lines, _, err := sdpconv.ToSDP(c.description(s, c.author), c.author, sdpconv.Offer, nil, sdpconv.Origin{})
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
