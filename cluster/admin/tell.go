package admin

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
)

// Version is the answer to version.
type Version struct {
	Release string `json:"release_version"`
}

func version(context.Context, Node, Nothing) (any, error) { return Version{cql.ReleaseVersion}, nil }

func info(_ context.Context, n Node, _ Nothing) (any, error) { return n.Info() }

// StatusArguments are those of status.
type StatusArguments struct {
	Keyspace string `json:"keyspace,omitempty"`
}

func status(_ context.Context, n Node, a StatusArguments) (any, error) {
	if a.Keyspace != "" && n.Schema().Keyspaces[a.Keyspace] == nil {
		return nil, Argument("The keyspace %s, does not exist", a.Keyspace)
	}
	return n.Status(a.Keyspace)
}

// StatsArguments are those of tablestats: names of keyspaces and of tables, keyspace.table; with Ignore all but these.
type StatsArguments struct {
	Names  []string `json:"names,omitempty"`
	Ignore bool     `json:"ignore,omitempty"`
}

// AllTableStats is the answer to tablestats, sorted by keyspace and table.
type AllTableStats struct {
	Tables []TableStats `json:"tables"`
}

func tableStats(_ context.Context, n Node, a StatsArguments) (any, error) {
	s := n.Schema()
	named, err := a.named(s)
	if err != nil {
		return nil, err
	}
	all, err := (&Names{}).find(s, Argument)
	if err != nil {
		return nil, err
	}
	out := AllTableStats{Tables: []TableStats{}}
	for _, t := range all {
		if len(a.Names) > 0 && named[t] == a.Ignore {
			continue
		}
		st, err := n.TableStats(t)
		if err != nil {
			return nil, err
		}
		out.Tables = append(out.Tables, st)
	}
	return out, nil
}

// named returns the tables that are named.
func (a *StatsArguments) named(s *schema.Snapshot) (map[*schema.Table]bool, error) {
	out := map[*schema.Table]bool{}
	for _, name := range a.Names {
		ksName, table, one := strings.Cut(name, ".")
		ks := s.Keyspaces[ksName]
		switch {
		case ks == nil:
			return nil, Argument("Unknown keyspace: %s", ksName)
		case !one:
			for _, t := range stored(ks) {
				out[t] = true
			}
		case ks.Tables[table] == nil:
			return nil, Argument("Unknown tables: [%s] in keyspace: %s", table, ksName)
		default:
			out[ks.Tables[table]] = true
		}
	}
	return out, nil
}

// HistogramsArguments are those of tablehistograms: one table, or all when there is no name.
type HistogramsArguments struct {
	Keyspace string `json:"keyspace,omitempty"`
	Table    string `json:"table,omitempty"`
}

// AllHistograms is the answer to tablehistograms.
type AllHistograms struct {
	Tables []TableHistograms `json:"tables"`
}

func tableHistograms(_ context.Context, n Node, a HistogramsArguments) (any, error) {
	s := n.Schema()
	var tables []*schema.Table
	if a.Keyspace == "" && a.Table == "" {
		for _, name := range slices.Sorted(maps.Keys(s.Keyspaces)) {
			tables = append(tables, stored(s.Keyspaces[name])...)
		}
	} else {
		ks := s.Keyspaces[a.Keyspace]
		if ks == nil || ks.Tables[a.Table] == nil {
			return nil, Argument("Unknown table %s.%s", a.Keyspace, a.Table)
		}
		tables = append(tables, ks.Tables[a.Table])
	}
	out := AllHistograms{Tables: []TableHistograms{}}
	for _, t := range tables {
		h, err := n.TableHistograms(t)
		if err != nil {
			return nil, err
		}
		out.Tables = append(out.Tables, h)
	}
	return out, nil
}
