package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/component/room"
)

const goodConfig = `
domain = "call.example.org"
secret = "s3cret-of-the-component"
public_url = "https://call.example.org"
guests.may_call = ["example.org", "alice@example.net"]
guests.echo = "echo@example.org"
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "carillon.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestGoodConfig(t *testing.T) {
	file := writeConfig(t, goodConfig+`
server = "127.0.0.1:5348"
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]
origins = ["https://www.example.org", "none"]
ice_servers = ["stun:stun.example.org:3478"]
[turn]
urls = ["turn:turn.example.org:3478?transport=udp"]
secret = "t"
relay_only = true
[limits]
grace = "5s"
ringing = "30s"
`)
	cfg, err := readConfig(file, []string{"CARILLON_SERVER=localhost:5349", "CARILLON_GUESTS_MAY_CALL=echo@example.org, bob@example.org", "PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := cfg.settings(file)
	if err != nil {
		t.Fatal(err)
	}
	if s.Server != "localhost:5349" {
		t.Errorf("the environment did not override the file: server is %s", s.Server)
	}
	if len(s.MayCall) != 2 || s.MayCall[1].String() != "bob@example.org" {
		t.Errorf("guests.may_call is %v", s.MayCall)
	}
	if s.Echo != "echo@example.org" || s.Grace != 5*time.Second || s.Ringing != 30*time.Second || !s.TURN.RelayOnly || len(s.TrustedProxies) != 2 || len(s.ICEServers) != 1 {
		t.Errorf("settings are %+v", s)
	}
}

func TestEveryKeyHasAVariable(t *testing.T) {
	file := writeConfig(t, goodConfig)
	cfg, err := readConfig(file, []string{
		"CARILLON_DOMAIN=call.example.net", "CARILLON_INSECURE_SERVER=true", "CARILLON_SERVER=xmpp.example.net:5347", "CARILLON_SECRET_FILE=",
		"CARILLON_LISTEN=[::1]:80", "CARILLON_PUBLIC_URL=https://c.example.net", "CARILLON_ORIGINS=none", "CARILLON_TRUSTED_PROXIES=::1",
		"CARILLON_STATE_DIR=/x", "CARILLON_RESERVED_NAMES=boss", "CARILLON_ICE_SERVERS=stun:a:1", "CARILLON_TURN_URLS=turn:a:1,turns:b:2",
		"CARILLON_TURN_SECRET=t", "CARILLON_TURN_RELAY_ONLY=yes", "CARILLON_LIMITS_COOL_DOWN=1m", "CARILLON_LIMITS_CALLS=7",
		"CARILLON_LIMITS_SHUTDOWN=1s", "CARILLON_LIMITS_FRAMES_PER_SECOND=1000", "CARILLON_LIMITS_SOCKETS_PER_IP=5000", "CARILLON_ROOMS_MEMBERS=4",
		"CARILLON_ROOMS_ROOMS=9", "CARILLON_ROOMS_ROOMS_PER_IP=8", "CARILLON_ROOMS_STATUS_BYTES=100", "CARILLON_ROOMS_NAME=5",
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Domain != "call.example.net" || !cfg.InsecureServer || cfg.TURN.URLs[1] != "turns:b:2" || !cfg.TURN.RelayOnly || cfg.Limits.Calls != 7 || cfg.Rooms.RoomsPerIP != 8 || cfg.Limits.FramesPerSecond != 1000 ||
		time.Duration(cfg.Limits.CoolDown) != time.Minute || cfg.ReservedNames[0] != "boss" {
		t.Errorf("the environment gave %+v", cfg)
	}
}

// Every limit of the component and of its rooms is a key, and reaches the component.
func TestLimitsReachTheComponent(t *testing.T) {
	var toml strings.Builder
	value := 10
	for _, key := range keysOf(reflect.TypeOf(fileConfig{}), "") {
		if strings.HasPrefix(key, "limits.") || strings.HasPrefix(key, "rooms.") {
			cfg := defaults()
			like := map[bool]string{true: "%s = \"%ds\"\n", false: "%s = %d\n"}[field(&cfg, key).Type() == reflect.TypeFor[duration]()]
			value++
			fmt.Fprintf(&toml, like, key, value)
		}
	}
	file := writeConfig(t, goodConfig+toml.String())
	cfg, err := readConfig(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cfg.settings(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int64]string{}
	check := func(name string, limit reflect.Value) {
		n := int64(0)
		switch {
		case limit.CanInt():
			n = limit.Int()
		case limit.CanFloat():
			n = int64(limit.Float())
		}
		if limit.Type() == reflect.TypeFor[time.Duration]() {
			n /= int64(time.Second)
		}
		if n <= 10 || n > int64(value) {
			t.Errorf("no key reaches %s", name)
		} else if seen[n] != "" {
			t.Errorf("one key reaches %s and %s", name, seen[n])
		}
		seen[n] = name
	}
	check("Grace", reflect.ValueOf(s.Grace))
	check("Ringing", reflect.ValueOf(s.Ringing))
	check("Shutdown", reflect.ValueOf(s.Shutdown))
	for _, limits := range []reflect.Value{reflect.ValueOf(s.Limits), reflect.ValueOf(s.Rooms), reflect.ValueOf(s.Rooms.Limits)} {
		for i := range limits.NumField() {
			if limits.Field(i).Kind() != reflect.Struct {
				check(limits.Type().Field(i).Name, limits.Field(i))
			}
		}
	}
	g := s.Gateway // its other bounds are those of the protocol
	for _, limit := range []any{g.Sockets, g.SocketsPerIP, g.OpensPerIP, g.FramesPerSecond, g.FrameBurst, g.FrameBytes} {
		check("the gateway's", reflect.ValueOf(limit))
	}
	if len(seen) != value-10 {
		t.Errorf("%d keys reach %d limits", value-10, len(seen))
	}
}

// The defaults are the component's own, and those that the README says.
func TestDefaultLimits(t *testing.T) {
	def := defaults()
	if l := (room.Limits{}).WithDefaults(); def.Rooms.Members != l.Members || def.Rooms.Name != l.Name || def.Rooms.Password != l.Password ||
		def.Rooms.StatusFields != l.StatusFields || def.Rooms.StatusBytes != l.StatusBytes {
		t.Errorf("defaults: %+v, the room's own %+v", def.Rooms, l)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(readme), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], "`limits.") && !strings.Contains(cells[1], "`rooms.") {
			continue
		}
		keys, values := strings.Split(cells[1], ","), strings.Split(cells[2], ",")
		for i, key := range keys {
			f := field(&def, strings.Trim(key, " `"))
			want := fmt.Sprint(f.Interface())
			if d, ok := f.Interface().(duration); ok {
				want = fmt.Sprintf("%gs", time.Duration(d).Seconds())
			}
			if len(values) != len(keys) || strings.Trim(values[i], " `") != want {
				t.Errorf("%s is %s by default, not%s", key, want, cells[2])
			}
		}
	}
}

