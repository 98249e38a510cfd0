//go:build e2e

package main

import (
	"net"
	"sync"
)

// A cuttable listener loses its connections when the test wants, and takes none until it is mended: the network between pages and Carillon.
type cuttable struct {
	net.Listener
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func newCuttable(l net.Listener) *cuttable { return &cuttable{Listener: l, conns: map[net.Conn]bool{}} }

// Accept implements net.Listener.
func (c *cuttable) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		if c.cut {
			c.mu.Unlock()
			conn.Close()
			continue
		}
		tracked := &cuttableConn{conn, c}
		c.conns[tracked] = true
		c.mu.Unlock()
		return tracked, nil
	}
}

// Cut breaks every connection, and those that come.
func (c *cuttable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for conn := range c.conns {
		conn.(*cuttableConn).Conn.Close()
	}
}

// open counts the connections that are there.
func (c *cuttable) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

// Mend lets connections in again.
func (c *cuttable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
}

type cuttableConn struct {
	net.Conn
	from *cuttable
}

// Close implements net.Conn.
func (c *cuttableConn) Close() error {
	c.from.mu.Lock()
	delete(c.from.conns, c)
	c.from.mu.Unlock()
	return c.Conn.Close()
}
