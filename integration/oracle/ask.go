package oracle

// Ask runs one statement at consistency ONE without paging, and returns the lines of its answer.
func (r *Runner) Ask(statement string) ([]string, error) {
	return r.exchange(&Step{Text: statement, Level: 1})
}
