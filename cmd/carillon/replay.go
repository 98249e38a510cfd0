package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"carillon/component/call"
)

const replayUsage = `usage: carillon replay [-call ID] [-mask] FILE|-

Take the inputs of a call, which serve -v logs, through the call engine again, and print what the call does: one line for
each input, and indented below it what follows.  FILE is a log, or lines that -mask has written.

`

// maxReplayLine bounds a line of a log: an input has an SDP of 256 KiB at most, which quoting makes longer.
const maxReplayLine = 4 << 20

// recordedCall is the inputs of one call, in their order.
type recordedCall struct {
	id    string
	lines []string
}

// replay implements the command of that name.
func replay(_ context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	id := flags.String("call", "", "take the call with this `ID` only")
	mask := flags.Bool("mask", false, "print the inputs instead, with addresses and passwords replaced, to be shown to others")
	if err := parse(flags, replayUsage, args, stderr); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		fmt.Fprintf(stderr, "carillon replay: one FILE is needed, or - for standard input, not %d; carillon replay -help tells more\n", flags.NArg())
		return errUsage
	}
	calls, err := recordedCalls(flags.Arg(0))
	if err != nil {
		return err
	}
	if len(calls) == 0 {
		return fmt.Errorf("%s has no inputs of a call; they are logged by serve -v", flags.Arg(0))
	}
	if *id != "" {
		calls = slices.DeleteFunc(calls, func(c recordedCall) bool { return c.id != *id })
	}
	if len(calls) == 0 {
		return fmt.Errorf("%s has no call with the ID %s", flags.Arg(0), *id)
	}
	for _, c := range calls {
		if *mask {
			err = printMasked(stdout, c)
		} else {
			err = printReplay(stdout, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recordedCalls reads the calls of a file in the order in which they began.
func recordedCalls(file string) ([]recordedCall, error) {
	in := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	var calls []recordedCall
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxReplayLine)
	for lines.Scan() {
		id, input, ok := inputIn(lines.Text())
		if !ok {
			continue
		}
		at := slices.IndexFunc(calls, func(c recordedCall) bool { return c.id == id })
		if at < 0 {
			calls = append(calls, recordedCall{id: id})
			at = len(calls) - 1
		}
		calls[at].lines = append(calls[at].lines, input)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return calls, nil
}

// inputIn finds the input of a call in a line: of a log as text, of one as JSON, or an input alone.
func inputIn(line string) (id, input string, ok bool) {
	if strings.HasPrefix(line, "{") {
		var logged struct{ Msg, Call, Input string }
		if err := json.Unmarshal([]byte(line), &logged); err != nil {
			return "", "", false
		}
		if logged.Msg == "" {
			return "", line, logged.Input != ""
		}
		return logged.Call, logged.Input, strings.HasPrefix(logged.Input, "{")
	}
	input, _ = textAttr(line, "input")
	id, _ = textAttr(line, "call")
	return id, input, strings.HasPrefix(input, "{")
}

// textAttr returns the value of an attribute in a line of slog's text format.
func textAttr(line, key string) (string, bool) {
	_, rest, ok := strings.Cut(line, " "+key+"=")
	if !ok {
		return "", false
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		value, err := strconv.Unquote(quoted)
		return value, err == nil
	}
	value, _, _ := strings.Cut(rest, " ")
	return value, true
}

func printReplay(w io.Writer, c recordedCall) error {
	if c.id != "" {
		fmt.Fprintf(w, "# call %s\n", c.id)
	}
	var r call.Replay
	for n, line := range c.lines {
		at, in, err := call.ParseRecord([]byte(line))
		if err != nil {
			return fmt.Errorf("input %d: %w", n+1, err)
		}
		did, err := r.Step(at, in)
		if err != nil {
			return fmt.Errorf("input %d: %w; the log begins in the middle of the call", n+1, err)
		}
		for _, line := range did {
			if _, err := fmt.Fprintln(w, printable(line)); err != nil {
				return err
			}
		}
	}
	return nil
}

func printMasked(w io.Writer, c recordedCall) error {
	var mask call.Mask
	for n, line := range c.lines {
		at, in, err := call.ParseRecord([]byte(line))
		if err != nil {
			return fmt.Errorf("input %d: %w", n+1, err)
		}
		if _, err := fmt.Fprintf(w, "%s\n", call.Record(at, mask.Input(in))); err != nil {
			return err
		}
	}
	return nil
}
