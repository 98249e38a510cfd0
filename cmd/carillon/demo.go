package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component"
	"carillon/component/xmppserver"
	"carillon/webclient"
)

const (
	demoDomain    = "carillon.test"
	demoComponent = "call." + demoDomain
	demoTimeout   = 30 * time.Second
)

const demoUsage = `usage: carillon demo [FLAGS]

Runs a private Prosody, Carillon and an echo account in a temporary directory, says where the page is and how to log in, and ends
all of it with SIGINT or SIGTERM.  make demo builds what it needs and runs it.

`

// demo runs everything that a first call needs, in a temporary directory, until ctx ends.
func demo(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "`ADDRESS` of the page; port 0 takes a free one")
	host := flags.String("host", "127.0.0.1", "`ADDRESS` of the XMPP server, for clients of your own; devices on your network need this machine's address there")
	client := flags.String("client", "", "also open a logged-in `CLIENT`: dino")
	dinoctl := flags.String("dinoctl", "testdata/dino/dinoctl", "`PROGRAM` that opens Dino")
	verbose := flags.Bool("v", false, "show the log")
	if err := parse(flags, demoUsage, args, stderr); err != nil {
		return err
	}
	if *client != "" && *client != "dino" {
		fmt.Fprintf(stderr, "carillon: -client %s: only dino can be opened\n", *client)
		return errUsage
	}
	d := &demonstration{stdout: stdout, log: slog.New(slog.DiscardHandler)}
	if *verbose {
		d.log = slog.New(slog.NewTextHandler(stderr, nil))
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.start(ctx, *listen, *host); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if *client == "dino" {
		if err := d.openDino(ctx, *dinoctl); err != nil {
			return err
		}
	}
	d.explain()
	select {
	case <-ctx.Done():
		fmt.Fprintln(stdout, "\nending the demo")
		return nil
	case err := <-d.failed:
		return err
	}
}

// A demonstration is a running demo.  What it started ends in the opposite order.
type demonstration struct {
	stdout  io.Writer
	log     *slog.Logger
	dir     string
	server  *xmppserver.Server
	users   map[string]string
	pageURL string
	failed  chan error
	ends    []func() error
}

func (d *demonstration) stop() error {
	var errs []error
	for i := len(d.ends) - 1; i >= 0; i-- {
		errs = append(errs, d.ends[i]())
	}
	return errors.Join(errs...)
}

func (d *demonstration) say(format string, args ...any) { fmt.Fprintf(d.stdout, format+"\n", args...) }

func (d *demonstration) start(ctx context.Context, listen, host string) error {
	var err error
	if d.dir, err = os.MkdirTemp("", "carillon-demo-"); err != nil {
		return err
	}
	d.ends = append(d.ends, func() error { return os.RemoveAll(d.dir) })
	d.failed = make(chan error, 3)
	d.users = map[string]string{"alice": rand.Text()[:10], "bob": rand.Text()[:10], "echo": rand.Text()}
	secret := rand.Text()

	d.say("starting Prosody ...")
	d.server, err = xmppserver.StartProsody(ctx, xmppserver.Options{
		Domain: demoDomain, Component: demoComponent, Secret: secret, Users: d.users, Host: host, Dir: filepath.Join(d.dir, "prosody"), Contacts: true,
	})
	if err != nil {
		return err
	}
	d.ends = append(d.ends, d.server.Stop)

	d.say("starting Carillon ...")
	if err := d.serve(ctx, listen, secret); err != nil {
		return err
	}
	d.say("starting the echo account ...")
	return d.echo(ctx)
}

// serve runs the component in this process.
func (d *demonstration) serve(ctx context.Context, listen, secret string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	d.pageURL = "http://localhost:" + port
	// The server's port is on this machine whatever address it has.
	_, componentPort, _ := net.SplitHostPort(d.server.ComponentAddr)
	settings := component.Config{
		Domain:    jid.MustParse(demoComponent),
		Server:    net.JoinHostPort("127.0.0.1", componentPort),
		Secret:    secret,
		PublicURL: d.pageURL,
		StateDir:  filepath.Join(d.dir, "state"),
		MayCall:   []jid.JID{jid.MustParse(demoDomain), jid.MustParse(demoComponent)},
		Echo:      "echo@" + demoDomain,
		Version:   version(),
		Static:    webclient.Handler(),
		Log:       d.log,
	}
	c, err := component.New(settings)
	if err != nil {
		return err
	}
	// Carillon ends after the echo account, so not with ctx.
	serveCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- serveComponent(serveCtx, c, l, d.log) }()
	ended := make(chan error, 1)
	go func() {
		err := <-done
		ended <- err
		if serveCtx.Err() == nil {
			d.failed <- fmt.Errorf("carillon ended: %w", err)
		}
	}()
	d.ends = append(d.ends, func() error { cancel(); return <-ended })
	return d.waitReady(ctx)
}