// TestEveryKeyIsInTheREADME keeps the table of keys, and their defaults, whole.
func TestEveryKeyIsInTheREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(reflect.TypeOf(fileConfig{}), "") {
		if !strings.Contains(string(readme), "`"+key+"`") {
			t.Errorf("README.md does not have the key `%s`", key)
		}
	}
}

// Each problem names the file, the key and the remedy.
func TestConfigProblems(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		env  []string
		want []string
	}{
		"unknown key":            {goodConfig + "\nsecrte_file = 'x'", nil, []string{"secrte_file", "unknown key", "did you mean secret_file?"}},
		"unknown nested key":     {goodConfig + "\n[turn]\nrelayonly = true", nil, []string{"turn.relayonly", "did you mean turn.relay_only?"}},
		"unknown variable":       {goodConfig, []string{"CARILLON_DOMIAN=x"}, []string{"environment", "CARILLON_DOMIAN", "did you mean CARILLON_DOMAIN?"}},
		"no resemblance":         {goodConfig + "\nzzzzzzzzzzzzz = 1", nil, []string{"zzzzzzzzzzzzz", "the keys are", "public_url"}},
		"not TOML":               {"domain = call", nil, []string{"line 1"}},
		"text without quotes":    {"domain = call.example.org", nil, []string{"line 1", "quotes"}},
		"wrong type":             {"domain = 5", nil, []string{"domain: not text", `domain = "text"`}},
		"text for a list":        {goodConfig + "\norigins = 'https://x.example'", nil, []string{"origins: not a list of texts", `origins = ["one", "another"]`}},
		"list of numbers":        {goodConfig + "\n[turn]\nurls = [5]", nil, []string{"turn.urls: not a list of texts"}},
		"text for a number":      {goodConfig + "\n[limits]\ncalls = '5'", nil, []string{"limits.calls: not a whole number", "limits.calls = 20"}},
		"number for a boolean":   {goodConfig + "\ninsecure_server = 1", nil, []string{"insecure_server: not true or false"}},
		"text for a table":       {goodConfig + "\nturn = 'x'", nil, []string{"turn"}},
		"no domain":              {"secret='s'\npublic_url='https://x.example'", nil, []string{"domain: missing", "call.example.org"}},
		"bad domain":             {"domain='a@b'\nsecret='s'\npublic_url='https://x.example'", nil, []string{"domain", "not a domain"}},
		"no secret":              {"domain='a.example'\npublic_url='https://x.example'", nil, []string{"secret: missing", "secret_file"}},
		"two secrets":            {goodConfig + "\nsecret_file = '/dev/null'", nil, []string{"secret", "given twice"}},
		"empty secret file":      {"domain='a.example'\npublic_url='https://x.example'\nsecret_file='/dev/null'", nil, []string{"secret_file", "/dev/null is empty", "write the secret"}},
		"missing secret file":    {"domain='a.example'\npublic_url='https://x.example'\nsecret_file='/nonexistent'", nil, []string{"secret_file", "/nonexistent"}},
		"server elsewhere":       {goodConfig + "\nserver = 'xmpp.example.org:5347'", nil, []string{"server", "clear text", "insecure_server = true"}},
		"server without port":    {goodConfig + "\nserver = '127.0.0.1'", nil, []string{"server", "not a host and port"}},
		"bad listen":             {goodConfig + "\nlisten = 'x'", nil, []string{"listen"}},
		"public metrics":         {goodConfig + "\nmetrics = '0.0.0.0:9470'", nil, []string{"metrics", "127.0.0.1:9470"}},
		"no public_url":          {"domain='a.example'\nsecret='s'", nil, []string{"public_url", "https://call.example.org"}},
		"page without https":     {"domain='a.example'\nsecret='s'\npublic_url='http://call.example.org'", nil, []string{"public_url", "camera", "https"}},
		"bad proxy":              {goodConfig + "\ntrusted_proxies = ['proxy']", nil, []string{"trusted_proxies", "proxy"}},
		"echo is a domain":       {"domain='a.example'\nsecret='s'\npublic_url='https://x.example'\nguests.echo='b.example'", nil, []string{"guests.echo", "b.example"}},
		"echo not allowed":       {goodConfig, []string{"CARILLON_GUESTS_ECHO=echo@example.com"}, []string{"guests.echo", "guests.may_call does not allow it"}},
		"bad callee":             {goodConfig + "\n[guests]\nmay_call = ['@']", nil, nil},
		"callee with a resource": {"domain='a.example'\nsecret='s'\npublic_url='https://x.example'\nguests.may_call=['a@b/c']", nil, []string{"guests.may_call", "a@b/c"}},
		"STUN with a query":      {goodConfig + "\nice_servers = ['stun:a.example?transport=udp']", nil, []string{"ice_servers", "has a query"}},
		"port out of range":      {goodConfig + "\nlisten = '127.0.0.1:99999'", nil, []string{"listen", "127.0.0.1:99999"}},
		"server without a port":  {goodConfig + "\nserver = '127.0.0.1:xmpp'", nil, []string{"server", "component port"}},
		"bad STUN URL":           {goodConfig + "\nice_servers = ['turn:x']", nil, []string{"ice_servers", "turn.urls"}},
		"bad TURN URL":           {goodConfig + "\n[turn]\nurls = ['stun:x']\nsecret='s'", nil, []string{"turn.urls", "stun:x"}},
		"TURN without secret":    {goodConfig + "\n[turn]\nurls = ['turn:x']", nil, []string{"turn.secret: missing", "turn.secret_file"}},
		"relay without TURN":     {goodConfig + "\n[turn]\nrelay_only = true", nil, []string{"turn.relay_only", "no relay"}},
		"bad origin":             {goodConfig + "\norigins = ['example.org']", nil, []string{"origins"}},
		"time without unit":      {goodConfig + "\n[limits]\ngrace = '5'", nil, []string{"unit"}},
		"limit of nothing":       {goodConfig + "\n[limits]\ncalls = -5\ngrace = '0s'", nil, []string{"limits.calls", "limits.grace", "not above zero"}},
		"rings too long":         {goodConfig + "\n[limits]\nringing = '2m'", nil, []string{"limits.ringing", "at most 1m30s"}},
		"room for nobody":        {goodConfig + "\n[rooms]\nmembers = 0", nil, []string{"rooms.members", "not above zero"}},
		"misspelt room key":      {goodConfig + "\n[rooms]\nmember = 4", nil, []string{"rooms.member", "did you mean rooms.members?"}},
		"half a number":          {goodConfig, []string{"CARILLON_LIMITS_CALLS=12abc"}, []string{"CARILLON_LIMITS_CALLS", "not a number"}},
		"server without host":    {goodConfig + "\nserver = ':5347'", nil, []string{"server"}},
		"page with a query":      {"domain='a.example'\nsecret='s'\npublic_url='https://x.example/?y'", nil, []string{"public_url"}},
		"no such name":           {goodConfig + "\nreserved_names = ['two words']", nil, []string{"reserved_names", "two words"}},
		"bad boolean":            {goodConfig, []string{"CARILLON_INSECURE_SERVER=maybe"}, []string{"CARILLON_INSECURE_SERVER", "true or false"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := writeConfig(t, c.text)
			cfg, err := readConfig(file, c.env)
			if err == nil {
				_, err = cfg.settings(file)
			}
			if err == nil {
				t.Fatal("it was accepted")
			}
			if len(c.env) == 0 && !strings.Contains(err.Error(), file) {
				t.Errorf("the file is not named: %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "s3cret-of-the-component") {
				t.Errorf("the secret is in: %v", err)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	var out, errOut bytes.Buffer
	if err := run(context.Background(), []string{"serve", "-config", writeConfig(t, goodConfig), "-check-config"}, &out, &errOut); err != nil || !strings.Contains(out.String(), "good") {
		t.Errorf("-check-config of a good file: %v, %q", err, out.String())
	}
	if !strings.Contains(errOut.String(), "trusted_proxies") {
		t.Errorf("-check-config does not warn as serve does: %q", errOut.String())
	}
	out.Reset()
	if err := run(context.Background(), []string{"--version"}, &out, &errOut); err != nil || !strings.Contains(out.String(), version()) {
		t.Errorf("--version: %v, %q", err, out.String())
	}
	if err := run(context.Background(), []string{"serve"}, &out, &errOut); err == nil || !strings.Contains(err.Error(), "-config FILE") {
		t.Errorf("serve without a file: %v", err)
	}
	for _, command := range []string{"serve", "demo", "convert", "replay"} {
		errOut.Reset()
		if err := run(context.Background(), []string{command, "-help"}, &out, &errOut); !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(errOut.String(), "usage: carillon "+command) {
			t.Errorf("%s -help: %v, %q", command, err, errOut.String())
		}
		errOut.Reset()
		if err := run(context.Background(), []string{command, "-dance"}, &out, &errOut); err != errUsage || strings.Count(errOut.String(), "\n") != 1 {
			t.Errorf("%s -dance: %v, %q", command, err, errOut.String())
		}
	}
	for _, args := range [][]string{nil, {"dance"}, {"serve", "-dance"}, {"serve", "carillon.toml"}, {"demo", "-client", "gajim"}} {
		errOut.Reset()
		if err := run(context.Background(), args, &out, &errOut); err != errUsage || errOut.Len() == 0 {
			t.Errorf("%q: %v, %q", args, err, errOut.String())
		}
	}
}
