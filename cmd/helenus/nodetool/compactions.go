package nodetool

import (
	"context"
	"strconv"

	"github.com/helenusdb/helenus/cluster/admin"
)

// stoppable are the names of Cassandra's OperationType.
var stoppable = []string{"P0", "CLEANUP", "SCRUB", "UPGRADE_SSTABLES", "VERIFY", "MAJOR_COMPACTION", "RELOCATE", "GARBAGE_COLLECT", "FLUSH", "WRITE",
	"ANTICOMPACTION", "VALIDATION", "INDEX_BUILD", "VIEW_BUILD", "COMPACTION", "TOMBSTONE_COMPACTION", "UNKNOWN", "STREAM", "KEY_CACHE_SAVE",
	"ROW_CACHE_SAVE", "COUNTER_CACHE_SAVE", "INDEX_SUMMARY"}

func stop(ctx context.Context, c *call) error {
	a := admin.StopArguments{ID: c.value("-id")}
	if len(c.params) > 0 {
		a.Kind = c.params[0]
		known := false
		for _, k := range stoppable {
			known = known || k == a.Kind
		}
		if !known {
			return wrongUse("compaction_type: can not convert %q to a OperationType", a.Kind)
		}
	}
	return act(ctx, c, "stop", a)
}

func getCompactors(ctx context.Context, c *call) error {
	r, done, err := ask[admin.Nothing, admin.Compactors](ctx, c, "getconcurrentcompactors", admin.Nothing{})
	if err != nil || done {
		return err
	}
	c.printf("Current concurrent compactors in the system is: \n%d\n", r.Count)
	return nil
}

func setCompactors(ctx context.Context, c *call) error {
	if len(c.params) == 0 {
		return wrongUse("Required parameters are missing: concurrent_compactors")
	}
	n, err := strconv.Atoi(c.params[0])
	if err != nil {
		return wrongUse("concurrent_compactors: can not convert %q to a Integer", c.params[0])
	}
	return act(ctx, c, "setconcurrentcompactors", admin.Compactors{Count: n})
}

func autoCompactions(ctx context.Context, c *call) error {
	r, done, err := ask[admin.Names, admin.AutoCompactions](ctx, c, "statusautocompaction", c.names())
	if err != nil || done {
		return err
	}
	say := func(on bool) string {
		if on {
			return "running"
		}
		return "not running"
	}
	if c.has("-a") {
		t := columns{}
		t.add("Keyspace", "Table", "Status")
		for _, x := range r.Tables {
			t.add(x.Keyspace, x.Table, say(x.Running))
		}
		t.print(c)
		return nil
	}
	on := 0
	for _, x := range r.Tables {
		if x.Running {
			on++
		}
	}
	if on > 0 && on < len(r.Tables) {
		c.printf("partially running\n")
		return nil
	}
	c.printf("%s\n", say(on > 0))
	return nil
}

func thresholds(ctx context.Context, c *call) error {
	if len(c.params) != 2 {
		return wrongUse("getcompactionthreshold requires ks and cf args")
	}
	a := admin.TableArguments{Keyspace: c.params[0], Table: c.params[1]}
	r, done, err := ask[admin.TableArguments, admin.Thresholds](ctx, c, "getcompactionthreshold", a)
	if err != nil || done {
		return err
	}
	c.printf("Current compaction thresholds for %s/%s: \n min = %d,  max = %d\n", a.Keyspace, a.Table, r.Low, r.High)
	return nil
}

func cleanup(ctx context.Context, c *call) error {
	n, err := c.number("-j", "jobs")
	if err != nil {
		return err
	}
	return act(ctx, c, "cleanup", admin.CleanupArguments{Names: c.names(), Jobs: int(n)})
}

func forceCompact(ctx context.Context, c *call) error {
	if len(c.params) < 3 {
		return wrongUse("forcecompact requires keyspace, table and keys args")
	}
	return act(ctx, c, "forcecompact", admin.ForceCompactArguments{
		TableArguments: admin.TableArguments{Keyspace: c.params[0], Table: c.params[1]}, Keys: c.params[2:],
	})
}
