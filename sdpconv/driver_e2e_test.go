//go:build e2e

package sdpconv

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// driver is a real browser, one request at a time (testdata/browser/driver.mjs).
type driver struct {
	t    *testing.T
	kind string // chromium, firefox
	in   io.WriteCloser
	out  *bufio.Scanner
	n    int
}

func startDriver(t *testing.T, kind string) *driver {
	t.Helper()
	cmd := exec.Command("node", filepath.Join("..", "testdata", "browser", "driver.mjs"))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		defer timer.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("driver: %v", err)
		}
	})
	d := &driver{t: t, kind: kind, in: in, out: bufio.NewScanner(out)}
	d.out.Buffer(nil, 4<<20)
	d.do(map[string]any{
		"op": "launch", "browser": kind,
		// Literal host addresses, as pages with a camera have them: names are not Sendable.
		"args": map[string][]string{"chromium": {"--disable-features=WebRtcHideLocalIpsWithMdns"}}[kind],
		"preferences": map[string]any{
			"media.peerconnection.ice.obfuscate_host_addresses": false, "media.peerconnection.ice.default_address_only": false,
		},
	}, nil)
	return d
}

func (d *driver) do(request map[string]any, result any) {
	d.t.Helper()
	d.n++
	request["id"] = d.n
	b, err := json.Marshal(request)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.in.Write(append(b, '\n')); err != nil {
		d.t.Fatal(err)
	}
	for d.out.Scan() {
		var reply struct {
			ID     int
			Error  string
			Result json.RawMessage
		}
		if err := json.Unmarshal(d.out.Bytes(), &reply); err != nil {
			d.t.Fatal(err)
		}
		switch {
		case reply.ID != d.n: // an event
		case reply.Error != "":
			d.t.Fatalf("%s: %s", request["op"], reply.Error)
		default:
			if result != nil {
				if err := json.Unmarshal(reply.Result, result); err != nil {
					d.t.Fatal(err)
				}
			}
			return
		}
	}
	d.t.Fatalf("the driver ended: %v", d.out.Err())
}
