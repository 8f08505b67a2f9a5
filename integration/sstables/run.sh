#!/usr/bin/env bash
# make sstables: random schemas are filled by a freshly started Cassandra and by Helenus, and each reads and serves what the
# other has written. Needs Java 17 and Maven.
#
# SSTABLES_SCHEMAS says how many (200), SSTABLES_FIRST the first seed (0). JUDGE_CASSANDRA names another script than
# oracle/cassandra that starts the Cassandra. It is stopped afterwards unless it ran before or JUDGE_KEEP=1. A second Cassandra
# writes SSTABLES_BTI schemas (20) in version da.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export JUDGE_CASSANDRA=${JUDGE_CASSANDRA:-$PWD/../oracle/cassandra}
bti=${SSTABLES_BTI:-20}
was_running=$("$JUDGE_CASSANDRA" status)
[ "${JUDGE_KEEP:-0}" = 1 ] || [ "$was_running" = running ] || trap '"$JUDGE_CASSANDRA" stop' EXIT
go test -count=1 -timeout 3h -v "$@" .
[ "${JUDGE_KEEP:-0}" = 1 ] || [ "$was_running" = running ] || "$JUDGE_CASSANDRA" stop
if [ "$bti" -gt 0 ]; then
  export JUDGE_HOST=127.0.8.7 JUDGE_YAML='storage_compatibility_mode: NONE
sstable:
  selected_format: bti'
  trap '"$JUDGE_CASSANDRA" stop' EXIT
  SSTABLES_FORMAT=bti SSTABLES_SCHEMAS=$bti go test -count=1 -timeout 1h -run HelenusTables -v "$@" .
fi
