//go:build !unix

package main

import "syscall"

// ownGroup leaves children as they are where there are no process groups.
func ownGroup() *syscall.SysProcAttr { return nil }
