// Package xmppserver runs a private XMPP server (Prosody or ejabberd) as a plain child process.
//
// The server listens on ports the system hands out, keeps everything it writes in one directory, federates with nobody
// and ends with the process that started it. The demo command and the tests use it; it is no way to run a service.
package xmppserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	startLimit = 60 * time.Second // when the caller's context has no deadline
	stopLimit  = 8 * time.Second  // from SIGTERM to SIGKILL; ejabberd needs about three seconds
	bindTries  = 5
)

// Options describe the server to start. Domain is required, all else has a default.
type Options struct {
	Domain    string            // the users' host, such as "xmpp.test"
	Component string            // domain of the external component (XEP-0114); empty: none
	Secret    string            // the component's secret; needed with Component
	Users     map[string]string // local part to password
	Host      string            // address to listen on; default 127.0.0.1
	Dir       string            // where everything is kept; default a temporary directory that Stop removes
	Contacts  bool              // put all users into each other's roster; Prosody only
	WebSocket bool              // offer RFC 7395 without TLS, see Server.WebSocketURL
	External  TURN              // announced by XEP-0215 when Host is set
	Config    string            // further lines for the component's section of the configuration
	Global    string            // further global lines of the configuration
	Listen    string            // further listeners, lines of YAML; ejabberd only
	Log       io.Writer         // receives the server's log as well
}

// TURN is a STUN and TURN server with a shared secret (XEP-0215, use-auth-secret of coturn).
type TURN struct {
	Host   string
	Port   int
	Secret string
}

// Server is a running server, or a stopped one that Start can start again. Its methods are for one goroutine.
type Server struct {
	Domain        string
	Component     string
	Secret        string
	ClientAddr    string // host:port for clients, STARTTLS required
	ComponentAddr string // host:port for the component, empty without one
	WebSocketURL  string // ws://..., empty unless asked for
	CAFile        string // PEM certificate that signed the server's
	Dir           string
	LogFile       string

	options  Options
	software software
	ports    ports
	process  *process
	ownsDir  bool
}

// software is what differs between the two servers.
type software interface {
	name() string
	// write puts configuration and accounts below s.Dir.
	write(s *Server) error
	// command returns program, arguments, working directory and extra environment.
	command(s *Server) (launch, error)
	// listening is what the log says once the port is open.
	listening(service string, host string, port int) string
	// bindFailed is what the log says when a port is taken.
	bindFailed() string
	// started does what needs a running server.
	started(ctx context.Context, s *Server) error
}

type launch struct {
	program string
	args    []string
	dir     string
	env     []string
}

type ports struct {
	client, component, http int
}

// StartProsody starts Prosody 0.12 or later and returns once it accepts connections. The context bounds the start only.
func StartProsody(ctx context.Context, o Options) (*Server, error) {
	return start(ctx, o, prosody{})
}

// StartEjabberd starts ejabberd 23 or later and returns once it accepts connections. The context bounds the start only.
func StartEjabberd(ctx context.Context, o Options) (*Server, error) {
	if o.Contacts {
		return nil, errors.New("xmppserver: contacts are made with Prosody only")
	}
	return start(ctx, o, ejabberd{})
}

func start(ctx context.Context, o Options, software software) (*Server, error) {
	if o.Domain == "" {
		return nil, errors.New("xmppserver: no domain given")
	}
	if o.Component != "" && o.Secret == "" {
		return nil, fmt.Errorf("xmppserver: component %s has no secret", o.Component)
	}
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	s := &Server{Domain: o.Domain, Component: o.Component, Secret: o.Secret, options: o, software: software}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.removeDir())
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for try := 1; ; try++ {
		err := s.startOnFreePorts(ctx)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, errBind) || try == bindTries {
			return nil, errors.Join(err, s.removeDir())
		}
	}
}

