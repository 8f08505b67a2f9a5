package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, text string, strict bool) (*Config, []string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cassandra.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := Default()
	w, err := c.Load(path, strict)
	return c, w, err
}

// TestNewAndOldNames holds that both spellings of a setting mean the same.
func TestNewAndOldNames(t *testing.T) {
	for _, text := range []string{
		"commitlog_sync: batch\ncommitlog_segment_size: 16MiB\nread_request_timeout: 7s\nbatch_size_warn_threshold: 9KiB\n",
		"commitlog_sync: batch\ncommitlog_segment_size_in_mb: 16\nread_request_timeout_in_ms: 7000\nbatch_size_warn_threshold_in_kb: 9\n",
	} {
		c, w, err := load(t, text, true)
		if err != nil || len(w) > 0 {
			t.Fatalf("%q: %v, %v", text, w, err)
		}
		if c.CommitlogSync != "batch" || c.CommitlogSegmentBytes != 16<<20 || c.ReadTimeout != 7*time.Second || c.BatchWarnBytes != 9<<10 {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

// TestStockFile holds that the settings which a stock file carries start a node, and what is said of each.
func TestStockFile(t *testing.T) {
	c, w, err := load(t, `
cluster_name: 'Prod'
num_tokens: 8
hinted_handoff_enabled: true
authenticator:
  class_name : org.apache.cassandra.auth.PasswordAuthenticator
authorizer: CassandraAuthorizer
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
data_file_directories:
    - /var/lib/cassandra/data
commitlog_directory: /var/lib/cassandra/commitlog
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:7000"
listen_address: localhost
endpoint_snitch: SimpleSnitch
compaction_throughput: 64MiB/s
cdc_enabled: true
server_encryption_options:
  internode_encryption: none
  keystore: conf/.keystore
client_encryption_options:
  enabled: true
initial_token:
`, false)
	if err != nil {
		t.Fatal(err)
	}
	if c.ClusterName != "Prod" || c.NumTokens != 8 || c.Authenticator != "PasswordAuthenticator" || c.DataDir != "/var/lib/cassandra/data" {
		t.Errorf("%+v", c)
	}
	if len(w) != 2 || !strings.Contains(w[0], "cdc_enabled is not supported") || !strings.Contains(w[1], "client_encryption_options is not supported") {
		t.Errorf("warnings %q", w)
	}
}

// TestExpiryDates holds the policy in either case, and that a mode which would need other files is warned about.
func TestExpiryDates(t *testing.T) {
	c, w, err := load(t, "expiration_date_overflow_policy: cap_nowarn\nstorage_compatibility_mode: CASSANDRA_4\n", true)
	if err != nil || len(w)+len(c.Partly()) > 0 || c.ExpirationOverflow != "CAP_NOWARN" {
		t.Errorf("%q, %q, %v", c.ExpirationOverflow, w, err)
	}
	for _, mode := range []string{"NONE", "UPGRADING"} {
		if c, _, err = load(t, "storage_compatibility_mode: "+mode+"\n", true); err != nil {
			t.Fatal(err)
		}
		if w := c.Partly(); len(w) != 1 || !strings.HasPrefix(w[0], "storage_compatibility_mode: "+mode+" is taken as CASSANDRA_4") {
			t.Errorf("%q", w)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	_, w, err := load(t, "clustr_name: x\n", false)
	if err != nil || len(w) != 1 || !strings.HasSuffix(w[0], `cassandra.yaml:1: unknown setting "clustr_name"; did you mean "cluster_name"?`) {
		t.Errorf("%q, %v", w, err)
	}
	if _, _, err := load(t, "\nclustr_name: x\n", true); err == nil || !strings.Contains(err.Error(), ":2: unknown setting") {
		t.Errorf("strict: %v", err)
	}
}

// TestBadFiles holds that each is refused with the line it is in.
func TestBadFiles(t *testing.T) {
	for _, v := range []struct{ text, want string }{
		{"cluster_name: a\ncluster_name: b\n", "twice"},
		{"read_request_timeout: 5000ms\nread_request_timeout_in_ms: 1\n", ":2: read_request_timeout_in_ms is set twice"},
		{"read_request_timeout: 5\n", ":1: read_request_timeout: expected a duration"},
		{"read_request_timeout: -5ms\n", "expected a duration"},
		{"commitlog_segment_size: 1.5MiB\n", "expected a size"},
		{"commitlog_segment_size: 99999999999999GiB\n", "out of range"},
		{"commitlog_segment_size: 8MiB\nmax_mutation_size: 5MiB\n", "at least twice"},
		{"num_tokens: many\n", "whole number"},
		{"num_tokens: 0\n", "between 1 and 1536"},
		{"partitioner: Foo\n", "expected one of"},
		{"expiration_date_overflow_policy: ignore\n", "expected one of REJECT, CAP, CAP_NOWARN"},
		{"authenticator: com.example.Mine\n", "not supported"},
		{"a: &x [1]\ncluster_name: *x\n", "aliases"},
		{"- a\n", "name: value"},
		{"cluster_name: [a]\n", "expected a value"},
		{"a:\n\tb: 1\n", "cassandra.yaml"},
	} {
		_, _, err := load(t, v.text, false)
		if err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%q: %v, want %q", v.text, err, v.want)
		}
	}
	if _, w, err := load(t, "\xef\xbb\xbfcluster_name: bom\n", true); err != nil || len(w) > 0 {
		t.Errorf("with a byte order mark: %v, %v", w, err)
	}
}

func TestRackDC(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cassandra.yaml")
	if err := os.WriteFile(path, []byte("endpoint_snitch: org.apache.cassandra.locator.GossipingPropertyFileSnitch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cassandra-rackdc.properties"), []byte("# here\ndc=east\nrack = r7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := Default()
	if _, err := c.Load(path, true); err != nil || c.DC != "east" || c.Rack != "r7" {
		t.Errorf("%s %s %v", c.DC, c.Rack, err)
	}
}
