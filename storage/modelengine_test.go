package storage

// flush writes a table's memtable down.
func (w *world) flush(*modelled) {}

// compact merges a table's files.
func (w *world) compact(*modelled) {}
