package sstables

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
)

// Schema is one table with the statements that make, fill and read it.
type Schema struct {
	Keyspace, Table string
	Types           []string // CREATE TYPE, in order
	Create          string
	Writes          []string
	Reads           []string

	partition, clustering, static, regular []*field
	counter                                bool
	long                                   int // of texts
	desc                                   []bool
}

// field is a column with the few values that keys take.
type field struct {
	name string
	kind *kind
	pool []string
}

// options are the properties of tables, of which one of each line is taken.
var options = [][]string{
	{
		"", "", "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 4}", "compression = {'enabled': false}",
		"compression = {'class': 'SnappyCompressor', 'chunk_length_in_kb': 64}", "compression = {'class': 'DeflateCompressor'}",
		"compression = {'class': 'ZstdCompressor', 'chunk_length_in_kb': 8}", "compression = {'class': 'NoopCompressor'}",
		"compression = {'class': 'LZ4Compressor', 'min_compress_ratio': 1.2}",
		"compression = {'class': 'LZ4Compressor', 'lz4_compressor_type': 'high', 'chunk_length_in_kb': 32}",
	},
	{
		"", "", "bloom_filter_fp_chance = 1.0", "bloom_filter_fp_chance = 0.1", "bloom_filter_fp_chance = 0.0005",
		"bloom_filter_fp_chance = 0.5",
	},
	{"", "", "min_index_interval = 8", "min_index_interval = 1"},
	{"", "", "", "default_time_to_live = 60000000"},
}

// New makes the schema of a seed.
func New(keyspace string, seed int64) *Schema {
	r := rand.New(rand.NewSource(seed))
	s := &Schema{Keyspace: keyspace, Table: fmt.Sprintf("t%d", seed), counter: r.Intn(8) == 0, long: 12}
	if r.Intn(4) == 0 {
		s.long = 600
	}
	add := func(list *[]*field, prefix string, k *kind) *field {
		f := &field{name: fmt.Sprintf("%s%d", prefix, len(*list)), kind: k}
		*list = append(*list, f)
		return f
	}
	key := func(list *[]*field, prefix string, values int) {
		k := native(r, true)
		if r.Intn(5) == 0 {
			k = s.compound(r, 1, true)
			k.frozen = true
		}
		f := add(list, prefix, k)
		for len(f.pool) < values {
			v := k.literal(r, 10)
			if k.name == "map" && v == "{}" {
				continue // Cassandra takes it for a set there and fails
			}
			if prefix == "c" || v != "''" && v != "0x" {
				f.pool = append(f.pool, v)
			}
		}
	}
	for range 1 + r.Intn(5)/3 {
		key(&s.partition, "p", 3)
	}
	values := 6
	wide := r.Intn(6) == 0
	if wide {
		values = 150
	}
	for range r.Intn(4) {
		key(&s.clustering, "c", values)
		s.desc = append(s.desc, r.Intn(3) == 0)
		values = 5
	}
	column := func() *kind {
		switch {
		case s.counter:
			return &kind{name: "counter"}
		case r.Intn(3) > 0:
			return native(r, false)
		}
		k := s.compound(r, 2, false)
		k.frozen = k.frozen || r.Intn(3) == 0
		return k
	}
	if len(s.clustering) > 0 && r.Intn(3) > 0 {
		for range 1 + r.Intn(3) {
			add(&s.static, "s", column())
		}
	}
	n := r.Intn(9)
	if r.Intn(12) == 0 {
		n = 62 + r.Intn(10)
	}
	if s.counter && n == 0 {
		n = 1
	}
	for range n {
		add(&s.regular, "r", column())
	}
	s.create(r)
	statements := 60
	if wide {
		statements = 400
	}
	alters := !s.counter && r.Intn(4) == 0
	var dropped *field
	for i := range statements {
		switch {
		case alters && i == statements/2:
			dropped = s.alter(r)
		case dropped != nil && i == statements*3/4 && r.Intn(2) == 0:
			s.Writes = append(s.Writes, "ALTER TABLE "+s.name()+" ADD "+dropped.name+" "+dropped.kind.String())
			s.regular = append(s.regular, dropped)
		}
		s.Writes = append(s.Writes, s.write(r))
	}
	if s.counter {
		s.removeCounters(r)
	}
	s.reads(r)
	return s
}

// alter adds a column and drops one that is not of a user type: those cannot be dropped. It returns the dropped one, nil for
// none.
func (s *Schema) alter(r *rand.Rand) *field {
	added := &field{name: "r_new", kind: native(r, false)}
	s.Writes = append(s.Writes, "ALTER TABLE "+s.name()+" ADD "+added.name+" "+added.kind.String())
	for _, i := range r.Perm(len(s.regular)) {
		f := s.regular[i]
		if strings.Contains(f.kind.String(), s.Table+"_u") {
			continue
		}
		s.Writes = append(s.Writes, "ALTER TABLE "+s.name()+" DROP "+f.name)
		s.regular = append(slices.Delete(s.regular, i, i+1), added)
		return f
	}
	s.regular = append(s.regular, added)
	return nil
}

// create makes CREATE TABLE.
func (s *Schema) create(r *rand.Rand) {
	var parts []string
	for _, list := range [][]*field{s.partition, s.clustering, s.static, s.regular} {
		for _, f := range list {
			c := f.name + " " + f.kind.String()
			if f.name[0] == 's' {
				c += " STATIC"
			}
			parts = append(parts, c)
		}
	}
	key := "(" + names(s.partition) + ")"
	if len(s.clustering) > 0 {
		key += ", " + names(s.clustering)
	}
	parts = append(parts, "PRIMARY KEY ("+key+")")
	s.Create = fmt.Sprintf("CREATE TABLE %s.%s (%s)", s.Keyspace, s.Table, strings.Join(parts, ", "))
	var with []string
	if len(s.clustering) > 0 {
		var order []string
		for i, f := range s.clustering {
			o := f.name + " ASC"
			if s.desc[i] {
				o = f.name + " DESC"
			}
			order = append(order, o)
		}
		with = append(with, "CLUSTERING ORDER BY ("+strings.Join(order, ", ")+")")
	}
	for _, line := range options {
		o := line[r.Intn(len(line))]
		if strings.HasPrefix(o, "default_time") && s.counter {
			continue
		}
		if o != "" {
			with = append(with, o)
		}
	}
	if len(with) > 0 {
		s.Create += " WITH " + strings.Join(with, " AND ")
	}
}

func names(list []*field) string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = f.name
	}
	return strings.Join(out, ", ")
}

// name is the table as statements name it.
func (s *Schema) name() string { return s.Keyspace + "." + s.Table }

func pick(r *rand.Rand, pool []string) string { return pool[r.Intn(len(pool))] }
