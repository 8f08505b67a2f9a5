// Package nodetool is a client of a node's admin endpoint with the command line and the output of Cassandra's nodetool: the
// flags -h, -p, -u, -pw and -pwf, the verbs that a node of this kind can answer, and -F json on each of them.
//
// Exit codes are nodetool's: 0, 1 for a call that makes no sense, 2 for one that the node could not carry out.
//
// Floor: above cluster/admin. Source: org.apache.cassandra.tools.NodeTool and nodetool.*; ecosystem.md 3.2.
package nodetool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/helenusdb/helenus/cluster/admin"
)

// The exit codes.
const (
	exitUsage  = 1
	exitFailed = 2
)

// verb is one command.
type verb struct {
	summary string
	// params is how the parameters are called in the help, "" for none.
	params  string
	options []option
	run     func(ctx context.Context, c *call) error
}

// call is one call of a verb: what was given, where to ask, and where to print.
type call struct {
	*parsed
	client *client
	out    io.Writer
	// json says that the answer is printed as it is.
	json bool
}

// printf prints to the output. An error of the output stays for the end of the program.
func (c *call) printf(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// usageError is a call that makes no sense: it is printed with the advice how to get help.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func wrongUse(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// said is an exit code for what has been printed.
type said int

func (said) Error() string { return "said" }

// globals are the options of every verb.
var globals = []option{
	{names: []string{"-h", "--host"}, value: "host", help: "Node hostname or ip address"},
	{names: []string{"-p", "--port"}, value: "port", help: "Port of the admin endpoint"},
	{names: []string{"-pp", "--print-port"}, help: "Operate in 4.0 mode with hosts disambiguated by port number"},
	{names: []string{"-pw", "--password"}, value: "password", help: "Token of the admin endpoint"},
	{names: []string{"-pwf", "--password-file"}, value: "passwordFilePath", help: "Path to a file with the token, or with lines of user and token"},
	{names: []string{"-u", "--username"}, value: "username", help: "User name; any will do"},
}

// format is an option of every verb too.
var format = option{names: []string{"-F", "--format"}, value: "format", help: "Output format (json)"}

// Run carries out a command line without the name of the program and returns the exit code.
func Run(ctx context.Context, args []string, out, errs io.Writer) int {
	err := run(ctx, args, out)
	var usage *usageError
	var e *admin.Error
	var code said
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage), errors.As(err, &e) && e.Kind == admin.KindArgument:
		fmt.Fprintf(out, "nodetool: %v\nSee 'nodetool help' or 'nodetool help <command>'.\n", err)
		return exitUsage
	}
	fmt.Fprintf(errs, "error: %v\n", err)
	return exitFailed
}

func run(ctx context.Context, args []string, out io.Writer) error {
	global, rest, err := parseLeading(globals, args)
	if err != nil {
		return err
	}
	if len(rest) == 0 || rest[0] == "help" {
		return help(rest[min(1, len(rest)):], out)
	}
	v, ok := verbs[rest[0]]
	if !ok {
		return wrongUse("Found unexpected parameters: [%s]", strings.Join(rest, ", "))
	}
	p, err := parse(append(append(slices.Clone(v.options), format), globals...), rest[1:])
	if err != nil {
		return err
	}
	if v.params == "" && len(p.params) > 0 {
		return wrongUse("Found unexpected parameters: [%s]", strings.Join(p.params, ", "))
	}
	for _, o := range globals {
		// An option of the verb hides the one of all verbs: -p of import copies the data.
		own := slices.ContainsFunc(v.options, func(x option) bool { return slices.Contains(x.names, o.names[0]) })
		if values := p.values[o.names[0]]; !own && len(values) > 0 {
			global.values[o.names[0]] = values
		}
	}
	c := &call{parsed: p, out: out}
	switch p.value("-F") {
	case "json":
		c.json = true
	case "":
	default:
		return wrongUse("arguments for -F are json only.")
	}
	if c.client, err = newClient(global); err != nil {
		return err
	}
	return v.run(ctx, c)
}

// ask calls a verb of the node. With -F json the answer is printed, and done is true.
func ask[A, R any](ctx context.Context, c *call, verb string, args A) (r R, done bool, err error) {
	b, err := c.client.post(ctx, verb, args)
	if err != nil {
		return r, false, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, false, fmt.Errorf("the answer of %s is not what it should be: %w", c.client.address, err)
	}
	if c.json {
		return r, true, c.print(json.RawMessage(b))
	}
	return r, false, nil
}

// act calls a verb that answers nothing.
func act[A any](ctx context.Context, c *call, verb string, args A) error {
	_, _, err := ask[A, struct{}](ctx, c, verb, args)
	return err
}

// print prints a value as JSON, as Cassandra's printer of JSON lays it out as far as Go's can.
func (c *call) print(v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		_, err = c.out.Write(append(b, '\n'))
	}
	return err
}

// help prints how to call all verbs, or one.
func help(names []string, out io.Writer) error {
	if len(names) == 0 {
		fmt.Fprint(out, "usage: nodetool [(-pp | --print-port)]\n"+
			"        [(-pwf <passwordFilePath> | --password-file <passwordFilePath>)]\n"+
			"        [(-u <username> | --username <username>)] [(-p <port> | --port <port>)]\n"+
			"        [(-h <host> | --host <host>)] [(-pw <password> | --password <password>)]\n"+
			"        <command> [<args>]\n\nThe commands are:\n")
		for _, name := range slices.Sorted(maps.Keys(verbs)) {
			fmt.Fprintf(out, "    %-26s %s\n", name, verbs[name].summary)
		}
		fmt.Fprint(out, "\nSee 'nodetool help <command>' for more information on a specific command.\n\n")
		return nil
	}
	v, ok := verbs[names[0]]
	if !ok {
		fmt.Fprintf(out, "Unknown command %s\n", names[0])
		return said(exitUsage)
	}
	fmt.Fprintf(out, "NAME\n        nodetool %s - %s\n\nSYNOPSIS\n        nodetool [<global options>] %s", names[0], v.summary, names[0])
	options := append(slices.Clone(v.options), format)
	for _, o := range options {
		fmt.Fprintf(out, " [%s]", o.call())
	}
	if v.params != "" {
		fmt.Fprintf(out, " [--] %s", v.params)
	}
	fmt.Fprint(out, "\n\nOPTIONS\n")
	for _, o := range append(options, globals...) {
		fmt.Fprintf(out, "        %s\n            %s\n", strings.Join(o.names, ", "), o.help)
	}
	return nil
}
