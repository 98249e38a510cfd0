package element

import (
	"reflect"
	"strings"
	"testing"
)

// A node says what its element says, whether it was read or made of a tree, and what a Reader gave stays when it reads on.
func TestReader(t *testing.T) {
	const in = "<a xmlns='u' b='1' xmlns:p='v' p:b='2' c='&lt;'>x<d/>y<e xmlns='w' b=''><f g='\n'>z</f></e><p:d b='3'/></a>"
	var r Reader
	n, err := r.Read([]byte(in), nil, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	tree := n.Element()
	sameNode(t, n, tree)
	sameNode(t, tree.Node(), tree)
	if got := tree.Node().Element(); got != tree {
		t.Error("a tree's node is another tree")
	}
	n.ReplaceSpace("u", "")
	if got := n.Element(); got.Space != "" || got.Children[0].Space != "" || got.Children[1].Space != "w" || got.Attrs[1].Space != "v" {
		t.Errorf("namespace replaced: %s", got)
	}
	before := tree.String()
	for _, other := range []string{"<b/>", "<b", strings.Repeat("<c d='e'>", 100) + strings.Repeat("</c>", 100), string(sessionInitiate(t))} {
		want, wantErr := Parse([]byte(other), Limits{})
		got, gotErr := r.Read([]byte(other), nil, Limits{})
		if (gotErr == nil) != (wantErr == nil) || gotErr == nil && !reflect.DeepEqual(got.Element(), want) {
			t.Errorf("%s read again as %v, %v", other, got, gotErr)
		}
	}
	if tree.String() != before {
		t.Errorf("%s became %s", before, tree)
	}
}

func sameNode(t *testing.T, n Node, e *Element) {
	t.Helper()
	if n.Space() != e.Space || n.Local() != e.Local || n.Text() != e.Text || n.Attrs() != len(e.Attrs) || n.Children() != len(e.Children) {
		t.Errorf("%s is %s %s %q with %d attributes and %d children", e, n.Space(), n.Local(), n.Text(), n.Attrs(), n.Children())
		return
	}
	for i, a := range e.Attrs {
		local, value := n.AttrAt(i)
		if a.Space != "" {
			a.Local, a.Value = "", ""
		}
		if local != a.Local || value != a.Value {
			t.Errorf("attribute %d of %s is %s=%q", i, e, local, value)
		}
		if got, has := n.LookupAttr(a.Local); got != e.Attr(a.Local) || !has && a.Local != "" {
			t.Errorf("%s of %s is %q, %v", a.Local, e, got, has)
		}
	}
	if !reflect.DeepEqual(n.Element(), e) || !reflect.DeepEqual(n.Tag(), &Element{Space: e.Space, Local: e.Local, Attrs: e.Attrs}) {
		t.Errorf("%s read as %s, %s", e, n.Element(), n.Tag())
	}
	c := n.First()
	for _, child := range e.Children {
		sameNode(t, c, child)
		if first := e.Child(child.Space, child.Local); !reflect.DeepEqual(n.Child(child.Space, child.Local).Element(), first) {
			t.Errorf("%s is not found in %s", first, e)
		}
		c = c.Next()
	}
	if c.Exists() {
		t.Errorf("%s has more children", e)
	}
}
