package function

import (
	"math"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/types"
)

// similarityFactories compare float vectors of one dimension, scaled as Lucene does. Source: VectorFcts.
func similarityFactories() map[string]*factory {
	isFloats := func(t *types.Type) bool { return t.Kind == types.Vector && t.Elems[0].Kind == types.Float }
	of := func(zeros bool, f func(a, b []float32) float32) *factory {
		first := param{name: "vector<float, n>", want: "a float vector argument", sameAs: 1, accepts: isFloats}
		second := first
		second.sameAs = 0
		return &factory{params: []param{first, second}, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
			if args[0].Dim != args[1].Dim {
				return nil, cql.Invalidf("All arguments must have the same vector dimensions")
			}
			return scalar(name, args, types.TFloat, func(values [][]byte) ([]byte, error) {
				a, b := floats(values[0]), floats(values[1])
				if !zeros && (allZero(a) || allZero(b)) {
					return nil, cql.Invalidf("Function system.%s doesn't support all-zero vectors.", name)
				}
				return types.AppendFloat32(nil, f(a, b)), nil
			}), nil
		}}
	}
	return map[string]*factory{
		"similarity_cosine":      of(false, cosine),
		"similarity_euclidean":   of(true, euclidean),
		"similarity_dot_product": of(true, dotProduct),
	}
}

// floats decodes a vector of floats.
func floats(v []byte) []float32 {
	f := make([]float32, 0, len(v)/4)
	for ; len(v) >= 4; v = v[4:] {
		f = append(f, types.Float32(v))
	}
	return f
}

// allZero reports whether v has no direction.
func allZero(v []float32) bool {
	for _, f := range v {
		if f != 0 {
			return false
		}
	}
	return true
}

// cosine is (1 + cos) / 2.
func cosine(a, b []float32) float32 {
	var sum, normA, normB float32
	for i := range a {
		sum += a[i] * b[i]
		normA += a[i] * a[i]
		normB += b[i] * b[i]
	}
	cos := float32(float64(sum) / math.Sqrt(float64(normA)*float64(normB)))
	return (1 + cos) / 2
}

// euclidean is 1 / (1 + d²).
func euclidean(a, b []float32) float32 {
	var sum float32
	for i := range a {
		d := a[i] - b[i]
		sum += d * d
	}
	return 1 / (1 + sum)
}

// dotProduct is (1 + a·b) / 2.
func dotProduct(a, b []float32) float32 {
	var sum float32
	for i := range a {
		sum += a[i] * b[i]
	}
	return (1 + sum) / 2
}
