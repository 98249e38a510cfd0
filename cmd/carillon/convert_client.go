package main

import (
	"slices"
	"strings"

	"carillon/jingle"
	"carillon/sdpconv"
)

// compareClient settles what the stanza loses, or keeps, because it is written for this client: meant is how the client reads it.
func (c *conversion) compareClient(sent jingle.Stanza, written *jingle.Stanza, sdp string, after sdpconv.Lines) {
	meant := c.client.Read(*written, c.author)
	c.forgive(meant)
	got := sections(plainSDP(jingle.Description{Contents: meant.Contents, Groups: meant.Groups}, c.author))
	for i, want := range sections(plainSDP(jingle.Description{Contents: sent.Contents, Groups: sent.Groups}, c.author)) {
		if i == 0 || i >= len(got) || i > len(sent.Contents) {
			continue
		}
		content := sent.Contents[i-1]
		at := after.Find(content.Creator, content.Name)
		for _, l := range want {
			switch {
			case slices.Contains(got[i], l), isForEachCodec(got[i], l), isDirection(l) && l != "a=inactive":
			case l == "a=inactive":
				number, text := lineOf(sdp, at, l)
				c.lose(number, text, "written as senders "+string(meant.Contents[i-1].Senders)+": strict clients take no senders none")
			default:
				number, text := lineOf(sdp, at, l)
				if !c.saidOfSimulcast(number, l) {
					c.lose(number, text, "left out: "+c.clientName()+" refuses it, or overlooks it")
				}
			}
		}
	}
}

// saidOfSimulcast tells whether a line of simulcast is among the losses already: no client but Jitsi's takes it.
func (c *conversion) saidOfSimulcast(number int, line string) bool {
	return (strings.HasPrefix(line, "a=rid:") || strings.HasPrefix(line, "a=simulcast:")) &&
		slices.ContainsFunc(c.losses, func(l sdpconv.Loss) bool { return l.Number == number })
}

func (c *conversion) clientName() string {
	if c.client.Name == "" {
		return jingle.Profiles[0].Name
	}
	return c.client.Name
}

// forgive takes back the losses of what only this client has a form for: the streams of a simulcast, and cryptex.
func (c *conversion) forgive(meant jingle.Stanza) {
	kept := map[string]bool{}
	for _, content := range meant.Contents {
		if content.ICE != nil && len(content.ICE.Fingerprints) > 0 && content.ICE.Fingerprints[0].Cryptex {
			kept["a=cryptex"] = true
		}
		if content.RTP == nil {
			continue
		}
		for _, s := range content.RTP.Sources {
			kept["a=rid:"+s.RID+" send"] = s.RID != ""
		}
		for _, g := range content.RTP.SourceGroups {
			kept["a=simulcast:send "+strings.Join(g.RIDs, ";")] = len(g.RIDs) > 0
		}
	}
	c.losses = slices.DeleteFunc(c.losses, func(l sdpconv.Loss) bool { return kept[l.Line] })
}

// plainSDP writes a description, encrypted or not, to compare it with another; "" where it cannot be written.
func plainSDP(d jingle.Description, author jingle.Role) string {
	text, _, _, err := sdpconv.ToPlainSDP(d, author, sdpconv.Offer, nil, sdpconv.Origin{})
	if err != nil {
		return ""
	}
	return text
}

// sections cuts an SDP into lines by section, the session first.
func sections(sdp string) (out [][]string) {
	if sdp == "" {
		return nil
	}
	out = [][]string{nil}
	for _, l := range strings.Split(strings.TrimSuffix(sdp, "\r\n"), "\r\n") {
		if strings.HasPrefix(l, "m=") {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], l)
	}
	return out
}

func isDirection(l string) bool {
	return l == "a=sendrecv" || l == "a=sendonly" || l == "a=recvonly" || l == "a=inactive"
}

// isForEachCodec tells whether the feedback for all payload types is said for one of them.
func isForEachCodec(lines []string, l string) bool {
	rest, all := strings.CutPrefix(l, "a=rtcp-fb:* ")
	return all && slices.ContainsFunc(lines, func(o string) bool {
		return strings.HasPrefix(o, "a=rtcp-fb:") && strings.HasSuffix(o, " "+rest)
	})
}

// lineOf finds what became a line of the given m-line: the line itself, there or in the session, else the one that says the same in other words,
// else the m-line.
func lineOf(sdp string, index int, want string) (number int, text string) {
	key, _, _ := strings.Cut(want, " ")
	at, rank := -1, 0
	for n, l := range strings.Split(sdp, "\r\n") {
		if strings.HasPrefix(l, "m=") {
			at++
		}
		better := 0
		switch {
		case l == want && (at == index || at < 0):
			better = 3
		case at == index && (l == key || strings.HasPrefix(l, key+" ")):
			better = 2
		case at == index && strings.HasPrefix(l, "m="):
			better = 1
		}
		if better > rank {
			number, text, rank = n+1, l, better
		}
	}
	if rank < 3 && want != "" {
		text = want
	}
	return number, text
}

// acceptWhole adds the contents that an answer rejects, for a client that ends the call where a medium is missing.
func (c *conversion) acceptWhole(s jingle.Stanza, offer jingle.Description, sdp string, after sdpconv.Lines) jingle.Stanza {
	if s.Action != jingle.SessionAccept || !c.client.WholeAccept || len(offer.Contents) == 0 {
		return s
	}
	initiate := jingle.Stanza{Action: jingle.SessionInitiate, Contents: offer.Contents, Groups: offer.Groups}
	session, err := sdpconv.Apply(jingle.Session{}, initiate, c.author.Other())
	if err != nil {
		return s
	}
	to := sdpconv.Respond(session, c.author, jingle.Description{Contents: s.Contents, Groups: s.Groups})
	actions, _ := sdpconv.Diff(session, to, c.author, c.client)
	at := slices.IndexFunc(actions, func(a jingle.Stanza) bool { return a.Action == s.Action })
	if at < 0 {
		return s
	}
	s.Contents = slices.Clone(s.Contents)
	for i, asked := range offer.Contents {
		same := func(x jingle.Content) bool { return x.Creator == asked.Creator && x.Name == asked.Name }
		n := slices.IndexFunc(actions[at].Contents, same)
		if n < 0 || slices.ContainsFunc(s.Contents, same) {
			continue
		}
		refused := actions[at].Contents[n]
		refused.Senders = jingle.Senders(c.author.Other().String())
		s.Contents = slices.Insert(s.Contents, min(i, len(s.Contents)), refused)
		number, text := lineOf(sdp, after.Find(asked.Creator, asked.Name), "")
		c.lose(number, text, "rejected; accepted without sending, since "+c.clientName()+" ends the call where a medium is missing")
	}
	return s
}
