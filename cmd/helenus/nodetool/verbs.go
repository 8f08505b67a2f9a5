package nodetool

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/cluster/admin"
)

// keyspaceTables is how the tables of most verbs are named.
const keyspaceTables = "[<keyspace> <tables>...]"

// verbs are all commands, by name.
var verbs = map[string]verb{
	"version": {summary: "Print cassandra version", run: version, options: []option{
		{names: []string{"-v", "--verbose"}, help: "Include additional information"},
	}},
	"info": {summary: "Print node information (uptime, load, ...)", run: info, options: []option{
		{names: []string{"-T", "--tokens"}, help: "Display all tokens"},
	}},
	"status": {summary: "Print cluster information (state, load, IDs, ...)", params: "[<keyspace>]", run: status, options: []option{
		{names: []string{"-r", "--resolve-ip"}, help: "Show node domain names instead of IPs"},
	}},
	"flush": {summary: "Flush one or more tables", params: keyspaceTables, run: onTables("flush")},
	"drain": {summary: "Drain the node (stop accepting writes and flush all tables)", run: onNothing("drain")},
	"compact": {
		summary: "Force a (major) compaction on one or more tables or user-defined compaction on given SSTables",
		params:  "[<keyspace> <tables>...] or <SSTable file>...", run: compact, options: []option{
			{names: []string{"-et", "--end-token"}, value: "end_token", help: "Token at which the compaction range ends (inclusive)"},
			{names: []string{"--partition"}, value: "partition_key", help: "String representation of the partition key"},
			{names: []string{"-s", "--split-output"}, help: "Do not create a single big file"},
			{names: []string{"-st", "--start-token"}, value: "start_token", help: "Token at which the compaction range starts (inclusive)"},
			{names: []string{"--user-defined"}, help: "Submit listed files for user-defined compaction"},
		},
	},
	"scrub": {summary: "Scrub (rebuild sstables for) one or more tables", params: keyspaceTables, run: scrub, options: []option{
		jobs,
		{names: []string{"-n", "--no-validate"}, help: "Do not validate columns using column validator"},
		{names: []string{"-ns", "--no-snapshot"}, help: "Make no snapshot of the tables first"},
		{names: []string{"-s", "--skip-corrupted"}, help: "Skip corrupted partitions even when scrubbing counter tables"},
	}},
	"upgradesstables": {
		summary: "Rewrite sstables (for the requested tables) that are not on the current version (thus upgrading them to said current version)",
		params:  keyspaceTables, run: upgrade, options: []option{
			jobs,
			{names: []string{"-a", "--include-all-sstables"}, help: "Include all sstables, even those already on the current version"},
			{names: []string{"-t", "--max-timestamp"}, value: "max_timestamp", help: "Only sstables that were made before this time"},
		},
	},
	"garbagecollect": {summary: "Remove deleted data from one or more tables", params: keyspaceTables, run: garbage, options: []option{
		jobs,
		{names: []string{"-g", "--granularity"}, value: "granularity", help: "ROW (default) or CELL, which removes overwritten cells too"},
	}},
	"verify": {summary: "Verify (check data checksum for) one or more tables", params: keyspaceTables, run: verify, options: []option{
		{names: []string{"-c", "--check-version"}, help: "Also check that all sstables are the latest version"},
		{names: []string{"-d", "--dfp"}, help: "Invoke the disk failure policy if a corrupt sstable is found"},
		{names: []string{"-e", "--extended-verify"}, help: "Verify each cell data, beyond simply checking sstable checksums"},
		{names: []string{"-f", "--force"}, help: "Override disabling of verify tool - see CASSANDRA-9947 for caveats"},
		{names: []string{"-q", "--quick"}, help: "Do a quick check - avoid reading all data to verify checksums"},
		{names: []string{"-r", "--rsc"}, help: "Mutate the repair status on corrupt sstables"},
		{names: []string{"-t", "--check-tokens"}, help: "Verify that all tokens in sstables are owned by this node"},
	}},
	"compactionstats": {summary: "Print statistics on compactions", run: compactionStats, options: []option{
		human,
		{names: []string{"-V", "--vtable"}, help: "Display fields matching vtable output"},
	}},
	"compactionhistory": {summary: "Print history of compaction", run: compactionHistory},
	"getcompactionthroughput": {
		summary: "Print the MiB/s throughput cap for compaction in the system as a rounded number", run: getThroughput, options: []option{
			{names: []string{"-d", "--precise-mib"}, help: "Print the cap as a precise number (double)"},
		},
	},
	"setcompactionthroughput": {
		summary: "Set the MiB/s throughput cap for compaction in the system, or 0 to disable throttling", params: "<value_in_mb>", run: setThroughput,
	},
	"enableautocompaction":  {summary: "Enable autocompaction for the given keyspace and table", params: keyspaceTables, run: onTables("enableautocompaction")},
	"disableautocompaction": {summary: "Disable autocompaction for the given keyspace and table", params: keyspaceTables, run: onTables("disableautocompaction")},
	"stop": {summary: "Stop compaction", params: "<compaction type>", run: stop, options: []option{
		{names: []string{"-id", "--compaction-id"}, value: "compactionId", help: "Use -id to stop a compaction by the specified id"},
	}},
	"getconcurrentcompactors": {summary: "Get the number of concurrent compactors in the system.", run: getCompactors},
	"setconcurrentcompactors": {
		summary: "Set number of concurrent compactors in the system.", params: "<value>", run: setCompactors,
	},
	"statusautocompaction": {
		summary: "status of autocompaction of the given keyspace and table", params: keyspaceTables, run: autoCompactions, options: []option{
			{names: []string{"-a", "--all"}, help: "Show auto compaction status for each keyspace/table"},
		},
	},
	"getcompactionthreshold": {
		summary: "Print min and max compaction thresholds for a given table", params: "<keyspace> <table>", run: thresholds,
	},
	"cleanup": {
		summary: "Triggers the immediate cleanup of keys no longer belonging to a node. By default, clean all keyspaces",
		params:  keyspaceTables, run: cleanup, options: []option{jobs},
	},
	"forcecompact": {
		summary: "Force a (major) compaction on a table", params: "[<keyspace> <table> <keys>]", run: forceCompact,
	},
	"invalidatekeycache": {summary: "Invalidate the key cache", run: onNothing("invalidatekeycache")},
	"invalidaterowcache": {summary: "Invalidate the row cache", run: onNothing("invalidaterowcache")},
	"tablestats": {summary: "Print statistics on tables", params: "[<keyspace.table>...]", run: tableStats, options: []option{
		human,
		{names: []string{"-i"}, help: "Ignore the list of tables and display the remaining tables"},
	}},
	"tablehistograms": {
		summary: "Print statistic histograms for a given table", params: "[<keyspace> <table> | <keyspace.table>]", run: tableHistograms,
	},
	"snapshot": {
		summary: "Take a snapshot of specified keyspaces or a snapshot of the specified table", params: "[<keyspaces...>]", run: snapshot,
		options: []option{
			{names: []string{"-cf", "--column-family", "--table"}, value: "table", help: "The table name (you must specify one and only one keyspace)"},
			{names: []string{"-kt", "--kt-list", "-kc", "--kc.list"}, value: "ktlist", help: "The list of Keyspace.table to take snapshot"},
			{names: []string{"-sf", "--skip-flush"}, help: "Do not flush memtables before snapshotting"},
			{names: []string{"-t", "--tag"}, value: "tag", help: "The name of the snapshot"},
			{names: []string{"--ttl"}, value: "ttl", help: "Specify a TTL of created snapshot"},
		},
	},
	"listsnapshots": {
		summary: "Lists all the snapshots along with the size on disk and true size", run: listSnapshots, options: []option{
			{names: []string{"-e", "--ephemeral"}, help: "Include ephememeral snapshots"},
			{names: []string{"-nt", "--no-ttl"}, help: "Skip snapshots with TTL"},
		},
	},
	"clearsnapshot": {
		summary: "Remove the snapshot with the given name from the given keyspaces", params: "[<keyspaces>...]", run: clearSnapshot, options: []option{
			{names: []string{"--all"}, help: "Removes all snapshots"},
			{names: []string{"--older-than"}, value: "older_than", help: "Clear snapshots older than specified time period"},
			{names: []string{"--older-than-timestamp"}, value: "older_than_timestamp", help: "Clear snapshots older than an ISO time, 2022-12-03T10:15:30Z"},
			{names: []string{"-t"}, value: "snapshot_name", help: "Remove the snapshot with a given name"},
		},
	},
	"refresh": {summary: "Load newly placed SSTables to the system without restart", params: "<keyspace> <table>", run: refresh},
	"import": {summary: "Import new SSTables to the system", params: "<keyspace> <table> <directory> ...", run: importTables, options: []option{
		{names: []string{"-c", "--no-invalidate-caches"}, help: "Don't invalidate the row cache when importing"},
		{names: []string{"-e", "--extended-verify"}, help: "Run an extended verify, verifying all values in the new sstables"},
		{names: []string{"-l", "--keep-level"}, help: "Keep the level on the new sstables"},
		{names: []string{"-p", "--copy-data"}, help: "Copy data from source directories instead of moving them"},
		{names: []string{"-q", "--quick"}, help: "Do a quick import without verifying sstables, clearing row cache or checking tokens"},
		{names: []string{"-r", "--keep-repaired"}, help: "Keep any repaired information from the sstables"},
		{names: []string{"-t", "--no-tokens"}, help: "Don't verify that all tokens in the new sstable are owned by the current node"},
		{names: []string{"-v", "--no-verify"}, help: "Don't verify new sstables"},
	}},
}

