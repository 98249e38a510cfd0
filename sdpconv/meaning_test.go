package sdpconv

import (
	"fmt"
	"slices"
	"strings"
)

// meaning is what an SDP says, as sorted facts by mid ("" for the session), read without the code under test.  Order of attributes,
// level (session or media) and spelling make no difference; what a browser may say in several ways has one form.
type meaning map[string][]string

// meaningOf reads an SDP but for the attributes with the given line numbers.
func meaningOf(text string, without map[int]bool) meaning {
	type section struct {
		m     string
		lines []string
	}
	sections := []section{{}}
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSuffix(l, "\r")
		if l == "" || without[i+1] && !strings.HasPrefix(l, "m=") {
			continue
		}
		if strings.HasPrefix(l, "m=") {
			sections = append(sections, section{m: l[2:]})
			continue
		}
		last := &sections[len(sections)-1]
		last.lines = append(last.lines, l)
	}
	out := meaning{}
	var live []string
	for _, s := range sections[1:] {
		facts, mid := mediaFacts(s.m, s.lines, sections[0].lines)
		if facts != nil {
			slices.Sort(facts)
			out[mid] = facts
			live = append(live, mid)
		}
	}
	for _, l := range sections[0].lines {
		f := strings.Fields(strings.TrimPrefix(l, "a=group:"))
		if !strings.HasPrefix(l, "a=group:") || len(f) == 0 {
			continue
		}
		kept := slices.DeleteFunc(f[1:], func(mid string) bool { return !slices.Contains(live, mid) })
		if len(kept) > 0 {
			out[""] = append(out[""], "group "+f[0]+" "+strings.Join(kept, " "))
		}
	}
	out[""] = append(out[""], "order "+strings.Join(live, " "))
	return out
}

// mediaFacts returns nil for a section that is rejected or neither audio nor video.
func mediaFacts(m string, lines, session []string) ([]string, string) {
	f := strings.Fields(m)
	has := func(l string) bool { return slices.Contains(lines, l) || slices.Contains(session, l) }
	if (f[0] != "audio" && f[0] != "video") || f[1] == "0" && !slices.Contains(lines, "a=bundle-only") {
		return nil, ""
	}
	facts := []string{"kind " + f[0], "proto " + f[2], "formats " + strings.Join(f[3:], " ")}
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup", "ice-options"} {
		values := valuesOf(lines, key)
		if len(values) == 0 {
			values = valuesOf(session, key)
		}
		for _, v := range values {
			facts = append(facts, key+" "+v)
		}
	}
	for _, flag := range []string{"rtcp-mux", "rtcp-rsize", "extmap-allow-mixed", "end-of-candidates", "sendonly", "recvonly", "inactive"} {
		if has("a=" + flag) {
			facts = append(facts, flag)
		}
	}
	for _, key := range []string{"extmap", "rtcp-fb", "fmtp", "ptime", "maxptime", "msid", "ssrc-group"} {
		for _, v := range valuesOf(lines, key) {
			facts = append(facts, key+" "+strings.ReplaceAll(v, "; ", ";"))
		}
	}
	for _, v := range valuesOf(lines, "rtpmap") {
		facts = append(facts, "rtpmap "+strings.TrimSuffix(v, "/1"))
	}
	for _, v := range valuesOf(lines, "candidate") {
		if c := candidateFact(v); c != "" {
			facts = append(facts, c)
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "b=") {
			facts = append(facts, l)
		}
	}
	return append(facts, sourceFacts(lines)...), strings.Join(valuesOf(lines, "mid"), "")
}

func valuesOf(lines []string, key string) []string {
	var out []string
	for _, l := range lines {
		if v, ok := strings.CutPrefix(l, "a="+key+":"); ok {
			out = append(out, v)
		}
	}
	return out
}

// sourceFacts gives every source the msid of the section, which is the same in other words.
func sourceFacts(lines []string) []string {
	msids := valuesOf(lines, "msid")
	set := map[string]bool{}
	for _, v := range valuesOf(lines, "ssrc") {
		set["ssrc "+v] = true
		id, _, _ := strings.Cut(v, " ")
		if len(msids) == 1 {
			set["ssrc "+id+" msid:"+msids[0]] = true
		}
	}
	var out []string
	for s := range set {
		out = append(out, s)
	}
	return out
}

// candidateFact drops what concerns the writer only, and component 2, of which rtcp-mux leaves nothing.
func candidateFact(v string) string {
	f := strings.Fields(v)
	if f[1] != "1" {
		return ""
	}
	ext := map[string]string{"generation": "0", "raddr": "", "rport": "", "tcptype": ""}
	for i := 8; i+1 < len(f); i += 2 {
		if _, known := ext[f[i]]; known {
			ext[f[i]] = f[i+1]
		}
	}
	return fmt.Sprint("candidate ", f[0], " ", strings.ToLower(f[2]), " ", f[3:8], ext)
}

// compare returns the differences, one a line.
func (m meaning) compare(got meaning) string {
	var out []string
	for mid := range m {
		if got[mid] == nil {
			out = append(out, fmt.Sprintf("mid %q is missing", mid))
		}
	}
	for mid, facts := range got {
		want := m[mid]
		// A direction that would refuse all media is widened to what the peer may send: strict clients have no senders none.
		if slices.Contains(want, "inactive") && slices.Contains(facts, "recvonly") {
			want = slices.Clone(want)
			want[slices.Index(want, "inactive")] = "recvonly"
		}
		for _, f := range want {
			if !slices.Contains(facts, f) {
				out = append(out, fmt.Sprintf("mid %q lost %s", mid, f))
			}
		}
		for _, f := range facts {
			if !slices.Contains(want, f) {
				out = append(out, fmt.Sprintf("mid %q gained %s", mid, f))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
