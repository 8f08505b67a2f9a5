package types

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestHostileNumbers holds that long numbers are refused or shown as bytes instead of keeping a processor busy
// (reliability.md 4, item 60).
func TestHostileNumbers(t *testing.T) {
	long := append([]byte{0, 0, 0, 2}, bytes.Repeat([]byte{0x7f}, 1<<20)...)
	longer := append([]byte{0xff, 0xfe, 0, 0}, bytes.Repeat([]byte{0x7f}, 1<<20-54000)...)
	digits := strings.Repeat("9", 1<<20)
	start := time.Now()
	for _, typ := range []*Type{TVarint, TDecimal} {
		if _, err := typ.FromString(digits); err == nil {
			t.Errorf("%s of a million digits is read", typ)
		}
		if _, err := typ.FromJSON(digits); err == nil {
			t.Errorf("%s of a million digits is read from JSON", typ)
		}
		if got := typ.AppendText(nil, long); !bytes.HasPrefix(got, []byte("0x")) {
			t.Errorf("%s of a MiB prints as %.20s", typ, got)
		}
		if got := typ.AppendJSON(nil, long); !bytes.HasPrefix(got, []byte(`"0x`)) {
			t.Errorf("%s of a MiB prints as %.20s in JSON", typ, got)
		}
		if typ.Compare(long, longer) != -typ.Compare(longer, long) {
			t.Errorf("%s: the order of long numbers is not one", typ)
		}
	}
	if d := time.Since(start); d > 500*time.Millisecond {
		t.Errorf("long numbers take %v", d)
	}
}

// TestNestedJSON holds that deep nesting is refused and not followed.
func TestNestedJSON(t *testing.T) {
	_, err := DecodeJSON(strings.Repeat("[", 100000))
	if err == nil || !strings.HasPrefix(err.Error(), "Document nesting depth (1001) exceeds the maximum allowed (1000") {
		t.Errorf("error is %v", err)
	}
}
