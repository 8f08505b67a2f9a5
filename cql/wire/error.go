package wire

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/helenusdb/helenus/cql"
)

// AppendError appends err as the body of an ERROR in the form that clients of v know: codes and fields that a version
// lacks are sent as the nearest that it has. A code whose Detail is missing or of another type goes out as a server
// error, because a client would misread the body.
//
// Source: ErrorMessage.getBackwardsCompatibleException and its codec.
func AppendError(dst []byte, v cql.Version, err *cql.Error) []byte {
	code, msg := err.Code, err.Message
	head := func() { dst = AppendString(AppendInt(dst, int32(code)), msg) }
	counts := func(c cql.Consistency, received, blockFor int) {
		dst = AppendInt(AppendInt(AppendShort(dst, uint16(c)), int32(received)), int32(blockFor))
	}
	switch d := err.Detail.(type) {
	case *cql.Unavailable:
		head()
		counts(d.Consistency, d.Required, d.Alive)
	case *cql.WriteTimeout:
		head()
		counts(d.Consistency, d.Received, d.BlockFor)
		dst = AppendString(dst, string(d.Type))
		if v >= cql.V5 && d.Type == cql.WriteCAS {
			dst = AppendShort(dst, uint16(d.Contentions))
		}
	case *cql.CASUnknown:
		if v < cql.V5 {
			code, msg = cql.CodeWriteTimeout, timeoutText(d.Received)
		}
		head()
		counts(d.Consistency, d.Received, d.BlockFor)
		if v < cql.V5 {
			dst = AppendString(dst, string(cql.WriteCAS))
		}
	case *cql.ReadTimeout:
		head()
		counts(d.Consistency, d.Received, d.BlockFor)
		dst = appendBool(dst, d.DataPresent)
	case *cql.ReadFailure:
		if v < cql.V4 {
			code, msg = cql.CodeReadTimeout, timeoutText(d.Received)
		}
		head()
		counts(d.Consistency, d.Received, d.BlockFor)
		dst = appendBool(appendFailures(dst, v, d.Failures), d.DataPresent)
	case *cql.WriteFailure:
		if v < cql.V4 {
			code, msg = cql.CodeWriteTimeout, timeoutText(d.Received)
		}
		head()
		counts(d.Consistency, d.Received, d.BlockFor)
		dst = AppendString(appendFailures(dst, v, d.Failures), string(d.Type))
	case *cql.FunctionFailure:
		if v < cql.V4 {
			code = cql.CodeInvalid
			head()
			break
		}
		head()
		dst = AppendStringList(AppendString(AppendString(dst, d.Keyspace), d.Function), d.ArgTypes)
	case *cql.AlreadyExists:
		head()
		dst = AppendString(AppendString(dst, d.Keyspace), d.Table)
	case *cql.Unprepared:
		head()
		dst = AppendShortBytes(dst, d.ID)
	default:
		switch {
		case code == cql.CodeCDCWrite && v < cql.V4:
			code = cql.CodeInvalid
		case newDetail(code) != nil:
			code = cql.CodeServer
		}
		head()
	}
	return dst
}

// timeoutText is the text of a timeout that stands for what a version does not know.
// Source: RequestTimeoutException.
func timeoutText(received int) string {
	return fmt.Sprintf("Operation timed out - received only %d responses.", received)
}

// appendFailures appends the failed replicas: v5 a map of address to reason, v4 their number, v3 nothing.
func appendFailures(dst []byte, v cql.Version, list []cql.Failure) []byte {
	if v < cql.V4 {
		return dst
	}
	dst = AppendInt(dst, int32(len(list)))
	if v >= cql.V5 {
		for _, f := range list {
			dst = AppendShort(AppendInetAddr(dst, f.Endpoint.Addr()), uint16(f.Reason))
		}
	}
	return dst
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// newDetail returns an empty Detail of the kind that code carries, nil when it carries none.
func newDetail(code cql.ErrorCode) cql.Detail {
	switch code {
	case cql.CodeUnavailable:
		return new(cql.Unavailable)
	case cql.CodeWriteTimeout:
		return new(cql.WriteTimeout)
	case cql.CodeReadTimeout:
		return new(cql.ReadTimeout)
	case cql.CodeReadFailure:
		return new(cql.ReadFailure)
	case cql.CodeWriteFailure:
		return new(cql.WriteFailure)
	case cql.CodeFunctionFailure:
		return new(cql.FunctionFailure)
	case cql.CodeCASUnknown:
		return new(cql.CASUnknown)
	case cql.CodeAlreadyExists:
		return new(cql.AlreadyExists)
	case cql.CodeUnprepared:
		return new(cql.Unprepared)
	}
	return nil
}

// DecodeError reads the body of an ERROR. Of failed replicas a v4 body knows the number alone: they come without
// addresses. err is set when the body is malformed.
func DecodeError(body []byte, v cql.Version) (e *cql.Error, err error) {
	r := NewReader(body)
	e = &cql.Error{Code: cql.ErrorCode(r.Int()), Message: r.String()}
	e.Detail = newDetail(e.Code)
	counts := func(c *cql.Consistency, received, blockFor *int) {
		*c, *received, *blockFor = r.Consistency(), int(r.Int()), int(r.Int())
	}
	switch d := e.Detail.(type) {
	case *cql.Unavailable:
		counts(&d.Consistency, &d.Required, &d.Alive)
	case *cql.WriteTimeout:
		counts(&d.Consistency, &d.Received, &d.BlockFor)
		d.Type = cql.WriteType(r.String())
		if v >= cql.V5 && d.Type == cql.WriteCAS {
			d.Contentions = int(r.Short())
		}
	case *cql.ReadTimeout:
		counts(&d.Consistency, &d.Received, &d.BlockFor)
		d.DataPresent = r.Byte() != 0
	case *cql.ReadFailure:
		counts(&d.Consistency, &d.Received, &d.BlockFor)
		d.Failures = readFailures(&r, v)
		d.DataPresent = r.Byte() != 0
	case *cql.WriteFailure:
		counts(&d.Consistency, &d.Received, &d.BlockFor)
		d.Failures = readFailures(&r, v)
		d.Type = cql.WriteType(r.String())
	case *cql.FunctionFailure:
		d.Keyspace, d.Function, d.ArgTypes = r.String(), r.String(), r.StringList()
	case *cql.CASUnknown:
		counts(&d.Consistency, &d.Received, &d.BlockFor)
	case *cql.AlreadyExists:
		d.Keyspace, d.Table = r.String(), r.String()
	case *cql.Unprepared:
		d.ID = append([]byte(nil), r.ShortBytes()...)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return e, nil
}

// maxFailures bounds the number of failed replicas that a v4 body may claim: it takes no bytes there.
const maxFailures = 1 << 16

func readFailures(r *Reader, v cql.Version) []cql.Failure {
	n := int(r.Int())
	if n < 0 || v >= cql.V5 && n*7 > r.Len() || n > maxFailures {
		r.Fail(cql.Protocolf("Invalid number of failures %d", n))
		return nil
	}
	list := make([]cql.Failure, n)
	if v >= cql.V5 {
		for i := range list {
			list[i] = cql.Failure{Endpoint: netip.AddrPortFrom(r.InetAddr(), 0), Reason: cql.FailureReason(r.Short())}
		}
	}
	return list
}

// AsError returns err as an answer to the client: the *cql.Error in its chain, or a server error with err's text;
// ok is false for the latter, which the caller logs.
func AsError(err error) (e *cql.Error, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	return cql.Serverf("%s", err.Error()), false
}
