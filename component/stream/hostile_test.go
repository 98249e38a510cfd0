package stream

import (
	"strings"
	"testing"
	"testing/synctest"

	"carillon/jingle/element"
)

func errorCondition(e *element.Element) string {
	if c := e.Child("", "error"); e.Attr("type") == "error" && c != nil && len(c.Children) > 0 && c.Children[0].Space == nsStanzaErrors {
		return c.Children[0].Local
	}
	return ""
}

// hostile are stanzas that end a session of lesser libraries, and what each gets.
var hostile = []struct {
	name, stanza string
	answer       string // error condition; "" for none
	handled      bool   // reaches Handle
}{
	{"descendant in the streams namespace",
		"<message id='x' from='e@x.org' to='a@call.example.org'><stream:x><stream:error/></stream:x></message>", "", true},
	{"payload named as a stream",
		"<iq type='get' id='x' from='e@x.org' to='a@call.example.org'><stream xmlns='http://etherx.jabber.org/streams'/></iq>", "", true},
	{"emoji in to", "<iq type='set' id='x' from='e@x.org' to='\U0001F600@call.example.org'><x xmlns='u'/></iq>", "jid-malformed", false},
	{"emoji in a message's to", "<message id='x' from='e@x.org' to='\U0001F600@call.example.org'/>", "jid-malformed", false},
	{"new emoji in a resource of to", "<iq type='get' id='x' from='e@x.org' to='a@call.example.org/\U0001FAFF'><x xmlns='u'/></iq>", "jid-malformed", false},
	{"emoji in from", "<iq type='get' id='x' from='\U0001F600@x.org/r' to='a@call.example.org'><x xmlns='u'/></iq>", "jid-malformed", false},
	{"heart", "<iq type='get' id='x' from='e@x.org' to='♥@call.example.org'><x xmlns='u'/></iq>", "jid-malformed", false},
	{"heart in presence", "<presence from='♥@x.org' to='a@call.example.org'/>", "", false},
	{"heart in an error", "<iq type='error' id='x' from='♥@x.org' to='♥@call.example.org'/>", "", false},
	{"iq without child", "<iq type='get' id='x' from='e@x.org' to='a@call.example.org'/>", "bad-request", false},
	{"iq with text only", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'>hello</iq>", "bad-request", false},
	{"iq with two children", "<iq type='get' id='x' from='e@x.org' to='a@call.example.org'><x xmlns='u'/><x xmlns='u'/></iq>", "bad-request", false},
	{"iq of no type", "<iq id='x' from='e@x.org' to='a@call.example.org'><x xmlns='u'/></iq>", "bad-request", false},
	{"iq of unknown type", "<iq type='put' id='x' from='e@x.org' to='a@call.example.org'><x xmlns='u'/></iq>", "bad-request", false},
	{"iq without id", "<iq type='get' from='e@x.org' to='a@call.example.org'/>", "bad-request", false},
	{"error without child", "<iq type='error' id='x' from='e@x.org' to='a@call.example.org'/>", "", false},
	{"result nobody asked for", "<iq type='result' id='x' from='e@x.org' to='a@call.example.org'/>", "", false},
	{"iq without from", "<iq type='get' id='x' to='a@call.example.org'><x xmlns='u'/></iq>", "", false},
	{"iq without to", "<iq type='get' id='x' from='e@x.org'><x xmlns='u'/></iq>", "", false},
	{"iq for another host", "<iq type='get' id='x' from='e@x.org' to='a@example.org'><x xmlns='u'/></iq>", "", false},
	{"bad numbers", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'><jingle xmlns='urn:xmpp:jingle:1' sid=''><content>" +
		"<description xmlns='urn:xmpp:jingle:apps:rtp:1'><payload-type id='99999999999999999999' clockrate='-1'/></description></content></jingle></iq>", "", true},
	{"20,000 levels", "<message id='x' from='e@x.org' to='a@call.example.org'>" + strings.Repeat("<a>", 20000) + strings.Repeat("</a>", 20000) + "</message>",
		"policy-violation", false},
	{"20,000 levels in an iq", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'>" + strings.Repeat("<a>", 20000) + strings.Repeat("</a>", 20000) + "</iq>",
		"policy-violation", false},
	{"1 MB", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'><x xmlns='u' y='" + strings.Repeat("/>", 1<<19) + "'/></iq>", "policy-violation", false},
	{"1 MB start tag", "<message from='e@x.org' to='a@call.example.org' id='" + strings.Repeat("x", 1<<20) + "'/>", "", false},
	{"1 MB error", "<message type='error' from='e@x.org' to='a@call.example.org'>" + strings.Repeat("x", 1<<20) + "</message>", "", false},
	{"10,000 children", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'><x xmlns='u'>" + strings.Repeat("<y/>", 10000) + "</x></iq>", "policy-violation", false},
	{"1,000 attributes", "<message id='x' from='e@x.org' to='a@call.example.org'><y " + manyAttributes(1000) + "/></message>", "policy-violation", false},
	{"unbound prefix", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'><p:x/></iq>", "bad-request", false},
	{"comment", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'><!-- </iq> --><x/></iq>", "bad-request", false},
	{"crossed tags", "<iq type='set' id='x' from='e@x.org' to='a@call.example.org'><x><y></x></y></iq>", "bad-request", false},
	{"tags in CDATA", "<message id='x' from='e@x.org' to='a@call.example.org'><body><![CDATA[</body></message></stream:stream>]]]></body></message>", "", true},
	{"no UTF-8", "<message id='x' from='e@x.org' to='a@call.example.org'>\xff</message>", "bad-request", false},
	{"what is no stanza", "<x xmlns='jabber:component:accept'/><iq xmlns='urn:x' type='get'/>", "", false},
	{"message of type error", "<message type='error' id='x' from='e@x.org' to='a@call.example.org'/>", "", true},
	{"groupchat to an emoji", "<message type='groupchat' id='x' from='e@x.org' to='\U0001F600@call.example.org'/>", "", false},
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a")
		for _, d := range []int{100, 10, 1} {
			b.WriteByte(byte('0' + i/d%10))
		}
		b.WriteString("=''")
	}
	return b.String()
}

// None of them ends the link, and each gets its answer.
func TestHostileStanzas(t *testing.T) {
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.run()
				defer r.stop()
				p := r.connected()
				p.write(tt.stanza)
				if tt.handled {
					if st := <-r.got; st.ID != "x" {
						t.Errorf("handled %+v", st)
					}
				}
				if tt.answer != "" {
					e := p.next()
					if got := errorCondition(e); got != tt.answer {
						t.Errorf("answered %v, want %s", e, tt.answer)
					}
					if !within(e.Attr("from"), testDomain) || !strings.Contains(tt.stanza, "from='"+e.Attr("to")+"'") {
						t.Errorf("answer from %s to %s", e.Attr("from"), e.Attr("to"))
					}
				}
				p.roundTrip(r)
				if len(r.conns) != 0 || len(r.states) != 0 {
					t.Error("the link was made anew")
				}
			})
		})
	}
}

