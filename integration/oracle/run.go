package oracle

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

// defaultVersion is the protocol version of a script's statements that name no other.
const defaultVersion = 5

// Answer is what one step got, as lines.
type Answer struct {
	Title string
	Line  int // of the statement in the script; not recorded
	Lines []string
}

// Runner sends scripts to one server. It is not safe for concurrent use.
type Runner struct {
	address  string
	conns    map[byte]*conn
	events   *conn
	keyspace string // in use on the connections
	prepared map[string]*preparedStatement
	states   map[string][]byte // paging states kept by the script
}

// NewRunner makes a runner for the CQL server at host:port; connections are opened when a script needs them.
func NewRunner(address string) *Runner {
	return &Runner{address: address, conns: map[byte]*conn{}, prepared: map[string]*preparedStatement{},
		states: map[string][]byte{}}
}

// Close closes the connections.
func (r *Runner) Close() {
	for _, c := range r.conns {
		c.close()
	}
	if r.events != nil {
		r.events.close()
	}
	r.conns, r.events, r.keyspace = map[byte]*conn{}, nil, ""
	r.prepared, r.states = map[string]*preparedStatement{}, map[string][]byte{}
}

// keyspaceOf is the keyspace that a script of this name has to itself.
func keyspaceOf(script string) string { return "o_" + script }

// Run sends a script and returns its answers. The script's keyspaces (o_NAME and those that begin so) are dropped before.
// An error means that the server could not be talked to; the answers until then are returned.
func (r *Runner) Run(s *Script) ([]Answer, error) {
	defer r.Close()
	if err := r.watch(); err != nil {
		return nil, err
	}
	if err := r.clean(s.Name); err != nil {
		return nil, err
	}
	var out []Answer
	for i := range s.Steps {
		step := &s.Steps[i]
		lines, err := r.step(step)
		if err != nil {
			r.Close()
			return out, errors.Join(fmt.Errorf("%s.cql:%d: %s: %w", s.Name, step.Line, step.Title(), err), r.clean(s.Name))
		}
		out = append(out, Answer{Title: step.Title(), Line: step.Line, Lines: lines})
	}
	return out, r.clean(s.Name)
}

// clean drops the keyspaces of a script.
func (r *Runner) clean(script string) error {
	for _, suffix := range []string{"", "_2", "_3"} {
		step := Step{Text: "DROP KEYSPACE IF EXISTS " + keyspaceOf(script) + suffix, Level: 1}
		lines, err := r.exchange(&step)
		if err != nil {
			return err
		}
		if len(lines) > 0 && strings.HasPrefix(lines[0], "error") {
			return fmt.Errorf("%s: %s", step.Text, lines[0])
		}
	}
	return nil
}

// watch opens the connection that schema events are pushed to.
func (r *Runner) watch() (err error) {
	if r.events, err = dial(r.address, defaultVersion); err != nil {
		return err
	}
	body := appendString(binary.BigEndian.AppendUint16(nil, 1), "SCHEMA_CHANGE")
	f, err := r.events.ask(opRegister, body)
	if err == nil && f.opcode != opReady {
		err = fmt.Errorf("REGISTER is answered by opcode %d", f.opcode)
	}
	return err
}

