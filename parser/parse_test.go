package parser

import (
	"testing"
)

// TestPrintsBack parses statements, prints them, and wants the same text when the print is parsed again.
func TestPrintsBack(t *testing.T) {
	for _, text := range []string{
		"SELECT * FROM t",
		"select a, b as x, count(*), writetime(v), m['k'], u.f, s[1..2], cast(a as int), (int)5 from ks.t where k = 1 and c in (1,2)",
		"select a from t where (a,b)>(1,2) and token(k) > token(5) and m['a']=? and x contains key :foo group by a, floor(b,1h)",
		"insert into t (a,b) values (1, {'a': 1, 'b': ?}) if not exists using ttl 5 and timestamp ?",
		"update t set a = a + 1, b = {1} + b, c -= 2, d['k'] = 5, e.f = ?, g = g -1 where k=1 if exists",
		"delete a, b['x'], c.d from t using timestamp 5 where k=1 if a=1 and b[1] in ? and c.d != 3",
		"begin unlogged batch insert into t(a) values (1); update t set a=1 where k=1 apply batch",
		"create table if not exists k.t (a int, b text static, v vector<float,3>, primary key ((a,b),c),) with clustering order by (c desc)",
	} {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		printed := p.Statement.String()
		again, err := Parse(printed)
		if err != nil {
			t.Errorf("%s: %v", printed, err)
		} else if again.Statement.String() != printed {
			t.Errorf("%s printed again is %s", printed, again.Statement.String())
		}
	}
}
