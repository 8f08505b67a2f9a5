package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/helenusdb/helenus/cluster/admin"
	"github.com/helenusdb/helenus/cmd/helenus/config"
)

// startFlags are the options of `helenus start` that are not settings of cassandra.yaml.
type startFlags struct {
	configFile, readyFile    string
	dc, rack                 string
	strict, memory, insecure bool
	adminAddress             string
	adminPort                int
	adminTokenFile           string
	// adminGiven says that the port was asked for: one that is taken is then an error.
	adminGiven bool
}

// settingOf names the setting behind a flag.
var settingOf = map[string]string{
	"data-dir": "data_file_directories", "listen-address": "rpc_address", "port": "native_transport_port", "cluster-name": "cluster_name",
	"memory-limit": "memory_limit",
}

// envPrefix begins the environment variables: HELENUS_DATA_DIR is --data-dir.
const envPrefix = "HELENUS_"

func startCommand() *cobra.Command {
	var f startFlags
	def := config.Default()
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start a node and serve CQL clients until SIGTERM or Ctrl-C",
		Long: "Start a node and serve CQL clients until SIGTERM or Ctrl-C.\n\nEvery flag is also an environment variable, HELENUS_DATA_DIR for " +
			"--data-dir, and so is every honoured\nsetting of cassandra.yaml, HELENUS_READ_REQUEST_TIMEOUT for read_request_timeout. Flags win over " +
			"the\nenvironment, the environment over the file.",
		Args: cobra.NoArgs,
	}
	fs := cmd.Flags()
	fs.StringVar(&f.configFile, "config", "", "a cassandra.yaml")
	fs.BoolVar(&f.strict, "strict-config", false, "refuse unknown names in the configuration file")
	fs.BoolVar(&f.memory, "memory", false, "keep everything in memory, nothing on disk")
	fs.BoolVar(&f.insecure, "insecure", false, "listen beyond loopback without authentication")
	fs.StringVar(&f.readyFile, "ready-file", "", "file to write the address to when clients can connect")
	fs.StringVar(&f.dc, "dc", def.DC, "data center")
	fs.StringVar(&f.rack, "rack", def.Rack, "rack")
	fs.StringVar(&f.adminAddress, "admin-address", "127.0.0.1", "address for nodetool; beyond loopback only with a token")
	fs.IntVar(&f.adminPort, "admin-port", admin.DefaultPort, "port for nodetool; 0 takes a free one")
	fs.StringVar(&f.adminTokenFile, "admin-token-file", "", "file with the token that nodetool must bring as its password")
	fs.String("data-dir", def.DataDir, "folder of the data")
	fs.String("listen-address", def.RPCAddress, "address for CQL clients")
	fs.Int("port", def.NativePort, "port for CQL clients; 0 takes a free one")
	fs.String("memory-limit", "", "bound of the resident memory, like 2GiB (default: half of the machine's, or 3/4 of the control group's)")
	fs.String("cluster-name", def.ClusterName, "name of the cluster")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		log := slog.New(newLogHandler(os.Stderr))
		given, err := environment(fs)
		if err != nil {
			return usageError{err, cmd}
		}
		cfg, err := configure(&f, fs, given, log)
		if err != nil {
			return configError{err}
		}
		f.adminGiven = fs.Changed("admin-port")
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return serve(ctx, cfg, &f, log)
	}
	return cmd
}

// environment sets the flags that were not given from HELENUS_ variables and returns the others, which are settings, by name.
func environment(fs *pflag.FlagSet) (settings map[string]string, err error) {
	settings = map[string]string{}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		name, ok := strings.CutPrefix(name, envPrefix)
		if !ok {
			continue
		}
		flag := strings.ReplaceAll(strings.ToLower(name), "_", "-")
		switch {
		case fs.Lookup(flag) == nil:
			settings[strings.ToLower(name)] = value
		case !fs.Changed(flag):
			if err := fs.Set(flag, value); err != nil {
				return nil, fmt.Errorf("%s%s: %w", envPrefix, name, err)
			}
		}
	}
	return settings, nil
}

// configure lays file, environment and flags over each other, in this order.
func configure(f *startFlags, fs *pflag.FlagSet, env map[string]string, log *slog.Logger) (*config.Config, error) {
	cfg := config.Default()
	if f.configFile != "" {
		warnings, err := cfg.Load(f.configFile, f.strict)
		if err != nil {
			return nil, err
		}
		for _, w := range warnings {
			log.Warn(w)
		}
	}
	for name, value := range env {
		known, err := cfg.Set(name, value)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", envPrefix, strings.ToUpper(name), err)
		}
		if !known {
			log.Warn("Unknown environment variable " + envPrefix + strings.ToUpper(name))
		}
	}
	for flag, name := range settingOf {
		if fs.Changed(flag) {
			if _, err := cfg.Set(name, fs.Lookup(flag).Value.String()); err != nil {
				return nil, fmt.Errorf("--%s: %w", flag, err)
			}
		}
	}
	if fs.Changed("dc") {
		cfg.DC = f.dc
	}
	if fs.Changed("rack") {
		cfg.Rack = f.rack
	}
	for _, w := range cfg.Partly() {
		log.Warn(w)
	}
	return cfg, nil
}
