package parser

import "strings"

// number scans a token that begins with the digit at first; start is first, or the minus before it. It may be an integer,
// a float, a duration, a hexadecimal or a UUID.
func (s *scanner) number(start, first int) Kind {
	negative := first > start
	if !negative {
		if s.text[first] == '0' && s.at(first+1)|0x20 == 'x' {
			s.pos = first + 2
			for isHex(s.at(s.pos)) {
				s.pos++
			}
			return kindHex
		}
		if s.at(first+8) == '-' && hexRun(s.text[first:]) == 8 {
			return s.uuid(first)
		}
	}
	end := first + digitRun(s.text[first:])
	// mayUUID tells whether a letter here still predicts a UUID.
	mayUUID := !negative && end-first < 8
	switch c := s.at(end) | 0x20; {
	case s.at(end) == '.':
		return s.fraction(start, end)
	case c == 'e':
		return s.exponent(start, first, end, mayUUID)
	case c == 'd' && mayUUID:
		return s.daysOrUUID(first, end)
	case c == 'y' || c == 'm' || c == 'w' || c == 'd' || c == 'h' || c == 's' || c == 'u' || c == 'n' || s.at(end) == 0xc2:
		return s.units(end)
	case isHex(c) && isLetter(c) && mayUUID:
		return s.uuid(first)
	}
	s.pos = end
	return kindInteger
}

// fraction scans from the dot at dot: 1. and 1.5 are floats, 1..2 is an integer and a range.
func (s *scanner) fraction(start, dot int) Kind {
	if s.at(dot+1) == '.' {
		if s.at(dot+2) == '.' {
			s.pos = dot + 1
			return kindFloat
		}
		s.pos = dot
		return kindInteger
	}
	end := dot + 1 + digitRun(s.text[dot+1:])
	if s.at(end)|0x20 == 'e' {
		if end = s.power(end); end < 0 {
			return kindEOF
		}
	}
	return s.float(start, end)
}

// exponent scans from the e at e behind digits.
func (s *scanner) exponent(start, first, e int, mayUUID bool) Kind {
	next := s.at(e + 1)
	if !isDigit(next) && next != '+' && next != '-' {
		switch {
		case !mayUUID:
			return s.loop(e + 1)
		case isHex(next) && e+1-first < 8:
			return s.uuid(first)
		}
		return s.noViable(e + 1)
	}
	end := s.power(e)
	if end < 0 {
		return kindEOF
	}
	if c := s.at(end); isHex(c) && mayUUID && end-first < 8 && isDigit(next) {
		return s.uuid(first)
	}
	return s.float(start, end)
}

// power scans an exponent whose e is at e and returns where it ends, -1 when it has no digits.
func (s *scanner) power(e int) int {
	end := e + 1
	if c := s.at(end); c == '+' || c == '-' {
		end++
	}
	if !isDigit(s.at(end)) {
		s.loop(end)
		return -1
	}
	return end + digitRun(s.text[end:])
}

// loop reports an exponent without digits.
func (s *scanner) loop(offset int) Kind {
	return s.fail(offset, "required (...)+ loop did not match anything at character ", "")
}

// float ends a floating point token at end and refuses one that no double can hold.
func (s *scanner) float(start, end int) Kind {
	s.pos = end
	if tooLarge(s.text[start:end]) {
		s.err = &lexError{start, "Failed parsing statement: [" + s.text + "] reason: NumberFormatException Character I is neither " +
			`a decimal digit number, decimal point, nor "e" notation exponential mark.`, plainError}
	}
	return kindFloat
}

// daysOrUUID decides between 1d and the first group of a UUID like 1d345678-...
func (s *scanner) daysOrUUID(first, d int) Kind {
	next := s.at(d + 1)
	if isHex(next) && isLetter(next) && d+1-first < 8 {
		return s.uuid(first)
	}
	if isDigit(next) {
		end := d + 1 + digitRun(s.text[d+1:])
		if c := s.at(end); end-first < 8 && isHex(c) && isLetter(c) && c|0x20 != 'd' {
			return s.uuid(first)
		}
	}
	return s.units(d)
}

// units scans a duration whose first unit is at i: then digits and units follow each other.
func (s *scanner) units(i int) Kind {
	for {
		c := s.at(i) | 0x20
		switch {
		case c == 'm':
			i++
			if c := s.at(i) | 0x20; c == 'o' || c == 's' {
				i++
			}
		case c == 'y' || c == 'w' || c == 'd' || c == 'h' || c == 's':
			i++
		case c == 'u' || c == 'n' || strings.HasPrefix(s.text[min(i, len(s.text)):], "µ"):
			i++
			if c != 'u' && c != 'n' {
				i++
			}
			if s.at(i)|0x20 != 's' {
				return s.mismatch(i, "set null")
			}
			i++
		default:
			return s.noViable(i)
		}
		if !isDigit(s.at(i)) {
			s.pos = i
			return kindDuration
		}
		i += digitRun(s.text[i:])
	}
}

// uuid scans the UUID that the lexer has predicted at start.
func (s *scanner) uuid(start int) Kind {
	const groups = "########-####-####-####-############"
	for i := range len(groups) {
		c := s.at(start + i)
		if groups[i] == '-' && c != '-' {
			return s.mismatch(start+i, "'-'")
		}
		if groups[i] == '#' && !isHex(c) {
			return s.mismatch(start+i, "set null")
		}
	}
	s.pos = start + len(groups)
	return kindUUID
}

// isoPeriod follows an ISO 8601 duration from behind its P. It returns where the longest duration ends, and in bad where it
// breaks off in the middle, or -1.
func isoPeriod(text string, i int) (stop, bad int) {
	if !strings.HasPrefix(text[i:], "T") {
		if n := digitRun(text[i:]); n > 0 && strings.HasPrefix(text[i+n:], "W") {
			return i + n + 1, -1
		}
		if i, bad = isoUnits(text, i, "YMD"); bad >= 0 || !strings.HasPrefix(text[i:], "T") {
			return i, bad
		}
	}
	return isoUnits(text, i+1, "HMS")
}

// isoUnits follows numbers, each with one of units and in their order; at least one.
func isoUnits(text string, i int, units string) (stop, bad int) {
	for first := true; ; first = false {
		n := digitRun(text[i:])
		if n == 0 && !first || units == "" {
			return i, -1
		}
		i += n
		at := -1
		if n > 0 && i < len(text) {
			at = strings.IndexByte(units, text[i])
		}
		if at < 0 {
			return i, i
		}
		i, units = i+1, units[at+1:]
	}
}

// isoAlternative scans the rest of P0001-02-03T04:05:06 from its first dash.
func (s *scanner) isoAlternative(dash int) Kind {
	const rest = "-##-##T##:##:##"
	for i := range len(rest) {
		c := s.at(dash + i)
		if rest[i] == '#' && !isDigit(c) {
			return s.mismatch(dash+i, "set null")
		}
		if rest[i] != '#' && rest[i] != c {
			return s.mismatch(dash+i, "'"+rest[i:i+1]+"'")
		}
	}
	s.pos = dash + len(rest)
	return kindDuration
}