// connection returns the connection of a protocol version, with the script's keyspace in use.
func (r *Runner) connection(version byte) (*conn, error) {
	if version == 0 {
		version = defaultVersion
	}
	if c := r.conns[version]; c != nil {
		return c, nil
	}
	c, err := dial(r.address, version)
	if err != nil {
		return nil, err
	}
	r.conns[version] = c
	if r.keyspace != "" {
		q := request{level: 1}
		body := q.appendParameters(appendLongString(nil, "USE "+r.keyspace), version)
		if _, err := c.ask(opQuery, body); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// step runs one step and masks what its directives say.
func (r *Runner) step(s *Step) ([]string, error) {
	time.Sleep(s.Wait)
	lines, err := r.exchange(s)
	if err != nil {
		return nil, err
	}
	if s.Unordered {
		sortRows(lines)
	}
	var out []string
	for _, line := range lines {
		if !strings.HasPrefix(line, "warning") || !slices.Contains(s.Masks, "warnings") {
			out = append(out, s.mask(line))
		}
	}
	return out, nil
}

// sortRows sorts the rows between the heads of pages.
func sortRows(lines []string) {
	var at []int
	var rows []string
	for i, line := range lines {
		if strings.HasPrefix(line, "  ") {
			at, rows = append(at, i), append(rows, line)
		}
	}
	sort.Strings(rows)
	for i, n := range at {
		lines[n] = rows[i]
	}
}

var (
	uuidPattern      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	timestampPattern = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|\b1[0-9]{15}\b`)
)

// signatures finds the list of functions in an error, which Cassandra prints in the order of a hash table.
var signatures = regexp.MustCompile(`(?:type|following) signatures: (.*)\)`)

// sortSignatures puts the functions listed in an error in order.
func sortSignatures(line string) string {
	at := signatures.FindStringSubmatchIndex(line)
	if at == nil {
		return line
	}
	// Between two of them stands a comma after a type; inside one it stands between brackets, which an arrow is none of.
	list := splitTop(strings.ReplaceAll(line[at[2]:at[3]], "->", "gives"), ',')
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	slices.Sort(list)
	return line[:at[2]] + strings.ReplaceAll(strings.Join(list, ", "), "gives", "->") + line[at[3]:]
}

// mask replaces what varies between runs.
func (s *Step) mask(line string) string {
	line = sortSignatures(line)
	for _, m := range s.Masks {
		switch m {
		case "uuid":
			line = uuidPattern.ReplaceAllString(line, "<uuid>")
		case "timestamps":
			line = timestampPattern.ReplaceAllString(line, "<time>")
		case "rows":
			if strings.HasPrefix(line, "  ") {
				line = "  <row>"
			}
		}
	}
	if s.Hide != nil {
		line = s.Hide.ReplaceAllString(line, "<hidden>")
	}
	return line
}

// exchange sends a step in the way its directives say.
func (r *Runner) exchange(s *Step) ([]string, error) {
	c, err := r.connection(byte(s.Protocol))
	if err != nil {
		return nil, err
	}
	switch {
	case s.Batch != nil:
		return r.batch(c, s)
	case s.PrepareAs != "":
		_, lines, err := r.prepare(c, s, s.PrepareAs)
		return lines, err
	case s.Prepare:
		p, lines, err := r.prepare(c, s, "")
		if p == nil {
			return lines, err
		}
		more, err := r.execute(c, s, p)
		return append(lines, more...), err
	case s.Execute != "":
		p := r.prepared[s.Execute]
		if p == nil {
			return []string{"nothing is prepared as " + s.Execute}, nil
		}
		return r.execute(c, s, p)
	}
	q, err := s.request(nil)
	if err != nil {
		return nil, err
	}
	return r.pages(c, s, q, opQuery, func() []byte { return appendLongString(nil, s.Text) })
}

// request builds the parameters of a step; markers are the types of the prepared ones.
func (s *Step) request(p *preparedStatement) (*request, error) {
	q := &request{level: s.Level, serial: s.Serial, page: s.Page, timestamp: s.Timestamp, now: s.Now, skipMeta: s.SkipMeta}
	if p == nil {
		q.keyspace = s.Keyspace
	}
	for i, v := range s.Values {
		var declared *colType
		if p != nil && i < len(p.markers.columns) {
			declared = p.markers.columns[i].typ
		}
		b, unset, err := v.encode(declared)
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i+1, err)
		}
		q.values, q.unset = append(q.values, b), append(q.unset, unset)
		if v.name != "" {
			q.names = append(q.names, v.name)
		}
	}
	return q, nil
}

// prepare prepares a step's text and keeps it under the name, if there is one.
func (r *Runner) prepare(c *conn, s *Step, name string) (*preparedStatement, []string, error) {
	body := appendLongString(nil, s.Text)
	if c.version >= 5 {
		if s.Keyspace != "" {
			body = appendString(binary.BigEndian.AppendUint32(body, 1), s.Keyspace)
		} else {
			body = binary.BigEndian.AppendUint32(body, 0)
		}
	}
	f, err := c.ask(opPrepare, body)
	if err != nil {
		return nil, nil, err
	}
	rd := &reader{b: f.body}
	lines := warnings(f, rd)
	if f.opcode != opResult {
		return nil, append(lines, errorLine(c.version, rd)), nil
	}
	if kind := rd.int(); kind != 4 {
		return nil, nil, fmt.Errorf("PREPARE is answered by a result of kind %d", kind)
	}
	p := rd.readPrepared(c.version)
	if rd.err != nil || len(rd.b) > 0 {
		return nil, nil, fmt.Errorf("the PREPARED body does not fit: %v, %d bytes left", rd.err, len(rd.b))
	}
	p.text = s.Text
	if name != "" {
		r.prepared[name] = p
	}
	return p, append(lines, p.lines()...), nil
}

// execute runs a prepared statement.
func (r *Runner) execute(c *conn, s *Step, p *preparedStatement) ([]string, error) {
	q, err := s.request(p)
	if err != nil {
		return nil, err
	}
	return r.pages(c, s, q, opExecute, func() []byte {
		body := appendString(nil, string(p.id))
		if c.version >= 5 {
			body = appendString(body, string(p.metaID))
		}
		return body
	})
}

// pages sends a request and, as long as there are more pages, the next one.
func (r *Runner) pages(c *conn, s *Step, q *request, opcode byte, head func() []byte) ([]string, error) {
	var lines []string
	if s.Resume != "" {
		q.state = r.states[s.Resume]
		if raw, ok := strings.CutPrefix(s.Resume, "0x"); ok {
			var err error
			if q.state, err = hex.DecodeString(raw); err != nil {
				return nil, err
			}
			q.state = append([]byte{}, q.state...)
		}
	}
	for page := 1; ; page++ {
		f, err := c.ask(opcode, q.appendParameters(head(), c.version))
		if err != nil {
			return lines, err
		}
		more, state, err := r.answer(c, f)
		if err != nil {
			return lines, err
		}
		if page > 1 && len(more) > 0 && strings.HasPrefix(more[0], "rows ") {
			more[0] = fmt.Sprintf("page %d", page)
		}
		lines = append(lines, more...)
		if s.Save != "" {
			r.states[s.Save] = state
		}
		if state == nil || page == s.Pages {
			return lines, nil
		}
		if page > 1000 {
			return append(lines, "!more than a thousand pages"), nil
		}
		q.state = state
	}
}

// batch sends a BATCH message.
func (r *Runner) batch(c *conn, s *Step) ([]string, error) {
	body := []byte{s.Batch.Kind}
	body = binary.BigEndian.AppendUint16(body, uint16(len(s.Batch.Parts)))
	var lines []string
	for i := range s.Batch.Parts {
		part := &s.Batch.Parts[i]
		var p *preparedStatement
		if part.Execute != "" {
			p = r.prepared[part.Execute]
		} else if part.Prepare {
			var err error
			if p, lines, err = r.prepare(c, part, ""); p == nil {
				return lines, err
			}
		}
		q, err := part.request(p)
		if err != nil {
			return nil, err
		}
		if p != nil {
			body = appendString(append(body, 1), string(p.id))
		} else {
			body = appendLongString(append(body, 0), part.Text)
		}
		if len(q.values) == 0 {
			body = binary.BigEndian.AppendUint16(body, 0)
		} else {
			q.names = nil
			body = q.appendValues(body)
		}
	}
	q, err := s.request(nil)
	if err != nil {
		return nil, err
	}
	body = binary.BigEndian.AppendUint16(body, q.level)
	flags := q.flags() & (flagSerial | flagTimestamp | flagKeyspace | flagNow)
	body = q.appendTail(appendFlags(body, c.version, flags), flags)
	f, err := c.ask(opBatch, body)
	if err != nil {
		return nil, err
	}
	lines, _, err = r.answer(c, f)
	return lines, err
}

// warnings takes what may stand before a body: tracing id, warnings, payload.
func warnings(f frame, rd *reader) []string {
	var out []string
	if f.flags&0x02 != 0 {
		rd.take(16)
		out = append(out, "traced")
	}
	if f.flags&0x08 != 0 {
		for _, w := range rd.stringList() {
			out = append(out, "warning "+strings.ReplaceAll(w, "\n", `\n`))
		}
	}
	if f.flags&0x04 != 0 {
		n := int(rd.short())
		for i := 0; i < n && rd.err == nil; i++ {
			key := rd.string()
			out = append(out, "payload "+key+" "+printValue(&colType{kind: "blob"}, rd.bytes()))
		}
	}
	return out
}

// answer prints one RESULT or ERROR; state is non-nil when there are more pages.
func (r *Runner) answer(c *conn, f frame) (lines []string, state []byte, err error) {
	rd := &reader{b: f.body}
	before := warnings(f, rd)
	switch f.opcode {
	case opError:
		return append([]string{errorLine(c.version, rd)}, before...), nil, nil
	case opResult:
	default:
		return nil, nil, fmt.Errorf("answered by opcode %d", f.opcode)
	}
	switch kind := rd.int(); kind {
	case 1:
		lines = []string{"void"}
	case 2:
		lines, state = rows(c.version, rd)
	case 3:
		ks := rd.string()
		lines = []string{"keyspace " + ks}
		err = r.use(c, ks)
	case 5:
		text, ks := rd.schemaChange()
		lines = []string{"schema " + text}
		if r.events != nil {
			lines = append(lines, r.pushed(text, ks)...)
		}
	default:
		return nil, nil, fmt.Errorf("result of kind %d", kind)
	}
	if err == nil && (rd.err != nil || len(rd.b) > 0) {
		err = fmt.Errorf("the result does not fit: %v, %d bytes left", rd.err, len(rd.b))
	}
	return append(lines, before...), state, err
}

// use notes the keyspace in use and closes the other connections, which have another one.
func (r *Runner) use(c *conn, ks string) error {
	r.keyspace = `"` + ks + `"`
	for v, other := range r.conns {
		if other != c {
			other.close()
			delete(r.conns, v)
		}
	}
	return nil
}

// rows prints ROWS.
func rows(version byte, rd *reader) (lines []string, state []byte) {
	m := rd.readMetadata(version, false)
	n := rd.int()
	head := "rows " + m.String()
	if m.flags&metaChanged != 0 {
		head += " (metadata changed)"
	}
	lines = append(lines, head)
	for i := int32(0); i < n && rd.err == nil; i++ {
		var cells []string
		for j := int32(0); j < m.count; j++ {
			b := rd.bytes()
			if int(j) < len(m.columns) {
				cells = append(cells, printCell(m.columns[j], b))
			} else {
				cells = append(cells, printValue(&colType{kind: "blob"}, b))
			}
		}
		lines = append(lines, "  "+strings.Join(cells, " | "))
	}
	if m.flags&metaMore != 0 {
		lines = append(lines, "more")
		return lines, m.state
	}
	return lines, nil
}

// printCell prints a value; text of several lines, which is what DESCRIBE answers with, keeps its lines.
func printCell(c column, b []byte) string {
	if c.name == "create_statement" && b != nil {
		return "\n    " + strings.ReplaceAll(string(b), "\n", "\n    ")
	}
	return printValue(c.typ, b)
}

// A change is pushed within pushedWithin; those that come along with it (types and tables that use a changed type, what
// was in a dropped keyspace) arrive with no gap longer than pushedGap.
const (
	pushedWithin = 3 * time.Second
	pushedGap    = 20 * time.Millisecond
)

// pushed waits for the event that belongs to a schema change and prints the other events of the keyspace around it.
func (r *Runner) pushed(want, keyspace string) []string {
	var others []string
	found := false
	deadline := time.Now().Add(pushedWithin)
	for {
		f, ok, err := r.events.event(time.Until(deadline))
		if err != nil {
			return append(others, "!event: "+err.Error())
		}
		if !ok {
			break
		}
		rd := &reader{b: f.body}
		if f.opcode != opEvent || rd.string() != "SCHEMA_CHANGE" {
			return append(others, "!not a schema event")
		}
		text, ks := rd.schemaChange()
		switch {
		case ks != keyspace:
			continue
		case text == want && !found:
			found = true
		default:
			others = append(others, "event "+text)
		}
		if found {
			deadline = time.Now().Add(pushedGap)
		}
	}
	if !found {
		others = append(others, "event none")
	}
	sort.Strings(others)
	return others
}
