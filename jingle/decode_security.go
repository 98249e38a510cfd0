package jingle

import (
	"strings"

	"carillon/jingle/element"
)

const (
	maxCrypto = 16
	maxZRTP   = 8
)

// encryption reads an <encryption/> into r.  Movim writes one for each key; they are one.
func (d *decoder) encryption(r *RTP, e element.Node) {
	if r.Encryption != nil && !d.takes(SeveralEncryptions) {
		return
	}
	x := Encryption{Required: isTrue(e.Attr("required"))}
	if r.Encryption != nil {
		x = *r.Encryption
		x.Required = x.Required || isTrue(e.Attr("required"))
	}
	for c := e.First(); c.Exists(); c = c.Next() {
		switch {
		case d.is(c, NSRTP, "crypto"):
			if d.room("keys", len(x.Crypto), maxCrypto) {
				x.Crypto = append(x.Crypto, Crypto{
					Tag: c.Attr("tag"), Suite: c.Attr("crypto-suite"), KeyParams: c.Attr("key-params"), SessionParams: c.Attr("session-params"),
				})
			}
		case d.is(c, NSZRTP, "zrtp-hash"):
			if d.room("ZRTP hashes", len(x.ZRTP), maxZRTP) {
				x.ZRTP = append(x.ZRTP, ZRTPHash{Version: c.Attr("version"), Value: strings.Join(strings.Fields(c.Text()), "")})
			}
		}
	}
	if x.Required || x.Crypto != nil || x.ZRTP != nil {
		r.Encryption = &x
	}
}
