package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be the command: the tests start it as a user would.
func TestMain(m *testing.M) {
	if os.Getenv("BE_HELENUS") != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// command returns the command with arguments, ready to start in a folder of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "BE_HELENUS=1")
	return cmd
}

// call runs the command to its end.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// TestCalls holds exit codes and what is said to calls that start nothing.
func TestCalls(t *testing.T) {
	for _, v := range []struct {
		args string
		code int
		want string
	}{
		{"version", 0, "Cassandra 5.0.6 compatible"},
		{"", exitUsage, "Usage:"},
		{"serve", exitUsage, `unknown command "serve"`},
		{"start --colour", exitUsage, "unknown flag: --colour"},
		{"start now", exitUsage, `unknown command "now"`},
		{"start --port many", exitUsage, "invalid argument"},
		{"start --port 70000", exitConfig, "out of range"},
		{"start --listen-address 0.0.0.0", exitConfig, "--insecure"},
		{"start --config nowhere.yaml", exitConfig, "nowhere.yaml"},
		{"bench", exitUsage, "name a workload"},
		{"bench write --consistency SOME", exitUsage, "SOME"},
		{"bench write --addr 127.0.0.1:1 --duration 1s", 1, "refused"},
	} {
		code, out, errs := call(t, strings.Fields(v.args)...)
		if code != v.code || !strings.Contains(out+errs, v.want) {
			t.Errorf("helenus %s: exit code %d, want %d and %q in:\n%s%s", v.args, code, v.code, v.want, out, errs)
		}
	}
}

// node is a started command.
type node struct {
	cmd  *exec.Cmd
	addr string
	out  bytes.Buffer
}

func start(t *testing.T, cmd *exec.Cmd) *node {
	t.Helper()
	n := &node{cmd: cmd}
	ready := filepath.Join(t.TempDir(), "ready")
	cmd.Args = append(cmd.Args, "--ready-file", ready)
	cmd.Stdout, cmd.Stderr = &n.out, &n.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(2 * time.Millisecond) {
		if b, err := os.ReadFile(ready); err == nil {
			n.addr = strings.TrimSpace(string(b))
			return n
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	t.Fatalf("not ready:\n%s", n.out.String())
	return nil
}

// stop ends the node by SIGTERM and holds that it says goodbye with 0.
func (n *node) stop(t *testing.T) string {
	t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Wait(); err != nil {
		t.Fatalf("after SIGTERM: %v\n%s", err, n.out.String())
	}
	return n.out.String()
}

// options sends OPTIONS of v4 and returns the answer's opcode.
func options(t *testing.T, addr string) byte {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte{4, 0, 0, 1, 5, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	h := make([]byte, 9)
	if _, err := io.ReadFull(c, h); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, binary.BigEndian.Uint32(h[5:]))); err != nil {
		t.Fatal(err)
	}
	return h[4]
}

// TestStart holds the life of a node: a free port, the ready file, the lines that Cassandra's users look for, SIGTERM.
func TestStart(t *testing.T) {
	cmd := command(t, "start", "--port", "0", "--cluster-name", "Mine")
	n := start(t, cmd)
	if op := options(t, n.addr); op != 6 {
		t.Errorf("OPTIONS was answered with opcode %d", op)
	}
	second := command(t, "start", "--port", "0", "--data-dir", filepath.Join(cmd.Dir, "helenus-data"))
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), "in use by another process") {
		t.Errorf("a second node on the same folder: %v\n%s", err, out)
	}
	out := n.stop(t)
	for _, want := range []string{"Starting listening for CQL clients on " + n.addr, "CQL   " + n.addr, "Data  helenus-data", "datacenter1"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	again := command(t, "start", "--port", "0", "--cluster-name", "Other", "--data-dir", filepath.Join(cmd.Dir, "helenus-data"))
	if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), `saved cluster name "Mine" does not match configured name "Other"`) {
		t.Errorf("another cluster name: %v\n%s", err, out)
	}
}

