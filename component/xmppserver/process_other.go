//go:build !linux

package xmppserver

import "syscall"

func childAttributes() *syscall.SysProcAttr { return nil }
