// Package cluster is a node: it owns the schema and its log, the ring, the storage engine and the coordinator, starts and stops
// them, and is the Writer that planner/exec calls. Its noun is the Node.
//
// Floor: above storage and the packages below cluster; it never sees parser or session. Source:
// org.apache.cassandra.service.CassandraDaemon, StorageService; cluster.md 1 to 4.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/helenusdb/helenus/cluster/coordinator"
	"github.com/helenusdb/helenus/cluster/replica"
	"github.com/helenusdb/helenus/cluster/ring"
	"github.com/helenusdb/helenus/cluster/system"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/commitlog"
	"github.com/helenusdb/helenus/storage/vfs"
)

// Timeouts are how long a coordinator waits for replicas.
type Timeouts = coordinator.Timeouts

// Options say what node to open. FS, Partitioner and Log must be set.
type Options struct {
	// FS holds the folder Dir; a file system in memory and Dir "" make a node that forgets.
	FS  vfs.FS
	Dir string
	// Storage is for the engine; its folder is the node's.
	Storage storage.Options

	ClusterName   string
	DC, Rack      string
	Snitch        string // a class name, shown by DESCRIBE CLUSTER
	NumTokens     int
	InitialTokens []string
	Partitioner   token.Partitioner
	// Internode is the address that peers know the node by, Native the one that clients use.
	Internode, Native netip.AddrPort

	Snapshots         SnapshotOptions
	Timeouts          Timeouts
	DefaultKeyspaceRF int
	Log               *slog.Logger
}

// Node is one member of a cluster. All methods are safe for concurrent use, but for Close.
type Node struct {
	opts    Options
	id      *identity
	self    *ring.Node
	topo    *ring.Topology
	engine  *storage.Engine
	journal *commitlog.Journal
	lock    io.Closer // of the folder; nil in memory
	coord   *coordinator.Coordinator
	tables  *system.Tables
	started time.Time
	clock   micros
	uuids   *timeUUIDs
	facts   atomic.Pointer[Facts]

	state atomic.Pointer[state]

	// stop ends what runs in the background, and background waits for it. Both are nil before the engine is open.
	stop       chan struct{}
	background sync.WaitGroup
	// drain is what is stopped before the tables are flushed for good.
	drain atomic.Pointer[func(context.Context) error]

	// mu serializes changes of the schema and of what else the journal holds.
	mu        sync.Mutex
	listeners []func(schema.Event)
	truncated atomic.Pointer[map[schema.UUID][]byte]
}

// state is what changes with the schema, published as one.
type state struct {
	snapshot   *schema.Snapshot
	placements map[string]*ring.Placement // by keyspace
}

// journalName is the file of the node's identity and of the schema's epochs, in the node's folder.
const journalName = "metadata.log"

// lockName is the file that keeps a second process out of the folder.
const lockName = "node.lock"

// The kinds of records in the journal, in a record's first byte.
const (
	recordIdentity byte = iota + 1
	recordSchema
)

// Open brings a node up to the point where it can answer: identity, schema, data. The folder is created when it is not there.
func Open(o Options) (*Node, error) {
	n := &Node{opts: o, started: time.Now()}
	random := newRandom()
	n.uuids = newTimeUUIDs(random)
	if err := o.FS.MkdirAll(o.Dir); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if o.Dir != "" {
		lock, err := o.FS.Lock(path.Join(o.Dir, lockName))
		if err != nil {
			return nil, fmt.Errorf("data folder %s is in use by another process: %w", o.Dir, err)
		}
		n.lock = lock
	}
	journal, records, err := commitlog.OpenJournal(o.FS, path.Join(o.Dir, journalName))
	if err != nil {
		return nil, errors.Join(err, n.unlock())
	}
	n.journal = journal
	if err := n.open(records, func() (*identity, error) { return newIdentity(&o, random) }); err != nil {
		return nil, errors.Join(err, journal.Close(), n.unlock())
	}
	return n, nil
}

