#!/usr/bin/env bash
# make suites: the drivers' own integration tests against a Helenus (HELENUS_BIN, or built); what fails, and why.
#
#   suites/run.sh record   makes the baseline anew: what passes on a Cassandra that is started for it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "${1:-}" = record ]; then
  export JUDGE_HOST=127.0.6.1 JUDGE_DC=dc1 JUDGE_YAML=$'user_defined_functions_enabled: true\nmaterialized_views_enabled: true'
  oracle/cassandra clean
  trap 'oracle/cassandra clean' EXIT
  oracle/cassandra start
  go run ./suites -addr "$JUDGE_HOST" -record
  exit
fi
exec go run ./suites "$@"
