package schema

import (
	"maps"
	"strconv"
	"strings"

	"github.com/helenusdb/helenus/cql"
)

const (
	locatorPackage  = "org.apache.cassandra.locator."
	simpleStrategy  = locatorPackage + "SimpleStrategy"
	networkStrategy = locatorPackage + "NetworkTopologyStrategy"
	localStrategy   = locatorPackage + "LocalStrategy"
	factorOption    = "replication_factor"
)

// factor is a replication factor as it is written: "3", or "3/1" of which one is transient.
type factor struct{ all, transient int32 }

// parseFactor reads a factor. Source: org.apache.cassandra.locator.ReplicationFactor.fromString.
func parseFactor(s string) (factor, error) {
	whole, part, both := strings.Cut(s, "/")
	if strings.Contains(part, "/") {
		return factor{}, cql.Configf("Replication factor format is <replicas> or <replicas>/<transient>")
	}
	var f factor
	for i, text := range []string{whole, part}[:1+boolInt(both)] {
		n, ok := javaInt(text)
		if !ok {
			return f, cql.Configf(`For input string: "%s"`, text)
		}
		if i == 0 {
			f.all = n
		} else {
			f.transient = n
		}
	}
	switch {
	case f.transient != 0:
		return f, cql.Configf("Transient replication is not enabled on this node")
	case f.all < 0:
		return f, cql.Configf("Replication factor must be non-negative, found %d", f.all)
	}
	return f, nil
}

// ReplicationFactor returns the number of replicas in all data centers together that a replication map asks for.
func ReplicationFactor(replication map[string]string) int {
	if replication["class"] == localStrategy {
		return 1
	}
	n := 0
	for k, v := range replication {
		if k == "class" {
			continue
		}
		if f, err := parseFactor(v); err == nil {
			n += int(f.all)
		}
	}
	return n
}

// checkLocalStrategy refuses the strategy that is for the server's own keyspaces.
func checkLocalStrategy(m map[string]string) error {
	if c := m["class"]; c == "LocalStrategy" || c == localStrategy {
		return cql.Invalidf("Unable to use given strategy class: LocalStrategy is reserved for internal use.")
	}
	return nil
}

// replication turns a map as written into one as stored: class in full, defaults and data centers filled in. old is the map
// that ALTER replaces, else nil. Source: KeyspaceParams, ReplicationParams.fromMapWithDefaults, AbstractReplicationStrategy.
func replication(env *Env, keyspace string, given, old map[string]string) (map[string]string, []string, error) {
	if len(given) == 0 {
		return nil, nil, cql.Serverf(
			`java.lang.NullPointerException: Cannot invoke "String.contains(java.lang.CharSequence)" because "cls" is null`)
	}
	m := maps.Clone(given)
	class, ok := m["class"]
	if !ok {
		return nil, nil, cql.Configf("Missing replication strategy class")
	}
	if !strings.Contains(class, ".") {
		class = locatorPackage + class
	}
	m["class"] = class
	switch class {
	case simpleStrategy:
		if _, ok := m[factorOption]; !ok {
			m[factorOption] = env.defaultFactor()
			if f, ok := old[factorOption]; ok {
				m[factorOption] = f
			}
		}
	case networkStrategy:
		expandNetwork(env, m, old)
	case locatorPackage + "OldNetworkTopologyStrategy":
		return nil, nil, cql.Configf("The support for the OldNetworkTopologyStrategy has been removed in C* version 4.0. " +
			"The keyspace strategy should be switch to NetworkTopologyStrategy")
	case locatorPackage + "AbstractReplicationStrategy":
		return nil, nil, cql.Configf("Error constructing replication strategy class")
	default:
		if strings.HasPrefix(class, "java.lang.") {
			return nil, nil, cql.Configf("Specified replication strategy class (%s) is not derived from "+
				"AbstractReplicationStrategy", class)
		}
		return nil, nil, cql.Configf("Unable to find replication strategy class '%s'", class)
	}
	warnings, err := checkReplication(env, keyspace, m)
	return m, warnings, err
}

func (e *Env) defaultFactor() string { return strconv.Itoa(max(e.DefaultKeyspaceRF, 1)) }

// expandNetwork gives every data center its factor: what is written wins, then what the keyspace had, then
// replication_factor. A replication_factor that cannot be read is dropped without a word, as Cassandra does.
// Source: NetworkTopologyStrategy.prepareOptions.
func expandNetwork(env *Env, m, old map[string]string) {
	all, given := m[factorOption]
	delete(m, factorOption)
	if len(m) == 1 && !given {
		if all = old[factorOption]; all == "" {
			all = env.defaultFactor()
		}
		given = true
	}
	if given {
		for dc, f := range old {
			if _, ok := m[dc]; !ok && dc != factorOption {
				m[dc] = f
			}
		}
		if _, err := parseFactor(all); err == nil {
			for dc := range env.DataCenters {
				if _, ok := m[dc]; !ok {
					m[dc] = all
				}
			}
		}
	}
	maps.DeleteFunc(m, func(_, f string) bool { return f == "0" })
}

// checkReplication validates a complete map and returns the warnings about it.
func checkReplication(env *Env, keyspace string, m map[string]string) (warnings []string, err error) {
	network := m["class"] == networkStrategy
	nodes := 0
	for _, n := range env.DataCenters {
		nodes += n
	}
	options := maps.Clone(m)
	delete(options, "class")
	var factors []factor
	for _, k := range sortedKeys(options) {
		var f factor
		if network || k == factorOption {
			if f, err = parseFactor(options[k]); err != nil {
				return nil, err
			}
		}
		factors = append(factors, f)
	}
	if network && len(options) == 0 {
		return nil, cql.Configf("Configuration for at least one datacenter must be present")
	}
	for i, k := range sortedKeys(options) {
		n, known := env.DataCenters[k]
		if network && !known || !network && k != factorOption {
			return nil, cql.Configf("Unrecognized strategy option {%s} passed to %s for keyspace %s",
				k, strings.TrimPrefix(m["class"], locatorPackage), keyspace)
		}
		f := int(factors[i].all)
		switch {
		case IsSystem(keyspace): // every cluster begins with too few nodes for them
		case network && f > n:
			warnings = append(warnings, "Your replication factor "+strconv.Itoa(f)+" for keyspace "+keyspace+
				" is higher than the number of nodes "+strconv.Itoa(n)+" for datacenter "+k)
		case !network && f > nodes:
			warnings = append(warnings, "Your replication factor "+strconv.Itoa(f)+" for keyspace "+keyspace+
				" is higher than the number of nodes "+strconv.Itoa(nodes))
		}
	}
	return warnings, nil
}
