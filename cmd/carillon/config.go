package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// fileConfig is the configuration as it stands in the file.  Its toml names, joined by dots, are the keys; the environment has the same keys in
// capitals with underscores, after CARILLON_.
type fileConfig struct {
	Domain         string   `toml:"domain"`
	Server         string   `toml:"server"`
	InsecureServer bool     `toml:"insecure_server"`
	Secret         string   `toml:"secret"`
	SecretFile     string   `toml:"secret_file"`
	Listen         string   `toml:"listen"`
	Metrics        string   `toml:"metrics"`
	PublicURL      string   `toml:"public_url"`
	Origins        []string `toml:"origins"`
	TrustedProxies []string `toml:"trusted_proxies"`
	StateDir       string   `toml:"state_dir"`
	ReservedNames  []string `toml:"reserved_names"`
	ICEServers     []string `toml:"ice_servers"`
	Guests         struct {
		MayCall []string `toml:"may_call"`
		Echo    string   `toml:"echo"`
	} `toml:"guests"`
	TURN struct {
		URLs       []string `toml:"urls"`
		Secret     string   `toml:"secret"`
		SecretFile string   `toml:"secret_file"`
		RelayOnly  bool     `toml:"relay_only"`
	} `toml:"turn"`
	Limits struct {
		Grace             duration `toml:"grace"`
		Ringing           duration `toml:"ringing"`
		CoolDown          duration `toml:"cool_down"`
		RingingPerCallee  int      `toml:"ringing_per_callee"`
		RingingPerIP      int      `toml:"ringing_per_ip"`
		RingsPerGhost     int      `toml:"rings_per_ghost"`
		DialsPerCallee    int      `toml:"dials_per_callee"`
		DialsPerIP        int      `toml:"dials_per_ip"`
		CallsPerIP        int      `toml:"calls_per_ip"`
		Calls             int      `toml:"calls"`
		TellsPerMinute    int      `toml:"tells_per_minute"`
		TextsPerMinute    int      `toml:"texts_per_minute"`
		ProposesPerMinute int      `toml:"proposes_per_minute"`
		ProposesPerDomain int      `toml:"proposes_per_domain"`
		CredentialsPerIP  int      `toml:"credentials_per_ip"`
		AttachesPerIP     int      `toml:"attaches_per_ip"`
		Tabs              int      `toml:"tabs"`
		TabsPerGhost      int      `toml:"tabs_per_ghost"`
		ContactsPerGhost  int      `toml:"contacts_per_ghost"`
		Sockets           int      `toml:"sockets"`
		SocketsPerIP      int      `toml:"sockets_per_ip"`
		OpensPerIP        int      `toml:"opens_per_ip"`
		FramesPerSecond   int      `toml:"frames_per_second"`
		FrameBurst        int      `toml:"frame_burst"`
		FrameBytes        int      `toml:"frame_bytes"`
		Shutdown          duration `toml:"shutdown"`
	} `toml:"limits"`
	Rooms struct {
		Members      int `toml:"members"`
		Rooms        int `toml:"rooms"`
		RoomsPerIP   int `toml:"rooms_per_ip"`
		JoinsPerIP   int `toml:"joins_per_ip"`
		Name         int `toml:"name"`
		Password     int `toml:"password"`
		StatusFields int `toml:"status_fields"`
		StatusBytes  int `toml:"status_bytes"`
	} `toml:"rooms"`
}

func defaults() fileConfig {
	cfg := fileConfig{
		Server:        "127.0.0.1:5347",
		Listen:        "127.0.0.1:8080",
		StateDir:      "/var/lib/carillon",
		ReservedNames: []string{"admin", "administrator", "abuse", "help", "hostmaster", "info", "postmaster", "root", "security", "support", "webmaster"},
	}
	l := &cfg.Limits
	l.Grace, l.Ringing, l.CoolDown = duration(20*time.Second), duration(time.Minute), duration(time.Minute)
	l.RingingPerCallee, l.RingingPerIP, l.RingsPerGhost = 1, 2, 3
	l.DialsPerCallee, l.DialsPerIP = 4, 20
	l.CallsPerIP, l.Calls = 20, 2000
	l.TellsPerMinute, l.TextsPerMinute = 10, 60
	l.ProposesPerMinute, l.ProposesPerDomain, l.CredentialsPerIP = 30, 600, 240
	l.AttachesPerIP, l.Tabs, l.TabsPerGhost, l.ContactsPerGhost = 120, 20_000, 16, 200
	l.Sockets, l.SocketsPerIP, l.OpensPerIP = 10_000, 32, 300
	l.FramesPerSecond, l.FrameBurst, l.FrameBytes = 50, 300, 64<<10
	l.Shutdown = duration(3 * time.Second)
	r := &cfg.Rooms
	r.Members, r.Rooms, r.RoomsPerIP, r.JoinsPerIP = 6, 1000, 20, 60
	r.Name, r.Password, r.StatusFields, r.StatusBytes = 50, 128, 16, 4096
	return cfg
}

