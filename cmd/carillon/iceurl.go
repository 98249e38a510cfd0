package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// hostName is a reg-name of RFC 3986 section 3.2.2 as host names need it.
var hostName = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z_.-]*[0-9A-Za-z])?\.?$`)

// checkICEURL checks a URL of RFC 7064 (stun) or RFC 7065 (turn) that has one of the schemes.  It is as strict as browsers are: one bad URL and
// no RTCPeerConnection is made at all.
func checkICEURL(u string, schemes ...string) error {
	scheme, rest, _ := strings.Cut(u, ":")
	known := false
	for _, s := range schemes {
		known = known || s == scheme
	}
	if !known {
		return fmt.Errorf("%q is not a %s URL", u, strings.Join(schemes, ": or ")+":")
	}
	rest, query, hasQuery := strings.Cut(rest, "?")
	switch {
	case hasQuery && (scheme == "stun" || scheme == "stuns"):
		return fmt.Errorf("%q has a query, and a %s: URL has none", u, scheme)
	case hasQuery && query != "transport=udp" && query != "transport=tcp":
		return fmt.Errorf("%q: after the question mark comes transport=udp or transport=tcp", u)
	case strings.HasPrefix(rest, "//"):
		return fmt.Errorf("%q: no slashes follow %s:", u, scheme)
	}
	if err := checkHostPort(rest); err != nil {
		return fmt.Errorf("%q: %w", u, err)
	}
	return nil
}

// checkHostPort checks a host with or without a port; an IPv6 address stands in brackets.
func checkHostPort(s string) error {
	host, port := s, ""
	if !strings.HasSuffix(s, "]") && strings.Contains(s, ":") {
		var err error
		if host, port, err = net.SplitHostPort(s); err != nil {
			return errors.New("not HOST or HOST:PORT (an IPv6 address stands in brackets)")
		}
		if err := checkPort(port); err != nil || port == "0" {
			return fmt.Errorf("%q is not a port", port)
		}
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		host, _, _ = strings.Cut(inner, "]")
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() || addr.Zone() != "" {
			return fmt.Errorf("%q is not an IPv6 address", host)
		}
		return nil
	}
	if !hostName.MatchString(host) {
		return fmt.Errorf("%q is not a host", host)
	}
	return nil
}

// checkPort checks the number of a port; 0 lets the system choose.
func checkPort(port string) error {
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%q is not a port (0 to 65535)", port)
	}
	return nil
}
