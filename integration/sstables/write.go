package sstables

import (
	"fmt"
	"math/rand"
	"strings"
)

// epoch is the first timestamp that statements use, microseconds.
const epoch = 1_700_000_000_000_000

// using returns the clause of a statement's timestamp, and now and then of a TTL that ends long after the test.
func (s *Schema) using(r *rand.Rand, ttl bool) string {
	if s.counter {
		return ""
	}
	out := fmt.Sprintf(" USING TIMESTAMP %d", epoch+r.Intn(5000))
	if ttl && r.Intn(4) == 0 {
		out += fmt.Sprintf(" AND TTL %d", 30_000_000+r.Intn(4)*1000)
	}
	return out
}

// where returns the condition on whole keys, with the first n clustering columns.
func (s *Schema) where(r *rand.Rand, n int) string {
	var parts []string
	for _, f := range s.partition {
		parts = append(parts, f.name+" = "+pick(r, f.pool))
	}
	for _, f := range s.clustering[:n] {
		parts = append(parts, f.name+" = "+pick(r, f.pool))
	}
	return " WHERE " + strings.Join(parts, " AND ")
}

// slice returns the condition on a range of the first n clustering columns.
func (s *Schema) slice(r *rand.Rand, n int) string {
	out := s.where(r, n-1)
	f := s.clustering[n-1]
	switch r.Intn(4) {
	case 0:
		return out + " AND " + f.name + " " + pick(r, []string{"<", "<=", ">", ">="}) + " " + pick(r, f.pool)
	case 1:
		return s.where(r, n)
	}
	return out + " AND " + f.name + " " + pick(r, []string{">", ">="}) + " " + pick(r, f.pool) +
		" AND " + f.name + " " + pick(r, []string{"<", "<="}) + " " + pick(r, f.pool)
}

// write returns a statement that writes.
func (s *Schema) write(r *rand.Rand) string {
	if s.counter {
		return s.writeCounter(r)
	}
	switch n := r.Intn(20); {
	case n < 9:
		return s.insert(r)
	case n < 14:
		return s.update(r)
	}
	return s.remove(r)
}

// insert writes a row, or the static row.
func (s *Schema) insert(r *rand.Rand) string {
	var columns, values []string
	set := func(f *field, v string) { columns, values = append(columns, f.name), append(values, v) }
	for _, f := range s.partition {
		set(f, pick(r, f.pool))
	}
	others := [][]*field{s.static, s.regular}
	if len(s.static) > 0 && r.Intn(6) == 0 {
		others = others[:1]
	} else {
		for _, f := range s.clustering {
			set(f, pick(r, f.pool))
		}
	}
	density := 1 + r.Intn(4)
	for i, list := range others {
		for _, f := range list {
			if i == 0 && len(others) == 1 || r.Intn(4) < density {
				v := f.kind.literal(r, s.long)
				if r.Intn(12) == 0 {
					v = "null"
				}
				set(f, v)
			}
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)%s", s.name(), strings.Join(columns, ", "), strings.Join(values, ", "),
		s.using(r, true))
}

// target is what an UPDATE or DELETE is to touch: the static or the regular columns, and the clustering columns that names.
func (s *Schema) target(r *rand.Rand) (list []*field, n int) {
	if len(s.static) > 0 && r.Intn(4) == 0 {
		return s.static, 0
	}
	return s.regular, len(s.clustering)
}

// update sets some columns or elements.
func (s *Schema) update(r *rand.Rand) string {
	list, n := s.target(r)
	if len(list) == 0 {
		return s.insert(r)
	}
	var sets []string
	for _, i := range r.Perm(len(list))[:1+r.Intn(min(len(list), 4))] {
		sets = append(sets, s.assign(r, list[i]))
	}
	return "UPDATE " + s.name() + s.using(r, true) + " SET " + strings.Join(sets, ", ") + s.where(r, n)
}