// A keyError is what is wrong with one key, where, and what to do.
type keyError struct{ source, key, problem, remedy string }

func (e *keyError) Error() string {
	return fmt.Sprintf("%s: %s: %s; %s", e.source, e.key, e.problem, e.remedy)
}

const envPrefix = "CARILLON_"

// sourceOf names where the configuration came from.
func sourceOf(file string) string {
	if file == "" {
		return "environment"
	}
	return file
}

// readConfig reads the file and lets the environment override it.  The environment is a list as os.Environ returns.  Without a file name the
// environment alone decides.
func readConfig(file string, environ []string) (fileConfig, error) {
	cfg := defaults()
	keys := keysOf(reflect.TypeOf(cfg), "")
	var errs []error
	if file != "" {
		meta, err := toml.DecodeFile(file, &cfg)
		var syntax toml.ParseError
		switch {
		case errors.As(err, &syntax):
			return cfg, syntaxError(file, syntax)
		case err != nil:
			if wrong := wrongShapes(file, cfg, keys); len(wrong) > 0 {
				return cfg, errors.Join(wrong...)
			}
			return cfg, fmt.Errorf("%s: %w", file, err)
		}
		for _, key := range meta.Undecoded() {
			errs = append(errs, unknownKey(file, key.String(), keys))
		}
	}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		key, ok := keyOfVariable(name, keys)
		if !ok {
			errs = append(errs, unknownKey("environment", name, variablesOf(keys)))
			continue
		}
		if err := setKey(&cfg, key, value); err != nil {
			errs = append(errs, &keyError{"environment", name, err.Error(), "give it as " + shapeOf(cfg, key)})
		}
	}
	errs = append(errs, cfg.check(sourceOf(file))...)
	return cfg, errors.Join(errs...)
}

// syntaxError says where a file is not TOML, and what is forgotten most.
func syntaxError(file string, err toml.ParseError) error {
	hint := ""
	if strings.HasPrefix(err.Message, "expected value but found") {
		hint = `; text stands in quotes, as in domain = "call.example.org"`
	}
	return fmt.Errorf("%s: line %d: %s%s", file, err.Position.Line, err.Message, hint)
}

// wrongShapes finds the keys of a file whose values are of another type than theirs.
func wrongShapes(file string, cfg fileConfig, keys []string) []error {
	var tree map[string]any
	if _, err := toml.DecodeFile(file, &tree); err != nil {
		return nil
	}
	var errs []error
	for _, key := range keys {
		value, ok := valueOf(tree, key)
		if ok && !hasShape(value, field(&cfg, key).Interface()) {
			errs = append(errs, &keyError{file, key, "not " + shapeOf(cfg, key), "give it as in " + key + " = " + exampleOf(cfg, key)})
		}
	}
	return errs
}

// valueOf finds the value of a key with dots.
func valueOf(tree map[string]any, key string) (any, bool) {
	first, rest, nested := strings.Cut(key, ".")
	value, ok := tree[first]
	if !nested || !ok {
		return value, ok
	}
	below, ok := value.(map[string]any)
	if !ok {
		return nil, false
	}
	return valueOf(below, rest)
}

// hasShape tells whether a value of TOML can be one of that type.
func hasShape(value, like any) bool {
	switch like.(type) {
	case bool:
		_, ok := value.(bool)
		return ok
	case int:
		_, ok := value.(int64)
		return ok
	case []string:
		list, ok := value.([]any)
		return ok && !slices.ContainsFunc(list, func(each any) bool { _, text := each.(string); return !text })
	}
	_, ok := value.(string)
	return ok
}

// keysOf lists the keys of a configuration, nested ones with dots.
func keysOf(t reflect.Type, prefix string) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("toml")
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[duration]() {
			keys = append(keys, keysOf(f.Type, key+".")...)
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

func variableOf(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func variablesOf(keys []string) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = variableOf(k)
	}
	return names
}

func keyOfVariable(name string, keys []string) (string, bool) {
	for _, k := range keys {
		if variableOf(k) == name {
			return k, true
		}
	}
	return "", false
}

// setKey sets a key from text: lists are separated by commas.
func setKey(cfg *fileConfig, key, value string) error {
	switch f := field(cfg, key).Addr().Interface().(type) {
	case *string:
		*f = value
	case *[]string:
		*f = nil
		for _, part := range strings.Split(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*f = append(*f, part)
			}
		}
	case *bool:
		switch value {
		case "true", "1", "yes":
			*f = true
		case "false", "0", "no", "":
			*f = false
		default:
			return fmt.Errorf("%q is neither true nor false", value)
		}
	case *int:
		n, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
		*f = n
	case *duration:
		return f.UnmarshalText([]byte(value))
	}
	return nil
}

