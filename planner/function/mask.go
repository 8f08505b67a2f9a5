package function

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"math/big"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// maskFactories hide what a value is. Source: org.apache.cassandra.cql3.functions.masking.
func maskFactories() map[string]*factory {
	null := &factory{params: []param{anyParam()}, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
		call := func(*Env, [][]byte) ([]byte, error) { return nil, nil }
		return &Function{Name: name, Args: args, Return: args[0], Call: call, Pure: true}, nil
	}}
	standard := &factory{params: []param{anyParam()}, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
		masked := maskedValue(args[0])
		call := func(*Env, [][]byte) ([]byte, error) { return masked, nil }
		return &Function{Name: name, Args: args, Return: args[0], Call: call, Pure: true}, nil
	}}
	same := param{name: "any", sameAs: 0, always: true}
	two := []param{anyParam(), same}
	replace := &factory{params: two, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
		call := func(_ *Env, values [][]byte) ([]byte, error) { return values[1], nil }
		return &Function{Name: name, Args: args, Return: args[0], Call: call, Pure: true}, nil
	}}
	return map[string]*factory{
		"mask_null": null, "mask_default": standard, "mask_replace": replace,
		"mask_inner": partialMask(true), "mask_outer": partialMask(false), "mask_hash": hashMask(),
	}
}

// maskedValue is what mask_default shows instead of a value of t. Source: AbstractType.getMaskedValue.
func maskedValue(t *types.Type) []byte {
	switch t.Kind {
	case types.Text, types.Ascii:
		return []byte("****")
	case types.Boolean, types.Tinyint:
		return make([]byte, 1)
	case types.Smallint:
		return make([]byte, 2)
	case types.Int, types.Float, types.Inet:
		return make([]byte, 4)
	case types.Bigint, types.Counter, types.Double, types.Timestamp, types.Time:
		return make([]byte, 8)
	case types.Varint:
		return types.AppendVarint(nil, new(big.Int))
	case types.Decimal:
		return types.AppendDecimal(nil, types.BigDecimal{Unscaled: new(big.Int)})
	case types.Date:
		return types.AppendDate(nil, 0)
	case types.Duration:
		return types.AppendDuration(nil, types.DurationValue{})
	case types.UUID:
		return make([]byte, 16)
	case types.Timeuuid:
		u := types.MinTimeuuid(0)
		return u[:]
	case types.List, types.Set, types.Map:
		return types.AppendCount(nil, 0)
	case types.Tuple, types.UDT:
		var v []byte
		for _, e := range t.Elems {
			v = types.AppendField(v, maskedValue(e))
		}
		return v
	case types.Vector:
		var v []byte
		item := maskedValue(t.Elems[0])
		for range t.Dim {
			v = t.AppendItem(v, item)
		}
		return v
	}
	return []byte{}
}

// partialMask replaces the characters inside (or outside) of the first begin and the last end ones by the padding.
// Source: PartialMaskingFunction.
func partialMask(inner bool) *factory {
	text := param{
		name: "[text|varchar|ascii]", want: "an argument of type [text|varchar|ascii]", fallback: types.TText, sameAs: -1,
		accepts: (*types.Type).IsString,
	}
	params := []param{text, fixedParam("int", types.TInt), fixedParam("int", types.TInt), fixedParam("[text]", types.TText)}
	return &factory{params: params, optional: 1, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
		call := func(_ *Env, values [][]byte) ([]byte, error) {
			if values[0] == nil {
				return nil, nil
			}
			padding := '*'
			if len(values) == 4 && values[3] != nil {
				if n := len(utf16.Encode([]rune(string(values[3])))); n != 1 {
					return nil, cql.Invalidf("The padding argument for function system.%s should be single-character, "+
						"but '%s' has %d characters.", name, values[3], n)
				}
				padding, _ = utf8.DecodeRune(values[3])
			}
			begin, end := edge(values[1]), edge(values[2])
			units := utf16.Encode([]rune(string(values[0])))
			for i := range units {
				kept := int64(i) < begin || int64(i) >= int64(len(units))-end
				if kept != inner {
					units[i] = uint16(padding)
				}
			}
			return appendUTF16([]byte{}, units), nil
		}
		return &Function{Name: name, Args: args, Return: args[0], Call: call, Pure: true}, nil
	}}
}

// appendUTF16 appends UTF-16 as UTF-8; half of a pair becomes a question mark, as in Java.
func appendUTF16(dst []byte, units []uint16) []byte {
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			pair := utf8.RuneError
			if i+1 < len(units) {
				pair = utf16.DecodeRune(r, rune(units[i+1]))
			}
			if pair == utf8.RuneError {
				dst = append(dst, '?')
				continue
			}
			r = pair
			i++
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// edge reads a number of characters; null is none.
func edge(v []byte) int64 {
	if len(v) != 4 {
		return 0
	}
	return int64(types.Int32(v))
}

// hashMask shows a hash of the value, by default SHA-256. Source: HashMaskingFunction.
func hashMask() *factory {
	params := []param{anyParam(), fixedParam("[text]", types.TText)}
	return &factory{params: params, optional: 1, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
		call := func(_ *Env, values [][]byte) ([]byte, error) {
			algorithm := "SHA-256"
			if len(values) == 2 && values[1] != nil {
				algorithm = string(values[1])
			}
			hash := hashes[strings.ToUpper(algorithm)]
			if hash == nil {
				return nil, cql.Invalidf("Hash algorithm not found: %s", algorithm)
			}
			if values[0] == nil {
				return nil, nil
			}
			return hash(values[0]), nil
		}
		return &Function{Name: name, Args: args, Return: types.TBlob, Call: call, Pure: true}, nil
	}}
}

// hashes are the algorithms of mask_hash that this server knows, by Java's names.
// Deviation: MD2, which Java has too, is not among them.
var hashes = map[string]func(v []byte) []byte{
	"MD5":         func(v []byte) []byte { h := md5.Sum(v); return h[:] },
	"SHA":         hashSHA1,
	"SHA1":        hashSHA1,
	"SHA-1":       hashSHA1,
	"SHA-224":     func(v []byte) []byte { h := sha256.Sum224(v); return h[:] },
	"SHA-256":     func(v []byte) []byte { h := sha256.Sum256(v); return h[:] },
	"SHA-384":     func(v []byte) []byte { h := sha512.Sum384(v); return h[:] },
	"SHA-512":     func(v []byte) []byte { h := sha512.Sum512(v); return h[:] },
	"SHA-512/224": func(v []byte) []byte { h := sha512.Sum512_224(v); return h[:] },
	"SHA-512/256": func(v []byte) []byte { h := sha512.Sum512_256(v); return h[:] },
	"SHA3-224":    func(v []byte) []byte { h := sha3.Sum224(v); return h[:] },
	"SHA3-256":    func(v []byte) []byte { h := sha3.Sum256(v); return h[:] },
	"SHA3-384":    func(v []byte) []byte { h := sha3.Sum384(v); return h[:] },
	"SHA3-512":    func(v []byte) []byte { h := sha3.Sum512(v); return h[:] },
}

// hashSHA1 is the hash that Java knows by three names.
func hashSHA1(v []byte) []byte {
	h := sha1.Sum(v)
	return h[:]
}
