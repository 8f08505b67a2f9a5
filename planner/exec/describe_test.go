package exec

import (
	"context"
	"errors"
	"testing"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/planner"
)

// describedCluster is a memory that knows what cluster it is.
type describedCluster struct{ *memory }

func (describedCluster) Describe() ClusterInfo {
	return ClusterInfo{
		Name: "Test Cluster", Partitioner: "Murmur3Partitioner", Snitch: "DynamicEndpointSnitch",
		Ranges: map[string][]string{"5": {"/127.0.0.1:7000"}, "-3": {"/127.0.0.1:7000"}},
	}
}

// The columns of DESCRIBE and its pages. Source: cql.md 1.4.
func TestDescribe(t *testing.T) {
	n := newTestNode()
	n.must(t, "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", "USE ks",
		"CREATE TABLE a (k int PRIMARY KEY)", "CREATE TABLE b (k int PRIMARY KEY)", "CREATE TABLE c (k int PRIMARY KEY)")
	listing := &planner.DescribePlan{Def: schema.DescribeDef{Kind: schema.DescribeTables}}
	var names []string
	o := Options{PageSize: 2}
	for pages := 0; ; pages++ {
		sink := &rowSink{}
		res, err := Describe(context.Background(), n.memory, listing, "ks", &o, sink)
		if err != nil {
			t.Fatal(err)
		}
		if len(sink.columns) != 3 || sink.columns[0].Table != "describe" || sink.columns[2].Name != "name" {
			t.Fatalf("columns %v", sink.columns)
		}
		for _, r := range sink.rows {
			names = append(names, string(r[2]))
		}
		if o.PagingState = res.PagingState; res.PagingState == nil {
			if pages != 1 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
		if pages > 3 {
			t.Fatal("no end")
		}
	}
	if len(names) != 3 || names[0] != "a" || names[2] != "c" {
		t.Errorf("names %q", names)
	}

	res, err := Describe(context.Background(), n.memory, listing, "ks", &Options{PageSize: 1}, &rowSink{})
	if err != nil {
		t.Fatal(err)
	}
	n.must(t, "CREATE TABLE d (k int PRIMARY KEY)")
	_, err = Describe(context.Background(), n.memory, listing, "ks", &Options{PagingState: res.PagingState}, &rowSink{})
	if !errors.Is(err, errDescribeChanged) {
		t.Errorf("a page of an older schema: %v", err)
	}
	for _, state := range [][]byte{{}, {1, 2, 3}, append(res.PagingState[:16:16], 0xff, 0xff, 0xff, 0xff), make([]byte, 1<<20)} {
		if _, err := Describe(context.Background(), n.memory, listing, "ks", &Options{PagingState: state}, &rowSink{}); err == nil {
			t.Errorf("a paging state of %d bytes was taken", len(state))
		}
	}

	cluster := &planner.DescribePlan{Def: schema.DescribeDef{Kind: schema.DescribeCluster}}
	for current, columns := range map[string]int{"": 3, "ks": 4} {
		sink := &rowSink{}
		if _, err := Describe(context.Background(), describedCluster{n.memory}, cluster, current, &Options{}, sink); err != nil {
			t.Fatal(err)
		}
		if len(sink.columns) != columns || len(sink.rows) != 1 || string(sink.rows[0][0]) != "Test Cluster" {
			t.Errorf("cluster with %q in use: %v", current, sink)
		}
	}
}
