//go:build e2e

package main

import (
	"maps"
	"slices"
	"testing"
)

// TestICEURLsInBrowsers makes a connection with each URL: what passes the check has to pass browsers, or every call ends before it began.
func TestICEURLsInBrowsers(t *testing.T) {
	urls := slices.Sorted(maps.Keys(iceURLs))
	for _, kind := range []string{"chromium", "firefox"} {
		p := startBrowser(t, kind, 0).NewPage(rigPage(t))
		var refused map[string]string
		p.Eval(`
			const refused = {};
			for (const url of args[0]) {
				try {
					new RTCPeerConnection({iceServers: [{urls: [url], username: 'u', credential: 'c'}]}).close();
				} catch (error) {
					refused[url] = error.name;
				}
			}
			return refused`, &refused, urls)
		for _, u := range urls {
			if name := refused[u]; iceURLs[u] && name != "" {
				t.Errorf("%s refuses %q: %s", kind, u, name)
			} else if !iceURLs[u] && name == "" && kind == "chromium" { // Firefox is a little laxer
				t.Errorf("%s takes %q", kind, u)
			}
		}
	}
}