func (n *Node) open(records [][]byte, create func() (*identity, error)) error {
	var err error
	if len(records) == 0 {
		if n.id, err = create(); err != nil {
			return err
		}
		b, err := n.id.encode()
		if err != nil {
			return err
		}
		if err := n.journal.Append(append([]byte{recordIdentity}, b...)); err != nil {
			return err
		}
	}
	snapshot := schema.NewSnapshot(system.Keyspaces()...)
	for i, rec := range records {
		if snapshot, err = n.replay(snapshot, rec, i); err != nil {
			return fmt.Errorf("%s, record %d: %w", journalName, i, err)
		}
	}
	if n.id == nil {
		return fmt.Errorf("%s: the node's identity is missing", journalName)
	}
	if err := n.id.check(&n.opts); err != nil {
		return err
	}
	if err := n.makeSelf(); err != nil {
		return err
	}
	if err := n.publish(snapshot); err != nil {
		return err
	}
	return n.openEngine(snapshot)
}

// replay takes one record of the journal.
func (n *Node) replay(s *schema.Snapshot, rec []byte, i int) (*schema.Snapshot, error) {
	switch {
	case len(rec) == 0:
		return nil, errors.New("empty record")
	case rec[0] == recordIdentity && i == 0:
		id, err := decodeIdentity(rec[1:])
		n.id = id
		return s, err
	case rec[0] == recordSchema:
		c, err := schema.DecodeChange(rec[1:])
		if err != nil {
			return nil, err
		}
		return schema.Apply(s, c)
	}
	return nil, fmt.Errorf("unknown kind %d", rec[0])
}

func (n *Node) makeSelf() error {
	host, err := parseUUID(n.id.HostID)
	if err != nil {
		return err
	}
	tokens, err := n.id.tokens(n.opts.Partitioner)
	if err != nil {
		return err
	}
	n.self = &ring.Node{
		ID: host, Internode: n.opts.Internode, Native: n.opts.Native, DC: n.opts.DC, Rack: n.opts.Rack, Tokens: tokens,
	}
	n.topo = ring.New([]*ring.Node{n.self})
	n.facts.Store(&Facts{})
	return nil
}

func (n *Node) openEngine(snapshot *schema.Snapshot) error {
	o := n.opts.Storage
	o.Partitioner, o.FS, o.HostID, o.Log = n.opts.Partitioner, n.opts.FS, &n.self.ID, n.opts.Log
	engine, err := storage.Open(n.opts.Dir, o)
	if err != nil {
		return err
	}
	n.engine = engine
	stats, err := engine.Replay(snapshot)
	if err != nil {
		return errors.Join(err, engine.Close())
	}
	for _, lost := range stats.Lost {
		n.opts.Log.Warn("A table on disk that no edit of the manifest names was put away", slog.String("files", lost))
	}
	if stats.Records > 0 {
		n.opts.Log.Info("Replayed the commit log", slog.Int("segments", stats.Segments), slog.Int("mutations", stats.Mutations),
			slog.Int("flushed", stats.Truncated), slog.Int("unknown_table", stats.Unknown), slog.Int("torn_bytes", stats.TornBytes),
			slog.Int64("took_ms", time.Since(n.started).Milliseconds()))
	}
	engine.SetHooks(n.hooks())
	n.stop = make(chan struct{})
	if n.opts.Dir != "" {
		n.background.Go(func() { n.expireSnapshots(n.stop) })
	}
	local := replica.New(engine, n.self.ID, n.clock.next)
	n.coord = coordinator.New(n.self, local, alone{}, wall{}, n.opts.Timeouts)
	n.tables = system.New(source{n}, n.opts.Partitioner)
	return nil
}

// alone is the network of a cluster of one node.
type alone struct{}

func (alone) Replica(x *ring.Node) coordinator.Replica {
	panic(fmt.Sprintf("no way to node %v: this node is alone", x.Internode))
}

func (alone) Alive(*ring.Node) bool { return false }