// Options that several verbs have.
var (
	jobs  = option{names: []string{"-j", "--jobs"}, value: "jobs", help: "Number of sstables to work on simultanously, 0 to use all available compaction threads"}
	human = option{names: []string{"-H", "--human-readable"}, help: "Display bytes in human readable form, i.e. KiB, MiB, GiB, TiB"}
)

// names returns the parameters as a keyspace and its tables.
func (c *call) names() admin.Names {
	n := admin.Names{}
	if len(c.params) > 0 {
		n.Keyspace, n.Tables = c.params[0], c.params[1:]
	}
	return n
}

// number returns the value of an option that is an integer, 0 when it was not given.
func (c *call) number(name, called string) (int64, error) {
	if !c.has(name) {
		return 0, nil
	}
	n, err := strconv.ParseInt(c.value(name), 10, 64)
	if err != nil {
		return 0, wrongUse("%s: can not convert %q to a Integer", called, c.value(name))
	}
	return n, nil
}

// onTables is a verb that is named tables and answers nothing.
func onTables(name string) func(context.Context, *call) error {
	return func(ctx context.Context, c *call) error { return act(ctx, c, name, c.names()) }
}

// onNothing is a verb that takes nothing and answers nothing.
func onNothing(name string) func(context.Context, *call) error {
	return func(ctx context.Context, c *call) error { return act(ctx, c, name, admin.Nothing{}) }
}

