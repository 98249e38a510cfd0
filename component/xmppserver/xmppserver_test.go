package xmppserver

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

func TestCertificatesNameDomainAndSubdomains(t *testing.T) {
	s := &Server{Domain: "xmpp.test", Component: "call.other.test", Dir: t.TempDir(), options: Options{Host: "127.0.0.1"}}
	s.CAFile = filepath.Join(s.Dir, "ca.crt")
	if err := writeCertificates(s); err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate in the CA file")
	}
	text, err := os.ReadFile(filepath.Join(s.Dir, "server.crt"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"xmpp.test": true, "call.xmpp.test": true, "call.other.test": true, "127.0.0.1": true, "other.test": false,
	} {
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		if (err == nil) != want {
			t.Errorf("certificate for %s: %v, want valid: %v", name, err, want)
		}
	}
}

func TestProsodyFileName(t *testing.T) {
	for name, want := range map[string]string{"alice": "alice", "call.xmpp.test": "call%2exmpp%2etest", "a_b-ü": "a%5fb%2d%c3%bc"} {
		if got := prosodyFileName(name); got != want {
			t.Errorf("prosodyFileName(%q) = %q, want %q", name, got, want)
		}
	}
}

// Whatever a password holds, it must stay one string of the configuration.
func TestQuoting(t *testing.T) {
	const password = "a\"b\\c\nd'}é"
	if got, want := luaString(password), `"a\034b\092c\010d'}\195\169"`; got != want {
		t.Errorf("luaString = %s, want %s", got, want)
	}
	got, err := yamlString(password)
	if want := `"a\"b\\c\nd'}é"`; err != nil || got != want {
		t.Errorf("yamlString = %s, %v, want %s", got, err, want)
	}
}

func TestConfiguration(t *testing.T) {
	s := &Server{Dir: "/dir", ports: ports{client: 1001, component: 1002, http: 1003}, options: Options{
		Domain: "xmpp.test", Component: "call.xmpp.test", Secret: "s3cret", Host: "127.0.0.1", WebSocket: true,
		External: TURN{Host: "192.0.2.1", Port: 3478, Secret: "relay"}, Config: "one = 1", Global: "two = 2",
	}}
	prosody, err := render(prosodyConfig, template.FuncMap{"lua": luaString}, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"c2s_ports = { 1001 }", "component_ports = { 1002 }", "http_ports = { 1003 }", `"websocket"`, `"turn_external"`,
		"Component \"call.xmpp.test\"\n\tcomponent_secret = \"s3cret\"\n\tone = 1\n", "\ntwo = 2\n",
		`turn_external_host = "192.0.2.1"`,
	} {
		if !strings.Contains(string(prosody), want) {
			t.Errorf("Prosody's configuration lacks %q:\n%s", want, prosody)
		}
	}
	s.options.WebSocket, s.options.External, s.options.Component = false, TURN{}, ""
	prosody, err = render(prosodyConfig, template.FuncMap{"lua": luaString}, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"websocket\"", "turn_external", "Component", "1002", "1003"} {
		if strings.Contains(string(prosody), not) {
			t.Errorf("Prosody's configuration has %q:\n%s", not, prosody)
		}
	}
}

func TestOptionsThatCannotWork(t *testing.T) {
	for want, o := range map[string]Options{
		"no domain given":   {},
		"has no secret":     {Domain: "xmpp.test", Component: "call.xmpp.test"},
		"with Prosody only": {Domain: "xmpp.test", Contacts: true},
	} {
		if _, err := StartEjabberd(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
