package storage

// ClearKeys lets go of all keys that are kept of tables on disk. They are asked for again when they are needed.
func (e *Engine) ClearKeys() { e.cache.ClearKeys() }

// ClearPages lets go of all pages that are kept of tables on disk.
func (e *Engine) ClearPages() { e.cache.Clear() }
