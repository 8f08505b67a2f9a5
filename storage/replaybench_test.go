package storage

import (
	"testing"

	"github.com/helenusdb/helenus/storage/request"
	"github.com/helenusdb/helenus/storage/vfs"
)

// BenchmarkReplay is a start on a log of records of about 200 bytes in many partitions.
func BenchmarkReplay(b *testing.B) {
	t := kvTable("t")
	fs := vfs.OS{}
	dir := b.TempDir()
	e, _ := mustOpen(b, dir, Options{FS: fs}, t)
	const n = 500_000
	for i := range n {
		m := kv(t, i*7919%n, i%7, i, int64(i))
		if _, err := e.Apply(append([]request.Mutation(nil), m)); err != nil {
			b.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e, stats := mustOpen(b, dir, Options{FS: fs}, t)
		if stats.Mutations != n {
			b.Fatal(stats)
		}
		e.Close()
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
