// Command restart measures how long a node takes from its start until clients can connect, with many tables on disk and a full
// commit log: make restart. It makes its data itself and uses nothing but the command's file and the writer of tables.
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
	"github.com/helenusdb/helenus/cql/types"
	"github.com/helenusdb/helenus/storage/row"
	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

func main() {
	var m measure
	flag.StringVar(&m.dir, "dir", "", "folder for the data; a temporary one when it is not given")
	flag.Float64Var(&m.gib, "gib", 10, "GiB of tables on disk")
	flag.IntVar(&m.tables, "tables", 40, "number of tables on disk")
	flag.IntVar(&m.value, "value", 200, "bytes of a value")
	flag.DurationVar(&m.load, "load", time.Minute, "how long to write before the node is killed, so that the log is full")
	flag.IntVar(&m.runs, "runs", 3, "how often to start")
	flag.StringVar(&m.env, "env", "", "settings of the node, NAME=value separated by commas")
	flag.BoolVar(&m.keep, "keep", false, "keep the folder")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: restart [flags] path/of/helenus")
		os.Exit(2)
	}
	m.bin = flag.Arg(0)
	if err := m.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// measure is one measurement.
type measure struct {
	bin, dir, env       string
	gib                 float64
	tables, value, runs int
	load                time.Duration
	keep                bool
}

func (m *measure) run() error {
	made := m.dir == ""
	if made {
		var err error
		if m.dir, err = os.MkdirTemp("", "helenus-restart-"); err != nil {
			return err
		}
	}
	if !m.keep {
		defer os.RemoveAll(m.dir)
	}
	if _, err := os.Stat(filepath.Join(m.dir, "data")); err != nil {
		if err := m.fill(); err != nil {
			return err
		}
	}
	if m.load > 0 {
		if err := m.fillLog(); err != nil {
			return err
		}
	}
	data := filepath.Join(m.dir, "data")
	fmt.Printf("%s of tables, %s of log\n", size(filepath.Join(data, "bench")), size(filepath.Join(data, "commitlog")))
	for range m.runs {
		n, err := m.start()
		if err != nil {
			return err
		}
		fmt.Printf("ready after %6d ms, %6d ms of CPU, %s resident\n%s",
			n.took.Milliseconds(), n.cpu.Milliseconds(), mib(n.resident), n.said())
		if err := n.end(syscall.SIGKILL); err != nil {
			return err
		}
	}
	return nil
}

// fill makes the tables and has a node take them over.
func (m *measure) fill() error {
	n, err := m.start()
	if err != nil {
		return err
	}
	if err := m.command("bench", "write", "--addr", n.address, "--duration", "100ms", "--rows", "100", "--quiet"); err != nil {
		return err
	}
	began := time.Now()
	dir := filepath.Join(m.dir, "new", "bench", "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range m.tables {
		if err := m.write(dir, i+1); err != nil {
			return err
		}
	}
	fmt.Printf("made %d tables in %s\n", m.tables, time.Since(began).Round(time.Second))
	if err := m.command("nodetool", "-p", n.admin, "import", "-q", "bench", "data", dir); err != nil {
		return err
	}
	return n.end(syscall.SIGTERM)
}

// fillLog writes until the node is killed.
func (m *measure) fillLog() error {
	n, err := m.start()
	if err != nil {
		return err
	}
	if err := m.command("bench", "write", "--addr", n.address, "--duration", m.load.String(), "--rows", "100000000", "--value",
		strconv.Itoa(m.value), "--workers", "256", "--quiet"); err != nil {
		return err
	}
	return n.end(syscall.SIGKILL)
}

