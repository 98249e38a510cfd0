// Command sample is a client of the protocol of PROTOCOL.md in one file, to learn from.  It attaches with a fresh key, prints its
// address and then every event, one a line.  With -dial it calls an address with an SDP offer from a file, and ends with the call.
//
// The server admits it only if its -origin is among the server's, or, without one, if "none" is.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"carillon/component/gateway"
)

type client struct {
	url, origin, name string
	dial, sdp         string // whom to call, and the offer
	out               io.Writer
	ws                *websocket.Conn
}

// object is a frame on its way to the server.
type object map[string]any

// event is what this client wants to know of any frame from the server.
type event struct {
	Event, Nonce, Domain, Address, Call, Text, Code, Description string
	PingInterval                                                 int `json:"ping_interval"`
}

func main() {
	c := client{out: os.Stdout}
	file := flag.String("sdp", "", "`file` with the SDP offer for the call, with its candidates")
	flag.StringVar(&c.url, "url", "ws://localhost:8080/", "WebSocket `URL` of the server")
	flag.StringVar(&c.origin, "origin", "", "Origin to send; none if empty")
	flag.StringVar(&c.name, "name", "sample", "name to go by")
	flag.StringVar(&c.dial, "dial", "", "`address` to call")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	offer, err := os.ReadFile(*file)
	if c.sdp = string(offer); c.dial == "" || err == nil {
		err = c.run(ctx)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
}

// run returns when its call has ended, the server closes or ctx ends.
func (c *client) run(ctx context.Context) (err error) {
	header := http.Header{}
	if c.origin != "" {
		header.Set("Origin", c.origin)
	}
	c.ws, _, err = websocket.Dial(ctx, c.url, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		return err
	}
	defer c.ws.Close(websocket.StatusNormalClosure, "") // goodbye
	c.ws.SetReadLimit(1 << 20)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for done := false; !done; {
		_, frame, err := c.ws.Read(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s\n", frame)
		if done, err = c.handle(ctx, frame); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) handle(ctx context.Context, frame []byte) (done bool, err error) {
	var e event
	json.Unmarshal(frame, &e)
	switch e.Event {
	case "hello":
		go c.ping(ctx, time.Duration(e.PingInterval)*time.Second)
		return false, c.attach(ctx, e)
	case "attached":
		fmt.Fprintln(c.out, "address:", e.Address)
		if c.dial != "" {
			return false, wsjson.Write(ctx, c.ws, object{"event": "dial", "id": 2, "to": c.dial})
		}
	case "admitted":
		return false, wsjson.Write(ctx, c.ws, object{"event": "offer", "call": e.Call, "sdp": object{"type": "offer", "sdp": c.sdp}})
	case "ended":
		fmt.Fprintln(c.out, e.Text)
		return c.dial != "", nil
	case "error":
		return false, errors.New(e.Code + ": " + e.Description)
	}
	return false, nil
}

// attach proves that we hold the key, to this server, from this origin, on this connection.
func (c *client) attach(ctx context.Context, hello event) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // keep it to keep the address
	if err != nil {
		return err
	}
	point, _ := key.PublicKey.Bytes() // cannot fail for a key just made
	sum := sha256.Sum256(gateway.SigningInput(hello.Domain, c.origin, hello.Nonce, c.name))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return err
	}
	signature := make([]byte, 64) // r and s side by side, as WebCrypto writes them
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return wsjson.Write(ctx, c.ws, object{
		"event": "attach", "id": 1, "name": c.name, "instance": rand.Text(),
		"key": base64.RawURLEncoding.EncodeToString(point), "signature": base64.RawURLEncoding.EncodeToString(signature),
	})
}

// ping keeps proxies from cutting an idle connection.
func (c *client) ping(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(max(interval, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			wsjson.Write(ctx, c.ws, object{"event": "ping"})
		}
	}
}
