package function

import "maps"

import "github.com/helenusdb/helenus/cql/types"

// natives holds the functions of fixed types by name, both spellings. factories holds the others.
var (
	natives   = nativeFunctions()
	factories = nativeFactories()
)

// numbers are the numeric types, narrowest first.
var numbers = list(types.TTinyint, types.TSmallint, types.TInt, types.TBigint, types.TCounter, types.TVarint, types.TFloat,
	types.TDouble, types.TDecimal)

// nativeFunctions collects the functions of fixed types by name.
func nativeFunctions() map[string][]*Function {
	m := make(map[string][]*Function)
	for _, functions := range [][]*Function{
		timeFunctions(), floorFunctions(), blobFunctions(), mathFunctions(), castFunctions(), operatorFunctions(), aggregateFunctions(),
	} {
		for _, f := range functions {
			m[f.Name] = append(m[f.Name], f)
		}
	}
	return m
}

// nativeFactories collects the factories by name.
func nativeFactories() map[string]*factory {
	m := make(map[string]*factory)
	for _, more := range []map[string]*factory{
		jsonFactories(), collectionFactories(), maskFactories(), similarityFactories(), extremeFactories(),
	} {
		maps.Copy(m, more)
	}
	return m
}
