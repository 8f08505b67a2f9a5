#!/usr/bin/env bash
# make clients: seven real clients against a Helenus (HELENUS_BIN, or built), or against -addr host:port.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec go run ./clients "$@"
