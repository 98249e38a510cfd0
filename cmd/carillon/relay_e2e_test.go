//go:build e2e

package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestCallThroughRelay forces the page onto a real coturn, both configured as the README says, with credentials that Carillon minted for the call.
func TestCallThroughRelay(t *testing.T) {
	turn := startTurn(t)
	advice := recipe(t, "A relay for calls through firewalls", "toml")
	settings := strings.ReplaceAll(advice, "turn.example.org:3478", fmt.Sprintf("%s:%d", turn.Host, turn.Port))
	if settings == advice {
		t.Fatalf("the README's keys name no relay: %s", advice)
	}
	s := startStack(t, settings, "relay_only = true")
	alice := startDino(t, s.server, "alice", "pw-alice", dinoOptions{Tone: dinoTone440, Camera: true, Pattern: "red"})
	b := startBrowser(t, "chromium", pageTone)
	page := s.openPage(b, "anna")
	callDino(t, page, alice, true)
	var kinds []string
	page.Eval(`
		const kinds = [];
		for (const [, stat] of await carillon.calls[0].getStats()) {
			if (stat.type === 'local-candidate') kinds.push(stat.candidateType);
		}
		return kinds`, &kinds)
	if len(kinds) == 0 || strings.Trim(strings.Join(kinds, ""), "relay") != "" {
		t.Errorf("the page has candidates of the kinds %v", kinds)
	}
	if log := turn.Log(); !strings.Contains(log, "ALLOCATE processed, success") {
		t.Errorf("coturn made no allocation:\n%s", log)
	}
	endCall(t, s, page, alice, true)
}
