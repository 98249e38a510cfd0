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
		{"GET", "/r/choir", 200, "text/html; charset=utf-8"},
		{"HEAD", "/r/M%C3%BCller%20%26%20friends.css?x=1", 200, "text/html; charset=utf-8"},
		{"GET", "/room.css", 200, "text/css; charset=utf-8"},
		{"GET", "/r/", 404, ""},
		{"GET", "/r", 404, ""},
		{"GET", "/r/a/b", 404, ""},
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
		names = append(names, path.Join(target))
	}
	return names
}

// Every file is served, all that one asks for is there, and nothing comes from elsewhere or stands inline.
func TestFiles(t *testing.T) {
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

// What a browser loads for a page is little.
func TestSize(t *testing.T) {
	served, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"index.html", "room.html"} {
		loaded, queue, size := map[string]bool{page: true}, []string{page}, 0
		for len(queue) > 0 {
			name := queue[0]
			queue = queue[1:]
			size += len(served[name].body)
			for _, target := range asked(name, served[name]) {
				if !loaded[target] {
					loaded[target] = true
					queue = append(queue, target)
				}
			}
		}
		t.Logf("%s: %d files, %d bytes", page, len(loaded), size)
		if len(loaded) < 10 || size > 150_000 {
			t.Errorf("%s: %d files, %d bytes", page, len(loaded), size)
		}
	}
}

// A script without its comments is the same script: line for line, and no comment is cut in two.
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
			t.Errorf("%s: lines have other numbers", entry.Name())
		}
		for i, line := range strings.Split(body, "\n") {
			if strings.Count(line, "/*") != strings.Count(line, "*/") || strings.Count(line, "`")%2 != 0 {
				t.Errorf("%s:%d: a comment or a template of several lines was cut: %s", entry.Name(), i+1, line)
			}
		}
	}
}
