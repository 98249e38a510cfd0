package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

// readAll feeds text to a stream in pieces of the given size and returns what comes out, ids only, and the error at its end.
func readAll(t *testing.T, text string, piece int) (string, error) {
	t.Helper()
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		defer server.Close()
		for len(text) > 0 {
			n := min(piece, len(text))
			if _, err := server.Write([]byte(text[:n])); err != nil {
				return
			}
			text = text[n:]
		}
	}()
	s := newStream(client, jid.MustParse("echo@xmpp.test/a"))
	var ids []string
	for {
		e, err := s.next()
		if err != nil {
			return strings.Join(ids, " "), err
		}
		if e.Space != nsClient {
			t.Errorf("%s has namespace %q", e.Local, e.Space)
		}
		ids = append(ids, e.Attr("id"))
	}
}

func TestHostileStanzasDoNotEndTheStream(t *testing.T) {
	good := func(id string) string {
		return fmt.Sprintf("<message id='%s' from='a@b/c'><body>x &amp; y</body></message>", id)
	}
	deep := strings.Repeat("<a>", 500) + strings.Repeat("</a>", 500)
	for name, stanza := range map[string]string{
		"child of the stream's namespace": "<message id='s'><error xmlns='http://etherx.jabber.org/streams'/></message>",
		"child with the stream's prefix":  "<message id='s'><stream:error/></message>",
		"white space":                     " \n ",
		"empty":                           "<iq id='s'/>",
	} {
		for _, piece := range []int{1, 7, 1 << 16} {
			got, err := readAll(t, good("1")+stanza+good("2")+"</stream:stream>", piece)
			if want := strings.Join(strings.Fields("1 "+found(stanza)+" 2"), " "); got != want || !errors.Is(err, io.EOF) {
				t.Errorf("%s in pieces of %d: read %q, want %q; %v", name, piece, got, want, err)
			}
		}
	}
	for name, stanza := range map[string]string{
		"too deep":          "<message id='s'>" + deep + "</message>",
		"too long":          "<message id='s'><body>" + strings.Repeat("x", 3*stanzaLimit) + "</body></message>",
		"long and in parts": "<message id='s'>" + strings.Repeat("<b>y</b>", stanzaLimit) + "</message>",
		"undeclared prefix": "<message id='s'><q:x/></message>",
		"mismatched tags":   "<message id='s'><a></b></message>",
	} {
		got, err := readAll(t, good("1")+stanza+good("2")+"</stream:stream>", 1<<16)
		if got != "1 2" || !errors.Is(err, io.EOF) {
			t.Errorf("%s: read %q, want %q; %v", name, got, "1 2", err)
		}
	}
}

// found tells whether a stanza of the first table is to be read.
func found(stanza string) string {
	if strings.Contains(stanza, "id='s'") {
		return "s"
	}
	return ""
}

func TestStreamErrorIsNamed(t *testing.T) {
	_, err := readAll(t, "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>", 100)
	if err == nil || !strings.Contains(err.Error(), "conflict") {
		t.Errorf("error %v does not name the condition", err)
	}
	if _, err = readAll(t, "<message id='1'>", 100); err == nil {
		t.Error("a stream cut off inside a stanza ended without an error")
	}
}

func TestSendEscapes(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	s := newStream(client, jid.MustParse("echo@xmpp.test/a"))
	go func() {
		_ = s.Send(element.New("", "message", "id", "<'&").Append(element.New("", "body").WithText("</stream:stream>")))
		client.Close()
	}()
	b, err := io.ReadAll(server)
	if want := "<message id='&lt;&apos;&amp;'><body>&lt;/stream:stream&gt;</body></message>"; string(b) != want || err != nil {
		t.Errorf("sent %s, want %s (%v)", b, want, err)
	}
}