// waitReady waits until the page can place calls.
func (d *demonstration) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.pageURL+"/readyz", nil)
		if err != nil {
			return err
		}
		reply, err := http.DefaultClient.Do(req)
		if err == nil {
			reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return errors.New("carillon did not get ready in time; try again with -v")
		case err := <-d.failed:
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// echo starts jingle-echo, which stands beside this program.
func (d *demonstration) echo(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program := filepath.Join(filepath.Dir(self), "jingle-echo")
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%s is missing: build it with go build -o %s ./cmd/...", program, filepath.Dir(self))
	}
	password := filepath.Join(d.dir, "echo-password")
	if err := os.WriteFile(password, []byte(d.users["echo"]), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(program, "-jid", "echo@"+demoDomain, "-password-file", password, "-server", d.server.ClientAddr, "-ca", d.server.CAFile)
	cmd.SysProcAttr = ownGroup()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var problems strings.Builder
	cmd.Stderr = &problems
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	online := make(chan struct{})
	go func() {
		told := sync.OnceFunc(func() { close(online) })
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if strings.Contains(line, "online") {
				told()
			}
			if err != nil {
				break
			}
		}
		err := cmd.Wait()
		ended <- err
		d.failed <- fmt.Errorf("the echo account ended: %v\n%s", err, problems.String())
	}()
	d.ends = append(d.ends, func() error { return endProcess(cmd.Process, ended) })
	select {
	case <-online:
		return nil
	case err := <-d.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(demoTimeout):
		return errors.New("the echo account did not log in in time")
	}
}

// endProcess asks a process to end, and makes it when it does not.
func endProcess(p *os.Process, ended <-chan error) error {
	p.Signal(os.Interrupt)
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		p.Kill()
		<-ended
	}
	return nil
}

// openDino opens Dino on this desktop, logged in as alice.
func (d *demonstration) openDino(ctx context.Context, dinoctl string) error {
	d.say("starting Dino ...")
	dir := filepath.Join(d.dir, "dino")
	env := append(os.Environ(), "DINO_HARNESS_DIR="+dir)
	args := []string{"up", "alice", "-", demoDomain, "--server", d.server.ClientAddr, "--ca", d.server.CAFile}
	if os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "" {
		args = append(args, "--desktop")
	} else {
		d.say("  there is no desktop here: Dino runs without a screen")
	}
	up := exec.CommandContext(ctx, dinoctl, args...)
	up.Env = env
	up.Stdin = strings.NewReader(d.users["alice"] + "\n")
	up.SysProcAttr = ownGroup()
	d.ends = append(d.ends, func() error {
		down := exec.Command(dinoctl, "down", "--all")
		down.Env = env
		return down.Run()
	})
	if out, err := up.CombinedOutput(); err != nil {
		return fmt.Errorf("dino: %w\n%s", err, out)
	}
	return nil
}

// explain says what can be done now.
func (d *demonstration) explain() {
	host, port, _ := net.SplitHostPort(d.server.ClientAddr)
	pagePort := d.pageURL[strings.LastIndexByte(d.pageURL, ':')+1:]
	d.say(`
The demo is running.

  Open the page     %[1]s/?to=echo@%[2]s
  and call          echo@%[2]s, which answers and plays your sound and picture back

  A client of your own
    server          %[3]s   port %[4]s   (XMPP domain %[2]s)
    certificate     signed by %[5]s
    accounts        alice@%[2]s  password %[6]s
                    bob@%[2]s  password %[7]s
    The client must let you set host and port and accept this certificate. By its documentation Conversations does
    (not tried; start the demo with -host and this machine's network address).

  Dino                make demo CLIENT=dino opens one that is logged in as alice; call alice@%[2]s from the page.
    To be called by it, enter alice@%[2]s on the page under "Tell a contact" and press "Tell them":
    Dino shows its call button only for those whom it has seen online.

  A browser elsewhere gets no microphone from this page without https. From your own machine, over ssh:
    ssh -L %[8]s:localhost:%[8]s THIS-MACHINE        and open the same address there

  Ctrl-C ends everything.`, d.pageURL, demoDomain, host, port, d.server.CAFile, d.users["alice"], d.users["bob"], pagePort)
}
