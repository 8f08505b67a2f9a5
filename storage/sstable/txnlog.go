package sstable

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/storage/vfs"
)

// maxTransactionLog bounds a transaction log, which is read whole: a line for each table of a compaction.
const maxTransactionLog = 64 << 20

// transactionLogName is the name of a transaction log: nb_txn_compaction_<uuid>.log.
var transactionLogName = regexp.MustCompile(`^[a-z]{2}_txn_[a-z_]+_[0-9a-f-]{36}\.log$`)

// transactionRecord is a line of one: what happened, to the files of which prefix, when they were changed, how many they are.
var transactionRecord = regexp.MustCompile(`^(ADD|REMOVE|COMMIT|ABORT):\[([^,]*),(\d+),(\d+)\]\[(\d+)\]$`)

// Void returns the tables of a folder that Cassandra's transaction logs in it call void: those that a flush or compaction wrote
// which was not committed, and those that a committed one replaced. The logs are left alone; one that is damaged is an error.
// Source: org.apache.cassandra.db.lifecycle.LogFile, LogRecord; storage.md 1.1.
func Void(fsys vfs.FS, dir string) (map[Descriptor]bool, error) {
	names, err := fsys.List(dir)
	if err != nil {
		return nil, err
	}
	void := map[Descriptor]bool{}
	for _, name := range names {
		if !transactionLogName.MatchString(name) {
			continue
		}
		text, err := readTransactionLog(fsys, path.Join(dir, name))
		if err != nil {
			return nil, err
		}
		added, removed, committed, err := parseTransactionLog(name, text)
		if err != nil {
			return nil, err
		}
		if committed {
			added = removed
		}
		for _, prefix := range added {
			// The prefix ends with the separator, else nb-1 would be that of nb-11 too.
			d, component, err := ParseFile(path.Base(prefix) + CompData)
			if err != nil || component != CompData {
				return nil, corrupt(name, 0, "%q is not what the names of a table's files begin with", prefix)
			}
			void[d] = true
		}
	}
	return void, nil
}

func readTransactionLog(fsys vfs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return "", err
	}
	if size > maxTransactionLog {
		return "", corrupt(path.Base(name), 0, "a transaction log of %d bytes", size)
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return "", err
	}
	return string(b), nil
}

// parseTransactionLog returns the prefixes of files that a transaction adds and removes, and whether it was committed. A last
// line that is not whole was being written when the power went, and does not count.
func parseTransactionLog(name, text string) (added, removed []string, committed bool, err error) {
	lines := slices.Collect(strings.Lines(text))
	for i, line := range lines {
		content, whole := strings.CutSuffix(line, "\n")
		kind, prefix, err := parseTransactionRecord(content)
		if err != nil {
			if i == len(lines)-1 && !whole {
				break
			}
			return nil, nil, false, corrupt(name, int64(i+1), "line %d: %v", i+1, err)
		}
		switch kind {
		case "ADD":
			added = append(added, prefix)
		case "REMOVE":
			removed = append(removed, prefix)
		default:
			if i != len(lines)-1 {
				return nil, nil, false, corrupt(name, int64(i+1), "lines stand behind the end of the transaction")
			}
			committed = kind == "COMMIT"
		}
	}
	return added, removed, committed, nil
}

func parseTransactionRecord(line string) (kind, prefix string, err error) {
	m := transactionRecord.FindStringSubmatch(line)
	if m == nil {
		return "", "", fmt.Errorf("%q is not a record", line)
	}
	at, err1 := strconv.ParseInt(m[3], 10, 64)
	files, err2 := strconv.ParseInt(m[4], 10, 32)
	if err1 != nil || err2 != nil {
		return "", "", fmt.Errorf("%q has numbers out of range", line)
	}
	sum := crc32.ChecksumIEEE([]byte(m[2] + m[1]))
	var numbers []byte
	for _, n := range []uint32{uint32(at), uint32(at >> 32), uint32(files)} {
		numbers = binary.BigEndian.AppendUint32(numbers, n)
	}
	if sum = crc32.Update(sum, crc32.IEEETable, numbers); strconv.FormatUint(uint64(sum), 10) != m[5] {
		return "", "", fmt.Errorf("%q has checksum %d", line, sum)
	}
	return m[1], m[2], nil
}
