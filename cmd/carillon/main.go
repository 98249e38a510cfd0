// Command carillon connects browsers to an XMPP server: people at a web page and people with an XMPP client call each other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

const usage = `usage: carillon COMMAND [FLAGS]

  serve    run the gateway: carillon serve -config FILE
  demo     run a private XMPP server, the gateway and an echo account, to try it
  convert  translate an SDP to Jingle, or Jingle to SDP: carillon convert [FLAGS] FILE
  replay   take the calls of a log of serve -v through the engine again: carillon replay FILE
  version  print the version

carillon COMMAND -help lists a command's flags.
`

// errUsage is an error of the person at the command line.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case errors.Is(err, errLost):
		os.Exit(3)
	default:
		fmt.Fprintln(os.Stderr, "carillon:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer, io.Writer) error{
		"serve": serve, "demo": demo, "convert": convert, "replay": replay, "version": printVersion,
	}
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return errUsage
	}
	if c, ok := commands[args[0]]; ok {
		return c(ctx, args[1:], stdout, stderr)
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	case "-version", "--version":
		return printVersion(ctx, nil, stdout, stderr)
	}
	fmt.Fprintf(stderr, "carillon: unknown command %q\n\n%s", args[0], usage)
	return errUsage
}

// parse reads a command's flags.  What is wrong with them is said in one line: the usage is for those who ask for it.
func parse(flags *flag.FlagSet, usage string, args []string, stderr io.Writer) error {
	flags.SetOutput(io.Discard)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stderr, usage)
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return err
	case err != nil:
		fmt.Fprintf(stderr, "carillon %s: %v; carillon %[1]s -help tells more\n", flags.Name(), err)
		return errUsage
	}
	return nil
}

func printVersion(_ context.Context, _ []string, stdout, _ io.Writer) error {
	_, err := fmt.Fprintln(stdout, "carillon", version())
	return err
}

// version is that of the module, or of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "unreleased"
}
