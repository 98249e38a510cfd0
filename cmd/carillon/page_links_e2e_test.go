//go:build e2e

package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestPageLinks sends web addresses and what only looks like one by chat: the first can be clicked, and nothing else comes of any of it.
func TestPageLinks(t *testing.T) {
	s := startStack(t)
	b := startBrowser(t, "chromium", pageTone)
	people := s.people(b, "anna", "berta")
	anna, berta := people[0], people[1]
	meet(anna, berta)
	berta.Click("#chat-open")
	for _, text := range []string{
		`See https://example.org/a_(b)?c=d&e#f, or xmpp:alice@example.org.`,
		`<img src=x onerror="document.title='taken'"><a href="javascript:alert(1)">https://example.org</a>`,
		`javascript:alert(1) data:text/html,<script>alert(1)</script> https://bank.example@evil.example/`,
		`https://example.org/"onmouseover="alert(1) http://example.org/'><b>x</b>`,
		s.url + "/r/choir",
	} {
		anna.chat(berta.address(), text)
	}
	type link struct{ Text, Href, Target, Rel string }
	var found []link
	berta.WaitFor("return document.querySelectorAll('#chat-log > div').length === 5", 10*time.Second)
	berta.Eval("return [...document.querySelectorAll('#chat-log a')].map(({textContent, href, target, rel}) => ({Text: textContent, Href: href, Target: target, Rel: rel}))", &found)
	var want []link
	for _, each := range [][2]string{
		{"https://example.org/a_(b)?c=d&e#f"}, {"xmpp:alice@example.org"}, {"https://example.org", "https://example.org/"}, {"https://example.org/"}, {"http://example.org/"}, {s.url + "/r/choir"},
	} {
		want = append(want, link{each[0], max(each[0], each[1]), "_blank", "noopener noreferrer"})
	}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("the links are %+v", found)
	}
	var others []string
	berta.Eval("return [...document.querySelectorAll('#chat-log *')].map(({localName}) => localName).filter((name) => !['div', 'p', 'a'].includes(name))", &others)
	if len(others) > 0 {
		t.Errorf("messages have made the elements %v", others)
	}
	berta.says("#chat-log", `<img src=x onerror="document.title='taken'">`)
	// The call stays when a link is followed.
	berta.Eval("document.querySelector('#chat-log > div:last-child a').click()", nil)
	berta.waitState("in-call", time.Second)
	berta.hears(pageTone)
	berta.WaitFor("return !document.title.includes('taken')", time.Second)
	if errs := berta.Errors(); len(errs) > 0 {
		t.Errorf("the page has errors: %q", errs)
	}
}

// TestWrongPath goes where nothing is, and from there to the start; and to /r/, which asks for a room's name and goes there.
func TestWrongPath(t *testing.T) {
	s := startStack(t)
	page := &caller{page: startBrowser(t, "chromium", pageTone).NewPage(s.url + "/some/where/else"), t: t}
	page.says("#missing-title", "There is no such page")
	page.WaitFor("document.querySelector('#language').options.length > 1", 10*time.Second) // the script is there as well
	page.Eval("const field = document.querySelector('#language'); field.value = 'de'; field.dispatchEvent(new Event('change'))", nil)
	page.says("#missing-title", "Diese Seite gibt es nicht")
	page.WaitFor("return document.title.includes('gibt es nicht') && getComputedStyle(document.querySelector('.card')).borderRadius !== '0px'", 5*time.Second)
	page.Click("a.go")
	page.says("#call-title", "Jemanden anrufen")
	page.Goto(s.url + "/nothing")
	page.Click("a[href$='r/']")
	page.says("#room-door h1", "Mehrere treffen")
	page.at("/r/")
	page.Type("#meet-name", "Bell & choir/2")
	page.Press("Enter")
	page.says("#room-title", "Raum Bell & choir-2")
	page.at("/r/Bell%20%26%20choir-2")
	page.Goto(s.url + "/r")
	page.at("/r/")
	page.Click("#meet-form [type=submit]") // a name that nobody guesses
	page.WaitFor("return /^\\/r\\/[0-9a-z]{10}$/.test(location.pathname) && !document.querySelector('#room-form').hidden", 10*time.Second)
	for _, text := range page.Errors() {
		if !strings.Contains(text, "404") { // browsers say so of a document, too
			t.Errorf("the page has an error: %s", text)
		}
	}
}

// at waits until the page is at that path.
func (c *caller) at(path string) {
	c.t.Helper()
	c.WaitFor("return location.pathname === args[0]", 10*time.Second, path)
}
