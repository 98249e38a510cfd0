package call

import (
	"strconv"
	"strings"

	"carillon/jingle"
	"carillon/jingle/element"
	"carillon/sdpconv"
)

// jingle reads "@FILE", or "ACTION SID" with a reason, the payload of a session-info, a content's name and media, or content name,
// ufrag and candidate.
func (r *replay) jingle(f []string) jingle.Stanza {
	if strings.HasPrefix(f[0], "@") {
		e, err := element.Parse(r.read(f[0]), element.Limits{})
		if err != nil {
			r.fail("%s: %v", f[0], err)
		}
		return r.parse(e)
	}
	j := jingle.Stanza{Action: jingle.Action(f[0]), SID: f[1]}
	if len(f) == 2 {
		return j
	}
	switch j.Action {
	case jingle.SessionTerminate:
		j.Reason = &jingle.Reason{Condition: jingle.Condition(f[2])}
	case jingle.SessionInfo:
		j.Info = append(j.Info, jingle.Info{Kind: jingle.InfoKind(f[2]), Name: strings.Join(f[3:], "")}.Element())
	case jingle.ContentAdd, jingle.ContentRemove, jingle.TransportReplace:
		c := jingle.Content{Name: f[2], ICE: &jingle.Transport{Ufrag: "new1", Pwd: "newpwd00000000000000001"}}
		if len(f) > 3 {
			c.RTP = &jingle.RTP{Media: f[3], PayloadTypes: []jingle.PayloadType{{ID: 96, Name: "VP8"}}}
		}
		j.Contents = []jingle.Content{c}
	case jingle.ContentModify: // NAME SENDERS
		j.Contents = []jingle.Content{{Name: f[2], Senders: jingle.Senders(f[3])}}
	case jingle.TransportInfo:
		c, _, err := sdpconv.ParseCandidate(strings.Join(f[4:], " "))
		if err != nil {
			r.fail("%v", err)
		}
		j.Contents = []jingle.Content{{Name: f[2], ICE: &jingle.Transport{Ufrag: f[3], Candidates: []jingle.Candidate{c}}}}
	}
	return j
}

// reply reads "#TAG result FEATURE...", "#TAG client NAME FEATURE..." or "#TAG error CONDITION".
func (r *replay) reply(f []string) Input {
	tag, err := strconv.Atoi(strings.TrimPrefix(f[0], "#"))
	if err != nil {
		r.fail("%v", err)
	}
	if f[1] == "error" {
		return PeerReply{Tag: tag, Err: &jingle.Error{Type: "cancel", Condition: f[2]}}
	}
	d := jingle.Disco{}
	if f[1] == "client" { // by name
		d.Identities = []jingle.Identity{{Category: "client", Name: f[2]}}
		f = f[1:]
	}
	d.Features = features(f[2:])
	return PeerReply{Tag: tag, Disco: d}
}

// features spells out the short names of transcripts.
func features(short []string) []string {
	long := map[string]string{
		"jmi": jingle.NSMessage, "jingle": jingle.NS, "ice": jingle.NSICE, "rtp": jingle.NSRTP, "audio": jingle.NSRTPAudio,
		"video": jingle.NSRTPVideo, "dtls": jingle.NSDTLS, "data": jingle.NSDataICE,
	}
	var list []string
	for _, s := range short {
		list = append(list, long[s])
	}
	return list
}
