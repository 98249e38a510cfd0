package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// NoOrigin is the entry of Config.Origins that admits requests without an Origin header, which programs send and browsers
// never do.
const NoOrigin = "none"

// ParseOrigin returns an Origin in the form browsers send it (RFC 6454 section 6.2): scheme and host in lower case, the port
// only when it is not the scheme's own.
func ParseOrigin(s string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		return "", fmt.Errorf("origin %q is not a URL", s)
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "", fmt.Errorf("origin %q: write it as https://host or https://host:port", s)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return "", fmt.Errorf("origin %q: only scheme, host and port belong there", s)
	}
	return originOf(u), nil
}

func originOf(u *url.URL) string {
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + port
}

// allowedOrigins is the set of Origin headers that are admitted; "" stands for none.  What ParseOrigin refuses is left out.
func allowedOrigins(public *url.URL, more []string) map[string]bool {
	set := map[string]bool{originOf(public): true}
	for _, entry := range more {
		if entry == NoOrigin {
			set[""] = true
		} else if o, err := ParseOrigin(entry); err == nil {
			set[o] = true
		}
	}
	return set
}

func (s *Server) originAllowed(values []string) bool {
	switch len(values) {
	case 0:
		return s.origins[""]
	case 1:
		o, err := ParseOrigin(values[0])
		return err == nil && s.origins[o]
	}
	return false
}

// refusedOrigin is what the page's developer or the operator reads.
func refusedOrigin(origin string) string {
	if origin == "" {
		return `no Origin header: only browsers are admitted. To admit other programs add "none" to the key "origins" of the configuration`
	}
	if len(origin) > 200 {
		origin = origin[:200]
	}
	return fmt.Sprintf(`Origin %q is not admitted. To admit it add it to the key "origins" of the configuration`, origin)
}

// maxHops bounds how much of X-Forwarded-For is looked at.
const maxHops = 32

// clientIP is the address of the page: that of the connection, or, when that is a trusted proxy, the last hop of
// X-Forwarded-For that is not.
func clientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	ip := parseHop(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= max(0, len(hops)-maxHops) && contains(trusted, ip); i-- {
		hop := parseHop(strings.TrimSpace(hops[i]))
		if !hop.IsValid() {
			break
		}
		ip = hop
	}
	return ip
}

// parseHop reads an address with or without port and brackets.  It is invalid when it is none.
func parseHop(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

func contains(prefixes []netip.Prefix, ip netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// Network is what counts as one address: an IPv4 address, or an IPv6 /64, which one household has to itself.
func Network(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap()
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
