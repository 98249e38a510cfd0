package main

import (
	"runtime"
	"testing"
)

func TestHeapPercent(t *testing.T) {
	for _, c := range []struct {
		inUse uint64
		want  int
	}{{0, 400}, {1 << 20, 400}, {3 << 20, 400}, {4 << 20, 300}, {6 << 20, 150}, {8 << 20, 100}, {1 << 30, 100}} {
		got := heapPercent(c.inUse)
		if got != c.want {
			t.Errorf("%d bytes in use: %d %%, want %d", c.inUse, got, c.want)
		}
		if grown := c.inUse + c.inUse*uint64(got)/100; grown > max(leastHeap, 2*c.inUse) {
			t.Errorf("%d bytes in use: the heap grows to %d", c.inUse, grown)
		}
	}
}

func TestAfterCollections(t *testing.T) {
	calls := make(chan struct{}, 16)
	afterCollections(func() {
		select {
		case calls <- struct{}{}:
		default:
		}
	})
	for range 3 {
		runtime.GC()
		<-calls
	}
}
