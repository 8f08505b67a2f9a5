// Command helenus is the database in one binary: it starts a node and carries the tools around it.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/helenusdb/helenus/cql"
)

// version is the release; the commit is read from the build.
const version = "0.1.0"

// exitUsage is the exit code of a call that cannot be understood, exitConfig that of a configuration that is refused.
const (
	exitUsage  = 2
	exitConfig = 78
)

func main() {
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "nodetool" { // a link of that name
		args = append([]string{"nodetool"}, args...)
	}
	os.Exit(run(args))
}

// run carries out one call and returns its exit code.
func run(args []string) int {
	root := &cobra.Command{
		Use:           "helenus",
		Short:         "Apache Cassandra as one binary",
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return usageError{fmt.Errorf("a verb is missing"), cmd}
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError{err, cmd} })
	root.AddCommand(startCommand(), benchCommand(), importCommand(), nodetoolCommand(), sstableCommand(), versionCommand())
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[exitCode](err); ok {
		return int(e)
	}
	if e, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(os.Stderr, "helenus: %v\n\n%s", e.error, e.cmd.UsageString())
		return exitUsage
	}
	if e, ok := errors.AsType[configError](err); ok {
		fmt.Fprintf(os.Stderr, "helenus: %v\n", e.error)
		return exitConfig
	}
	if strings.HasPrefix(err.Error(), "unknown command") || strings.Contains(err.Error(), "arg(s)") {
		fmt.Fprintf(os.Stderr, "helenus: %v\n\n%s", err, cmd.UsageString())
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "helenus: %v\n", err)
	return 1
}

// usageError is a call that was not understood; cmd says how to call it.
type usageError struct {
	error
	cmd *cobra.Command
}

// exitCode ends the program; what there is to say has been said.
type exitCode int

func (exitCode) Error() string { return "exit" }

// configError is a configuration that a node does not start with.
type configError struct{ error }

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintf(cmd.OutOrStdout(), "Helenus %s%s (Cassandra %s compatible, CQL %s, protocol v3-v5)\n",
				version, commit(), cql.ReleaseVersion, cql.LanguageVersion)
			return nil
		},
	}
}

// commit returns the commit that the binary was built from, in parentheses, or "".
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}
