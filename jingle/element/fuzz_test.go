package element

import (
	"encoding/xml"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// stricter is where encoding/xml accepts what XML or Namespaces in XML forbids.
var stricter = []string{
	msgSpace,     // XML 1.0 section 3.1: attributes are apart
	msgTwice,     // sections 3.1, Namespaces 6.3: an attribute is given once
	msgReserved,  // Namespaces 3: xml and xmlns mean one thing only
	msgUndeclare, // Namespaces 5: xmlns:p='' is no declaration
	msgUnbound,   // Namespaces 5: every prefix is declared
	msgName,      // Namespaces 4: a name has one colon at most, with a name on either side
	msgReference, // XML 1.0 section 4.1: &#xD800; is no character; encoding/xml reads U+FFFD
}

// FuzzParse: what parses is written and read again the same; encoding/xml reads the same from it, and refuses nothing of it;
// what only encoding/xml accepts is refused for a reason of the list above.
func FuzzParse(f *testing.F) {
	f.Add(string(sessionInitiate(f)))
	for _, s := range []string{
		"<a b='1'>c<d xmlns='u'/>&#x41;&amp;<![CDATA[<]]></a>", "<p:a xmlns:p='u' p:b='\r\n\t&#10;' xml:lang='x'/>", "<a:b:c/>", "<a><!-- --></a>",
		"<é ♥='1'/>", "<a>]]></a>", "<a xmlns=''/>", "<xml:a/>", "<a b=''c=''/>", "<a xmlns:p=''/>", "<a>&#xD800;</a>", "<a", "</a>", "<a></a >",
		"<:a/>", "<a:/>", "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "<p:a xmlns:p='u' xmlns:q='u'></q:a>", "<a><b></a></b>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := Parse([]byte(in), Limits{})
		oracle, oracleErr := parseOracle([]byte(in))
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(in) {
				t.Fatalf("error %#v", err)
			}
			if oracleErr == nil && !syntax.Limit && !slices.Contains(stricter, syntax.Msg) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if oracleErr != nil && !newerName(oracleErr) {
			t.Fatalf("%s was read, but: %v", got, oracleErr)
		}
		if oracleErr == nil && !equal(got, oracle, foldSpace) {
			t.Fatalf("read as %s, want %s", got, oracle)
		}
		written := got.String()
		again, err := Parse([]byte(written), Limits{Bytes: 1 << 30})
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("%s read again as %v, %v", got, again, err)
		}
		oracle, oracleErr = parseOracle([]byte(written))
		if oracleErr != nil && !newerName(oracleErr) || oracleErr == nil && !equal(got, oracle, same) {
			t.Fatalf("%s read by encoding/xml as %s, %v", written, oracle, oracleErr)
		}
		indented, err := Parse(got.AppendIndent(nil, ""), Limits{Bytes: 1 << 30})
		if err != nil || !equal(withoutIndent(got), withoutIndent(indented), same) {
			t.Fatalf("%s read again as %s, %v", got.AppendIndent(nil, ""), indented, err)
		}
	})
}

// withoutIndent drops the text of elements that have children and nothing but white space besides.
func withoutIndent(e *Element) *Element {
	out := &Element{Space: e.Space, Local: e.Local, Attrs: e.Attrs, Text: e.Text}
	if len(e.Children) > 0 && strings.Trim(e.Text, " \n") == "" && strings.HasPrefix(e.Text, "\n") {
		out.Text = ""
	}
	for _, c := range e.Children {
		out.Append(withoutIndent(c))
	}
	return out
}

