package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/helenusdb/helenus/cluster"
	"github.com/helenusdb/helenus/cluster/admin"
	"github.com/helenusdb/helenus/cmd/helenus/nodetool"
)

// nodetoolCommand is the client of a node's admin endpoint. Its command line is nodetool's own.
func nodetoolCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "nodetool [-h HOST] [-p PORT] [-u USER] [-pw TOKEN | -pwf FILE] VERB",
		Short:              "Ask or tell a running node",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if code := nodetool.Run(ctx, args, cmd.OutOrStdout(), cmd.ErrOrStderr()); code != 0 {
				return exitCode(code)
			}
			return nil
		},
	}
}

// adminEndpoint is a running admin endpoint, or none: its address is "" then.
type adminEndpoint struct {
	address string
	server  *admin.Server
	serving sync.WaitGroup
	log     *slog.Logger
}

// startAdmin starts the admin endpoint of a node. When nobody asked for its port and the port is taken, the node does without.
func startAdmin(f *startFlags, node *cluster.Node, log *slog.Logger) (*adminEndpoint, error) {
	a := &adminEndpoint{log: log}
	o := admin.Options{Log: log}
	var err error
	if o.Token, err = readToken(f.adminTokenFile); err != nil {
		return nil, configError{err}
	}
	host := first(f.adminAddress, "127.0.0.1")
	address, err := resolve(host, f.adminPort)
	if err == nil {
		err = o.Check(address.Addr())
	}
	if err != nil {
		return nil, configError{fmt.Errorf("admin endpoint: %w", err)}
	}
	l, err := net.Listen("tcp", address.String())
	if errors.Is(err, syscall.EADDRINUSE) && !f.adminGiven {
		log.Warn("The admin endpoint is off: its port is taken. Give --admin-port to use another one", slog.String("address", address.String()))
		return a, nil
	}
	if err != nil {
		return nil, fmt.Errorf("admin endpoint: %w", err)
	}
	a.address, a.server = l.Addr().String(), admin.New(node, o)
	a.serving.Go(func() {
		if err := a.server.Serve(l); err != nil {
			log.Error("Admin endpoint", slog.String("error", err.Error()))
		}
	})
	log.Info("Starting listening for nodetool on " + a.address)
	return a, nil
}

// stop ends the endpoint and what it does.
func (a *adminEndpoint) stop() {
	if a.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := a.server.Close(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		a.log.Error("Admin endpoint", slog.String("error", err.Error()))
	}
	a.serving.Wait()
}

// minToken and maxToken bound a token, in bytes.
const (
	minToken = 16
	maxToken = 4 << 10
)

// readToken returns the token in a file, "" when no file is named.
func readToken(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return "", err
	} else if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("%s: the file of the token can be read by others (mode %04o): make it 0600", name, mode)
	}
	b, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if len(token) < minToken || len(b) > maxToken {
		return "", fmt.Errorf("%s: a token has %d to %d bytes", name, minToken, maxToken)
	}
	return token, nil
}
