package sdpconv

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// meaning is what an SDP says, as sorted facts by mid ("" for the session), read without the code under test.  Order of attributes,
// level (session or media) and spelling make no difference; what an SDP may say in several ways has one form.
type meaning map[string][]string

type textSection struct {
	m       string
	noProto bool // reported as lost
	lines   []string
}

// meaningOf reads an SDP but for the attributes with the given line numbers.
func meaningOf(text string, without map[int]bool) meaning {
	sections := []textSection{{}}
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSuffix(l, "\r")
		if l == "" || without[i+1] && !strings.HasPrefix(l, "m=") {
			continue
		}
		if strings.HasPrefix(l, "m=") {
			sections = append(sections, textSection{m: l[2:], noProto: without[i+1]})
			continue
		}
		last := &sections[len(sections)-1]
		last.lines = append(last.lines, l)
	}
	shareTransports(sections)
	out := meaning{}
	var live []string
	for _, s := range sections[1:] {
		f := strings.Fields(s.m)
		if !translated(f) || f[1] == "0" && !slices.Contains(s.lines, "a=bundle-only") {
			continue
		}
		mid := strings.Join(valuesOf(s.lines, "mid"), "")
		for n := 1; mid == "" || out[mid] != nil; n++ {
			mid = strings.TrimSuffix(f[0]+strconv.Itoa(n), "1")
		}
		facts := mediaFacts(f, s, sections[0].lines)
		slices.Sort(facts)
		out[mid] = facts
		live = append(live, mid)
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
	if slices.Contains(sections[0].lines, "a=ice-lite") {
		out[""] = append(out[""], "ice-lite")
	}
	out[""] = append(out[""], "order "+strings.Join(live, " "))
	return out
}

// shareTransports gives the sections that are in a bundle only the transport of its first.
func shareTransports(sections []textSection) {
	transport := map[string][]string{}
	for _, s := range sections[1:] {
		for _, l := range s.lines {
			key, _, _ := strings.Cut(l, ":")
			if mid := strings.Join(valuesOf(s.lines, "mid"), ""); slices.Contains([]string{"a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup"}, key) {
				transport[mid] = append(transport[mid], l)
			}
		}
	}
	for i, s := range sections {
		if !slices.Contains(s.lines, "a=bundle-only") || len(valuesOf(s.lines, "ice-ufrag")) > 0 {
			continue
		}
		for _, g := range valuesOf(sections[0].lines, "group") {
			if f := strings.Fields(g); slices.Contains(f, valuesOf(s.lines, "mid")[0]) {
				sections[i].lines = append(s.lines, transport[f[1]]...)
			}
		}
	}
}

// translated tells sections of RTP and of data channels from others.
func translated(m []string) bool {
	if m[0] == "application" {
		return strings.HasSuffix(m[2], "DTLS/SCTP")
	}
	return strings.Contains(m[2], "RTP/") && slices.Contains([]string{"audio", "video", "text"}, m[0])
}

func mediaFacts(m []string, s textSection, session []string) []string {
	facts := []string{"kind " + m[0]}
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup", "ice-options"} {
		values := valuesOf(s.lines, key)
		if len(values) == 0 {
			values = valuesOf(session, key)
		}
		for _, v := range values {
			if hash, value, ok := strings.Cut(v, " "); ok && key == "fingerprint" {
				v = strings.ToLower(hash) + " " + strings.ToUpper(value)
			}
			if key == "ice-options" {
				v = strings.ReplaceAll(v, ",", " ")
			}
			facts = append(facts, key+" "+v)
		}
	}
	for _, flag := range []string{"rtcp-mux", "rtcp-rsize", "extmap-allow-mixed", "end-of-candidates", "sendonly", "recvonly", "inactive"} {
		inherited := slices.Contains(session, "a="+flag) && !(isDirection("a="+flag) && slices.ContainsFunc(s.lines, isDirection))
		if flag == "extmap-allow-mixed" && m[0] == "application" {
			continue // means nothing there
		}
		if slices.Contains(s.lines, "a="+flag) || inherited {
			facts = append(facts, flag)
		}
	}
	for _, key := range []string{"remote-candidates", "crypto", "zrtp-hash"} {
		facts = append(facts, prefixed(key+" ", valuesOf(s.lines, key))...)
	}
	for _, v := range valuesOf(s.lines, "candidate") {
		if c := candidateFact(v); c != "" {
			facts = append(facts, c)
		}
	}
	if len(valuesOf(s.lines, "ice-ufrag"))+len(valuesOf(session, "ice-ufrag")) == 0 {
		facts = append(facts, addressFacts(m, s.lines, session)...)
	}
	if m[0] == "application" {
		return append(facts, dataFacts(m, s.lines)...)
	}
	if !s.noProto {
		facts = append(facts, "proto "+m[2])
	}
	return append(facts, rtpFacts(m, s.lines, session)...)
}

func isDirection(l string) bool {
	return slices.Contains([]string{"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive"}, l)
}