// TestStricter lists what encoding/xml reads and this package refuses, by what forbids it.
func TestStricter(t *testing.T) {
	for _, tt := range []struct{ in, msg, section string }{
		{"<a b='1'c='2'/>", msgSpace, "XML 1.0 section 3.1, [40]"},
		{"<a b='1' b='2'/>", msgTwice, "XML 1.0 section 3.1, unique attribute specification"},
		{"<a xmlns='u' xmlns='u'/>", msgTwice, "XML 1.0 section 3.1, unique attribute specification"},
		{"<a xmlns:p='u' xmlns:p='v'/>", msgTwice, "XML 1.0 section 3.1, unique attribute specification"},
		{"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", msgTwice, "Namespaces section 6.3"},
		{"<a xmlns:xml='u'/>", msgReserved, "Namespaces section 3, reserved prefixes"},
		{"<a xmlns='http://www.w3.org/2000/xmlns/'/>", msgReserved, "Namespaces section 3, reserved prefixes"},
		{"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", msgReserved, "Namespaces section 3, reserved prefixes"},
		{"<a xmlns:p=''/>", msgUndeclare, "Namespaces section 5, no prefix undeclaring"},
		{"<p:a/>", msgUnbound, "Namespaces section 5, prefix declared"},
		{"<a p:b='1'/>", msgUnbound, "Namespaces section 5, prefix declared"},
		{"<:a/>", msgName, "Namespaces section 4, [7]"},
		{"<a:/>", msgName, "Namespaces section 4, [7]"},
		{"<a>&#xD800;</a>", msgReference, "XML 1.0 section 4.1, legal character"},
	} {
		if e, err := parseOracle([]byte(tt.in)); err != nil {
			t.Errorf("%s: encoding/xml: %v, %v: no need to list it", tt.in, e, err)
		}
		var syntax *SyntaxError
		if e, err := Parse([]byte(tt.in), Limits{}); !errors.As(err, &syntax) || syntax.Msg != tt.msg {
			t.Errorf("%s (%s): %v, %v", tt.in, tt.section, e, err)
		}
		if !slices.Contains(stricter, tt.msg) {
			t.Errorf("%s: %q is not in the list", tt.in, tt.msg)
		}
	}
}

// TestMoreLenient lists what this package reads and encoding/xml refuses: names of XML 1.0, fifth edition, section 2.3, [4].
func TestMoreLenient(t *testing.T) {
	for _, in := range []string{"<\u2070a/>", "<a\u203F/>", "<a \U00010000='1'/>"} {
		if _, err := Parse([]byte(in), Limits{}); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if _, err := parseOracle([]byte(in)); !newerName(err) {
			t.Errorf("%s: encoding/xml: %v: no need to list it", in, err)
		}
	}
}

// newerName: encoding/xml knows the name characters of the fourth edition of XML 1.0, this package those of the fifth.
func newerName(err error) bool {
	var syntax *xml.SyntaxError
	return errors.As(err, &syntax) && strings.HasPrefix(syntax.Msg, "invalid XML name")
}

// foldSpace: encoding/xml does not normalise white space in values (XML 1.0 section 3.3.3).
func foldSpace(s string) string {
	return strings.NewReplacer("\t", " ", "\n", " ").Replace(s)
}

// FuzzWrite: whatever a tree holds, what is written parses, unless nothing is written.
func FuzzWrite(f *testing.F) {
	f.Add("u", "a", "v", "b", "1", "text", "c")
	f.Add("http://www.w3.org/XML/1998/namespace", "a", "http://www.w3.org/XML/1998/namespace", "lang", "<'\t\x00", "]]>\r", "xmlns")
	f.Add("\x00", "é", "\xff", "p:b", "", "", "")
	f.Fuzz(func(t *testing.T, space, local, attrSpace, attr, value, text, child string) {
		e := &Element{Space: space, Local: local, Text: text, Attrs: []Attr{{attrSpace, attr, value}, {"", attr, value}, {attrSpace, child, text}}}
		e.Append(New(attrSpace, child), New("", child).WithText(value))
		out := e.AppendTo(nil, "urn:parent")
		if len(out) == 0 {
			return
		}
		if _, err := ParseIn(out, Scope{"": "urn:parent"}, Limits{Bytes: 1 << 30}); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := sessionInitiate(b)
	b.Run("element", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(in, Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-xml", func(b *testing.B) {
		type node struct {
			XMLName  xml.Name
			Attrs    []xml.Attr `xml:",any,attr"`
			Text     string     `xml:",chardata"`
			Children []node     `xml:",any"`
		}
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		for b.Loop() {
			var n node
			if err := xml.Unmarshal(in, &n); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	e, err := Parse(sessionInitiate(b), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	buf := e.AppendTo(nil, "")
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = e.AppendTo(buf[:0], "")
	}
}
