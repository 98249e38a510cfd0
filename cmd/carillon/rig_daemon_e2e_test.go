//go:build e2e

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/component/xmppserver"
)

// inspected in the environment makes this test program a Carillon that tells about itself.  It must not begin as the variables of the
// configuration do.
const inspected = "INSPECTED_CARILLON"

func TestMain(m *testing.M) {
	if os.Getenv(inspected) != "" {
		os.Exit(serveInspected(os.Args[1:]))
	}
	if os.Getenv(bareRelay) != "" {
		os.Exit(serveBare())
	}
	os.Exit(m.Run())
}

// memoryUse is what an inspected Carillon holds after a garbage collection.
type memoryUse struct {
	Goroutines int
	Heap       uint64 // bytes
}

// serveInspected is `carillon serve` with an ear on standard input: "memory", "cpu FILE", "stop" (which ends the profile) and
// "heap FILE" are each answered by a line.  It ends with the input.
func serveInspected(args []string) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			inspect(lines.Text())
		}
	}()
	if err := run(ctx, append([]string{"serve"}, args...), io.Discard, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func inspect(command string) {
	verb, file, _ := strings.Cut(command, " ")
	var use memoryUse
	switch verb {
	case "memory":
		runtime.GC()
		runtime.GC() // the pools are emptied by the second
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		use = memoryUse{runtime.NumGoroutine(), stats.HeapAlloc}
	case "stop":
		pprof.StopCPUProfile()
	case "cpu", "heap":
		f, err := os.Create(file)
		if err == nil && verb == "cpu" {
			err = pprof.StartCPUProfile(f)
		} else if err == nil {
			runtime.GC()
			err = pprof.WriteHeapProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	json.NewEncoder(os.Stdout).Encode(use)
}

// A daemon is a server in a process of its own, with a port that the system gave it.
type daemon struct {
	t      testing.TB
	cmd    *exec.Cmd
	addr   string // host:port for clients
	origin string // what its clients send as Origin
	stdin  io.WriteCloser
	output *bufio.Reader // of an inspected Carillon: its answers
	log    rigBuffer
	read   chan struct{} // closed once the log has ended
}

// startDaemon runs `carillon serve` on a real XMPP server: the program, or this test program if that is empty.  The lines are added
// to the configuration.
func startDaemon(t testing.TB, program string, lines ...string) *daemon {
	t.Helper()
	server, err := xmppserver.StartProsody(t.Context(), xmppserver.Options{Domain: testDomain, Component: testComponent, Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	d := &daemon{t: t, origin: "http://localhost"}
	file := filepath.Join(t.TempDir(), "carillon.toml")
	text := fmt.Sprintf("domain = %q\nserver = %q\nsecret = %q\npublic_url = %q\nlisten = \"127.0.0.1:0\"\nstate_dir = %q\n"+
		"trusted_proxies = [\"127.0.0.1\"]\n%s\n", // each client comes from an address of its own
		testComponent, server.ComponentAddr, testSecret, d.origin, t.TempDir(), strings.Join(lines, "\n"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, envPrefix) })
	if program == "" {
		d.cmd = exec.Command(os.Args[0], "-config", file)
		environ = append(environ, inspected+"=1")
	} else {
		d.cmd = exec.Command(program, "serve", "-config", file)
	}
	d.cmd.Env = environ
	output, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	logs, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.output = bufio.NewReader(output)
	d.start(logs, regexp.MustCompile(`msg=listening address=127.0.0.1:(\d+)`))
	d.waitReady()
	return d
}

// waitReady waits until Carillon is connected to its XMPP server.
func (d *daemon) waitReady() {
	d.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-again.C {
		reply, err := client.Get("http://" + d.addr + "/readyz")
		if err == nil {
			reply.Body.Close()
		}
		switch {
		case err == nil && reply.StatusCode == http.StatusOK:
			return
		case time.Now().After(deadline):
			d.t.Fatalf("carillon is not ready: %v\n%s", err, d.log.String())
		}
	}
}

// startPeerServer runs npm's peer, the server of PeerJS, for as many clients.
func startPeerServer(t testing.TB, clients int) *daemon {
	t.Helper()
	d := &daemon{t: t, origin: "http://localhost"}
	d.cmd = exec.Command("node", filepath.Join(browserFiles, "node_modules/peer/dist/bin/peerjs.js"),
		"--host", "127.0.0.1", "--concurrent_limit", strconv.Itoa(clients), "--alive_timeout", "3600000")
	d.cmd.Env = append(os.Environ(), "PORT=0")
	logs, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.start(logs, regexp.MustCompile(`Started PeerServer on 127.0.0.1, port: (\d+)`))
	return d
}

// start starts the command and waits for the line of its log that tells the port.
func (d *daemon) start(logs io.Reader, listening *regexp.Regexp) {
	d.t.Helper()
	var err error
	if d.stdin, err = d.cmd.StdinPipe(); err != nil {
		d.t.Fatal(err)
	}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // these tests are for Linux anyway
	if err := d.cmd.Start(); err != nil {
		d.t.Fatalf("%v (testdata/install all)", err)
	}
	d.t.Cleanup(d.stop)
	port := make(chan string, 1)
	d.read = make(chan struct{})
	go func() {
		defer close(d.read)
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			line := lines.Text()
			if strings.HasPrefix(line, "Client ") { // thousands, of peer
				continue
			}
			fmt.Fprintln(&d.log, line)
			if found := listening.FindStringSubmatch(line); found != nil {
				select {
				case port <- found[1]:
				default:
				}
			}
		}
	}()
	select {
	case p := <-port:
		d.addr = "127.0.0.1:" + p
	case <-d.read:
		d.t.Fatalf("%s ended:\n%s", d.cmd.Path, d.log.String())
	case <-time.After(30 * time.Second):
		d.t.Fatalf("%s does not listen:\n%s", d.cmd.Path, d.log.String())
	}
}

// stop ends the process.  It may be called again.
func (d *daemon) stop() {
	if d.cmd.ProcessState != nil {
		return
	}
	d.stdin.Close()
	d.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(10*time.Second, func() { d.cmd.Process.Kill() })
	defer kill.Stop()
	<-d.read
	d.cmd.Wait()
	if text := d.log.String(); d.t.Failed() || strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic") {
		d.t.Errorf("log of %s:\n%s", d.cmd.Path, text[max(0, len(text)-6000):])
	}
}

// ask has an inspected Carillon carry out a command.
func (d *daemon) ask(command string) (use memoryUse) {
	d.t.Helper()
	if _, err := fmt.Fprintln(d.stdin, command); err != nil {
		d.t.Fatal(err)
	}
	line, err := d.output.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &use)
	}
	if err != nil {
		d.t.Fatalf("%s: %v", command, err)
	}
	return use
}

// rss is the resident memory of the process in bytes.
func (d *daemon) rss() int {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^Rss:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		d.t.Fatalf("no Rss in %s", text)
	}
	kB, _ := strconv.Atoi(string(found[1]))
	return kB << 10
}

// cpu is the processor time the process has taken, and how much of it in the kernel, to a hundredth of a second (proc(5): clock ticks,
// which are that on Linux).
func (d *daemon) cpu() (all, kernel time.Duration) {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond
	return time.Duration(user+system) * tick, time.Duration(system) * tick
}