// publish makes a snapshot the current one, with the placements of its keyspaces.
func (n *Node) publish(s *schema.Snapshot) error {
	st := &state{snapshot: s, placements: make(map[string]*ring.Placement, len(s.Keyspaces))}
	for name, ks := range s.Keyspaces {
		strategy := &ring.Strategy{Kind: ring.Local}
		if !ks.Virtual {
			var err error
			if strategy, err = ring.ParseStrategy(ks.Replication); err != nil {
				return fmt.Errorf("keyspace %s: %w", name, err)
			}
		}
		st.placements[name] = ring.NewPlacement(n.topo, strategy, n.self)
	}
	n.state.Store(st)
	return nil
}

// Schema returns the current schema.
func (n *Node) Schema() *schema.Snapshot { return n.state.Load().snapshot }

// HostID returns the id of the node.
func (n *Node) HostID() schema.UUID { return n.self.ID }

// TimeUUID implements exec.Writer.
func (n *Node) TimeUUID() schema.UUID { return n.uuids.next() }

// Timestamp implements exec.Writer.
func (n *Node) Timestamp(now int64) int64 { return n.clock.at(now) }

// MemoryBytes returns what the tables take in memory.
func (n *Node) MemoryBytes() int64 { return n.engine.MemoryBytes() }

// Close makes what was written durable and closes the node. No other call may be in flight or follow.
func (n *Node) Close() error {
	close(n.stop)
	n.background.Wait()
	return errors.Join(n.engine.Close(), n.journal.Close(), n.unlock())
}

// unlock lets other processes open the folder.
func (n *Node) unlock() error {
	if n.lock == nil {
		return nil
	}
	return n.lock.Close()
}

// OnSchemaEvent registers a listener that is called for each schema event, before the statement that made it is answered. It is
// called before the node answers requests and must not block.
func (n *Node) OnSchemaEvent(f func(schema.Event)) { n.listeners = append(n.listeners, f) }

// ApplySchema makes one change of the schema: make sees the current snapshot, and what it returns becomes durable, then visible,
// then events go out. Changes are serial.
func (n *Node) ApplySchema(ctx context.Context, make func(*schema.Snapshot, *schema.Env) (schema.Result, error)) (schema.Result, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.Schema()
	res, err := make(old, n.schemaEnv())
	if err != nil || res.NoOp {
		return res, err
	}
	next, err := schema.Apply(old, res.Change)
	if err != nil {
		return schema.Result{}, err
	}
	if err := n.journal.Append(schema.AppendChange([]byte{recordSchema}, res.Change)); err != nil {
		return schema.Result{}, fmt.Errorf("schema log: %w", err)
	}
	n.engine.SetSchema(next) // first: whoever sees the new schema must find its tables
	if err := n.publish(next); err != nil {
		return schema.Result{}, err
	}
	if err := n.buildIndexes(ctx, old, next); err != nil {
		return schema.Result{}, err
	}
	for _, e := range res.Events {
		for _, f := range n.listeners {
			f(e)
		}
	}
	return res, nil
}

// schemaEnv is what schema statements depend on beside the schema.
func (n *Node) schemaEnv() *schema.Env {
	return &schema.Env{
		DataCenters: map[string]int{n.self.DC: 1}, DefaultKeyspaceRF: n.opts.DefaultKeyspaceRF,
		NewID: n.TimeUUID, Now: n.clock.next(),
	}
}

// buildIndexes fills the indexes that next has and old had not.
func (n *Node) buildIndexes(ctx context.Context, old, next *schema.Snapshot) error {
	for id, t := range next.ByID {
		for _, x := range t.Indexes {
			if o := old.ByID[id]; o != nil && o != t && o.Index(x.Name) == nil {
				if err := n.engine.BuildIndex(ctx, id, x.Name); err != nil {
					return fmt.Errorf("build index %s: %w", x.Name, err)
				}
			}
		}
	}
	return nil
}

// Partitioner returns the cluster's partitioner.
func (n *Node) Partitioner() token.Partitioner { return n.opts.Partitioner }
