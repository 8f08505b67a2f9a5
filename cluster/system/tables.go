package system

import (
	"context"
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/row"
)

// Row is one row of a generated table: the values of all columns in the order of SELECT *, nil for null, collections in wire
// form.
type Row [][]byte

// Tables makes the rows of the tables that are not stored. It has no state of its own and is safe for concurrent use.
type Tables struct {
	source Source
	ring   token.Partitioner
}

// New returns the tables of a node; p is the cluster's partitioner.
func New(source Source, p token.Partitioner) *Tables { return &Tables{source, p} }

// Read answers a read of a table that is not stored; rows that are made at once are not waited for, so ctx only ends what was
// not begun.
func (t *Tables) Read(ctx context.Context, r *request.Read) (row.Iterator, error) {
	rows, err := t.Rows(ctx, r.Table)
	if err != nil {
		return nil, err
	}
	return NewIterator(t.ring, rows, r), nil
}

// Rows returns all rows of a table that is not stored, in no order; none for a table that shows what the node does not have.
func (t *Tables) Rows(ctx context.Context, table *schema.Table) ([]Row, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if Stored(table) {
		return nil, cql.Serverf("%s.%s is not generated", table.Keyspace, table.Name)
	}
	switch table.Keyspace {
	case "system_schema":
		rows, _ := schema.SystemRows(t.source.Schema(), table.Name)
		return asRows(rows), nil
	case "system_virtual_schema":
		rows, _ := schema.VirtualRows(t.source.Schema(), table.Name)
		return asRows(rows), nil
	}
	if make := makers[table.Keyspace+"."+table.Name]; make != nil {
		var rows []Row
		make(t.source, func(values record) { rows = append(rows, values.row(table)) })
		return rows, nil
	}
	return nil, nil
}

func asRows(rows [][][]byte) []Row {
	all := make([]Row, len(rows))
	for i, r := range rows {
		all[i] = r
	}
	return all
}

// record is a row by the names of its columns.
type record map[string][]byte

func (r record) row(t *schema.Table) Row {
	columns := t.AllColumns()
	values := make(Row, len(columns))
	for i, c := range columns {
		values[i] = r[c.Name]
	}
	return values
}

// makers yield the rows of the tables that are not empty.
var makers = map[string]func(Source, func(record)){
	"system.local":               local,
	"system.peers":               peers,
	"system.peers_v2":            peersV2,
	"system.IndexInfo":           indexInfo,
	"system.compaction_history":  compactionHistory,
	"system.prepared_statements": prepared,
	"system_views.settings":      settings,
	"system_views.clients":       clients,
	"system_views.thread_pools":  threadPools,
	"system_views.caches":        caches,
	"system_views.cql_metrics":   metrics,
	"system_views.sstable_tasks": tasks,
}

func local(s Source, yield func(record)) {
	l := s.Local()
	version := s.Schema().Version
	yield(record{
		"key":                     []byte("local"),
		"bootstrapped":            text(l.Bootstrapped),
		"broadcast_address":       inet(l.Broadcast),
		"broadcast_port":          port(l.Broadcast),
		"cluster_name":            text(l.ClusterName),
		"cql_version":             text(cql.LanguageVersion),
		"data_center":             text(l.DataCenter),
		"gossip_generation":       integer(l.GossipGeneration),
		"host_id":                 l.HostID[:],
		"listen_address":          inet(l.Listen),
		"listen_port":             port(l.Listen),
		"native_protocol_version": text(strings.SplitN(cql.V5.String(), "/", 2)[0]),
		"partitioner":             text(l.Partitioner),
		"rack":                    text(l.Rack),
		"release_version":         text(cql.ReleaseVersion),
		"rpc_address":             inet(l.RPC),
		"rpc_port":                port(l.RPC),
		"schema_version":          version[:],
		"tokens":                  textSet(l.Tokens),
		"truncated_at":            truncations(l.TruncatedAt),
	})
}

func peers(s Source, yield func(record)) {
	for _, p := range s.Peers() {
		yield(record{
			"peer":            inet(p.Peer),
			"data_center":     text(p.DataCenter),
			"host_id":         p.HostID[:],
			"preferred_ip":    inet(p.Preferred),
			"rack":            text(p.Rack),
			"release_version": text(p.ReleaseVersion),
			"rpc_address":     inet(p.Native),
			"schema_version":  p.SchemaVersion[:],
			"tokens":          textSet(p.Tokens),
		})
	}
}

func peersV2(s Source, yield func(record)) {
	for _, p := range s.Peers() {
		yield(record{
			"peer":            inet(p.Peer),
			"peer_port":       port(p.Peer),
			"data_center":     text(p.DataCenter),
			"host_id":         p.HostID[:],
			"native_address":  inet(p.Native),
			"native_port":     port(p.Native),
			"preferred_ip":    inet(p.Preferred),
			"preferred_port":  port(p.Preferred),
			"rack":            text(p.Rack),
			"release_version": text(p.ReleaseVersion),
			"schema_version":  p.SchemaVersion[:],
			"tokens":          textSet(p.Tokens),
		})
	}
}