func compact(ctx context.Context, c *call) error {
	a := admin.CompactArguments{Compact: admin.Compact{
		SplitOutput: c.has("-s"), UserDefined: c.has("--user-defined"), StartToken: c.value("-st"), EndToken: c.value("-et"),
		Partition: c.value("--partition"),
	}}
	if a.UserDefined {
		a.Files = c.params
	} else {
		a.Names = c.names()
	}
	return act(ctx, c, "compact", a)
}

func scrub(ctx context.Context, c *call) error {
	n, err := c.number("-j", "jobs")
	if err != nil {
		return err
	}
	return act(ctx, c, "scrub", admin.RewriteArguments{Names: c.names(), Rewrite: admin.Rewrite{
		Jobs: int(n), NoValidate: c.has("-n"), NoSnapshot: c.has("-ns"), SkipCorrupted: c.has("-s"),
	}})
}

func upgrade(ctx context.Context, c *call) error {
	n, err := c.number("-j", "jobs")
	if err != nil {
		return err
	}
	before, err := c.number("-t", "max_timestamp")
	if err != nil {
		return err
	}
	return act(ctx, c, "upgradesstables", admin.RewriteArguments{Names: c.names(), Rewrite: admin.Rewrite{
		Jobs: int(n), All: c.has("-a"), MaxTimestamp: before,
	}})
}

