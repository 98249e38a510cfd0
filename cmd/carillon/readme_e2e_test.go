//go:build e2e

package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/component/xmppserver"
)

// recipe returns the first block of that language below a heading of the README.
func recipe(t *testing.T, heading, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, below, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("the README has no %q", heading)
	}
	block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(below)
	if block == nil {
		t.Fatalf("%q has no block of %s", heading, language)
	}
	return block[1]
}

// TestRecipes does what the README says, as written: its lines in the server's configuration, its carillon.toml, its commands.  Only where the machine
// is not the reader's, ports and directories, something else is said.
func TestRecipes(t *testing.T) {
	options := xmppserver.Options{Domain: "example.org", Users: map[string]string{"alice": "pw-alice"}}
	t.Run("Prosody", func(t *testing.T) {
		port := freePort(t)
		options := options
		options.Global = "component_ports = { " + port + " }\n" + recipe(t, "Attach it to Prosody", "lua")
		srv, err := xmppserver.StartProsody(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { srv.Stop() })
		followReadme(t, port)
	})
	t.Run("ejabberd", func(t *testing.T) {
		port := freePort(t)
		options := options
		options.Listen = strings.Replace(recipe(t, "Attach it to ejabberd", "yaml"), "5347", port, 1)
		srv, err := xmppserver.StartEjabberd(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { srv.Stop() })
		followReadme(t, port)
	})
}

// followReadme builds, configures and runs Carillon by the README's commands, until it is ready to call.
func followReadme(t *testing.T, port string) {
	t.Helper()
	const heading = "Attach it to Prosody"
	dir := t.TempDir()
	commands := recipe(t, heading, "sh")
	build, _, _ := strings.Cut(commands, "\n")
	runShell(t, "../..", nil, strings.Replace(build, "-o carillon", "-o "+filepath.Join(dir, "carillon"), 1))
	file := filepath.Join(dir, "carillon.toml")
	if err := os.WriteFile(file, []byte(recipe(t, heading, "toml")), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := "127.0.0.1:" + freePort(t)
	env := []string{
		"PATH=" + dir + ":" + os.Getenv("PATH"), "CARILLON_SERVER=127.0.0.1:" + port, "CARILLON_LISTEN=" + listen, "CARILLON_STATE_DIR=" + filepath.Join(dir, "state"),
	}
	serve := regexp.MustCompile(`(?m)^carillon serve.*$`).FindAllString(readme(t), -1)
	if len(serve) != 2 {
		t.Fatalf("the README has the commands %q", serve)
	}
	for i := range serve {
		serve[i] = strings.ReplaceAll(serve[i], "/etc/carillon/carillon.toml", file)
	}
	if out := runShell(t, dir, env, serve[0]); !strings.Contains(out, "good") {
		t.Errorf("%s printed %q", serve[0], out)
	}
	cmd := exec.Command("sh", "-c", "exec "+serve[1])
	cmd.Dir, cmd.Env = dir, env
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	ready(t, "http://"+listen)
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("at SIGTERM it ended with %v", err)
	}
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ready waits until /readyz says that calls can be made.
func ready(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if reply, err := http.DefaultClient.Do(req); err == nil {
			reply.Body.Close()
			if reply.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s did not get ready", url)
		}
	}
}

// runShell runs a shell command and returns what it printed.
func runShell(t *testing.T, dir string, env []string, command string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
