package element

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const ns, other = "urn:example:a", "urn:example:b"
	for _, tt := range []struct {
		name, in string
		want     *Element
	}{
		{"empty", "<a/>", New("", "a")},
		{"white space around", " \r\n<a></a>\t", New("", "a")},
		{"default namespace", "<a xmlns='urn:example:a'><b/><c xmlns=''/><d xmlns='urn:example:b'/><e/></a>",
			New(ns, "a").Append(New(ns, "b"), New("", "c"), New(other, "d"), New(ns, "e"))},
		{"prefixes", "<p:a xmlns:p='urn:example:a'><b/><p:c xmlns:p='urn:example:b'/><p:d/></p:a>",
			New(ns, "a").Append(New("", "b"), New(other, "c"), New(ns, "d"))},
		{"attributes take no default namespace", `<a xmlns="urn:example:a" b = "1" c='&quot;"'/>`,
			New(ns, "a", "b", "1", "c", `""`)},
		{"prefix declared after its use", "<a p:b='1' b='2' xmlns:p='urn:example:a'/>",
			&Element{Local: "a", Attrs: []Attr{{ns, "b", "1"}, {"", "b", "2"}}}},
		{"xml:lang", "<a xml:lang='de'/>", &Element{Local: "a", Attrs: []Attr{{NSXML, "lang", "de"}}}},
		{"xml declared as itself", "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='de'/>",
			&Element{Local: "a", Attrs: []Attr{{NSXML, "lang", "de"}}}},
		{"empty attribute", "<a b=''/>", &Element{Local: "a", Attrs: []Attr{{"", "b", ""}}}},
		{"references", "<a b='&amp;&#65;&#x42;&apos;'>&lt;&gt;&#x1F600;&quot;</a>",
			New("", "a", "b", "&AB'").WithText("<>\U0001F600\"")},
		{"line ends", "<a b='1\r\n2\t3&#10;4'>1\r\n2\r3\n</a>", New("", "a", "b", "1 2 3\n4").WithText("1\n2\n3\n")},
		{"text around children", "<a>1<b>x</b>2<![CDATA[<&]]>3<c/>4</a>",
			New("", "a").WithText("12<&34").Append(New("", "b").WithText("x"), New("", "c"))},
		{"CDATA", "<a><![CDATA[]]><![CDATA[a]]b\r\nc]]]]><![CDATA[>]]></a>", New("", "a").WithText("a]]b\nc]]>")},
		{"names", "<é.-_1 ü='♥'/>", New("", "é.-_1", "ü", "♥")},
		{"> in text and value", "<a b='>'>></a>", New("", "a", "b", ">").WithText(">")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse([]byte(tt.in), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s\ngot  %v\nwant %v", tt.in, got, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, msg string }{
		{"nothing", "", "expected an element"},
		{"text", "a", "expected an element"},
		{"no end", "<a>", "not closed"},
		{"wrong end", "<a><b></a></b>", "does not match <b>"},
		{"longer end", "<a></ab>", "does not match <a>"},
		{"same namespace, other prefix", "<p:a xmlns:p='u' xmlns:q='u'></q:a>", "does not match"},
		{"second element", "<a/><a/>", "data after"},
		{"comment", "<a><!-- --></a>", "comment"},
		{"processing instruction", "<a><?b?></a>", "processing instruction"},
		{"declaration", "<?xml version='1.0'?><a/>", "processing instruction"},
		{"document type", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type"},
		{"entity", "<a>&b;</a>", "unknown entity"},
		{"open reference", "<a>&amp</a>", "malformed reference"},
		{"lone ampersand", "<a>& </a>", "malformed reference"},
		{"reference to nothing", "<a>&#;</a>", "malformed reference"},
		{"signed reference", "<a>&#+65;</a>", "malformed reference"},
		{"NUL reference", "<a>&#0;</a>", msgReference},
		{"surrogate reference", "<a>&#xD800;</a>", msgReference},
		{"reference out of range", "<a>&#x110000;</a>", msgReference},
		{"U+FFFE reference", "<a b='&#xFFFE;'/>", msgReference},
		{"control character", "<a>\x01</a>", msgChar},
		{"no UTF-8", "<a>\xff</a>", msgChar},
		{"U+FFFE", "<a>\uFFFE</a>", msgChar},
		{"encoded surrogate", "<a>\xed\xa0\x80</a>", msgChar},
		{"]]> in text", "<a>]]></a>", "]]> in text"},
		{"open CDATA", "<a><![CDATA[</a>", "CDATA section not closed"},
		{"CDATA outside", "<![CDATA[]]><a/>", "document type"},
		{"< in value", "<a b='<'/>", "< in a value"},
		{"no quotes", "<a b=c/>", "quoted"},
		{"open value", "<a b='/>", "value not closed"},
		{"no value", "<a b/>", "expected ="},
		{"no space", "<a b='1'c='2'/>", msgSpace},
		{"twice", "<a b='1' b='1'/>", msgTwice},
		{"twice by expanded name", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='1'/>", msgTwice},
		{"default namespace twice", "<a xmlns='u' xmlns='u'/>", msgTwice},
		{"prefix twice", "<a xmlns:p='u' xmlns:p='u'/>", msgTwice},
		{"unbound element", "<p:a/>", msgUnbound},
		{"unbound attribute", "<a p:b='1'/>", msgUnbound},
		{"prefix out of scope", "<a><b xmlns:p='u'/><p:b/></a>", msgUnbound},
		{"prefix undeclared", "<a xmlns:p=''/>", msgUndeclare},
		{"xml as another", "<a xmlns:xml='u'/>", msgReserved},
		{"another as xml", "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", msgReserved},
		{"default as xml", "<a xmlns='http://www.w3.org/XML/1998/namespace'/>", msgReserved},
		{"xmlns declared", "<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>", msgReserved},
		{"xmlns as a name", "<a xmlns='http://www.w3.org/2000/xmlns/'/>", msgReserved},
		{"element named by xmlns", "<xmlns:a/>", msgUnbound},
		{"two colons", "<a:b:c xmlns:a='u'/>", msgName},
		{"empty prefix", "<:a/>", msgName},
		{"empty local name", "<a: xmlns:a='u'/>", msgName},
		{"digit first", "<1/>", msgName},
		{"local digit first", "<a:1 xmlns:a='u'/>", msgName},
		{"combining character first", "<\u0301a/>", msgName},
		{"space before name", "< a/>", msgName},
		{"space in />", "<a / >", "expected > after /"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Parse([]byte(tt.in), Limits{})
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(syntax.Msg, tt.msg) || syntax.Limit {
				t.Errorf("%s: %v, %v", tt.in, e, err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	attrs := func(n int, form string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(form, "N", string(rune('a'+i))))
		}
		return "<a" + b.String() + "/>"
	}
	for _, tt := range []struct {
		name, fits, over string
		lim              Limits
	}{
		{"depth", deep(4), deep(5), Limits{Depth: 4}},
		{"elements", "<a><b/><b/></a>", "<a><b/><b/><b/></a>", Limits{Elements: 3}},
		{"attributes", attrs(3, " N=''"), attrs(4, " N=''"), Limits{Attrs: 3}},
		{"prefixes", attrs(3, " xmlns:N='u'"), "<a xmlns:p='u'><b xmlns:p='u'><c xmlns:p='u'><d xmlns:p='u'/></c></b></a>", Limits{Attrs: 3}},
		{"bytes", "<a> </a>", "<a>  </a>", Limits{Bytes: 8}},
		{"default depth", deep(128), deep(20000), Limits{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse([]byte(tt.fits), tt.lim); err != nil {
				t.Errorf("within the limit: %v", err)
			}
			_, err := Parse([]byte(tt.over), tt.lim)
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || !syntax.Limit {
				t.Errorf("beyond the limit: %v", err)
			}
		})
	}
}

func TestParseIn(t *testing.T) {
	in := Scope{"": "jabber:component:accept", "stream": "http://etherx.jabber.org/streams"}
	e, err := ParseIn([]byte("<iq><stream:x/><y xmlns='urn:y'/></iq>"), in, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := New(in[""], "iq").Append(New(in["stream"], "x"), New("urn:y", "y")); !reflect.DeepEqual(e, want) {
		t.Errorf("got %v, want %v", e, want)
	}
	if got, want := string(e.AppendTo(nil, in[""])), "<iq><x xmlns='http://etherx.jabber.org/streams'/><y xmlns='urn:y'/></iq>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseTag(t *testing.T) {
	e, inner, n, err := ParseTag([]byte(" <s:stream xmlns='u' xmlns:s='v' id='1>2'>\xff<"), Scope{"p": "w"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := New("v", "stream", "id", "1>2"); !reflect.DeepEqual(e, want) {
		t.Errorf("element %v, want %v", e, want)
	}
	if want := (Scope{"": "u", "s": "v", "p": "w"}); !reflect.DeepEqual(inner, want) {
		t.Errorf("scope %v, want %v", inner, want)
	}
	if want := len(" <s:stream xmlns='u' xmlns:s='v' id='1>2'>"); n != want {
		t.Errorf("read %d bytes, want %d", n, want)
	}
	for _, in := range []string{"", "x", "<a", "<a b='>", "</a>", "<a b='1'"} {
		if _, _, _, err := ParseTag([]byte(in), nil, Limits{}); err == nil {
			t.Errorf("%q was read", in)
		}
	}
}

func TestWrite(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		e          *Element
	}{
		{"escapes", "<a b='&lt;&amp;&apos;\"&gt;&#x9;&#xA;&#xD;'>'\t\n&#xD;]]&gt;</a>",
			New("", "a", "b", "<&'\">\t\n\r").WithText("'\t\n\r]]>")},
		{"dropped characters", "<a b='12'>34</a>", New("", "a", "b", "1\x00\xff\uFFFE2").WithText("3\x1b\xed\xa0\x804")},
		{"namespaces", "<a xmlns='u'><b/><c xmlns='v'><d xmlns='u'/></c><e xmlns=''/></a>",
			New("u", "a").Append(New("u", "b"), New("v", "c").Append(New("u", "d")), New("", "e"))},
		{"xml namespace", "<a xmlns='u'><xml:b><c/></xml:b></a>", New("u", "a").Append(New(NSXML, "b").Append(New("u", "c")))},
		{"prefixed attributes", "<a xml:lang='de' xmlns:ns0='u&apos;' ns0:b='1' xmlns:ns1='u&apos;' ns1:c='2'/>",
			&Element{Local: "a", Attrs: []Attr{{NSXML, "lang", "de"}, {"u'", "b", "1"}, {"u'", "c", "2"}}}},
		{"attribute twice", "<a b='1'/>", &Element{Local: "a", Attrs: []Attr{{"", "b", "1"}, {"", "b", "2"}}}},
		{"attributes that are none", "<a/>", &Element{Local: "a", Attrs: []Attr{{"", "xmlns", "u"}, {"", "b c", "1"},
			{nsXMLNS, "p", "u"}, {"", "p:b", "1"}, {"", "", "1"}, {"\x01", "b", "1"}}}},
		{"elements that are none", "<a></a>", New("", "a").Append(New("", "b/>"), New("", ""), New(nsXMLNS, "b"), New("\x01", "b"))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.e.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if _, err := Parse([]byte(tt.want), Limits{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAppendIndent(t *testing.T) {
	e := New("u", "a", "b", "1").Append(
		New("u", "c").Append(New("v", "d").WithText("x"), New("u", "e")),
		New("u", "f").WithText(" ").Append(New("u", "g")),
		New("u", "<"),
		New("", "h"))
	want := `<a xmlns='u' b='1'>
  <c>
    <d xmlns='v'>x</d>
    <e/>
  </c>
  <f> <g/></f>
  <h xmlns=''/>
</a>`
	if got := string(e.AppendIndent(nil, "")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(New("u", "a").AppendIndent([]byte("x"), "u")); got != "x<a/>" {
		t.Errorf("got %s", got)
	}
}

// Text of many runs must not cost a copy of all text before for each run.
func TestManyRunsOfText(t *testing.T) {
	const runs = 8000
	b := []byte("<a>" + strings.Repeat("0123456789<b/>", runs) + "</a>")
	e, err := Parse(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Text) != 10*runs || len(e.Children) != runs {
		t.Errorf("%d bytes of text, %d children", len(e.Text), len(e.Children))
	}
	if n := testing.AllocsPerRun(1, func() { Parse(b, Limits{}) }); n > runs/8 {
		t.Errorf("%v allocations", n)
	}
}

// Appending to what was parsed must not write over a neighbour.
func TestParsedSlicesAreApart(t *testing.T) {
	e, err := Parse([]byte("<a><b c='1'><x/></b><d e='2'><y/></d></a>"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	e.Children[0].SetAttr("new", "3").Append(New("", "z"))
	e.Append(New("", "last"))
	if got, want := e.String(), "<a><b c='1' new='3'><x/><z/></b><d e='2'><y/></d><last/></a>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSessionInitiate(t *testing.T) {
	b := sessionInitiate(t)
	e, err := Parse(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	oracle, err := parseOracle(b)
	if err != nil {
		t.Fatal(err)
	}
	if !equal(e, oracle, same) {
		t.Errorf("read as\n%v\nwant\n%v", e, oracle)
	}
}

func sessionInitiate(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "session-initiate.xml"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func same(s string) string { return s }

// parseOracle reads b with encoding/xml.
func parseOracle(b []byte) (*Element, error) {
	d := xml.NewDecoder(strings.NewReader(string(b)))
	var root *Element
	var open []*Element
	for {
		tok, err := d.Token()
		if err == io.EOF && root != nil && len(open) == 0 {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := oracleElement(tok)
			switch {
			case len(open) > 0:
				open[len(open)-1].Append(e)
			case root != nil:
				return nil, errors.New("second element")
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].Text += string(tok)
			} else if strings.Trim(string(tok), " \t\r\n") != "" {
				return nil, errors.New("text outside")
			}
		default:
			return nil, errors.New("not of the subset")
		}
	}
}

func oracleElement(tok xml.StartElement) *Element {
	e := &Element{Space: tok.Name.Space, Local: tok.Name.Local}
	for _, a := range tok.Attr {
		if a.Name.Space != "xmlns" && a.Name != (xml.Name{Local: "xmlns"}) {
			e.Attrs = append(e.Attrs, Attr{a.Name.Space, a.Name.Local, a.Value})
		}
	}
	return e
}

func equal(a, b *Element, value func(string) string) bool {
	if value(a.Space) != value(b.Space) || a.Local != b.Local || a.Text != b.Text || len(a.Attrs) != len(b.Attrs) || len(a.Children) != len(b.Children) {
		return false
	}
	for i := range a.Attrs {
		x, y := a.Attrs[i], b.Attrs[i]
		if value(x.Space) != value(y.Space) || x.Local != y.Local || value(x.Value) != value(y.Value) {
			return false
		}
	}
	for i := range a.Children {
		if !equal(a.Children[i], b.Children[i], value) {
			return false
		}
	}
	return true
}

func TestAppendAround(t *testing.T) {
	e := New("a", "outer", "x", "1")
	inner := New("a", "inner").Append(New("b", "leaf"))
	got := string(e.AppendAround([]byte(">"), "", inner.AppendTo))
	if want := ">" + e.Append(inner).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(New("", "no name").AppendAround(nil, "", inner.AppendTo)); got != "" {
		t.Errorf("without a name: %s", got)
	}
}
