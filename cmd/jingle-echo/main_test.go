package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	dir := t.TempDir()
	password, empty := filepath.Join(dir, "password"), filepath.Join(dir, "empty")
	for file, text := range map[string]string{password: "secret \n", empty: "\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{envTURNUser: "u", envTURNPassword: "p"}
	jid := []string{"-jid", "echo@xmpp.test/ignored"}
	full := append(jid, "-password-file", password)
	for name, row := range map[string]struct {
		args []string
		env  map[string]string
		want string // in the error
	}{
		"complete":             {full, nil, ""},
		"password in the env":  {jid, map[string]string{envPassword: "secret "}, ""},
		"no account":           {nil, nil, "-jid is missing"},
		"no user":              {[]string{"-jid", "xmpp.test"}, nil, "user@domain"},
		"bad account":          {[]string{"-jid", "@"}, nil, "-jid"},
		"no password":          {jid, nil, "no password"},
		"empty password":       {append(jid, "-password-file", empty), nil, "is empty"},
		"no such file":         {append(jid, "-password-file", dir+"/none"), nil, "-password-file"},
		"no certificate":       {append(full, "-ca", password), nil, "no PEM certificate"},
		"servers":              {append(full, "-ice-servers", "stun:a:1, turn:b:2"), env, ""},
		"turn, no credentials": {append(full, "-ice-servers", "turn:b:2"), nil, envTURNUser},
		"no server":            {append(full, "-ice-servers", "http://b"), nil, "stun: or turn:"},
		"stray argument":       {append(full, "x"), nil, "unexpected argument"},
	} {
		cfg, err := parseFlags(row.args, func(k string) string { return row.env[k] }, io.Discard)
		switch {
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: error %v, want one with %q", name, err, row.want)
		case row.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case row.want == "" && (cfg.jid.String() != "echo@xmpp.test" || cfg.password != "secret "):
			t.Errorf("%s: account %s, password %q", name, cfg.jid, cfg.password)
		case name == "servers" && (len(cfg.iceServers) != 2 || cfg.iceServers[1].Username != "u" || cfg.iceServers[1].Credential != "p"):
			t.Errorf("%s: %v", name, cfg.iceServers)
		}
	}
}
