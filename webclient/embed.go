// Package webclient is the pages that people call and meet from, and the client library they are made of: plain ES modules, served as
// they are written but for comments and blanks.  carillon.js and room.js are the library and touch no DOM; page.js is the page of calls, roompage.js that of a room.
package webclient

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

//go:embed index.html room.html missing.html style.css call.css room.css test.css manifest.webmanifest icon.svg icon-192.png icon-512.png icon-maskable.png icons.svg
//go:embed carillon.js carillon-call.js call.js devices.js events.js identity.js kept.js link.js local.js member.js network.js outbox.js peer.js recovery.js remote.js room.js stats.js store.js
//go:embed page.js blocked.js chat.js choose.js controls.js links.js lobby.js meet.js missing.js names.js preview.js ring.js roompage.js selftest.js sheets.js speak.js stage.js states.js strings.js tiles.js view.js
//go:embed strings/en.js strings/de.js strings/fr.js strings/test-en.js strings/test-de.js strings/test-fr.js
//go:embed strings/missing-en.js strings/missing-de.js strings/missing-fr.js
//go:embed strings/room-en.js strings/room-de.js strings/room-fr.js
var files embed.FS

var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",

	".webmanifest": "application/manifest+json",
}

// file is one file as it is served.
type file struct {
	body    []byte
	gzipped []byte
	mime    string
	etag    string // without its quotes
}

// load reads the embedded files by name.
func load() (map[string]file, error) {
	served := map[string]file{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		mime, ok := types[path.Ext(name)]
		if !ok {
			return fmt.Errorf("no media type for %s", name)
		}
		switch path.Ext(name) {
		case ".js":
			body = slim(withoutComments(body))
		case ".css":
			body = slimStyle(withoutComments(body))
		case ".html":
			body = quoted.ReplaceAll(slim(body), []byte("=$1$2"))
		}
		sum := sha256.Sum256(body)
		served[name] = file{body, gzipped(body), mime, base64.RawURLEncoding.EncodeToString(sum[:12])}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("webclient: %w", err)
	}
	return served, nil
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	w.Write(body) // to memory: nothing that could fail
	w.Close()
	return b.Bytes()
}

// withoutComments empties the lines of a script or style sheet that are nothing but comment: types and explanations are a third of it, and no browser needs
// them.
func withoutComments(script []byte) []byte {
	lines, within := strings.SplitAfter(string(script), "\n"), false
	for i, line := range lines {
		text := strings.TrimSpace(line)
		begins := within || strings.HasPrefix(text, "/*")
		ends := strings.Contains(text, "*/")
		within = begins && !ends
		if within || strings.HasPrefix(text, "//") || begins && strings.HasSuffix(text, "*/") {
			lines[i] = "\n"
		}
	}
	return []byte(strings.Join(lines, ""))
}

// quoted is an attribute of HTML whose value is one word, and so needs no quotes.
var quoted = regexp.MustCompile(`="([0-9A-Za-z-]+)"([ >])`)

var inlineType = regexp.MustCompile(`/\*\* @type [^*]*\*/ ?`)

// slim takes out the blanks at the beginnings of lines and the types from within them, but not within templates.  Lines keep their numbers, which people
// read to us from their consoles.
func slim(text []byte) []byte {
	lines, template := strings.SplitAfter(string(text), "\n"), false
	for i, line := range lines {
		if !template {
			lines[i] = strings.TrimLeft(inlineType.ReplaceAllString(line, ""), " ")
		}
		template = template != (strings.Count(line, "`")%2 != 0)
	}
	return []byte(strings.Join(lines, ""))
}

var (
	blanks    = regexp.MustCompile(`\s+`)
	aroundCSS = regexp.MustCompile(` ?([{};,]) ?`)
	afterName = regexp.MustCompile(`: `)
)

// slimStyle takes the blanks and line ends out of a style sheet that only its readers need.  Before a colon and in front of an operator they mean something.
func slimStyle(sheet []byte) []byte {
	sheet = aroundCSS.ReplaceAll(blanks.ReplaceAll(sheet, []byte(" ")), []byte("$1"))
	return bytes.TrimSpace(bytes.ReplaceAll(afterName.ReplaceAll(sheet, []byte(":")), []byte(";}"), []byte("}")))
}

// Handler serves the page at /, that of a room at /r/NAME, their files by name, and nothing else; a browser that goes elsewhere gets a page that
// says so.  Browsers may keep a file but ask each time whether it
// is still the same, so that a new version of the server is a new version of the page.  Its links are relative: it works under any
// path.  Headers about security are the caller's; the page needs no inline script or style and nothing from another host.  Scripts may be loaded by
// other sites, which embed <carillon-call>: they hold nothing secret.
func Handler() http.Handler {
	served, err := load()
	if err != nil {
		panic(err) // a file was added to the list above without its media type
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		switch room, under := strings.CutPrefix(name, "r/"); {
		case name == "":
			name = "index.html"
		case name == "r":
			w.Header().Set("Location", "r/") // relative, as all links
			w.WriteHeader(http.StatusMovedPermanently)
			return
		case under && !strings.Contains(room, "/"): // without a name it asks for one
			name = "room.html"
		}
		f, ok := served[name]
		if !ok || name == missing {
			notFound(w, r, served[missing].body)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.mime)
		h.Set("Cache-Control", "no-cache")
		h.Set("Vary", "Accept-Encoding")
		if path.Ext(name) == ".js" {
			h.Set("Access-Control-Allow-Origin", "*")
		}
		body, etag := f.body, f.etag
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			body, etag = f.gzipped, f.etag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("ETag", `"`+etag+`"`)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	})
}

// acceptsGzip reads Accept-Encoding (RFC 9110 section 12.5.3): codings, each with a weight, of which zero is a refusal.
func acceptsGzip(headers []string) bool {
	for _, header := range headers {
		for coding := range strings.SplitSeq(header, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
			value, err := strconv.ParseFloat(q, 64)
			return !ok || err == nil && value > 0
		}
	}
	return false
}

const (
	missing  = "missing.html"
	maxDepth = 32 // of a path whose page tells the way up from it
)

// notFound answers who looks for a page with one that says that it is not there, and a program with a line.  Its links lead up from where it
// stands in.
func notFound(w http.ResponseWriter, r *http.Request, page []byte) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept")
	depth := strings.Count(r.URL.EscapedPath(), "/") - 1
	if depth > maxDepth || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", types[path.Ext(missing)])
	w.WriteHeader(http.StatusNotFound)
	w.Write(link.ReplaceAll(page, []byte("${0}"+strings.Repeat("../", max(0, depth)))))
}

var link = regexp.MustCompile(`\b(?:href|src)="`)
