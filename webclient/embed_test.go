package webclient

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	for _, tt := range []struct {
		method, target string
		status         int
		mime           string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/?to=alice@example.org", 200, "text/html; charset=utf-8"},
		{"HEAD", "/carillon.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/style.css", 200, "text/css; charset=utf-8"},
		{"GET", "/icon.svg", 200, "image/svg+xml"},
		{"GET", "/embed.go", 404, ""},
		{"GET", "/../embed.go", 404, ""},
		{"GET", "/nothing", 404, ""},
		{"POST", "/", 405, ""},
	} {
		w := get(t, tt.method, tt.target)
		if w.Code != tt.status {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.target, w.Code, tt.status)
		}
		if tt.mime != "" && w.Header().Get("Content-Type") != tt.mime {
			t.Errorf("%s %s: type %q, want %q", tt.method, tt.target, w.Header().Get("Content-Type"), tt.mime)
		}
	}
}

func TestRevalidation(t *testing.T) {
	first := get(t, "GET", "/page.js")
	if cache := first.Header().Get("Cache-Control"); cache != "no-cache" {
		t.Errorf("Cache-Control %q", cache)
	}
	again := get(t, "GET", "/page.js", "If-None-Match", first.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("same file again: status %d, %d bytes", again.Code, again.Body.Len())
	}
}

// Every file of the page is served, all that the page asks for is there, and nothing comes from elsewhere or stands inline.
func TestPage(t *testing.T) {
	served, err := load()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		_, wanted := types[path.Ext(entry.Name())]
		if _, ok := served[entry.Name()]; wanted && !ok {
			t.Errorf("%s is not in the list of embedded files", entry.Name())
		}
	}
	reference := regexp.MustCompile(`(?:src|href)="([^"#]+)[^"]*"|from '\./([^']+)'|import\('\./([^']+)'\)`)
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle="|\son[a-z]+="|javascript:|\beval\(|new Function`)
	size := 0
	for name, f := range served {
		size += len(f.body)
		text := string(f.body)
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s: %q is inline code", name, found)
		}
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			target := strings.Join(match[1:], "")
			if _, ok := served[target]; !ok {
				t.Errorf("%s asks for %q, which is not served", name, target)
			}
		}
	}
	if size > 150_000 {
		t.Errorf("the page has %d bytes", size)
	}
}