func (m *measure) command(args ...string) error {
	out, err := exec.Command(m.bin, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// benchTable is the table of helenus bench.
func benchTable() *schema.Table {
	t := &schema.Table{
		Keyspace: "bench", Name: "data", ByName: map[string]*schema.Column{}, ByID: map[schema.ColumnID]*schema.Column{},
		Dropped: map[string]schema.DroppedColumn{}, NextColumn: 4, Options: schema.DefaultOptions(),
	}
	for i, c := range []*schema.Column{
		{Name: "pk", Kind: schema.PartitionKey, Position: 0, Type: types.TBigint},
		{Name: "ck", Kind: schema.Clustering, Position: 0, Type: types.TBigint},
		{Name: "v", Kind: schema.Regular, Position: -1, Type: types.TBlob},
	} {
		c.Keyspace, c.Table, c.ID, c.DroppedAt = t.Keyspace, t.Name, schema.ColumnID(i+1), math.MinInt64
		t.ByName[c.Name], t.ByID[c.ID] = c, c
	}
	t.PartitionKey = []*schema.Column{t.ByName["pk"]}
	t.Clustering = []*schema.Column{t.ByName["ck"]}
	t.Regular = []*schema.Column{t.ByName["v"]}
	return t
}

// rowCost is about how many bytes a row takes beside its value.
const rowCost = 40

// write makes one table: partitions of one row with random keys and values.
func (m *measure) write(dir string, generation int) error {
	t := benchTable()
	keys := int(m.gib * (1 << 30) / float64(m.tables*(m.value+rowCost)))
	w, err := sstable.NewWriter(vfs.OS{}, dir, sstable.Descriptor{Version: "nb", ID: strconv.Itoa(generation), Format: "big"},
		sstable.WriterOptions{Table: t, ExpectedKeys: int64(keys)})
	if err != nil {
		return err
	}
	type place struct {
		token uint64
		key   uint64
	}
	random := rand.New(rand.NewPCG(uint64(generation), 1))
	places := make([]place, keys)
	var key, ck [8]byte
	for i := range places {
		k := random.Uint64()
		binary.BigEndian.PutUint64(key[:], k)
		places[i] = place{token.Murmur3{}.Token(key[:]).Prefix, k}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.token < b.token {
			return -1
		}
		return 1
	})
	value := make([]byte, m.value+8)
	for i := 0; i < len(value)-7; i += 8 {
		binary.BigEndian.PutUint64(value[i:], random.Uint64())
	}
	now := time.Now().UnixMicro()
	cells := []row.Cell{{Column: 3, Value: value[:m.value], Timestamp: now, Local: row.NoLocal}}
	r := row.Row{
		Clustering: [][]byte{ck[:]}, Liveness: row.Liveness{Timestamp: now, Expiry: row.NoLocal}, Deletion: row.Live, Cells: cells,
	}
	for i := range places {
		binary.BigEndian.PutUint64(key[:], places[i].key)
		for j := 0; j < len(value)-7; j += 8 {
			x := binary.LittleEndian.Uint64(value[j:])
			binary.LittleEndian.PutUint64(value[j:], x*6364136223846793005+1442695040888963407)
		}
		p := row.Partition{
			Token: token.Murmur3{}.Token(key[:]), Key: key[:], Deletion: row.Live, Rows: &one{u: row.Unfiltered{Row: &r}},
		}
		if err := w.Append(&p); err != nil {
			return err
		}
	}
	return w.Finish()
}

// one is a row.
type one struct {
	u    row.Unfiltered
	gone bool
}

func (o *one) Next() *row.Unfiltered {
	if o.gone {
		return nil
	}
	o.gone = true
	return &o.u
}

func (o *one) Err() error { return nil }

// node is a running one.
type node struct {
	cmd            *exec.Cmd
	address, admin string
	log            *bytes.Buffer
	took, cpu      time.Duration // until it was ready
	resident       int64
}

// start starts a node and waits until it is ready.
func (m *measure) start() (*node, error) {
	ready := filepath.Join(m.dir, "ready")
	_ = os.Remove(ready)
	n := &node{log: &bytes.Buffer{}}
	n.cmd = exec.Command(m.bin, "start", "--data-dir", filepath.Join(m.dir, "data"), "--port", "0", "--admin-port", "0",
		"--ready-file", ready)
	n.cmd.Env = append(os.Environ(), "HELENUS_AUTOCOMPACTION_ON_STARTUP_ENABLED=false")
	n.cmd.Env = append(n.cmd.Env, strings.FieldsFunc(m.env, func(r rune) bool { return r == ',' })...)
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	began := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	for {
		if b, err := os.ReadFile(ready); err == nil {
			n.took, n.address = time.Since(began), strings.TrimSpace(string(b))
			break
		}
		if time.Since(began) > 5*time.Minute {
			return nil, fmt.Errorf("not ready after %s\n%s", time.Since(began), n.log)
		}
		time.Sleep(2 * time.Millisecond)
	}
	n.cpu, n.resident = used(n.cmd.Process.Pid)
	if _, rest, ok := strings.Cut(n.log.String(), "nodetool -p "); ok {
		n.admin, _, _ = strings.Cut(rest, " ")
	}
	return n, nil
}

func (n *node) end(s syscall.Signal) error {
	if err := n.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%w\n%s", err, n.log)
	}
	_ = n.cmd.Wait()
	return nil
}

// said returns what the node has logged of its start.
func (n *node) said() string {
	var b strings.Builder
	for line := range strings.Lines(n.log.String()) {
		if strings.Contains(line, "Replayed") || strings.Contains(line, "Opened") {
			b.WriteString("  " + line)
		}
	}
	return b.String()
}

// used returns the processor time of a process and what of it is in memory.
func used(pid int) (cpu time.Duration, resident int64) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	ticks, pages := 0, 0
	for _, i := range []int{11, 12} {
		n, _ := strconv.Atoi(f[i])
		ticks += n
	}
	pages, _ = strconv.Atoi(f[21])
	return time.Duration(ticks) * 10 * time.Millisecond, int64(pages) * int64(os.Getpagesize())
}

func size(dir string) string {
	var n int64
	_ = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return mib(n)
}

func mib(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
