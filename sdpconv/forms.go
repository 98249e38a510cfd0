package sdpconv

// forms is what the lines look like that are refused when they do not.
var forms = map[string]string{
	"mid":               "a=mid:<token>",
	"ice-ufrag":         "a=ice-ufrag:<4 to 256 characters without a blank>",
	"ice-pwd":           "a=ice-pwd:<22 to 256 characters without a blank>",
	"fingerprint":       "a=fingerprint:<hash> <pairs of hexadecimal digits with colons>",
	"setup":             "a=setup:actpass, active, passive or holdconn",
	"remote-candidates": "a=remote-candidates:<component> <address> <port>...",
	"rtpmap":            "a=rtpmap:<payload type> <name>/<clock rate>[/<channels>]",
	"rtcp-fb":           "a=rtcp-fb:<payload type or *> <type> [<subtype>], a=rtcp-fb:<payload type or *> trr-int <milliseconds>",
	"extmap":            "a=extmap:<1 to 4351>[/<direction>] <URI>",
	"ssrc":              "a=ssrc:<32-bit number> <attribute>[:<value>]",
	"ssrc-group":        "a=ssrc-group:<semantics> <32-bit number>...",
	"msid":              "a=msid:<stream> [<track>]",
	"rid":               "a=rid:<token> send|recv [<restrictions>]",
	"sctp-port":         "a=sctp-port:<1 to 65535>",
	"max-message-size":  "a=max-message-size:<bytes>",
	"sctpmap":           "a=sctpmap:<1 to 65535> <protocol> [<streams>]",
	"dcmap":             "a=dcmap:<0 to 65534> [<name>=<value>;...]",
}

// form tells what was expected of an attribute.
func form(key string) string {
	if f := forms[key]; f != "" {
		return " (" + f + ")"
	}
	return ""
}
