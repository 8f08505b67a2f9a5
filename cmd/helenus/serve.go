package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/helenusdb/helenus/cluster"
	"github.com/helenusdb/helenus/cmd/helenus/config"
	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/auth"
	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/server"
	"github.com/helenusdb/helenus/cql/session"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/wire"
	"github.com/helenusdb/helenus/planner/exec"
	"github.com/helenusdb/helenus/storage"
	"github.com/helenusdb/helenus/storage/vfs"
)

// shutdownTime bounds how long requests in flight may take to finish after SIGTERM.
const shutdownTime = 10 * time.Second

// serve runs a node until ctx ends. Built bottom-up, closed top-down.
func serve(ctx context.Context, cfg *config.Config, f *startFlags, log *slog.Logger) error {
	began := time.Now()
	native, err := resolve(cfg.RPCAddress, cfg.NativePort)
	if err != nil {
		return configError{err}
	}
	if !native.Addr().IsLoopback() && cfg.Authenticator == "AllowAllAuthenticator" && !f.insecure {
		return configError{fmt.Errorf("%s is reachable from other machines and there is no authentication: give --insecure if that is meant, "+
			"or set authenticator: PasswordAuthenticator", native.Addr())}
	}
	// The listener comes first: a port that is taken must not leave a half-made folder, and system.local shows the port.
	listener, err := net.Listen("tcp", native.String())
	if err != nil {
		return err
	}
	defer listener.Close()
	native = netip.AddrPortFrom(native.Addr(), uint16(listener.Addr().(*net.TCPAddr).Port))

	b, err := divide(cfg, physicalMemory(), cgroupLimit())
	if err != nil {
		return configError{err}
	}
	if !f.memory { // else tables are bounded by nothing, and the collector could not keep what is asked of it
		b.obey()
	}
	node, err := openNode(cfg, f, &b, native, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := node.Close(); err != nil {
			log.Error("Closing the node", slog.String("error", err.Error()))
		}
	}()
	srv, err := newServer(cfg, f, &b, node, native, log)
	if err != nil {
		return err
	}
	drained := make(chan struct{})
	var once sync.Once
	node.OnDrain(func(ctx context.Context) error {
		once.Do(func() { close(drained) })
		return srv.Shutdown(ctx)
	})
	operator, err := startAdmin(f, node, log)
	if err != nil {
		return err
	}
	defer operator.stop()
	banner(cfg, f, native, operator.address, time.Since(began))
	log.Info(fmt.Sprintf("Starting listening for CQL clients on %s (unencrypted)...", listener.Addr()))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	if f.readyFile != "" {
		if err := writeReady(f.readyFile, native.String()); err != nil {
			return err
		}
	}
	select {
	case err := <-served:
		select {
		case <-drained: // the node stays up without clients until it is told to end
			<-ctx.Done()
			return nil
		default:
			return err
		}
	case <-ctx.Done():
	}
	log.Info("Stopping: finishing requests in flight")
	stop, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	<-served
	return nil
}

// openNode opens the node that cfg describes.
func openNode(cfg *config.Config, f *startFlags, b *budget, native netip.AddrPort, log *slog.Logger) (*cluster.Node, error) {
	partitioner, err := token.ByClass(cfg.Partitioner)
	if err != nil {
		return nil, configError{err}
	}
	listen, err := resolve(first(cfg.BroadcastAddress, cfg.ListenAddress), cfg.StoragePort)
	if err != nil {
		return nil, configError{err}
	}
	advertised := native
	if cfg.BroadcastRPCAddress != "" || native.Addr().IsUnspecified() {
		if advertised, err = resolve(first(cfg.BroadcastRPCAddress, cfg.BroadcastAddress, outward()), int(native.Port())); err != nil {
			return nil, configError{err}
		}
	}
	o := cluster.Options{
		FS: vfs.OS{}, Dir: cfg.DataDir, Storage: storageOptions(cfg, b),
		ClusterName: cfg.ClusterName, DC: cfg.DC, Rack: cfg.Rack, NumTokens: cfg.NumTokens, InitialTokens: cfg.InitialToken,
		Partitioner: partitioner, Internode: listen, Native: advertised, DefaultKeyspaceRF: cfg.DefaultKeyspaceRF, Snitch: cfg.Snitch,
		Log:       log,
		Snapshots: cluster.SnapshotOptions{Auto: cfg.AutoSnapshot, AutoTTL: cfg.AutoSnapshotTTL, Incremental: cfg.IncrementalBackups},
		Timeouts: cluster.Timeouts{
			Read: cfg.ReadTimeout, Range: cfg.RangeTimeout, Write: cfg.WriteTimeout, Counter: cfg.CounterTimeout,
			CAS: cfg.CASTimeout, Truncate: cfg.TruncateTimeout,
		},
	}
	if f.memory {
		o.FS, o.Dir = vfs.NewMem(), ""
	}
	return cluster.Open(o)
}

func storageOptions(cfg *config.Config, b *budget) storage.Options {
	mode := map[string]storage.SyncMode{"periodic": storage.SyncPeriodic, "batch": storage.SyncBatch, "group": storage.SyncGroup}[cfg.CommitlogSync]
	return storage.Options{
		CommitLogDir: cfg.CommitlogDir, Sync: mode, SyncPeriod: cfg.CommitlogSyncPeriod, GroupWindow: cfg.CommitlogGroupWindow,
		SegmentSize: int(cfg.CommitlogSegmentBytes), MaxMutation: int(cfg.MaxMutationBytes), LogSpace: cfg.CommitlogTotalBytes,
		MemtableSpace: b.memtables, CleanupThreshold: cfg.MemtableCleanupThreshold, FlushWriters: cfg.MemtableFlushWriters,
		ColumnIndexSize: int(cfg.ColumnIndexBytes), CacheSize: b.cache, Compaction: compactionOptions(cfg, b),
	}
}