// assign is one assignment.
func (s *Schema) assign(r *rand.Rand, f *field) string {
	k := f.kind
	if !k.multiCell() || r.Intn(4) == 0 {
		return f.name + " = " + k.literal(r, s.long)
	}
	switch k.name {
	case "list":
		v := k.literal(r, s.long)
		return pick(r, []string{f.name + " = " + f.name + " + " + v, f.name + " = " + v + " + " + f.name})
	case "set":
		return f.name + " = " + f.name + pick(r, []string{" + ", " + ", " - "}) + k.literal(r, s.long)
	case "map":
		switch r.Intn(3) {
		case 0:
			return f.name + "[" + k.elems[0].literal(r, s.long) + "] = " + k.elems[1].literal(r, s.long)
		case 1:
			return f.name + " = " + f.name + " - " + (&kind{name: "set", elems: k.elems[:1]}).literal(r, s.long)
		}
		return f.name + " = " + f.name + " + " + k.literal(r, s.long)
	}
	i := r.Intn(len(k.fields))
	return f.name + "." + k.fields[i] + " = " + k.elems[i].literal(r, s.long)
}

// remove deletes columns, elements, rows, ranges or partitions.
func (s *Schema) remove(r *rand.Rand) string {
	del := func(what, where string) string {
		return "DELETE" + what + " FROM " + s.name() + s.using(r, false) + where
	}
	switch n := r.Intn(8); {
	case n == 0 && r.Intn(2) == 0:
		return del("", s.where(r, 0))
	case n < 3 && len(s.clustering) > 0:
		return del("", s.slice(r, 1+r.Intn(len(s.clustering))))
	case n < 5:
		return del("", s.where(r, len(s.clustering)))
	}
	list, n := s.target(r)
	if len(list) == 0 && !s.counter {
		return s.insert(r)
	}
	f := list[r.Intn(len(list))]
	what := f.name
	if f.kind.multiCell() && r.Intn(2) == 0 {
		switch f.kind.name {
		case "set", "map":
			what += "[" + f.kind.elems[0].literal(r, s.long) + "]"
		case "udt":
			what += "." + f.kind.fields[r.Intn(len(f.kind.fields))]
		}
	}
	return del(" "+what, s.where(r, n))
}

// writeCounter adds to counters.
func (s *Schema) writeCounter(r *rand.Rand) string {
	list, n := s.target(r)
	var sets []string
	for _, i := range r.Perm(len(list))[:1+r.Intn(min(len(list), 3))] {
		f := list[i]
		sets = append(sets, fmt.Sprintf("%s = %s %s %d", f.name, f.name, pick(r, []string{"+", "-"}), r.Intn(1000)))
	}
	return "UPDATE " + s.name() + " SET " + strings.Join(sets, ", ") + s.where(r, n)
}

// removeCounters deletes of a table of counters at the end of all writing: what is deleted must not be added to again.
func (s *Schema) removeCounters(r *rand.Rand) {
	for range 4 {
		s.Writes = append(s.Writes, s.remove(r))
	}
}

// reads fills in what is read: all, with the times of writing, and partitions in both orders and in slices.
func (s *Schema) reads(r *rand.Rand) {
	s.Reads = append(s.Reads, "SELECT * FROM "+s.name())
	var times []string
	for _, list := range [][]*field{s.static, s.regular} {
		for _, f := range list {
			if !s.counter && len(times) < 20 {
				times = append(times, "writetime("+f.name+")")
			}
		}
	}
	if len(times) > 0 {
		s.Reads = append(s.Reads, "SELECT "+names(s.partition)+", "+strings.Join(times, ", ")+" FROM "+s.name())
	}
	for range 4 {
		s.Reads = append(s.Reads, "SELECT * FROM "+s.name()+s.where(r, r.Intn(len(s.clustering)+1)))
		if len(s.clustering) > 0 {
			where := s.slice(r, 1+r.Intn(len(s.clustering)))
			s.Reads = append(s.Reads, "SELECT * FROM "+s.name()+where)
			if f := s.clustering[0]; s.desc[0] {
				where += " ORDER BY " + f.name + " ASC"
			} else {
				where += " ORDER BY " + f.name + " DESC"
			}
			s.Reads = append(s.Reads, "SELECT * FROM "+s.name()+where)
		}
	}
}
