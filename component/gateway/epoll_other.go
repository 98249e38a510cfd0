//go:build !linux

package gateway

import (
	"errors"
	"net"
)

// poller and polled are known on Linux only.
type (
	poller struct{}
	polled struct{ link }
)

func newPoller(*Server) (*poller, error) { return nil, errors.ErrUnsupported }

func (*poller) adopt(*socket, net.Conn) *polled { return nil }
func (*poller) close()                          {}
