package schema

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"maps"
	"sort"
	"strings"

	"github.com/helenusdb/helenus/cql/types"
)

// NewSnapshot returns the schema of epoch 0, which holds the given keyspaces alone. They are kept, not copied.
func NewSnapshot(keyspaces ...*Keyspace) *Snapshot {
	s := &Snapshot{Keyspaces: make(map[string]*Keyspace, len(keyspaces)), ByID: make(map[UUID]*Table)}
	for _, k := range keyspaces {
		s.Keyspaces[k.Name] = k
		for _, t := range k.Tables {
			s.ByID[t.ID] = t
		}
	}
	s.Version = s.version()
	return s
}

// Apply returns the snapshot after c, one epoch later; s stays as it is and shares all that c leaves alone. An error means that
// c was not made for s: it names what is missing and is no answer to a client.
func Apply(s *Snapshot, c Change) (*Snapshot, error) {
	n := &Snapshot{Epoch: s.Epoch + 1, Keyspaces: copyOf(s.Keyspaces), ByID: s.ByID}
	if err := n.apply(c); err != nil {
		return nil, err
	}
	n.Version = n.version()
	return n, nil
}

func (s *Snapshot) apply(c Change) error {
	if p, ok := c.(*PutKeyspace); ok {
		k := &Keyspace{Name: p.Name, Tables: map[string]*Table{}, Types: map[string]*UserType{}}
		if old := s.Keyspaces[p.Name]; old != nil {
			*k = *old
		}
		k.DurableWrites, k.Replication = p.DurableWrites, p.Replication
		s.Keyspaces[p.Name] = k
		return nil
	}
	name := changed(c)
	old := s.Keyspaces[name]
	if old == nil {
		return fmt.Errorf("schema change of unknown keyspace %q", name)
	}
	k := *old
	switch c := c.(type) {
	case *RemoveKeyspace:
		delete(s.Keyspaces, name)
		s.ByID = maps.Clone(s.ByID)
		for _, t := range k.Tables {
			delete(s.ByID, t.ID)
		}
		return nil
	case *PutTable:
		s.replace(&k, []*Table{c.Table})
	case *RemoveTable:
		t := k.Tables[c.Name]
		if t == nil {
			return fmt.Errorf("schema change drops unknown table %q.%q", name, c.Name)
		}
		k.Tables, s.ByID = maps.Clone(k.Tables), maps.Clone(s.ByID)
		delete(k.Tables, c.Name)
		delete(s.ByID, t.ID)
	case *PutType:
		k.Types = copyOf(k.Types)
		for n, u := range k.Types {
			k.Types[n] = replaceUDT(u, c.Type)
		}
		k.Types[c.Type.Name] = c.Type
		var users []*Table
		for _, t := range k.Tables {
			if r := t.withUDT(c.Type); r != t {
				users = append(users, r)
			}
		}
		s.replace(&k, users)
	case *RemoveType:
		if k.Types[c.Name] == nil {
			return fmt.Errorf("schema change drops unknown type %q.%q", name, c.Name)
		}
		k.Types = maps.Clone(k.Types)
		delete(k.Types, c.Name)
	}
	s.Keyspaces[name] = &k
	return nil
}

// replace puts tables into k, whose map it copies first.
func (s *Snapshot) replace(k *Keyspace, tables []*Table) {
	if len(tables) == 0 {
		return
	}
	k.Tables, s.ByID = copyOf(k.Tables), copyOf(s.ByID)
	for _, t := range tables {
		if old := k.Tables[t.Name]; old != nil && old.ID != t.ID {
			delete(s.ByID, old.ID)
		}
		k.Tables[t.Name] = t
		s.ByID[t.ID] = t
	}
}

// copyOf returns a copy of m that may be written, even when m is nil.
func copyOf[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m)+1)
	maps.Copy(c, m)
	return c
}

// changed returns the keyspace that c is about.
func changed(c Change) string {
	switch c := c.(type) {
	case *PutKeyspace:
		return c.Name
	case *RemoveKeyspace:
		return c.Name
	case *PutTable:
		return c.Table.Keyspace
	case *RemoveTable:
		return c.Keyspace
	case *PutType:
		return c.Type.Keyspace
	case *RemoveType:
		return c.Keyspace
	}
	return ""
}

// version returns the name-based UUID of all that nodes agree on: virtual keyspaces and the two local ones do not count.
// Source: org.apache.cassandra.schema.SchemaKeyspace.calculateSchemaDigest, whose digest is of other bytes.
func (s *Snapshot) version() UUID {
	h := md5.New()
	var buf []byte
	for _, name := range s.KeyspaceNames() {
		k := s.Keyspaces[name]
		if k.Virtual || isLocalSystem(name) {
			continue
		}
		buf = AppendChange(buf[:0], &PutKeyspace{k.Name, k.DurableWrites, k.Replication})
		for _, n := range k.TypeNames() {
			buf = AppendChange(buf, &PutType{k.Types[n]})
		}
		for _, n := range k.TableNames() {
			buf = AppendChange(buf, &PutTable{k.Tables[n]})
		}
		h.Write(buf)
	}
	return nameUUID(h.Sum(nil))
}

