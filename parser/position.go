package parser

import "unicode/utf8"

// position returns the line, from 1, and the column, from 0 in UTF-16 units, of the byte at offset, as ANTLR counts them.
func position(text string, offset int) (line, column int) {
	line = 1
	for i := 0; i < offset; {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r > 0xffff:
			column += 2
		default:
			column++
		}
	}
	return line, column
}
