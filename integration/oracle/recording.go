package oracle

import (
	"fmt"
	"os"
	"strings"
)

// FormatAnswers writes answers as a recording: each begins with `> ` and its statement; continued lines of a cell are
// indented. Recordings are meant to be read and diffed.
func FormatAnswers(answers []Answer) string {
	var b strings.Builder
	for _, a := range answers {
		fmt.Fprintf(&b, "> %s\n%s\n\n", a.Title, strings.Join(a.Lines, "\n"))
	}
	return b.String()
}

// LoadAnswers reads a recording.
func LoadAnswers(path string) ([]Answer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseAnswers(string(data)), nil
}

// ParseAnswers is the reverse of FormatAnswers, but for the numbers of the lines.
func ParseAnswers(text string) []Answer {
	var out []Answer
	for block := range strings.SplitSeq(text, "\n\n> ") {
		block = strings.TrimPrefix(block, "> ")
		if strings.TrimSpace(block) == "" {
			continue
		}
		title, body, _ := strings.Cut(block, "\n")
		out = append(out, Answer{Title: title, Lines: strings.Split(strings.TrimRight(body, "\n"), "\n")})
	}
	return out
}