// A server may write stanzas in a namespace of its own choice of prefix.
func TestNamespaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.run()
		defer r.stop()
		p := r.connected()
		for _, s := range []string{
			"<message id='1' from='a@x.org' to='call.example.org'><body/><x xmlns='urn:x'><y/></x></message>",
			"<message xmlns='jabber:client' id='1' from='a@x.org' to='call.example.org'><body/><x xmlns='urn:x'><y/></x></message>",
			"<c:message xmlns:c='jabber:component:accept' xmlns='urn:x' id='1' from='a@x.org' to='call.example.org'><c:body/><x><y/></x></c:message>",
		} {
			p.write(s)
			want := "<message id='1' from='a@x.org' to='call.example.org'><body/><x xmlns='urn:x'><y/></x></message>"
			if got := (<-r.got).Element.String(); got != want {
				t.Errorf("%s\nread as %s\nwant    %s", s, got, want)
			}
		}
		e := element.New(nsAccept, "message", "from", testDomain, "to", "a@x.org").Append(element.New(nsAccept, "body"), element.New("urn:x", "x"))
		if err := r.Send(e); err != nil {
			t.Fatal(err)
		}
		if got, want := p.next().String(), "<message from='call.example.org' to='a@x.org'><body/><x xmlns='urn:x'/></message>"; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	})
}
