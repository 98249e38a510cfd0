package stream

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"carillon/jingle/element"
)

// cut runs a framer over in, in pieces of the sizes given in turn, and returns what came of it as text.
func cut(in string, sizes []byte) (frames []string, err error) {
	f := framer{maxBytes: 64, maxDepth: 4}
	for b := []byte(in); len(b) > 0; {
		n := len(b)
		if len(sizes) > 0 {
			n = min(n, max(1, int(sizes[0])))
			sizes = append(sizes[1:len(sizes):len(sizes)], sizes[0])
		}
		for piece := b[:n]; len(piece) > 0; {
			size, fr, done, err := f.next(piece)
			if err != nil {
				return frames, err
			}
			if piece = piece[size:]; !done {
				break
			}
			frames = append(frames, fmt.Sprintf("%s|%s|%v", fr.data, fr.problem, fr.end))
		}
		b = b[n:]
	}
	return frames, nil
}

func TestFramer(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
		err      error
	}{
		{"empty elements", "<a/> \n<b />", []string{"<a/>||false", "<b />||false"}, nil},
		{"nested", "<a><b/>x<c></c></a><d/>", []string{"<a><b/>x<c></c></a>||false", "<d/>||false"}, nil},
		{"signs in values", "<a b='/>' c=\"'</a>\"/><d b='>'></d>", []string{"<a b='/>' c=\"'</a>\"/>||false", "<d b='>'></d>||false"}, nil},
		{"slash before a value's end", "<a b='/'></a>", []string{"<a b='/'></a>||false"}, nil},
		{"CDATA", "<a><![CDATA[</a>]] ></a>]]]></a><b/>", []string{"<a><![CDATA[</a>]] ></a>]]]></a>||false", "<b/>||false"}, nil},
		{"comment", "<a><!-- </a> - -></a> ---></a><b/>", []string{"<a><!-- </a> - -></a> ---></a>||false", "<b/>||false"}, nil},
		{"instruction", "<a><? </a> ??></a>", []string{"<a><? </a> ??></a>||false"}, nil},
		{"end", " </stream:stream><a/>", []string{"</stream:stream>||true", "<a/>||false"}, nil},
		{"incomplete", "<a><b/>", nil, nil},
		{"too large", "<a b='1'>" + strings.Repeat("<b/>", 100) + "</a><c/>", []string{"<a b='1'>|" + tooLarge + "|false", "<c/>||false"}, nil},
		{"too large a start tag", "<a b='" + strings.Repeat("/>", 100) + "'/><c/>", []string{"|" + tooLarge + "|false", "<c/>||false"}, nil},
		{"just fits", "<a>" + strings.Repeat("x", 57) + "</a>", []string{"<a>" + strings.Repeat("x", 57) + "</a>||false"}, nil},
		{"one too many", "<a>" + strings.Repeat("x", 58) + "</a>", []string{"<a>|" + tooLarge + "|false"}, nil},
		{"deep", "<a><a><a><a></a></a></a></a>", []string{"<a><a><a><a></a></a></a></a>||false"}, nil},
		{"too deep", "<i><a><a><a><a></a></a></a></a></i><c/>", []string{"<i>|" + tooDeep + "|false", "<c/>||false"}, nil},
		{"text", "<a/>x", []string{"<a/>||false"}, errJunk},
		{"comment outside", "<a/><!-- -->", []string{"<a/>||false"}, errJunk},
		{"instruction outside", "<?xml?>", nil, errJunk},
		{"NUL outside", "\x00", nil, errJunk},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, sizes := range [][]byte{nil, {1}, {3, 1}, {7}} {
				got, err := cut(tt.in, sizes)
				if !reflect.DeepEqual(got, tt.want) || err != tt.err {
					t.Errorf("in pieces of %v:\n%q, %v\nwant\n%q, %v", sizes, got, err, tt.want, tt.err)
				}
			}
		})
	}
}

// FuzzFramer: whatever the pieces, the same bytes give the same frames and the same end; within the bounds.
func FuzzFramer(f *testing.F) {
	for _, in := range []string{
		"<a><b c='>'/></a> <d/></s>", "<a><![CDATA[]]]]></a>", "<a><!----></a>", "<a/>x", "<?x?>", "<a><a><a><a><a/></a></a></a></a>", "<>", "</>", "<a b='",
		"<m>" + strings.Repeat("x", 100) + "</m><n/>",
	} {
		f.Add(in, []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, in string, sizes []byte) {
		whole, wholeErr := cut(in, nil)
		pieces, piecesErr := cut(in, sizes)
		single, singleErr := cut(in, []byte{1})
		if !reflect.DeepEqual(whole, pieces) || wholeErr != piecesErr || !reflect.DeepEqual(whole, single) || wholeErr != singleErr {
			t.Fatalf("%q: %q, %v\nin pieces %q, %v\nin bytes %q, %v", in, whole, wholeErr, pieces, piecesErr, single, singleErr)
		}
		for _, fr := range whole {
			if len(fr) > 64+64 {
				t.Fatalf("frame of %d bytes", len(fr))
			}
		}
	})
}

// FuzzFramerAndParser: what the parser takes for one element, the framer does too.
func FuzzFramerAndParser(f *testing.F) {
	for _, in := range []string{"<a b='/>' c=\"'>\"><![CDATA[]]]]><![CDATA[>]]></a>", " <a/ > ", "<a/>", "<p:a xmlns:p='/'/>", "<a>></a>"} {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if _, err := element.Parse([]byte(in), element.Limits{}); err != nil {
			return
		}
		fr := framer{maxBytes: 1 << 20, maxDepth: 128}
		n, got, done, err := fr.next([]byte(in))
		if want := strings.Trim(in, " \t\r\n"); !done || err != nil || string(got.data) != want || got.problem != "" || strings.Trim(in[n:], " \t\r\n") != "" {
			t.Fatalf("%q: %q, %v, %v", in, got.data, done, err)
		}
	})
}

func BenchmarkFramer(b *testing.B) {
	in := []byte("<iq type='set' id='x' from='a@example.org/r' to='b@call.example.org'><jingle xmlns='urn:xmpp:jingle:1'>" +
		strings.Repeat("<payload-type id='111' name='opus' clockrate='48000' channels='2'><parameter name='useinbandfec' value='1'/></payload-type>", 75) + "</jingle></iq>")
	f := framer{maxBytes: 1 << 20, maxDepth: 100}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, done, err := f.next(in); !done || err != nil {
			b.Fatal(err)
		}
	}
}
