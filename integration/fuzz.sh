#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time each (default 30s) and ends with the number of targets.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-30s}
count=0
while IFS=: read -r file name; do
  echo "== $(dirname "$file") $name"
  go test "./$(dirname "$file")" -run '^$' -fuzz "^$name\$" -fuzztime "$time"
  count=$((count + 1))
done < <(grep -rhoE --include='*_test.go' --exclude-dir=integration -H '^func Fuzz[A-Za-z0-9]+' . | sed 's/^\.\///; s/func //')
echo "$count fuzz targets, $time each, no finding"
