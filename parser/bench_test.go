package parser

import "testing"

// typical are statements as applications send them.
var typical = []struct{ name, text string }{
	{"insert", "INSERT INTO ks.users (id, name, email, age, active) VALUES (123456, 'Ada Lovelace', 'ada@example.org', 36, true)"},
	{"select", "SELECT id, name, email FROM ks.users WHERE id = 123456 AND day >= '2024-01-01' LIMIT 100"},
	{"update", "UPDATE ks.users SET name = 'Ada', tags = tags + {'x'}, n += 1 WHERE id = 123456 IF age > 30"},
}

func BenchmarkLex(b *testing.B) {
	for _, s := range typical {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.text)))
			var toks []Token
			for b.Loop() {
				toks, _ = Lex(s.text, toks[:0])
			}
		})
	}
}

func BenchmarkShape(b *testing.B) {
	for _, s := range typical {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.text)))
			var shape []byte
			var lits []Literal
			for b.Loop() {
				shape, lits, _ = Shape(s.text, shape[:0], lits[:0])
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for _, s := range typical {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.text)))
			for b.Loop() {
				if _, err := Parse(s.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestShapeIsFree wants no allocation per statement once the buffers are large enough.
func TestShapeIsFree(t *testing.T) {
	var toks []Token
	var shape []byte
	var lits []Literal
	for _, s := range typical {
		if n := testing.AllocsPerRun(100, func() {
			toks, _ = Lex(s.text, toks[:0])
			shape, lits, _ = Shape(s.text, shape[:0], lits[:0])
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}
