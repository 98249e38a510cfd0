package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// leastHeap is the size in bytes that the heap of a serving process may reach before it is collected, however little of it is in use.  By
// itself Go collects from 4 MiB on: a gateway with few calls then spends more on each collection, which costs about the same whatever there
// was to free, than on what it allocated.  V8, for comparison, gathers 16 MiB.  It costs at most 12 MiB of memory per process, and nothing
// once 8 MiB are in use, as they are with some hundred pages connected: from there on the heap doubles, as Go's always does.
const leastHeap = 16 << 20

// relaxCollector lets the heap grow to leastHeap from now on, unless the environment says in GOGC how much it may.
func relaxCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	percent := heapPercent(heapInUse())
	debug.SetGCPercent(percent)
	afterCollections(func() {
		if p := heapPercent(heapInUse()); p != percent { // it stops all goroutines for a moment
			percent = p
			debug.SetGCPercent(p)
		}
	})
}

// heapPercent returns by how much of itself, in percent, the heap may grow that has so much in use: in steps of 25, so as to change seldom.
func heapPercent(inUse uint64) int {
	const usual, most = 100, 400 // at 400, Go's own least heap is leastHeap
	inUse = max(inUse, 1)
	if inUse >= leastHeap/2 {
		return usual
	}
	return int(min((leastHeap-inUse)*100/inUse/25*25, most))
}

// heapInUse returns how many bytes the last collection found in use.
func heapInUse() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// afterCollections has a function called after each collection, on the goroutine of finalizers.
func afterCollections(call func()) {
	type sentinel struct{ self *sentinel } // with a pointer: small objects without one are not freed alone
	var again func(*sentinel)
	again = func(s *sentinel) {
		call()
		runtime.SetFinalizer(s, again)
	}
	runtime.SetFinalizer(new(sentinel), again)
}
