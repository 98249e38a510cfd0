package main

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// layers are the packages from the bottom up: each may import those of a lower number only.
var layers = []struct {
	path  string
	layer int
	pure  bool
}{
	{"carillon/jingle/element", 0, true},
	{"carillon/jingle", 1, true},
	{"carillon/sdpconv", 2, true},
	{"carillon/component/call", 3, true},
	{"carillon/component/room", 3, true},
	{"carillon/component/stream", 4, false},
	{"carillon/component/gateway", 4, false},
	{"carillon/component/xmppserver", 4, false},
	{"carillon/webclient", 4, false},
	{"carillon/component", 5, false},
	{"carillon/component/gateway/sample", 6, false},
	{"carillon/cmd/carillon", 6, false},
	{"carillon/cmd/jingle-echo", 6, false},
}

// impure are the packages that pure ones do without.
var impure = []string{"net", "os", "log", "context", "sync", "math/rand", "crypto/rand", "time/tzdata", "syscall", "io/ioutil"}

type listedPackage struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
}

func TestDependenciesRunOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "carillon/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	pure := map[string]bool{}
	for _, l := range layers {
		place[l.path], pure[l.path] = l.layer, l.pure
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		layer, known := place[p.ImportPath]
		if !known {
			t.Errorf("package %s has no place among the layers: give it one", p.ImportPath)
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "carillon/") && place[i] >= layer {
				t.Errorf("%s imports %s, which does not stand below it", p.ImportPath, i)
			}
			if i == "github.com/pion/webrtc/v4" && p.ImportPath != "carillon/cmd/jingle-echo" {
				t.Errorf("%s imports pion/webrtc: media belongs to jingle-echo alone", p.ImportPath)
			}
			if pure[p.ImportPath] && isImpure(i) {
				t.Errorf("%s is pure and imports %s", p.ImportPath, i)
			}
		}
		if pure[p.ImportPath] {
			for _, f := range p.GoFiles {
				checkPure(t, filepath.Join(p.Dir, f))
			}
		}
	}
}

func isImpure(path string) bool {
	for _, bad := range impure {
		if path == bad || strings.HasPrefix(path, bad+"/") {
			return true
		}
	}
	return false
}

// checkPure finds clocks, goroutines and channels in a file.
func checkPure(t *testing.T, file string) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(n ast.Node, what string) { t.Errorf("%s: %s in a pure package", set.Position(n.Pos()), what) }
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			bad(n, "a goroutine")
		case *ast.ChanType:
			bad(n, "a channel")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" {
				switch n.Sel.Name {
				case "Now", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep", "Since", "Until":
					bad(n, "time."+n.Sel.Name)
				}
			}
		}
		return true
	})
}

// TestTopLevel keeps the layout that the README shows.
func TestTopLevel(t *testing.T) {
	allowed := map[string]bool{}
	for _, name := range strings.Fields("cmd component jingle sdpconv webclient testdata go.mod go.sum README.md LICENSE Makefile CHANGES.md SECURITY.md") {
		allowed[name] = true
	}
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !allowed[e.Name()] && !strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s does not belong at the top level", strconv.Quote(e.Name()))
		}
	}
}
