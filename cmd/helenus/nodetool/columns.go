package nodetool

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/helenusdb/helenus/cql/types"
)

// columns prints rows as columns as wide as their widest cell, one blank between them.
// Source: org.apache.cassandra.tools.nodetool.formatter.TableBuilder.
type columns struct{ rows [][]string }

func (t *columns) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *columns) print(c *call) {
	var widths []int
	for _, r := range t.rows {
		for i, cell := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, r := range t.rows {
		r = append(r, make([]string, len(widths)-len(r))...)
		for i, cell := range r {
			r[i] = cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		}
		c.printf("%s\n", strings.Join(r, " "))
	}
}

// size prints bytes with the unit that fits and at most two digits behind the point.
// Source: org.apache.cassandra.io.util.FileUtils.stringifyFileSize.
func size(n int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + " bytes"
	}
	v, i := float64(n)/(1<<10), 0
	for ; v >= 1<<10 && i < len(units)-1; i++ {
		v /= 1 << 10
	}
	s := strconv.FormatFloat(math.RoundToEven(v*100)/100, 'f', 2, 64)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " " + units[i]
}

// memory prints bytes with the unit that fits and three digits behind the point.
// Source: org.apache.cassandra.utils.FBUtilities.prettyPrintMemory.
func memory(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.3fGiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.3fMiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.3fKiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%dB", n)
}

// double prints a number as Java does.
func double(f float64) string {
	return string(types.TDouble.AppendText(nil, types.AppendFloat64(nil, f)))
}

// decimals prints a number with some digits behind the point, and NaN for what is not there.
func decimals(f float64, n int) string {
	if math.IsNaN(f) {
		return "NaN"
	}
	return strconv.FormatFloat(f, 'f', n, 64)
}

// instant prints milliseconds since 1970.
func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
