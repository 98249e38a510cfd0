package xmppserver

import "syscall"

// childAttributes make the kernel kill the child when we are killed, so that nothing survives.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
