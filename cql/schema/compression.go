package schema

import (
	"maps"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

const compressPackage = "org.apache.cassandra.io.compress."

// compressors are the classes that there are, each with the options that it knows beside those of all.
var compressors = map[string]string{
	compressPackage + "LZ4Compressor":     " lz4_compressor_type lz4_high_compressor_level ",
	compressPackage + "SnappyCompressor":  " ",
	compressPackage + "DeflateCompressor": " ",
	compressPackage + "NoopCompressor":    " ",
	compressPackage + "ZstdCompressor":    " compression_level ",
}

// parseCompression normalises compression: {} and {'enabled': 'false'} turn it off.
// Source: org.apache.cassandra.schema.CompressionParams.fromMap.
func parseCompression(given map[string]string) (map[string]string, error) {
	m := maps.Clone(given)
	flag, hasFlag := m["enabled"]
	enabled := len(m) > 0 && (!hasFlag || strings.EqualFold(flag, "true"))
	class, hasClass := m["class"]
	if enabled && !hasClass {
		return nil, cql.Configf("Missing sub-option 'class' for the 'compression' option.")
	}
	delete(m, "enabled")
	if !enabled {
		if len(m) > 0 {
			return nil, cql.Configf("If the 'enabled' option is set to false no other options must be specified")
		}
		return map[string]string{"enabled": "false"}, nil
	}
	if class == "" {
		return nil, cql.Configf("The 'class' option must not be empty. To disable compression use 'enabled' : false")
	}
	chunk, err := chunkLength(m)
	if err != nil {
		return nil, err
	}
	ratio, err := compressRatio(m)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(class, ".") {
		class = compressPackage + class
	}
	delete(m, "class")
	if err := checkCompressor(class, m); err != nil {
		return nil, err
	}
	if chunk&(chunk-1) != 0 {
		return nil, cql.Configf("chunk_length_in_kb must be a power of 2")
	}
	if ratio != 0 && ratio < 1 {
		return nil, cql.Configf("min_compress_ratio can either be 0 or greater than or equal to 1")
	}
	m["class"], m["chunk_length_in_kb"] = class, strconv.Itoa(int(chunk))
	if ratio != 0 {
		m["min_compress_ratio"] = formatDouble(ratio)
	}
	return m, nil
}

func chunkLength(m map[string]string) (int32, error) {
	v, ok := m["chunk_length_in_kb"]
	if !ok {
		return 16, nil
	}
	delete(m, "chunk_length_in_kb")
	n, ok := javaInt(v)
	switch {
	case !ok:
		return 0, cql.Configf("Invalid value for chunk_length_in_kb")
	case n > 1<<31/1024-1:
		return 0, cql.Configf("Value of chunk_length_in_kb is too large (%d)", n)
	case n <= 0:
		return 0, cql.Configf("Invalid negative or null chunk_length_in_kb")
	}
	return n, nil
}

func compressRatio(m map[string]string) (float64, error) {
	v, ok := m["min_compress_ratio"]
	if !ok {
		return 0, nil
	}
	delete(m, "min_compress_ratio")
	f, ok := javaDouble(v)
	if !ok {
		return 0, cql.Serverf(`java.lang.NumberFormatException: For input string: "%s"`, v)
	}
	return f, nil
}

// checkCompressor checks the class and its own options.
func checkCompressor(class string, options map[string]string) error {
	known, ok := compressors[class]
	if !ok {
		if strings.HasPrefix(class, "java.lang.") {
			return cql.Configf("create method not found")
		}
		return cql.Configf("Could not create Compression for type %s", class)
	}
	for _, k := range sortedKeys(options) {
		if !listed(known, k) {
			return cql.Configf("Unknown compression options %s", k)
		}
	}
	if v, ok := options["lz4_compressor_type"]; ok && v != "high" && v != "fast" {
		return cql.Configf("Invalid compressor type '%s' specified for LZ4 parameter 'lz4_compressor_type'. "+
			"Valid options are [high, fast].", v)
	}
	if v, ok := options["lz4_high_compressor_level"]; ok {
		if n, ok := javaInt(v); !ok || n < 1 || n > 17 {
			return cql.Configf("Invalid value [%s] for parameter 'lz4_high_compressor_level'. Value must be between 1 and 17.", v)
		}
	}
	if v, ok := options["compression_level"]; ok {
		n, ok := javaInt(v)
		switch {
		case !ok:
			return cql.Configf(`ZstdCompressor.create() threw an error: java.lang.NumberFormatException For input string: "%s"`, v)
		case n < -1<<17 || n > 22:
			return cql.Configf("ZstdCompressor.create() threw an error: java.lang.IllegalArgumentException "+
				"compression_level=%d is invalid", n)
		}
	}
	return nil
}