// indexInfo shows all indexes of users as built: they are built with their table.
func indexInfo(s Source, yield func(record)) {
	snapshot := s.Schema()
	for _, n := range snapshot.KeyspaceNames() {
		for _, t := range snapshot.Keyspaces[n].Tables {
			for _, x := range t.Indexes {
				if !schema.IsSystem(n) {
					yield(record{"table_name": []byte(n), "index_name": []byte(x.Name)})
				}
			}
		}
	}
}

func prepared(s Source, yield func(record)) {
	for _, p := range s.Prepared() {
		yield(record{"prepared_id": p.ID, "logged_keyspace": text(p.Keyspace), "query_string": []byte(p.Query)})
	}
}

// settingsText is what a node shows that was given only what is mandatory: a name and a value a line, "null" for null
// and two quotes for an empty text. Source: system_views.settings of Cassandra 5.0.6.
//
//go:embed settings.txt
var settingsText string

// DefaultSettings returns system_views.settings of a node that was given only what is mandatory; a nil value is null. The
// caller owns the map.
func DefaultSettings() map[string]*string { return maps.Clone(defaultSettings()) }

var defaultSettings = sync.OnceValue(func() map[string]*string {
	m := make(map[string]*string)
	for line := range strings.Lines(settingsText) {
		name, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch v {
		case "null":
			m[name] = nil
			continue
		case "''":
			v = ""
		}
		m[name] = &v
	}
	return m
})

func settings(s Source, yield func(record)) {
	all := DefaultSettings()
	for name, v := range s.Settings() {
		all[name] = &v
	}
	for name, v := range all {
		r := record{"name": []byte(name)}
		if v != nil {
			r["value"] = []byte(*v)
		}
		yield(r)
	}
}

func clients(s Source, yield func(record)) {
	for _, c := range s.Clients() {
		yield(record{
			"address":          inet(c.Address),
			"port":             port(c.Address),
			"client_options":   textMap(c.Options),
			"connection_stage": text(c.Stage),
			"driver_name":      text(c.DriverName),
			"driver_version":   text(c.DriverVersion),
			"hostname":         text(c.Hostname),
			"keyspace_name":    text(c.Keyspace),
			"protocol_version": integer(c.ProtocolVersion),
			"request_count":    long(c.Requests),
			"ssl_cipher_suite": text(c.SSLCipher),
			"ssl_enabled":      types.AppendBool(nil, c.SSL),
			"ssl_protocol":     text(c.SSLProtocol),
			"username":         text(c.Username),
		})
	}
}

func threadPools(s Source, yield func(record)) {
	for _, p := range s.ThreadPools() {
		yield(record{
			"name":                   text(p.Name),
			"active_tasks":           integer(p.Active),
			"active_tasks_limit":     integer(p.ActiveLimit),
			"blocked_tasks":          long(p.Blocked),
			"blocked_tasks_all_time": long(p.BlockedAllTime),
			"completed_tasks":        long(p.Completed),
			"pending_tasks":          integer(p.Pending),
		})
	}
}

func caches(s Source, yield func(record)) {
	for _, c := range s.Caches() {
		// The ratio of a cache that nobody asked is NaN, as in Cassandra.
		yield(record{
			"name":                           text(c.Name),
			"capacity_bytes":                 long(c.CapacityBytes),
			"entry_count":                    integer(c.Entries),
			"hit_count":                      long(c.Hits),
			"hit_ratio":                      double(float64(c.Hits) / float64(c.Requests)),
			"recent_hit_rate_per_second":     long(c.RecentHitsPerSecond),
			"recent_request_rate_per_second": long(c.RecentRequestsPerSecond),
			"request_count":                  long(c.Requests),
			"size_bytes":                     long(c.SizeBytes),
		})
	}
}

func metrics(s Source, yield func(record)) {
	m := s.Metrics()
	for name, v := range map[string]float64{
		"prepared_statements_count":    m.PreparedCount,
		"prepared_statements_evicted":  m.PreparedEvicted,
		"prepared_statements_executed": m.PreparedExecuted,
		"prepared_statements_ratio":    m.PreparedRatio,
		"regular_statements_executed":  m.RegularExecuted,
	} {
		yield(record{"name": []byte(name), "value": double(v)})
	}
}

// truncations returns a map<uuid, blob>.
func truncations(m map[schema.UUID][]byte) []byte {
	if len(m) == 0 {
		return nil
	}
	ids := slices.SortedFunc(maps.Keys(m), func(a, b schema.UUID) int { return types.TUUID.Compare(a[:], b[:]) })
	v := types.AppendCount(nil, len(ids))
	for _, id := range ids {
		v = types.AppendElement(types.AppendElement(v, id[:]), m[id])
	}
	return v
}
