#!/usr/bin/env bash
# make sstables: random schemas are filled by a freshly started Cassandra and by Helenus, and each reads and serves what the
# other has written. Needs Java 17 and Maven.
#
# SSTABLES_SCHEMAS says how many (200), SSTABLES_FIRST the first seed (0). JUDGE_CASSANDRA names another script than
# oracle/cassandra that starts the Cassandra. It is stopped afterwards unless it ran before or JUDGE_KEEP=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export JUDGE_CASSANDRA=${JUDGE_CASSANDRA:-$PWD/../oracle/cassandra}
was_running=$("$JUDGE_CASSANDRA" status)
[ "${JUDGE_KEEP:-0}" = 1 ] || [ "$was_running" = running ] || trap '"$JUDGE_CASSANDRA" stop' EXIT
go test -count=1 -timeout 3h -v "$@" .
