package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/helenusdb/helenus/cmd/helenus/bench"
	"github.com/helenusdb/helenus/cql"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Load a CQL server and measure it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError{fmt.Errorf("name a workload"), cmd}
		},
	}
	for _, w := range []string{"write", "read", "mixed"} {
		cmd.AddCommand(workloadCommand(w))
	}
	cmd.AddCommand(floorCommand())
	return cmd
}

func workloadCommand(workload string) *cobra.Command {
	o := bench.Options{Workload: workload}
	var consistency, report string
	var quiet bool
	cmd := &cobra.Command{
		Use:   workload,
		Short: map[string]string{"write": "Insert rows", "read": "Select rows by key", "mixed": "Half inserts, half selects"}[workload],
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, ok := cql.ParseConsistency(consistency)
			if !ok {
				return usageError{fmt.Errorf("unknown consistency level %q", consistency), cmd}
			}
			o.Consistency = c
			if !quiet {
				o.Progress = os.Stderr
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			r, err := bench.Run(ctx, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %.0f op/s, mean %.0f us, p50 %d us, p99 %d us, p99.9 %d us, max %d us, %d operations, %d errors %s\n",
				r.Workload, r.PerSecond, r.MeanUs, r.P50Us, r.P99Us, r.P999Us, r.MaxUs, r.Operations, r.Errors, r.FirstError)
			if report != "" {
				return r.WriteJSON(report)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Addr, "addr", "127.0.0.1:9042", "server")
	f.IntVar(&o.Workers, "workers", 64, "requests in flight")
	f.IntVar(&o.Connections, "connections", 4, "connections")
	f.DurationVar(&o.Duration, "duration", o.Duration, "how long to measure (default 10s)")
	f.DurationVar(&o.Warmup, "warmup", 0, "how long to load before measuring")
	f.IntVar(&o.Rows, "rows", 100_000, "partitions")
	f.IntVar(&o.ValueBytes, "value", 100, "bytes of a value")
	f.Float64Var(&o.Rate, "rate", 0, "operations per second in an open loop; 0 is a closed loop")
	f.StringVar(&o.Keyspace, "keyspace", "bench", "keyspace")
	f.BoolVar(&o.Fill, "fill", false, "write all rows before a read or mixed load")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the keys")
	f.StringVar(&consistency, "consistency", "ONE", "consistency level")
	f.StringVar(&report, "json", "", "file for a JSON report")
	f.BoolVar(&quiet, "quiet", false, "no progress lines")
	return cmd
}

func floorCommand() *cobra.Command {
	var listen, ready string
	var value int
	cmd := &cobra.Command{
		Use:   "floor",
		Short: "Serve the least that a CQL server could do: canned answers to the loads of bench",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return err
			}
			if ready != "" {
				if err := writeReady(ready, l.Addr().String()); err != nil {
					return err
				}
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, func() { _ = l.Close() })
			if err := bench.ServeFloor(l, value); ctx.Err() == nil {
				return err
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address")
	cmd.Flags().IntVar(&value, "value", 100, "bytes of the value in the one row")
	cmd.Flags().StringVar(&ready, "ready-file", "", "file to write the address to")
	return cmd
}
