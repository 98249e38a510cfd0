package webclient

import (
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"regexp"
	"slices"
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
		{"GET", "/manifest.webmanifest", 200, "application/manifest+json"},
		{"GET", "/icon-192.png", 200, "image/png"},
		{"GET", "/strings/fr.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/strings", 404, ""},
		{"GET", "/strings/", 404, ""},
		{"GET", "/r/choir", 200, "text/html; charset=utf-8"},
		{"HEAD", "/r/M%C3%BCller%20%26%20friends.css?x=1", 200, "text/html; charset=utf-8"},
		{"GET", "/room.css", 200, "text/css; charset=utf-8"},
		{"GET", "/r/", 200, "text/html; charset=utf-8"},
		{"GET", "/r", 301, ""},
		{"GET", "/r/a/b", 404, ""},
		{"GET", "/r/a/", 404, ""},
		{"GET", "/missing.html", 404, ""},
		{"GET", "/r/../embed.go", 404, ""},
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

// Who looks for a page that is not there gets one that says so, with links that lead to the start from wherever that is.
func TestMissing(t *testing.T) {
	for target, up := range map[string]string{
		"/nothing": "", "/missing.html": "", "/r/a/b": "../../", "/r/a/": "../../", "//x": "../", "/a%2Fb/c": "../", "/" + strings.Repeat("a/", 32): strings.Repeat("../", 32),
	} {
		w := get(t, "GET", target, "Accept", "text/html,*/*;q=0.8")
		body := w.Body.String()
		if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", target, w.Code, w.Header())
		}
		for _, want := range []string{"There is no such page", `href="` + up + `style.css"`, `src="` + up + `missing.js"`, `href="` + up + `./"`, `href="` + up + `r/"`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %s", target, want)
			}
		}
		if head := get(t, "HEAD", target, "Accept", "text/html"); head.Code != http.StatusNotFound {
			t.Errorf("HEAD %s: %d", target, head.Code)
		}
	}
	for target, accept := range map[string]string{"/nothing": "*/*", "/nothing.js": "", "/" + strings.Repeat("a/", 1000): "text/html"} {
		if w := get(t, "GET", target, "Accept", accept); w.Code != http.StatusNotFound || w.Body.Len() > 100 {
			t.Errorf("%s for %q: %d, %d bytes", target, accept, w.Code, w.Body.Len())
		}
	}
	if to := get(t, "GET", "/r").Header().Get("Location"); to != "r/" {
		t.Errorf("/r leads to %q", to)
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

var reference = regexp.MustCompile(`(?:src|href)="([^"#]+)[^"]*"|from '\./([^']+)'|import\('\./([^']+)'\)`)

// asked are the files that one asks for.  Those of a room's page, which is served at /r/NAME, are one level up.
func asked(name string, f file) []string {
	var names []string
	for _, match := range reference.FindAllStringSubmatch(string(f.body), -1) {
		target := strings.Join(match[1:], "")
		if name == "room.html" {
			below, up := strings.CutPrefix(target, "../")
			if !up {
				below = "(not one level up) " + target
			}
			target = below
		}
		if !strings.HasSuffix(target, "/") { // which is a page
			names = append(names, path.Join(target))
		}
	}
	return names
}

// Every file is served, all that one asks for is there, and nothing comes from elsewhere or stands inline.
func TestFiles(t *testing.T) {
	served, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*", "strings/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			_, wanted := types[path.Ext(name)]
			if _, ok := served[name]; wanted && !ok {
				t.Errorf("%s is not in the list of embedded files", name)
			}
		}
	}
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle="|\son[a-z]+="|javascript:|\beval\(|new Function`)
	for name, f := range served {
		if found := inline.FindString(string(f.body)); found != "" {
			t.Errorf("%s: %q is inline code", name, found)
		}
		for _, target := range asked(name, f) {
			if _, ok := served[target]; !ok && target != "" {
				t.Errorf("%s asks for %q, which is not served", name, target)
			}
		}
	}
}

var apart = []string{".png", ".svg", ".webmanifest"}

// needs are the documents, styles and scripts that a browser loads for that one, of the catalogues the largest.  The self-test is loaded by those who
// want it.
func needs(served map[string]file, name string) []string {
	names, catalogue := []string{name}, map[string]string{} // by its part
	for i := 0; i < len(names); i++ {
		for _, target := range asked(names[i], served[names[i]]) {
			if path.Dir(target) == "strings" {
				part := path.Base(target)[:len(path.Base(target))-len("en.js")]
				if len(served[target].body) > len(served[catalogue[part]].body) {
					catalogue[part] = target
				}
			} else if !slices.Contains(names, target) && !slices.Contains(apart, path.Ext(target)) && target != "selftest.js" {
				names = append(names, target)
			}
		}
	}
	return slices.AppendSeq(names, maps.Values(catalogue))
}

// What a browser loads for a page, or another site for the call button, is little.
func TestSize(t *testing.T) {
	served, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name                string
		files, size, zipped int
	}{
		{"index.html", 10, 150_000, 60_000},
		{"room.html", 10, 150_000, 60_000},
		{"carillon-call.js", 8, 100_000, 30_000},
		{"carillon.js", 8, 70_000, 25_000},
	} {
		names, size, zipped := needs(served, tt.name), 0, 0
		for _, name := range names {
			size += len(served[name].body)
			zipped += len(served[name].gzipped)
		}
		t.Logf("%s: %d files, %d bytes, %d compressed", tt.name, len(names), size, zipped)
		if len(names) < tt.files || size > tt.size || zipped > tt.zipped {
			t.Errorf("%s: %d files, %d bytes, %d compressed", tt.name, len(names), size, zipped)
		}
	}
}

// Scripts may be loaded by other sites, pages not; what is sent compressed is the same.
func TestServedElsewhere(t *testing.T) {
	plain := get(t, "GET", "/carillon-call.js", "Origin", "https://shop.example")
	if allow := plain.Header().Get("Access-Control-Allow-Origin"); allow != "*" {
		t.Errorf("Access-Control-Allow-Origin of a script: %q", allow)
	}
	if allow := get(t, "GET", "/", "Origin", "https://shop.example").Header().Get("Access-Control-Allow-Origin"); allow != "" {
		t.Errorf("Access-Control-Allow-Origin of the page: %q", allow)
	}
	small := get(t, "GET", "/carillon-call.js", "Accept-Encoding", "gzip, br")
	r, err := gzip.NewReader(small.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil || string(body) != plain.Body.String() || small.Header().Get("ETag") == plain.Header().Get("ETag") {
		t.Errorf("compressed: %d bytes of %d, ETag %s, %v", len(body), plain.Body.Len(), small.Header().Get("ETag"), err)
	}
	for accepted, want := range map[string]string{"br, GZIP; q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.000, br": "", "x-gzip-not": "", "deflate": ""} {
		if got := get(t, "GET", "/carillon-call.js", "Accept-Encoding", accepted).Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding: %s is answered in %q, not %q", accepted, got, want)
		}
	}
}

// A style sheet without what only its readers need is the same style sheet.
func TestSlimStyle(t *testing.T) {
	got := string(slimStyle([]byte("\na, b :hover > c {\n  color: red;\n  margin: 0 auto;\n}\n@media (max-width: 3rem) and (hover) {\n  d { width: calc(1px + 2px) !important; }\n}\n")))
	if want := "a,b :hover > c{color:red;margin:0 auto}@media (max-width:3rem) and (hover){d{width:calc(1px + 2px) !important}}"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	quoted := regexp.MustCompile(`"[^"]*[{};:,]|"[^"]*  `)
	for _, name := range []string{"style.css", "call.css", "room.css", "test.css"} {
		sheet, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(withoutComments(sheet)), "\n") {
			if words := strings.Split(line, `"`); len(words) > 2 {
				for i := 1; i < len(words); i += 2 {
					if quoted.MatchString(`"` + words[i]) {
						t.Errorf("%s: %q would be cut within its quotes", name, words[i])
					}
				}
			}
		}
	}
}

