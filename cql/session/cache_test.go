package session

import (
	"fmt"
	"sync"
	"testing"
)

// TestCacheForgetsOldest holds the bound in bytes, the order of forgetting, and that the newest always stays.
func TestCacheForgetsOldest(t *testing.T) {
	c := newCache[string](3 * (entryBytes + 10))
	for i := range 5 {
		c.put(fmt.Sprint(i), &statement{text: fmt.Sprint(i)}, 10)
	}
	sts, evicted := c.all()
	if len(sts) != 3 || evicted != 2 || c.get("0") != nil || c.get("1") != nil || c.get("4") == nil {
		t.Errorf("%d left, %d forgotten", len(sts), evicted)
	}
	c.put("huge", &statement{}, 1<<20)
	if c.get("huge") == nil || c.get("4") != nil {
		t.Error("the newest must stay, alone")
	}
	c.remove("huge")
	if c.bytes != 0 || len(c.entries) != 0 {
		t.Errorf("%d bytes in %d entries", c.bytes, len(c.entries))
	}
}

// TestCacheUse holds that what is used often enough outlives what is not.
func TestCacheUse(t *testing.T) {
	c := newCache[int](2 * entryBytes)
	c.put(1, &statement{}, 0)
	c.put(2, &statement{}, 0)
	for range touchEvery {
		c.used(1)
	}
	c.put(3, &statement{}, 0)
	if c.get(1) == nil || c.get(2) != nil {
		t.Error("the used one was forgotten")
	}
}

func TestCacheConcurrent(t *testing.T) {
	c := newCache[int](10 * entryBytes)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				k := (i*7 + g) % 30
				if c.get(k) == nil {
					c.put(k, &statement{}, i%50)
				}
				c.used(k)
				if i%100 == 0 {
					c.retain(func(*statement) bool { return i%200 == 0 })
				}
			}
		})
	}
	wg.Wait()
	if c.bytes > c.maxBytes {
		t.Errorf("%d bytes", c.bytes)
	}
}
