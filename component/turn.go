package component

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/netip"
	"strconv"
	"time"

	"carillon/component/gateway"
)

// turnLifetime bounds how long relay credentials outlive the call they were minted for.
const turnLifetime = 10 * time.Minute

// turnRenewal is when credentials are replaced: some of their lifetime is left then.
const turnRenewal = turnLifetime * 4 / 5

// TURN is a relay that shares a secret with us (coturn's use-auth-secret; "A REST API For Access To TURN Services").
type TURN struct {
	URLs      []string // turn: and turns: URLs
	Secret    string
	RelayOnly bool // tell browsers to use nothing but relayed candidates
}

// credentials are for one call, or one member of a room: the user name carries their end and its id, the password is the HMAC of the user name.
func (t TURN) credentials(id string, now time.Time) (gateway.ICEServer, time.Time) {
	expires := now.Add(turnLifetime)
	username := strconv.FormatInt(expires.Unix(), 10) + ":" + id
	h := hmac.New(sha1.New, []byte(t.Secret))
	h.Write([]byte(username))
	return gateway.ICEServer{
		URLs:       t.URLs,
		Username:   username,
		Credential: base64.StdEncoding.EncodeToString(h.Sum(nil)),
	}, expires
}

// mayMint counts what credentials are minted for: a call that is placed or taken, a room that is joined.  Whoever may do that may use the relay, so the count is
// what keeps it from being a relay for everything else; renewals, which keep up what was counted, are not.
func (c *Component) mayMint(from netip.Addr) error {
	if len(c.cfg.TURN.URLs) == 0 || c.policy.allow(time.Now(), mintFor, addressGroup(from), c.policy.limits.CredentialsPerIP) {
		return nil
	}
	return refuseBy("limits.credentials_per_ip", gateway.RateLimited, "your network address had as many calls and rooms in this hour as it may; try again later")
}

// iceServers are what an admitted call, or a member of a room, may use; a relay is the last.  The time is zero when nothing in the list expires.
func (c *Component) iceServers(id string, now time.Time) ([]gateway.ICEServer, time.Time) {
	servers := append([]gateway.ICEServer{}, c.cfg.ICEServers...)
	if len(c.cfg.TURN.URLs) == 0 {
		return servers, time.Time{}
	}
	relay, expires := c.cfg.TURN.credentials(id, now)
	return append(servers, relay), expires
}
