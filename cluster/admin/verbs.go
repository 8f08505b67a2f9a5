package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
)

// verb is one thing that can be asked of a node.
type verb struct {
	// call decodes the arguments and carries the verb out. What it returns is encoded as JSON; nil stands for {}.
	call func(ctx context.Context, n Node, body []byte) (any, error)
	// changes says that the verb is worth a line in the log; detached that it goes on when its caller leaves.
	changes, detached bool
}

// verbs are all there are, by name.
var verbs = map[string]verb{
	"version":                 {call: with(version)},
	"info":                    {call: with(info)},
	"status":                  {call: with(status)},
	"flush":                   {call: with(flush), changes: true, detached: true},
	"drain":                   {call: with(drain), changes: true, detached: true},
	"tablestats":              {call: with(tableStats)},
	"tablehistograms":         {call: with(tableHistograms)},
	"compact":                 {call: with(compact), changes: true, detached: true},
	"scrub":                   {call: with(rewrite("scrub")), changes: true, detached: true},
	"upgradesstables":         {call: with(rewrite("upgradesstables")), changes: true, detached: true},
	"garbagecollect":          {call: with(rewrite("garbagecollect")), changes: true, detached: true},
	"verify":                  {call: with(verify)},
	"compactionstats":         {call: with(compactionStats)},
	"compactionhistory":       {call: with(compactionHistory)},
	"getcompactionthroughput": {call: with(getThroughput)},
	"setcompactionthroughput": {call: with(setThroughput), changes: true},
	"enableautocompaction":    {call: with(autoCompaction(true)), changes: true},
	"disableautocompaction":   {call: with(autoCompaction(false)), changes: true},
	"statusautocompaction":    {call: with(autoCompactions)},
	"stop":                    {call: with(stopCompactions), changes: true},
	"getconcurrentcompactors": {call: with(getCompactors)},
	"setconcurrentcompactors": {call: with(setCompactors), changes: true},
	"getcompactionthreshold":  {call: with(compactionThresholds)},
	"cleanup":                 {call: with(cleanup), changes: true, detached: true},
	"forcecompact":            {call: with(forceCompact), changes: true, detached: true},
	"invalidatekeycache":      {call: with(invalidate(KeyCache)), changes: true},
	"invalidaterowcache":      {call: with(invalidate(RowCache)), changes: true},
	"snapshot":                {call: with(snapshot), changes: true, detached: true},
	"listsnapshots":           {call: with(listSnapshots)},
	"clearsnapshot":           {call: with(clearSnapshot), changes: true, detached: true},
	"import":                  {call: with(importTables), changes: true, detached: true},
}

// Verbs returns the names of all verbs, sorted.
func Verbs() []string { return slices.Sorted(maps.Keys(verbs)) }

// with makes a verb's function of one that takes decoded arguments. A name that the arguments do not have is an error.
func with[A any](f func(ctx context.Context, n Node, a A) (any, error)) func(context.Context, Node, []byte) (any, error) {
	return func(ctx context.Context, n Node, body []byte) (any, error) {
		var a A
		if len(bytes.TrimSpace(body)) > 0 {
			d := json.NewDecoder(bytes.NewReader(body))
			d.DisallowUnknownFields()
			if err := d.Decode(&a); err != nil {
				return nil, Argument("arguments: %v", err)
			}
			if d.More() {
				return nil, Argument("arguments: more than one object")
			}
		}
		return f(ctx, n, a)
	}
}

// Nothing is the arguments of a verb that takes none.
type Nothing struct{}

// Names are the tables that a verb is for: all of all keyspaces, all of a keyspace, or some of it.
type Names struct {
	Keyspace string   `json:"keyspace,omitempty"`
	Tables   []string `json:"tables,omitempty"`
}

// unknownTable is the text about a table that is not there.
const unknownTable = "Unknown keyspace/cf pair (%s.%s)"

