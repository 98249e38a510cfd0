package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"mellium.im/xmpp/jid"

	"carillon/component"
	"carillon/component/gateway"
	"carillon/component/room"
	"carillon/webclient"
)

// duration is a time.Duration that is written with its unit.
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a time with its unit, such as 20s or 2m", text)
	}
	*d = duration(v)
	return nil
}

// longestRinging is for how long a page believes in a call that nobody answers, with some time for a socket that has to come back.
const longestRinging = 90 * time.Second

// checkValues finds what is wrong with values that have a grammar of their own.
func (cfg *fileConfig) checkValues(source string) []error {
	var errs []error
	bad := func(key, problem, remedy string) {
		errs = append(errs, &keyError{source, key, problem, remedy})
	}
	if d, err := jid.Parse(cfg.Domain); cfg.Domain != "" && (err != nil || d.Localpart() != "" || d.Resourcepart() != "") {
		bad("domain", fmt.Sprintf("%q is not a domain", cfg.Domain), `give it as in "call.example.org"`)
	}
	for _, name := range cfg.ReservedNames {
		if err := component.CheckName(name); err != nil {
			bad("reserved_names", fmt.Sprintf("%q can be no guest's name: %v", name, err), "leave it out")
		}
	}
	for group, values := range map[string]reflect.Value{"limits.": reflect.ValueOf(cfg.Limits), "rooms.": reflect.ValueOf(cfg.Rooms)} {
		for i := range values.NumField() {
			if values.Field(i).Int() <= 0 {
				bad(group+values.Type().Field(i).Tag.Get("toml"), "not above zero", "give what is to be allowed, or leave it out")
			}
		}
	}
	if time.Duration(cfg.Limits.Ringing) > longestRinging {
		bad("limits.ringing", "longer than the page waits", fmt.Sprintf("give at most %v", longestRinging))
	}
	for _, a := range cfg.Guests.MayCall {
		if to, err := jid.Parse(a); err != nil || to.Resourcepart() != "" {
			bad("guests.may_call", fmt.Sprintf("%q is neither an XMPP address nor a domain", a), `give entries such as "alice@example.org" or "example.org"`)
		}
	}
	if to, err := jid.Parse(cfg.Guests.Echo); cfg.Guests.Echo != "" && (err != nil || to.Localpart() == "" || to.Resourcepart() != "") {
		bad("guests.echo", fmt.Sprintf("%q is no bare XMPP address", cfg.Guests.Echo), `give one such as "echo@example.org", which guests.may_call has to allow`)
	}
	if cfg.Guests.Echo != "" && !mayCall(cfg.Guests.MayCall, cfg.Guests.Echo) {
		bad("guests.echo", "guests.may_call does not allow it", "add it there")
	}
	for _, u := range cfg.ICEServers {
		if err := checkICEURL(u, "stun"); err != nil {
			bad("ice_servers", err.Error(), "browsers take stun:HOST:PORT here; TURN servers belong in turn.urls")
		}
	}
	for _, u := range cfg.TURN.URLs {
		if err := checkICEURL(u, "turn", "turns"); err != nil {
			bad("turn.urls", err.Error(), `give it as in "turn:turn.example.org:3478?transport=udp"`)
		}
	}
	for _, o := range cfg.Origins {
		if o == gateway.NoOrigin {
			continue
		}
		if _, err := gateway.ParseOrigin(o); err != nil {
			bad("origins", err.Error(), `give entries such as "https://www.example.org", or "none" for programs that send no Origin`)
		}
	}
	return errs
}

// mayCall tells whether a list of addresses and domains has that address.  What cannot be read is another check's to say.
func mayCall(allowed []string, address string) bool {
	to, err := jid.Parse(address)
	return err != nil || slices.ContainsFunc(allowed, func(each string) bool {
		may, err := jid.Parse(each)
		return err != nil || may.Equal(to.Bare()) || may.Equal(to.Domain())
	})
}