func (s *Server) prepare() error {
	s.Dir = s.options.Dir
	if s.Dir == "" {
		dir, err := os.MkdirTemp("", "carillon-"+s.software.name()+"-")
		if err != nil {
			return fmt.Errorf("xmppserver: %w", err)
		}
		s.Dir, s.ownsDir = dir, true
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return fmt.Errorf("xmppserver: %w", err)
	}
	s.Dir = dir
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("xmppserver: %w", err)
	}
	s.CAFile = filepath.Join(s.Dir, "ca.crt")
	s.LogFile = filepath.Join(s.Dir, s.software.name()+".log")
	if err := writeCertificates(s); err != nil {
		return fmt.Errorf("xmppserver: certificates: %w", err)
	}
	return nil
}

func (s *Server) startOnFreePorts(ctx context.Context) error {
	free, err := freePorts(s.options.Host, 3)
	if err != nil {
		return fmt.Errorf("xmppserver: no free port: %w", err)
	}
	s.ports = ports{client: free[0], component: free[1], http: free[2]}
	s.ClientAddr = s.addr(s.ports.client)
	if s.Component != "" {
		s.ComponentAddr = s.addr(s.ports.component)
	}
	if s.options.WebSocket {
		s.WebSocketURL = "ws://" + s.addr(s.ports.http) + "/xmpp-websocket"
	}
	if err := s.software.write(s); err != nil {
		return fmt.Errorf("xmppserver: configuration of %s: %w", s.software.name(), err)
	}
	return s.Start(ctx)
}

// Start starts a server that Kill or Stop ended, on the same ports and with the same data. A server whose temporary
// directory Stop has removed cannot be started again.
func (s *Server) Start(ctx context.Context) error {
	if s.process != nil && s.process.running() {
		return fmt.Errorf("xmppserver: %s is running already", s.software.name())
	}
	launch, err := s.software.command(s)
	if err != nil {
		return err
	}
	p, err := startProcess(launch, s.LogFile, s.options.Log)
	if err != nil {
		return fmt.Errorf("xmppserver: start %s: %w", s.software.name(), err)
	}
	s.process = p
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err = s.ready(ctx); err == nil {
		err = s.software.started(ctx, s)
	}
	if err == nil {
		return nil
	}
	p.end(0)
	return fmt.Errorf("xmppserver: %s did not start: %w\n%s", s.software.name(), err, p.tail())
}

// ready waits for the log to name every port: a successful connect alone may have met another program's listener.
func (s *Server) ready(ctx context.Context) error {
	listeners := map[string]int{"c2s": s.ports.client}
	if s.Component != "" {
		listeners["component"] = s.ports.component
	}
	if s.options.WebSocket {
		listeners["http"] = s.ports.http
	}
	for service, port := range listeners {
		line := s.software.listening(service, s.options.Host, port)
		if err := s.process.waitLog(ctx, line, s.software.bindFailed()); err != nil {
			return fmt.Errorf("waiting for its %s port: %w", service, err)
		}
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr(port))
		if err != nil {
			return fmt.Errorf("%s port: %w", service, err)
		}
		c.Close()
	}
	return nil
}

// Stop asks the server to end, kills it when it does not, and removes the directory if it was a temporary one.
func (s *Server) Stop() error {
	if s.process != nil {
		s.process.end(stopLimit)
	}
	return s.removeDir()
}

// Kill ends the server at once, as a crash would. Start starts it again.
func (s *Server) Kill() {
	s.process.end(0)
}

// Restart ends the server at once and starts it again on the same ports with the same data.
func (s *Server) Restart(ctx context.Context) error {
	s.Kill()
	return s.Start(ctx)
}

// LogTail returns the last lines of the server's log.
func (s *Server) LogTail() string {
	return s.process.tail()
}

// PID returns the process id of the running server.
func (s *Server) PID() int {
	return s.process.pid
}

func (s *Server) removeDir() error {
	if !s.ownsDir {
		return nil
	}
	return os.RemoveAll(s.Dir)
}

func (s *Server) addr(port int) string {
	return net.JoinHostPort(s.options.Host, strconv.Itoa(port))
}

// freePorts returns n distinct TCP ports that nobody uses at this moment.
func freePorts(host string, n int) ([]int, error) {
	var found []int
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, err
		}
		defer l.Close()
		found = append(found, l.Addr().(*net.TCPAddr).Port)
	}
	return found, nil
}

func indent(text, prefix string) string {
	if text == "" {
		return ""
	}
	return prefix + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+prefix)
}
