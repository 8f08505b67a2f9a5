package planner

import "github.com/helenusdb/helenus/cql"

// CheckBounds refuses null as the bound of a range of rows to delete.
//
// Deviation: in Cassandra the replica fails. In SELECT such a bound leaves every row.
func (r *Restrictions) CheckBounds(env *Env) error {
	for _, x := range r.clustering {
		if x == nil || x.kind != isSlice {
			continue
		}
		for _, b := range []*bound{x.start, x.end} {
			if b == nil || len(b.items) != 1 {
				continue
			}
			v, unset, err := b.items[0].Eval(env)
			if err != nil {
				return err
			}
			if v == nil && !unset {
				return cql.Invalidf("Invalid null value in condition for column %s", x.columns[0].Name)
			}
		}
	}
	return nil
}
