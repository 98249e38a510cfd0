package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gobwas/ws"
)

// ServeHTTP upgrades WebSockets on any path and serves the rest: the page, /qr.svg, /healthz and /readyz, with or without
// the path of PublicURL in front, since proxies may strip it or not.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isUpgrade(r) {
		s.upgrade(w, r)
		return
	}
	s.setHeaders(w.Header())
	if s.base != "" && r.URL.Path == s.base {
		http.Redirect(w, r, s.base+"/", http.StatusMovedPermanently)
		return
	}
	if rest, ok := strings.CutPrefix(r.URL.Path, s.base+"/"); ok && s.base != "" {
		stripped := r.Clone(r.Context())
		stripped.URL.Path, stripped.URL.RawPath = "/"+rest, strings.TrimPrefix(r.URL.RawPath, s.base)
		r = stripped
	}
	if r.URL.Path == "/ws" {
		s.explain(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/healthz":
		plain(w, http.StatusOK, "ok")
	case "/readyz":
		s.readyz(w)
	case "/qr.svg":
		s.serveQR(w, r)
	default:
		if s.cfg.Static == nil {
			http.NotFound(w, r)
			return
		}
		s.cfg.Static.ServeHTTP(w, r)
	}
}

// explain tells a page by plain HTTP why it got no WebSocket, which browsers keep to themselves: 403 with the reason if its Origin is
// not admitted.  With POST, too: browsers name their Origin with that even to the site they are on.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if !s.originAllowed(r.Header.Values("Origin")) {
		plain(w, http.StatusForbidden, refusedOrigin(r.Header.Get("Origin")))
		return
	}
	w.Header().Set("Upgrade", "websocket")
	plain(w, http.StatusUpgradeRequired, "here is a WebSocket")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

func (s *Server) readyz(w http.ResponseWriter) {
	s.mu.Lock()
	stopping := s.stopping
	s.mu.Unlock()
	var err error
	if s.cfg.Ready != nil {
		err = s.cfg.Ready()
	}
	switch {
	case stopping:
		plain(w, http.StatusServiceUnavailable, "not ready: shutting down")
	case err != nil:
		plain(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
	default:
		plain(w, http.StatusOK, "ready")
	}
}

// contentSecurityPolicy allows the page its own files and its own socket, and nothing inline.  The socket is named because
// Safari before 15.4 does not count it as 'self'.
func contentSecurityPolicy(public *url.URL) string {
	scheme := "wss"
	if public.Scheme == "http" {
		scheme = "ws"
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"media-src 'self' blob:",
		"manifest-src 'self'",
		"connect-src 'self' " + scheme + "://" + public.Host,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
}

const permissionsPolicy = "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self), " +
	"screen-wake-lock=(self), speaker-selection=(self), clipboard-write=(self), " +
	"geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), browsing-topics=()"

func (s *Server) setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", s.csp)
	h.Set("Permissions-Policy", permissionsPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

func isUpgrade(r *http.Request) bool {
	for _, line := range r.Header.Values("Upgrade") {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "websocket") {
				return true
			}
		}
	}
	return false
}

// upgrade turns the request into a socket.  It returns at once: a handler that stayed would keep the request's memory.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) {
	ip := clientIP(r, s.cfg.TrustedProxies)
	origin := r.Header.Get("Origin")
	if !s.originAllowed(r.Header.Values("Origin")) {
		s.refuse(w, http.StatusForbidden, ip, refusedOrigin(origin))
		return
	}
	if refusal := s.admit(ip); refusal != "" {
		w.Header().Set("Retry-After", "10")
		s.refuse(w, http.StatusServiceUnavailable, ip, refusal)
		return
	}
	upgrader := ws.HTTPUpgrader{Protocol: func(name string) bool { return name == subprotocolName }}
	conn, rw, _, err := upgrader.Upgrade(r, w)
	if err != nil { // and was answered
		if conn != nil {
			conn.Close()
		}
		s.release(nil, ip)
		return
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered()) // of frames, sent before our answer
	s.take(conn, ip, strings.Clone(origin), early)
}

// take begins the life of a socket.
func (s *Server) take(conn net.Conn, ip netip.Addr, origin string, early []byte) {
	c := &socket{srv: s, remote: ip, origin: origin}
	c.link = s.linkTo(c, conn)
	c.begin() // before Announce and Shutdown know of it: hello is the first frame
	if s.register(c) {
		c.Close(CloseShutdown, "the service is being restarted")
	}
	if c.arrived(early) {
		c.start()
		c.end()
		return
	}
	c.start()
	c.link.watch()
}

func (s *Server) refuse(w http.ResponseWriter, status int, ip netip.Addr, why string) {
	if s.refused.Allow() {
		s.log.Warn("websocket refused", "remote", ip, "why", why)
	}
	s.setHeaders(w.Header())
	plain(w, status, why)
}