// compactionOptions returns what is set of compaction, in which no bound is 0 and not less.
func compactionOptions(cfg *config.Config, b *budget) storage.CompactionOptions {
	o := storage.CompactionOptions{Throughput: cfg.CompactionBytes, Concurrent: b.compactors, Paused: !cfg.AutoCompaction}
	if o.Throughput == 0 {
		o.Throughput = -1
	}
	return o
}

// newServer puts sessions and sockets on a node.
func newServer(cfg *config.Config, f *startFlags, b *budget, node *cluster.Node, native netip.AddrPort, log *slog.Logger) (*server.Server, error) {
	sessions := session.New(session.Options{
		Backend: node, Partitioner: node.Partitioner(), WritesWait: cfg.CommitlogSync != "periodic" && !f.memory,
		NoUse: !cfg.UseStatementsEnabled, PreparedBytes: b.prepared,
		BatchLimits: exec.BatchLimits{
			WarnBytes: int(cfg.BatchWarnBytes), FailBytes: int(cfg.BatchFailBytes), UnloggedPartitions: cfg.UnloggedBatchPartitions,
		},
		Overflow: map[string]exec.OverflowPolicy{
			"REJECT": exec.OverflowReject, "CAP": exec.OverflowCap, "CAP_NOWARN": exec.OverflowCapNoWarn,
		}[cfg.ExpirationOverflow],
		Trace: func(s session.TraceStart) session.Trace { return node.NewTrace(s.Client, s.Request, s.Parameters) },
	})
	o := server.Options{
		Handler: sessions, Logger: log,
		Limits: server.Limits{
			MaxFrame: int(cfg.MaxFrameBytes), MaxBytes: b.requests, MaxLargeBytes: b.large,
			MaxConnections: max(cfg.MaxConnections, 0), MaxConnectionsPerAddress: max(cfg.MaxConnectionsPerIP, 0),
		},
	}
	if cfg.Authenticator == "PasswordAuthenticator" {
		if err := node.EnsureDefaultSuperuser(native.Addr().IsLoopback()); err != nil {
			return nil, err
		}
		password, err := auth.NewPassword(func(name string) (auth.Role, bool, error) {
			r, ok, err := node.Role(name)
			return auth.Role{SaltedHash: r.SaltedHash, CanLogin: r.CanLogin, Superuser: r.Superuser}, ok, err
		})
		if err != nil {
			return nil, err
		}
		o.Auth = password
	}
	srv := server.New(o)
	node.OnSchemaEvent(func(e schema.Event) {
		sessions.SchemaChanged(node.Schema())
		srv.Broadcast(&wire.Event{Type: wire.SchemaChange, Change: e.Change, Target: e.Target, Keyspace: e.Keyspace, Name: e.Name})
	})
	node.SetFacts(cluster.Facts{
		Settings: cfg.Given,
		Clients:  func() []cluster.ClientFacts { return clientFacts(srv) },
		Prepared: func() []cluster.PreparedFacts { return preparedFacts(sessions) },
	})
	return srv, nil
}

// banner says in a few lines what was started and how to reach it.
func banner(cfg *config.Config, f *startFlags, native netip.AddrPort, operator string, took time.Duration) {
	data := "in memory, gone when the process ends"
	if !f.memory {
		data = cfg.DataDir
	}
	login := "none"
	if cfg.Authenticator == "PasswordAuthenticator" {
		login = "password"
	} else if native.Addr().IsLoopback() {
		login = "none (this machine only)"
	}
	fmt.Printf("Helenus %s (Cassandra %s compatible, CQL %s, protocol v3-v5)   ready in %d ms\n", version, cql.ReleaseVersion, cql.LanguageVersion,
		took.Milliseconds())
	fmt.Printf("  CQL   %s      cqlsh %s %d      drivers: local data center %q\n", native, native.Addr(), native.Port(), cfg.DC)
	fmt.Printf("  Data  %s      Auth  %s\n", data, login)
	if operator != "" {
		_, port, _ := net.SplitHostPort(operator)
		fmt.Printf("  Admin %s      helenus nodetool -p %s info\n", operator, port)
	}
	fmt.Printf("Stop with Ctrl-C. Next: helenus bench write | helenus --help\n")
}

// resolve turns a host name or address into one that can be listened on.
func resolve(host string, port int) (netip.AddrPort, error) {
	if port < 0 || port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("port %d is out of range", port)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return netip.AddrPortFrom(a, uint16(port)), nil
	}
	addrs, err := net.LookupHost(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", host, err)
	}
	best := netip.Addr{}
	for _, s := range addrs {
		if a, err := netip.ParseAddr(s); err == nil && (!best.IsValid() || a.Is4() && !best.Is4()) {
			best = a
		}
	}
	if !best.IsValid() {
		return netip.AddrPort{}, fmt.Errorf("address %q has no IP address", host)
	}
	return netip.AddrPortFrom(best, uint16(port)), nil
}

// outward returns an address of this machine that others can reach, for a server that listens on all: drivers connect to what
// system.local tells them. Without any it is loopback.
func outward() string {
	addrs, err := net.InterfaceAddrs()
	if err == nil {
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
				return p.Addr().String()
			}
		}
	}
	return "127.0.0.1"
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// writeReady writes the address so that a reader never sees half of it.
func writeReady(path, addr string) error {
	tmp := path + "." + strconv.Itoa(os.Getpid())
	if err := os.WriteFile(tmp, []byte(addr+"\n"), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
