package main

import "testing"

// iceURLs are URLs of ICE servers and whether they are good; TestICEURLsInBrowsers asks browsers about these.
var iceURLs = map[string]bool{
	"stun:stun.example.org":                           true,
	"stun:stun.example.org:3478":                      true,
	"stun:192.0.2.1:3478":                             true,
	"stun:[2001:db8::1]":                              true,
	"stun:[2001:db8::1]:3478":                         true,
	"turn:turn.example.org":                           true,
	"turn:turn.example.org?transport=tcp":             true,
	"turn:turn.example.org:3478?transport=udp":        true,
	"turns:turn.example.org:5349?transport=tcp":       true,
	"turn:[2001:db8::1]:3478?transport=udp":           true,
	"stun:":                                           false,
	"stun:stun.example.org:3478?transport=udp":        false,
	"stun:stun.example.org:":                          false,
	"stun:stun.example.org:port":                      false,
	"stun:[2001:db8::1":                               false,
	"stun:2001:db8::1":                                false,
	"turn:":                                           false,
	"turn:turn.example.org?transport=quic":            false,
	"turn:turn.example.org?protocol=udp":              false,
	"turn:turn.example.org?":                          false,
	"turn:turn.example.org:99999":                     false,
	"turn://turn.example.org":                         false,
	"turn:turn.example.org:3478?transport=udp&more=1": false,
	"https://turn.example.org":                        false,
	"turn.example.org":                                false,
	"":                                                false,
}

func TestCheckICEURL(t *testing.T) {
	for u, good := range iceURLs {
		if err := checkICEURL(u, "stun", "turn", "turns"); (err == nil) != good {
			t.Errorf("%q: %v", u, err)
		}
	}
}
