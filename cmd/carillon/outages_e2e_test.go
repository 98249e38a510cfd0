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
			echo := startEcho(t, s)
			t.Run("frozen", func(t *testing.T) { outage(t, s.in(t), echo, frozen) })
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

func outage(t *testing.T, s *stack, echo string, breaks outageKind) {
	var pages []*goPage
	for i := range callsInOutage {
		p := s.openGoPage(fmt.Sprintf("anna%d", i))
		p.dial(echo)
		pages = append(pages, p)
	}
	mend := breaks(t, s.server)
	for _, p := range pages {
		p.flows("sound while the server is away")
	}
	if took := pages[0].hangUp(); took > 2*time.Second {
		t.Errorf("hanging up while the server was away took %v", took)
	}
	mend()
	s.waitFor("the link", 30*time.Second, func() bool { return s.component.Stats().Linked })
	for _, p := range pages[1:] {
		p.flows("sound after the server is back")
	}
	for _, p := range pages[1:] {
		p.hangUp()
		if p.ended != "hung-up" {
			t.Errorf("%s: the call ended %s", p.name, p.ended)
		}
	}
	pages[0].dial(echo)
	pages[0].hangUp()
	s.waitFor("the calls' end", 10*time.Second, func() bool { return s.component.Stats().Calls == 0 })
}
