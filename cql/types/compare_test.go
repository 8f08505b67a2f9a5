package types

import (
	"math/rand/v2"
	"testing"
)

// fuzzTypes are the types that fuzz targets pick from, by number.
var fuzzTypes = []*Type{
	TAscii, TBigint, TBlob, TBoolean, TCounter, TDecimal, TDouble, TFloat, TInt, TText, TTimestamp, TUUID, TVarint, TTimeuuid,
	TInet, TDate, TTime, TSmallint, TTinyint, TDuration, TEmpty, ListOf(TInt, true), SetOf(TText, true),
	MapOf(TInt, TDecimal, true), TupleOf(TInt, TText, ListOf(TVarint, true)),
	{Kind: UDT, Frozen: true, Keyspace: "ks", Name: "u", Fields: []string{"a", "B"}, Elems: []*Type{TInt, SetOf(TDuration, true)}},
	VectorOf(TFloat, 3), VectorOf(TText, 2), ListOf(MapOf(TText, SetOf(TBoolean, true), true), false),
	VectorOf(SetOf(TInt, true), 1),
}

// FuzzCompare holds that Compare and Validate survive any bytes, that the order is antisymmetric, and that equal bytes
// are equal.
func FuzzCompare(f *testing.F) {
	f.Add(byte(5), []byte{0, 0, 0, 1, 10}, []byte{0, 0, 0, 0, 1})
	f.Add(byte(21), []byte{0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1}, []byte{0, 0, 0, 1, 0, 0, 0, 0})
	f.Add(byte(24), []byte{0, 0, 0, 4, 0, 0, 0, 1}, []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(byte(27), []byte{1, 'a', 0}, []byte{1, 'a', 1, 'b'})
	f.Fuzz(func(t *testing.T, kind byte, a, b []byte) {
		typ := fuzzTypes[int(kind)%len(fuzzTypes)]
		ab, ba := typ.Compare(a, b), typ.Compare(b, a)
		if (ab < 0) != (ba > 0) || (ab > 0) != (ba < 0) {
			t.Errorf("%s: compare(%x, %x) = %d, reversed %d", typ, a, b, ab, ba)
		}
		if typ.Compare(a, a) != 0 {
			t.Errorf("%s: %x is not equal to itself", typ, a)
		}
	})
}

// FuzzNormalize holds that Normalize fails exactly where Validate does (null elements aside), and that what it returns
// is valid and stays as it is.
func FuzzNormalize(f *testing.F) {
	f.Add(byte(22), []byte{0, 0, 0, 2, 0, 0, 0, 1, 'b', 0, 0, 0, 1, 'a'})
	f.Add(byte(23), []byte{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 10})
	f.Add(byte(29), []byte{12, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, kind byte, v []byte) {
		typ := fuzzTypes[int(kind)%len(fuzzTypes)]
		n, err := typ.Normalize(v)
		if bad := typ.Validate(v); (bad == nil) != (err == nil) && typ.Kind != List {
			t.Fatalf("%s: %x: Normalize says %v, Validate says %v", typ, v, err, bad)
		}
		if err != nil {
			return
		}
		again, err := typ.Normalize(n)
		if err != nil || string(again) != string(n) {
			t.Errorf("%s: %x gives %x, then %x, %v", typ, v, n, again, err)
		}
	})
}

// TestCompareAllocations holds that native types are compared without allocation.
func TestCompareAllocations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, typ := range fuzzTypes {
		a, b := make([]byte, 8), make([]byte, 8)
		for i := range a {
			a[i], b[i] = byte(r.Uint32()), byte(r.Uint32())
		}
		if n := testing.AllocsPerRun(10, func() { typ.Compare(a, b) }); n > 0 {
			t.Errorf("%s: compare allocates %v times", typ, n)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, v := range []struct {
		typ  *Type
		x, y []byte
	}{
		{TInt, []byte{0, 0, 0, 1}, []byte{0, 0, 0, 2}},
		{TBigint, []byte{0, 0, 0, 1, 0, 0, 0, 1}, []byte{0, 0, 0, 1, 0, 0, 0, 2}},
		{TText, []byte("clustering-key-1"), []byte("clustering-key-2")},
		{TTimeuuid, []byte("\x50\x55\x4d\x6e\x29\xbb\x11\xe5\xb3\x45\xfe\xff\x81\x9c\xdc\x9f"),
			[]byte("\x50\x55\x4d\x6e\x29\xbb\x11\xe5\xb3\x45\xfe\xff\x81\x9c\xdc\x90")},
		{TDecimal, []byte{0, 0, 0, 1, 10}, []byte{0, 0, 0, 2, 100}},
		{TupleOf(TInt, TInt), []byte{0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1},
			[]byte{0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2}},
	} {
		b.Run(v.typ.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v.typ.Compare(v.x, v.y)
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	for _, v := range []struct {
		typ *Type
		v   []byte
	}{
		{TInt, []byte{0, 0, 0, 1}},
		{TText, []byte("a text of some forty characters or so...")},
		{ListOf(TInt, true), []byte{0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1}},
	} {
		b.Run(v.typ.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := v.typ.Validate(v.v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
