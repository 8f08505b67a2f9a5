package oracle

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Script is one file of statements. The directives are explained in README.md beside the scripts.
type Script struct {
	Name  string // file name without .cql
	Steps []Step
}

// Step is one request: a statement, or a batch of them, with how it is to be sent.
type Step struct {
	Line      int // of the statement in its file, from 1
	Text      string
	Protocol  int            // 0: the connection the script runs on
	Page      int            // rows per page; 0: paging off
	Pages     int            // pages to fetch at most; 0: all
	Save      string         // name to keep the paging state under that follows the last page fetched
	Resume    string         // name of a kept paging state to go on from, or its bytes as 0x..
	Level     uint16         // consistency
	Serial    uint16         // serial consistency, 0: not sent
	Timestamp *int64         // default timestamp, microseconds
	Now       *int32         // now_in_seconds, v5
	Keyspace  string         // keyspace of the request, v5
	Values    []boundValue   // bound values, in written order
	Prepare   bool           // prepare, show what PREPARED says, then execute
	PrepareAs string         // only prepare, under this name
	Wait      time.Duration  // before it is sent
	Execute   string         // execute what was prepared under this name
	SkipMeta  bool           // ask for rows without metadata
	Unordered bool           // sort the rows: their order is not part of the answer
	Masks     []string       // what varies from run to run
	Hide      *regexp.Regexp // parts of a message that vary
	Batch     *batchStep
}

// batchStep is a BATCH message of the protocol.
type batchStep struct {
	Kind  byte // 0 logged, 1 unlogged, 2 counter
	Parts []Step
}

// levels are the consistency levels by name with their code on the wire.
var levels = map[string]uint16{"ANY": 0, "ONE": 1, "TWO": 2, "THREE": 3, "QUORUM": 4, "ALL": 5, "LOCAL_QUORUM": 6,
	"EACH_QUORUM": 7, "SERIAL": 8, "LOCAL_SERIAL": 9, "LOCAL_ONE": 10, "NODE_LOCAL": 11}

// LoadScript reads a script file.
func LoadScript(path string) (*Script, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ParseScript(strings.TrimSuffix(filepath.Base(path), ".cql"), string(data))
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return s, nil
}

// ParseScript reads the text of a script; errors begin with the line number.
func ParseScript(name, text string) (*Script, error) {
	p := &scriptParser{script: &Script{Name: name}, lines: strings.Split(text, "\n")}
	p.reset()
	for p.at < len(p.lines) {
		if err := p.line(); err != nil {
			return nil, fmt.Errorf("%d: %w", p.at, err)
		}
	}
	if len(p.text) > 0 || p.batch != nil {
		return nil, fmt.Errorf("%d: the last statement is not finished", p.at)
	}
	return p.script, nil
}

// scriptParser holds the place in a script and the step that its directives are building.
type scriptParser struct {
	script *Script
	lines  []string
	at     int // next line; also the number, from 1, of the line being read
	step   Step
	text   []string
	batch  *Step
}

func (p *scriptParser) reset() {
	p.step = Step{Level: levels["ONE"]}
	p.text = nil
}

// line consumes one line: blank, comment (three dashes), directive, or part of a statement.
func (p *scriptParser) line() error {
	line := p.lines[p.at]
	p.at++
	trimmed := strings.TrimSpace(line)
	if len(p.text) == 0 {
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "---"):
			return nil
		case strings.HasPrefix(trimmed, "-- "):
			return p.directive(strings.TrimSpace(trimmed[3:]))
		}
		p.step.Line = p.at
	}
	p.text = append(p.text, strings.TrimRight(line, " \t"))
	if strings.HasSuffix(trimmed, ";") && !p.insideBatchText(trimmed) {
		p.finish(strings.TrimSuffix(strings.TrimRight(strings.Join(p.text, "\n"), " \t"), ";"))
	}
	return nil
}

// insideBatchText says whether the statement being read is a BEGIN BATCH text that this line does not end.
func (p *scriptParser) insideBatchText(line string) bool {
	first := strings.ToUpper(strings.TrimSpace(p.text[0]))
	return strings.HasPrefix(first, "BEGIN ") && !strings.HasSuffix(strings.ToUpper(line), "APPLY BATCH;")
}

