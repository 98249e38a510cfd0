package gateway

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the run when a goroutine outlives the tests.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leaked(); left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// leaked returns the stacks of what is still there after all had time to end.
func leaked() string {
	deadline := time.Now().Add(5 * time.Second)
	for {
		if runtime.NumGoroutine() <= 1 {
			return ""
		}
		buf := make([]byte, 1<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		// The fuzzing worker and its signal handling live as long as the process.
		if !strings.Contains(stacks, "gateway") && !strings.Contains(stacks, "websocket") && !strings.Contains(stacks, "net/http") {
			return ""
		}
		if onlyMain(stacks) {
			return ""
		}
		if time.Now().After(deadline) {
			return stacks
		}
		runtime.Gosched()
	}
}

// onlyMain says whether nothing but this check itself runs our code.
func onlyMain(stacks string) bool {
	for i, stack := range strings.Split(stacks, "\n\n") {
		if i == 0 {
			continue // the goroutine of TestMain
		}
		if strings.Contains(stack, "carillon/") || strings.Contains(stack, "websocket") || strings.Contains(stack, "net/http") {
			return false
		}
	}
	return true
}