func garbage(ctx context.Context, c *call) error {
	n, err := c.number("-j", "jobs")
	if err != nil {
		return err
	}
	g := c.value("-g")
	if !slices.Contains([]string{"", "ROW", "CELL", "NONE"}, g) {
		//lint:ignore ST1005 the text is Cassandra's
		return fmt.Errorf("No enum constant org.apache.cassandra.schema.CompactionParams.TombstoneOption.%s", g)
	}
	return act(ctx, c, "garbagecollect", admin.RewriteArguments{Names: c.names(), Rewrite: admin.Rewrite{Jobs: int(n), Cells: g == "CELL"}})
}

func verify(ctx context.Context, c *call) error {
	if !c.has("-f") {
		c.printf("verify is disabled unless a [-f|--force] override flag is provided. See CASSANDRA-9947 and CASSANDRA-17017 for details.\n")
		return said(exitUsage)
	}
	for _, name := range []string{"-d", "-r", "-t"} {
		if c.has(name) {
			return fmt.Errorf("verify %s is not supported by this node", name)
		}
	}
	return act(ctx, c, "verify", admin.VerifyArguments{Names: c.names(), Verify: admin.Verify{
		Extended: c.has("-e"), Quick: c.has("-q"), CheckVersion: c.has("-c"),
	}})
}

func getThroughput(ctx context.Context, c *call) error {
	r, done, err := ask[admin.Nothing, admin.Throughput](ctx, c, "getcompactionthroughput", admin.Nothing{})
	if err != nil || done {
		return err
	}
	if c.has("-d") {
		c.printf("Current compaction throughput: %s MiB/s\n", double(r.MiB))
		return nil
	}
	c.printf("Current compaction throughput: %.0f MB/s\n", r.MiB)
	return nil
}

func setThroughput(ctx context.Context, c *call) error {
	if len(c.params) == 0 {
		return wrongUse("Required parameters are missing: compaction_throughput")
	}
	n, err := strconv.Atoi(c.params[0])
	if err != nil {
		return wrongUse("compaction_throughput: can not convert %q to a Integer", c.params[0])
	}
	return act(ctx, c, "setcompactionthroughput", admin.Throughput{MiB: float64(n)})
}

func snapshot(ctx context.Context, c *call) error {
	a := admin.SnapshotArguments{Tag: c.value("-t"), Keyspaces: c.params, Table: c.value("-cf"), SkipFlush: c.has("-sf")}
	if list := c.value("-kt"); list != "" {
		a.List = strings.Split(list, ",")
	}
	if a.Tag == "" {
		a.Tag = strconv.FormatInt(time.Now().UnixMilli(), 10)
	}
	options := fmt.Sprintf("{skipFlush=%t", a.SkipFlush)
	if ttl := c.value("--ttl"); ttl != "" {
		d, err := period(ttl)
		if err != nil {
			return err
		}
		a.TTL = int64(d / time.Second)
		options += ", ttl=" + ttl
	}
	if !c.json {
		what := strings.Join(append(slices.Clone(a.Keyspaces), a.List...), ", ")
		switch {
		case len(a.List) > 0:
			what = strings.Join(a.List, ",")
		case what == "":
			what = "all keyspaces"
		}
		c.printf("Requested creating snapshot(s) for [%s] with snapshot name [%s] and options %s}\n", what, a.Tag, options)
	}
	if err := act(ctx, c, "snapshot", a); err != nil || c.json {
		return err
	}
	c.printf("Snapshot directory: %s\n", a.Tag)
	return nil
}

