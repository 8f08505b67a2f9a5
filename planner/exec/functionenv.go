package exec

import (
	"crypto/rand"
	"time"

	"github.com/helenusdb/helenus/planner/function"
)

// FunctionEnv is what functions ask of the node whose Writer w is. It is safe for concurrent use.
func FunctionEnv(w Writer) *function.Env {
	return &function.Env{
		NowMillis: func() int64 { return time.Now().UnixMilli() },
		Timeuuid:  func() [16]byte { return w.TimeUUID() },
		Random: func() (b [16]byte) {
			rand.Read(b[:]) // it never fails
			return b
		},
	}
}
