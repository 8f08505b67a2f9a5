package sstables

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/helenusdb/helenus/integration/oracle"
)

// Judge is a running Cassandra: it answers statements, and its tools read tables.
type Judge struct {
	*oracle.Runner
	script string // starts it and runs its Java
	data   string // folder of its tables
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	dir    string
	n      int
}

// Start starts a Cassandra by a script that understands start, data, jmx and java, or finds the one that runs.
func Start(script, dir string) (*Judge, error) {
	j := &Judge{script: script, dir: dir}
	address, err := j.ask("start")
	if err != nil {
		return nil, err
	}
	if j.data, err = j.ask("data"); err != nil {
		return nil, err
	}
	j.Runner = oracle.NewRunner(address)
	return j, nil
}

// ask returns the last line that the script prints.
func (j *Judge) ask(command string) (string, error) {
	cmd := exec.Command(j.script, command)
	cmd.Stderr = os.Stderr
	b, err := cmd.Output()
	lines := strings.Fields(string(b))
	if err != nil || len(lines) == 0 {
		return "", fmt.Errorf("%s %s: %w, printed %q", j.script, command, err, b)
	}
	return lines[len(lines)-1], nil
}

// Close ends the connections and the tools. The Cassandra goes on.
func (j *Judge) Close() {
	j.Runner.Close()
	j.CloseTools()
}

// CloseTools ends the process of the tools; the next one reads the schema anew.
func (j *Judge) CloseTools() {
	if j.cmd != nil {
		j.in.Close()
		_ = j.cmd.Wait()
		j.cmd = nil
	}
}

func (j *Judge) startTools() error {
	port, err := j.ask("jmx")
	if err != nil {
		return err
	}
	j.cmd = exec.CommandContext(context.Background(), j.script, "java", "Tools.java", port)
	if j.in, err = j.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	j.out = bufio.NewReader(out)
	return j.cmd.Start()
}

// Tool runs a command of Tools.java and returns what it printed. A status other than 0 is an error.
func (j *Judge) Tool(words ...string) (string, error) {
	if j.cmd == nil {
		if err := j.startTools(); err != nil {
			return "", err
		}
	}
	j.n++
	file := filepath.Join(j.dir, fmt.Sprintf("tool-%d", j.n))
	defer os.Remove(file)
	if _, err := fmt.Fprintln(j.in, strings.Join(append(words, file), "\t")); err != nil {
		return "", err
	}
	line, err := j.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the tools ended: %w", err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if status, message, _ := strings.Cut(strings.TrimSpace(line), " "); status != "0" {
		return string(b), fmt.Errorf("%s: status %s: %.2000s %.2000s", strings.Join(words, " "), status, message, b)
	}
	return string(b), nil
}

// uuid finds an id in the text of an answer.
var uuid = regexp.MustCompile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

// Folder returns the folder of a table's files.
func (j *Judge) Folder(s *Schema) (string, error) {
	lines, err := j.Ask(fmt.Sprintf("SELECT id FROM system_schema.tables WHERE keyspace_name = '%s' AND table_name = '%s'",
		s.Keyspace, s.Table))
	if err != nil {
		return "", err
	}
	id := uuid.FindString(strings.Join(lines, "\n"))
	if id == "" {
		return "", fmt.Errorf("%s has no id: %q", s.name(), lines)
	}
	return filepath.Join(j.data, s.Keyspace, s.Table+"-"+strings.ReplaceAll(id, "-", "")), nil
}
