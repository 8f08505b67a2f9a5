package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/helenusdb/helenus/integration/clients/check"
	"github.com/helenusdb/helenus/integration/clients/gocqlv1"
	"github.com/helenusdb/helenus/integration/clients/gocqlv2"
	"github.com/helenusdb/helenus/integration/start"
)

// runTime bounds one run of a client's program; cqlsh starts a Python for each check.
const runTime = 10 * time.Minute

// client is one of the seven.
type client struct {
	name         string
	versions     []int                      // 0 is what the client does by default
	compressions func(version int) []string // to run each version with
	install      func(installer) error      // an error says why the client is absent
	run          func(check.Want) ([]check.Result, error)
}

// clients are all seven, the quick ones first.
func clients() []client {
	none := func(installer) error { return nil }
	wrap := func(f func(check.Want) []check.Result) func(check.Want) ([]check.Result, error) {
		return func(w check.Want) ([]check.Result, error) { return f(w), nil }
	}
	return []client{
		{gocqlv1.Name, gocqlv1.Versions, check.Compressions, none, wrap(gocqlv1.Run)},
		{gocqlv2.Name, gocqlv2.Versions, check.Compressions, none, wrap(gocqlv2.Run)},
		{"python", []int{0, 3, 4, 5}, check.Compressions, installer.python, runPython},
		{"node", []int{0, 3, 4}, func(int) []string { return []string{""} }, installer.node, runNode},
		{"java", []int{0, 3, 4, 5}, check.Compressions, installer.java, runJava},
		{"rust", []int{0, 4}, check.Compressions, installer.rust, runRust},
		{"cqlsh", []int{0, 3, 4, 5}, cqlshCompressions, installer.cqlsh, runCqlsh},
	}
}

// cqlshCompressions are those that a Python module can be put in the way of; its driver prefers LZ4.
func cqlshCompressions(version int) []string {
	if version == 0 {
		return []string{"none"}
	}
	return []string{"none", "lz4"}
}

func cache(parts ...string) string {
	return filepath.Join(append([]string{start.Root(), ".cache", "clients"}, parts...)...)
}

func source(parts ...string) string {
	return filepath.Join(append([]string{start.Root(), "integration", "clients"}, parts...)...)
}

// tool says whether a command is on this machine.
func tool(names ...string) error {
	for _, n := range names {
		if _, err := exec.LookPath(n); err != nil {
			return fmt.Errorf("%s is not installed", n)
		}
	}
	return nil
}

// installer puts what clients need into the cache; there says that only what is there already may be used.
type installer struct {
	there bool
}

// once runs a step of an installation unless it was done with the same inputs before.
func (i installer) once(stamp string, inputs []string, step func() error) error {
	var want bytes.Buffer
	for _, in := range inputs {
		data, err := os.ReadFile(in)
		if err != nil {
			return err
		}
		want.Write(data)
	}
	path := cache(stamp)
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, want.Bytes()) {
		return nil
	}
	if i.there {
		return errors.New("not installed yet; make clients does it")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := step(); err != nil {
		return err
	}
	return os.WriteFile(path, want.Bytes(), 0o644)
}

// command runs one step of an installation; what it printed is part of the error.
func command(env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		text := strings.TrimSpace(string(out))
		if len(text) > 600 {
			text = "..." + text[len(text)-600:]
		}
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.Join(strings.Fields(text), " "))
	}
	return nil
}

// program runs a client's program and reads its checks.
func program(env []string, name string, args ...string) ([]check.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	if err != nil {
		text := strings.Join(strings.Fields(problems.String()), " ")
		if len(text) > 400 {
			text = "..." + text[len(text)-400:]
		}
		err = fmt.Errorf("%w: %s", err, text)
	}
	return check.Parse(&out), err
}

// wanted are the arguments of every client's program.
func wanted(w check.Want) []string {
	return []string{w.Host, strconv.Itoa(w.Port), strconv.Itoa(w.Version), w.Compression}
}

