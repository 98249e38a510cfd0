package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"carillon/component"
)

const serveUsage = `usage: carillon serve -config FILE [-v]
       carillon serve -config FILE -check-config

Connects browsers to the XMPP server that FILE names, until SIGINT or SIGTERM.  Each key of FILE (TOML) may also stand in the
environment, which goes first: guests.may_call as CARILLON_GUESTS_MAY_CALL.  README.md lists the keys.

`

// garbagePercent is how much garbage, in percent of what is in use, a serving process gathers before it collects, unless GOGC says.  Go's own 100
// collects a gateway of few calls every 4 MiB, which takes a tenth of the time of translating; this costs at most half as much memory again, or 4 MiB.
const garbagePercent = 200

// gatherGarbage sets it.
func gatherGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}

// serve runs the gateway until ctx ends.
func serve(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	file := flags.String("config", "", "`FILE` with the configuration; without it the environment alone decides")
	check := flags.Bool("check-config", false, "say what is wrong with the configuration, and end")
	verbose := flags.Bool("v", false, "log every input of a call")
	if err := parse(flags, serveUsage, args, stderr); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "carillon serve: %q is not understood; the configuration is given as -config FILE\n", flags.Args())
		return errUsage
	}
	cfg, err := readConfig(*file, os.Environ())
	if err != nil && *file == "" {
		return fmt.Errorf("%w\nno -config FILE was given, so that the environment alone decides", err)
	}
	if err != nil {
		return err
	}
	settings, err := cfg.settings(sourceOf(*file))
	if err != nil {
		return err
	}
	if *check {
		for _, doubt := range doubts(settings) {
			fmt.Fprintln(stderr, "warning:", doubt)
		}
		_, err := fmt.Fprintln(stdout, "the configuration is good")
		return err
	}
	gatherGarbage()
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	settings.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("%w; give another address in the key listen", err)
	}
	defer l.Close()
	c, err := component.New(settings)
	if err != nil {
		return &keyError{sourceOf(*file), "state_dir", err.Error(), "give a directory that this user can write"}
	}
	if cfg.Metrics != "" {
		stop, err := serveMetrics(cfg.Metrics, c, settings.Log)
		if err != nil {
			return fmt.Errorf("%w; give another address in the key metrics", err)
		}
		defer stop()
	}
	settings.Log.Info("listening", "address", l.Addr().String(), "public_url", settings.PublicURL, "domain", settings.Domain.String())
	for _, doubt := range doubts(settings) {
		settings.Log.Warn(doubt)
	}
	err = serveComponent(ctx, c, l, settings.Log)
	if err == nil {
		settings.Log.Info("ended")
	}
	return err
}

// doubts are what is allowed in a configuration and yet seldom meant.
func doubts(settings component.Config) []string {
	var found []string
	if len(settings.MayCall) == 0 {
		found = append(found, "guests may call nobody: guests.may_call is empty")
	}
	if len(settings.TrustedProxies) == 0 && strings.HasPrefix(settings.PublicURL, "https:") {
		found = append(found, "all visitors count as one: trusted_proxies does not name the web server that has the certificate")
	}
	return found
}

// serveMetrics serves /metrics on an address of its own until stop is called.
func serveMetrics(address string, c *component.Component, log *slog.Logger) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", c.Metrics())
	web := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		web.Serve(l)
	}()
	log.Info("metrics", "address", l.Addr().String())
	return func() {
		web.Close()
		<-done
	}, nil
}

// serveComponent runs a component, and its HTTP server on l, until ctx ends.
func serveComponent(ctx context.Context, c *component.Component, l net.Listener, log *slog.Logger) error {
	web := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Second, // WebSockets are not bound by these
		WriteTimeout:      time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		failed <- web.Serve(l)
		cancel()
	}()
	err := c.Run(ctx)
	web.Close()
	if e := <-failed; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
