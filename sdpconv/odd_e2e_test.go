//go:build e2e

package sdpconv

import (
	"testing"

	"carillon/jingle"
)

// Browsers take what is left of a stanza that says something odd: as an offer, as an answer to theirs, and as an offer to a session that
// is there.
func TestBrowsersTakeOddStanzas(t *testing.T) {
	for _, kind := range browsers {
		t.Run(kind, func(t *testing.T) {
			p := startDriver(t, kind).newPeer(jingle.Responder, map[string]any{})
			for _, o := range odds() {
				d := ordinary("actpass")
				o.change(&d)
				p.takes(t, o.name, d, Offer, nil)
				p.fresh()
				d = ordinary("actpass")
				p.takes(t, "ordinary", d, Offer, nil)
				_, lines, _, err := FromSDP(p.local(), jingle.Responder, p.lines)
				if err != nil {
					t.Fatal(err)
				}
				if o.name != "two bundles" { // what left a bundle cannot come back to it
					o.change(&d)
					p.takes(t, o.name+", later", d, Offer, lines)
				}
				p.fresh()
				d, lines = p.asks(t)
				o.change(&d)
				p.takes(t, o.name+", answered", d, Answer, lines)
				p.fresh()
			}
		})
	}
}

func (p *peer) fresh() {
	p.t.Helper()
	p.eval(nil, "pc.close(); globalThis.pc = new RTCPeerConnection();")
}

// asks has the browser offer, and returns an answer that takes it all.
func (p *peer) asks(t *testing.T) (jingle.Description, Lines) {
	t.Helper()
	p.eval(nil, "for (const kind of ['audio', 'video']) pc.addTransceiver(kind); pc.createDataChannel('chat');")
	d, lines, _, err := FromSDP(p.describe(Offer), jingle.Initiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Contents {
		c := &d.Contents[i]
		sctp := c.ICE.SCTP
		c.ICE = transport("active")
		c.ICE.SCTP = sctp
		if c.RTP != nil {
			rtp := *c.RTP
			rtp.Sources, rtp.SourceGroups, rtp.Streams = nil, nil, nil
			c.RTP = &rtp
		}
	}
	return d, lines
}

// takes gives the browser an SDP, if there is one for the description.
func (p *peer) takes(t *testing.T, name string, d jingle.Description, typ Type, lines Lines) {
	t.Helper()
	author := jingle.Initiator
	if typ == Answer {
		author = jingle.Responder
	}
	text, after, _, err := ToSDP(throughXML(t, d, typ), author, typ, lines, Origin{1, 1 + len(lines)})
	if err != nil {
		return // TestOddStanzas has the reason
	}
	p.lines = after
	var refusal string
	p.eval(&refusal, `try {
			await pc.setRemoteDescription({type: args[0], sdp: args[1]});
			if (args[0] === 'offer') await pc.setLocalDescription();
			return '';
		} catch (error) {
			return error.message;
		}`, typ.String(), text)
	if refusal != "" {
		t.Errorf("%s: %s\n%s", name, refusal, text)
	}
}

func (p *peer) local() (sdp string) {
	p.t.Helper()
	p.eval(&sdp, "return pc.localDescription.sdp;")
	return sdp
}
