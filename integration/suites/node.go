package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
	"github.com/helenusdb/helenus/integration/start"
)

// The Node.js driver's tests come from its repository: the package on npm has none.
const (
	nodeTag        = "v4.8.0"
	nodeRepository = "https://github.com/datastax/nodejs-driver.git"
	nodeTime       = 10 * time.Minute // for one file
)

// nodeTools are what the tests need beside the driver's own dependencies, in the versions of its package.json.
var nodeTools = []string{"mocha@10.2.0", "chai@4.3.8", "proxyquire@2.1.3", "sinon@15.2.0", "temp@0.9.4", "adm-zip@0.5.10",
	"long@5.2.3"}

// node runs the short integration tests of the Node.js driver.
func node(host string) (map[string]test, error) {
	for _, tool := range []string{"node", "npm", "git", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s is not installed", tool)
		}
	}
	dir := filepath.Join(start.Root(), ".cache", "suites", "node_"+nodeTag)
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "mocha")); err != nil {
		if err := nodeInstall(dir); err != nil {
			return nil, err
		}
	}
	prefix := host[:strings.LastIndexByte(host, '.')+1]
	if err := nodeTests(dir, prefix); err != nil {
		return nil, err
	}
	results := map[string]test{}
	folder := filepath.Join(dir, "tests", "integration", "short")
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		// The simulator's tests start a program of its own in Java; the servers of the others are not this one.
		if err != nil || d.IsDir() || !nodeFile.MatchString(d.Name()) || strings.Contains(d.Name(), "simulator") {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if host != nobody {
			if err := dropKeyspaces(host); err != nil {
				return err
			}
		}
		return nodeFileTests(dir, path, strings.TrimSuffix(name, ".js"), results)
	})
	return results, err
}

// nodeFile are the files of tests among the helpers.
var nodeFile = regexp.MustCompile(`-tests?\.js$`)

// nodeOut matches tests that are left out: they need a login, or nodes that really come and go and wait minutes for it.
const nodeOut = "with auth|TOPOLOGY_CHANGE add events|when all hosts go down"

// dropKeyspaces removes what the tests of a file left behind; they think that each began with a new cluster.
func dropKeyspaces(host string) error {
	cfg := gocql.NewCluster(host)
	cfg.Timeout, cfg.ConnectTimeout = 30*time.Second, 10*time.Second
	session, err := cfg.CreateSession()
	if err != nil {
		return err
	}
	defer session.Close()
	var name string
	var names []string
	iter := session.Query("SELECT keyspace_name FROM system_schema.keyspaces").Iter()
	for iter.Scan(&name) {
		if name != "system" && !strings.HasPrefix(name, "system_") {
			names = append(names, name)
		}
	}
	if err := iter.Close(); err != nil {
		return err
	}
	for _, name := range names {
		if err := session.Query(fmt.Sprintf("DROP KEYSPACE %q", name)).Exec(); err != nil {
			return err
		}
	}
	return nil
}

// nodeFileTests runs the tests of one file: a failure between tests ends the process.
func nodeFileTests(dir, path, name string, results map[string]test) error {
	report := filepath.Join(dir, "report.json")
	if err := os.Remove(report); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	cmd := exec.Command("node", "node_modules/mocha/bin/mocha.js", path, "--exit", "-t", "10000", "--grep", nodeOut, "--invert",
		"-R", "json", "--reporter-option", "output="+report)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CCM_VERSION=5.0.6",
		"PATH="+filepath.Join(start.Root(), "integration", "suites")+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	limit := time.AfterFunc(nodeTime, func() { _ = cmd.Process.Kill() })
	defer limit.Stop()
	_ = cmd.Wait() // it fails when a test does
	return nodeReport(report, name, &out, results)
}

// nodeInstall brings the sources and what they need into dir.
func nodeInstall(dir string) error {
	repository := os.Getenv("NODE_DRIVER_SOURCE")
	if repository == "" {
		repository = filepath.Join(start.Root(), ".cache", "suites", "nodejs-driver.git")
		if _, err := os.Stat(repository); err != nil {
			cmd := exec.Command("git", "clone", "--quiet", "--bare", "--depth", "1", "--branch", nodeTag, nodeRepository, repository)
			cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("the npm package has no tests, and git clone %s: %w: %s (NODE_DRIVER_SOURCE may name a clone)",
					nodeRepository, err, strings.Join(strings.Fields(string(out)), " "))
			}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	archive := exec.Command("git", "archive", "--format=tar", nodeTag)
	archive.Dir = repository
	tar, err := archive.Output()
	if err != nil {
		return fmt.Errorf("git archive %s in %s: %w", nodeTag, repository, err)
	}
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(tar)
	if out, err := unpack.CombinedOutput(); err != nil {
		return fmt.Errorf("tar: %w: %s", err, out)
	}
	// Its own list of development packages wants a native Kerberos, which no test here uses.
	if err := os.Remove(filepath.Join(dir, "package-lock.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	manifest := filepath.Join(dir, "package.json")
	data, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	data = bytes.ReplaceAll(data, []byte(`"devDependencies"`), []byte(`"otherDependencies"`))
	if err := os.WriteFile(manifest, data, 0o644); err != nil {
		return err
	}
	install := exec.Command("npm", append([]string{"install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--silent",
		"--cache", filepath.Join(start.Root(), ".cache", "clients", "npm")}, nodeTools...)...)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install: %w: %s", err, out)
	}
	return nil
}

// nodeTests copies the tests with the addresses of the server's network in place of 127.0.0.
func nodeTests(dir, prefix string) error {
	from, to := filepath.Join(dir, "test"), filepath.Join(dir, "tests")
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := copyTree(from, to); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".js") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, bytes.ReplaceAll(data, []byte("127.0.0."), []byte(prefix)), 0o644)
	})
}

// nodeReport reads mocha's report of one file; tests of one title are numbered.
func nodeReport(path, file string, out *bytes.Buffer, results map[string]test) error {
	data, err := os.ReadFile(path)
	if err != nil {
		text := strings.Join(strings.Fields(out.String()), " ")
		results[file] = test{state: "FAIL", reason: "mocha ended without a report: " + text[max(0, len(text)-300):]}
		return nil
	}
	type one struct {
		FullTitle string `json:"fullTitle"`
		Err       struct {
			Message string `json:"message"`
		} `json:"err"`
	}
	var report struct {
		Passes, Failures, Pending []one
	}
	if err := json.Unmarshal(data, &report); err != nil {
		return err
	}
	add := func(list []one, state string) {
		for _, t := range list {
			title := file + ": " + strings.Join(strings.Fields(t.FullTitle), " ")
			name := title
			for n := 2; results[name].state != ""; n++ {
				name = fmt.Sprintf("%s (%d)", title, n)
			}
			reason := strings.Join(strings.Fields(t.Err.Message), " ")
			if len(reason) > 300 {
				reason = reason[:300] + "..."
			}
			results[name] = test{state: state, reason: reason}
		}
	}
	add(report.Passes, "PASS")
	add(report.Failures, "FAIL")
	add(report.Pending, "SKIP")
	return nil
}
