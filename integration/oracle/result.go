package oracle

import (
	"encoding/hex"
	"fmt"
	"sort"
	"strings"
)

// column is one column or bind marker of a result's metadata.
type column struct {
	table string // keyspace.table
	name  string
	typ   *colType
}

// metadata is the head of ROWS and both halves of PREPARED.
type metadata struct {
	flags   int32
	count   int32
	state   []byte
	newID   []byte
	columns []column
	pk      []uint16
}

// flags of metadata. Source: native_protocol_v5.spec 4.2.5.2.
const (
	metaGlobal  = 0x01
	metaMore    = 0x02
	metaNone    = 0x04
	metaChanged = 0x08
)

// readMetadata reads the metadata of ROWS, or with prepared set that of the bind markers.
func (r *reader) readMetadata(version byte, markers bool) *metadata {
	m := &metadata{flags: r.int(), count: r.int()}
	if markers && version >= 4 {
		n := int(r.int())
		for i := 0; i < n && r.err == nil; i++ {
			m.pk = append(m.pk, r.short())
		}
	}
	if !markers && m.flags&metaMore != 0 {
		m.state = r.bytes()
	}
	if !markers && m.flags&metaChanged != 0 {
		m.newID = r.shortBytes()
	}
	if m.flags&metaNone != 0 {
		return m
	}
	var table string
	if m.flags&metaGlobal != 0 {
		table = r.string() + "." + r.string()
	}
	for i := int32(0); i < m.count && r.err == nil; i++ {
		c := column{table: table}
		if m.flags&metaGlobal == 0 {
			c.table = r.string() + "." + r.string()
		}
		c.name = r.string()
		c.typ = r.readType()
		m.columns = append(m.columns, c)
	}
	return m
}

// String prints metadata in one line; a table named once stands first.
func (m *metadata) String() string {
	if m.flags&metaNone != 0 {
		return fmt.Sprintf("%d columns without metadata", m.count)
	}
	var out []string
	for _, c := range m.columns {
		text := c.name + " " + c.typ.String()
		if m.flags&metaGlobal == 0 {
			text = c.table + "." + text
		}
		out = append(out, text)
	}
	head := ""
	if m.flags&metaGlobal != 0 && len(m.columns) > 0 {
		head = m.columns[0].table + ": "
	}
	return head + strings.Join(out, ", ")
}

// preparedStatement is what a PREPARED result says.
type preparedStatement struct {
	text    string
	id      []byte
	metaID  []byte
	markers *metadata
	result  *metadata
}

func (r *reader) readPrepared(version byte) *preparedStatement {
	p := &preparedStatement{id: r.shortBytes()}
	if version >= 5 {
		p.metaID = r.shortBytes()
	}
	p.markers = r.readMetadata(version, true)
	p.result = r.readMetadata(version, false)
	return p
}

// lines prints a prepared statement: id, markers with the positions of the partition key, result.
func (p *preparedStatement) lines() []string {
	out := []string{"prepared " + hex.EncodeToString(p.id), "  markers " + p.markers.String()}
	if len(p.markers.pk) > 0 {
		out = append(out, fmt.Sprintf("  partition key at %v", p.markers.pk))
	}
	return append(out, "  result "+p.result.String())
}

// schemaChange reads the fields that RESULT and EVENT share.
func (r *reader) schemaChange() (text, keyspace string) {
	change, target, ks := r.string(), r.string(), r.string()
	text = change + " " + target + " " + ks
	switch target {
	case "TABLE", "TYPE":
		text += "." + r.string()
	case "FUNCTION", "AGGREGATE":
		text += "." + r.string() + "(" + strings.Join(r.stringList(), ", ") + ")"
	}
	return text, ks
}

// errorLine prints an ERROR body: code, the fields that it has, message.
func errorLine(version byte, r *reader) string {
	code := uint32(r.int())
	message := r.string()
	var extra string
	switch code {
	case 0x1000:
		extra = fmt.Sprintf(" {consistency %d, required %d, alive %d}", r.short(), r.int(), r.int())
	case 0x1100:
		extra = fmt.Sprintf(" {consistency %d, received %d, required %d, %s", r.short(), r.int(), r.int(), r.string())
		if version >= 5 && strings.HasSuffix(extra, " CAS") {
			extra += fmt.Sprintf(", contentions %d", r.short())
		}
		extra += "}"
	case 0x1200:
		extra = fmt.Sprintf(" {consistency %d, received %d, required %d, data %d}", r.short(), r.int(), r.int(), r.byte())
	case 0x1300:
		extra = fmt.Sprintf(" {consistency %d, received %d, required %d, failures %s, data %d}",
			r.short(), r.int(), r.int(), r.failures(version), r.byte())
	case 0x1400:
		extra = fmt.Sprintf(" {%s.%s(%s)}", r.string(), r.string(), strings.Join(r.stringList(), ", "))
	case 0x1500:
		extra = fmt.Sprintf(" {consistency %d, received %d, required %d, failures %s, %s}",
			r.short(), r.int(), r.int(), r.failures(version), r.string())
	case 0x1700:
		extra = fmt.Sprintf(" {consistency %d, received %d, required %d}", r.short(), r.int(), r.int())
	case 0x2400:
		extra = fmt.Sprintf(" {%s.%s}", r.string(), r.string())
	case 0x2500:
		extra = " {" + hex.EncodeToString(r.shortBytes()) + "}"
	}
	line := fmt.Sprintf("error 0x%04x%s %s", code, extra, strings.ReplaceAll(message, "\n", `\n`))
	if r.err != nil || len(r.b) > 0 {
		line += fmt.Sprintf(" !the body does not fit: %v, %d bytes left", r.err, len(r.b))
	}
	return line
}

// failures reads the reasons per replica (v5) or their number (v3, v4).
func (r *reader) failures(version byte) string {
	n := int(r.int())
	if version < 5 {
		return fmt.Sprint(n)
	}
	var reasons []string
	for i := 0; i < n && r.err == nil; i++ {
		r.take(int(r.byte()))
		reasons = append(reasons, fmt.Sprint(r.short()))
	}
	sort.Strings(reasons)
	return "[" + strings.Join(reasons, " ") + "]"
}
