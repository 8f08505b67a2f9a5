//go:build race

package exec

// raceDetector says whether the race detector is on, under which pools drop what they hold and allocations count nothing.
const raceDetector = true
