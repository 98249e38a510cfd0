//go:build e2e

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bareRelay in the environment makes this test program a relay that knows nothing of what it relays: one loop that reads from one
// connection and writes to the other.  What it costs, no server of WebSockets can save.
const bareRelay = "BARE_RELAY"

const bareNumber = 8 // digits that a client begins with; the relay answers by as many

func startBareRelay(t testing.TB) *daemon {
	t.Helper()
	d := &daemon{t: t}
	d.cmd = exec.Command(os.Args[0])
	d.cmd.Env = append(os.Environ(), bareRelay+"=1")
	logs, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.start(logs, regexp.MustCompile(`relaying on 127.0.0.1:(\d+)`))
	return d
}

// bareContender relays between the numbers that differ in their last bit.
func bareContender(d *daemon) *contender {
	c := &contender{daemon: d, name: "bare relay"}
	c.dial = func(number int) (*benchSocket, error) {
		conn, err := net.DialTimeout("tcp", d.addr, 20*time.Second)
		if err != nil {
			return nil, err
		}
		s := newBenchSocket(conn)
		s.unmasked = true
		echo := make([]byte, bareNumber)
		if _, err = fmt.Fprintf(conn, "%0*d", bareNumber, number); err == nil {
			_, err = io.ReadFull(s.in, echo)
		}
		return s, err
	}
	c.wrap = carillonMessage
	return c
}

// serveBare relays until its standard input ends.
func serveBare() int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	accepted := make(chan net.Conn, 1000)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	go bareLoop(ep, accepted)
	fmt.Println("relaying on", listener.Addr())
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// bareLoop takes connections while there are any, and relays.
func bareLoop(ep int, accepted <-chan net.Conn) {
	runtime.LockOSThread()
	byNumber, partner := map[int]int{}, map[int]int{}
	events, buffer := make([]unix.EpollEvent, 128), make([]byte, 64<<10)
	for {
		for len(accepted) > 0 {
			conn := <-accepted
			number, fd := bareAccept(conn)
			byNumber[number] = fd
			if other, ok := byNumber[number^1]; ok {
				partner[fd], partner[other] = other, fd
			}
			unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
			fmt.Fprintf(conn, "%0*d", bareNumber, number)
			conn.Close() // the copy stays
		}
		const lookForNew = 50 // milliseconds
		n, _ := unix.EpollWait(ep, events, lookForNew)
		for _, e := range events[:max(n, 0)] {
			fd := int(e.Fd)
			size, err := unix.Read(fd, buffer)
			if err != nil || size == 0 {
				unix.Close(fd)
				continue
			}
			if n, err := unix.Write(partner[fd], buffer[:size]); n != size {
				fmt.Fprintln(os.Stderr, "not relayed:", err)
			}
		}
	}
}

// bareAccept reads the number of a connection and copies its file descriptor out of Go's poller.
func bareAccept(conn net.Conn) (number, fd int) {
	text := make([]byte, bareNumber)
	io.ReadFull(conn, text)
	number, _ = strconv.Atoi(string(text))
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err == nil {
		raw.Control(func(of uintptr) { fd, _ = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) })
	}
	return number, fd
}