// clone returns a copy of t that may be edited: slices and maps are its own, columns and indexes are shared.
func (t *Table) clone() *Table {
	c := *t
	c.PartitionKey = append([]*Column(nil), t.PartitionKey...)
	c.Clustering = append([]*Column(nil), t.Clustering...)
	c.Static = append([]*Column(nil), t.Static...)
	c.Regular = append([]*Column(nil), t.Regular...)
	c.Indexes = append([]*Index(nil), t.Indexes...)
	c.Dropped, c.Readded = maps.Clone(t.Dropped), maps.Clone(t.Readded)
	return &c
}

// Finish puts the columns in order, fills ByName and ByID, sets Counter when there is a counter, and points the indexes at
// the columns of their ids. Whoever builds a Table by hand calls it once, before anybody else sees the table.
func (t *Table) Finish() {
	sort.SliceStable(t.Static, func(i, j int) bool { return nameLess(t.Static[i].Name, t.Static[j].Name) })
	sort.SliceStable(t.Regular, func(i, j int) bool { return nameLess(t.Regular[i].Name, t.Regular[j].Name) })
	n := len(t.PartitionKey) + len(t.Clustering) + len(t.Static) + len(t.Regular)
	t.ByName, t.ByID = make(map[string]*Column, n), make(map[ColumnID]*Column, n)
	for _, c := range t.AllColumns() {
		t.ByName[c.Name] = c
		t.ByID[c.ID] = c
		t.Counter = t.Counter || c.Type.Kind == types.Counter
	}
	for i, x := range t.Indexes {
		if c := t.ByID[x.Column.ID]; c != nil && c != x.Column {
			y := *x
			y.Column = c
			t.Indexes[i] = &y
		}
	}
	sort.Slice(t.Indexes, func(i, j int) bool { return t.Indexes[i].Name < t.Indexes[j].Name })
}

// edit replaces every column of t by f of it; t is a clone.
func (t *Table) edit(f func(*Column) *Column) (changed bool) {
	for _, list := range [][]*Column{t.PartitionKey, t.Clustering, t.Static, t.Regular} {
		for i, c := range list {
			list[i] = f(c)
			changed = changed || list[i] != c
		}
	}
	return changed
}

// withUDT returns t with the new form of a user type in all columns that use it, or t itself.
func (t *Table) withUDT(u *UserType) *Table {
	n := t.clone()
	changed := n.edit(func(c *Column) *Column {
		typ := replaceUDT(c.Type, u)
		if typ == c.Type {
			return c
		}
		d := *c
		d.Type = typ
		return &d
	})
	if !changed {
		return t
	}
	n.Finish()
	return n
}

// replaceUDT returns t with u in the place of every type of its name, frozen where it was; t itself when there is none.
func replaceUDT(t *types.Type, u *UserType) *types.Type {
	if t.Kind == types.UDT && t.Keyspace == u.Keyspace && t.Name == u.Name {
		if t.Frozen {
			return u.Freeze()
		}
		return u
	}
	var elems []*types.Type
	for i, e := range t.Elems {
		if r := replaceUDT(e, u); r != e {
			if elems == nil {
				elems = append(elems, t.Elems...)
			}
			elems[i] = r
		}
	}
	if elems == nil {
		return t
	}
	n := *t
	n.Elems = elems
	return &n
}

// nameLess is the order of columns in SELECT *: the first eight bytes as a signed number, so that names that do not begin
// with an ASCII letter stand first, then the rest byte by byte. Source: org.apache.cassandra.cql3.ColumnIdentifier.compareTo.
func nameLess(a, b string) bool {
	if x, y := namePrefix(a), namePrefix(b); x != y {
		return x < y
	}
	return a < b
}

func namePrefix(name string) int64 {
	var b [8]byte
	copy(b[:], name)
	return int64(binary.BigEndian.Uint64(b[:]))
}

// localSystem are the keyspaces that every node keeps for itself, virtualSystem those that it makes when they are read,
// replicatedSystem those that have a replication of their own. Source: org.apache.cassandra.schema.SchemaConstants.
const (
	localSystem      = " system system_schema "
	virtualSystem    = " system_views system_virtual_schema "
	replicatedSystem = " system_auth system_distributed system_traces "
)

func listed(list, name string) bool {
	return name != "" && !strings.Contains(name, " ") && strings.Contains(list, " "+name+" ")
}

func isLocalSystem(name string) bool      { return listed(localSystem, name) }
func isVirtualSystem(name string) bool    { return listed(virtualSystem, name) }
func isReplicatedSystem(name string) bool { return listed(replicatedSystem, name) }

// IsSystem reports whether name is a keyspace that the server itself defines.
func IsSystem(name string) bool {
	return isLocalSystem(name) || isVirtualSystem(name) || isReplicatedSystem(name)
}
