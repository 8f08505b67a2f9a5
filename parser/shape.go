package parser

// Shape appends to dst the shape of a statement and to lits its literals. The shape is the text with each literal replaced
// by $ and a letter for its class, words in lower case, comments and trailing semicolons gone and one blank between
// tokens; names in double quotes stay as they are. Two statements of one shape have the same tree but for the texts of
// literals, and a literal's index in lits is the Slot that Parse gives it, so a plan may be cached by shape when
// Parsed.Shaped says so. The shape is no CQL.
//
// It costs no allocation when dst and lits are large enough and no string has doubled quotes. Errors are those of Lex;
// what else is wrong with a statement is Parse's to find.
func Shape(text string, dst []byte, lits []Literal) ([]byte, []Literal, error) {
	s, err := newScanner(text)
	if err != nil {
		return dst, lits, err.answer(text)
	}
	s.literalsOnly = true
	first := len(dst)
	semicolons := 0
	for {
		kind, start := s.next()
		if s.err != nil {
			return dst, lits, s.err.answer(text)
		}
		if kind == kindEOF {
			return dst, lits, nil
		}
		if kind == kindSemicolon {
			semicolons++
			continue
		}
		for ; semicolons > 0; semicolons-- {
			dst = append(dst, ' ', ';')
		}
		if len(dst) > first {
			dst = append(dst, ' ')
		}
		switch {
		case kind.isLiteral():
			dst = append(dst, '$', shapeMarks[kind-kindString])
			lits = append(lits, literal(kind, text[start:s.pos]))
		case kind == kindIdent || kind >= firstKeyword:
			from := len(dst)
			dst = append(dst, text[start:s.pos]...)
			if s.upper {
				lower(dst[from:])
			}
		case s.pos == start+1:
			dst = append(dst, text[start])
		default:
			dst = append(dst, text[start:s.pos]...)
		}
	}
}

// lower turns the capitals of ASCII words into small letters, in place.
func lower(word []byte) {
	for i, c := range word {
		if classes[c]&upperClass != 0 {
			word[i] = c | 0x20
		}
	}
}
