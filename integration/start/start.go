// Package start builds and starts a Helenus for the tests: the command's file and a free port, nothing of its code.
package start

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyWithin bounds the start of a node.
const readyWithin = 20 * time.Second

// Root is the root folder of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

var build = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("HELENUS_BIN"); bin != "" {
		return bin, nil
	}
	bin := filepath.Join(Root(), ".cache", "helenus")
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/helenus")
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/helenus: %w\n%s", err, out)
	}
	return bin, nil
})

// Node is a running Helenus, or a server that runs already.
type Node struct {
	Address string // host:port for CQL clients

	cmd  *exec.Cmd
	dir  string
	log  *bytes.Buffer
	done chan error
}

// Server returns the server under test: the one at HELENUS_ADDR if that is set, else a node started in memory.
func Server(args ...string) (*Node, error) {
	if address := os.Getenv("HELENUS_ADDR"); address != "" {
		return &Node{Address: address}, nil
	}
	return Helenus(args...)
}

// Helenus builds the command (HELENUS_BIN names one that is built) and starts a node in memory on a free port.
func Helenus(args ...string) (*Node, error) {
	bin, err := build()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "helenus-node-")
	if err != nil {
		return nil, err
	}
	n := &Node{dir: dir, log: &bytes.Buffer{}, done: make(chan error, 1)}
	ready := filepath.Join(dir, "ready")
	n.cmd = exec.Command(bin, append([]string{"start", "--memory", "--port", "0", "--ready-file", ready}, args...)...)
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = dir, n.log, n.log
	if err := n.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	go func() { n.done <- n.cmd.Wait() }()
	return n, n.await(ready)
}

// await waits for the ready file, which holds the address.
func (n *Node) await(ready string) error {
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	for {
		if data, err := os.ReadFile(ready); err == nil && len(bytes.TrimSpace(data)) > 0 {
			n.Address = strings.TrimSpace(string(data))
			return nil
		}
		select {
		case err := <-n.done:
			n.done <- err
			return fmt.Errorf("the node ended while starting: %v\n%s", err, n.log)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the node is not ready after %s\n%s", readyWithin, n.log), n.Stop())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Stop ends the node as a user would and waits for it. A server that was not started here goes on.
func (n *Node) Stop() error {
	if n.cmd == nil {
		return nil
	}
	defer os.RemoveAll(n.dir)
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("the node had ended before: %w\n%s", err, n.log)
	}
	select {
	case err := <-n.done:
		if err != nil {
			return fmt.Errorf("the node ended badly: %w\n%s", err, n.log)
		}
		return nil
	case <-time.After(10 * time.Second):
		return errors.Join(fmt.Errorf("the node does not end on SIGTERM\n%s", n.log), n.cmd.Process.Kill())
	}
}

// Started says whether the node was started here, so that nothing else uses it.
func (n *Node) Started() bool { return n.cmd != nil }
