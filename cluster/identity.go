package cluster

import (
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/helenusdb/helenus/cql/schema"
	"github.com/helenusdb/helenus/cql/token"
)

// identity is what a node is for good: it is made at the first start and kept as the first record of the metadata journal.
// Clients cache by the host id, so it survives restarts and changes of address.
type identity struct {
	Cluster     string   `json:"cluster_name"`
	HostID      string   `json:"host_id"`
	Partitioner string   `json:"partitioner"`
	Tokens      []string `json:"tokens"`
}

// newIdentity draws a host id and tokens, or takes the initial tokens of o.
func newIdentity(o *Options, r *rand.Rand) (*identity, error) {
	id := &identity{Cluster: o.ClusterName, HostID: formatUUID(randomUUID(r)), Partitioner: o.Partitioner.Class()}
	for _, s := range o.InitialTokens {
		t, err := o.Partitioner.Parse(s)
		if err != nil {
			return nil, fmt.Errorf("initial token %q: %w", s, err)
		}
		id.Tokens = append(id.Tokens, o.Partitioner.Format(t))
	}
	for len(id.Tokens) < o.NumTokens {
		t := o.Partitioner.Format(o.Partitioner.Random(r))
		if !slices.Contains(id.Tokens, t) {
			id.Tokens = append(id.Tokens, t)
		}
	}
	return id, nil
}

// check compares what the data were made with and what the node is started with.
func (id *identity) check(o *Options) error {
	switch {
	case id.Cluster != o.ClusterName:
		return fmt.Errorf("saved cluster name %q does not match configured name %q", id.Cluster, o.ClusterName)
	case id.Partitioner != o.Partitioner.Class():
		return fmt.Errorf("the data were written with partitioner %s, configured is %s", id.Partitioner, o.Partitioner.Class())
	case len(id.Tokens) != o.NumTokens:
		return fmt.Errorf("cannot change the number of tokens from %d to %d", len(id.Tokens), o.NumTokens)
	}
	if len(o.InitialTokens) > 0 {
		given, saved := slices.Clone(o.InitialTokens), slices.Clone(id.Tokens)
		slices.Sort(given)
		slices.Sort(saved)
		if !slices.Equal(given, saved) {
			return fmt.Errorf("cannot change the tokens from %v to %v", saved, given)
		}
	}
	return nil
}

func (id *identity) tokens(p token.Partitioner) ([]token.Token, error) {
	out := make([]token.Token, len(id.Tokens))
	for i, s := range id.Tokens {
		t, err := p.Parse(s)
		if err != nil {
			return nil, fmt.Errorf("token %q: %w", s, err)
		}
		out[i] = t
	}
	return out, nil
}

func (id *identity) encode() ([]byte, error) { return json.Marshal(id) }

func decodeIdentity(b []byte) (*identity, error) {
	id := new(identity)
	if err := json.Unmarshal(b, id); err != nil {
		return nil, fmt.Errorf("node identity: %w", err)
	}
	return id, nil
}

// newRandom returns a generator seeded by the operating system.
func newRandom() *rand.Rand {
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	return rand.New(rand.NewChaCha8(seed))
}

// randomUUID returns a version 4 UUID.
func randomUUID(r *rand.Rand) (u schema.UUID) {
	for i := range u {
		u[i] = byte(r.Uint32())
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return u
}

func formatUUID(u schema.UUID) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

func parseUUID(s string) (u schema.UUID, err error) {
	var parts [5][]byte
	if _, err = fmt.Sscanf(s, "%8x-%4x-%4x-%4x-%12x", &parts[0], &parts[1], &parts[2], &parts[3], &parts[4]); err != nil {
		return u, fmt.Errorf("host id %q: %w", s, err)
	}
	copy(u[:], slices.Concat(parts[:]...))
	return u, nil
}
