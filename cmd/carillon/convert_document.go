package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

const maxDocument = 1 << 20 // bytes; real ones stay below a tenth

// document is what a file holds: a stanza or, if that is nil, an SDP or a fragment of one.
type document struct {
	name     string
	stanza   *jingle.Stanza
	text     string // of the SDP; its lines are those of the file
	fragment bool   // a=mid and a=candidate lines
	source   []byte // of the stanza
}

// readDocument reads a file, "-" for standard input.  Errors name the file.
func readDocument(file string) (*document, error) {
	in, name := os.Stdin, "standard input"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in, name = f, file
	}
	b, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = fmt.Errorf("longer than %d bytes", maxDocument)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	doc, err := parseDocument(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	doc.name = name
	return doc, nil
}

const expected = "expected an SDP (v=0), a=mid and a=candidate lines, or a <jingle/> or an <iq/> with one"

// parseDocument tells what b is.
func parseDocument(b []byte) (*document, error) {
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	begin := bytes.TrimSpace(b)
	switch {
	case len(begin) == 0:
		return nil, errors.New("empty, " + expected)
	case begin[0] == '<':
		s, err := parseStanza(b)
		return &document{stanza: s, source: b}, err
	case bytes.HasPrefix(begin, []byte("v=")):
		return &document{text: plainLines(b)}, nil
	case bytes.HasPrefix(begin, []byte("a=")), bytes.HasPrefix(begin, []byte("m=")), bytes.HasPrefix(begin, []byte("candidate:")):
		return &document{text: plainLines(b), fragment: true}, nil
	}
	line := 1 + bytes.Count(b[:bytes.Index(b, begin)], []byte("\n"))
	first, _, _ := bytes.Cut(begin, []byte("\n"))
	return nil, fmt.Errorf("line %d: %s, got %q", line, expected, first[:min(len(first), 80)])
}

// plainLines drops what logs put in front of the lines of an SDP, where no blank can stand, and behind the last.
func plainLines(b []byte) string {
	lines := strings.Split(strings.TrimRight(string(b), " \t\r\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimLeft(strings.TrimSuffix(l, "\r"), " \t")
	}
	return strings.Join(lines, "\r\n")
}

// parseJingle reads the element of a file, and the <jingle/> that it is or has.
func parseJingle(b []byte) (root, j *element.Element, err error) {
	from, to := prolog(b)
	e, err := element.Parse(b[from:to], element.Limits{Bytes: maxDocument})
	var syntax *element.SyntaxError
	if errors.As(err, &syntax) {
		return nil, nil, fmt.Errorf("%s: %s", place(b, from+syntax.Offset), syntax.Msg)
	}
	if err != nil {
		return nil, nil, err
	}
	j = e
	if e.Local == "iq" {
		j = e.Child(jingle.NS, "jingle")
	}
	if j == nil || j.Space != jingle.NS || j.Local != "jingle" {
		got := "<" + e.Local + "/> without"
		if e.Local == "iq" && len(e.Children) > 0 { // such as Google Talk's <session/>
			got = fmt.Sprintf("<iq/> with <%s xmlns=%q/>", e.Children[0].Local, e.Children[0].Space)
		}
		return nil, nil, fmt.Errorf("%s: expected <jingle xmlns='%s'/> or an <iq/> with it, got %s", place(b, from), jingle.NS, got)
	}
	return e, j, nil
}

// parseStanza reads the <jingle/> of a file.
func parseStanza(b []byte) (*jingle.Stanza, error) {
	e, j, err := parseJingle(b)
	if err != nil {
		return nil, err
	}
	from, to := prolog(b)
	s, jerr := jingle.ParseStanza(j)
	if jerr != nil {
		at, tag := faulty(e, j, jerr)
		return nil, fmt.Errorf("%s: <%s>: %s", place(b, from+startTag(b[from:to], at)), tag, jerr.Text)
	}
	return &s, nil
}

// blame adds to an error about a content where in the file that is.
func (d *document) blame(err error) error {
	var wrong *sdpconv.ContentError
	if !errors.As(err, &wrong) {
		return err
	}
	from, to := prolog(d.source)
	root, j, perr := parseJingle(d.source)
	if perr != nil {
		return err
	}
	var at *element.Element
	for _, c := range j.Children {
		if c.Local == "content" && c.Attr("name") == wrong.Name && (at == nil || c.Attr("creator") == wrong.Creator.String()) {
			at = c
		}
	}
	if at == nil {
		return err
	}
	before, _ := tagsBefore(root, at)
	return fmt.Errorf("%s: %w", place(d.source, from+startTag(d.source[from:to], before)), err)
}

// jingle reads the <jingle/> again.
func (d *document) jingle() (*element.Element, error) {
	_, j, err := parseJingle(d.source)
	return j, err
}

// prolog returns where the stanza begins and ends: an XML declaration, and the comments of some clients' consoles, stand around it.
func prolog(b []byte) (from, to int) {
	to = len(b)
	skip := func(open, end string) bool {
		rest := bytes.TrimLeft(b[from:to], " \t\r\n")
		n := bytes.Index(rest, []byte(end))
		if !bytes.HasPrefix(rest, []byte(open)) || n < 0 {
			return false
		}
		from = to - len(rest) + n + len(end)
		return true
	}
	skip("<?xml ", "?>")
	for skip("<!--", "-->") {
	}
	for rest := bytes.TrimRight(b[from:to], " \t\r\n"); bytes.HasSuffix(rest, []byte("-->")); rest = bytes.TrimRight(b[from:to], " \t\r\n") {
		n := bytes.LastIndex(rest, []byte("<!--"))
		if n < 0 {
			break
		}
		to = from + n
	}
	return from, to
}

// place tells line and byte, both from 1, of an offset.
func place(b []byte, offset int) string {
	return fmt.Sprintf("line %d, byte %d", 1+bytes.Count(b[:offset], []byte("\n")), offset+1)
}
