package main

import (
	"slices"
	"strconv"
	"strings"

	"carillon/jingle"
	"carillon/jingle/element"
)

// word is one thing that a caller can ask for.  What is said in reply is returned.
type word struct {
	name, does string
	do         func(*session) (string, *ending)
}

// commands is what a caller can ask for by a chat message during the call, so that people and tests see how their client takes a peer that
// changes the call.
var commands = []word{
	{"hold", "put the call on hold: session-info, and nothing comes back", (*session).hold},
	{"unhold", "go on with it", (*session).unhold},
	{"mute", "mute the sound: session-info for each audio, and no sound comes back", (*session).mute},
	{"unmute", "let it come back", (*session).unmute},
	{"video off", "content-modify: the video of the caller does not come back", func(s *session) (string, *ending) { return s.direct(only(s.them())) }},
	{"video on", "content-modify: it does again", func(s *session) (string, *ending) { return s.direct(jingle.SendersBoth) }},
	{"video", "content-add of a video with a recorded picture", (*session).addVideo},
	{"drop", "content-remove of the newest video", (*session).dropVideo},
	{"restart", "restart ICE", (*session).restartAll},
	{"hang up", "end the call", func(*session) (string, *ending) { return "bye", &ending{jingle.Success, "asked to hang up"} }},
}

// help is the list of commands.
func help() string {
	var b strings.Builder
	b.WriteString("I answer calls and play them back, and call who writes \"call me\" or \"call me with video\". During a call I take these words:")
	for _, c := range commands {
		b.WriteString("\n" + c.name + ": " + c.does)
	}
	return b.String()
}

// command carries out what a chat message asks for.
func (s *session) command(c command) *ending {
	i := slices.IndexFunc(commands, func(w word) bool { return w.name == c.text })
	switch {
	case i < 0:
		if !s.puzzled { // once: two programs would go on for ever
			s.puzzled = true
			s.account.say(c.from, "I do not know that word. Write help for those that I know.")
		}
		return nil
	case s.state != jingle.Active:
		s.account.say(c.from, "There is no call yet.")
		return nil
	}
	s.log.Info("asked to change the call", "command", c.text)
	said, end := commands[i].do(s)
	s.account.say(c.from, c.text+": "+said)
	return end
}

func (s *session) inform(infos ...jingle.Info) {
	for _, info := range infos {
		s.send(jingle.Stanza{Action: jingle.SessionInfo, Info: []*element.Element{info.Element()}})
	}
	s.letSenders()
}

func (s *session) hold() (string, *ending) {
	s.held = true
	s.inform(jingle.Info{Kind: jingle.InfoHold})
	return "done", nil
}

func (s *session) unhold() (string, *ending) {
	s.held = false
	s.inform(jingle.Info{Kind: jingle.InfoUnhold})
	return "done", nil
}

func (s *session) mute() (string, *ending) {
	s.muted = true
	s.inform(s.audios(jingle.InfoMute)...)
	return "done", nil
}

func (s *session) unmute() (string, *ending) {
	s.muted = false
	s.inform(s.audios(jingle.InfoUnmute)...)
	return "done", nil
}

// audios is a mute or unmute for each audio content.
func (s *session) audios(kind jingle.InfoKind) []jingle.Info {
	var infos []jingle.Info
	for i, c := range s.agreed.Contents {
		if said := s.agreed.Said(i, s.role); said != nil && said.RTP != nil && said.RTP.Media == "audio" {
			infos = append(infos, jingle.Info{Kind: kind, Creator: c.Creator, Name: c.Name})
		}
	}
	return infos
}

// videos returns the video contents that both parties have, the oldest first.
func (s *session) videos() []jingle.Shared {
	var all []jingle.Shared
	for i, c := range s.agreed.Contents {
		if said := s.agreed.Said(i, s.role); !c.Pending && said != nil && said.RTP != nil && said.RTP.Media == "video" {
			all = append(all, c)
		}
	}
	return all
}

// direct asks for another direction of all videos that the caller sends.
func (s *session) direct(senders jingle.Senders) (string, *ending) {
	n := 0
	for _, c := range s.videos() {
		if c.Senders.Sends(s.them()) && c.Senders != senders {
			s.modify(c, senders)
			n++
		}
	}
	if n == 0 {
		return "there is no video for that", nil
	}
	return "asked your client", nil
}

// addVideo proposes a content with the recorded picture, bundled if the session is.
func (s *session) addVideo() (string, *ending) {
	switch {
	case s.restarting():
		return "not in the middle of an ICE restart", nil
	case s.agreed.Pending(s.role):
		return "your client has not answered the last one", nil
	}
	at := slices.IndexFunc(s.legs, func(l *leg) bool { return l.grouped })
	var l *leg
	var err error
	switch {
	case at >= 0:
		l = s.legs[at]
	case len(s.legs) >= maxLegs:
		return "there are too many transports", nil
	default:
		if l, err = s.newLeg(); err != nil {
			return "that failed: " + err.Error(), nil
		}
	}
	s.added++
	name := "echo" + strconv.Itoa(s.added)
	c, err := l.addPicture(name)
	if err != nil {
		if at < 0 {
			s.drop(l)
		}
		return "that failed: " + err.Error(), nil
	}
	add := jingle.Stanza{Action: jingle.ContentAdd, Contents: []jingle.Content{c}, Groups: slices.Clone(s.agreed.Of[s.role].Groups)}
	for i, g := range add.Groups {
		if g.Semantics == "BUNDLE" && at >= 0 {
			add.Groups[i].Names = append(slices.Clone(g.Names), name)
		}
	}
	s.mine(add)
	s.ask(add, func(err *jingle.Error) *ending {
		if err == nil {
			return nil
		}
		s.log.Info("the peer refused a content", "content", name, "err", err)
		s.mine(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Creator: s.role, Name: name}}})
		return s.removed()
	})
	return "asked your client", nil
}

// contentAccepted begins to send what the peer has accepted.
func (s *session) contentAccepted(i int) *ending {
	c := s.agreed.Contents[i]
	said := s.agreed.Said(i, s.them())
	at := slices.IndexFunc(s.legs, func(l *leg) bool { return l.shows(c.Name) })
	if at < 0 || said.ICE == nil || said.RTP == nil {
		s.answer(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Creator: c.Creator, Name: c.Name}}})
		return s.removed()
	}
	l := s.legs[at]
	if len(l.remote) == 0 {
		s.patience.Reset(connectLimit)
	}
	if err := l.conclude(append(s.says(l), *said)); err != nil {
		return &ending{refusal(err), err.Error()}
	}
	return nil
}

// dropVideo removes the newest video.
func (s *session) dropVideo() (string, *ending) {
	videos := s.videos()
	switch {
	case s.restarting():
		return "not in the middle of an ICE restart", nil
	case len(videos) == 0:
		return "there is no video", nil
	case len(s.agreed.Contents) == 1:
		return "nothing else is left", &ending{jingle.Success, "asked to drop the only content"}
	}
	c := videos[len(videos)-1]
	s.answer(jingle.Stanza{Action: jingle.ContentRemove, Contents: []jingle.Content{{Creator: c.Creator, Name: c.Name}}})
	return "done", s.removed()
}

// restartAll restarts ICE of all transports.
func (s *session) restartAll() (string, *ending) {
	if s.restarting() {
		return "one is under way", nil
	}
	for _, l := range s.legs {
		if len(l.remote) == 0 {
			continue
		}
		if end := s.restart(l); end != nil {
			return "that failed", end
		}
	}
	return "asked your client; if it knows no ICE restart, the call is lost", nil
}