// venv makes a virtual environment with the packages of a requirements file.
func (i installer) venv(name string) error {
	if err := tool("python3"); err != nil {
		return err
	}
	requirements := source(name, "requirements.txt")
	return i.once(name+".installed", []string{requirements}, func() error {
		if err := command(nil, "python3", "-m", "venv", cache(name)); err != nil {
			return err
		}
		return command(nil, cache(name, "bin", "pip"), "install", "-q", "-r", requirements)
	})
}

func (i installer) python() error { return i.venv("python") }

func runPython(w check.Want) ([]check.Result, error) {
	return program(nil, cache("python", "bin", "python"), append([]string{source("python", "checks.py")}, wanted(w)...)...)
}

// installCqlsh installs cqlsh, and LZ4 for Python in a folder beside it, so that it can be there or not.
func (i installer) cqlsh() error {
	if err := i.venv("cqlsh"); err != nil {
		return err
	}
	return i.once("cqlsh-lz4.installed", []string{source("python", "requirements.txt")}, func() error {
		return command(nil, cache("cqlsh", "bin", "pip"), "install", "-q", "--upgrade", "--target", cache("cqlsh-lz4"), "lz4==4.4.4")
	})
}

func runCqlsh(w check.Want) ([]check.Result, error) {
	env := []string{"HOME=" + cache("cqlsh-home")}
	if w.Compression == "lz4" {
		env = append(env, "PYTHONPATH="+cache("cqlsh-lz4"))
	}
	args := append([]string{source("cqlsh", "checks.py"), cache("cqlsh", "bin", "cqlsh")}, wanted(w)...)
	return program(env, cache("cqlsh", "bin", "python"), args...)
}

func (i installer) node() error {
	if err := tool("node", "npm"); err != nil {
		return err
	}
	manifest := source("node", "package.json")
	return i.once("node.installed", []string{manifest}, func() error {
		data, err := os.ReadFile(manifest)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(cache("node"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(cache("node", "package.json"), data, 0o644); err != nil {
			return err
		}
		return command(nil, "npm", "install", "--prefix", cache("node"), "--cache", cache("npm"), "--silent", "--no-audit", "--no-fund")
	})
}

func runNode(w check.Want) ([]check.Result, error) {
	env := []string{"NODE_PATH=" + cache("node", "node_modules")}
	return program(env, "node", append([]string{source("node", "checks.js")}, wanted(w)...)...)
}

func (i installer) java() error {
	if err := tool("java", "mvn"); err != nil {
		return err
	}
	return i.once("java.installed", []string{source("java", "pom.xml"), source("java", "Checks.java")}, func() error {
		repository := filepath.Join(start.Root(), ".cache", "m2")
		return command(nil, "mvn", "-q", "-B", "-f", source("java", "pom.xml"), "-Dmaven.repo.local="+repository,
			"-Dchecks.output="+cache("java"), "compile", "dependency:build-classpath", "-Dmdep.outputFile="+cache("java", "classpath"))
	})
}

func runJava(w check.Want) ([]check.Result, error) {
	jars, err := os.ReadFile(cache("java", "classpath"))
	if err != nil {
		return nil, err
	}
	path := cache("java", "classes") + string(os.PathListSeparator) + strings.TrimSpace(string(jars))
	return program(nil, "java", append([]string{"-Xmx256m", "-cp", path, "Checks"}, wanted(w)...)...)
}

func (i installer) rust() error {
	if err := tool("cargo"); err != nil {
		return err
	}
	inputs := []string{source("rust", "Cargo.toml"), source("rust", "Cargo.lock"), source("rust", "src", "main.rs")}
	return i.once("rust.installed", inputs, func() error {
		home := []string{"CARGO_HOME=" + filepath.Join(start.Root(), ".cache", "cargo")}
		return command(home, "cargo", "build", "--quiet", "--locked",
			"--jobs", "2", "--manifest-path", source("rust", "Cargo.toml"), "--target-dir", filepath.Join(start.Root(), ".cache", "rust"))
	})
}

func runRust(w check.Want) ([]check.Result, error) {
	return program(nil, filepath.Join(start.Root(), ".cache", "rust", "debug", "checks"), wanted(w)...)
}
