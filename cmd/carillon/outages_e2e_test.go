//go:build e2e

package main

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"carillon/component/xmppserver"
)

const callsInOutage = 10

// TestServerOutages breaks the XMPP server under ten calls, in each way that servers break.  Media goes on; a page that hangs up meanwhile is rid
// of its call at once; when the server is back everything ends and begins as ever.
func TestServerOutages(t *testing.T) {
	servers := map[string]func(context.Context, xmppserver.Options) (*xmppserver.Server, error){
		"Prosody": xmppserver.StartProsody, "ejabberd": xmppserver.StartEjabberd,
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			s := startStackOn(t, start, xmppserver.Options{}, "limits.cool_down = \"1ms\"")
			e := startEchoProcess(t, s)
			for kind, breaks := range map[string]outageKind{"frozen": frozen, "stopped": stopped, "killed": killed} {
				t.Run(kind, func(t *testing.T) { outage(t, s.in(t), e, kind != "frozen", breaks) })
			}
		})
	}
}

// An outageKind breaks the server and returns what mends it.
type outageKind func(*testing.T, *xmppserver.Server) (mend func())

func frozen(t *testing.T, srv *xmppserver.Server) func() {
	pid := srv.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	return func() { syscall.Kill(pid, syscall.SIGCONT) }
}

// stopped ends the server as its operator would.
func stopped(t *testing.T, srv *xmppserver.Server) func() {
	if err := syscall.Kill(srv.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return func() { srv.Kill(); started(t, srv) }
}

// killed ends it as a crash does.
func killed(t *testing.T, srv *xmppserver.Server) func() {
	srv.Kill()
	return func() { started(t, srv) }
}

func started(t *testing.T, srv *xmppserver.Server) {
	t.Helper()
	if err := srv.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// outage breaks the server under calls with the echo, which has to log in again if its connection breaks with the server.
func outage(t *testing.T, s *stack, e *echo, again bool, breaks outageKind) {
	var pages []*goPage
	for i := range callsInOutage {
		p := s.openGoPage(fmt.Sprintf("anna%d", i))
		p.begin(e.address)
		p.await("answer", 20*time.Second)
		pages = append(pages, p)
	}
	allFlow(pages, "the echo")
	ended := e.ended()
	mend := breaks(t, s.server)
	allFlow(pages, "sound while the server is away")
	if took := pages[0].hangUp(); took > 2*time.Second {
		t.Errorf("hanging up while the server was away took %v", took)
	}
	mend()
	s.waitFor("the link", 60*time.Second, func() bool { return s.component.Stats().Linked })
	if again {
		e.waitOnline(t)
	}
	s.waitFor("the end of the echo's call", 60*time.Second, func() bool { return e.ended() == 1+ended })
	allFlow(pages[1:], "sound after the server is back")
	for _, p := range pages[1:] {
		p.hangUp()
		if p.ended != "hung-up" {
			t.Errorf("%s: the call ended %s", p.name, p.ended)
		}
	}
	pages[0].dial(e.address)
	pages[0].hangUp()
	s.waitFor("the end of the echo's calls", 10*time.Second, func() bool { return e.ended() == ended+callsInOutage+1 })
	s.waitFor("the calls' end", 10*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}
