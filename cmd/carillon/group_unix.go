//go:build unix

package main

import "syscall"

// ownGroup keeps the terminal's Ctrl-C from reaching a child, which is ended in its turn.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