func (p *scriptParser) finish(text string) {
	p.step.Text = text
	if p.batch != nil {
		p.batch.Batch.Parts = append(p.batch.Batch.Parts, p.step)
	} else {
		p.script.Steps = append(p.script.Steps, p.step)
	}
	p.reset()
}

// directive applies one `-- word argument` line to the step being built.
func (p *scriptParser) directive(text string) (err error) {
	word, arg, _ := strings.Cut(text, " ")
	arg = strings.TrimSpace(arg)
	number := func(bits int) (n int64) {
		if err == nil {
			n, err = strconv.ParseInt(arg, 10, bits)
		}
		return n
	}
	level := func() uint16 {
		n, ok := levels[arg]
		if !ok {
			err = fmt.Errorf("unknown consistency %q", arg)
		}
		return n
	}
	switch word {
	case "protocol":
		p.step.Protocol = int(number(8))
	case "page":
		p.step.Page = int(number(32))
	case "pages":
		p.step.Pages = int(number(32))
	case "consistency":
		p.step.Level = level()
	case "serial":
		p.step.Serial = level()
	case "timestamp":
		n := number(64)
		p.step.Timestamp = &n
	case "now":
		n := int32(number(32))
		p.step.Now = &n
	case "save":
		p.step.Save = arg
	case "resume":
		p.step.Resume = arg
	case "wait":
		p.step.Wait = time.Duration(number(32)) * time.Millisecond
	case "keyspace":
		p.step.Keyspace = arg
	case "values":
		p.step.Values, err = parseBoundValues(arg)
	case "prepare":
		p.step.Prepare = true
		if name, ok := strings.CutPrefix(arg, "as "); ok {
			p.step.Prepare, p.step.PrepareAs = false, name
		}
	case "execute":
		p.step.Execute, p.step.Line = arg, p.at
		p.finish("")
	case "skip-metadata":
		p.step.SkipMeta = true
	case "unordered":
		p.step.Unordered = true
	case "mask":
		p.step.Masks = append(p.step.Masks, arg)
	case "hide":
		p.step.Hide, err = regexp.Compile(arg)
	case "raw":
		return p.raw()
	case "batch":
		return p.beginBatch(arg)
	case "end":
		return p.endBatch()
	default:
		return fmt.Errorf("unknown directive %q (comments have three dashes)", word)
	}
	return err
}

// raw takes the lines up to `-- end` as the statement, as they are: no `;` is taken off and none ends it.
func (p *scriptParser) raw() error {
	start := p.at
	for ; p.at < len(p.lines); p.at++ {
		if strings.TrimSpace(p.lines[p.at]) == "-- end" {
			p.step.Line = start + 1
			p.finish(strings.Join(p.lines[start:p.at], "\n"))
			p.at++
			return nil
		}
	}
	return fmt.Errorf("raw without end")
}

func (p *scriptParser) beginBatch(kind string) error {
	n, ok := map[string]byte{"logged": 0, "unlogged": 1, "counter": 2, "3": 3}[kind]
	if !ok || p.batch != nil {
		return fmt.Errorf("cannot begin a batch %q here", kind)
	}
	step := p.step
	step.Line, step.Batch = p.at, &batchStep{Kind: n}
	p.batch = &step
	p.reset()
	return nil
}

func (p *scriptParser) endBatch() error {
	if p.batch == nil {
		return fmt.Errorf("end without batch")
	}
	p.script.Steps = append(p.script.Steps, *p.batch)
	p.batch = nil
	p.reset()
	return nil
}

// Title is the step in one line, for the recording and for messages.
func (s *Step) Title() string {
	text := s.Text
	switch {
	case s.Batch != nil:
		parts := make([]string, len(s.Batch.Parts))
		for i := range s.Batch.Parts {
			parts[i] = s.Batch.Parts[i].Title()
		}
		text = "BATCH(" + strconv.Itoa(int(s.Batch.Kind)) + ") " + strings.Join(parts, "; ")
	case s.Execute != "":
		text = "EXECUTE " + s.Execute
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if len(text) > 4000 {
		text = text[:4000] + "..."
	}
	return text
}
