package call

import (
	"slices"

	"carillon/jingle"
	"carillon/jingle/element"
)

// maxInfos bounds what a tab may say before there is somebody to be told.
const maxInfos = 16

const refusedInfo = "That is nothing a contact can be told of a call."

// infos is what the person at a tab did before the other side could be told.
type infos []BrowserInfo

// keep remembers what stands: a later word on the same replaces an earlier one.
func (list infos) keep(in BrowserInfo) infos {
	list = slices.DeleteFunc(list, func(old BrowserInfo) bool {
		return old.Tab.Equal(in.Tab) && (in.Info == jingle.InfoActive ||
			aspect(old.Info) == aspect(in.Info) && (old.Mid == in.Mid || in.Mid == ""))
	})
	if len(list) >= maxInfos || in.Info == jingle.InfoActive {
		return list
	}
	return append(list, in)
}

// aspect names what an info is about; "" for one that a tab cannot say.
func aspect(kind jingle.InfoKind) string {
	switch kind {
	case jingle.InfoMute, jingle.InfoUnmute:
		return "mute"
	case jingle.InfoHold, jingle.InfoUnhold:
		return "hold"
	case jingle.InfoActive:
		return "active"
	}
	return ""
}

// browserInfo tells the peer what the person at the tab did, once the session is accepted.
func (s *session) browserInfo(in BrowserInfo) {
	switch {
	case aspect(in.Info) == "":
		s.refuse(in.Tab, refusedInfo)
	case s.state == Ringing: // of a tab that may not be the one to take the call
	case !s.state.accepted():
		s.unsaid = s.unsaid.keep(in)
	default:
		s.say(in)
	}
}

// sayHeld tells the peer what the person did while the call was not accepted.
func (s *session) sayHeld() {
	for _, in := range s.unsaid {
		s.say(in)
	}
	s.unsaid = nil
}

// say sends a session-info.  Mute and unmute name each content that is meant: Siskin and Movim look for the name.
func (s *session) say(in BrowserInfo) {
	if aspect(in.Info) != "mute" {
		s.sendInfo(jingle.Info{Kind: in.Info})
		return
	}
	for _, c := range s.agreed.Of[s.role].Contents {
		at := s.lines.Find(c.Creator, c.Name)
		if c.RTP != nil && at >= 0 && (in.Mid == "" || in.Mid == s.lines[at].Mid) {
			s.sendInfo(jingle.Info{Kind: in.Info, Creator: c.Creator, Name: c.Name})
		}
	}
}

func (s *session) sendInfo(i jingle.Info) {
	s.request(jingle.Stanza{Action: jingle.SessionInfo, Info: []*element.Element{i.Element()}})
}

// peerInfo takes a session-info (XEP-0167 section 9).  An empty one is a ping (XEP-0166 section 7.2.11).
func (s *session) peerInfo(in PeerRequest) {
	var said []jingle.Info
	for _, e := range in.Jingle.Info {
		if info, ok := jingle.ParseInfo(e); ok {
			said = append(said, info)
		}
	}
	if len(said) == 0 && len(in.Jingle.Info) > 0 {
		s.answer(in, jingle.ErrUnsupportedInfo)
		return
	}
	s.answer(in, nil)
	for _, info := range said {
		s.tellInfo(info)
	}
}

// tellInfo shows the tab what the peer's person did.  What is said of a content that the session does not have is passed over.
func (s *session) tellInfo(i jingle.Info) {
	switch {
	case i.Kind == jingle.InfoRinging:
		if s.state == Calling {
			s.tellRinging()
		}
	case s.state == Ringing: // nobody is there yet to see it
	case i.Name == "":
		s.tell(s.tab, RemoteInfo{Info: i.Kind})
	default:
		if at := s.lines.Find(i.Creator, i.Name); at >= 0 {
			s.tell(s.tab, RemoteInfo{Info: i.Kind, Mid: s.lines[at].Mid})
		}
	}
}