// addressFacts is where media goes without ICE.
func addressFacts(m, lines, session []string) []string {
	address := ""
	for _, l := range append(slices.Clone(session), lines...) {
		if strings.HasPrefix(l, "c=") {
			address = l
		}
	}
	return append(prefixed("rtcp ", valuesOf(lines, "rtcp")), "port "+m[1], address)
}

func rtpFacts(m, lines, session []string) []string {
	facts := []string{"formats " + strings.Join(m[3:], " ")}
	for _, key := range []string{"extmap", "rtcp-fb", "fmtp", "ptime", "maxptime", "ssrc-group", "content"} {
		for _, v := range valuesOf(lines, key) {
			facts = append(facts, key+" "+spelling(key, v))
		}
	}
	facts = append(facts, prefixed("extmap ", valuesOf(session, "extmap"))...)
	mapped := map[string]bool{}
	for _, v := range valuesOf(lines, "rtpmap") {
		mapped[strings.Fields(v)[0]] = true
		if strings.HasSuffix(v, " opus/48000") {
			v += "/2" // RFC 7587 section 7
		}
		facts = append(facts, "rtpmap "+strings.TrimSuffix(v, "/1"))
	}
	for id, name := range map[string]string{"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000", "18": "G729/8000", "13": "CN/8000", "3": "GSM/8000", "26": "JPEG/90000", "31": "H261/90000", "34": "H263/90000"} {
		if slices.Contains(m[3:], id) && !mapped[id] {
			facts = append(facts, "rtpmap "+id+" "+name)
		}
	}
	for _, l := range lines {
		if strings.HasPrefix(l, "b=") {
			facts = append(facts, l)
		}
	}
	return append(facts, sourceFacts(lines)...)
}

func spelling(key, v string) string {
	v = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(v, "; ", ";"), "/sendrecv ", " "))
	if key == "fmtp" {
		v = strings.TrimSuffix(v, ";")
	}
	return v
}

// dataFacts reads both the forms of RFC 8841 and of the drafts before it.
func dataFacts(m, lines []string) []string {
	port := strings.Join(valuesOf(lines, "sctp-port"), "")
	if old := valuesOf(lines, "sctpmap"); len(old) > 0 {
		port = strings.Fields(old[0])[0]
	}
	if port == "" {
		port = "5000"
	}
	facts := append(prefixed("max-message-size ", valuesOf(lines, "max-message-size")), "sctp-port "+port)
	for _, v := range valuesOf(lines, "dcmap") {
		id, rest, _ := strings.Cut(v, " ")
		items := strings.Split(strings.ReplaceAll(rest, ";ordered=true", ""), ";")
		slices.Sort(items)
		facts = append(facts, fmt.Sprintf("dcmap %s %q", id, items))
	}
	return facts
}

func prefixed(prefix string, values []string) []string {
	var out []string
	for _, v := range values {
		out = append(out, prefix+v)
	}
	return out
}

func valuesOf(lines []string, key string) []string {
	var out []string
	for _, l := range lines {
		if v, ok := strings.CutPrefix(l, "a="+key+":"); ok {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

// sourceFacts gives every source the msid of the section, and the section that of its sources: they are the same in other words.
func sourceFacts(lines []string) []string {
	msids := valuesOf(lines, "msid")
	said := len(msids) > 0
	set := map[string]bool{}
	for _, v := range valuesOf(lines, "ssrc") {
		set["ssrc "+v] = true
		id, rest, _ := strings.Cut(v, " ")
		if msid, ok := strings.CutPrefix(rest, "msid:"); ok && !said && !slices.Contains(msids, msid) {
			msids = append(msids, msid)
		}
		if said && len(msids) == 1 {
			set["ssrc "+id+" msid:"+msids[0]] = true
		}
	}
	out := prefixed("msid ", msids)
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

// compare returns the differences, one a line.  Of the lines that one way reported as lost, a part may come back; what the other way
// reported is neither wanted nor an addition.
func (m meaning) compare(got meaning, losses, back []Loss) string {
	partly := map[string]bool{}
	for _, l := range losses {
		partly[kindOfLine(l.Line)] = true
	}
	reported := map[string]bool{}
	for _, l := range back {
		f := strings.TrimPrefix(l.Line, "a=")
		reported[strings.Replace(f, ":", " ", 1)], reported[f] = true, true
	}
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
			if !slices.Contains(facts, f) && !reported[f] {
				out = append(out, fmt.Sprintf("mid %q lost %s", mid, f))
			}
		}
		for _, f := range facts {
			key, _, _ := strings.Cut(f, " ")
			fine := impliedFact(f) && !hasKey(want, f) || reported[f] || partly["a="+key] || key == "proto" && partly["m=audio"] || key == "proto" && partly["m=video"]
			if !slices.Contains(want, f) && !fine {
				out = append(out, fmt.Sprintf("mid %q gained %s", mid, f))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// impliedFact tells whether a fact goes without saying: Jingle trickles, and an open DTLS role is the default of RFC 5763.
func impliedFact(f string) bool { return f == "ice-options trickle" || f == "setup actpass" }

func hasKey(facts []string, like string) bool {
	key, _, _ := strings.Cut(like, " ")
	return slices.ContainsFunc(facts, func(f string) bool { return strings.HasPrefix(f, key+" ") })
}
