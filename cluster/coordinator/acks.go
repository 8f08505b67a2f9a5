// Package coordinator carries a client's request to the replicas that hold its data and waits for as many answers as the
// consistency level needs. Counting is a state machine without clock or goroutine (Acks); the thin shell around it takes
// clock and network as values, so that a seed replays a run.
//
// Floor: above cluster/ring and storage/request. Source: org.apache.cassandra.service.StorageProxy, AbstractWriteResponseHandler;
// cluster.md 4.
package coordinator

import (
	"fmt"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// Status is where a request stands after an event.
type Status uint8

// The states. Waiting is the only one that is left again.
const (
	Waiting Status = iota
	Met            // as many answers came as the level needs
	Failed         // so many replicas failed that it cannot be met
)

// Acks counts the answers of replicas to one request. The zero value of its unexported fields is the start. It is a pure
// state machine: each event returns the state after it, and nothing changes once the state is Met or Failed.
type Acks struct {
	Consistency cql.Consistency
	// Need is how many answers the level needs, Asked how many replicas were asked.
	Need, Asked int

	received int
	failures []cql.Failure
	status   Status
}

// Ack takes a replica's answer.
func (a *Acks) Ack() Status {
	if a.status == Waiting {
		if a.received++; a.received >= a.Need {
			a.status = Met
		}
	}
	return a.status
}

// Fail takes a replica's failure.
func (a *Acks) Fail(f cql.Failure) Status {
	if a.status == Waiting {
		a.failures = append(a.failures, f)
		if a.Asked-len(a.failures) < a.Need {
			a.status = Failed
		}
	}
	return a.status
}

// Status returns the present state.
func (a *Acks) Status() Status { return a.status }

// WriteTimeout is the error of a write whose time is up. Source: WriteTimeoutException.
func (a *Acks) WriteTimeout(t cql.WriteType) *cql.Error {
	return &cql.Error{
		Code: cql.CodeWriteTimeout, Message: a.timeoutText(),
		Detail: &cql.WriteTimeout{Consistency: a.Consistency, Received: a.received, BlockFor: a.Need, Type: t},
	}
}

// WriteFailure is the error of a write in state Failed. Source: WriteFailureException.
func (a *Acks) WriteFailure(t cql.WriteType) *cql.Error {
	return &cql.Error{
		Code: cql.CodeWriteFailure, Message: a.failureText(),
		Detail: &cql.WriteFailure{Consistency: a.Consistency, Received: a.received, BlockFor: a.Need, Failures: a.failures, Type: t},
	}
}

// ReadTimeout is the error of a read whose time is up; data says whether one of the answers held the rows themselves.
func (a *Acks) ReadTimeout(data bool) *cql.Error {
	return &cql.Error{
		Code: cql.CodeReadTimeout, Message: a.timeoutText(),
		Detail: &cql.ReadTimeout{Consistency: a.Consistency, Received: a.received, BlockFor: a.Need, DataPresent: data},
	}
}

// ReadFailure is the error of a read in state Failed.
func (a *Acks) ReadFailure(data bool) *cql.Error {
	return &cql.Error{
		Code: cql.CodeReadFailure, Message: a.failureText(),
		Detail: &cql.ReadFailure{Consistency: a.Consistency, Received: a.received, BlockFor: a.Need, Failures: a.failures, DataPresent: data},
	}
}

func (a *Acks) timeoutText() string {
	return fmt.Sprintf("Operation timed out - received only %d responses.", a.received)
}

// failureText groups the failures by reason, as Cassandra prints them: "UNKNOWN from /127.0.0.1:7000".
func (a *Acks) failureText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Operation failed - received %d responses and %d failures: ", a.received, len(a.failures))
	done := map[cql.FailureReason]bool{}
	for _, f := range a.failures {
		if done[f.Reason] {
			continue
		}
		if len(done) > 0 {
			b.WriteString(", ")
		}
		done[f.Reason] = true
		var from []string
		for _, g := range a.failures {
			if g.Reason == f.Reason {
				from = append(from, "/"+g.Endpoint.String())
			}
		}
		if len(from) == 1 {
			fmt.Fprintf(&b, "%v from %s", f.Reason, from[0])
		} else {
			fmt.Fprintf(&b, "%v from [%s]", f.Reason, strings.Join(from, ", "))
		}
	}
	return b.String()
}
