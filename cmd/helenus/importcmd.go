package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/helenusdb/helenus/cluster"
	"github.com/helenusdb/helenus/cmd/helenus/config"
	"github.com/helenusdb/helenus/cql/schema"
)

// importCommand takes in the data of a Cassandra node while no node is running on the folder.
func importCommand() *cobra.Command {
	var f startFlags
	var o cluster.ForeignOptions
	def := config.Default()
	cmd := &cobra.Command{
		Use:   "import DIR...",
		Short: "Take in the data directories of a drained Cassandra node, schema included",
		Long: "Take in the data directories of a drained Cassandra node, schema included. Tables keep their ids. The files are\n" +
			"moved, or copied with --copy. No node may be running on the folder of the data.",
		Args: cobra.MinimumNArgs(1),
	}
	fs := cmd.Flags()
	fs.StringVar(&f.configFile, "config", "", "a cassandra.yaml")
	fs.StringVar(&f.dc, "dc", def.DC, "data center")
	fs.StringVar(&f.rack, "rack", def.Rack, "rack")
	fs.String("data-dir", def.DataDir, "folder of the data")
	fs.String("cluster-name", def.ClusterName, "name of the cluster")
	fs.BoolVar(&o.Skip, "skip-unsupported", false, "leave out what Helenus does not have: views, functions, compact tables, custom indexes")
	fs.BoolVar(&o.IgnoreLog, "ignore-commitlog", false, "pass over a commit log that holds writes")
	fs.BoolVar(&o.Import.Copy, "copy", false, "leave the files where they are")
	fs.BoolVar(&o.Import.NoVerify, "no-verify", false, "do not read every byte of the tables first")
	fs.BoolVar(&o.Import.KeepLevel, "keep-level", false, "keep the levels of the tables")
	fs.BoolVar(&o.Import.KeepRepaired, "keep-repaired", false, "keep what the tables say of their repair")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		log := slog.New(newLogHandler(os.Stderr))
		given, err := environment(fs)
		if err != nil {
			return usageError{err, cmd}
		}
		cfg, err := configure(&f, fs, given, log)
		if err != nil {
			return configError{err}
		}
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		dirs := make([]string, len(args))
		for i, arg := range args {
			if dirs[i], err = filepath.Abs(arg); err != nil {
				return err
			}
			dirs[i] = filepath.ToSlash(dirs[i])
		}
		b, err := divide(cfg, physicalMemory(), cgroupLimit())
		if err != nil {
			return configError{err}
		}
		b.obey()
		node, err := openNode(cfg, &f, &b, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(cfg.NativePort)), log)
		if err != nil {
			return err
		}
		defer func() {
			if err := node.Close(); err != nil {
				log.Error("Closing the node", slog.String("error", err.Error()))
			}
		}()
		tables, sstables := 0, 0
		o.Progress = func(t *schema.Table, n int) {
			tables, sstables = tables+1, sstables+n
			fmt.Fprintf(cmd.OutOrStdout(), "%s.%s: %d sstables\n", t.Keyspace, t.Name, n)
		}
		left, err := node.ImportForeign(ctx, dirs, o)
		if err != nil {
			return err
		}
		for _, what := range left {
			fmt.Fprintf(cmd.OutOrStdout(), "left out: %s\n", what)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d tables with %d sstables were imported into %s\n", tables, sstables, cfg.DataDir)
		return nil
	}
	return cmd
}
