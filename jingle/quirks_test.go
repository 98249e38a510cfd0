package jingle

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"carillon/jingle/element"
)

func parseXML(t testing.TB, file string) *element.Element {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", "stanzas", file))
	if err != nil {
		t.Fatal(err)
	}
	e, err := element.Parse(b, element.Limits{Bytes: 1 << 20, Elements: 1 << 16})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return e
}

func only(t *testing.T, e *element.Element) *element.Element {
	t.Helper()
	if len(e.Children) != 1 {
		t.Fatalf("%d elements", len(e.Children))
	}
	return e.Children[0]
}

// appender is a value that is written as text.
type appender interface {
	AppendTo(dst []byte, parentSpace string) []byte
}

// read reads what a quirk is about: a stanza or, where it is none, a call invite.
func read(e *element.Element, without Quirk) (value appender, err error) {
	d := &decoder{without: without}
	if e.Space == NS {
		s, err := d.stanza(e.Node())
		if err != nil {
			return s, err
		}
		return s, nil
	}
	i, ok, err := d.invite(e.Node())
	if !ok {
		return i, ErrNotImplemented
	}
	return i, err
}

// Each quirk is read as its plain form, the plain form does not need it, and without it what the client wrote is refused or misread.
func TestQuirks(t *testing.T) {
	for _, q := range Quirks {
		t.Run(q.Name, func(t *testing.T) {
			if q.Client == "" || q.Doc == "" {
				t.Error("undocumented")
			}
			fixture := parseXML(t, "quirks/"+q.Name+".xml")
			written := only(t, fixture.Child("", "written"))
			got, err := read(written, 0)
			if err != nil {
				t.Fatal(err)
			}
			want := got
			if means := fixture.Child("", "means"); means != nil {
				if want, err = read(only(t, means), q.Quirk); err != nil {
					t.Fatal(err)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("read as\n%s\nwant\n%s", got.AppendTo(nil, ""), want.AppendTo(nil, ""))
			}
			if plain, err := read(written, q.Quirk); err == nil && reflect.DeepEqual(plain, want) {
				t.Error("the fixture does not need the quirk")
			}
		})
	}
}

// Every constant has an entry, every entry a name of its own, every fixture an entry.
func TestQuirksComplete(t *testing.T) {
	names := map[string]bool{}
	for q := RelPortUnderscore; q <= EventsParameter; q++ {
		if strings.HasPrefix(q.String(), "quirk(") || names[q.String()] {
			t.Errorf("%d has no entry of its own", int(q))
		}
		names[q.String()] = true
	}
	if len(Quirks) != len(names) {
		t.Errorf("%d entries for %d quirks", len(Quirks), len(names))
	}
	files, _ := filepath.Glob("../testdata/stanzas/quirks/*.xml")
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".xml"); !names[name] {
			t.Errorf("fixture %s has no quirk", name)
		}
	}
}

func TestReasonSpelling(t *testing.T) {
	for written, want := range map[string]Condition{
		"success": Success, "failed_application": FailedApplication, "application-error": FailedApplication,
		"connectivity_error": ConnectivityError, "BUSY": Busy, "something-new": GeneralError, "": GeneralError,
	} {
		e := element.New(NS, "reason")
		if written != "" {
			e.Append(element.New(NS, written))
		}
		if got := (&decoder{}).reason(e.Node()); got.Condition != want {
			t.Errorf("%q is read as %q, want %q", written, got.Condition, want)
		}
	}
}
