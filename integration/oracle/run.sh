#!/usr/bin/env bash
# make oracle: asks a freshly started Cassandra every statement of the scripts and records what it says, then compares a
# Helenus (HELENUS_BIN, or built) with that. Ends with failure when anything differs that DEVIATIONS.md does not explain.
#
# Arguments are scripts; without them all. The Cassandra is stopped afterwards unless JUDGE_KEEP=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
was_running=$(oracle/cassandra status)
[ "$was_running" = running ] || oracle/cassandra clean
[ "${JUDGE_KEEP:-0}" = 1 ] || [ "$was_running" = running ] || trap 'oracle/cassandra stop' EXIT
go build -o ../.cache/judge/judge ./cmd/judge
address=$(oracle/cassandra start | tail -1)
echo "Cassandra at $address:"
../.cache/judge/judge -addr "$address" -record "$@"
echo "Helenus:"
../.cache/judge/judge "$@"
