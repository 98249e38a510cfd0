package component

import (
	"errors"
	"net/netip"
	"time"
	"unicode/utf8"

	"mellium.im/xmpp/jid"

	"carillon/component/gateway"
)

// A refusal is why policy does not let a call begin.
type refusal struct {
	told  *gateway.Error // what the page hears
	limit string         // what decided it: a key of the configuration, or what has none
}

func (r *refusal) Error() string { return r.told.Error() }
func (r *refusal) Unwrap() error { return r.told }

func refuseBy(limit string, code gateway.Code, format string, args ...any) error {
	return &refusal{told: gateway.Errorf(code, format, args...), limit: limit}
}

// Refusals of XMPP users, whose clients hear that the page is busy, or nothing.
var (
	errProposes     = refuseBy("limits.proposes_per_minute", gateway.RateLimited, "this user has called too often just now")
	errDomain       = refuseBy("limits.proposes_per_domain", gateway.RateLimited, "strangers of this domain have called too often just now")
	errRings        = refuseBy("limits.rings_per_ghost", gateway.TooMany, "as many calls as may ring there already")
	errRingsAlready = refuseBy("one call of a caller", gateway.TooMany, "this user rings there already")
	errCalls        = refuseBy("limits.calls", gateway.TooMany, "this service carries as many calls as it may")
)

// Bounds of the log: whoever is refused a thousand times is not to fill the disk.  At most about 15 KB a minute are written.
const (
	refusalsPerMinute      = 30
	refusalsPerMinuteOfOne = 3
	maxLogged              = 128 // bytes of an address
)

// noteRefusal counts a call that policy refused, and tells the operator of it.  What no policy decided is none.  The IP address is that of a page.
// c.mu is held.
func (c *Component) noteRefusal(direction string, from, to jid.JID, ip netip.Addr, err error) {
	var r *refusal
	if !errors.As(err, &r) {
		return
	}
	c.metrics.refused.WithLabelValues(direction, r.limit).Inc()
	who, now := from.Bare().String(), time.Now()
	if ip.IsValid() {
		who = addressGroup(ip)
	}
	if !c.policy.allow(now, refusalOf, who, refusalsPerMinuteOfOne) || !c.policy.allow(now, refusals, "", refusalsPerMinute) {
		c.unlogged++
		return
	}
	attrs := []any{"direction", direction, "limit", r.limit, "from", logged(from), "to", logged(to)}
	if ip.IsValid() {
		attrs = append(attrs, "ip", ip)
	}
	if c.unlogged > 0 {
		attrs = append(attrs, "not_logged_before", c.unlogged)
	}
	c.unlogged = 0
	c.log.Info("call refused", attrs...)
}

// logged is an address as it is logged.
func logged(a jid.JID) string {
	s := a.String()
	if len(s) <= maxLogged {
		return s
	}
	end := maxLogged
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
