package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"mellium.im/xmpp/jid"
	"rsc.io/qr"
)

// maxQRAddress keeps the picture readable; our own addresses are far shorter.
const maxQRAddress = 200

// serveQR draws the xmpp: link of one of our addresses.
func (s *Server) serveQR(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("address")
	address, err := jid.Parse(text)
	switch {
	case len(text) > maxQRAddress || err != nil || address.Localpart() == "" || address.Resourcepart() != "":
		plain(w, http.StatusBadRequest, "address: an XMPP address without resource is needed, as in /qr.svg?address=anna@call.example.org")
		return
	case address.Domainpart() != s.cfg.QRDomain:
		plain(w, http.StatusNotFound, "address: only those of this service are drawn")
		return
	}
	code, err := qr.Encode(xmppURI(address), qr.M)
	if err != nil {
		plain(w, http.StatusBadRequest, "address: too long for a QR code")
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "public, max-age=86400, immutable")
	w.Write(drawSVG(code))
}

// xmppURI is the bare address as a URI (RFC 5122 section 2.2).  There is no registered query type for calls.
func xmppURI(address jid.JID) string {
	return "xmpp:" + escape(address.Localpart()) + "@" + escape(address.Domainpart())
}

// escape percent-encodes all bytes but those that RFC 5122 allows in both parts and a domain's brackets and colons.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$()*+,;=[:]", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// quiet is the white border that ISO/IEC 18004 asks for, in modules.
const quiet = 4

// drawSVG draws each horizontal run of black modules as one rectangle of a single path.
func drawSVG(code *qr.Code) []byte {
	size := strconv.Itoa(code.Size + 2*quiet)
	b := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + size + ` ` + size +
		`" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h` + size + `v` + size + `H0z"/><path d="`)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			start := x
			for code.Black(x, y) {
				x++
			}
			if x == start {
				continue
			}
			b = append(b, 'M')
			b = strconv.AppendInt(b, int64(start+quiet), 10)
			b = append(b, ' ')
			b = strconv.AppendInt(b, int64(y+quiet), 10)
			b = append(b, 'h')
			b = strconv.AppendInt(b, int64(x-start), 10)
			b = append(b, "v1H"...)
			b = strconv.AppendInt(b, int64(start+quiet), 10)
			b = append(b, 'z')
		}
	}
	return append(b, `"/></svg>`...)
}
