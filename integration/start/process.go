package start

import (
	"fmt"
	"syscall"
	"time"
)

// PID returns the process id of a node that was started here, and 0 of another server.
func (n *Node) PID() int {
	if n.cmd == nil {
		return 0
	}
	return n.cmd.Process.Pid
}

// Dump ends the node by SIGQUIT, at which a Go program prints the stacks of all its goroutines, and returns what it has
// printed in its life. The node is to be started with GOTRACEBACK=all in the environment.
func (n *Node) Dump() (string, error) {
	if err := n.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return n.log.String(), fmt.Errorf("the node had ended before: %w", err)
	}
	select {
	case <-n.done:
		return n.log.String(), nil
	case <-time.After(10 * time.Second):
		_ = n.cmd.Process.Kill()
		<-n.done
		return n.log.String(), fmt.Errorf("the node does not end on SIGQUIT")
	}
}
