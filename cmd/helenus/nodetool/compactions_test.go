package nodetool

import (
	"testing"

	"github.com/helenusdb/helenus/cluster/admin"
)

// TestCompactionVerbs compares with what Cassandra 5.0.6's nodetool prints, and holds what is asked of the node.
func TestCompactionVerbs(t *testing.T) {
	status := admin.AutoCompactions{Tables: []admin.AutoCompaction{{Keyspace: "h5y", Table: "t", Running: true}}}
	mixed := admin.AutoCompactions{Tables: []admin.AutoCompaction{{Keyspace: "k", Table: "a", Running: true}, {Keyspace: "k", Table: "b"}}}
	for _, c := range []struct {
		answer any
		args   []string
		code   int
		want   string
	}{
		{status, []string{"statusautocompaction", "h5y"}, 0, "running\n"},
		{status, []string{"statusautocompaction", "-a", "h5y"}, 0, "Keyspace Table Status \nh5y      t     running\n"},
		{mixed, []string{"statusautocompaction"}, 0, "partially running\n"},
		{admin.Compactors{Count: 2}, []string{"getconcurrentcompactors"}, 0, "Current concurrent compactors in the system is: \n2\n"},
		{nil, []string{"setconcurrentcompactors", "4"}, 0, ""},
		{admin.Thresholds{Low: 4, High: 32}, []string{"getcompactionthreshold", "c_n3", "kv"}, 0,
			"Current compaction thresholds for c_n3/kv: \n min = 4,  max = 32\n"},
		{nil, []string{"stop", "COMPACTION"}, 0, ""},
		{nil, []string{"stop", "-id", "abc"}, 0, ""},
		{nil, []string{"stop", "FOO"}, 1,
			"nodetool: compaction_type: can not convert \"FOO\" to a OperationType\nSee 'nodetool help' or 'nodetool help <command>'.\n"},
		{nil, []string{"cleanup", "h5y"}, 0, ""},
		{nil, []string{"forcecompact", "h5y", "t", "1"}, 0, ""},
	} {
		n := newNode(t, map[string]any{c.args[0]: c.answer})
		if c.answer == nil {
			delete(n.answers, c.args[0])
		}
		if code, out, errs := n.run(c.args...); code != c.code || out+errs != c.want {
			t.Errorf("%v: exit %d, %q %q, want %d, %q", c.args, code, out, errs, c.code, c.want)
		}
	}
}
