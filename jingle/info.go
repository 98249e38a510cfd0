package jingle

import (
	"strings"

	"carillon/jingle/element"
)

// InfoKind is a payload of session-info that XEP-0167 section 9 defines.
type InfoKind string

// The payloads.  Hold and mute are advisory: they change nothing that was negotiated.
const (
	InfoActive  InfoKind = "active"
	InfoHold    InfoKind = "hold"
	InfoMute    InfoKind = "mute"
	InfoRinging InfoKind = "ringing"
	InfoUnhold  InfoKind = "unhold"
	InfoUnmute  InfoKind = "unmute"
)

// Info is one such payload.  Mute and unmute name a content; an empty name means all contents.
type Info struct {
	Kind    InfoKind
	Creator Role
	Name    string
}

// ParseInfo reads an element of Stanza.Info.  It returns false for one that XEP-0167 does not define.  The kind is the constant rather than what
// stands in the stanza, whose text who keeps the kind would keep with it.
func ParseInfo(e *element.Element) (Info, bool) {
	if e == nil || e.Space != NSRTPInfo {
		return Info{}, false
	}
	for _, kind := range []InfoKind{InfoMute, InfoUnmute} {
		if e.Local == string(kind) {
			return Info{Kind: kind, Creator: parseRole(e.Attr("creator")), Name: e.Attr("name")}, true
		}
	}
	for _, kind := range []InfoKind{InfoActive, InfoHold, InfoRinging, InfoUnhold} {
		if e.Local == string(kind) {
			return Info{Kind: kind}, true
		}
	}
	return Info{}, false
}

// WantsRestart tells whether a session-info or session-initiate asks for an ICE restart, as Jitsi does: <bridge-session ice-restart='true'/>
// of Jicofo, <ice-state>failed</ice-state> of lib-jitsi-meet.
func (s Stanza) WantsRestart() bool {
	for _, e := range s.Info {
		switch {
		case e.Space != NSFocus:
		case e.Local == "bridge-session" && isTrue(e.Attr("ice-restart")),
			e.Local == "ice-state" && strings.TrimSpace(e.Text) == "failed":
			return true
		}
	}
	return false
}

// Element returns the payload as XML, for Stanza.Info.
func (i Info) Element() *element.Element {
	e := element.New(NSRTPInfo, string(i.Kind))
	if i.Name != "" {
		e.SetAttr("creator", i.Creator.String()).SetAttr("name", i.Name)
	}
	return e
}

// parseRole reads a creator attribute.  Missing means initiator, as Dino takes it and Movim's session-info needs.
func parseRole(s string) Role {
	if s == "responder" {
		return Responder
	}
	return Initiator
}
