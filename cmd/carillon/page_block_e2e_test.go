//go:build e2e

package main

import (
	"testing"
	"time"
)

// TestPageBlocks turns down somebody for good: neither calls nor messages are shown any more, in no tab and after a reload, until they are unblocked.
func TestPageBlocks(t *testing.T) {
	s := startStack(t, `limits.cool_down = "1ms"`)
	people := s.people(startBrowser(t, "chromium", pageTone), "anna", "berta", "carla")
	anna, berta, carla := people[0], people[1], people[2]
	anna.Eval(`
		carillon.contacts = [{address: args[0], state: 'approved'}];
		globalThis.forgotten = [];
		carillon.forget = async (address) => { forgotten.push(address); }`, nil, berta.address())
	berta.dial(anna.address(), false)
	anna.waitState("incoming", 10*time.Second)
	anna.Click("#incoming-block")
	anna.waitState("ended", 5*time.Second)
	anna.says("#ended-reason", "blocked this address. You can unblock it under Contacts.")
	anna.WaitFor("return ['again', 'ended-write'].every((id) => document.getElementById(id).hidden) && forgotten.length === 1", 5*time.Second)
	berta.over("Your contact declined the call.", 10*time.Second)
	anna.back()
	anna.says("#contacts [data-state=blocked]", berta.address())

	other := &caller{page: anna.second(s.url), t: t}
	other.WaitFor("return globalThis.carillon?.account?.bare === args[0]", 15*time.Second, anna.address())
	anna.Reload()
	anna.WaitFor("return globalThis.carillon?.account?.address", 15*time.Second)
	for _, tab := range []*caller{anna, other} {
		tab.waitState("idle", 10*time.Second)
		tab.Eval(`
			globalThis.heard = [];
			new MutationObserver(() => heard.push(document.body.dataset.state)).observe(document.body, {attributeFilter: ['data-state']});
			const {title} = document;
			new MutationObserver(() => { if (document.title !== title) heard.push(document.title); }).observe(document.querySelector('title'), {childList: true})`, nil)
	}
	ended := berta.notes("ended")
	berta.Click("#again")
	ended()
	berta.over("Your contact declined the call.", 10*time.Second)
	berta.chat(anna.address(), "Why do you not answer?")
	carla.chat(anna.address(), "Hello from carla")
	for _, tab := range []*caller{anna, other} {
		tab.says("#letter-text", "carla wrote: Hello from carla") // which came after berta's
		var heard []string
		tab.Eval("return heard", &heard)
		if len(heard) > 0 {
			t.Errorf("a page noticed who is blocked: %q", heard)
		}
	}
	other.Close()

	anna.Click("#letter-close")
	anna.Click("[data-action=unblock]")
	anna.WaitFor("return document.querySelector('#contacts-block').hidden", 5*time.Second)
	berta.Click("#again")
	anna.waitState("incoming", 10*time.Second)
	anna.Click("#incoming-decline")
	anna.says("#ended-reason", "You declined the call.")
	for _, each := range people {
		if errs := each.Errors(); len(errs) > 0 {
			t.Errorf("the page has errors: %q", errs)
		}
	}
}
