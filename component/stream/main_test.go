package stream

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the run when a goroutine of this package is left over.
func TestMain(m *testing.M) {
	code := m.Run()
	left := ours()
	for deadline := time.Now().Add(5 * time.Second); left != "" && time.Now().Before(deadline); left = ours() {
		runtime.Gosched()
	}
	if left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "goroutines left over:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

// ours returns the stacks of all goroutines but the current one that run code of this package.
func ours() string {
	stacks := make([]byte, 1<<20)
	all := strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n")
	var left []string
	for _, s := range all[1:] {
		if strings.Contains(s, "carillon/component/stream.") {
			left = append(left, s)
		}
	}
	return strings.Join(left, "\n\n")
}
