// Command jingle-echo is an XMPP account that answers every Jingle call and plays the caller's sound and picture back.
//
// Calls may begin with a Jingle Message Initiation (XEP-0353) or with session-initiate itself (XEP-0166).  Media is ICE-UDP with
// DTLS-SRTP through pion; contents that share no transport, as Dino's, get a peer connection each.
//
// Calls may change: contents are added, modified and removed, ICE is restarted, transports are replaced; DTMF is logged.  The caller can
// have the echo begin such changes by chat messages: the answer to "help" lists the words.
//
// It calls who writes "call me", too.
//
// It reads and writes Jingle with the same codec as the component, so a call with it proves media and flow, never
// that the translation is right: a mistake made the same way in both directions cancels out.  Only other programs prove that.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/pion/webrtc/v4"
	"mellium.im/xmpp/jid"
)

// The environment may carry what must not be seen in the list of processes.
const (
	envPassword     = "JINGLE_ECHO_PASSWORD"
	envTURNUser     = "JINGLE_ECHO_TURN_USERNAME"
	envTURNPassword = "JINGLE_ECHO_TURN_PASSWORD"
)

const usage = `Usage: jingle-echo -jid ADDRESS [-password-file FILE] [flags]

jingle-echo logs in to an XMPP account, answers every Jingle call and plays the caller's sound and picture back.
Once available it prints "jingle-echo: online as ADDRESS/RESOURCE" on standard output.  It ends with SIGINT or SIGTERM.
During a call it takes words by chat, such as hold, video and restart; help lists them.  It calls who writes "call me".

The password is read from -password-file or from the environment variable ` + envPassword + `.
Credentials for turn: servers are read from ` + envTURNUser + ` and ` + envTURNPassword + `.

Flags:
`

// config is what a run needs to know.
type config struct {
	jid        jid.JID // bare
	password   string
	server     string         // host:port; "" asks the DNS
	roots      *x509.CertPool // nil: the system's
	iceServers []webrtc.ICEServer
	log        *slog.Logger
	out        io.Writer
}

func main() {
	cfg, err := parseFlags(os.Args[1:], os.Getenv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "jingle-echo:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "jingle-echo:", err)
		os.Exit(1)
	}
}

func parseFlags(args []string, env func(string) string, errs io.Writer) (config, error) {
	flags := flag.NewFlagSet("jingle-echo", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, usage)
		flags.PrintDefaults()
	}
	address := flags.String("jid", "", "the account, `user@domain`")
	passwordFile := flags.String("password-file", "", "`file` that holds the account's password")
	server := flags.String("server", "", "`host:port` of the XMPP server (default: what the DNS says of the domain)")
	ca := flags.String("ca", "", "PEM `file` of the authority that signed the server's certificate (default: the system's)")
	ice := flags.String("ice-servers", "", "comma-separated stun: and turn: `URLs`")
	verbose := flags.Bool("v", false, "log calls and stanzas' fates")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelDebug
	}
	cfg := config{server: *server, out: os.Stdout, log: slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level}))}
	var err error
	if cfg.jid, err = parseAccount(*address); err != nil {
		return config{}, err
	}
	if cfg.password, err = readPassword(*passwordFile, env(envPassword)); err != nil {
		return config{}, err
	}
	if cfg.roots, err = readRoots(*ca); err != nil {
		return config{}, err
	}
	cfg.iceServers, err = iceServers(*ice, env(envTURNUser), env(envTURNPassword))
	return cfg, err
}

func parseAccount(address string) (jid.JID, error) {
	if address == "" {
		return jid.JID{}, errors.New("-jid is missing: give the account to log in to")
	}
	j, err := jid.Parse(address)
	if err != nil {
		return jid.JID{}, fmt.Errorf("-jid %q: %w", address, err)
	}
	if j.Localpart() == "" {
		return jid.JID{}, fmt.Errorf("-jid %q names a server, not an account: write user@domain", address)
	}
	return j.Bare(), nil
}

func readPassword(file, env string) (string, error) {
	if file == "" {
		if env == "" {
			return "", errors.New("no password: give -password-file or set " + envPassword)
		}
		return env, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("-password-file: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return "", fmt.Errorf("-password-file %s is empty", file)
	}
	return password, nil
}

func readRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("-ca %s holds no PEM certificate", file)
	}
	return roots, nil
}

func iceServers(urls, user, password string) ([]webrtc.ICEServer, error) {
	var servers []webrtc.ICEServer
	for url := range strings.SplitSeq(urls, ",") {
		url = strings.TrimSpace(url)
		scheme, _, _ := strings.Cut(url, ":")
		switch scheme {
		case "":
		case "stun", "stuns":
			servers = append(servers, webrtc.ICEServer{URLs: []string{url}})
		case "turn", "turns":
			if user == "" || password == "" {
				return nil, fmt.Errorf("-ice-servers: %s needs %s and %s", url, envTURNUser, envTURNPassword)
			}
			servers = append(servers, webrtc.ICEServer{URLs: []string{url}, Username: user, Credential: password})
		default:
			return nil, fmt.Errorf("-ice-servers: %q is no stun: or turn: URL", url)
		}
	}
	return servers, nil
}
