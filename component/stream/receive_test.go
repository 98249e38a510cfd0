package stream

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/jingle/element"
)

// FuzzReceive: whatever a server sends, nothing panics, what reaches the handler keeps its promises, and what is answered are
// well-formed errors from our domain.
func FuzzReceive(f *testing.F) {
	for _, tt := range hostile {
		if len(tt.stanza) < 1000 {
			f.Add(tt.stanza)
		}
	}
	f.Add("<iq type='set' id='1' from='a@b/c' to='call.example.org'><x/></iq><stream:error/>")
	scope := element.Scope{"": nsAccept, "stream": nsStreams}
	f.Fuzz(func(t *testing.T, in string) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		defer ours.Close()
		panics := 0
		s := New(Config{Domain: jid.MustParse(testDomain), Panicked: func() { panics++ }, Log: slog.New(slog.DiscardHandler), MaxStanza: 4096, MaxDepth: 8, Handle: func(st Stanza) {
			if st.Element.Space != "" || st.To.Domainpart() != testDomain || st.From.Equal(jid.JID{}) {
				t.Errorf("handled %+v", st)
			}
			if st.Element.Local == "iq" && (!st.Payload.Exists() || st.Payload.Element() == nil || st.Type != "get" && st.Type != "set") {
				t.Errorf("handled %v", st.Element)
			}
		}})
		l := newLink(ours, 1<<20, 1000)
		s.link.Store(l)
		r := &reader{Stream: s, link: l, scope: scope, last: time.Now(), framer: framer{maxBytes: 4096, maxDepth: 8}}
		_ = r.take(context.Background(), []byte(in))
		if panics > 0 {
			t.Fatalf("%d panics", panics)
		}
		answers := framer{maxBytes: 1 << 20, maxDepth: 8}
		for b := l.queue; len(b) > 0; {
			n, fr, done, err := answers.next(b)
			if b = b[n:]; !done || err != nil || fr.end {
				t.Fatalf("answered %q", l.queue)
			}
			e, err := element.Parse(fr.data, element.Limits{})
			if err != nil || errorCondition(e) == "" || !within(e.Attr("from"), testDomain) || e.Attr("to") == "" {
				t.Fatalf("answered %q: %v", fr.data, err)
			}
		}
	})
}