// settings turns the file's configuration, which has been checked, into that of the component.
func (cfg *fileConfig) settings(source string) (component.Config, error) {
	secret, err := readSecret(source, "secret", cfg.Secret, cfg.SecretFile)
	if err == nil && secret == "" {
		err = &keyError{source, "secret", "missing", "give the component's secret as the XMPP server has it, or its file as secret_file"}
	}
	turnSecret, turnErr := readSecret(source, "turn.secret", cfg.TURN.Secret, cfg.TURN.SecretFile)
	if err := errors.Join(err, turnErr); err != nil {
		return component.Config{}, err
	}
	c := component.Config{
		Domain:        jid.MustParse(cfg.Domain),
		Server:        cfg.Server,
		Secret:        secret,
		PublicURL:     cfg.PublicURL,
		Origins:       cfg.Origins,
		StateDir:      cfg.StateDir,
		ReservedNames: cfg.ReservedNames,
		TURN:          component.TURN{URLs: cfg.TURN.URLs, Secret: turnSecret, RelayOnly: cfg.TURN.RelayOnly},
		Grace:         time.Duration(cfg.Limits.Grace),
		Ringing:       time.Duration(cfg.Limits.Ringing),
		Limits: component.Limits{
			CoolDown: time.Duration(cfg.Limits.CoolDown), RingingPerCallee: cfg.Limits.RingingPerCallee,
			RingingPerIP: cfg.Limits.RingingPerIP, RingsPerGhost: cfg.Limits.RingsPerGhost,
			DialsPerCallee: cfg.Limits.DialsPerCallee, DialsPerIP: cfg.Limits.DialsPerIP,
			CallsPerIP: cfg.Limits.CallsPerIP, Calls: cfg.Limits.Calls,
			TellsPerMinute: cfg.Limits.TellsPerMinute, TextsPerMinute: cfg.Limits.TextsPerMinute,
			ProposesPerMinute: cfg.Limits.ProposesPerMinute, ProposesPerDomain: cfg.Limits.ProposesPerDomain,
			AttachesPerIP: cfg.Limits.AttachesPerIP, Tabs: cfg.Limits.Tabs, TabsPerGhost: cfg.Limits.TabsPerGhost,
			ContactsPerGhost: cfg.Limits.ContactsPerGhost, CredentialsPerIP: cfg.Limits.CredentialsPerIP,
		},
		Shutdown: time.Duration(cfg.Limits.Shutdown),
		Gateway: gateway.Limits{
			Sockets: cfg.Limits.Sockets, SocketsPerIP: cfg.Limits.SocketsPerIP, OpensPerIP: cfg.Limits.OpensPerIP,
			FramesPerSecond: float64(cfg.Limits.FramesPerSecond), FrameBurst: cfg.Limits.FrameBurst, FrameBytes: cfg.Limits.FrameBytes,
		},
		Rooms: component.RoomLimits{
			Limits: room.Limits{
				Members: cfg.Rooms.Members, StatusFields: cfg.Rooms.StatusFields, StatusBytes: cfg.Rooms.StatusBytes,
				Name: cfg.Rooms.Name, Password: cfg.Rooms.Password,
			},
			Rooms: cfg.Rooms.Rooms, RoomsPerIP: cfg.Rooms.RoomsPerIP, JoinsPerIP: cfg.Rooms.JoinsPerIP,
		},
		Version: version(),
		Static:  webclient.Handler(),
	}
	c.Echo = cfg.Guests.Echo
	for _, a := range cfg.Guests.MayCall {
		c.MayCall = append(c.MayCall, jid.MustParse(a))
	}
	for _, p := range cfg.TrustedProxies {
		prefix, err := parsePrefix(p)
		if err != nil {
			return component.Config{}, err
		}
		c.TrustedProxies = append(c.TrustedProxies, prefix)
	}
	if len(cfg.ICEServers) > 0 {
		c.ICEServers = []gateway.ICEServer{{URLs: cfg.ICEServers}}
	}
	return c, nil
}
