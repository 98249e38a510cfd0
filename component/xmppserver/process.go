package xmppserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// errBind says that another program took a port between our look and the server's bind.
var errBind = errors.New("a port is taken")

const tailSize = 4096

// process is one child whose output goes to a file, an optional writer and a search for lines.
type process struct {
	pid    int
	cmd    *exec.Cmd
	log    *logWriter
	exited chan struct{} // closed once the child is gone and waited for
	err    error         // of Wait; read it after exited
}

func startProcess(l launch, logFile string, also io.Writer) (*process, error) {
	file, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{log: &logWriter{file: file, also: also, grown: make(chan struct{})}, exited: make(chan struct{})}
	p.cmd = exec.Command(l.program, l.args...)
	p.cmd.Dir = l.dir
	p.cmd.Env = append(os.Environ(), l.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = childAttributes()
	p.cmd.WaitDelay = time.Second
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		file.Close()
		return nil, err
	}
	p.pid = p.cmd.Process.Pid
	return p, nil
}

// run starts the child and waits for it on one thread: the kernel sends the parent-death signal when the thread that
// forked ends, not when the process does.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	p.log.file.Close()
	close(p.exited)
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// end sends SIGTERM and, after grace, SIGKILL; with no grace SIGKILL at once. It returns when the child is gone.
func (p *process) end(grace time.Duration) {
	if grace > 0 {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.exited:
			return
		case <-timer.C:
		}
	}
	_ = p.cmd.Process.Kill() // fails only when it is gone already
	<-p.exited
}

// waitLog returns when the log holds text, or with an error when it holds bad, the child ends or the context does.
func (p *process) waitLog(ctx context.Context, text, bad string) error {
	for {
		grown, good, failed := p.log.look(text, bad)
		switch {
		case failed:
			return errBind
		case good:
			return nil
		}
		select {
		case <-grown:
		case <-p.exited:
			return fmt.Errorf("it ended (%v)", p.err)
		case <-ctx.Done():
			return fmt.Errorf("%q is not in its log: %w", text, ctx.Err())
		}
	}
}

func (p *process) tail() string {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	all := p.log.all
	if len(all) > tailSize {
		all = all[len(all)-tailSize:]
	}
	return indent(string(all), "  | ")
}

// logWriter keeps what the child wrote while it started, and its end later on.
type logWriter struct {
	file *os.File
	also io.Writer

	mu    sync.Mutex
	all   []byte
	grown chan struct{} // closed and replaced at every write
}

const logKept = 1 << 20

func (w *logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.all = append(w.all, b...)
	if len(w.all) > logKept {
		w.all = append([]byte(nil), w.all[len(w.all)-tailSize:]...)
	}
	close(w.grown)
	w.grown = make(chan struct{})
	w.mu.Unlock()
	if w.also != nil {
		_, _ = w.also.Write(b) // a reader that has gone must not end the server
	}
	return w.file.Write(b)
}

func (w *logWriter) look(text, bad string) (grown <-chan struct{}, good, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.grown, bytes.Contains(w.all, []byte(text)), bytes.Contains(w.all, []byte(bad))
}