func field(cfg *fileConfig, key string) reflect.Value {
	v := reflect.ValueOf(cfg).Elem()
next:
	for _, part := range strings.Split(key, ".") {
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("toml") == part {
				v = v.Field(i)
				continue next
			}
		}
	}
	return v
}

func shapeOf(cfg fileConfig, key string) string {
	switch field(&cfg, key).Interface().(type) {
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case duration:
		return "a time such as 20s or 2m"
	case []string:
		return "a list of texts"
	}
	return "text"
}

func exampleOf(cfg fileConfig, key string) string {
	switch field(&cfg, key).Interface().(type) {
	case bool:
		return "true"
	case int:
		return "20"
	case duration:
		return `"20s"`
	case []string:
		return `["one", "another"]`
	}
	return `"text"`
}

// unknownKey names the key that was probably meant.
func unknownKey(source, key string, known []string) error {
	best, distance := "", 4
	for _, k := range known {
		if d := editDistance(key, k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return &keyError{source, key, "unknown key", "did you mean " + best + "?"}
	}
	sort.Strings(known)
	return &keyError{source, key, "unknown key", "the keys are " + strings.Join(known, ", ")}
}

// editDistance is the Levenshtein distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// check finds what is wrong with the values, each with its remedy.
func (cfg *fileConfig) check(source string) []error {
	var errs []error
	bad := func(key, problem, remedy string) {
		errs = append(errs, &keyError{source, key, problem, remedy})
	}
	if cfg.Domain == "" {
		bad("domain", "missing", `give the component's domain as the XMPP server knows it, such as domain = "call.example.org"`)
	}
	if host, port, err := net.SplitHostPort(cfg.Server); err != nil || host == "" || checkPort(port) != nil || port == "0" {
		bad("server", fmt.Sprintf("%q is not a host and port", cfg.Server), `give host and component port of the XMPP server, such as "127.0.0.1:5347"`)
	} else if !loopback(host) && !cfg.InsecureServer {
		bad("server", "the component protocol is clear text, and "+host+" is not this machine",
			"reach it through a tunnel that ends here, or set insecure_server = true if the network between is yours")
	}
	if _, port, err := net.SplitHostPort(cfg.Listen); err != nil || checkPort(port) != nil {
		bad("listen", fmt.Sprintf("%q is not an address and port", cfg.Listen), `give an address and port for browsers, such as "127.0.0.1:8080"`)
	}
	if host, port, err := net.SplitHostPort(cfg.Metrics); cfg.Metrics != "" && (err != nil || !loopback(host) || checkPort(port) != nil) {
		bad("metrics", fmt.Sprintf("%q is not an address of this machine with a port", cfg.Metrics),
			`give one that strangers cannot reach, such as "127.0.0.1:9470", or leave it out for no metrics`)
	}
	if u, err := url.Parse(cfg.PublicURL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		bad("public_url", "not an address of the web", `give the address under which browsers find the page, such as "https://call.example.org"`)
	} else if u.Scheme == "http" && !loopback(u.Hostname()) {
		bad("public_url", "browsers give no camera or microphone to pages without https", "put a web server with a certificate in front and give its https address")
	}
	for _, p := range cfg.TrustedProxies {
		if _, err := parsePrefix(p); err != nil {
			bad("trusted_proxies", err.Error(), `give IP addresses or networks, such as "127.0.0.1" or "10.0.0.0/8"`)
		}
	}
	if len(cfg.TURN.URLs) > 0 && cfg.TURN.Secret == "" && cfg.TURN.SecretFile == "" {
		bad("turn.secret", "missing", "give the static-auth-secret of the TURN server, or its file as turn.secret_file")
	}
	if cfg.TURN.RelayOnly && len(cfg.TURN.URLs) == 0 {
		bad("turn.relay_only", "there is no relay", "give the TURN server in turn.urls, or leave it out")
	}
	return append(errs, cfg.checkValues(source)...)
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no IP address or network", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// readSecret returns a secret given as it is or by its file.  An empty file is an error: no secret must never come to stand for one.
func readSecret(source, key, value, file string) (string, error) {
	switch {
	case value != "" && file != "":
		return "", &keyError{source, key, "given twice", "keep either " + key + " or " + key + "_file"}
	case file == "":
		return value, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", &keyError{source, key + "_file", err.Error(), "give a file that this user can read"}
	}
	secret := strings.TrimSpace(string(b))
	if secret == "" {
		return "", &keyError{source, key + "_file", file + " is empty", "write the secret into it"}
	}
	return secret, nil
}
