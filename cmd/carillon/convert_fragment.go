package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
	"carillon/sdpconv"
)

// fragment is an SDP fragment of candidates (RFC 8840 section 9) while it is read.
type fragment struct {
	*conversion
	lines    sdpconv.Lines
	session  jingle.Transport // what stands before the first a=mid and holds for all
	contents []jingle.Content
}

// fromFragment returns the transport-info of a=mid, a=candidate, a=ice-ufrag, a=ice-pwd and a=end-of-candidates lines.
func (c *conversion) fromFragment(text string) (string, error) {
	if c.action != "" && c.action != jingle.TransportInfo {
		return "", fmt.Errorf("expected a whole SDP (v=0) for a %s, got a fragment, which becomes a %s", c.action, jingle.TransportInfo)
	}
	_, lines, err := c.offered()
	if err != nil {
		return "", err
	}
	f := fragment{conversion: c, lines: lines}
	for n, line := range strings.Split(text, "\r\n") {
		if line == "" {
			continue
		}
		if problem := f.line(n+1, line); problem != "" {
			return "", fmt.Errorf("line %d: %s, got %q", n+1, problem, line[:min(len(line), 120)])
		}
	}
	if len(f.contents) == 0 {
		return "", fmt.Errorf("expected an a=mid line, got none")
	}
	for i := range f.contents {
		t := f.contents[i].ICE
		if t.Ufrag == "" {
			t.Ufrag = f.session.Ufrag
		}
		if t.Pwd == "" {
			t.Pwd = f.session.Pwd
		}
		t.GatheringComplete = t.GatheringComplete || f.session.GatheringComplete
	}
	e, err := c.written(jingle.Stanza{Action: jingle.TransportInfo, SID: c.sid, Contents: f.contents})
	if err != nil {
		return "", err
	}
	return indented(e), nil
}

// line reads a line and tells what else was expected.
func (f *fragment) line(number int, text string) (problem string) {
	if strings.HasPrefix(text, "candidate:") {
		text = "a=" + text
	}
	t := &f.session
	if len(f.contents) > 0 {
		t = f.contents[len(f.contents)-1].ICE
	}
	attr, isAttr := strings.CutPrefix(text, "a=")
	key, value, _ := strings.Cut(attr, ":")
	switch {
	case strings.HasPrefix(text, "m="): // repeats the m-line; the mid is what counts
	case !isAttr:
		return "expected a=mid, a=candidate, a=ice-ufrag, a=ice-pwd or a=end-of-candidates"
	case key == "mid":
		return f.content(value)
	case key == "ice-ufrag":
		return set(&t.Ufrag, value)
	case key == "ice-pwd":
		return set(&t.Pwd, value)
	case key == "end-of-candidates":
		t.GatheringComplete = true
	case key == "candidate":
		return f.candidate(number, text)
	default:
		f.lose(number, text, "no place for it in a transport-info")
	}
	return ""
}

func (f *fragment) content(mid string) string {
	name, creator := mid, f.author
	switch at := f.lines.FindMid(mid); {
	case !isWord(mid):
		return "expected one word as the mid"
	case at >= 0:
		name, creator = f.lines[at].Name, f.lines[at].Creator
	case f.lines != nil:
		return "expected a mid of the offer"
	default:
		creator = jingle.Initiator // unless the session says otherwise
	}
	if slices.ContainsFunc(f.contents, func(c jingle.Content) bool { return c.Name == name && c.Creator == creator }) {
		return "expected each mid once"
	}
	f.contents = append(f.contents, jingle.Content{Creator: creator, Name: name, ICE: new(jingle.Transport)})
	return ""
}

