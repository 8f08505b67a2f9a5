package sstable

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/helenusdb/helenus/storage/vfs"
)

// The components of a table, as they end the names of its files.
const (
	CompData        = "Data.db"
	CompIndex       = "Index.db"
	CompSummary     = "Summary.db"
	CompFilter      = "Filter.db"
	CompStatistics  = "Statistics.db"
	CompCompression = "CompressionInfo.db"
	CompCRC         = "CRC.db"
	CompDigest      = "Digest.crc32"
	CompTOC         = "TOC.txt"
	CompPartitions  = "Partitions.db"
	CompRows        = "Rows.db"
)

// Version is a format version: two letters, major and minor.
type Version string

// The versions that are read. ma to nb and oa are of the format "big", da of "bti".
var (
	bigVersions = []Version{"ma", "mb", "mc", "md", "me", "na", "nb", "oa"}
	btiVersions = []Version{"da"}
)

// checksums says that Statistics.db has checksums, CompressionInfo.db a maximal compressed length, and the statistics a
// pending repair.
func (v Version) checksums() bool { return v[0] != 'm' }

// hostID says that the statistics name the host that made the table.
func (v Version) hostID() bool { return v == "me" || v != "na" && v[0] != 'm' }

// logLowerBound and logIntervals say what the statistics hold of the commit log.
func (v Version) logLowerBound() bool { return v != "ma" }
func (v Version) logIntervals() bool  { return v[0] != 'm' || v >= "mc" }

// AccurateBounds says that the lowest and highest clustering in the statistics can be trusted (CASSANDRA-14861).
func (v Version) AccurateBounds() bool { return v[0] != 'm' || v >= "md" }

// oldFilter says that the words of the Bloom filter are big-endian.
func (v Version) oldFilter() bool { return v[0] == 'm' }

// modern says that the version is oa or da: unsigned deletion times, covered slice, key range in the statistics.
func (v Version) modern() bool { return v == "oa" || v == "da" }

// Descriptor names a table within its folder. Source: org.apache.cassandra.io.sstable.Descriptor.
type Descriptor struct {
	Version Version
	ID      string // a decimal number, or a time UUID of 28 characters
	Format  string // "big" or "bti"
}

// BTI reports whether the table is of the trie-indexed format.
func (d Descriptor) BTI() bool { return d.Format == "bti" }

// String returns what the names of the table's files have in common: "nb-1-big".
func (d Descriptor) String() string { return string(d.Version) + "-" + d.ID + "-" + d.Format }

// File returns the name of a component's file.
func (d Descriptor) File(component string) string { return d.String() + "-" + component }

// ParseFile splits the name of a file into the table and its component. An unknown version wraps ErrVersion.
func ParseFile(name string) (d Descriptor, component string, err error) {
	parts := strings.SplitN(name, "-", 4)
	if len(parts) != 4 || parts[1] == "" || parts[3] == "" || len(parts[0]) != 2 || !isID(parts[1]) {
		return d, "", fmt.Errorf("%q is not the name of an sstable's file", name)
	}
	d = Descriptor{Version: Version(parts[0]), ID: parts[1], Format: parts[2]}
	return d, parts[3], d.check()
}

// check refuses versions that are not read.
func (d Descriptor) check() error {
	if d.Format == "big" && slices.Contains(bigVersions, d.Version) || d.Format == "bti" && slices.Contains(btiVersions, d.Version) {
		return nil
	}
	return fmt.Errorf("%s: %w %s of format %s", d, ErrVersion, d.Version, d.Format)
}

func isID(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

// List returns the tables in a folder that have a Data.db, sorted by name. Files of other shapes are passed over; a version
// that is not read is an error.
func List(fsys vfs.FS, dir string) ([]Descriptor, error) {
	names, err := fsys.List(dir)
	if err != nil {
		return nil, err
	}
	var found []Descriptor
	for _, name := range names {
		if !strings.HasSuffix(name, "-"+CompData) {
			continue
		}
		d, component, err := ParseFile(name)
		if component != CompData {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, d)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].String() < found[j].String() })
	return found, nil
}

// maxTOC bounds TOC.txt and Digest.crc32, which hold a few names and a number.
const maxTOC = 4096

// ReadTOC returns the components that TOC.txt names.
func ReadTOC(fsys vfs.FS, dir string, d Descriptor) ([]string, error) {
	name := d.File(CompTOC)
	b, err := readSmall(fsys, dir, name, maxTOC)
	if err != nil {
		return nil, err
	}
	components := strings.Fields(string(b))
	if !slices.Contains(components, CompData) {
		return nil, corrupt(name, 0, "%s is not listed", CompData)
	}
	return components, nil
}
