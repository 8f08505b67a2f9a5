package gocqlv1

import (
	"testing"

	"github.com/helenusdb/helenus/integration/clients/check"
)

// TestChecks does all checks with every version and compression the driver knows.
func TestChecks(t *testing.T) {
	check.Test(t, Versions, Run)
}