// A script without its comments is the same script: no comment is cut in two.
func TestWithoutComments(t *testing.T) {
	got := string(withoutComments([]byte("// a\nlet b; // c\n/** d */\n  /**\n   * e\n   */\nf(/** @type {g} */ (h));\n/** i */ j();\n")))
	if want := "\nlet b; // c\n\n\n\n\nf(/** @type {g} */ (h));\n/** i */ j();\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	served, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if path.Ext(entry.Name()) != ".js" {
			continue
		}
		source, err := files.ReadFile(entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		body := string(served[entry.Name()].body)
		if strings.Count(body, "\n") != strings.Count(string(source), "\n") {
			t.Errorf("%s: lines have other numbers than in the source", entry.Name())
		}
		template := false
		for i, line := range strings.Split(string(source), "\n") {
			text := strings.TrimSpace(line)
			if template && (strings.HasPrefix(text, "//") || strings.Contains(text, "/*")) {
				t.Errorf("%s:%d: a comment within a template: %s", entry.Name(), i+1, line)
			}
			template = template != (strings.Count(line, "`")%2 != 0)
		}
		for i, line := range strings.Split(body, "\n") {
			if strings.Count(line, "/*") != strings.Count(line, "*/") {
				t.Errorf("%s:%d: a comment was cut: %s", entry.Name(), i+1, line)
			}
		}
	}
}
