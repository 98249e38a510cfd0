package main

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"carillon/jingle"
	"carillon/jingle/element"
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
	offer, lines, err := c.offered()
	if err != nil {
		return "", err
	}
	d, after, losses, err := sdpconv.FromSDP(sdp, c.author, lines)
	c.losses = append(c.losses, losses...)
	if err != nil {
		return "", err
	}
	s := c.acceptWhole(jingle.Stanza{Action: action, SID: c.sid, Contents: d.Contents, Groups: d.Groups}, offer, sdp, after)
	e, err := c.written(s)
	if err != nil {
		return "", err
	}
	if written, jerr := jingle.ParseStanza(e); jerr == nil {
		c.compareClient(s, &written, sdp, after)
	}
	return indented(e), nil
}

// written returns a stanza as the client gets it.
func (c *conversion) written(s jingle.Stanza) (*element.Element, error) {
	text := c.client.AppendTo(nil, "", s, c.author)
	return element.Parse(text, element.Limits{Elements: len(text), Bytes: len(text)})
}

func indented(e *element.Element) string { return string(e.AppendIndent(nil, "")) + "\n" }

func noTwin(a jingle.Action) error {
	return fmt.Errorf("%s has no SDP; those that have are %v", a, actions[:5])
}

// offered returns the offer and its m-lines, nil when none was given.
func (c *conversion) offered() (d jingle.Description, lines sdpconv.Lines, err error) {
	if c.offer == nil {
		return d, nil, nil
	}
	switch by := c.author.Other(); {
	case c.offer.fragment, c.offer.stanza != nil && !whole(c.offer.stanza.Action):
		err = fmt.Errorf("expected an SDP, or one of %v, as the offer", actions[:4])
	case c.offer.stanza != nil:
		d = c.description(c.offer.stanza, by)
		_, lines, _, err = c.anySDP(d, by, sdpconv.Offer, nil, sdpconv.Origin{})
		err = c.offer.blame(err)
	default:
		d, lines, _, err = sdpconv.FromSDP(c.offer.text, by, nil)
	}
	if err != nil {
		return d, nil, fmt.Errorf("the offer %s: %w", c.offer.name, err)
	}
	return d, lines, nil
}

// anySDP writes for a browser what a browser can take, else for others, such as SIP phones, unless the stanza had a fingerprint that could not be
// read.
func (c *conversion) anySDP(d jingle.Description, author jingle.Role, t sdpconv.Type, l sdpconv.Lines, o sdpconv.Origin) (string, sdpconv.Lines, []sdpconv.Loss, error) {
	text, after, losses, err := sdpconv.ToSDP(d, author, t, l, o)
	if !c.encrypted && (errors.Is(err, sdpconv.ErrNotEncrypted) || errors.Is(err, sdpconv.ErrNoICE)) {
		if text, after, more, plainErr := sdpconv.ToPlainSDP(d, author, t, l, o); plainErr == nil {
			return text, after, more, nil
		}
	}
	return text, after, losses, err
}

// description is what the party that wrote the stanza means by it.
func (c *conversion) description(s *jingle.Stanza, by jingle.Role) jingle.Description {
	meant := c.client.Read(*s, by)
	return jingle.Description{Contents: meant.Contents, Groups: meant.Groups}
}

// fromStanza returns the SDP of a stanza.
func (c *conversion) fromStanza(doc *document) (string, error) {
	s := doc.stanza
	if !c.authored && s.Action == jingle.SessionAccept {
		c.author = jingle.Responder
	}
	if s.Action != jingle.TransportInfo && !whole(s.Action) {
		return "", noTwin(s.Action)
	}
	_, lines, err := c.offered()
	if err != nil {
		return "", err
	}
	c.loseRest(s)
	c.loseUnread(doc)
	if s.Action == jingle.TransportInfo {
		return c.toFragment(s, lines), nil
	}
	kind := sdpconv.Offer
	if s.Action == jingle.SessionAccept || s.Action == jingle.ContentAccept {
		kind = sdpconv.Answer
	}
	if kind == sdpconv.Answer && lines == nil {
		if lines, err = c.accepted(s); err != nil {
			return "", doc.blame(err)
		}
	}
	out, _, losses, err := c.anySDP(c.description(s, c.author), c.author, kind, lines, c.origin(s))
	c.losses = append(c.losses, losses...)
	return out, doc.blame(lent(s, err))
}

// lent adds to the error of a content without ICE credentials, as Conversations adds one, whose transport it shares and is not there.
func lent(s *jingle.Stanza, err error) error {
	var wrong *sdpconv.ContentError
	if !errors.As(err, &wrong) {
		return err
	}
	has := func(name string) bool {
		return slices.ContainsFunc(s.Contents, func(c jingle.Content) bool { return c.Name == name })
	}
	for _, c := range s.Contents {
		if c.Name != wrong.Name || c.ICE == nil || c.ICE.Ufrag != "" {
			continue
		}
		for _, g := range s.Groups {
			tagged := slices.IndexFunc(g.Names, func(name string) bool { return !has(name) })
			if g.Semantics == "BUNDLE" && slices.Contains(g.Names, c.Name) && tagged >= 0 {
				return fmt.Errorf("%w; it uses the transport of content %q, which the stanza does not have", err, g.Names[tagged])
			}
		}
	}
	return err
}

// accepted returns the lines of an offer of which nothing is known but what was accepted.
func (c *conversion) accepted(s *jingle.Stanza) (sdpconv.Lines, error) {
	_, lines, losses, err := c.anySDP(c.description(s, c.author), c.author, sdpconv.Offer, nil, sdpconv.Origin{})
	if err != nil {
		c.losses = append(c.losses, losses...)
	}
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

// loseUnread reports what reading leaves out.
func (c *conversion) loseUnread(doc *document) {
	e, err := doc.jingle()
	if err != nil {
		return
	}
	whole, parts := jingle.Unread(e)
	for _, u := range whole {
		c.lose(0, shown(u), "not understood, and no SDP for it")
		c.encrypted = c.encrypted || u.Local == "fingerprint"
	}
	times := map[string]int{}
	var order []string
	for _, u := range parts {
		text := shown(u)
		if times[text]++; times[text] == 1 {
			order = append(order, text)
		}
	}
	for _, text := range order {
		reason := "attribute not understood, and no SDP for it"
		if n := times[text]; n > 1 {
			reason += fmt.Sprintf(" (%d times)", n)
		}
		c.lose(0, text, reason)
	}
}

// shown is an element in a line.
func shown(e *element.Element) string {
	text := e.String()
	if len(text) > 120 {
		text = strings.ToValidUTF8(text[:120], "") + "..."
	}
	return text
}

// loseRest reports what stands beside the contents.
func (c *conversion) loseRest(s *jingle.Stanza) {
	if s.Muji != nil {
		c.lose(0, "<muji xmlns='"+jingle.NSMuji+"'/>", "no SDP for it")
	}
	if s.Reason != nil {
		c.lose(0, "<reason/> "+string(s.Reason.Condition), "no SDP for it")
	}
	for _, e := range s.Info {
		c.lose(0, "<"+e.Local+" xmlns='"+e.Space+"'/>", "no SDP for it")
	}
}
