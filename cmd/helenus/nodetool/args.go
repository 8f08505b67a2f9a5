package nodetool

import (
	"slices"
	"strings"
)

// option is an option of a command line; the first of its names is the one that it is asked by.
type option struct {
	names []string
	value string // what its value is called, "" for an option without one
	help  string
}

// call returns how the option is given.
func (o *option) call() string {
	out := strings.Join(o.names, " | ")
	if o.value != "" {
		out = strings.Join(o.names, " <"+o.value+"> | ") + " <" + o.value + ">"
	}
	if len(o.names) > 1 {
		return "(" + out + ")"
	}
	return out
}

// parsed is a command line taken apart.
type parsed struct {
	values map[string][]string // by the first name; "" stands for an option that has no value
	params []string
}

// has reports whether an option was given.
func (p *parsed) has(name string) bool { return len(p.values[name]) > 0 }

// value returns the last value of an option, "" when it was not given.
func (p *parsed) value(name string) string {
	if v := p.values[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// parse takes a command line apart, options and parameters in any order; behind -- all are parameters. Of two options of the
// same name the first counts.
func parse(options []option, args []string) (*parsed, error) {
	p := &parsed{values: map[string][]string{}}
	for len(args) > 0 {
		if args[0] == "--" {
			p.params = append(p.params, args[1:]...)
			return p, nil
		}
		n, err := p.option(options, args)
		switch {
		case err != nil:
			return nil, err
		case n > 0:
			args = args[n:]
		case strings.HasPrefix(args[0], "-") && len(args[0]) > 1:
			return nil, wrongUse("Found unexpected parameters: [%s]", args[0])
		default:
			p.params = append(p.params, args[0])
			args = args[1:]
		}
	}
	return p, nil
}

// parseLeading takes the options in front of the first parameter.
func parseLeading(options []option, args []string) (p *parsed, rest []string, err error) {
	p = &parsed{values: map[string][]string{}}
	for len(args) > 0 {
		n, err := p.option(options, args)
		if err != nil {
			return nil, nil, err
		}
		if n == 0 {
			break
		}
		args = args[n:]
	}
	return p, args, nil
}

// option takes one option and returns how many arguments it was; 0 when it is none.
func (p *parsed) option(options []option, args []string) (n int, err error) {
	name, value, joined := args[0], "", false
	if strings.HasPrefix(name, "--") {
		name, value, joined = strings.Cut(name, "=")
	}
	i := slices.IndexFunc(options, func(o option) bool { return slices.Contains(o.names, name) })
	if i < 0 {
		return 0, nil
	}
	o := options[i]
	switch {
	case o.value == "" && joined:
		return 0, wrongUse("Found unexpected parameters: [%s]", args[0])
	case o.value == "" || joined:
		n = 1
	case len(args) < 2:
		return 0, wrongUse("Required values for option '%s' not provided", o.value)
	default:
		n, value = 2, args[1]
	}
	p.values[o.names[0]] = append(p.values[o.names[0]], value)
	return n, nil
}
