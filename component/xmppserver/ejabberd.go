package xmppserver

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed ejabberd.yml.tmpl
var ejabberdConfig string

type ejabberd struct{}

func (ejabberd) name() string { return "ejabberd" }

func (ejabberd) write(s *Server) error {
	config, err := render(ejabberdConfig, template.FuncMap{"yaml": yamlString}, s)
	if err != nil {
		return err
	}
	for _, dir := range []string{"log", "spool"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(s.Dir, "ejabberd.yml"), config, 0o600)
}

// command starts the Erlang machine itself: ejabberdctl insists on its own user, and a node name would need epmd.
func (ejabberd) command(s *Server) (launch, error) {
	program, err := lookProgram("erl")
	found, _ := filepath.Glob("/usr/lib/*/ejabberd-*/ebin/ejabberd.app")
	if err != nil || len(found) == 0 {
		return launch{}, errors.New("xmppserver: ejabberd is not installed: apt-get install ejabberd")
	}
	spool := filepath.Join(s.Dir, "spool")
	// The value of -mnesia dir is an Erlang term, a string with its quotes.
	args := []string{"+K", "true", "-noinput", "-mnesia", "dir", `"` + spool + `"`, "-s", "ejabberd"}
	return launch{program: program, args: args, dir: spool, env: []string{
		"EJABBERD_CONFIG_PATH=" + filepath.Join(s.Dir, "ejabberd.yml"),
		"EJABBERD_LOG_PATH=" + filepath.Join(s.Dir, "log", "ejabberd.log"),
		"ERL_LIBS=" + filepath.Dir(filepath.Dir(filepath.Dir(found[len(found)-1]))),
		"ERL_MAX_PORTS=4096", // Erlang sizes a table by the open-file limit, which may be huge
		"ERL_CRASH_DUMP_BYTES=0",
		"HOME=" + s.Dir,
	}}, nil
}

func (ejabberd) listening(service, host string, port int) string {
	handler := map[string]string{"c2s": "ejabberd_c2s", "component": "ejabberd_service", "http": "ejabberd_http"}[service]
	return fmt.Sprintf("Start accepting TCP connections at %s for %s", net.JoinHostPort(host, fmt.Sprint(port)), handler)
}

func (ejabberd) bindFailed() string { return "Failed to open socket" }

// started registers the users, again after a restart: a killed server may have lost what it had only just written.
func (ejabberd) started(ctx context.Context, s *Server) error {
	if err := s.process.waitLog(ctx, "connections at unix:", "Failed to open socket"); err != nil {
		return fmt.Errorf("waiting for its API: %w", err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.Dir, "api.sock"))
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for _, user := range sortedKeys(s.options.Users) {
		if err := register(ctx, client, user, s.Domain, s.options.Users[user]); err != nil {
			return fmt.Errorf("register %s: %w", user, err)
		}
	}
	return nil
}

func register(ctx context.Context, client *http.Client, user, host, password string) error {
	body, err := json.Marshal(map[string]string{"user": user, "host": host, "password": password})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://ejabberd/api/register", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1000))
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusConflict {
		return nil
	}
	return fmt.Errorf("%s: %s", response.Status, bytes.TrimSpace(answer))
}

// yamlString quotes for YAML, of which JSON strings are a part.
func yamlString(s string) (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}
