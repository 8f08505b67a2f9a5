package wire

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

// Startup is a STARTUP message.
type Startup struct {
	// Options holds the options as sent, their keys in upper case; of a repeated key the last value stays.
	Options map[string]string
	// Compression is what the option COMPRESSION asks for.
	Compression Compression
	// ThrowOnOverload is true for THROW_ON_OVERLOAD = 1: the client wants Overloaded rather than to wait.
	ThrowOnOverload bool
}

// The STARTUP options that mean something to the server.
const (
	OptionCQLVersion      = "CQL_VERSION"
	OptionCompression     = "COMPRESSION"
	OptionThrowOnOverload = "THROW_ON_OVERLOAD"
	OptionDriverName      = "DRIVER_NAME"
	OptionDriverVersion   = "DRIVER_VERSION"
)

// maxStartupOptions bounds the options of a STARTUP. Source: reliability.md 3.3.
const maxStartupOptions = 32

// cassandraVersion is the form of a version text. Source: org.apache.cassandra.utils.CassandraVersion.
var cassandraVersion = regexp.MustCompile(`^(\d+)\.\d+(\.\w+(\.\w+)?)?(-[-.\w]+)?([.+][.\w]+)?$`)

// DecodeStartup reads the body of a STARTUP and checks what Cassandra checks, in its order and with its texts. With an
// error, Options is nil when the body is malformed, and else says what was sent. Source: StartupMessage.
func DecodeStartup(body []byte, v cql.Version) (Startup, error) {
	r := NewReader(body)
	if n := r.count(4, shortStringText); n > maxStartupOptions {
		r.Fail(cql.Protocolf("Too many options in STARTUP message: %d", n))
		return Startup{}, r.Err()
	}
	r = NewReader(body)
	sent := r.StringMap()
	if r.err != nil {
		return Startup{}, r.Err()
	}
	s := Startup{Options: make(map[string]string, len(sent))}
	for k, value := range sent {
		s.Options[strings.ToUpper(k)] = value
	}
	cqlVersion, ok := s.Options[OptionCQLVersion]
	if !ok {
		return s, cql.Protocolf("Missing value CQL_VERSION in STARTUP message")
	}
	m := cassandraVersion.FindStringSubmatch(cqlVersion)
	if m == nil {
		return s, cql.Protocolf("Invalid version value: %s", cqlVersion)
	}
	if major, err := strconv.Atoi(m[1]); err == nil && major < 3 {
		return s, cql.Protocolf("CQL version %s is not supported by the binary protocol (supported version are >= 3.0.0)", cqlVersion)
	}
	if name, ok := s.Options[OptionCompression]; ok {
		c, err := ParseCompression(name, v)
		if err != nil {
			return s, err
		}
		s.Compression = c
	}
	s.ThrowOnOverload = s.Options[OptionThrowOnOverload] == "1"
	return s, nil
}

// AppendStartup appends the body of a STARTUP with these options, in the order of their keys.
func AppendStartup(dst []byte, options map[string]string) []byte {
	keys := make([]string, 0, len(options))
	for k := range options {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = AppendShort(dst, uint16(len(keys)))
	for _, k := range keys {
		dst = AppendString(AppendString(dst, k), options[k])
	}
	return dst
}

// AppendSupported appends the body of a SUPPORTED. Deviation: Cassandra lists 6/v6-beta among the versions.
func AppendSupported(dst []byte) []byte {
	dst = AppendShort(dst, 3)
	dst = AppendStringList(AppendString(dst, "PROTOCOL_VERSIONS"), []string{cql.V3.String(), cql.V4.String(), cql.V5.String()})
	dst = AppendStringList(AppendString(dst, OptionCompression), []string{Snappy.String(), LZ4.String()})
	return AppendStringList(AppendString(dst, OptionCQLVersion), []string{cql.LanguageVersion})
}

// DecodeSupported reads the body of a SUPPORTED.
func DecodeSupported(body []byte) (map[string][]string, error) {
	r := NewReader(body)
	m := r.StringMultimap()
	return m, r.Err()
}

// AppendAuthenticate appends the body of an AUTHENTICATE that names the Java class of the authenticator.
func AppendAuthenticate(dst []byte, class string) []byte { return AppendString(dst, class) }

// AppendAuthToken appends the body of an AUTH_RESPONSE, AUTH_CHALLENGE or AUTH_SUCCESS; nil is a null token.
func AppendAuthToken(dst, token []byte) []byte { return AppendBytes(dst, token) }

// DecodeAuthToken reads the body of an AUTH_RESPONSE, AUTH_CHALLENGE or AUTH_SUCCESS: nil for null, else a view of it.
func DecodeAuthToken(body []byte) ([]byte, error) {
	r := NewReader(body)
	token := r.Bytes()
	return token, r.Err()
}

// DecodeAuthenticate reads the body of an AUTHENTICATE.
func DecodeAuthenticate(body []byte) (class string, err error) {
	r := NewReader(body)
	class = r.String()
	return class, r.Err()
}
