package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/helenusdb/helenus/storage/sstable"
	"github.com/helenusdb/helenus/storage/vfs"
)

// sstableCommand holds the tools for Cassandra's tables as files: no node, no schema.
func sstableCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sstable",
		Short: "Look into Cassandra's tables on disk",
		Long: "Look into Cassandra's tables on disk, versions ma to nb, oa and da. A FILE is a table's Data.db, another\nof its files, or a " +
			"folder, which stands for all tables in it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError{fmt.Errorf("say what to do"), cmd}
		},
	}
	cmd.AddCommand(sstableDumpCommand(), sstableMetaCommand(), sstableVerifyCommand())
	return cmd
}

func sstableDumpCommand() *cobra.Command {
	var o sstable.DumpOptions
	cmd := &cobra.Command{
		Use:   "dump FILE...",
		Short: "Print tables as JSON, as sstabledump does",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Now = time.Now().Unix()
			out := bufio.NewWriter(cmd.OutOrStdout())
			err := eachTable(args, func(r *sstable.Reader, _ string) error { return r.Dump(out, o) })
			return errors.Join(err, out.Flush())
		},
	}
	fs := cmd.Flags()
	fs.BoolVarP(&o.KeysOnly, "keys-only", "e", false, "print partition keys only")
	fs.StringArrayVarP(&o.Keys, "key", "k", nil, "print only this partition; may be given several times")
	fs.StringArrayVarP(&o.Except, "exclude", "x", nil, "leave this partition out; may be given several times")
	fs.BoolVarP(&o.Raw, "timestamps", "t", false, "print times as numbers")
	fs.BoolVarP(&o.Debug, "debug", "d", false, "print each row on a line, in Cassandra's internal form")
	fs.BoolVarP(&o.Lines, "lines", "l", false, "print each partition on a line")
	return cmd
}

func sstableMetaCommand() *cobra.Command {
	var grace int64
	var unit string
	cmd := &cobra.Command{
		Use:   "meta FILE...",
		Short: "Print what tables say about themselves, as sstablemetadata does",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := sstable.DescribeOptions{DropBefore: time.Now().Unix() - grace, Location: time.Local}
			switch strings.ToUpper(unit) {
			case "MICROSECONDS":
				o.Unit = time.Microsecond
			case "MILLISECONDS":
				o.Unit = time.Millisecond
			case "SECONDS":
				o.Unit = time.Second
			default:
				return usageError{fmt.Errorf("--timestamp-unit %q is not MICROSECONDS, MILLISECONDS or SECONDS", unit), cmd}
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			err := eachTable(args, func(r *sstable.Reader, _ string) error { return r.Describe(out, o) })
			return errors.Join(err, out.Flush())
		},
	}
	cmd.Flags().Int64VarP(&grace, "gc-grace-seconds", "g", 0, "age in seconds at which tombstones can be dropped")
	cmd.Flags().StringVarP(&unit, "timestamp-unit", "t", "MICROSECONDS", "what timestamps of cells count")
	return cmd
}

func sstableVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE...",
		Short: "Check every byte of tables; the exit code is 1 when one is damaged",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bad := 0
			tables, err := findTables(args)
			for _, t := range tables {
				err := t.open(func(r *sstable.Reader, _ string) error { return r.Verify() })
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", t)
					continue
				}
				bad++
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %v\n", t, err)
			}
			if err == nil && bad > 0 {
				err = fmt.Errorf("%d of %d tables are damaged", bad, len(tables))
			}
			return err
		},
	}
}

// tableFile is a table named by a caller.
type tableFile struct {
	dir  string
	desc sstable.Descriptor
}

// String returns what the paths of the table's files begin with.
func (t tableFile) String() string { return path.Join(t.dir, t.desc.String()) }

// open opens the table for as long as f takes.
func (t tableFile) open(f func(r *sstable.Reader, dir string) error) error {
	r, err := sstable.Open(readOnly{}, t.dir, t.desc)
	if err != nil {
		return err
	}
	defer r.Close()
	return f(r, t.dir)
}

// eachTable opens one table after the other, up to the first error, which it names.
func eachTable(args []string, f func(r *sstable.Reader, dir string) error) error {
	tables, err := findTables(args)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.open(f); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
	}
	return nil
}

// findTables returns the tables that paths name.
func findTables(args []string) ([]tableFile, error) {
	var out []tableFile
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return out, err
		}
		if !info.IsDir() {
			desc, _, err := sstable.ParseFile(filepath.Base(arg))
			if err != nil {
				return out, fmt.Errorf("%s: %w", arg, err)
			}
			out = append(out, tableFile{filepath.ToSlash(filepath.Dir(arg)), desc})
			continue
		}
		descs, err := sstable.List(readOnly{}, filepath.ToSlash(arg))
		if err != nil {
			return out, fmt.Errorf("%s: %w", arg, err)
		}
		if len(descs) == 0 {
			return out, fmt.Errorf("%s: there are no tables in this folder", arg)
		}
		for _, d := range descs {
			out = append(out, tableFile{filepath.ToSlash(arg), d})
		}
	}
	return out, nil
}

// readOnly is the file system of the operating system for tools that may have no right to write.
type readOnly struct{ vfs.OS }

// Open implements vfs.FS.
func (readOnly) Open(name string) (vfs.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return readFile{f}, nil
}

// readFile is a file that was opened for reading.
type readFile struct{ *os.File }

// Size implements vfs.File.
func (f readFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if info.IsDir() {
		return 0, fmt.Errorf("%s is a folder: %w", f.Name(), io.ErrUnexpectedEOF)
	}
	return info.Size(), nil
}
