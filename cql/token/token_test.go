package token

import (
	"encoding/hex"
	"math"
	"testing"
)

// TestMurmur3Vectors pins tokens that a Cassandra ring gave (protocol.md 5), among them the keys whose tail bytes are
// 0x80 and above, which other ports of the hash get wrong.
func TestMurmur3Vectors(t *testing.T) {
	for _, v := range []struct {
		key  string
		want int64
	}{
		{"", math.MinInt64},
		{"00", 5048724184180415669},
		{"7f", 5072634478945617755},
		{"80", -5284281814142962636},
		{"ff", -4442228696663692417},
		{"00000001", -4069959284402364209},
		{"ffffffff", 7297452126230313552},
		{"80000000", -420533958509279465},
		{"0000000000000001", 6292367497774912474},
		{"ffffffffffffffff", 7071048584287372947},
		{"0000000000000080", 78142285821850151},
		{"0000000000008000", -5458372904433781419},
		{"6b6579", -6847573755651342660},
		{"c3a9", 5461403030378599040},
		{"e697a5e69cac", -7507319893842418264},
		{"68656c6c6f20776f726c64", 5998619086395760910},
		{"000102030405060708090a0b0c0d0e", 5125964547706398185},
		{"000102030405060708090a0b0c0d0e0f", 4920504430128807728},
		{"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", -9084739235461062116},
		{"000102030405060708090a0b0c0d0e0f80", -3508686450516251035},
		{"808182838485868788898a8b8c8d8e", 63099782945186636},
		{"550e8400e29b41d4a716446655440000", 4277286421682315655},
		{"0004000000010000046b65793100", -2227563557666052793},
		{"000400000001000002c3a900", -2417613752336855222},
		{"653cbefb85ec3111b4e38fa9bc7cbcae", math.MaxInt64},
		{"0580ac3a93bc2d3800238bdf71626cd2", math.MaxInt64},
	} {
		key, err := hex.DecodeString(v.key)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Murmur3{}).Token(key).Int64(); got != v.want {
			t.Errorf("token of %q is %d, want %d", v.key, got, v.want)
		}
	}
}

// TestRoundTrip holds that text and wire forms of every partitioner read back as the same token, and that order survives.
func TestRoundTrip(t *testing.T) {
	for _, class := range []string{"Murmur3Partitioner", "org.apache.cassandra.dht.RandomPartitioner", "ByteOrderedPartitioner"} {
		p, err := ByClass(class)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b", "\x80\xff", "a longer key than sixteen bytes"} {
			tok := p.Token([]byte(key))
			if got, err := p.Parse(p.Format(tok)); err != nil || got != tok {
				t.Errorf("%s: Parse(Format(%q)) = %v, %v, want %v", class, key, got, err, tok)
			}
			if got, ok := p.Decode(p.Append(nil, tok)); !ok || got != tok {
				t.Errorf("%s: Decode(Append(%q)) = %v, %v, want %v", class, key, got, ok, tok)
			}
			if !p.Min().Less(tok) || p.Max().Less(tok) {
				t.Errorf("%s: token of %q is outside of min..max", class, key)
			}
		}
	}
}

func TestRangeContains(t *testing.T) {
	a, b, c := FromInt64(-5), FromInt64(0), FromInt64(7)
	for _, v := range []struct {
		r    Range
		t    Token
		want bool
	}{
		{Range{a, b}, a, false}, {Range{a, b}, b, true}, {Range{a, b}, c, false},
		{Range{c, a}, a, true}, {Range{c, a}, b, false}, {Range{c, a}, FromInt64(8), true},
		{Range{b, b}, c, true}, {Range{b, b}, b, true},
	} {
		if got := v.r.Contains(v.t); got != v.want {
			t.Errorf("%v contains %v = %v, want %v", v.r, v.t, got, v.want)
		}
	}
}

func BenchmarkMurmur3(b *testing.B) {
	key := []byte("0123456789abcdef-user")
	b.ReportAllocs()
	for b.Loop() {
		(Murmur3{}).Token(key)
	}
}