func (f *fragment) candidate(number int, text string) string {
	if len(f.contents) == 0 {
		return "expected an a=mid line before the candidates"
	}
	c, ufrag, err := sdpconv.ParseCandidate(text)
	if err != nil {
		return "expected a candidate of RFC 8839 (" + err.Error() + ")"
	}
	t := f.contents[len(f.contents)-1].ICE
	credential := t.Ufrag
	if credential == "" {
		credential = f.session.Ufrag
	}
	switch {
	case ufrag == "" || ufrag == credential:
	case credential != "":
		f.lose(number, text, "of another ICE generation than ufrag "+credential)
		return ""
	default:
		t.Ufrag = ufrag
	}
	if names := sdpconv.UnknownExtensions(text); len(names) > 0 {
		f.lose(number, text, "no Jingle for "+strings.Join(names, ", ")+" of a candidate")
	}
	if f.client.SingleCandidate && (len(f.contents) > 1 || len(t.Candidates) > 0) {
		f.lose(number, text, f.clientName()+" reads the first candidate of a "+string(jingle.TransportInfo)+" only")
	}
	t.Candidates = append(t.Candidates, c)
	return ""
}

func set(field *string, value string) string {
	if !isWord(value) {
		return "expected one word as the ICE credential"
	}
	*field = value
	return ""
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// toFragment returns the lines of a transport-info.
func (c *conversion) toFragment(s *jingle.Stanza, lines sdpconv.Lines) string {
	var b strings.Builder
	attr := func(text string) {
		b.WriteString("a=" + text + "\r\n")
	}
	for i, content := range s.Contents {
		attr("mid:" + c.mid(i, content, lines))
		t := content.ICE
		if t == nil {
			c.lose(0, "content "+strconv.Quote(content.Name), "no ICE transport")
			continue
		}
		if isWord(t.Ufrag) {
			attr("ice-ufrag:" + t.Ufrag)
		}
		if isWord(t.Pwd) {
			attr("ice-pwd:" + t.Pwd)
		}
		for _, cand := range t.Candidates {
			attr(sdpconv.FormatCandidate(cand, t.Ufrag))
		}
		if t.GatheringComplete {
			attr("end-of-candidates")
		}
		c.loseTransport(content)
	}
	return b.String()
}

// mid returns the mid of a content: that of the offer, else its name if it can be one.
func (c *conversion) mid(i int, content jingle.Content, lines sdpconv.Lines) string {
	if at := lines.Find(content.Creator, content.Name); at >= 0 {
		return lines[at].Mid
	}
	switch {
	case lines != nil:
		c.lose(0, "a=mid:"+content.Name, "no content of the offer")
	case isMid(content.Name):
		return content.Name
	default:
		c.lose(0, "a=mid:"+content.Name, "no mid; the offer would tell which it is")
	}
	return strconv.Itoa(i)
}

// isMid tells whether a name can be a mid: a token of RFC 8866 that fits the header extension.
func isMid(s string) bool {
	return len(s) <= 16 && isWord(s) && !strings.ContainsFunc(s, func(r rune) bool { return r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]`, r) })
}

// loseTransport reports what a transport-info of trickled candidates has no line for.
func (c *conversion) loseTransport(content jingle.Content) {
	for _, o := range content.ICE.Options {
		c.lose(0, "a=ice-options:"+o, "no line of a fragment")
	}
	if content.ICE.Lite {
		c.lose(0, "a=ice-lite", "no line of a fragment")
	}
	for _, f := range content.ICE.Fingerprints {
		c.lose(0, "a=fingerprint:"+f.Hash+" "+f.Value, "no line of a fragment")
	}
	for _, r := range content.ICE.RemoteCandidates {
		c.lose(0, fmt.Sprintf("a=remote-candidates:%d %s %d", r.Component, r.IP, r.Port), "no line of a fragment")
	}
	if content.RTP != nil {
		c.lose(0, "content "+strconv.Quote(content.Name)+" <description/>", "no line of a fragment")
	}
	for _, e := range slices.Concat(content.Other, content.ICE.Other) {
		c.lose(0, "<"+e.Local+" xmlns='"+e.Space+"'/>", "no SDP for it")
	}
}
