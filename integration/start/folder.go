package start

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// In builds the command and starts a node whose data are in dir, which outlives it, with further environment variables.
func In(dir string, env ...string) (*Node, error) {
	bin, err := build()
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "helenus-node-")
	if err != nil {
		return nil, err
	}
	n := &Node{dir: work, log: &bytes.Buffer{}, done: make(chan error, 1)}
	ready := filepath.Join(work, "ready")
	n.cmd = exec.Command(bin, "start", "--data-dir", dir, "--port", "0", "--ready-file", ready)
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = work, n.log, n.log
	n.cmd.Env = append(os.Environ(), env...)
	if err := n.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(work))
	}
	go func() { n.done <- n.cmd.Wait() }()
	return n, n.await(ready)
}

// Kill ends the node without a chance to do anything more, and waits until it is gone.
func (n *Node) Kill() error {
	defer os.RemoveAll(n.dir)
	if err := n.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("the node had ended before: %w\n%s", err, n.log)
	}
	<-n.done
	return nil
}

// Log returns what the node has printed; it is to be called when the node has ended.
func (n *Node) Log() string { return n.log.String() }
