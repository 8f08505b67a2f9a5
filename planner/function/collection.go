package function

import (
	"github.com/helenusdb/helenus/cql/types"
)

// collectionFactories are the functions of whole collections. Source: CollectionFcts.
func collectionFactories() map[string]*factory {
	isMap := func(t *types.Type) bool { return t.Kind == types.Map }
	isSetOrList := func(t *types.Type) bool { return t.Kind == types.Set || t.Kind == types.List }
	isNumeric := func(t *types.Type) bool { return isSetOrList(t) && t.Elems[0].IsNumeric() }
	mapParam := param{name: "map", want: "a map argument", sameAs: -1, accepts: isMap}
	anyCollection := param{name: "collection", want: "a collection argument", sameAs: -1, accepts: (*types.Type).IsCollection}
	setOrList := param{name: "numeric_set_or_list", want: "a set or list argument", sameAs: -1, accepts: isSetOrList}
	numeric := param{name: "numeric_set_or_list", want: "a numeric set/list argument", sameAs: -1, accepts: isNumeric}

	of := func(p param, ret func(t *types.Type) *types.Type, f func(t *types.Type, elems [][]byte) ([]byte, error)) *factory {
		return &factory{params: []param{p}, make: func(name string, args []*types.Type, _ *types.Type) (*Function, error) {
			return scalar(name, args, ret(args[0]), func(values [][]byte) ([]byte, error) {
				elems, err := elements(args[0], values[0])
				if err != nil {
					return nil, err
				}
				return f(args[0], elems)
			}), nil
		}}
	}
	elementType := func(t *types.Type) *types.Type { return t.Elems[0] }
	return map[string]*factory{
		"map_keys":         of(mapParam, func(t *types.Type) *types.Type { return types.SetOf(t.Elems[0], true) }, mapKeys),
		"map_values":       of(mapParam, func(t *types.Type) *types.Type { return types.ListOf(t.Elems[1], true) }, mapValues),
		"collection_count": of(anyCollection, func(*types.Type) *types.Type { return types.TInt }, countElements),
		"collection_min":   of(setOrList, elementType, leastElement),
		"collection_max":   of(setOrList, elementType, greatestElement),
		"collection_sum":   of(numeric, elementType, sumElements),
		"collection_avg":   of(numeric, elementType, averageElements),
	}
}

// elements returns the elements of a collection, of a map keys and values in turn.
func elements(t *types.Type, v []byte) ([][]byte, error) {
	n, rest, err := types.Elements(v)
	var elems [][]byte
	for i := 0; i < n*len(t.Elems) && err == nil; i++ {
		var e []byte
		if e, rest, err = types.NextElement(rest); err == nil {
			elems = append(elems, e)
		}
	}
	return elems, err
}

// mapKeys is map_keys: the keys as a frozen set.
func mapKeys(t *types.Type, elems [][]byte) ([]byte, error) {
	var keys [][]byte
	for i := 0; i < len(elems); i += 2 {
		keys = append(keys, elems[i])
	}
	return types.SetOf(t.Elems[0], true).AppendCollection(nil, keys), nil
}

// mapValues is map_values: the values as a frozen list, in the order of their keys.
func mapValues(t *types.Type, elems [][]byte) ([]byte, error) {
	var values [][]byte
	for i := 1; i < len(elems); i += 2 {
		values = append(values, elems[i])
	}
	return types.ListOf(t.Elems[1], true).AppendCollection(nil, values), nil
}

// countElements is collection_count.
func countElements(t *types.Type, elems [][]byte) ([]byte, error) {
	return types.AppendInt32(nil, int32(len(elems)/len(t.Elems))), nil
}

// leastElement is collection_min.
func leastElement(t *types.Type, elems [][]byte) ([]byte, error) { return extremeOf(t, elems, -1), nil }

// greatestElement is collection_max.
func greatestElement(t *types.Type, elems [][]byte) ([]byte, error) {
	return extremeOf(t, elems, 1), nil
}

// sumElements is collection_sum, in the type of the elements.
func sumElements(t *types.Type, elems [][]byte) ([]byte, error) {
	return accumulate(newSum(t.Elems[0]), elems)
}

// averageElements is collection_avg, in the type of the elements.
func averageElements(t *types.Type, elems [][]byte) ([]byte, error) {
	return accumulate(newAverage(t.Elems[0]), elems)
}

// extremeOf returns the least (sign -1) or the greatest (1) element; nil of none.
func extremeOf(t *types.Type, elems [][]byte, sign int) []byte {
	var best []byte
	for i, e := range elems {
		if i == 0 || t.Elems[0].Compare(e, best)*sign > 0 {
			best = e
		}
	}
	return best
}

// accumulate feeds elems to an aggregate.
func accumulate(a Accumulator, elems [][]byte) ([]byte, error) {
	for _, e := range elems {
		if err := a.Add([][]byte{e}); err != nil {
			return nil, err
		}
	}
	return a.Result()
}
