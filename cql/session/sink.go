package session

import (
	"errors"

	"github.com/helenusdb/helenus/cql"
	"github.com/helenusdb/helenus/cql/wire"
	"github.com/helenusdb/helenus/planner"
)

// sink writes rows into the answer as they come. It implements exec.Sink.
type sink struct {
	k     *call
	st    *statement
	skip  bool   // the client asked for rows without metadata
	have  []byte // the metadata id that a v5 client has; nil when it executes no prepared statement
	rows  wire.RowsWriter
	begun bool
	// inline is set while the answer is made on the goroutine that reads the connection.
	inline bool
	held   int // bytes of the answer that are counted
}

func (s *sink) reset(k *call) { *s = sink{k: k} }

// Begin implements exec.Sink. Columns that the plan knew are described once for all executions; others are always sent, since
// the client was told of none. Source: protocol.md 3.5, skip-metadata rule.
func (s *sink) Begin(columns []planner.Spec) error {
	md, o := s.st.result, wire.RowsOptions{SkipMetadata: s.skip}
	if md == nil {
		md = wire.NewMetadata(columnSpecs(columns))
		o.SkipMetadata = s.skip && s.have == nil
		if s.have != nil && !s.st.conditional() {
			id := wire.MetadataID(md)
			o.NewMetadataID = id[:]
		}
	} else if s.have != nil && string(s.have) != string(s.st.resultID[:]) {
		o.NewMetadataID = s.st.resultID[:]
	}
	s.rows = wire.BeginRows(s.k.r.Begin(), s.k.r.Version, md, o)
	s.begun = true
	return nil
}

// maxResult bounds one answer: a client that does not page must not make the server hold more than a client can take.
const maxResult = 256 << 20

// holdStep is after how many bytes the memory of an answer is counted anew.
const holdStep = 16 << 10

// errTooLong ends an answer that turns out to be too large to be made inline. It is not for clients.
var errTooLong = errors.New("the answer is too large to be made on the connection's goroutine")

// rowsPerTurn is after how many rows a read asks whether others wait for their turn.
const rowsPerTurn = 64

// Row implements exec.Sink.
func (s *sink) Row(cells [][]byte) error {
	for _, c := range cells {
		s.rows.Cell(c)
	}
	s.rows.EndRow()
	if t := s.k.turn; t != nil && s.rows.Count()%rowsPerTurn == 0 {
		if err := t.Err(); err != nil {
			return err
		}
	}
	size := s.rows.Size()
	if s.inline && size > inlineBytes {
		return errTooLong
	}
	if !s.inline && size >= s.held+holdStep {
		s.held = size
		if err := s.k.r.Hold(size); err != nil {
			return err
		}
	}
	if size > maxResult {
		return cql.Invalidf("The result is larger than %d bytes; use paging", maxResult)
	}
	return nil
}