// period parses a time as Cassandra's options have it: a number and its unit.
func period(s string) (time.Duration, error) {
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzµ")
	unit, ok := map[string]time.Duration{
		"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second, "ms": time.Millisecond, "us": time.Microsecond,
		"µs": time.Microsecond, "ns": 1,
	}[s[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n > int64(1<<62)/int64(unit) {
		return 0, wrongUse("Invalid duration: %s", s)
	}
	return time.Duration(n) * unit, nil
}

func listSnapshots(ctx context.Context, c *call) error {
	r, done, err := ask[admin.Nothing, admin.Snapshots](ctx, c, "listsnapshots", admin.Nothing{})
	if err != nil || done {
		return err
	}
	c.printf("Snapshot Details: \n")
	var t columns
	t.add("Snapshot name", "Keyspace name", "Column family name", "True size", "Size on disk", "Creation time", "Expiration time")
	total := int64(0)
	for _, s := range r.Snapshots {
		if c.has("-nt") && s.Expires != 0 {
			continue
		}
		expires := ""
		if s.Expires != 0 {
			expires = instant(s.Expires)
		}
		t.add(s.Tag, s.Keyspace, s.Table, size(s.True), size(s.Size), instant(s.Created), expires)
		total += s.Tables
	}
	if len(r.Snapshots) == 0 {
		c.printf("There are no snapshots\n")
		return nil
	}
	t.print(c)
	c.printf("\nTotal TrueDiskSpaceUsed: %s\n\n", size(total))
	return nil
}

func clearSnapshot(ctx context.Context, c *call) error {
	a := admin.ClearArguments{Tag: c.value("-t"), All: c.has("--all"), Keyspaces: c.params}
	switch {
	case a.Tag == "" && !a.All:
		return wrongUse("Specify snapshot name or --all")
	case a.Tag != "" && a.All:
		return wrongUse("Specify only one of snapshot name or --all")
	case c.has("--older-than") && c.has("--older-than-timestamp"):
		return wrongUse("Specify only one of --older-than or --older-than-timestamp")
	case c.has("--older-than"):
		d, err := period(c.value("--older-than"))
		if err != nil {
			return err
		}
		a.OlderThan = time.Now().Add(-d).UnixMilli()
	case c.has("--older-than-timestamp"):
		at, err := time.Parse(time.RFC3339, c.value("--older-than-timestamp"))
		if err != nil {
			return wrongUse("Parameter --older-than-timestamp has to be a valid instant in ISO format.")
		}
		a.OlderThan = at.UnixMilli()
	}
	if !c.json {
		of, name := "all keyspaces", "snapshot name ["+a.Tag+"]"
		if len(a.Keyspaces) > 0 {
			of = strings.Join(a.Keyspaces, ", ")
		}
		if a.All {
			name = "[all snapshots]"
		}
		c.printf("Requested clearing snapshot(s) for [%s] with %s", of, name)
		switch {
		case c.has("--older-than"):
			c.printf(" older than %s", c.value("--older-than"))
		case c.has("--older-than-timestamp"):
			c.printf(" older than timestamp %s", c.value("--older-than-timestamp"))
		}
		c.printf("\n")
	}
	return act(ctx, c, "clearsnapshot", a)
}

func refresh(ctx context.Context, c *call) error {
	if !c.json {
		c.printf("nodetool refresh is deprecated, use nodetool import instead\n")
	}
	if len(c.params) != 2 {
		return wrongUse("refresh requires ks and cf args")
	}
	_, _, err := ask[admin.ImportArguments, admin.ImportResult](ctx, c, "import", admin.ImportArguments{
		Keyspace: c.params[0], Table: c.params[1], Import: admin.Import{Refresh: true},
	})
	return err
}

func importTables(ctx context.Context, c *call) error {
	if len(c.params) < 3 {
		return wrongUse("import requires keyspace, table name and directories")
	}
	quick := c.has("-q")
	r, done, err := ask[admin.ImportArguments, admin.ImportResult](ctx, c, "import", admin.ImportArguments{
		Keyspace: c.params[0], Table: c.params[1], Import: admin.Import{
			Directories: c.params[2:], KeepLevel: c.has("-l"), KeepRepaired: c.has("-r"), NoVerify: c.has("-v") || quick,
			NoTokens: c.has("-t") || quick, Extended: c.has("-e"), Copy: c.has("-p"), KeepCaches: c.has("-c") || quick,
		},
	})
	if err != nil {
		return err
	}
	if len(r.Failed) == 0 {
		return nil
	}
	if !done {
		c.printf("Some directories failed to import, check server logs for details:\n")
		for _, dir := range c.params[2:] {
			if why, ok := r.Failed[dir]; ok {
				c.printf("%s\n  %s\n", dir, why)
			}
		}
	}
	return said(exitUsage)
}
