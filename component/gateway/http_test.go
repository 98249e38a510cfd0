package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"
	"rsc.io/qr/coding"
)

func (h *harness) get(path string) (int, string) {
	h.t.Helper()
	resp := h.do(http.MethodGet, path)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (h *harness) do(method, path string) *http.Response {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.ctx, method, h.http.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	client := *h.http.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// echoPath serves the path it was asked for.
var echoPath = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page "+r.URL.Path) })

func TestHTTP(t *testing.T) {
	var down error
	h := start(t, Config{Static: echoPath, Ready: func() error { return down }}, nil)
	for _, path := range []string{"/", "/call.js", "/r/room"} {
		if status, body := h.get(path); status != 200 || body != "page "+path {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body := h.get("/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %s", status, body)
	}
	if status, body := h.get("/readyz"); status != 200 || body != "ready\n" {
		t.Errorf("readyz: %d %s", status, body)
	}
	down = errors.New("the XMPP server is not connected")
	if status, body := h.get("/readyz"); status != 503 || !strings.Contains(body, "XMPP server") {
		t.Errorf("readyz: %d %s", status, body)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if resp := h.do(method, "/"); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	if resp := h.do("HEAD", "/healthz"); resp.StatusCode != 200 {
		t.Errorf("HEAD: %d", resp.StatusCode)
	}
	without := start(t, Config{}, nil)
	if status, _ := without.get("/"); status != 404 {
		t.Errorf("no page: %d", status)
	}
}

func TestSubPath(t *testing.T) {
	public, _ := url.Parse("https://example.org/calls/")
	h := start(t, Config{Static: echoPath, PublicURL: public}, nil)
	for path, want := range map[string]string{
		"/calls/": "page /", "/calls/a.js": "page /a.js", "/a.js": "page /a.js", "/callsign": "page /callsign", "/calls/healthz": "ok\n", "/healthz": "ok\n",
	} {
		if status, body := h.get(path); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	raw := start(t, Config{Static: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.EscapedPath()) }), PublicURL: public}, nil)
	for _, path := range []string{"/calls/a%2Fb/c", "/a%2Fb/c"} {
		if status, body := raw.get(path); status != 200 || body != "/a%2Fb/c" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
	if resp := h.do("GET", "/calls"); resp.StatusCode != 301 || resp.Header.Get("Location") != "/calls/" {
		t.Errorf("/calls: %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if !h.srv.origins["https://example.org"] {
		t.Errorf("origins %v", h.srv.origins)
	}
}

func TestHeaders(t *testing.T) {
	public, _ := url.Parse("https://call.example.org:8443/")
	h := start(t, Config{Static: echoPath, PublicURL: public, QRDomain: "call.example.org"}, nil)
	for _, path := range []string{"/", "/healthz", "/qr.svg?address=a@call.example.org", "/qr.svg"} {
		header := h.do("GET", path).Header
		csp := strings.Split(header.Get("Content-Security-Policy"), "; ")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "media-src 'self' blob:", "manifest-src 'self'",
			"connect-src 'self' wss://call.example.org:8443", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
			found := false
			for _, directive := range csp {
				found = found || directive == want
			}
			if !found {
				t.Errorf("%s: the policy %q lacks %q", path, csp, want)
			}
		}
		if strings.Contains(strings.Join(csp, ";"), "unsafe") {
			t.Errorf("%s: %q", path, csp)
		}
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, header)
		}
		for _, want := range []string{"camera=(self)", "microphone=(self)", "display-capture=(self)", "geolocation=()"} {
			if !strings.Contains(header.Get("Permissions-Policy"), want) {
				t.Errorf("%s: Permissions-Policy lacks %s", path, want)
			}
		}
	}
	if csp := contentSecurityPolicy(&url.URL{Scheme: "http", Host: "localhost:8000"}); !strings.Contains(csp, "connect-src 'self' ws://localhost:8000;") {
		t.Error(csp)
	}
}

func TestParseOrigin(t *testing.T) {
	for in, want := range map[string]string{
		"https://A.example": "https://a.example", "https://a.example:443/": "https://a.example", "http://a.example:80": "http://a.example",
		"http://a.example:443": "http://a.example:443", "https://[2001:DB8::1]:8443": "https://[2001:db8::1]:8443",
		"a.example": "", "ftp://a.example": "", "https://": "", "https://a.example/page": "", "https://a.example?x": "", "https://u@a.example": "",
		"null": "", "none": "", "*": "", "": "", "https://:443": "",
	} {
		got, err := ParseOrigin(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestQR(t *testing.T) {
	h := start(t, Config{QRDomain: "call.example.org"}, nil)
	const address = "anna-abcdefghijklmnop@call.example.org"
	resp := h.do("GET", "/qr.svg?address="+url.QueryEscape(address))
	svg, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(resp.Header.Get("Cache-Control"), "max-age=") {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	if got := readQR(t, string(svg)); got != "xmpp:"+address {
		t.Errorf("the picture says %q", got)
	}
	_, umlaut := h.get("/qr.svg?address=" + url.QueryEscape("jörg%2@CALL.example.org"))
	if got := readQR(t, umlaut); got != "xmpp:j%C3%B6rg%252@call.example.org" {
		t.Errorf("the picture says %q", got)
	}
	for query, want := range map[string]int{
		"":                                     400,
		"?address=":                            400,
		"?address=call.example.org":            400,
		"?address=anna@call.example.org/phone": 400,
		"?address=a%26b@call.example.org":      400,
		"?address=a%00b@call.example.org":      400,
		"?address=" + strings.Repeat("a", 200) + "@call.example.org": 400,
		"?address=anna@example.org":                                  404,
		"?address=anna@evil.call.example.org":                        404,
		"?address=" + strings.Repeat("a", 150) + "@call.example.org": 200,
	} {
		if status, _ := h.get("/qr.svg" + query); status != want {
			t.Errorf("%s: %d, not %d", query, status, want)
		}
	}
	none := start(t, Config{}, nil)
	if status, _ := none.get("/qr.svg?address=a@b"); status != 404 {
		t.Errorf("without a domain: %d", status)
	}
}

// readQR decodes the picture: its path back to modules, those by the plan of the standard to bytes.  Without errors to correct the data
// codewords say it all.
func readQR(t *testing.T, svg string) string {
	t.Helper()
	black, size := modules(t, svg)
	version := (size - 17) / 4
	plan, err := coding.NewPlan(coding.Version(version), coding.Level(qr.M), 0)
	if err != nil || len(plan.Pixel) != size {
		t.Fatalf("a picture of %d modules: %v", size, err)
	}
	bits := make([]byte, plan.DataBytes*8)
	for y, row := range plan.Pixel {
		for x, pixel := range row {
			role := pixel.Role()
			value := black[[2]int{x, y}]
			if role != coding.Data && role != coding.Check && role != coding.Extra && role != coding.Format && role != coding.PVersion {
				if value != (pixel&coding.Black != 0) {
					t.Fatalf("module %d,%d of the pattern is wrong", x, y)
				}
			}
			if role == coding.Data && pixel.Offset() < uint(len(bits)) && value != (pixel&coding.Invert != 0) {
				bits[pixel.Offset()] = 1
			}
		}
	}
	number := func(from, n int) (v int) {
		for _, b := range bits[from : from+n] {
			v = v<<1 | int(b)
		}
		return v
	}
	lengthBits := 8
	if version >= 10 {
		lengthBits = 16
	}
	if mode := number(0, 4); mode != 4 {
		t.Fatalf("mode %d is not bytes", mode)
	}
	text := make([]byte, number(4, lengthBits))
	for i := range text {
		text[i] = byte(number(4+lengthBits+8*i, 8))
	}
	return string(text)
}

// modules reads the black rectangles of the picture.
func modules(t *testing.T, svg string) (black map[[2]int]bool, size int) {
	t.Helper()
	_, rest, ok := strings.Cut(svg, `viewBox="0 0 `)
	side, _, _ := strings.Cut(rest, " ")
	size, err := strconv.Atoi(side)
	i := strings.LastIndex(svg, ` d="`)
	if !ok || err != nil || i < 0 {
		t.Fatalf("not the picture: %s", svg)
	}
	black = map[[2]int]bool{}
	path := strings.TrimSuffix(svg[i+4:], `"/></svg>`)
	for _, run := range strings.Split(strings.TrimSuffix(path, "z"), "z") {
		numbers := strings.FieldsFunc(run, func(r rune) bool { return r < '0' || r > '9' })
		var n [5]int
		for j := range n {
			if len(numbers) != len(n) {
				t.Fatalf("run %q", run)
			}
			n[j], _ = strconv.Atoi(numbers[j])
		}
		for x := n[0]; x < n[0]+n[2]; x++ {
			black[[2]int{x - quiet, n[1] - quiet}] = true
		}
	}
	return black, size - 2*quiet
}

// A page that got no WebSocket hears by plain HTTP whether its site was the reason, on the site itself or elsewhere.
func TestExplain(t *testing.T) {
	h := start(t, Config{Origins: []string{"https://shop.example"}}, nil)
	for origin, want := range map[string]int{
		"https://shop.example": http.StatusUpgradeRequired, h.origin(): http.StatusUpgradeRequired,
		"https://evil.example": http.StatusForbidden, "null": http.StatusForbidden,
	} {
		req := httptest.NewRequest("POST", "/ws", nil)
		req.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		h.srv.ServeHTTP(w, req)
		refused := strings.Contains(w.Body.String(), fmt.Sprintf("%q", origin)) && strings.Contains(w.Body.String(), `"origins"`)
		if w.Code != want || w.Header().Get("Access-Control-Allow-Origin") != "*" || refused != (want == http.StatusForbidden) {
			t.Errorf("%s: %d %s", origin, w.Code, w.Body)
		}
	}
}
