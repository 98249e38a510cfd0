package xmppserver

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"text/template"
)

//go:embed prosody.cfg.lua.tmpl
var prosodyConfig string

type prosody struct{}

func (prosody) name() string { return "prosody" }

func (prosody) write(s *Server) error {
	config, err := render(prosodyConfig, template.FuncMap{"lua": luaString}, s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "prosody.cfg.lua"), config, 0o600); err != nil {
		return err
	}
	var group strings.Builder
	group.WriteString("[Contacts]\n")
	for _, user := range sortedKeys(s.options.Users) {
		fmt.Fprintf(&group, "%s@%s=%s\n", user, s.Domain, user)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "groups.txt"), []byte(group.String()), 0o600); err != nil {
		return err
	}
	accounts := filepath.Join(s.Dir, "data", prosodyFileName(s.Domain), "accounts")
	if err := os.MkdirAll(accounts, 0o700); err != nil {
		return err
	}
	for user, password := range s.options.Users {
		// A plain password in the file is enough: internal_hashed replaces it at the first login.
		account := fmt.Sprintf("return { [\"password\"] = %s };\n", luaString(password))
		file := filepath.Join(accounts, prosodyFileName(user)+".dat")
		if err := os.WriteFile(file, []byte(account), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (prosody) command(s *Server) (launch, error) {
	program, err := lookProgram("prosody")
	if err != nil {
		return launch{}, errors.New("xmppserver: prosody is not installed: apt-get install prosody")
	}
	config := filepath.Join(s.Dir, "prosody.cfg.lua")
	return launch{program: program, args: []string{"--config", config, "-F"}, dir: s.Dir}, nil
}

func (prosody) listening(service, host string, port int) string {
	return fmt.Sprintf("Activated service '%s' on [%s]:%d", service, host, port)
}

func (prosody) bindFailed() string { return "Failed to open server port" }

func (prosody) started(context.Context, *Server) error { return nil }

// lookProgram also looks where Debian keeps daemons, which is not in the path of ordinary users.
func lookProgram(name string) (string, error) {
	program, err := exec.LookPath(name)
	if err == nil {
		return program, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if program, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return program, nil
		}
	}
	return "", err
}

// prosodyFileName encodes a name the way Prosody's internal storage does: every byte but ASCII letters and digits as %hh.
func prosodyFileName(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

func luaString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			fmt.Fprintf(&b, "\\%03d", c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func render(text string, funcs template.FuncMap, s *Server) ([]byte, error) {
	funcs["indent"] = indent
	t, err := template.New("").Funcs(funcs).Parse(text)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]any{
		"Options": s.options, "Dir": s.Dir, "Root": os.Getuid() == 0,
		"ClientPort": s.ports.client, "ComponentPort": s.ports.component, "HTTPPort": s.ports.http,
	})
	return []byte(b.String()), err
}