// find returns the tables, in the order of their keyspaces and names; missing makes the error of one that is not there.
func (n *Names) find(s *schema.Snapshot, missing func(format string, args ...any) error) ([]*schema.Table, error) {
	if n.Keyspace == "" {
		var out []*schema.Table
		for _, ks := range slices.Sorted(maps.Keys(s.Keyspaces)) {
			out = append(out, stored(s.Keyspaces[ks])...)
		}
		return out, nil
	}
	ks := s.Keyspaces[n.Keyspace]
	if ks == nil {
		return nil, Argument("Keyspace [%s] does not exist.", n.Keyspace)
	}
	if len(n.Tables) == 0 {
		return stored(ks), nil
	}
	var out []*schema.Table
	for _, name := range n.Tables {
		t := ks.Tables[name]
		if t == nil {
			return nil, missing(unknownTable, n.Keyspace, name)
		}
		if !t.Virtual && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out, nil
}

// stored returns the tables of a keyspace that have data, sorted by name.
func stored(ks *schema.Keyspace) []*schema.Table {
	var out []*schema.Table
	for _, name := range slices.Sorted(maps.Keys(ks.Tables)) {
		if t := ks.Tables[name]; !t.Virtual {
			out = append(out, t)
		}
	}
	return out
}

func flush(ctx context.Context, n Node, a Names) (any, error) {
	tables, err := a.find(n.Schema(), Refused)
	if err != nil {
		return nil, err
	}
	return nil, n.Flush(ctx, tables)
}

func drain(ctx context.Context, n Node, _ Nothing) (any, error) { return nil, n.Drain(ctx) }

// CompactArguments are those of compact.
type CompactArguments struct {
	Names
	Compact
}

func compact(ctx context.Context, n Node, a CompactArguments) (any, error) {
	if a.UserDefined {
		if len(a.Files) == 0 {
			return nil, Argument("name the files of a user-defined compaction")
		}
		return nil, n.Compact(ctx, a.Compact, nil)
	}
	if a.SplitOutput && (a.StartToken != "" || a.EndToken != "") {
		return nil, Argument("Invalid option combination: Can not use split-output here")
	}
	tables, err := a.find(n.Schema(), Refused)
	if err != nil {
		return nil, err
	}
	return nil, n.Compact(ctx, a.Compact, tables)
}

// RewriteArguments are those of scrub, upgradesstables and garbagecollect.
type RewriteArguments struct {
	Names
	Rewrite
}

func rewrite(kind string) func(context.Context, Node, RewriteArguments) (any, error) {
	return func(ctx context.Context, n Node, a RewriteArguments) (any, error) {
		tables, err := a.find(n.Schema(), Refused)
		if err != nil {
			return nil, err
		}
		a.Kind = kind
		return nil, n.Rewrite(ctx, a.Rewrite, tables)
	}
}

// VerifyArguments are those of verify.
type VerifyArguments struct {
	Names
	Verify
}

func verify(ctx context.Context, n Node, a VerifyArguments) (any, error) {
	tables, err := a.find(n.Schema(), Refused)
	if err != nil {
		return nil, err
	}
	return nil, n.VerifyTables(ctx, a.Verify, tables)
}

func compactionStats(_ context.Context, n Node, _ Nothing) (any, error) { return n.CompactionStats() }

// CompactionHistory is the answer to compactionhistory.
type CompactionHistory struct {
	Compactions []Compaction `json:"compactions"`
}

func compactionHistory(_ context.Context, n Node, _ Nothing) (any, error) {
	list, err := n.CompactionHistory()
	return CompactionHistory{list}, err
}

// Throughput is a limit in MiB a second, 0 for none.
type Throughput struct {
	MiB float64 `json:"mib"`
}

func getThroughput(_ context.Context, n Node, _ Nothing) (any, error) {
	mib, err := n.CompactionThroughput()
	return Throughput{mib}, err
}

func setThroughput(_ context.Context, n Node, a Throughput) (any, error) {
	if a.MiB < 0 || a.MiB != float64(int(a.MiB)) || a.MiB > 1<<20 {
		return nil, Argument("a throughput of %v MiB/s", a.MiB)
	}
	return nil, n.SetCompactionThroughput(int(a.MiB))
}

func autoCompaction(on bool) func(context.Context, Node, Names) (any, error) {
	return func(_ context.Context, n Node, a Names) (any, error) {
		tables, err := a.find(n.Schema(), Argument)
		if err != nil {
			return nil, err
		}
		return nil, n.SetAutoCompaction(on, tables)
	}
}

func invalidate(kind CacheKind) func(context.Context, Node, Nothing) (any, error) {
	return func(_ context.Context, n Node, _ Nothing) (any, error) { return nil, n.InvalidateCache(kind) }
}

// SnapshotArguments are those of snapshot: all keyspaces, some, one table of one (Table), or a list of keyspace.table (List).
type SnapshotArguments struct {
	Tag       string   `json:"tag"`
	Keyspaces []string `json:"keyspaces,omitempty"`
	Table     string   `json:"table,omitempty"`
	List      []string `json:"list,omitempty"`
	SkipFlush bool     `json:"skip_flush,omitempty"`
	TTL       int64    `json:"ttl,omitempty"` // seconds; 0: stays
}

func snapshot(ctx context.Context, n Node, a SnapshotArguments) (any, error) {
	if a.Tag == "" {
		return nil, Refused("You must supply a snapshot name.")
	}
	if strings.Contains(a.Tag, "/") {
		return nil, Refused("Snapshot name cannot contain /")
	}
	if a.Tag == "." || a.Tag == ".." || strings.ContainsFunc(a.Tag, unfit) || len(a.Tag) > maxTag {
		return nil, Refused("Snapshot name %q cannot be the name of a folder", a.Tag)
	}
	tables, err := a.tables(n.Schema())
	if err != nil {
		return nil, err
	}
	return nil, n.Snapshot(ctx, a.Tag, a.SkipFlush, time.Duration(a.TTL)*time.Second, tables)
}

// maxTag bounds the name of a snapshot, in bytes.
const maxTag = 200

// unfit reports whether a character may not be in the name of a folder.
func unfit(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }

// tables returns the tables to make a snapshot of.
func (a *SnapshotArguments) tables(s *schema.Snapshot) ([]*schema.Table, error) {
	switch {
	case len(a.List) > 0 && len(a.Keyspaces) > 0:
		return nil, Refused("When specifying the Keyspace table list (using -kt,--kt-list,-kc,--kc.list), you must not also specify keyspaces to snapshot")
	case a.Table != "" && len(a.Keyspaces) != 1:
		return nil, Refused("When specifying the table for a snapshot, you must specify one and only one keyspace")
	case len(a.List) > 0:
		return listed(s, a.List)
	case len(a.Keyspaces) == 0:
		return (&Names{}).find(s, Argument)
	}
	var out []*schema.Table
	for _, name := range a.Keyspaces {
		ks := s.Keyspaces[name]
		switch {
		case ks == nil:
			return nil, Argument("Keyspace %s does not exist", name)
		case a.Table == "":
			out = append(out, stored(ks)...)
		case ks.Tables[a.Table] == nil:
			return nil, Argument(unknownTable, name, a.Table)
		default:
			out = append(out, ks.Tables[a.Table])
		}
	}
	return out, nil
}

// listed returns the tables of names with their keyspaces.
func listed(s *schema.Snapshot, names []string) ([]*schema.Table, error) {
	var out []*schema.Table
	for _, name := range names {
		ks, table, ok := strings.Cut(name, ".")
		if !ok {
			return nil, Argument("%q is not a keyspace.table", name)
		}
		t, err := (&Names{Keyspace: ks, Tables: []string{table}}).find(s, Argument)
		if err != nil {
			return nil, err
		}
		out = append(out, t...)
	}
	return out, nil
}

// Snapshots is the answer to listsnapshots.
type Snapshots struct {
	Snapshots []Snapshot `json:"snapshots"`
}

func listSnapshots(_ context.Context, n Node, _ Nothing) (any, error) {
	list, err := n.ListSnapshots()
	return Snapshots{list}, err
}

// ClearArguments are those of clearsnapshot.
type ClearArguments struct {
	Tag       string   `json:"tag,omitempty"` // "" with All
	All       bool     `json:"all,omitempty"`
	Keyspaces []string `json:"keyspaces,omitempty"`  // empty: all
	OlderThan int64    `json:"older_than,omitempty"` // milliseconds since 1970; 0: of any age
}

func clearSnapshot(_ context.Context, n Node, a ClearArguments) (any, error) {
	switch {
	case a.Tag == "" && !a.All:
		return nil, Argument("Specify snapshot name or --all")
	case a.Tag != "" && a.All:
		return nil, Argument("Specify only one of snapshot name or --all")
	}
	return nil, n.ClearSnapshots(func(s *Snapshot) bool {
		return (a.All || s.Tag == a.Tag) && (len(a.Keyspaces) == 0 || slices.Contains(a.Keyspaces, s.Keyspace)) &&
			(a.OlderThan == 0 || s.Created < a.OlderThan)
	})
}

// ImportArguments are those of import.
type ImportArguments struct {
	Keyspace string `json:"keyspace"`
	Table    string `json:"table"`
	Import
}

func importTables(ctx context.Context, n Node, a ImportArguments) (any, error) {
	var t *schema.Table
	if ks := n.Schema().Keyspaces[a.Keyspace]; ks != nil {
		t = ks.Tables[a.Table]
	}
	if t == nil {
		return nil, Argument(unknownTable, a.Keyspace, a.Table)
	}
	if len(a.Directories) == 0 && !a.Refresh {
		return nil, Argument("import requires keyspace, table name and directories")
	}
	return n.Import(ctx, a.Import, t)
}
