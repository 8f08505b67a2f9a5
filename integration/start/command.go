package start

import (
	"net"
	"os/exec"
	"strconv"
)

// Command returns a run of the command with arguments.
func Command(args ...string) (*exec.Cmd, error) {
	bin, err := build()
	if err != nil {
		return nil, err
	}
	return exec.Command(bin, args...), nil
}

// FreePort returns a port of 127.0.0.1 that nobody listened at just now.
func FreePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}
