//go:build e2e

package main

import (
	"testing"
	"time"
)

// TestPageChangesItsCall adds camera and screen to a call with another page by the page's buttons, and tones by its keypad.
func TestPageChangesItsCall(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	b := startBrowser(t, "chromium", pageTone, "--auto-select-desktop-capture-source=Entire screen")
	people := s.people(b, "anna", "berta")
	anna, berta := people[0], people[1]
	meet(anna, berta)
	anna.Click("#camera")
	berta.sees("motion")
	anna.says("#camera-text", "Stop camera")
	anna.Click("#screen")
	anna.says("#call-notice", "You are sharing your screen")
	berta.WaitFor("const screen = document.querySelector('#remote-screen'); return !screen.hidden && screen.videoWidth", 15*time.Second)
	berta.sees("motion")
	anna.Click("#screen")
	berta.WaitFor("return document.querySelector('#remote-screen').hidden", 10*time.Second)
	berta.Click("#camera")
	anna.sees("motion")
	anna.Click("#more-open")
	anna.Click("#keypad-open")
	anna.Press("4")
	anna.Click("[data-tone='#']")
	anna.says("#keypad-sent", "4#")
	anna.Press("Escape")
	anna.Click("#camera")
	berta.WaitFor("return document.querySelector('#stage').dataset.picture === 'none'", 10*time.Second)
	berta.hears(pageTone)
	// Who picks no screen is told, and the call goes on.
	anna.Eval("navigator.mediaDevices.getDisplayMedia = async () => { throw new DOMException('', 'NotAllowedError'); }", nil)
	anna.Click("#screen")
	anna.says("#call-notice", "No screen was shared")
	anna.Click("#hang-up")
	for _, each := range people {
		if errs := each.Errors(); len(errs) > 0 {
			t.Errorf("the page has errors: %q", errs)
		}
	}
}
