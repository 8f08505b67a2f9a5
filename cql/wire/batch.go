package wire

import "github.com/helenusdb/helenus/cql"

// BatchType is the kind of a BATCH message.
type BatchType uint8

// The kinds of batches.
const (
	BatchLogged BatchType = iota
	BatchUnlogged
	BatchCounter
)

// BatchItem is one statement of a BATCH: its Text, or the ID of a prepared one. All slices are views of the body or of
// the Batch.
type BatchItem struct {
	Prepared bool
	Text     []byte
	ID       []byte
	Values   []Value
}

// Batch is a BATCH message, made to be reused. Of its QueryParams, Values, Names and what concerns paging stay empty.
type Batch struct {
	Type  BatchType
	Items []BatchItem
	QueryParams

	values []Value // of all items, one after the other
}

// batchItemSize is the least that an item of a batch takes: kind, an empty id, no values.
const batchItemSize = 5

// Decode reads the body of a BATCH into b, which is reused. Values are positional: the flag for names is passed over,
// as Cassandra does. Source: BatchMessage.codec.
func (b *Batch) Decode(body []byte, v cql.Version) error {
	b.reset()
	b.Items, b.values = b.Items[:0], b.values[:0]
	r := NewReader(body)
	kind := r.Byte()
	if kind > byte(BatchCounter) {
		r.Fail(cql.Protocolf("Invalid BATCH message type %d", int8(kind)))
	}
	b.Type = BatchType(kind)
	for range r.count(batchItemSize, longStringText) {
		b.readItem(&r, v)
		if r.err != nil {
			return r.Err()
		}
	}
	b.share()
	b.Consistency = r.Consistency()
	b.readFlags(&r, v)
	b.readTail(&r)
	return r.Err()
}

func (b *Batch) readItem(r *Reader, v cql.Version) {
	var it BatchItem
	switch kind := r.Byte(); kind {
	case 0:
		it.Text = r.LongString()
	case 1:
		it.Prepared = true
		it.ID = r.ShortBytes()
	default:
		r.Fail(cql.Protocolf("Invalid query kind in BATCH messages. Must be 0 or 1 but got %d", int8(kind)))
		return
	}
	start := len(b.values)
	for range r.count(4, bytesText) {
		b.values = append(b.values, r.Value(v))
	}
	it.Values = b.values[start:]
	b.Items = append(b.Items, it)
}

// share points the items' values into the one array, which may have moved while it grew.
func (b *Batch) share() {
	at := 0
	for i := range b.Items {
		n := len(b.Items[i].Values)
		b.Items[i].Values = b.values[at : at+n : at+n]
		at += n
	}
}

// Append appends b as the body of a BATCH.
func (b *Batch) Append(dst []byte, v cql.Version) []byte {
	dst = AppendShort(append(dst, byte(b.Type)), uint16(len(b.Items)))
	for _, it := range b.Items {
		if it.Prepared {
			dst = AppendShortBytes(append(dst, 1), it.ID)
		} else {
			dst = AppendBytes(append(dst, 0), orEmpty(it.Text))
		}
		dst = AppendShort(dst, uint16(len(it.Values)))
		for _, value := range it.Values {
			dst = AppendValue(dst, value)
		}
	}
	const known = FlagSerial | FlagTimestamp | FlagQueryKeyspace | FlagNow
	f := b.flags(v) & known
	return b.appendTail(appendFlags(AppendShort(dst, uint16(b.Consistency)), f, v), f)
}
