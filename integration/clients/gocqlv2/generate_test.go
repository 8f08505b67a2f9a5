package gocqlv2

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// TestGenerated says when checks.go is not what go generate would make.
func TestGenerated(t *testing.T) {
	want, err := exec.Command("./generate.sh").Output()
	if err != nil {
		t.Skip("needs a shell and gofmt: ", err)
	}
	got, err := os.ReadFile("checks.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("run go generate")
	}
}
