package system

import (
	"net/netip"

	"github.com/helenusdb/helenus/cql/schema"
)

// Source is what the tables tell of the node and its peers. Its methods may be called from any goroutine; what they return is
// not changed afterwards by either side.
type Source interface {
	Schema() *schema.Snapshot
	Local() Local
	Peers() []Peer
	// Settings are the values that differ from DefaultSettings, by name.
	Settings() map[string]string
	Clients() []Client
	ThreadPools() []ThreadPool
	Caches() []Cache
	Metrics() Metrics
	Prepared() []Prepared
	Compactions() []Compaction
	Tasks() []Task
}

// Local is the row of system.local.
type Local struct {
	Bootstrapped     string // COMPLETED, IN_PROGRESS, NEEDS_BOOTSTRAP or DECOMMISSIONED
	Broadcast        netip.AddrPort
	Listen           netip.AddrPort
	RPC              netip.AddrPort // where clients connect
	ClusterName      string
	DataCenter, Rack string
	GossipGeneration int32 // seconds since 1970 of the start
	HostID           schema.UUID
	Partitioner      string // the full Java class
	Tokens           []string
	TruncatedAt      map[schema.UUID][]byte
}

// Peer is a row of system.peers and peers_v2.
type Peer struct {
	Peer             netip.AddrPort
	Native           netip.AddrPort
	Preferred        netip.AddrPort // zero when there is none
	DataCenter, Rack string
	HostID           schema.UUID
	ReleaseVersion   string
	SchemaVersion    schema.UUID
	Tokens           []string
}

// Client is a row of system_views.clients.
type Client struct {
	Address                netip.AddrPort
	Hostname, Username     string
	Stage                  string // "ready" past STARTUP
	ProtocolVersion        int32
	Options                map[string]string // of STARTUP
	DriverName             string
	DriverVersion          string
	Requests               int64
	SSL                    bool
	SSLProtocol, SSLCipher string
	Keyspace               string
}

// ThreadPool is a row of system_views.thread_pools.
type ThreadPool struct {
	Name                    string
	Active, ActiveLimit     int32
	Pending                 int32
	Completed               int64
	Blocked, BlockedAllTime int64
}

// Cache is a row of system_views.caches.
type Cache struct {
	Name                                         string // counters, keys or rows
	CapacityBytes, SizeBytes                     int64
	Entries                                      int32
	Requests, Hits                               int64
	RecentRequestsPerSecond, RecentHitsPerSecond int64
}

// Metrics are the rows of system_views.cql_metrics.
type Metrics struct {
	PreparedCount, PreparedEvicted, PreparedExecuted, RegularExecuted float64
	PreparedRatio                                                     float64
}

// Prepared is a row of system.prepared_statements.
type Prepared struct {
	ID              []byte
	Keyspace, Query string
}
