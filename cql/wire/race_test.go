//go:build race

package wire

// raceEnabled tells that sync.Pool drops things on purpose, so that allocations cannot be counted.
const raceEnabled = true
