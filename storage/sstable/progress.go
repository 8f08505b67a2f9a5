package sstable

// Position returns how many bytes of the uncompressed data the scan has passed. It is of use to who shows how far a scan is, or
// bounds how fast it goes; Scan's result has it beside row.Source's methods.
func (s *scan) Position() int64 {
	if s.on {
		return s.p.pos
	}
	return s.pos
}
