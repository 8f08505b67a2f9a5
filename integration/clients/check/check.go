// Package check is what the programs that drive real clients have in common: the list of checks and how a run is told.
//
// Each client's program does the checks in Names, in that order, against one server with one protocol version and one
// compression, and prints a line for each: name, `ok`, `failed` or `cannot`, and the reason, with tabs between.
package check

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Names are the checks that every client does.
var Names = []string{
	"connect",       // opens a session with what was asked for and reads system.local
	"ddl",           // keyspace, type, table, index, ALTER
	"simple",        // an unprepared statement
	"prepared",      // a prepared one, executed repeatedly
	"logged",        // a logged batch of simple and prepared statements
	"unlogged",      // an unlogged one over partitions
	"counter",       // a counter batch
	"paged",         // 1,000 rows in pages of 100
	"traced",        // a traced statement, its events read back
	"conditional",   // IF NOT EXISTS and IF v = ?
	"types",         // every type written and read back equal
	"syntax",        // the client's own exception for each kind of error: 0x2000
	"invalid",       // 0x2200
	"exists",        // 0x2400 with keyspace and table
	"unavailable",   // 0x1000 with consistency, required and alive
	"configuration", // 0x2300
	"function",      // 0x1400
	"unprepared",    // a prepared statement outlives its table being made anew
	"event",         // a table made by another session is noticed
	"inflight",      // 1,000 requests at once on one connection
	"metadata",      // tokens, keyspaces, tables, types, indexes as the client reads them
}

// States of a check.
const (
	OK     = "ok"
	Failed = "failed"
	Cannot = "cannot" // the client has no such thing; the reason says what
)

// Result is the outcome of one check.
type Result struct {
	Name, State, Reason string
}

// Want is what a client is to connect with.
type Want struct {
	Host        string
	Port        int
	Version     int    // protocol version; 0 is the client's default
	Compression string // none, lz4 or snappy; empty is the client's default
}

// Keyspace is the keyspace a run has to itself.
func (w Want) Keyspace(client string) string {
	return strings.ToLower(fmt.Sprintf("c_%s_%d_%s", client, w.Version, w.Compression))
}

// cannot is the error of a check that the client has no means for.
type cannot string

func (c cannot) Error() string { return string(c) }

// Impossible says why a client cannot do a check.
func Impossible(reason string) error { return cannot(reason) }

// checkTime bounds one check.
const checkTime = 60 * time.Second

// Run does the checks of one client in the order of Names; a panic and a hang fail the check.
func Run(checks map[string]func() error) []Result {
	var out []Result
	for _, name := range Names {
		f := checks[name]
		if f == nil {
			out = append(out, Result{name, Failed, "not written"})
			continue
		}
		out = append(out, one(name, f))
		if name == "connect" && out[0].State != OK {
			break
		}
	}
	return out
}

func one(name string, f func() error) Result {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v", p)
			}
		}()
		done <- f()
	}()
	var err error
	select {
	case err = <-done:
	case <-time.After(checkTime):
		err = fmt.Errorf("no end after %s", checkTime)
	}
	if err == nil {
		return Result{name, OK, ""}
	}
	if c, ok := errors.AsType[cannot](err); ok {
		return Result{name, Cannot, c.Error()}
	}
	return Result{name, Failed, err.Error()}
}

// Parse reads what a client's program printed; lines of another form are ignored.
func Parse(r io.Reader) []Result {
	var out []Result
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), "\t", 3)
		if len(parts) >= 2 && (parts[1] == OK || parts[1] == Failed || parts[1] == Cannot) {
			out = append(out, Result{parts[0], parts[1], strings.Join(parts[2:], "")})
		}
	}
	return out
}
