//go:build e2e

package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// turnServer is a coturn with a shared secret, as an operator runs it.
type turnServer struct {
	URL    string // turn:HOST:PORT?transport=udp
	Host   string
	Port   int
	Secret string // of use-auth-secret

	log string
}

// turnConfig follows the README's recipe: where this machine has to be said, and a log to look into.
const turnConfig = `listening-ip=%[1]s
relay-ip=%[1]s
allowed-peer-ip=%[1]s
listening-port=%[2]d
min-port=%[3]d
max-port=%[4]d
no-tls
no-dtls
verbose
no-stdout-log
simple-log
new-log-timestamp
log-file=%[5]s
pidfile=%[6]s
userdb=%[7]s
`

// startTurn returns once coturn answers. It relays between browsers of this machine and ends with the test.
func startTurn(t *testing.T) *turnServer {
	t.Helper()
	dir := t.TempDir()
	s := &turnServer{Host: rigAddress(t), log: filepath.Join(dir, "turn.log")}
	program, err := exec.LookPath("turnserver")
	if err != nil {
		t.Fatalf("%v (testdata/install all)", err)
	}
	first, last := rigPortRange(t, s.Host, 40)
	s.Port = rigPort(t, s.Host)
	s.URL = fmt.Sprintf("turn:%s?transport=udp", net.JoinHostPort(s.Host, fmt.Sprint(s.Port)))
	config := filepath.Join(dir, "turnserver.conf")
	advice := recipe(t, "A relay for calls through firewalls", "conf")
	if secret := regexp.MustCompile(`(?m)^static-auth-secret=(.*)$`).FindStringSubmatch(advice); secret != nil {
		s.Secret = secret[1]
	}
	text := advice + fmt.Sprintf(turnConfig, s.Host, s.Port, first, last, s.log, filepath.Join(dir, "pid"), filepath.Join(dir, "turndb"))
	if net.ParseIP(s.Host).IsLoopback() {
		text += "allow-loopback-peers\n"
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var output rigBuffer
	cmd := exec.Command(program, "-c", config)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { _ = cmd.Wait(); close(gone) }()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("coturn's log ends with\n%s", s.logTail())
		}
		_ = cmd.Process.Kill()
		<-gone
	})
	for deadline := time.Now().Add(15 * time.Second); !answersSTUN(s.Host, s.Port); {
		select {
		case <-gone:
			t.Fatalf("coturn has ended: %s\n%s", output.String(), s.logTail())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("coturn does not answer: %s\n%s", output.String(), s.logTail())
		}
	}
	return s
}

// Log returns what coturn has logged.
func (s *turnServer) Log() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *turnServer) logTail() string {
	text := s.Log()
	return text[max(0, len(text)-4000):]
}

// answersSTUN sends a binding request (RFC 8489) and waits a moment for the answer.
func answersSTUN(host string, port int) bool {
	c, err := net.Dial("udp", net.JoinHostPort(host, fmt.Sprint(port)))
	if err != nil {
		return false
	}
	defer c.Close()
	request := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, []byte("123456789012")...)
	if _, err := c.Write(request); err != nil {
		return false
	}
	c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	answer := make([]byte, 1500)
	n, err := c.Read(answer)
	if err != nil {
		time.Sleep(10 * time.Millisecond) // "connection refused" comes at once: do not spin
		return false
	}
	return n >= 20 && bytes.Equal(answer[:2], []byte{1, 1}) && bytes.Equal(answer[4:20], request[4:20])
}

// rigAddress is an IPv4 address of this machine that is not loopback if there is one: browsers gather no loopback
// candidates.
func rigAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

func rigPort(t *testing.T, host string) int {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host), Port: port})
		l.Close()
		if err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}

// rigPortRange finds n UDP ports in a row, starting from one the system gives out. coturn itself passes over ports that
// somebody takes later.
func rigPortRange(t *testing.T, host string, n int) (first, last int) {
	t.Helper()
	ip := net.ParseIP(host)
	for range 50 {
		held := make([]*net.UDPConn, 0, n)
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip})
		for ; err == nil && len(held) < n; u, err = net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: first + len(held)}) {
			if len(held) == 0 {
				first = u.LocalAddr().(*net.UDPAddr).Port
			}
			held = append(held, u)
		}
		if err == nil {
			u.Close()
		}
		for _, one := range held {
			one.Close()
		}
		if len(held) == n {
			return first, first + n - 1
		}
	}
	t.Fatalf("no %d UDP ports in a row are free", n)
	return 0, 0
}

// TestPageCallsItselfThroughTurn proves the rig itself: relay to relay on one machine.
func TestPageCallsItselfThroughTurn(t *testing.T) {
	relay := startTurn(t)
	for _, kind := range []string{"chromium", "firefox"} {
		t.Run(kind, func(t *testing.T) {
			p := startBrowser(t, kind, 660).NewPage(rigPage(t))
			user, password := rigCredentials(relay.Secret, time.Now().Add(time.Hour))
			p.Eval(connectOnePage, nil, map[string]any{
				"iceTransportPolicy": "relay",
				"iceServers":         []any{map[string]string{"urls": relay.URL, "username": user, "credential": password}},
			})
			p.WaitFor("from.connectionState === 'connected'", 20*time.Second)
			p.Hear("remote", 660, 15*time.Second)
			var stats struct{ Pairs []string }
			p.Eval("return rig.stats()", &stats)
			if len(stats.Pairs) == 0 {
				t.Fatal("no candidate pair is selected")
			}
			for _, pair := range stats.Pairs {
				if pair != "relay relay" {
					t.Errorf("selected candidates %q, want relay on both sides", pair)
				}
			}
		})
	}
	if !strings.Contains(relay.Log(), "ALLOCATE processed, success") {
		t.Error("coturn knows of no allocation")
	}
}

// rigCredentials are those of coturn's use-auth-secret.
func rigCredentials(secret string, until time.Time) (user, password string) {
	user = fmt.Sprintf("%d:rig", until.Unix())
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(user))
	return user, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
