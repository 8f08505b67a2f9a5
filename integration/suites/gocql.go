package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/integration/start"
)

// silence is how long a suite may print nothing before the test it is in counts as hanging.
const silence = 90 * time.Second

// gocqlSuite is the suite of one major of gocql: its test binary, made from the sources that the module carries.
type gocqlSuite struct {
	module, version string
	proto           int
}

// build makes the test binary of a copy of the module's sources, whose own go.mod brings what the tests need.
func (g gocqlSuite) build() (dir string, err error) {
	dir = filepath.Join(start.Root(), ".cache", "suites", strings.NewReplacer("/", "_", ".", "_").Replace(g.module)+"_"+g.version)
	if _, err := os.Stat(filepath.Join(dir, "suite.test")); err == nil {
		return dir, nil
	}
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", g.module)
	cmd.Dir = filepath.Join(start.Root(), "integration")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w: %s", g.module, err, out)
	}
	if err := copyTree(strings.TrimSpace(string(out)), dir); err != nil {
		return "", err
	}
	cmd = exec.Command("go", "test", "-c", "-mod=mod", "-tags", "cassandra integration", "-o", "suite.test", ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go test -c %s: %w: %s", g.module, err, out)
	}
	return dir, nil
}

// copyTree copies files; the module cache's own may not be written.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}

// run runs all tests; one that panics or hangs ends the process, and the rest are run by another.
func (g gocqlSuite) run(host string) (map[string]test, error) {
	dir, err := g.build()
	if err != nil {
		return nil, err
	}
	list := exec.Command("./suite.test", "-test.list", ".")
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		return nil, err
	}
	var left []string
	for line := range strings.SplitSeq(string(out), "\n") {
		if strings.HasPrefix(line, "Test") {
			left = append(left, line)
		}
	}
	results := map[string]test{}
	for len(left) > 0 {
		g.some(dir, host, left, results)
		before := len(left)
		left = slices.DeleteFunc(left, func(name string) bool { _, done := results[name]; return done })
		if len(left) == before {
			return results, fmt.Errorf("no test of %v starts", left)
		}
	}
	return results, nil
}

// some runs the tests named until the process ends.
func (g gocqlSuite) some(dir, host string, names []string, results map[string]test) {
	cmd := exec.Command("./suite.test", "-test.v", "-test.run", "^("+strings.Join(names, "|")+")$", "-test.timeout", "30m",
		"-proto="+strconv.Itoa(g.proto), "-rf=1", "-clusterSize=1", "-cluster="+host, "-autowait=500ms", "-gocql.timeout=20s",
		"-gocql.cversion=5.0.6", "-runauth=false")
	cmd.Dir = dir
	r := &goReader{results: results}
	follow(cmd, r.line)
	r.end()
}

// follow runs a command and hands over its lines as they come; it is ended when it prints nothing for too long.
func follow(cmd *exec.Cmd, line func(string)) {
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		line(err.Error())
		return
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		line(err.Error())
		return
	}
	watchdog := time.AfterFunc(silence, func() { _ = cmd.Process.Kill() })
	defer watchdog.Stop()
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		watchdog.Reset(silence)
		line(lines.Text())
	}
	_ = cmd.Wait()
}

// goReader reads what a Go test binary prints.
type goReader struct {
	results map[string]test
	current string
	said    bytes.Buffer
}

var (
	runLine    = regexp.MustCompile(`^=== (?:RUN|CONT) +(Test\w+)$`)
	resultLine = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (Test\w+) `)
	logLine    = regexp.MustCompile(`^ +\w+\.go:\d+: |^panic: |^fatal error: |^ +Error:|^ +expected|^ +actual`)
)

func (r *goReader) line(s string) {
	if m := runLine.FindStringSubmatch(s); m != nil {
		r.current = m[1]
		r.said.Reset()
		return
	}
	if m := resultLine.FindStringSubmatch(s); m != nil {
		r.results[m[2]] = test{state: m[1], reason: r.reason()}
		if m[2] == r.current {
			r.current = ""
		}
		return
	}
	r.said.WriteString(s + "\n")
}

// end says that the process is over; the test it was in has failed.
func (r *goReader) end() {
	if r.current != "" {
		r.results[r.current] = test{state: "FAIL", reason: "ends the run: " + r.reason()}
	}
}

// reason is what the test said, shortened to its own lines.
func (r *goReader) reason() string {
	var own []string
	for line := range strings.SplitSeq(r.said.String(), "\n") {
		if logLine.MatchString(line) {
			own = append(own, strings.Join(strings.Fields(line), " "))
		}
	}
	text := strings.Join(own, "; ")
	if text == "" {
		text = strings.Join(strings.Fields(r.said.String()), " ")
	}
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}
