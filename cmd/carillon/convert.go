package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"carillon/jingle"
	"carillon/sdpconv"
)

// errLost: -strict, and something was lost.
var errLost = errors.New("something was lost")

const convertUsage = `usage: carillon convert [FLAGS] FILE

Reads an SDP, or a Jingle stanza, and prints the other; FILE may be - for standard input.

  an SDP (v=0 ...)                        becomes <jingle/>
  <jingle/>, or an <iq/> with one         becomes an SDP
  a=mid and a=candidate lines             become a transport-info, and a transport-info becomes these

What the other language has no word for is on standard error: loss: NUMBER: LINE: REASON, NUMBER 0 when Jingle was read.
Ends with 0 when it was converted, 1 when it could not be, 2 when the command was not understood, 3 with -strict when something was lost.

`

// conversion is a run of the command.
type conversion struct {
	author   jingle.Role
	authored bool // by -author, else it is inferred
	action   jingle.Action
	sid      string
	strict   bool
	offer    *document // nil for none
	client   jingle.Profile
	losses   []sdpconv.Loss

	encrypted bool // by a fingerprint that cannot be read
}

// convert translates a file.
func convert(_ context.Context, args []string, stdout, stderr io.Writer) error {
	var c conversion
	flags := flag.NewFlagSet("convert", flag.ContinueOnError)
	flags.Func("author", "whose description it is, `ROLE` initiator or responder; default that of the action, else initiator", c.setAuthor)
	flags.Func("action", "`ACTION` of the stanza to write; default session-initiate, of a responder session-accept", c.setAction)
	flags.StringVar(&c.sid, "sid", "", "session `ID` of the stanza to write; default a random one")
	offer := flags.String("offer", "", "`FILE` with the offer that is answered, SDP or Jingle")
	flags.Func("client", "`NAME` of the client that wrote the stanza, or for which it is written, such as Dino, or Conversations 2.12; default any", c.setClient)
	flags.BoolVar(&c.strict, "strict", false, "end with 3 when something was lost")
	files, err := parseMixed(flags, args, stderr)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		fmt.Fprintf(stderr, "carillon convert: one FILE is needed, or - for standard input, not %d; -help tells more\n", len(files))
		return errUsage
	}
	if files[0] == "-" && *offer == "-" {
		fmt.Fprintln(stderr, "carillon convert: FILE and -offer cannot both be standard input")
		return errUsage
	}
	if *offer != "" {
		if c.offer, err = readDocument(*offer); err != nil {
			return err
		}
	}
	doc, err := readDocument(files[0])
	if err != nil {
		return err
	}
	if doc.stanza != nil && (c.action != "" || c.sid != "") {
		fmt.Fprintf(stderr, "carillon convert: -action and -sid are for an SDP; %s is a stanza and has its own\n", doc.name)
		return errUsage
	}
	out, err := c.convert(doc)
	c.report(stderr)
	if err != nil {
		return fmt.Errorf("%s: %w", doc.name, err)
	}
	if _, err := io.WriteString(stdout, out); err != nil {
		return err
	}
	if c.strict && len(c.losses) > 0 {
		return errLost
	}
	return nil
}

// parseMixed parses flags that may stand behind the files too.
func parseMixed(flags *flag.FlagSet, args []string, stderr io.Writer) (files []string, err error) {
	for {
		if err := parse(flags, convertUsage, args, stderr); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return files, nil
		}
		files = append(files, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func (c *conversion) setAuthor(s string) error {
	switch s {
	case jingle.Initiator.String():
		c.author = jingle.Initiator
	case jingle.Responder.String():
		c.author = jingle.Responder
	default:
		return errors.New("neither initiator nor responder")
	}
	c.authored = true
	return nil
}

// actions are what -action takes: all of XEP-0166 section 7.2, though not all have an SDP.
var actions = []jingle.Action{
	jingle.SessionInitiate, jingle.SessionAccept, jingle.ContentAdd, jingle.ContentAccept, jingle.TransportInfo,
	jingle.ContentModify, jingle.ContentReject, jingle.ContentRemove, jingle.DescriptionInfo, jingle.SecurityInfo, jingle.SessionInfo,
	jingle.SessionTerminate, jingle.TransportAccept, jingle.TransportReject, jingle.TransportReplace,
}

func (c *conversion) setAction(s string) error {
	if !slices.Contains(actions, jingle.Action(s)) {
		return fmt.Errorf("no action of XEP-0166; those with an SDP are %v", actions[:5])
	}
	c.action = jingle.Action(s)
	return nil
}

func (c *conversion) setClient(s string) error {
	p, ok := jingle.ProfileNamed(s)
	if !ok {
		var known []string
		for _, p := range jingle.Profiles {
			known = append(known, strings.TrimSpace(p.Name+" "+p.Version))
		}
		return fmt.Errorf("not known; those that are known: %s", strings.Join(known, ", "))
	}
	c.client = p
	return nil
}

// whole tells the actions that carry whole descriptions of contents, and so have an SDP.
func whole(a jingle.Action) bool { return slices.Contains(actions[:4], a) }

// convert returns the other form of a document.
func (c *conversion) convert(doc *document) (string, error) {
	if doc.stanza != nil {
		return c.fromStanza(doc)
	}
	c.settle()
	if c.sid == "" {
		c.sid = strings.ToLower(rand.Text()[:16])
	}
	if doc.fragment {
		return c.fromFragment(doc.text)
	}
	return c.fromSDP(doc.text)
}

// settle infers what was not said about an SDP.
func (c *conversion) settle() {
	if !c.authored && (c.action == jingle.SessionAccept || c.action == "" && c.offer != nil) {
		c.author = jingle.Responder
	}
}

func (c *conversion) lose(number int, what, reason string) {
	c.losses = append(c.losses, sdpconv.Loss{Number: number, Line: what, Reason: reason})
}

// report prints what was lost, in the order of the lines.
func (c *conversion) report(stderr io.Writer) {
	slices.SortStableFunc(c.losses, func(a, b sdpconv.Loss) int { return a.Number - b.Number })
	for _, l := range c.losses {
		fmt.Fprintln(stderr, "loss:", printable(l.String()))
	}
}

// printable keeps what a stranger wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsGraphic(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
