package stream

import (
	"os"
	"testing"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component/call"
	"carillon/jingle"
	"carillon/jingle/element"
)

// BenchmarkRequest measures what it takes from a request of a call to its text in the queue.
func BenchmarkRequest(b *testing.B) {
	for _, file := range []string{"dino-0.4.2/chromium.dino-calls.video/session-initiate.xml", "stanza-12.22/ice-restart.b.transport-info-6.xml"} {
		text, err := os.ReadFile("../../testdata/calls/" + file)
		if err != nil {
			b.Fatal(err)
		}
		e, err := element.Parse(text, element.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if e.Local == "iq" {
			e = e.Children[0]
		}
		j, refusal := jingle.ParseStanza(e)
		if refusal != nil {
			b.Fatal(refusal)
		}
		o := call.SendRequest{From: jid.MustParse("anna@" + testDomain + "/tab"), To: jid.MustParse("bob@example.org/phone"), Jingle: j}
		b.Run(string(j.Action), func(b *testing.B) { benchmarkRequest(b, o) })
	}
}

func benchmarkRequest(b *testing.B, o call.SendRequest) {
	s := New(Config{Domain: jid.MustParse(testDomain)})
	l := newLink(nil, s.cfg.QueueBytes, s.cfg.QueueCount)
	s.link.Store(l)
	failed := func(_ *element.Element, err error) { b.Fatal(err) }
	b.ReportAllocs()
	for b.Loop() {
		iq := element.New("", "iq", "type", "set", "from", o.From.String(), "to", o.To.String())
		s.Request(iq, o, time.Hour, failed)
		s.asked.take(iq.Attr("id"))
		batch, _ := l.take() // as its writer does
		b.SetBytes(int64(len(batch)))
		l.giveBack(batch)
	}
}
