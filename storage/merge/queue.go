package merge

// queue holds the next item of each source, sorted. With the few sources that a read or a compaction has, a sorted list is as
// good as a tree: an item is most often the next again, or finds its place by the logarithm of their number in comparisons.
type queue[T any, O order[T]] struct {
	order O
	list  []head[T]
}

// order tells which of two items comes first.
type order[T any] interface {
	compare(a, b T) int
}

// head is the next item of the source from.
type head[T any] struct {
	item T
	from int
	// same says that the item is equal to the one before it in the queue.
	same bool
}

// push puts an item in its place, behind those equal to it.
func (q *queue[T, O]) push(item T, from int) {
	lo, hi, same := 0, len(q.list), false
	for mid := 0; lo < hi; mid = int(uint(lo+hi) / 2) {
		if c := q.order.compare(item, q.list[mid].item); c < 0 {
			hi = mid
		} else {
			lo, same = mid+1, c == 0
		}
	}
	q.list = append(q.list, head[T]{})
	copy(q.list[lo+1:], q.list[lo:])
	q.list[lo] = head[T]{item, from, same}
}

// front returns the items that come first, which are equal; none at the end.
func (q *queue[T, O]) front() []head[T] {
	n := min(1, len(q.list))
	for n < len(q.list) && q.list[n].same {
		n++
	}
	return q.list[:n]
}

// drop takes the first n items off.
func (q *queue[T, O]) drop(n int) {
	q.list = q.list[:copy(q.list, q.list[n:])]
}