// TestConfigLayers holds that flags win over the environment, and the environment over the file.
func TestConfigLayers(t *testing.T) {
	cmd := command(t, "start", "--config", "cassandra.yaml", "--port", "0", "--dc", "flagdc")
	yaml := "cluster_name: FromFile\nnative_transport_port: 1\nendpoint_snitch: GossipingPropertyFileSnitch\nrole_managr: x\ncdc_enabled: true\n" +
		"data_file_directories: [data]\nrpc_address: localhost\n"
	if err := os.WriteFile(filepath.Join(cmd.Dir, "cassandra.yaml"), []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "HELENUS_CLUSTER_NAME=FromEnv", "HELENUS_RACK=envrack", "HELENUS_DC=envdc", "HELENUS_COMMITLOG_SYNC=group", "HELENUS_NO_SUCH=1")
	n := start(t, cmd)
	out := n.stop(t)
	for _, want := range []string{
		`"flagdc"`, `unknown setting "role_managr"; did you mean "role_manager"?`, "cdc_enabled is not supported", "HELENUS_NO_SUCH",
	} {
		if !strings.Contains(strings.ReplaceAll(out, `\"`, `"`), want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	strict := command(t, "start", "--config", filepath.Join(cmd.Dir, "cassandra.yaml"), "--strict-config")
	if out, err := strict.CombinedOutput(); err == nil || strict.ProcessState.ExitCode() != exitConfig || !strings.Contains(string(out), "role_managr") {
		t.Errorf("strict: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(strict.Dir, "helenus-data")); err == nil {
		t.Error("a refused configuration has left a folder")
	}
}

// TestMemoryLeavesNothing holds that --memory writes no file.
func TestMemoryLeavesNothing(t *testing.T) {
	cmd := command(t, "start", "--memory", "--port", "0")
	start(t, cmd).stop(t)
	if files, err := os.ReadDir(cmd.Dir); err != nil || len(files) > 0 {
		t.Errorf("%v %v", files, err)
	}
}

// TestNodetool starts a node and calls its verbs as an operator would.
func TestNodetool(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	n := start(t, command(t, "start", "--port", "0", "--admin-port", port))
	defer n.stop(t)
	for _, v := range []struct {
		args string
		code int
		want string
	}{
		{"version", 0, "ReleaseVersion: 5.0.6\n"},
		{"info", 0, "Data Center            : datacenter1\n"},
		{"status", 0, "UN  127.0.0.1"},
		{"flush", 0, ""},
		{"snapshot -t s", 0, "Snapshot directory: s\n"},
		{"listsnapshots", 0, "Snapshot Details: \n"},
		{"clearsnapshot --all", 0, "Requested clearing snapshot(s) for [all keyspaces] with [all snapshots]\n"},
		{"tablestats -F json", 0, `"total_number_of_tables"`},
		{"drain", 0, ""},
		{"version", 0, "ReleaseVersion: 5.0.6\n"},
		{"flush nosuch", 1, "nodetool: Keyspace [nosuch] does not exist.\n"},
	} {
		code, out, errs := call(t, append([]string{"nodetool", "-p", port}, strings.Fields(v.args)...)...)
		if code != v.code || !strings.Contains(out, v.want) {
			t.Errorf("%s: exit %d, %s%s", v.args, code, out, errs)
		}
	}
	open, short := filepath.Join(t.TempDir(), "open"), filepath.Join(t.TempDir(), "short")
	for name, mode := range map[string]os.FileMode{open: 0o644, short: 0o600} {
		if err := os.WriteFile(name, []byte("a token of some length\n")[:map[os.FileMode]int{0o644: 22, 0o600: 7}[mode]], mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"--admin-address", "0.0.0.0"}, {"--admin-token-file", "nothing"}, {"--admin-port", "70000"}, {"--admin-token-file", open},
		{"--admin-token-file", short},
	} {
		if code, _, errs := call(t, append([]string{"start", "--memory", "--port", "0"}, args...)...); code != exitConfig {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
}
